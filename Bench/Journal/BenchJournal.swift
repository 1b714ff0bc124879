import ArgumentParser
import Foundation
import Store

/// `bench-journal`: how many accounting records a second go to the disk and leave it again.
@main
struct BenchJournal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-journal",
        abstract: "Appends records to the accounting journal, waits until all are durable, and removes them.")

    @Option(help: "Records.")
    var records = 500_000
    @Option(help: "Octets of each.")
    var size = 300
    @Option(help: "Records that are handed over at once.")
    var batch = 64
    @Option(help: "The journal's file, which must not be there yet.")
    var file = ".build/bench-journal.sqlite"

    func validate() throws {
        guard (1...5_000_000).contains(records) else { throw ValidationError("--records is 1 to 5000000") }
        guard (0...65_536).contains(size) else { throw ValidationError("--size is 0 to 65536") }
        guard (1...100_000).contains(batch) else { throw ValidationError("--batch is 1 to 100000") }
        guard !FileManager.default.fileExists(atPath: file) else { throw ValidationError("\(file) is there already") }
    }

    func run() throws {
        defer { try? FileManager.default.removeItem(atPath: file) }
        let limits = JournalLimits(records: records, octets: records * size)
        var store = try Store.open(path: file, accounting: limits) { event in
            if case .failing(let error) = event { print("the disk fails: \(error)") }
        }.store
        let entry = JournalEntry(
            group: "radius", eventTime: 1_700_000_000_000_000_000, payload: [UInt8](repeating: 0x2a, count: size))
        var ids: [JournalRecordID] = []
        ids.reserveCapacity(records)
        var taking = Duration.zero
        let appending = try clock {
            for start in stride(from: 0, to: records, by: batch) {
                let entries = [JournalEntry](repeating: entry, count: min(batch, records - start))
                let begin = ContinuousClock.now
                let taken = store.accounting.append(entries)
                taking += ContinuousClock.now - begin
                ids += taken.compactMap { $0 }
            }
            try store.flush()
        }
        guard ids.count == records else { throw ValidationError("\(records - ids.count) records were refused") }
        try store.close()
        let opening = try clock { store = try Store.open(path: file, accounting: limits) { _ in }.store }
        let removing = try clock {
            for start in stride(from: 0, to: records, by: batch) {
                store.accounting.remove(ids[start..<min(start + batch, records)])
            }
            try store.flush()
        }
        guard store.accounting.statistics.records == 0 else { throw ValidationError("records are left over") }
        // Servers that answer before most records have had their turn: those never go to the disk.
        let before = store.accounting.statistics
        let both = try clock {
            for start in stride(from: 0, to: records, by: batch) {
                let entries = [JournalEntry](repeating: entry, count: min(batch, records - start))
                let taken = store.accounting.append(entries).compactMap { $0 }
                if start / batch % 16 == 15 { try store.flush() }
                store.accounting.remove(taken)
            }
            try store.flush()
        }
        let spared = store.accounting.statistics.spared - before.spared
        try store.close()
        print("\(records) records of \(size) octets, \(batch) at a time:")
        print("  appended until durable   \(rate(appending)) records a second")
        print("    of that, the caller    \(rate(taking)) records a second")
        print("  file opened and checked  \(opening.formatted(.units(allowed: [.milliseconds])))")
        print("  removed until durable    \(rate(removing)) records a second")
        print(
            "  removed soon after       \(rate(both)) records a second, "
                + "\(100 * Int(spared) / records) % of which never went to the disk")
    }

    private func clock(_ body: () throws -> Void) rethrows -> Duration { try ContinuousClock().measure(body) }

    private func rate(_ duration: Duration) -> Int {
        Int(Double(records) / (Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18))
    }
}
