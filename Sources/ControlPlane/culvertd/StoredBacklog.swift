import Roles
import Store

/// The store as the place where accounting records wait; without one they wait in memory, and are lost with the process.
final class StoredBacklog: AccountingBacklog {
    /// Records that may wait: some 100 MB of memory, and of the disk.
    static let limit = 250_000

    private let store: NodeStore
    private let volatile = VolatileBacklog(capacity: limit)
    let capacity = limit

    init(_ store: NodeStore) { self.store = store }

    func append(_ record: [UInt8], group: String, time: UInt32) -> UInt64? {
        guard let journal = store.accounting else { return volatile.append(record, group: group, time: time) }
        let entry = JournalEntry(group: group, eventTime: Int64(time) * 1_000_000_000, payload: record)
        return journal.stage(entry).map { UInt64(clamping: $0.rawValue) }
    }

    func remove(_ ids: [UInt64]) {
        store.accounting?.stageRemoval(of: ids.map { JournalRecordID(rawValue: Int64(clamping: $0)) })
    }

    func takeBacklog() -> [(id: UInt64, group: String, record: [UInt8])] { store.takeRecords() }
}
