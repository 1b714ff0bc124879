import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire
import Worker

/// Frames through a whole worker: from a port's ring to a port's ring. One after the other, since they share the ports.
@Suite(.serialized) struct ForwardingTests {
    @Test(arguments: Golden.upstream) func encapsulates(golden: Golden) throws {
        let rig = try Rig(golden.template)
        let sent = rig.pass([golden.input], port: 0)
        #expect(sent == [[], [golden.output]])
        #expect(rig.terminals == [.txCoreFrames: 1])
        let ppp = UInt64(rig.view.upstream[5].octets + rig.view.upstream[6].octets)
        #expect(rig.counters[.encapsulatedOctets] == ppp)
        #expect(rig.counters[.txCoreOctets] == UInt64(golden.output.count))
        #expect(rig.view.upstream[5].packets + rig.view.upstream[6].packets == 1)
    }

    @Test(arguments: Golden.downstream) func decapsulates(golden: Golden) throws {
        let rig = try Rig()
        let sent = rig.pass([golden.input], port: 1)
        #expect(sent == [[golden.output], []])
        #expect(rig.terminals == [.txAccessFrames: 1])
        #expect(rig.view.downstream[9].packets + rig.view.downstream[10].packets == 1)
        let octets = rig.view.downstream[9].octets + rig.view.downstream[10].octets
        let header = golden.output[12] == 0x88 && golden.output[13] == 0xa8 ? 28 : 20
        #expect(octets == UInt64(golden.output.count - header))
    }

    /// A frame with some octets changed, the port it comes in on, and where it ends.
    struct Fate: CustomTestStringConvertible, Sendable {
        let name: String
        let port: Int
        let base: [UInt8]
        let changes: [Int: UInt8]
        let length: Int?
        let end: Counter
        var kind = TemplateKind.plain

        var testDescription: String { name }

        var frame: [UInt8] {
            var frame = base
            for (offset, value) in changes { frame[offset] = value }
            return Array(frame.prefix(length ?? frame.count))
        }
    }

    static func up(
        _ name: String, _ changes: [Int: UInt8], length: Int? = nil, _ end: Counter, kind: TemplateKind = .plain
    ) -> Fate {
        Fate(
            name: name, port: 0, base: Golden.upstream[0].input, changes: changes, length: length, end: end, kind: kind)
    }

    static func down(_ name: String, _ changes: [Int: UInt8], length: Int? = nil, _ end: Counter) -> Fate {
        // The IPv4 header checksum is made right again where the header was changed on purpose.
        var frame = Golden.downstream[8].input
        for (offset, value) in changes { frame[offset] = value }
        if changes[24] == nil, changes.keys.contains(where: { (14..<34).contains($0) }) {
            (frame[24], frame[25]) = (0, 0)
            var sum: UInt32 = 0
            for offset in stride(from: 14, to: 34, by: 2) {
                sum += UInt32(frame[offset]) << 8 | UInt32(frame[offset + 1])
            }
            while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
            (frame[24], frame[25]) = (UInt8(~sum >> 8 & 255), UInt8(~sum & 255))
        }
        return Fate(name: name, port: 1, base: frame, changes: [:], length: length, end: end)
    }

    static let fates: [Fate] = [
        up("not to us", [5: 9], .frameNotForUs),
        up("multicast session frame", [0: 3], .frameNotForUs),
        up("thirteen octets", [:], length: 13, .frameShort),
        up("nothing at all", [:], length: 0, .frameShort),
        up("a tag and no end", [12: 0x81, 13: 0], length: 16, .frameShort),
        up("unknown EtherType", [12: 0x12], .etherTypeUnknown),
        up("three tags", [12: 0x81, 13: 0, 16: 0x81, 17: 0, 20: 0x81, 21: 0], .etherTypeUnknown),
        up(
            "unknown VLAN",
            [12: 0x81, 13: 0, 14: 0, 15: 9, 16: 0x88, 17: 0x64, 18: 0x11, 19: 0, 22: 0, 23: 2], .circuitUnknown),
        up("header cut", [:], length: 19, .pppoeShort),
        up("version 2", [14: 0x21], .pppoeVersion),
        up("type 2", [14: 0x12], .pppoeVersion),
        up("code of discovery", [15: 9], .pppoeCode),
        up("length beyond the frame", [18: 1], .pppoeLength),
        up("no PPP", [18: 0, 19: 0], .pppoeEmpty),
        up("another client", [11: 9], .puntedUnknownSession),
        up("unknown session", [17: 7], .puntedUnknownSession),
        up("session of another circuit", [17: 6], .puntedUnknownSession),
        up("session id of another page", [16: 0x80], .puntedUnknownSession),
        up("session that negotiates", [17: 8], .puntedPPPControl),
        up("next hop unresolved", [:], .nextHopUnresolved, kind: .unresolved),
        up("discovery", [13: 0x63], .puntedPPPoEDiscovery),
        up("broadcast discovery", [0: 255, 1: 255, 2: 255, 3: 255, 4: 255, 5: 255, 13: 0x63], .puntedPPPoEDiscovery),
        up("discovery to a group", [0: 3, 13: 0x63], .frameNotForUs),
        up("ARP", [12: 8, 13: 6], .puntedARP),
        up("IPv6 without a header", [12: 0x86, 13: 0xdd], .ipv6Malformed),
        up("IPv4 without an address", [12: 8, 13: 0, 14: 0x45, 15: 0, 16: 0, 17: 20], .ipv4Checksum),
        down("discovery on a core port", [12: 0x88, 13: 0x63], .etherTypeUnknown),
        down("version 5", [14: 0x55], .ipv4Malformed),
        down("header of four words", [14: 0x44], .ipv4Malformed),
        down("total length beyond the frame", [16: 4], .ipv4Malformed),
        down("total length below the header", [16: 0, 17: 19], .ipv4Malformed),
        down("checksum", [24: 0xee], .ipv4Checksum),
        down("more fragments", [20: 0x20], .fragmentMalformed),
        down("last fragment, where the first one must be", [21: 1], .fragmentTiny),
        down("another node's address", [33: 2], .ipv4NotForUs),
        down("ICMP", [23: 1], .puntedIPv4),
        down("another UDP port", [37: 53], .puntedIPv4),
        down("UDP length beyond the packet", [38: 1], .udpLength),
        down("UDP length below the header", [38: 0, 39: 7], .udpLength),
        down("UDP header cut", [16: 0, 17: 27], .udpLength),
        down("UDP checksum", [40: 1], .udpChecksum),
        down("no L2TP", [38: 0, 39: 9], .l2tpShort),
        down("L2TP header cut", [38: 0, 39: 14], .l2tpShort),
        down("L2F", [43: 1], .l2tpVersion),
        down("L2TPv3", [43: 3], .l2tpVersion),
        down("control message", [42: 0xc8], .puntedL2TPControl),
        down("L2TP length beyond the datagram", [44: 1], .l2tpLength),
        down("L2TP length below the header", [44: 0, 45: 7], .l2tpLength),
        down("offset pad beyond the message", [42: 0x42, 50: 0xff, 51: 0xff], .l2tpOffset),
        down("nothing but the header", [44: 0, 45: 8], .l2tpEmpty),
        down("nothing but ff 03", [44: 0, 45: 10], .l2tpEmpty),
        down("unknown tunnel", [47: 8], .l2tpTunnelUnknown),
        down("tunnel id beyond the table", [46: 1, 47: 7], .l2tpTunnelUnknown),
        down("another peer", [29: 9], .l2tpPeerMismatch),
        down("another peer's port", [35: 9], .l2tpPeerMismatch),
        down("unknown session", [49: 11], .l2tpSessionUnknown),
    ]

    @Test(arguments: fates) func endsWhereItShould(fate: Fate) throws {
        let rig = try Rig(fate.kind)
        let sent = rig.pass([fate.frame], port: fate.port)
        #expect(sent == [[], []])
        #expect(rig.terminals == [fate.end: 1])
        let punts = rig.takePunts()
        if fate.end.name.hasPrefix("punted") {
            #expect(punts.map(\.frame) == [fate.frame], "punted frames are as they came")
            #expect(punts.first?.note.slot == (fate.end == .puntedPPPControl ? 8 : CULVERT_NO_INDEX))
            #expect(punts.first.map { Int($0.note.port) } == fate.port)
        } else {
            #expect(punts.isEmpty)
        }
    }

    @Test func ignoresPortsWithoutARole() throws {
        let rig = try Rig()
        rig.view.ports[0].flags = 0
        #expect(rig.pass([Golden.upstream[0].input], port: 0) == [[], []])
        #expect(rig.terminals == [.portIdle: 1])
    }

    @Test func countsEveryFrameOnceInAMixedBurst() throws {
        let rig = try Rig()
        let frames = Golden.upstream.map(\.input) + Self.fates.filter { $0.port == 0 }.map(\.frame)
        let burst = (0..<150).map { frames[$0 % frames.count] }
        let sent = rig.pass(burst, port: 0)
        #expect(rig.counters[.rxAccessFrames] == 150)
        #expect(rig.counters[.rxAccessOctets] == UInt64(burst.map(\.count).reduce(0, +)))
        #expect(sent[1].count == Int(rig.counters[.encapsulatedFrames] ?? 0))
        #expect(rig.isBalanced)
    }

    @Test func keepsTheOrderOfASession() throws {
        let rig = try Rig()
        let frames = (0..<100).map { number in
            var frame = Golden.upstream[0].input
            frame[frame.count - 1] = UInt8(number)
            return frame
        }
        let sent = rig.pass(frames, port: 0)[1]
        #expect(sent.map(\.last) == (0..<100).map { UInt8($0) })
        #expect(sent.map { UInt16($0[18]) << 8 | UInt16($0[19]) } == Array(0..<100), "IPv4 identifications")
    }

    @Test func workersNeverShareAnIdentification() throws {
        let rig = try Rig()
        let other = try Forwarder(
            view: rig.view,
            ports: [ForwardingPort(mac: accessMAC, mtu: 1_500), ForwardingPort(mac: coreMAC, mtu: 1_500)],
            worker: 1, workers: 2, limits: PuntLimits(all: 0), cyclesPerSecond: 1_000_000_000)
        defer { other.deallocate() }
        var seen: [UInt16] = []
        for _ in 0..<4 {
            rig.send(Golden.upstream[0].input, port: 0)
            var mbuf: OpaquePointer?
            #expect(culvert_ring_dequeue(rig.ports.receive[0], &mbuf, 1) == 1)
            other.receive(&mbuf, count: 1, port: 0)
            let frame = try #require(other.transmit.frames(1)[0].map(PacketBuffer.init))
            seen.append(UInt16(frame.contents[18]) << 8 | UInt16(frame.contents[19]))
            frame.free()
            other.transmit.removeAll(1)
        }
        #expect(seen == [1, 3, 5, 7])
    }

    @Test(arguments: [(1_460, true), (1_461, false)]) func holdsTheTunnelsMTU(ppp: Int, fits: Bool) throws {
        // 20 + 8 + 8 + 2 octets go in front of the PPP frame: 1,462 fill an IP packet of 1,500.
        let rig = try Rig()
        rig.view.templates[15].mtu = 1_498
        let sent = rig.pass([sessionFrame(5, ppp: ppp)], port: 0)
        #expect(sent[1].count == (fits ? 1 : 0))
        #expect(rig.terminals == [fits ? .txCoreFrames : .outerMTUExceeded: 1])
    }

    @Test(arguments: [(1_494, true), (1_495, false)]) func holdsTheAccessPortsMTU(ppp: Int, fits: Bool) throws {
        let rig = try Rig()
        let frame = tunnelFrame(ppp: ppp)
        let sent = rig.pass([frame], port: 1)
        #expect(sent[0].first?.count == (fits ? 20 + ppp : nil))
        #expect(rig.terminals == [fits ? .txAccessFrames : .accessMTUExceeded: 1])
    }

    @Test func survivesAnyTemplate() throws {
        // Whatever culvertd writes: no trap, no octet outside of the buffer, no frame lost from the books.
        let rig = try Rig()
        var random = SystemRandomNumberGenerator()
        for round in 0..<3_000 {
            let template = UnsafeMutableRawPointer(rig.view.templates + 15)
            for offset in stride(from: 0, to: 128, by: 8) {
                template.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
            }
            if round % 3 == 0 { (template + 99).storeBytes(of: 0x0f, as: UInt8.self) }
            if round % 6 == 0 { (template + 96).storeBytes(of: 0x0014_0e34, as: UInt32.self) }
            let down = UnsafeMutableRawPointer(rig.view.downstream + 9)
            down.storeBytes(of: UInt8.random(in: 0...40), toByteOffset: 10, as: UInt8.self)
            down.storeBytes(of: UInt8.random(in: 0...3), toByteOffset: 11, as: UInt8.self)
            rig.view.upstream[5].tunnel = round % 2 == 0 ? 7 : UInt32.random(in: 0 ... .max)
            rig.view.circuits[1].region = (UInt32.random(in: 0...7), 1, 2, 3)
            rig.view.ports[0].vlan_block = UInt32.random(in: 0...9)
            rig.view.ports[1].address_count = UInt32.random(in: 1 ... .max)
            for entry in [100, 7] {
                rig.view.vlanEntries[4_096 + entry] = UInt32.random(in: 0 ... .max)
                rig.view.vlanEntries[2 * 4_096 + entry] = UInt32.random(in: 0 ... .max)
            }
            _ = rig.pass([Golden.upstream[0].input, Golden.upstream[2].input], port: 0)
            _ = rig.pass([Golden.downstream[8].input], port: 1)
            _ = rig.takePunts()
        }
        #expect(rig.isBalanced)
        #expect(rig.counters[.templateInvalid] ?? 0 > 0)
        #expect(rig.counters[.accessHeaderInvalid] ?? 0 > 0)
        #expect(rig.counters[.egressPortUnknown] ?? 0 > 0)
        #expect(culvert_pool_available(rig.ports.pool) == 2_047, "every buffer is back")
    }
}

/// A PPPoE session frame with `ppp` octets of PPP.
func sessionFrame(_ id: UInt8, ppp: Int) -> [UInt8] {
    accessMAC.octets + clientMAC.octets + [0x88, 0x64, 0x11, 0, 0, id, UInt8(ppp >> 8), UInt8(ppp & 255), 0, 0x21]
        + [UInt8](repeating: 0, count: ppp - 2)
}

/// An L2TP data message to session 9 with `ppp` octets of PPP and no address and control field: the golden one's headers, made
/// to fit.
func tunnelFrame(ppp: Int) -> [UInt8] {
    var frame = Array(Golden.downstream[8].input.prefix(50)) + [0, 0x21] + [UInt8](repeating: 0, count: ppp - 2)
    func put(_ value: Int, _ offset: Int) {
        (frame[offset], frame[offset + 1]) = (UInt8(value >> 8), UInt8(value & 255))
    }
    put(ppp + 36, 16)
    put(ppp + 16, 38)
    put(ppp + 8, 44)
    put(0, 24)
    var sum = stride(from: 14, to: 34, by: 2).reduce(0) { $0 + Int(frame[$1]) << 8 + Int(frame[$1 + 1]) }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    put(~sum & 0xffff, 24)
    return frame
}
