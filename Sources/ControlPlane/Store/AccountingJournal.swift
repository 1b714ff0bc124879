import DequeModule
import Foundation
import GRDB
import Synchronization

/// Accounting records that no server has acknowledged yet, kept through the death of servers and of this process.
///
/// Records are taken and removed at once, on the caller's thread and in memory; the store's thread writes both to the disk, many at a
/// time. A record that is removed before it was written never goes there. What is full refuses the newcomer, and never drops
/// what it has. While the disk fails, the journal works on in memory within the same bounds.
public final class AccountingJournal: Sendable {
    private struct State {
        /// Octets of each record that is held.
        var held: [Int64: Int] = [:]
        /// Records that wait to be written, and their order; ids of records that have been removed stay there for a while.
        var unwritten: [Int64: JournalEntry] = [:]
        var order: Deque<Int64> = []
        /// Records and removals that wait for the commit that they belong to.
        var staged: [Int64] = []
        var stagedRemovals: [Int64] = []
        /// Records and removals that stand in the open transaction.
        var writing: [(id: Int64, entry: JournalEntry)] = []
        var removing: [Int64] = []
        /// Records that are committed, and not known to be on the disk; and how many were before them.
        var unsynced: Deque<Int64> = []
        var synced: UInt64 = 0
        /// Records on the disk that wait to be removed there.
        var removals: [Int64] = []
        var next: Int64 = 1
        var isClosed = false
        var statistics = JournalStatistics()
    }

    private let state = Mutex(State())
    private let limits: JournalLimits
    private let thread: StoreThread
    private let durable: @Sendable ([JournalRecordID]) -> Void

    /// The journal in `db`.
    init(
        _ db: Database, limits: JournalLimits, thread: StoreThread,
        durable: @escaping @Sendable ([JournalRecordID]) -> Void
    ) throws {
        self.limits = limits
        self.thread = thread
        self.durable = durable
        var found = State()
        let rows = try Row.fetchCursor(db, sql: "SELECT id, length(payload) FROM accounting_record")
        while let row = try rows.next() {
            let (id, octets): (Int64, Int) = (row[0], row[1])
            found.held[id] = octets
            found.statistics.octets += octets
            // Ids are only ever given by `append`; the last one leaves no room for more where somebody else has written here.
            found.next = max(found.next, id == .max ? id : id + 1)
        }
        found.statistics.records = found.held.count
        found.statistics.found = UInt64(found.held.count)
        state.withLock { $0 = found }
    }

    // MARK: The caller's thread

    /// Takes records, each of which is durable when `StoreEvent.journalled` tells its id.
    /// - Returns: the id of each; nil for one that is refused because the journal is full or closed.
    public func append(_ entries: some Sequence<JournalEntry>) -> [JournalRecordID?] {
        let ids = state.withLock { state in entries.map { append($0, &state) } }
        thread.wake()
        return ids
    }

    /// Takes one record; nil when it is refused.
    public func append(_ entry: JournalEntry) -> JournalRecordID? { append(CollectionOfOne(entry)).first ?? nil }

    /// Takes one record that is written with the next `Store.commit` and not before; nil when it is refused.
    public func stage(_ entry: JournalEntry) -> JournalRecordID? {
        state.withLock { append(entry, isStaged: true, &$0) }
    }

    /// Lets records go with the next `Store.commit`.
    public func stageRemoval(of ids: some Sequence<JournalRecordID>) {
        state.withLock { $0.stagedRemovals += ids.map(\.rawValue) }
    }

    /// Whether something waits for a commit.
    public var isStaging: Bool { state.withLock { !$0.staged.isEmpty || !$0.stagedRemovals.isEmpty } }

    /// What was staged is to be written now.
    func release() {
        state.withLock { state in
            state.order.append(contentsOf: state.staged)
            state.staged = []
            let removals = state.stagedRemovals
            state.stagedRemovals = []
            remove(removals, &state)
        }
    }

    private func append(_ entry: JournalEntry, isStaged: Bool = false, _ state: inout State) -> JournalRecordID? {
        let octets = entry.payload.count
        guard !state.isClosed, state.next < .max, state.held.count < limits.records,
            state.statistics.octets + octets <= limits.octets
        else {
            state.statistics.refused += 1
            return nil
        }
        let id = state.next
        state.next += 1
        state.held[id] = octets
        state.unwritten[id] = entry
        if isStaged { state.staged.append(id) } else { state.order.append(id) }
        state.statistics.octets += octets
        state.statistics.appended += 1
        return JournalRecordID(rawValue: id)
    }

    /// Lets records go, which somebody has now; ids that the journal does not hold are passed over.
    public func remove(_ ids: some Sequence<JournalRecordID>) {
        state.withLock { remove(ids.map(\.rawValue), &$0) }
        thread.wake()
    }

    private func remove(_ ids: [Int64], _ state: inout State) {
        for id in ids {
            guard let octets = state.held.removeValue(forKey: id) else { continue }
            state.statistics.octets -= octets
            state.statistics.removed += 1
            if state.unwritten.removeValue(forKey: id) != nil {
                state.statistics.spared += 1
            } else {
                state.removals.append(id)
            }
        }
        // Most of the order may be of records that are gone.
        if state.order.count > 2 * state.unwritten.count + 1_024 {
            state.order.removeAll { state.unwritten[$0] == nil }
        }
    }

    /// Lets one record go.
    public func remove(_ id: JournalRecordID) { remove(CollectionOfOne(id)) }

    /// What is held, and what became of what was given.
    public var statistics: JournalStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.records = state.held.count
            statistics.unwritten = state.unwritten.count + state.writing.count { state.held[$0.id] != nil }
            return statistics
        }
    }

    // MARK: Reading

    /// The oldest records behind `id`, or of all, at most `limit`. Waits for the disk; not to be called while an
    /// event is told.
    public func records(after id: JournalRecordID? = nil, limit: Int) throws(StoreError) -> [JournalRecord] {
        let done = DispatchSemaphore(value: 0)
        let box = Mutex<Result<[JournalRecord], StoreError>?>(nil)
        let result = ResultBox(box)
        records(after: id, limit: limit) {
            result.set($0)
            done.signal()
        }
        done.wait()
        return try result.get(path: thread.path)
    }

    /// The same without waiting.
    /// - Parameter completion: is called on the store's thread, or at once when the store is closed.
    public func records(
        after id: JournalRecordID? = nil, limit: Int,
        completion: @escaping @Sendable (Result<[JournalRecord], StoreError>) -> Void
    ) {
        let isTaken = thread.perform { [self] queue in
            do {
                completion(.success(try read(after: id?.rawValue ?? .min, limit: limit, queue)))
            } catch {
                completion(.failure(StoreError(error, path: thread.path)))
            }
        }
        if !isTaken { completion(.failure(.closed(path: thread.path))) }
    }

    /// Between transactions: what is not on disk waits in memory, and has higher ids than what is, but for what came back
    /// when a transaction failed.
    private func read(after start: Int64, limit: Int, _ queue: DatabaseQueue) throws -> [JournalRecord] {
        var found: [JournalRecord] = []
        var last = start
        while found.count < limit {
            let wanted = limit - found.count
            let rows = try queue.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT id, server_group, event_time, payload FROM accounting_record
                        WHERE id > ? ORDER BY id LIMIT ?
                        """,
                    arguments: [last, wanted])
            }
            state.withLock { state in
                for row in rows {
                    last = row[0]
                    guard state.held[last] != nil else { continue }
                    let payload: Data = row[3]
                    found.append(
                        JournalRecord(
                            id: JournalRecordID(rawValue: last),
                            entry: JournalEntry(group: row[1], eventTime: row[2], payload: [UInt8](payload))))
                }
            }
            if rows.count < wanted { break }
        }
        let unwritten = state.withLock { state in state.unwritten.filter { $0.key > start } }
        let waiting = unwritten.map { JournalRecord(id: JournalRecordID(rawValue: $0.key), entry: $0.value) }
        return Array((found + waiting).sorted { $0.id < $1.id }.prefix(limit))
    }

    /// Takes no more.
    func close() {
        release()
        state.withLock { $0.isClosed = true }
    }
}

/// A result on its way from the store's thread.
private final class ResultBox: Sendable {
    private let result: Mutex<Result<[JournalRecord], StoreError>?>
    init(_ result: consuming Mutex<Result<[JournalRecord], StoreError>?>) { self.result = result }
    func set(_ value: Result<[JournalRecord], StoreError>) { result.withLock { $0 = value } }
    func get(path: String) throws(StoreError) -> [JournalRecord] {
        guard let value = result.withLock({ $0 }) else { throw .closed(path: path) }
        return try value.get()
    }
}

extension AccountingJournal: TableGroup {
    var isWaiting: Bool { state.withLock { !$0.order.isEmpty || !$0.removals.isEmpty } }

    func gather() {
        state.withLock { state in
            while let id = state.order.popFirst() {
                guard let entry = state.unwritten.removeValue(forKey: id) else { continue }
                state.writing.append((id, entry))
            }
            state.removing = state.removals
            state.removals = []
        }
    }

    func write(_ db: Database) throws {
        let (entries, removals) = state.withLock { ($0.writing, $0.removing) }
        // A transaction of which it is not known whether it reached the disk is written again.
        let insertion = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO accounting_record (id, server_group, event_time, payload) VALUES (?, ?, ?, ?)
                """)
        for (id, entry) in entries {
            try insertion.execute(arguments: [id, entry.group, entry.eventTime, Data(entry.payload)])
        }
        let deletion = try db.cachedStatement(sql: "DELETE FROM accounting_record WHERE id = ?")
        for id in removals { try deletion.execute(arguments: [id]) }
    }

    func committed() {
        state.withLock { state in
            state.unsynced.append(contentsOf: state.writing.lazy.map(\.id))
            state.statistics.written += UInt64(state.writing.count)
            state.writing = []
            state.removing = []
        }
    }

    var wantsSync: Bool { state.withLock { !$0.unsynced.isEmpty } }

    var syncMark: UInt64 { state.withLock { $0.synced + UInt64($0.unsynced.count) } }

    func synced(upTo mark: UInt64) {
        let ids = state.withLock { state in
            // A flush may have been faster.
            let count = Int(clamping: mark - min(mark, state.synced))
            let ids = state.unsynced.prefix(count).map { JournalRecordID(rawValue: $0) }
            state.unsynced.removeFirst(ids.count)
            state.synced += UInt64(ids.count)
            return ids
        }
        if !ids.isEmpty { durable(ids) }
    }

    func rolledBack() {
        state.withLock { state in
            // What was removed meanwhile stands among the removals too, which then find nothing to remove.
            for (id, entry) in state.writing where state.held[id] != nil { state.unwritten[id] = entry }
            state.order.prepend(contentsOf: state.writing.lazy.map(\.id))
            state.removals.insert(contentsOf: state.removing, at: 0)
            state.writing = []
            state.removing = []
        }
    }
}
