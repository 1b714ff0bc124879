import Dispatch
import Glibc
import Store
import StoreFixture
import Synchronization

/// What the store has told, in short.
private final class Told: Sendable {
    private let told = Mutex<(failing: [StoreError], recovered: Int, durable: Int)>(([], 0, 0))
    let hasFailed = DispatchSemaphore(value: 0)
    let hasRecovered = DispatchSemaphore(value: 0)

    func take(_ event: StoreEvent) {
        switch event {
        case .journalled(let ids): told.withLock { $0.durable += ids.count }
        case .committed: break
        case .failing(let error):
            told.withLock { $0.failing.append(error) }
            hasFailed.signal()
        case .recovered:
            told.withLock { $0.recovered += 1 }
            hasRecovered.signal()
        }
    }

    var all: (failing: [StoreError], recovered: Int, durable: Int) { told.withLock { $0 } }
}

/// The disk fails in the middle of it, and then no longer. The last record refused, the bounds held, nothing lost; how it failed is
/// said on the standard output.
private func work(path: String, failing: () -> Void, mending: () -> Void) throws {
    let told = Told()
    let limits = JournalLimits(records: 3_000, octets: 1 << 20)
    let (store, _) = try Store.open(path: path, accounting: limits, retry: .milliseconds(20)) { told.take($0) }
    let journal = store.accounting
    var number: UInt64 = 0
    func append() -> JournalRecordID? {
        number += 1
        return journal.append(entry(number))
    }
    var ids = (0..<200).compactMap { _ in append() }
    try store.flush()
    failing()
    // The store's thread fails at some point of this, and we go on.
    while ids.count < limits.records, let id = append() { ids.append(id) }
    told.hasFailed.wait()
    guard append() == nil else { fail("more was taken than there is room for") }
    let failed: StoreError?
    do throws(StoreError) {
        try store.flush()
        failed = nil
    } catch {
        failed = error
    }
    guard case .database = failed else { fail("flush does not tell: \(String(describing: failed))") }
    // A record goes, another comes; what is read is what there is, wherever it is.
    journal.remove([ids.removeFirst(), ids.removeLast()])
    guard let last = append() else { fail("no room for one more") }
    ids.append(last)
    guard try journal.records(limit: .max).map(\.id) == ids else { fail("what is read is not what is held") }
    guard try journal.records(after: ids[700], limit: 1_000).map(\.id) == Array(ids[701..<1_701]) else {
        fail("a page is not what it should be")
    }
    guard told.all.failing.count == 1, told.all.recovered == 0 else { fail("told more than once") }
    mending()
    told.hasRecovered.wait()
    try store.flush()
    let statistics = journal.statistics
    guard statistics.unwritten == 0, statistics.records == ids.count, statistics.refused == 1, statistics.removed == 2,
        told.all.failing.count == 1, told.all.recovered == 1,
        UInt64(told.all.durable) == statistics.written, statistics.written + statistics.spared == statistics.appended
    else { fail("\(statistics), \(told.all)") }
    try store.close()
    say("\(told.all.failing)\n\(ids.map(\.description).joined(separator: " "))\n")
}

/// EFBIG, which is to SQLite like any error of the disk.
func workWithLimitedFiles(path: String, octets: UInt) throws {
    signal(SIGXFSZ, SIG_IGN)
    func limit(_ octets: UInt) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        limit.rlim_cur = octets
        guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { fail("setrlimit") }
    }
    try work(path: path, failing: { limit(octets) }, mending: { limit(.max) })
}

/// ENOSPC.
func workOnAFullDisk(path: String, ballast: String) throws {
    try work(
        path: path,
        failing: {
            let file = open(ballast, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
            var block = [UInt8](repeating: 0, count: 4_096)
            while write(file, &block, block.count) == block.count {}
            guard errno == ENOSPC else { fail("the disk does not fill") }
            close(file)
        }, mending: { unlink(ballast) })
}
