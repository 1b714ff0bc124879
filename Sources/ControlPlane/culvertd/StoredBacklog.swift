import Glibc
import Logging
import Roles
import Store

/// The store as the place where accounting records wait. It is opened when the first record comes, or at the start where accounting
/// is configured or an earlier run has left a file: who does not account has no file.
///
/// When it cannot be opened, records wait in memory and are lost with the process, and the log says so.
final class StoredBacklog: AccountingBacklog {
    /// Records that may wait: some 100 MB of memory, and of the disk.
    static let limit = 250_000

    private let path: String
    private let logger: Logger
    private var store: Store?
    private var hasTried = false
    private let volatile = VolatileBacklog(capacity: limit)
    let capacity = limit

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    private func open() -> Store? {
        guard !hasTried else { return store }
        hasTried = true
        let logger = logger
        do throws(StoreError) {
            let opened = try Store.open(path: path, accounting: JournalLimits(records: Self.limit)) { event in
                switch event {
                case .journalled: break
                case .failing(let error):
                    logger.error("accounting records are not written to the disk: \(error); they wait in memory")
                case .recovered: logger.notice("accounting records are written to the disk again")
                }
            }
            store = opened.store
            if case .replaced = opened.opening {
                logger.error("the store was replaced: \(opened.opening)")
            } else {
                logger.info("store: \(opened.opening)")
            }
        } catch {
            logger.error("accounting records are kept in memory alone, and lost with culvertd: \(error)")
        }
        return store
    }

    func append(_ record: [UInt8], group: String, time: UInt32) -> UInt64? {
        guard let store = open() else { return volatile.append(record, group: group, time: time) }
        let entry = JournalEntry(group: group, eventTime: Int64(time) * 1_000_000_000, payload: record)
        return store.accounting.append(entry).map { UInt64(clamping: $0.rawValue) }
    }

    func remove(_ ids: [UInt64]) {
        store?.accounting.remove(ids.map { JournalRecordID(rawValue: Int64(clamping: $0)) })
    }

    func takeBacklog() -> [(id: UInt64, group: String, record: [UInt8])] {
        guard access(path, F_OK) == 0, let store = open() else { return [] }
        var found: [(id: UInt64, group: String, record: [UInt8])] = []
        var last: JournalRecordID?
        do throws(StoreError) {
            while true {
                let page = try store.accounting.records(after: last, limit: 10_000)
                guard let end = page.last else { return found }
                found += page.map { (UInt64(clamping: $0.id.rawValue), $0.entry.group, $0.entry.payload) }
                last = end.id
            }
        } catch {
            logger.error("accounting records of an earlier run cannot be read: \(error)")
            return found
        }
    }

    /// Writes what there is, at the end.
    func close() {
        do throws(StoreError) { try store?.close() } catch {
            logger.error("accounting records of the last moments are lost: \(error)")
        }
        store = nil
    }
}
