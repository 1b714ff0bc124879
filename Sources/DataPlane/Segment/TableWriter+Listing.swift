import CSegment
import Wire

extension TableWriter {
    /// The live session in a slot.
    public func session(at slot: UpstreamSlot) -> SessionRecord? {
        let found = state(slot)
        guard found == EntryState.punt || found == EntryState.forward else { return nil }
        let line = view.upstream[Int(slot.rawValue)]
        guard let owner = EntryOwner(rawValue: line.owner),
            let circuit = circuit(at: CircuitIndex(rawValue: line.circuit))
        else { return nil }
        var core: SessionRecord.CoreSide?
        var features = SessionFeatures()
        if found == EntryState.forward, let partner = partner(of: slot) {
            features = self.features(featureLine(of: slot), featureLine(of: partner))
            let down = view.downstream[Int(partner.rawValue)]
            core = SessionRecord.CoreSide(
                slot: partner, tunnel: TunnelID(rawValue: UInt16(truncatingIfNeeded: down.tunnel)),
                localSessionID: UInt16(bigEndian: down.session_id),
                peerSessionID: UInt16(bigEndian: line.peer_session_id))
        }
        return SessionRecord(
            slot: slot, sessionID: UInt16(bigEndian: line.session_id), owner: owner, reference: line.reference,
            clientMAC: MACAddress(value: key(of: slot) >> 16), circuit: circuit, core: core,
            features: features, counters: counters(slot, core?.slot))
    }

    /// Calls `body` with each live session, in slot order from `start` on, until it answers false. Answers the slot to go on
    /// with, nil at the table's end: so that a long list can be told in pieces.
    @discardableResult
    public func forEachSession(
        from start: UpstreamSlot = UpstreamSlot(rawValue: 0), _ body: (SessionRecord) throws -> Bool
    ) rethrows -> UpstreamSlot? {
        guard start.rawValue <= view.sessionMask else { return nil }
        for index in start.rawValue...view.sessionMask {
            guard let record = session(at: UpstreamSlot(rawValue: index)) else { continue }
            if try !body(record) {
                return index < view.sessionMask ? UpstreamSlot(rawValue: index + 1) : nil
            }
        }
        return nil
    }

    /// The live session that a PPPoE session id names on a circuit.
    public func session(on circuit: CircuitIndex, sessionID: UInt16) -> SessionRecord? {
        guard isLive(circuit) else { return nil }
        let slot = UpstreamSlot(rawValue: view.upstreamSlot(circuit: circuit.rawValue, sessionID: sessionID))
        guard let record = session(at: slot), record.sessionID == sessionID, record.circuit.index == circuit else {
            return nil
        }
        return record
    }

    /// The forwarded session that a local L2TP session id names in a tunnel.
    public func session(in tunnel: TunnelID, localSessionID: UInt16) -> SessionRecord? {
        guard isPublished(tunnel) else { return nil }
        let slot = view.downstreamSession(tunnel: UInt32(tunnel.rawValue), sessionID: localSessionID)
        guard slot <= view.sessionMask else { return nil }
        let record = session(at: UpstreamSlot(rawValue: view.downstream[Int(slot)].partner))
        return record?.core?.slot.rawValue == slot ? record : nil
    }

    /// What a live session carried so far.
    public func counters(of slot: UpstreamSlot) -> SessionCounters? {
        let found = state(slot)
        guard found == EntryState.punt || found == EntryState.forward else { return nil }
        return counters(slot, partner(of: slot))
    }

    /// What a session carried whose lines have been freed and not been taken again: its name still stands in the upstream line.
    public func lastCounters(of slot: UpstreamSlot, reference: UInt64) -> SessionCounters? {
        guard slot.rawValue <= view.sessionMask else { return nil }
        let line = view.upstream[Int(slot.rawValue)]
        guard line.state == EntryState.free, line.reference == reference else { return nil }
        let partner = line.partner
        guard partner <= view.sessionMask, view.downstream[Int(partner)].state == EntryState.free,
            view.downstream[Int(partner)].partner == slot.rawValue
        else { return counters(slot, nil) }
        return counters(slot, DownstreamSlot(rawValue: partner))
    }

    /// The live circuit at an index.
    public func circuit(at index: CircuitIndex) -> CircuitRecord? {
        guard isLive(index) else { return nil }
        let entry = view.circuits[Int(index.rawValue)]
        return CircuitRecord(
            index: index, port: entry.port, outerVLAN: entry.outer_vlan, innerVLAN: entry.inner_vlan,
            tpid: entry.outer_tpid)
    }

    /// The published tunnel with this id.
    public func tunnel(_ id: TunnelID) -> TunnelRecord? {
        guard isPublished(id) else { return nil }
        let entry = view.tunnels[Int(id.rawValue)]
        guard let owner = EntryOwner(rawValue: entry.owner) else { return nil }
        let template = view.templates[2 * Int(id.rawValue) + Int(entry.template_selector & 1)]
        func has(_ flag: some BinaryInteger) -> Bool { UInt32(template.flags) & UInt32(flag) != 0 }
        let header = withUnsafeBytes(of: template.bytes) { Array($0.suffix(Int(template.length))) }
        let ipHeader = header.dropFirst(Int(template.l2_length))
        return TunnelRecord(
            id: id, owner: owner, endpoints: endpoints(of: entry), sessions: tunnelSessions[Int(id.rawValue)],
            egressPort: template.port, mtu: template.mtu, isReady: has(CULVERT_TEMPLATE_READY),
            nextHopMAC: MACAddress(header.prefix(6)) ?? MACAddress(value: 0),
            isNextHopFixed: UInt32(entry.flags) & UInt32(CULVERT_TUNNEL_FIXED_NEXT_HOP) != 0,
            hasLengthField: has(CULVERT_TEMPLATE_L2TP_LENGTH), computesChecksum: has(CULVERT_TEMPLATE_UDP_CHECKSUM),
            acceptsZeroChecksum: UInt32(entry.flags) & UInt32(CULVERT_TUNNEL_ZERO_CHECKSUM) != 0,
            inheritsTypeOfService: has(CULVERT_TEMPLATE_TOS_INHERIT), typeOfService: typeOfService(ipHeader),
            doNotFragment: template.l3_length == 20 && ipHeader.dropFirst(6).first.map { $0 & 0x40 != 0 } ?? false,
            fragments: has(CULVERT_TEMPLATE_FRAGMENT), tellsInside: has(CULVERT_TEMPLATE_TELL_INSIDE),
            offsetPad: has(CULVERT_TEMPLATE_OFFSET_PAD) ? template.offset_pad : nil)
    }

    /// The octet of DSCP and ECN in an IP header; 0 when there is none.
    private func typeOfService(_ header: ArraySlice<UInt8>) -> UInt8 {
        let octets = Array(header.prefix(2))
        guard octets.count == 2 else { return 0 }
        return octets[0] >> 4 == 6 ? octets[0] << 4 | octets[1] >> 4 : octets[1]
    }

    /// Calls `body` with each published tunnel, in the order of their ids.
    public func forEachTunnel(_ body: (TunnelRecord) throws -> Void) rethrows {
        for index in 1...view.tunnelMask {
            if let record = tunnel(TunnelID(rawValue: UInt16(truncatingIfNeeded: index))) { try body(record) }
        }
    }

    /// The ends of a tunnel as its entry gives them.
    func endpoints(of tunnel: culvert_tunnel) -> TunnelEndpoints {
        func octets<Field>(_ field: Field) -> [UInt8] { withUnsafeBytes(of: field) { Array($0) } }
        func ipv4<Field>(_ field: Field) -> IPv4Address {
            IPv4Address(octets(field).prefix(4)) ?? IPv4Address(value: 0)
        }
        func ipv6<Field>(_ field: Field) -> IPv6Address { IPv6Address(octets(field)) ?? .unspecified }
        let addresses: TunnelEndpoints.Addresses =
            tunnel.family == UInt8(CULVERT_TUNNEL_IPV6)
            ? .ipv6(local: ipv6(tunnel.local_address), peer: ipv6(tunnel.peer_address))
            : .ipv4(local: ipv4(tunnel.local_address), peer: ipv4(tunnel.peer_address))
        return TunnelEndpoints(
            addresses: addresses, localPort: UInt16(bigEndian: tunnel.local_port),
            peerPort: UInt16(bigEndian: tunnel.peer_port), peerTunnelID: tunnel.peer_tunnel_id, port: tunnel.port)
    }

    /// Client MAC and PPPoE session id of a line, the id in the low 16 bits.
    func key(of slot: UpstreamSlot) -> UInt64 {
        let line = UnsafeRawPointer(view.upstream + Int(slot.rawValue))
        return UInt64(bigEndian: line.load(fromByteOffset: 8, as: UInt64.self))
    }

    func counters(_ upstream: UpstreamSlot, _ downstream: DownstreamSlot?) -> SessionCounters {
        let up = view.upstream + Int(upstream.rawValue)
        var downPackets: UInt64 = 0
        var downOctets: UInt64 = 0
        var downPoliced: UInt64 = 0
        var sequence = SequenceCounters()
        if let downstream {
            let down = view.downstream + Int(downstream.rawValue)
            downPackets = culvert_load_relaxed_u64(&down.pointee.packets)
            downOctets = culvert_load_relaxed_u64(&down.pointee.octets)
            let features = view.downstreamFeatures + Int(downstream.rawValue)
            downPoliced = culvert_load_relaxed_u64(&features.pointee.policed_packets)
            sequence = SequenceCounters(
                missing: culvert_load_relaxed_u32(&features.pointee.missing),
                late: culvert_load_relaxed_u32(&features.pointee.late),
                reordered: culvert_load_relaxed_u32(&features.pointee.reordered))
        }
        let upFeatures = view.upstreamFeatures + Int(upstream.rawValue)
        return SessionCounters(
            upstreamPackets: culvert_load_relaxed_u64(&up.pointee.packets),
            upstreamOctets: culvert_load_relaxed_u64(&up.pointee.octets),
            downstreamPackets: downPackets, downstreamOctets: downOctets,
            upstreamPoliced: culvert_load_relaxed_u64(&upFeatures.pointee.policed_packets),
            downstreamPoliced: downPoliced, sequence: sequence)
    }
}
