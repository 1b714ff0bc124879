import Logging
import Observability
import Roles
import Store
import Synchronization

/// The store as culvertd uses it: what the node is at, and accounting records on their way.
///
/// When it cannot be opened the node works on without: records wait in memory and are lost with the process, and the next start
/// ends the sessions. The log says so.
final class NodeStore {
    /// What the store's thread tells the control thread.
    final class Progress: Sendable {
        /// All commits up to here outlive the process.
        let committed = Atomic<UInt64>(0)
        /// Whether the disk fails: nobody knows when the next commit will be written.
        let isFailing = Atomic<Bool>(false)
    }

    let progress = Progress()
    private let logger: Logger
    private var store: Store?
    private var state: StoredState
    /// The first and the last commit of this process; nil: there was none yet.
    private var commits: ClosedRange<UInt64>?
    private var changeCount: UInt64 = 0

    /// Opens the store at `path`.
    /// - Parameters:
    ///   - commit: the last commit whose effect peers have seen, from the segment.
    ///   - wake: wakes the control thread, on whatever thread it is called.
    init(path: String, commit: UInt64, logger: Logger, wake: @escaping @Sendable () -> Void) {
        self.logger = logger
        state = StoredState()
        let progress = self.progress
        do throws(StoreError) {
            let opened = try Store.open(
                path: path, commit: commit, accounting: JournalLimits(records: StoredBacklog.limit)
            ) { event in
                switch event {
                case .journalled: break
                case .committed(let number):
                    progress.isFailing.store(false, ordering: .relaxed)
                    progress.committed.store(number, ordering: .releasing)
                    wake()
                case .failing(let error):
                    progress.isFailing.store(true, ordering: .releasing)
                    wake()
                    logger.error(
                        "the store is not written: \(error); sessions and accounting records are kept in memory alone for now"
                    )
                case .recovered: logger.notice("the store is written again")
                }
            }
            store = opened.store
            for row in opened.store.state {
                guard let table = StateTable(rawValue: row.table), row.id >= 0 else { continue }
                state.apply(StateChange(StateKey(table, row.id), row.image))
            }
            if case .replaced = opened.opening {
                logger.error("the store was replaced: \(opened.opening)")
            } else {
                logger.info("store: \(opened.opening)")
            }
        } catch {
            logger.error(
                "no store: what the segment does not have ends with culvertd, accounting records among it: \(error)")
        }
    }

    /// The accounting journal; nil: there is no store.
    var accounting: AccountingJournal? { store?.accounting }

    /// What an earlier process has left, once.
    func takeState() -> StoredState {
        defer { state = StoredState() }
        return state
    }

    /// Accounting records of an earlier process.
    func takeRecords() -> [(id: UInt64, group: String, record: [UInt8])] {
        var found: [(id: UInt64, group: String, record: [UInt8])] = []
        guard let store else { return found }
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

    /// Has changes written, with the accounting records of the same moment; answers the commit's number, and nil where there is
    /// nothing to write or nothing to write it into.
    func commit(_ changes: [StateChange]) -> UInt64? {
        guard let store, !changes.isEmpty || store.accounting.isStaging else { return nil }
        let number = store.commit(
            changes.map {
                StateRow(table: $0.key.table.rawValue, id: Int64(clamping: $0.key.id), image: $0.image)
            })
        commits = (commits?.lowerBound ?? number)...number
        changeCount &+= UInt64(changes.count)
        return number
    }

    /// How far the disk has come.
    var status: StoreStatus {
        var status = StoreStatus()
        guard store != nil else { return status }
        status.state = progress.isFailing.load(ordering: .relaxed) ? .failing : .written
        status.changes = changeCount
        if let commits {
            let written = min(
                max(progress.committed.load(ordering: .relaxed), commits.lowerBound - 1), commits.upperBound)
            status.commits = written - (commits.lowerBound - 1)
            status.waiting = commits.upperBound - written
        }
        return status
    }

    /// Writes what there is, at the end.
    func close() {
        do throws(StoreError) { try store?.close() } catch {
            logger.error("what was to be stored in the last moments is lost: \(error)")
        }
        store = nil
    }
}
