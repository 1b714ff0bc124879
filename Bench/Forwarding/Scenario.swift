import CDPDK
import CSegment
import Forwarding
import Segment
import Wire

/// A segment with sessions in it, and the frames that belong to them.
final class Scenario {
    /// The port that PPPoE comes in by.
    static let accessPort: UInt16 = 0
    /// The port that L2TP comes in by.
    static let corePort: UInt16 = 1

    /// Number of sessions.
    let count: Int
    /// The segment, as the workers see it.
    var view: SegmentView { segment.view }
    /// The segment.
    let segment: SegmentMapping

    /// The ports as the forwarding path knows them.
    let ports = [ForwardingPort(mac: accessMAC, mtu: mtu), ForwardingPort(mac: coreMAC, mtu: mtu)]

    static let mtu: UInt16 = 1600
    private let order: [UInt32]
    private let keys: [Key]
    private let tags: Tags

    /// Octets that `writeHeader` may need.
    static let headerCapacity = 64

    /// What names a session on the wire.
    private struct Key {
        var clientMAC: UInt64
        var outerVLAN: UInt16
        var innerVLAN: UInt16
        var pppoeSessionID: UInt16
        var tunnel: UInt16
        var peer: UInt16
        var l2tpSessionID: UInt16
    }

    static let accessMAC = MACAddress(value: 0x02c0_0000_0001)
    static let coreMAC = MACAddress(value: 0x02c0_0000_0002)
    private static let nextHopMAC = MACAddress(value: 0x02ee_0000_0001)
    private static let localAddress = IPv4Address(value: 0xc000_0201)

    /// The peer of tunnel number `index`: 198.18.0.1 and up.
    private static func peer(_ index: Int) -> IPv4Address { IPv4Address(value: 0xc612_0001 &+ UInt32(index)) }

    /// Sessions of the one circuit and tunnel; the ids would do for 65,534.
    private static let circuitSessions = 60_000
    /// Sessions of each circuit and tunnel where there are several.
    private static let sharedCircuitSessions = 4_000

    /// A segment with `sessions` sessions, spread evenly over at least `tunnels` tunnels. They are on one circuit or, where its
    /// ids do not suffice, on several VLANs' circuits with as many tunnels.
    init(sessions: Int, tunnels: Int, tags: Tags = .untagged, hugePages: Bool) throws(BenchError) {
        count = sessions
        let share = sessions <= Self.circuitSessions ? Self.circuitSessions : Self.sharedCircuitSessions
        let circuits = (sessions + share - 1) / share
        let tunnels = max(tunnels, circuits)
        let tags = tags == .untagged && circuits > 1 ? Tags.vlan : tags
        self.tags = tags
        let slots = UInt32(max(65_536, sessions.roundedUpToPowerOfTwo))
        let geometry = Geometry(
            sessions: slots, tunnels: UInt32(max(8_192, (tunnels + 1).roundedUpToPowerOfTwo)), circuits: 512,
            vlanBlocks: 4, workers: 2, ports: 2, frameRingDepth: 64)
        do {
            let initialise: SegmentMapping.QuiescentInitialiser = { memory, size, workers in
                culvert_rcu_initialise(memory, UInt64(size), workers) == 0
            }
            segment = try Self.map(geometry, hugePages: hugePages, initialise)
            var random = SplitMix(seed: 0x7461_626c_65)
            let writer = TableWriter.recovering(segment, using: &random).writer
            keys = try Self.fill(
                writer, segment.view, sessions: sessions, tunnels: tunnels, circuits: circuits, tags: tags)
        } catch {
            throw .table("\(error)")
        }
        var random = SplitMix(seed: 0x63_75_6c_76_65_72_74)
        order = (0..<UInt32(sessions)).shuffled(using: &random)
    }

    private static func map(
        _ geometry: Geometry, hugePages: Bool, _ initialise: SegmentMapping.QuiescentInitialiser
    ) throws -> SegmentMapping {
        if hugePages,
            let segment = try? SegmentMapping.inMemory(
                geometry: geometry, hugePages: true, initialiseQuiescentState: initialise)
        {
            return segment
        }
        return try SegmentMapping.inMemory(geometry: geometry, initialiseQuiescentState: initialise)
    }

    private static func fill(
        _ writer: TableWriter, _ view: SegmentView, sessions: Int, tunnels: Int, circuits: Int, tags: Tags
    ) throws -> [Key] {
        for (port, mac) in [(accessPort, accessMAC), (corePort, coreMAC)] {
            let entry = view.ports + Int(port)
            withUnsafeMutableBytes(of: &entry.pointee.mac) { $0.copyBytes(from: mac.octets) }
            entry.pointee.mtu = mtu
            entry.pointee.present = 1
        }
        try writer.configurePort(accessPort, roles: .access, addresses: [])
        try writer.configurePort(corePort, roles: .core, addresses: [localAddress])
        let ids = try (0..<tunnels).map { index in
            let id = try writer.allocateTunnel(owner: .external)
            let ends = TunnelEndpoints(
                localAddress: localAddress, peerAddress: peer(index),
                peerTunnelID: UInt16(truncatingIfNeeded: index + 1),
                port: UInt8(corePort))
            try writer.publishTunnel(
                id,
                header: OuterHeader(
                    endpoints: ends, egressPort: corePort, sourceMAC: coreMAC, destinationMAC: nextHopMAC, mtu: mtu,
                    inheritsTypeOfService: true))
            return id
        }
        return try (0..<sessions).map { index in
            let clientMAC = MACAddress(value: 0x0211_0000_0000 | UInt64(index))
            let tunnel = ids[index % tunnels]
            let vlan = UInt16(truncatingIfNeeded: 100 + index % circuits)
            let (outer, inner, tpid): (UInt16, UInt16, UInt16) =
                switch tags {
                case .untagged: (0, 0, 0)
                case .vlan: (vlan, 0, 0x8100)
                case .qinq: (7, vlan, 0x88a8)
                }
            let session = try writer.addExternal(
                port: accessPort, outerVLAN: outer, innerVLAN: inner, tpid: tpid, clientMAC: clientMAC,
                tunnel: tunnel,
                peerSessionID: UInt16(truncatingIfNeeded: index + 1), reference: UInt64(index))
            return Key(
                clientMAC: clientMAC.value, outerVLAN: outer, innerVLAN: inner,
                pppoeSessionID: session.upstream.sessionID,
                tunnel: tunnel.rawValue,
                peer: UInt16(truncatingIfNeeded: index % tunnels),
                l2tpSessionID: session.downstream.sessionID)
        }
    }

    /// The session at a place in the random order, which goes round.
    func session(at place: Int) -> Int { Int(order[place % count]) }

    /// Octets of the inner packet that `writeHeader` writes as well: that it is IPv4, and its DSCP, which the outer header takes.
    static let innerFront = 2

    /// Writes everything in front of the inner packet of a frame of `session` as it arrives, and `innerFront` octets of that;
    /// answers how many octets these are together.
    func writeHeader(
        _ direction: Direction, session: Int, bytes: Int, to header: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var writer = HeaderWriter(header)
        let key = keys[session]
        direction == .encapsulate ? accessHeader(key, bytes, &writer) : coreHeader(key, bytes, &writer)
        return writer.count
    }

    /// Writes what `writeHeader` does, for a part of the datagram that carries the inner packet of `bytes` octets; answers how many
    /// octets of the part's frame that is.
    func writeFragment(
        _ part: Fragment, session: Int, bytes: Int, identification: UInt16,
        to header: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        let length = writeHeader(.decapsulate, session: session, bytes: bytes, to: header)
        var writer = HeaderWriter(header, from: 16)
        writer.put(UInt64(20 + part.length), 2)
        writer.put(UInt64(identification), 2)
        writer.put(UInt64((part.isFollowed ? 0x2000 : 0) | part.offset / 8), 2)
        writer.put(0x4011_0000, 4)
        writer.putChecksum(of: 14..<34, at: 24)
        return part.offset == 0 ? length : 34
    }

    /// Ethernet, PPPoE and the PPP protocol field.
    private func accessHeader(_ key: Key, _ bytes: Int, _ header: inout HeaderWriter) {
        header.put(Self.accessMAC.value, 6)
        header.put(key.clientMAC, 6)
        if tags == .qinq { header.put(0x88a8_0000 | UInt64(key.outerVLAN), 4) }
        if tags != .untagged { header.put(0x8100_0000 | UInt64(tags == .qinq ? key.innerVLAN : key.outerVLAN), 4) }
        header.put(0x8864_1100, 4)
        header.put(UInt64(key.pppoeSessionID), 2)
        header.put(UInt64(bytes + 2), 2)
        header.put(0x0021_45b8, 4)
    }

    /// Ethernet, IPv4, UDP, L2TP with a length field, ff 03 and the PPP protocol field.
    private func coreHeader(_ key: Key, _ bytes: Int, _ header: inout HeaderWriter) {
        header.put(Self.coreMAC.value, 6)
        header.put(Self.nextHopMAC.value, 6)
        header.put(0x0800_4500, 4)
        header.put(UInt64(bytes + 40), 2)
        header.put(0x0001_0000, 4)
        header.put(0x4011, 2)
        header.put(0, 2)
        header.put(UInt64(Self.peer(Int(key.peer)).value), 4)
        header.put(UInt64(Self.localAddress.value), 4)
        header.putChecksum(of: 14..<34, at: 24)
        header.put(0x06a5_06a5, 4)
        header.put(UInt64(bytes + 20), 2)
        header.put(0, 2)
        header.put(0x4002, 2)
        header.put(UInt64(bytes + 12), 2)
        header.put(UInt64(key.tunnel), 2)
        header.put(UInt64(key.l2tpSessionID), 2)
        header.put(0xff03_0021, 4)
        header.put(0x45b8, 2)
    }
}

/// Writes a header octet by octet.
private struct HeaderWriter {
    /// Octets written.
    private(set) var count: Int
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Behind the first `count` octets.
    init(_ bytes: UnsafeMutableBufferPointer<UInt8>, from count: Int = 0) {
        self.bytes = bytes
        self.count = count
    }

    /// Appends the low `size` octets of `value`, highest first.
    mutating func put(_ value: UInt64, _ size: Int) {
        for index in 0..<size {
            bytes[count + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (size - 1 - index)))
        }
        count += size
    }

    /// Puts the Internet checksum of `range`, in which its own two octets are 0, at `offset`.
    func putChecksum(of range: Range<Int>, at offset: Int) {
        var sum: UInt32 = 0
        for at in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            sum += UInt32(bytes[at]) << 8 | UInt32(bytes[at + 1])
        }
        sum = sum & 0xffff + sum >> 16
        sum = sum & 0xffff + sum >> 16
        bytes[offset] = UInt8(truncatingIfNeeded: ~sum >> 8)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: ~sum)
    }
}

extension Int {
    /// The least power of two that is not below it.
    fileprivate var roundedUpToPowerOfTwo: Int {
        var power = 1
        while power < self { power *= 2 }
        return power
    }
}
