import CSegment
import Glibc
import Segment

/// What forwarding costs beside a writer that removes and adds sessions, over what it costs alone: by turns, the forwarding on
/// a thread and a core of its own.
struct Disturbance {
    private static let turn: UInt64 = 100_000_000
    private static let step: UInt64 = 1_000_000

    private let bed: TableBed
    private let changes: Int
    private let forwarding: ForwardingThread

    init(_ bed: TableBed, changes: Int) throws {
        guard bed.sessions.count >= 4 else { throw BenchError("too few sessions to change some") }
        self.bed = bed
        self.changes = changes
        // The other half of the sessions comes and goes.
        forwarding = ForwardingThread(bed, sessions: bed.sessions.count / 2)
    }

    func measure(turns: Int) throws -> [Figure] {
        try forwarding.start()
        var changed = 0
        var failure: (any Error)?
        for _ in 0..<turns where failure == nil {
            forwarding.phase = .alone
            usleep(UInt32(Self.turn / 1_000))
            forwarding.phase = .beside
            do { changed += try change() } catch { failure = error }
        }
        forwarding.stop()
        if let failure { throw failure }
        if let failure = forwarding.failure { throw BenchError(failure) }
        let alone = forwarding.cycles(.alone), beside = forwarding.cycles(.beside)
        guard let least = alone.first, let leastBeside = beside.first else { throw BenchError("nothing was forwarded") }
        return [
            Figure(
                name: "removed and added beside forwarding", value: Double(changed) * 10 / Double(turns),
                unit: "sessions a second"),
            Figure(name: "forwarding alone, best round", value: least, unit: "cycles a packet"),
            Figure(name: "forwarding beside changes, best round", value: leastBeside, unit: "cycles a packet"),
            Figure(
                name: "forwarding beside changes, median over median",
                value: beside[beside.count / 2] / alone[alone.count / 2], unit: "ratio"),
        ]
    }

    /// Removes and adds sessions for a turn, a few every millisecond; answers how many.
    private func change() throws -> Int {
        let first = bed.sessions.count / 2
        let each = max(min(changes / 1_000, (bed.sessions.count - first) / 2), 1)
        let start = now()
        var changed = 0
        var place = first
        for step in 1...Self.turn / Self.step {
            if place + each > bed.sessions.count { place = first }
            try bed.remove(place..<place + each)
            try bed.add(place..<place + each)
            place += each
            changed += each
            let due = start + step * Self.step
            let time = now()
            if due > time { usleep(UInt32((due - time) / 1_000)) }
        }
        return changed
    }
}
