import Foundation
import Store
import StoreFixture
import Testing

@Suite struct JournalTests {
    private let folder: Folder
    private let events = Events()

    init() throws { folder = try Folder() }

    private func open(_ limits: JournalLimits = .init()) throws -> Store {
        try Store.open(path: folder.path(), accounting: limits) { [events] in events.take($0) }.store
    }

    private func ids(_ range: ClosedRange<Int64>) -> [JournalRecordID] { range.map { JournalRecordID(rawValue: $0) } }

    @Test func keepsRecordsInTheirOrder() throws {
        var store = try open()
        #expect(store.accounting.append((1...50).map(entry)) == ids(1...50))
        #expect(store.accounting.append(entry(51)) == JournalRecordID(rawValue: 51))
        try store.flush()
        #expect(events.durable == ids(1...51))
        #expect(store.accounting.statistics.unwritten == 0 && store.accounting.statistics.written == 51)
        store.accounting.remove(ids(10...20))
        store.accounting.remove(JournalRecordID(rawValue: 51))
        let expected = [1...9, 21...50].flatMap { $0.map { Int64($0) } }
        #expect(try store.accounting.records(limit: 1_000).map(\.id.rawValue) == expected, "at once")
        try store.close()

        store = try open()
        let records = try store.accounting.records(limit: 1_000)
        #expect(records.map(\.id.rawValue) == expected)
        #expect(records.map(\.entry) == expected.map { entry(UInt64($0)) })
        let statistics = store.accounting.statistics
        #expect(statistics.records == 39 && statistics.found == 39)
        #expect(statistics.octets == records.reduce(0) { $0 + $1.entry.payload.count })
        // An id is given anew only when nobody can know it any more.
        #expect(store.accounting.append(entry(1)) == JournalRecordID(rawValue: 51))
        try store.close()
        #expect(events.others.isEmpty)
    }

    @Test func readsPageByPage() throws {
        let store = try open()
        _ = store.accounting.append((1...100).map(entry))
        try store.flush()
        store.accounting.remove(ids(3...60))
        var read: [JournalRecordID] = []
        while true {
            let page = try store.accounting.records(after: read.last, limit: 7)
            #expect(page.count == min(7, 42 - read.count))
            read += page.map(\.id)
            if page.isEmpty { break }
        }
        #expect(read == ids(1...2) + ids(61...100))
        #expect(try store.accounting.records(limit: 0).isEmpty)
        try store.close()
    }

    @Test func readsWithoutWaiting() async throws {
        let store = try open()
        _ = store.accounting.append((1...3).map(entry))
        let journal = store.accounting
        let result = await withCheckedContinuation { continuation in
            journal.records(after: JournalRecordID(rawValue: 1), limit: 10) { continuation.resume(returning: $0) }
        }
        #expect(try result.get().map(\.id) == ids(2...3))
        try store.close()
        let closed = await withCheckedContinuation { continuation in
            journal.records(limit: 10) { continuation.resume(returning: $0) }
        }
        #expect(closed == .failure(.closed(path: folder.path())))
    }

    @Test func takesAnyOctets() throws {
        var store = try open()
        let odd = [
            JournalEntry(group: "", eventTime: .min, payload: []),
            JournalEntry(group: "gr\u{fc}n '; DROP TABLE accounting_record", eventTime: .max, payload: [0, 255]),
            JournalEntry(group: "large", eventTime: 0, payload: [UInt8](repeating: 0x61, count: 1 << 20)),
        ]
        #expect(store.accounting.append(odd) == ids(1...3))
        try store.close()
        store = try open()
        #expect(try store.accounting.records(limit: 10).map(\.entry) == odd)
        try store.close()
    }

    @Test func refusesTheNewcomerWhenFull() throws {
        let size = 100
        func record(_ octets: Int = 100) -> JournalEntry {
            JournalEntry(group: "g", eventTime: 1, payload: [UInt8](repeating: 1, count: octets))
        }
        var store = try open(JournalLimits(records: 5, octets: 1_000))
        #expect(store.accounting.append((0..<7).map { _ in record() }) == ids(1...5) + [nil, nil])
        store.accounting.remove(JournalRecordID(rawValue: 2))
        #expect(
            store.accounting.append([record(601), record(600), record(0)]) == [nil, JournalRecordID(rawValue: 6), nil])
        #expect(store.accounting.statistics.octets == 4 * size + 600)
        #expect(store.accounting.statistics.refused == 4)
        try store.close()
        #expect(store.accounting.append(record()) == nil, "closed")
        #expect(store.accounting.statistics.refused == 5)

        // What was there stays, even where less is allowed now.
        store = try open(JournalLimits(records: 4, octets: 1_000))
        #expect(try store.accounting.records(limit: 9).map(\.id.rawValue) == [1, 3, 4, 5, 6])
        #expect(store.accounting.append(record()) == nil)
        store.accounting.remove([JournalRecordID(rawValue: 6), JournalRecordID(rawValue: 5)])
        #expect(store.accounting.append(record()) == JournalRecordID(rawValue: 7))
        try store.close()
    }

    @Test func passesOverIdsThatItDoesNotHold() throws {
        let store = try open()
        _ = store.accounting.append(entry(1))
        store.accounting.remove(ids(1...3))
        store.accounting.remove(ids(1...1))
        store.accounting.remove(JournalRecordID(rawValue: .min))
        #expect(store.accounting.statistics.removed == 1 && store.accounting.statistics.records == 0)
        try store.close()
    }

    /// What comes and goes before the disk has its turn never goes there, and the memory that it took is free.
    @Test func sparesTheDisk() throws {
        let store = try open()
        let journal = store.accounting
        for number in 0..<50_000 as Range<UInt64> {
            guard let id = journal.append(entry(number)) else { fatalError("full") }
            journal.remove(id)
        }
        try store.flush()
        let statistics = journal.statistics
        #expect(statistics.written + statistics.spared == 50_000)
        #expect(statistics.spared > 0)
        #expect(statistics.records == 0 && statistics.octets == 0 && statistics.unwritten == 0)
        #expect(UInt64(events.durable.count) == statistics.written)
        #expect(try journal.records(limit: 10).isEmpty)
        try store.close()
    }

    /// Several threads at once, each of which sees its own records through.
    @Test func servesManyThreads() async throws {
        let store = try open()
        let journal = store.accounting
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 as Range<UInt64> {
                group.addTask {
                    for number in 0..<200 as Range<UInt64> {
                        let ids = journal.append((0..<5).map { entry(worker << 32 | number << 8 | $0) }).compactMap {
                            $0
                        }
                        journal.remove(ids.dropFirst(number % 10 == 0 ? 1 : 0))
                    }
                }
            }
        }
        try store.close()
        let again = try open()
        let records = try again.accounting.records(limit: .max)
        #expect(records.count == 8 * 20)
        #expect(Set(records.map(\.entry)).count == 160)
        #expect(records.allSatisfy { $0.entry == entry(UInt64($0.entry.eventTime)) })
        try again.close()
    }

    /// A flush waits for what was there before it, not for what comes all the time.
    @Test(.timeLimit(.minutes(1))) func flushesWhileMoreComes() async throws {
        let store = try open()
        let journal = store.accounting
        let done = DispatchSemaphore(value: 0)
        async let count = withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var count = 0
                while done.wait(timeout: .now()) == .timedOut {
                    count += journal.append((1...20).map(entry)).count { $0 != nil }
                }
                continuation.resume(returning: count)
            }
        }
        var flushes = 0
        while flushes < 20 || journal.statistics.appended < 2_000 {
            guard let id = journal.append(entry(0)) else { fatalError("full") }
            try store.flush()
            #expect(events.durable.contains(id))
            flushes += 1
        }
        done.signal()
        let appended = await count
        try store.close()
        #expect(journal.statistics.written == UInt64(appended + flushes))
    }

    @Test func closesOnce() throws {
        let store = try open()
        try store.close()
        #expect(throws: StoreError.closed(path: folder.path())) { try store.close() }
        #expect(throws: StoreError.closed(path: folder.path())) { try store.flush() }
        #expect(throws: StoreError.closed(path: folder.path())) { try store.accounting.records(limit: 1) }
    }
}
