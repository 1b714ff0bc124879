import Roles
import Timing
import Wire

/// The node's store, and what waits until it has written.
///
/// The node's owner takes what has changed after each entry point and lets out what came of it when that is on the disk; what
/// needs no writing waits for what was before it.
struct Disk {
    /// What came of one entry point.
    struct Batch {
        var changes: [StateChange]
        var records: [Journal.Operation]
        var frames: [(bytes: [UInt8], port: UInt16)]
        var radius: [(datagram: [UInt8], socket: Int, address: IPAddress, port: UInt16)]
        /// Sessions that came up.
        var sessionsUp: UInt64
        var writtenAt = Instant.zero

        var isCommit: Bool { !changes.isEmpty || !records.isEmpty }
    }

    /// What is written.
    var stored = StoredState()
    /// Sessions of which it is written that they came up.
    private(set) var sessionsUp: UInt64 = 0
    /// Whether the planted fault has done its work at the last death.
    private(set) var hasForgotten = false
    private let journal: Journal
    private let delay: UInt64
    private var waiting: [Batch] = []
    private var lastWrite = Instant.zero
    /// What was written before the last commit that somebody has heard of; for a planted fault.
    private var beforeLast: StoredState?

    /// A store that takes up to `delay` milliseconds to write.
    init(journal: Journal, delay: UInt64) {
        self.journal = journal
        self.delay = delay
    }

    /// When the next batch is written; nil: none waits.
    var next: Instant? { waiting.first?.writtenAt }

    /// Takes what came of an entry point.
    mutating func add(_ batch: Batch, at now: Instant, _ chance: inout SeededGenerator) {
        var batch = batch
        if batch.isCommit, delay > 0 {
            lastWrite = max(lastWrite, now + .microseconds(Int64(chance.below(delay * 1_000))))
        }
        batch.writtenAt = max(lastWrite, now)
        waiting.append(batch)
    }

    /// The next batch that is written, which may go out now.
    mutating func take(at now: Instant) -> Batch? {
        guard let first = waiting.first, first.writtenAt <= now else { return nil }
        waiting.removeFirst()
        if !first.changes.isEmpty { beforeLast = stored }
        write(first)
        return first
    }

    private mutating func write(_ batch: Batch) {
        for change in batch.changes { stored.apply(change) }
        journal.write(batch.records)
        sessionsUp += batch.sessionsUp
    }

    /// The process ends: answers how many of the commits under way are written all the same.
    mutating func die(_ chance: inout SeededGenerator, forgetful: Bool) -> Int {
        let commits = waiting.filter(\.isCommit)
        waiting = []
        hasForgotten = false
        if forgetful, let beforeLast {
            stored = beforeLast
            hasForgotten = true
            return 0
        }
        let count = Int(chance.below(UInt64(commits.count) + 1))
        for batch in commits.prefix(count) { write(batch) }
        return count
    }
}

/// Accounting records that outlive the node's process: in the store, with what else an entry point has changed.
final class Journal: AccountingBacklog {
    enum Operation {
        case append(id: UInt64, group: String, record: [UInt8])
        case remove([UInt64])
    }

    var durable: [(id: UInt64, group: String, record: [UInt8])] = []
    private var operations: [Operation] = []
    private var last: UInt64 = 0
    let capacity = 10_000

    func append(_ record: [UInt8], group: String, time: UInt32) -> UInt64? {
        last += 1
        operations.append(.append(id: last, group: group, record: record))
        return last
    }

    func remove(_ ids: [UInt64]) { operations.append(.remove(ids)) }
    func takeBacklog() -> [(id: UInt64, group: String, record: [UInt8])] { durable }

    /// Takes what the node has asked for since the last call.
    func takeOperations() -> [Operation] {
        defer { operations = [] }
        return operations
    }

    func forget() { operations = [] }

    func write(_ operations: [Operation]) {
        for operation in operations {
            switch operation {
            case .append(let id, let group, let record): durable.append((id, group, record))
            case .remove(let ids): durable.removeAll { ids.contains($0.id) }
            }
        }
    }
}
