import CDPDK
import CSegment
import Segment

/// Filling, emptying, changing and looking up, without anybody beside.
struct TableRounds {
    private let bed: TableBed

    init(_ bed: TableBed) { self.bed = bed }

    /// The best of so many rounds each.
    func measure(rounds: Int) throws -> [Figure] {
        let count = bed.sessions.count
        var first = 0.0
        var (fill, empty, single, churn, look) = (0.0, 0.0, 0.0, 0.0, -Double.infinity)
        var random = SplitMix(seed: 1)
        for round in 0..<rounds {
            let filled = try rate(count) { try bed.add(0..<count) }
            if round == 0 { first = filled }
            fill = max(fill, filled)
            look = max(look, lookUps(&random))
            // A hundredth of the sessions goes and comes back.
            let part = max(count / 100, 1)
            churn = max(
                churn,
                try rate(part) {
                    let start = Int.random(in: 0...(count - part), using: &random)
                    try bed.remove(start..<start + part)
                    try bed.add(start..<start + part)
                })
            single = max(single, try singles(part))
            empty = max(empty, try rate(count) { try bed.remove(0..<count) })
        }
        try bed.add(0..<count)
        return [
            Figure(name: "fill, memory untouched before", value: first, unit: "sessions a second"),
            Figure(name: "fill", value: fill, unit: "sessions a second"),
            Figure(name: "add by single calls, lines in the cache", value: single, unit: "sessions a second"),
            Figure(name: "empty, places freed", value: empty, unit: "sessions a second"),
            Figure(name: "remove and add, lines in the cache", value: churn, unit: "sessions a second"),
            Figure(name: "look-up, random, both directions", value: -look, unit: "ns"),
        ]
    }

    private func rate(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
        let start = now()
        try body()
        return Double(count) * 1e9 / Double(now() - start)
    }

    /// Sessions a second when the last `part` of them are added one by one.
    private func singles(_ part: Int) throws -> Double {
        let range = (bed.sessions.count - part)..<bed.sessions.count
        try bed.remove(range)
        let found = try rate(part) {
            for index in range {
                let session = bed.sessions[index]
                _ = try bed.writer.addExternal(
                    port: session.port, outerVLAN: session.outerVLAN, innerVLAN: session.innerVLAN, tpid: session.tpid,
                    clientMAC: session.clientMAC, tunnel: session.tunnel, peerSessionID: session.peerSessionID,
                    reference: session.reference)
            }
        }
        // Back to where the bulk calls' places say.
        var slots: [UpstreamSlot] = []
        bed.writer.forEachSession { record in
            if record.reference > UInt64(range.lowerBound) { slots.append(record.slot) }
            return true
        }
        slots.withUnsafeBufferPointer { _ = bed.writer.remove($0) { _, _ in } }
        bed.writer.reclaim(limit: .max) { _ in }
        try bed.add(range)
        return found
    }

    /// Nanoseconds for a session's two look-ups by the ids, each in its turn, without waiting for several at a time.
    private func lookUps(_ random: inout SplitMix) -> Double {
        let view = bed.segment.view
        let looks = 200_000
        var order: [Int32] = []
        order.reserveCapacity(looks)
        for _ in 0..<looks { order.append(Int32(Int.random(in: 0..<bed.sessions.count, using: &random))) }
        var found = 0
        let start = now()
        for number in order {
            let index = Int(number)
            let place = bed.places[index]
            let up = view.upstreamSession(
                circuit: place.circuit.rawValue, sessionID: place.sessionID,
                clientMAC: bed.sessions[index].clientMAC.value)
            let down = view.downstreamSession(
                tunnel: UInt32(bed.sessions[index].tunnel.rawValue), sessionID: place.localSessionID)
            if up.slot == place.upstream.rawValue, down == place.downstream.rawValue { found += 1 }
        }
        let spent = Double(now() - start)
        return found == looks ? -spent / Double(looks) : 0
    }
}
