import CSegment
import Forwarding
import Segment
import Wire

// Who is there in a storm: tunnels over either version of IP with every flag of their templates, sessions with every feature.

/// A tunnel of the storm.
struct StormTunnel {
    var id: UInt16 = 0
    var isIPv6 = false
    var port: UInt16 = 0
    /// The peer's address in wire order; 4 or 16 octets.
    var peer: [UInt8] = []
    var local: [UInt8] = []
}

/// A session of the storm.
struct StormSession {
    var circuit = 0
    var tunnel = 0
    var client = MACAddress(value: 0)
    var sessionID: UInt16 = 0
    var localSessionID: UInt16 = 0
    var up = 0
    var down = 0
    /// Ns that its peer sends next.
    var sequence: UInt16 = 0
}

/// An attachment circuit of the storm.
struct StormCircuit {
    var port: UInt16
    var outer: UInt16
    var inner: UInt16
    var tpid: UInt16
}

/// Ports, circuits, tunnels and sessions, made through the table's writer; what few have of them is written into the segment.
struct StormPlan {
    static let circuits = [
        StormCircuit(port: 0, outer: 0, inner: 0, tpid: 0), StormCircuit(port: 0, outer: 100, inner: 0, tpid: 0x8100),
        StormCircuit(port: 1, outer: 200, inner: 10, tpid: 0x88a8), StormCircuit(port: 1, outer: 0, inner: 0, tpid: 0),
        StormCircuit(port: 4, outer: 4_094, inner: 4_094, tpid: 0x8100),
    ]
    /// Two access ports, two core ports, one of both kinds.
    static let ports = [
        ForwardingPort(mac: mac(0), mtu: 1_500), ForwardingPort(mac: mac(1), mtu: 9_000, sendsChained: true),
        ForwardingPort(mac: mac(2), mtu: 1_500), ForwardingPort(mac: mac(3), mtu: 9_000, sendsChained: true),
        ForwardingPort(mac: mac(4), mtu: 1_500),
    ]
    static func mac(_ port: Int) -> MACAddress { MACAddress(value: 0x02c0_0000_0001 + UInt64(port)) }

    static let localIPv4: [UInt8] = [192, 0, 2, 1]
    static let localIPv6: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

    private(set) var tunnels: [StormTunnel] = []
    var sessions: [StormSession] = []
    private let view: SegmentView

    init(_ segment: SegmentMapping, sessions count: Int, using random: inout SplitMix) throws {
        view = segment.view
        let writer = TableWriter.recovering(segment).writer
        let address = IPv4Address(value: 0xc000_0201)
        for port in 0..<UInt16(Self.ports.count) {
            let roles: PortRoles = port < 2 ? .access : port < 4 ? .core : [.access, .core]
            try writer.configurePort(port, roles: roles, addresses: port < 2 ? [] : [address])
            let entry = view.ports + Int(port)
            entry.pointee.ipv6_address_count = 1
            withUnsafeMutableBytes(of: &entry.pointee.local_ipv6) { $0.copyBytes(from: Self.localIPv6) }
        }
        let circuits = try Self.circuits.map {
            try writer.circuit(port: $0.port, outerVLAN: $0.outer, innerVLAN: $0.inner, tpid: $0.tpid)
        }
        for number in 0..<UInt32(32) {
            let port = UInt16(2 + number % 3)
            let ends = TunnelEndpoints(
                localAddress: address, peerAddress: IPv4Address(value: 0xc000_0264 + number),
                peerTunnelID: UInt16(truncatingIfNeeded: random.next()) | 1, port: UInt8(port))
            let header = OuterHeader(
                endpoints: ends, egressPort: port, sourceMAC: Self.mac(Int(port)),
                destinationMAC: MACAddress(value: 0x02ee_0000_0000 | UInt64(number)), tag: number & 4 == 0 ? nil : 77)
            let id = try writer.allocateTunnel(owner: .external)
            try writer.publishTunnel(id, header: header)
            var tunnel = StormTunnel(id: id.rawValue, isIPv6: number & 1 == 1, port: port)
            tunnel.peer = Self.localIPv4.dropLast() + [UInt8(100 + number)]
            tunnel.local = Self.localIPv4
            if tunnel.isIPv6 {
                tunnel.peer = Self.localIPv6.dropLast() + [UInt8(100 + number)]
                tunnel.local = Self.localIPv6
            }
            tunnels.append(tunnel)
            changeTunnel(Int(number), using: &random)
        }
        for index in 0..<16 { changePolicer(index, using: &random) }
        for number in 0..<count {
            var session = StormSession(
                circuit: Int(random.next() % UInt64(circuits.count)), tunnel: Int(random.next() % 32),
                client: MACAddress(value: 0x0211_0000_0000 | UInt64(number)))
            let up = try writer.allocateUpstream(
                circuit: circuits[session.circuit], clientMAC: session.client, owner: .external)
            let down = try writer.allocateDownstream(tunnel: TunnelID(rawValue: tunnels[session.tunnel].id))
            if number & 31 != 31 { try writer.forward(up.slot, down.slot, peerSessionID: UInt16(number + 1)) }
            (session.sessionID, session.localSessionID) = (up.sessionID, down.sessionID)
            (session.up, session.down) = (Int(up.slot.rawValue), Int(down.slot.rawValue))
            self.sessions.append(session)
            if number & 1 == 1 { changeSession(number, using: &random) }
        }
    }

    /// Gives a tunnel another MTU, other flags and another offset pad.
    func changeTunnel(_ number: Int, using random: inout SplitMix) {
        let tunnel = tunnels[number]
        let entry = view.tunnels + Int(tunnel.id)
        entry.pointee.flags = tunnel.isIPv6 ? UInt8(CULVERT_TUNNEL_ZERO_CHECKSUM) : 0
        for selector in 0..<2 {
            var template = template(number, tunnel, using: &random)
            let mtus: [UInt16] = tunnel.isIPv6 ? [1_280, 1_300, 1_500, 9_000] : [68, 576, 1_000, 1_500, 9_000]
            template.mtu = mtus[Int(random.next() % UInt64(mtus.count))]
            view.templates[2 * Int(tunnel.id) + selector] = template
        }
        guard tunnel.isIPv6 else { return }
        withUnsafeMutableBytes(of: &entry.pointee.peer_address) { $0.copyBytes(from: tunnel.peer) }
        withUnsafeMutableBytes(of: &entry.pointee.local_address) { $0.copyBytes(from: tunnel.local) }
        entry.pointee.family = UInt8(CULVERT_TUNNEL_IPV6)
    }

    /// As culvert_segment.h describes it.
    private func template(_ number: Int, _ tunnel: StormTunnel, using random: inout SplitMix) -> culvert_template {
        var template = culvert_template()
        let text = FrameText()
        text.put(MACAddress(value: 0x02ee_0000_0000 | UInt64(number)))
        text.put(Self.mac(Int(tunnel.port)))
        if number & 4 != 0 { text.put(0x8100_004d as UInt32) }
        text.put((tunnel.isIPv6 ? 0x86dd : 0x0800) as UInt16)
        template.l2_length = UInt8(text.count)
        let ip = text.count
        if tunnel.isIPv6 {
            text.put(0x6000_0000_0000_1140 as UInt64)
        } else {
            text.put(0x4500_0000_0000_0000 as UInt64)
            text.put(0x4011_0000 as UInt32)
        }
        let ends = tunnel.local + tunnel.peer
        ends.forEach { text.put($0) }
        template.l3_length = UInt8(text.count - ip)
        template.ip_sum = UInt32(UInt16(~text.checksum(from: ip, to: text.count)).byteSwapped)
        text.put(0x06a5_06a5 as UInt32)
        text.put(0 as UInt32)
        var flags = UInt32(CULVERT_TEMPLATE_READY)
        let random = random.next()
        for (bit, flag) in [
            CULVERT_TEMPLATE_L2TP_LENGTH, CULVERT_TEMPLATE_UDP_CHECKSUM, CULVERT_TEMPLATE_TOS_INHERIT,
            CULVERT_TEMPLATE_FRAGMENT, CULVERT_TEMPLATE_TELL_INSIDE, CULVERT_TEMPLATE_OFFSET_PAD,
        ].enumerated() where random >> UInt64(bit) & 1 == 1 {
            flags |= UInt32(flag)
        }
        text.put((flags & UInt32(CULVERT_TEMPLATE_L2TP_LENGTH) == 0 ? 0x0002 : 0x4002) as UInt16)
        if flags & UInt32(CULVERT_TEMPLATE_L2TP_LENGTH) != 0 { text.put(0 as UInt16) }
        text.put(UInt16(number + 1))
        text.put(0x0000_ff03 as UInt32)
        template.length = UInt8(text.count)
        template.flags = UInt8(flags)
        template.port = tunnel.port
        template.offset_pad = random & 1 << 20 == 0 ? UInt8(truncatingIfNeeded: random >> 8) : 16
        withUnsafeMutableBytes(of: &template.bytes) { room in
            room[(room.count - text.count)...].copyBytes(from: text.bytes)
        }
        let pseudo = FrameText()
        ends.forEach { pseudo.put($0) }
        pseudo.put(17 as UInt16)
        template.pseudo_sum = UInt32(UInt16(~pseudo.checksum(from: 0, to: pseudo.count)).byteSwapped)
        return template
    }

    /// Gives a policer other rates; now and then none.
    func changePolicer(_ index: Int, using random: inout SplitMix) {
        let entry = view.policers + index
        let generation = entry.pointee.generation &+ 1 | 1
        entry.pointee.generation = generation
        entry.pointee.committed_rate = random.next() >> (24 + random.next() % 40)
        entry.pointee.peak_rate = entry.pointee.committed_rate &+ random.next() >> (24 + random.next() % 40)
        entry.pointee.committed_burst = random.next() >> (24 + random.next() % 40)
        entry.pointee.peak_burst = random.next() >> (24 + random.next() % 40)
        entry.pointee.generation = generation &+ (random.next() & 7 == 0 ? 0 : 1)
    }

    /// Gives a session other features.
    func changeSession(_ number: Int, using random: inout SplitMix) {
        let session = sessions[number]
        let (up, down) = (view.upstreamFeatures + session.up, view.downstreamFeatures + session.down)
        for line in [up, down] {
            line.pointee.mss = [0, 536, 1_220, 1_452, 65_535][Int(random.next() % 5)]
            line.pointee.policer = UInt16(truncatingIfNeeded: random.next() & 31)
        }
        // One in eight is captured, with all of its frames or their beginnings, and now and then in one direction alone.
        let isCaptured = random.next() & 7 == 0
        let captured = UInt8(CULVERT_FEATURE_CAPTURED)
        let word = random.next()
        (view.upstream + session.up).pointee.capture = isCaptured ? UInt16(truncatingIfNeeded: word) : 0
        (view.upstream + session.up).pointee.capture_length = UInt16(truncatingIfNeeded: word >> 16) & 4_095
        let bits = (
            up: UInt8(truncatingIfNeeded: random.next() & 7), down: UInt8(truncatingIfNeeded: random.next() & 15)
        )
        (view.upstream + session.up).pointee.features = bits.up | (isCaptured ? captured : 0)
        (view.downstream + session.down).pointee.features = bits.down | (isCaptured && word >> 62 != 0 ? captured : 0)
    }
}
