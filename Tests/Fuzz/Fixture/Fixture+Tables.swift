import CSegment
import Segment
import Wire

extension Fixture {
    /// Empties the tables and writes the fixture's entries.
    static func fill(_ view: SegmentView, _ options: Options) {
        clear(view.ports, view.portCount)
        clear(view.vlanEntries, view.vlanBlockCount * 4_096)
        clear(view.circuits, view.circuitMask + 1)
        clear(view.tunnels, view.tunnelMask + 1)
        clear(view.templates, 2 * (view.tunnelMask + 1))
        clear(view.upstream, view.sessionMask + 1)
        clear(view.downstream, view.sessionMask + 1)
        clear(view.upstreamFeatures, view.sessionMask + 1)
        clear(view.downstreamFeatures, view.sessionMask + 1)
        clear(view.policers, view.policerMask + 1)
        clear(view.workers, view.workerCount)
        view.ports[0].flags = UInt32(CULVERT_PORT_ACCESS)
        view.ports[0].untagged_circuit = 1
        view.ports[0].vlan_block = 1
        view.vlanEntries[1 * 4_096 + 100] = CULVERT_VLAN_INNER | 2
        view.vlanEntries[2 * 4_096 + 7] = 2 + 1
        view.ports[1].flags = UInt32(
            options.coreIsAccessToo ? CULVERT_PORT_CORE | CULVERT_PORT_ACCESS : CULVERT_PORT_CORE)
        view.ports[1].untagged_circuit = CULVERT_NO_INDEX
        view.ports[1].address_count = 1
        view.ports[1].local_ipv4.0 = localAddress.value.bigEndian
        view.ports[1].ipv6_address_count = 1
        withUnsafeMutableBytes(of: &view.ports[1].local_ipv6) { $0.copyBytes(from: localIPv6.octets) }
        view.circuits[2].outer_vlan = 100
        view.circuits[2].inner_vlan = 7
        view.circuits[2].outer_tpid = 0x88a8
        for index in 1...2 {
            view.circuits[index].region = (0, .max, .max, .max)
            view.circuits[index].state = UInt32(CULVERT_STATE_FORWARD)
        }
        fillTunnel(view, options)
        let tags: [UInt8] = [0x88, 0xa8, 0, 100, 0x81, 0, 0, 7]
        addSession(view, 5, circuit: 1, state: CULVERT_STATE_FORWARD, partner: 9, tags: [], options)
        addSession(view, 6, circuit: 2, state: CULVERT_STATE_FORWARD, partner: 10, tags: tags, options)
        addSession(view, 8, circuit: 1, state: CULVERT_STATE_PUNT, partner: nil, tags: [], options)
    }

    private static func clear<Entry>(_ entries: UnsafeMutablePointer<Entry>, _ count: UInt32) {
        UnsafeMutableRawPointer(entries).initializeMemory(
            as: UInt8.self, repeating: 0, count: Int(count) * MemoryLayout<Entry>.stride)
    }

    private static func fillTunnel(_ view: SegmentView, _ options: Options) {
        let addresses: TunnelEndpoints.Addresses =
            options.isOverIPv6
            ? .ipv6(local: localIPv6, peer: peerIPv6) : .ipv4(local: localAddress, peer: peerAddress)
        let endpoints = TunnelEndpoints(addresses: addresses, peerTunnelID: 0x1234, port: 1)
        let header = OuterHeader(
            endpoints: endpoints, egressPort: 1, sourceMAC: coreMAC,
            destinationMAC: MACAddress(value: 0x0200_0000_0e01))
        view.templates[2 * 7 + 1] = header.template
        view.templates[2 * 7 + 1].flags |= options.templateFlags & ~UInt8(CULVERT_TEMPLATE_L2TP_LENGTH)
        view.templates[2 * 7 + 1].mtu = options.templateMTU
        view.templates[2 * 7 + 1].offset_pad = options.offsetPad
        let tunnel = view.tunnels + 7
        tunnel.pointee.family = UInt8(options.isOverIPv6 ? CULVERT_TUNNEL_IPV6 : CULVERT_TUNNEL_IPV4)
        tunnel.pointee.flags = options.takesZeroChecksum ? UInt8(CULVERT_TUNNEL_ZERO_CHECKSUM) : 0
        tunnel.pointee.template_selector = 1
        tunnel.pointee.region = (0, .max, .max, .max)
        let (peer, local) =
            options.isOverIPv6 ? (peerIPv6.octets, localIPv6.octets) : (peerAddress.octets, localAddress.octets)
        withUnsafeMutableBytes(of: &tunnel.pointee.peer_address) { $0.copyBytes(from: peer) }
        withUnsafeMutableBytes(of: &tunnel.pointee.local_address) { $0.copyBytes(from: local) }
        tunnel.pointee.peer_port = UInt16(1_701).bigEndian
        tunnel.pointee.local_port = UInt16(1_701).bigEndian
        tunnel.pointee.state = UInt32(CULVERT_STATE_FORWARD)
        view.policers[1].committed_rate = 100_000
        view.policers[1].peak_rate = 200_000
        view.policers[1].committed_burst = 2_000
        view.policers[1].peak_burst = 4_000
        view.policers[1].generation = options.hasRoundPolicer ? 2 : 1
    }

    private static func addSession(
        _ view: SegmentView, _ id: UInt16, circuit: UInt32, state: Int, partner: UInt16?, tags: [UInt8],
        _ options: Options
    ) {
        let up = view.upstream + Int(id)
        up.pointee.circuit = circuit
        withUnsafeMutableBytes(of: &up.pointee.client_mac) { $0.copyBytes(from: clientMAC.octets) }
        up.pointee.session_id = id.bigEndian
        up.pointee.tunnel = 7
        up.pointee.peer_session_id = UInt16(0x5678).bigEndian
        up.pointee.partner = UInt32(partner ?? 0)
        up.pointee.features = options.upstreamFeatures
        up.pointee.capture = 7
        up.pointee.capture_length = options.captureLength
        view.upstreamFeatures[Int(id)].mss = 1_200
        view.upstreamFeatures[Int(id)].policer = 1
        up.pointee.state = UInt32(state)
        guard let partner else { return }
        let down = view.downstream + Int(partner)
        let header =
            clientMAC.octets + accessMAC.octets + tags + [0x88, 0x64, 0x11, 0, UInt8(id >> 8), UInt8(id & 255), 0, 0]
        down.pointee.tunnel = 7
        down.pointee.session_id = partner.bigEndian
        down.pointee.header_length = UInt8(header.count)
        down.pointee.port = 0
        down.pointee.partner = UInt32(id)
        down.pointee.features = options.downstreamFeatures
        view.downstreamFeatures[Int(partner)].mss = 1_200
        view.downstreamFeatures[Int(partner)].policer = 1
        withUnsafeMutableBytes(of: &down.pointee.header) { $0[($0.count - header.count)...].copyBytes(from: header) }
        down.pointee.state = UInt32(CULVERT_STATE_FORWARD)
    }
}
