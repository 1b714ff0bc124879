import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire

/// A forwarder on the tables of a `Rig`, whose time the test sets, with packet buffers of its own that are counted.
final class FragmentRig {
    static let cyclesPerSecond: UInt64 = 1_000_000
    private final class Pool: @unchecked Sendable {
        static let shared = Result { try Pool() }
        let pool: OpaquePointer
        private init() throws { pool = try #require(culvert_pool_create("fragments", 4_095, 0, 2_048 + 128, 0)) }
    }

    /// Ends of the tunnel when it is over IPv6.
    static let peerIPv6: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    static let localIPv6: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

    let rig: Rig
    let pool: OpaquePointer
    /// The workers' forwarders; mostly one.
    let forwarders: [Forwarder]
    /// Time in cycles.
    var now: UInt64 = 1_000_000_000 {
        didSet { for forwarder in forwarders { forwarder.setTime(now) } }
    }

    init(
        datagrams: UInt32 = 64, fragments: UInt32 = 512, accessMTU: UInt16 = 1_500, sendsChained: Bool = false,
        workers: UInt32 = 1, isOverIPv6: Bool = false
    ) throws {
        let rig = try Rig()
        self.rig = rig
        if isOverIPv6 {
            let port = rig.view.ports + 1
            port.pointee.ipv6_address_count = 1
            let tunnel = rig.view.tunnels + 7
            tunnel.pointee.family = UInt8(CULVERT_TUNNEL_IPV6)
            withUnsafeMutableBytes(of: &port.pointee.local_ipv6) { $0.copyBytes(from: Self.localIPv6) }
            withUnsafeMutableBytes(of: &tunnel.pointee.peer_address) { $0.copyBytes(from: Self.peerIPv6) }
            withUnsafeMutableBytes(of: &tunnel.pointee.local_address) { $0.copyBytes(from: Self.localIPv6) }
        }
        pool = try Pool.shared.get().pool
        forwarders = try (0..<workers).map { worker in
            try Forwarder(
                view: rig.view,
                ports: [
                    ForwardingPort(mac: accessMAC, mtu: accessMTU, sendsChained: sendsChained),
                    ForwardingPort(mac: coreMAC, mtu: 1_500),
                ],
                worker: worker, workers: workers, limits: PuntLimits(all: 1_000_000),
                reassembly: ReassemblyLimits(
                    datagrams: datagrams, fragments: fragments, timeoutMilliseconds: 2_000,
                    seed: ReassemblyLimits.Seed(low: 0x0123_4567_89ab_cdef, high: 0xfedc_ba98_7654_3210)),
                cyclesPerSecond: Self.cyclesPerSecond)
        }
        for forwarder in forwarders {
            forwarder.setTime(now)
            forwarder.punts.setRoom(PuntBuffer.capacity)
        }
    }

    deinit { for forwarder in forwarders { forwarder.deallocate() } }

    /// Packet buffers that are not back in the pool.
    var buffersOut: Int { 4_095 - Int(culvert_pool_available(pool)) }

    /// Frames that come in on the core port of a worker.
    func receive(_ frames: [[UInt8]], worker: Int = 0) {
        for start in stride(from: 0, to: frames.count, by: Forwarder.burst) {
            var burst: [OpaquePointer?] = frames[start..<min(start + Forwarder.burst, frames.count)].map(buffer)
            forwarders[worker].receive(&burst, count: burst.count, port: 1)
        }
    }

    /// A frame with an IPv6 fragment in it, as the receive path hands it over; the whole datagram, when there is one.
    func takeIPv6(_ frame: [UInt8]) -> [UInt8]? {
        guard let mbuf = buffer(frame) else { return nil }
        let offset = frame[12] == 0x86 ? 14 : 18
        let header = UnsafeRawPointer(PacketBuffer(mbuf).start) + offset
        let payload = FrameBytes(
            header + 40, count: min(Int(frame[offset + 4]) << 8 | Int(frame[offset + 5]), frame.count - offset - 40))
        guard
            let whole = forwarders[0].takeFragment(
                PacketBuffer(mbuf), ipv6: header, payload: payload, at: offset, port: 1)
        else { return nil }
        var pointer: OpaquePointer? = whole.mbuf
        return take(&pointer, 1).first
    }

    private func buffer(_ frame: [UInt8]) -> OpaquePointer? {
        guard let mbuf = culvert_mbuf_allocate(pool) else { return nil }
        frame.withUnsafeBytes { source in
            if let first = source.baseAddress {
                PacketBuffer(mbuf).start.copyMemory(from: first, byteCount: source.count)
            }
        }
        PacketBuffer(mbuf).reframe(shift: 0, length: UInt32(frame.count))
        return mbuf
    }

    /// Takes and frees what waits to be sent on the access side, from all of its buffers.
    func sent(worker: Int = 0) -> [[UInt8]] {
        let forwarder = forwarders[worker]
        let frames = take(forwarder.transmit.frames(0), forwarder.transmit.count(0))
        forwarder.transmit.removeAll(0)
        forwarder.countTransmitted(frames.count, octets: 0, port: 0)
        return frames
    }

    /// Takes and frees what waits for culvertd.
    func punts(worker: Int = 0) -> [(PuntClass, [UInt8])] {
        let punts = forwarders[worker].punts
        let classes = (0..<punts.count).compactMap { index in
            punts.frames[index].map { PuntNote(of: PacketBuffer($0)).punt }
        }
        let frames = take(punts.frames, punts.count)
        punts.removeAll()
        return Array(zip(classes, frames))
    }

    /// Moves what a worker has for another one there.
    func dispatch(from worker: Int, to other: Int) -> [OpaquePointer?] {
        let buffers = forwarders[worker].dispatch
        let frames = Array(
            UnsafeBufferPointer(start: buffers.frames(UInt32(other)), count: buffers.count(UInt32(other))))
        buffers.removeAll(UInt32(other))
        return frames
    }

    private func take(_ frames: UnsafeMutablePointer<OpaquePointer?>, _ count: Int) -> [[UInt8]] {
        (0..<count).compactMap { index in
            guard let mbuf = frames[index] else { return nil }
            var contents: [UInt8] = []
            var segment: OpaquePointer? = mbuf
            while let here = segment {
                contents += UnsafeRawBufferPointer(
                    start: culvert_mbuf_data(here), count: Int(culvert_mbuf_data_length(here)))
                segment = culvert_mbuf_next(here)
            }
            #expect(contents.count == Int(culvert_mbuf_length(mbuf)), "as long as its buffers together")
            culvert_mbuf_free(mbuf)
            return contents
        }
    }

    /// Every counter of a worker that is not 0.
    func counters(worker: Int = 0) -> [Counter: UInt64] {
        Dictionary(
            uniqueKeysWithValues: Counter.allCases.compactMap { counter in
                let value = forwarders[worker].counters[counter.rawValue]
                return value == 0 ? nil : (counter, value)
            })
    }

    /// Every counter of a worker that is not 0 and counts where a frame ended.
    func terminals(worker: Int = 0) -> [Counter: UInt64] {
        counters(worker: worker).filter { $0.key.role == .terminal }
    }

    /// The invariant of `Counter`, when nothing waits to be sent or handed on.
    func isBalanced(worker: Int = 0) -> Bool {
        let counters = counters(worker: worker)
        let inputs = counters.filter { $0.key.role == .input }.values.reduce(0, +)
        let ends = counters.filter { $0.key.role == .terminal }.values.reduce(0, +)
        return inputs == ends + UInt64(forwarders[worker].heldFragments)
    }
}

/// A UDP datagram to cut into fragments: an L2TP data message to session 9.
struct Datagram {
    /// What IP carries.
    let payload: [UInt8]
    /// The frame that it becomes on the access side.
    let output: [UInt8]

    /// - Parameters:
    ///   - ppp: octets of PPP, protocol field included.
    ///   - pad: octets of offset pad.
    ///   - trailer: octets in the datagram behind the L2TP message.
    ///   - isChecked: whether there is a UDP checksum.
    ///   - seed: makes contents differ.
    ///   - sequence: Ns of the message, when it has sequence numbers.
    init(
        ppp: Int, pad: Int? = nil, trailer: Int = 0, isChecked: Bool = true, seed: Int = 0, sequence: Int? = nil,
        isOverIPv6: Bool = false
    ) {
        func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
        let frame = [0, 0x21] + (2..<max(ppp, 2)).map { UInt8(truncatingIfNeeded: ($0 + seed) &* 2_654_435_761 >> 13) }
        let numbers = sequence.map { word($0) + [0, 0] } ?? []
        let offset = pad.map { word($0) + [UInt8](repeating: 0x5a, count: $0) } ?? []
        let length = 8 + numbers.count + offset.count + 2 + ppp
        let flags = 0x4002 | (sequence == nil ? 0 : 0x0800) | (pad == nil ? 0 : 0x0200)
        var message = word(flags) + word(length) + word(7) + word(9) + numbers + offset + [0xff, 3]
        message += frame + [UInt8](repeating: 0xee, count: trailer)
        var udp = word(1_701) + word(1_701) + word(8 + message.count) + [0, 0] + message
        if isChecked {
            let addresses =
                isOverIPv6
                ? FragmentRig.peerIPv6 + FragmentRig.localIPv6 : peerAddress.octets + localAddress.octets
            let sum = checksum(addresses + [0, 17] + word(udp.count) + udp)
            (udp[6], udp[7]) = (UInt8(sum >> 8), UInt8(sum & 255))
        }
        payload = udp
        output = clientMAC.octets + accessMAC.octets + [0x88, 0x64, 0x11, 0, 0, 5] + word(ppp) + frame
    }

    /// The datagram over IPv6, in pieces of `length` octets.
    func ipv6Fragments(_ length: Int) -> [[UInt8]] {
        stride(from: 0, to: payload.count, by: length).map { offset in
            let data = payload.dropFirst(offset).prefix(length)
            let field = offset | (offset + data.count < payload.count ? 1 : 0)
            let count = data.count + 8
            return coreMAC.octets + nextHopMAC.octets + [
                0x86, 0xdd, 0x60, 0, 0, 0, UInt8(count >> 8), UInt8(count & 255),
            ]
                + [44, 64] + FragmentRig.peerIPv6 + FragmentRig.localIPv6
                + [17, 0, UInt8(field >> 8), UInt8(field & 255), 0xde, 0xad, 0xbe, 0xef] + data
        }
    }

    /// The frame with the datagram's octets from `offset` on.
    func fragment(
        _ offset: Int, _ length: Int, more: Bool, id: Int = 0x4242, source: IPv4Address = peerAddress, options: Int = 0
    ) -> [UInt8] {
        let data = payload.dropFirst(offset).prefix(length)
        return ipv4Fragment(
            Array(data) + [UInt8](repeating: 0, count: length - data.count), at: offset, more: more, id: id,
            source: source, options: options)
    }

    /// The datagram in pieces whose ends are `cuts`, multiples of 8.
    func fragments(_ cuts: [Int], id: Int = 0x4242, source: IPv4Address = peerAddress) -> [[UInt8]] {
        zip([0] + cuts, cuts + [payload.count]).map {
            fragment($0, $1 - $0, more: $1 != payload.count, id: id, source: source)
        }
    }
}

/// An Ethernet frame with an IPv4 fragment to the node.
func ipv4Fragment(
    _ data: [UInt8], at offset: Int, more: Bool, id: Int = 0x4242, source: IPv4Address = peerAddress,
    options: Int = 0, payloadProtocol: UInt8 = 17
) -> [UInt8] {
    func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
    var header: [UInt8] = [UInt8(0x45 + options / 4), 0] + word(20 + options + data.count) + word(id)
    header += word(offset / 8 | (more ? 0x2000 : 0)) + [64, payloadProtocol, 0, 0]
    header += source.octets + localAddress.octets + [UInt8](repeating: 1, count: options)
    let sum = checksum(header)
    (header[10], header[11]) = (UInt8(sum >> 8), UInt8(sum & 255))
    return coreMAC.octets + nextHopMAC.octets + [8, 0] + header + data
}

/// RFC 1071, octet by octet.
func checksum(_ octets: [UInt8]) -> Int {
    var sum = 0
    for (index, octet) in octets.enumerated() { sum += index % 2 == 0 ? Int(octet) << 8 : Int(octet) }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return ~sum & 0xffff
}

/// Every order of `count` things.
func permutations(_ count: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return permutations(count - 1).flatMap { order in
        (0...order.count).map { place in
            var order = order
            order.insert(count - 1, at: place)
            return order
        }
    }
}
