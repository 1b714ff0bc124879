import Foundation
import GRDB

/// What the store tells of its own accord.
public enum StoreEvent: Hashable, Sendable {
    /// These records of the accounting journal are on the disk, in the order of their ids.
    case journalled([JournalRecordID])
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
    private let thread: StoreThread

    /// Opens the store at `path`, or begins one; a file that cannot be used is set aside as `path`.bad-TIME.
    /// - Parameters:
    ///   - accounting: how much the accounting journal may hold.
    ///   - retry: how long to wait before the next try when the disk fails.
    ///   - event: is told, on the store's thread, what happens.
    public static func open(
        path: String, accounting: JournalLimits = .init(), retry: Duration = .seconds(1),
        event: @escaping @Sendable (StoreEvent) -> Void
    ) throws(StoreError) -> (store: Store, opening: StoreOpening) {
        let (file, opening) = try StoreFile.open(path, now: Date())
        return (try Store(file, accounting: accounting, retry: retry, event: event), opening)
    }

    private init(
        _ file: StoreFile, accounting limits: JournalLimits, retry: Duration,
        event: @escaping @Sendable (StoreEvent) -> Void
    ) throws(StoreError) {
        let thread = StoreThread(path: file.path, retry: retry, event: event)
        self.thread = thread
        do {
            accounting = try file.queue.read { db in
                try AccountingJournal(db, limits: limits, thread: thread) { event(.journalled($0)) }
            }
        } catch {
            throw StoreError(error, path: file.path)
        }
        let system = Thread { [accounting] in thread.run(file, [accounting]) }
        system.name = "store"
        system.start()
    }

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
