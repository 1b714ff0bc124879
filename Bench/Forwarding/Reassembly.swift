import CBaseline
import CDPDK
import Forwarding
import Segment

/// What datagrams cost that come in two fragments: from the fragments to the PPPoE session frame.
struct Reassembly {
    /// Octets of the inner IP packet.
    static let bytes = 1_400
    /// Octets of the datagram's IP payload in its first fragment.
    private static let split = 712
    /// Datagrams a round.
    private static let datagrams = 128

    /// Cycles a datagram.
    private(set) var samples = Samples()
    /// The same of datagrams of that length that come whole.
    private(set) var whole = Samples()

    /// Measures in `rounds` rounds. The fragments of a datagram come one behind the other, as from a peer that cuts them.
    init(scenario: Scenario, environment: Environment, rounds: Int) throws(BenchError) {
        let pool = try Environment.pool("bench_fragments", count: 4_095, cache: 256)
        let forwarder = try SwiftForwarder(scenario: scenario)
        let frames = UnsafeMutablePointer<OpaquePointer?>.allocate(capacity: 2 * Self.datagrams)
        let header = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Scenario.headerCapacity)
        defer {
            frames.deallocate()
            header.deallocate()
        }
        let parts = [Fragment.whole(of: Self.bytes)] + Fragment.halves(of: Self.bytes, split: Self.split)
        var place = 0
        for round in 0..<2 * rounds {
            let isCut = round % 2 == 1
            let count = isCut ? 2 * Self.datagrams : Self.datagrams
            for index in 0..<count {
                guard let frame = culvert_bench_allocate(pool) else { throw .noMemory("fragments") }
                let part = isCut ? parts[1 + index % 2] : parts[0]
                let session = scenario.session(at: place + (isCut ? index / 2 : index))
                let length = scenario.writeFragment(
                    part, session: session, bytes: Self.bytes,
                    identification: UInt16(truncatingIfNeeded: place + (isCut ? index / 2 : index)), to: header)
                culvert_bench_restore(
                    frame, header.baseAddress, UInt32(length), UInt32(part.frameLength), Scenario.corePort)
                frames[index] = frame
            }
            place += Self.datagrams
            let before = forwarder.forwarded
            let begin = culvert_bench_ticks()
            forwarder.receive(.decapsulate, frames, count: count)
            let ticks = culvert_bench_ticks() &- begin
            guard forwarder.forwarded - before == UInt64(Self.datagrams) else {
                throw .difference(
                    "\(forwarder.forwarded - before) of \(Self.datagrams) datagrams in fragments were forwarded")
            }
            forwarder.freeTransmitted(.decapsulate)
            if isCut {
                samples.add(ticks: ticks, packets: Self.datagrams)
            } else {
                whole.add(ticks: ticks, packets: Self.datagrams)
            }
        }
    }

    /// The line of the result.
    var line: String {
        "two fragments, \(Self.bytes) octets: \(fixed(samples.best, 1)) cycles a datagram (median "
            + "\(fixed(samples.median, 1))), \(fixed(whole.best, 1)) when it comes whole"
    }

    /// The object of the JSON file.
    var json: String {
        """
        {"case": "reassembly", "bytes": \(Self.bytes), "best_cycles": \(fixed(samples.best, 2)), \
        "median_cycles": \(fixed(samples.median, 2)), "whole_best_cycles": \(fixed(whole.best, 2))}
        """
    }
}

/// A part of the datagram that carries an inner packet.
struct Fragment {
    /// Octets of the datagram's IP payload before it and in it.
    var offset: Int
    var length: Int
    /// Whether others follow.
    var isFollowed: Bool

    /// Octets of its frame: Ethernet and IPv4 header before it.
    var frameLength: Int { 34 + length }

    /// UDP, L2TP with a length field, ff 03 and the PPP protocol field lie before the inner packet.
    private static func payload(_ bytes: Int) -> Int { bytes + 20 }

    /// The datagram that carries `bytes` octets, whole.
    static func whole(of bytes: Int) -> Fragment {
        Fragment(offset: 0, length: payload(bytes), isFollowed: false)
    }

    /// It in two: `split` octets, a multiple of eight, and the rest.
    static func halves(of bytes: Int, split: Int) -> [Fragment] {
        [
            Fragment(offset: 0, length: split, isFollowed: true),
            Fragment(offset: split, length: payload(bytes) - split, isFollowed: false),
        ]
    }
}
