import Foundation
import GRDB

/// What the store tells of its own accord.
public enum StoreEvent: Hashable, Sendable {
    /// These records of the accounting journal are on the disk, in the order of their ids.
    case journalled([JournalRecordID])
    /// All commits of the control plane's state up to this one outlive the process.
    case committed(UInt64)
    /// Nothing can be written, since this; told once. What is to be written waits in memory and is tried again.
    case failing(StoreError)
    /// All is well again.
    case recovered(path: String)
}

/// What culvertd keeps on the disk: one SQLite file, with a group of tables for each purpose, and one thread that writes it.
///
/// Nothing here waits for the disk but `open`, `flush`, `close` and those calls that say so; these are not to be called while an event
/// is told. A store that was opened must be closed.
public final class Store: Sendable {
    /// Accounting records on their way.
    public let accounting: AccountingJournal
    /// The control plane's state as it was when the store was opened.
    public let state: [StateRow]
    private let tables: StateTables
    private let thread: StoreThread

    /// Opens the store at `path`, or begins one; a file that cannot be used is set aside as `path`.bad-TIME.
    /// - Parameters:
    ///   - commit: the commit of the control plane's state that peers have seen the effect of; a store that ends with an earlier
    ///     one is a copy from before and cannot be used.
    ///   - accounting: how much the accounting journal may hold.
    ///   - retry: how long to wait before the next try when the disk fails.
    ///   - event: is told, on the store's thread, what happens.
    public static func open(
        path: String, commit: UInt64 = 0, accounting: JournalLimits = .init(), retry: Duration = .seconds(1),
        event: @escaping @Sendable (StoreEvent) -> Void
    ) throws(StoreError) -> (store: Store, opening: StoreOpening) {
        let (file, opening) = try StoreFile.open(path, commit: commit, now: Date())
        let store = try Store(file, accounting: accounting, retry: retry, event: event)
        store.tables.raise(to: commit)
        return (store, opening)
    }

    private init(
        _ file: StoreFile, accounting limits: JournalLimits, retry: Duration,
        event: @escaping @Sendable (StoreEvent) -> Void
    ) throws(StoreError) {
        let thread = StoreThread(path: file.path, retry: retry, event: event)
        self.thread = thread
        do {
            (accounting, tables, state) = try file.queue.read { db in
                (
                    try AccountingJournal(db, limits: limits, thread: thread) { event(.journalled($0)) },
                    try StateTables(db) { event(.committed($0)) }, try StateTables.rows(in: db)
                )
            }
        } catch {
            throw StoreError(error, path: file.path)
        }
        let system = Thread { [accounting, tables] in thread.run(file, [accounting, tables]) }
        system.name = "store"
        system.start()
    }

    /// Takes a change of the control plane's state, whole: `rows`, and what was staged for the accounting journal. Answers the
    /// commit's number; `StoreEvent.committed` tells when it is written.
    public func commit(_ rows: [StateRow]) -> UInt64 {
        let number = thread.exclude {
            accounting.release()
            return tables.add(rows)
        }
        thread.wake()
        return number
    }

    /// Commits that were given and are not written yet.
    public var unwrittenCommits: UInt64 { tables.unwritten }

    /// Waits until all that was given so far is on the disk. Throws when it cannot be written; it stays in memory then, and is tried
    /// again.
    public func flush() throws(StoreError) {
        if let error = thread.flush() { throw error }
    }

    /// Takes no more, writes all that waits, and closes the file. Throws when something could not be written, which is lost then.
    public func close() throws(StoreError) {
        accounting.close()
        if let error = thread.flush(andStop: true) { throw error }
    }
}
