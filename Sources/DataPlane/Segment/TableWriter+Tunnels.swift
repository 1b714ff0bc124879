import CSegment
import Wire

extension TableWriter {
    /// Takes a local tunnel id, the one that has been free for longest. The tunnel carries no data before `publishTunnel`.
    /// - Throws: `tunnelsFull`.
    public func allocateTunnel(owner: EntryOwner) throws(TableError) -> TunnelID {
        guard let index = freeTunnels.popFirst() else { throw .tunnelsFull(capacity: view.tunnelMask + 1) }
        return reserve(index, owner: owner)
    }

    /// Takes these very tunnel ids, as far as they are free: for tunnels that this table has lost and whose peers have not. Answers
    /// those that it took.
    public func claimTunnels(_ ids: Set<TunnelID>, owner: EntryOwner) -> [TunnelID] {
        freeTunnels.take { ids.contains(TunnelID(rawValue: UInt16(truncatingIfNeeded: $0))) }
            .map { reserve($0, owner: owner) }
    }

    private func reserve(_ index: UInt32, owner: EntryOwner) -> TunnelID {
        let tunnel = view.tunnels + Int(index)
        // Before the state says that it is somebody's: a writer that takes the table over goes by both.
        tunnel.pointee.owner = owner.rawValue
        culvert_store_release_u32(&tunnel.pointee.state, EntryState.reserved)
        let none = CULVERT_REGION_NONE
        tunnel.pointee.region = (none, none, none, none)
        controls[Int(index)] = culvert_control()
        return TunnelID(rawValue: UInt16(truncatingIfNeeded: index))
    }

    /// Puts an allocated tunnel into service: from here on packets of its peer are taken, and its sessions can send.
    /// - Throws: `noSuchTunnel`, `tunnelIsPublished`, `noSuchPort`.
    public func publishTunnel(_ id: TunnelID, header: OuterHeader) throws(TableError) {
        let index = Int(id.rawValue)
        guard isAllocated(id) else { throw .noSuchTunnel(id) }
        guard view.tunnels[index].state == EntryState.reserved else { throw .tunnelIsPublished(id) }
        try checkPorts(of: header)
        let ends = header.endpoints
        let tunnel = view.tunnels + index
        view.templates[2 * index] = header.template
        tunnel.pointee.family = UInt8(ends.isIPv6 ? CULVERT_TUNNEL_IPV6 : CULVERT_TUNNEL_IPV4)
        tunnel.pointee.template_selector = 0
        tunnel.pointee.port = ends.port
        store(ends.peerAddress, in: &tunnel.pointee.peer_address)
        store(ends.localAddress, in: &tunnel.pointee.local_address)
        tunnel.pointee.peer_port = ends.peerPort.bigEndian
        tunnel.pointee.local_port = ends.localPort.bigEndian
        tunnel.pointee.peer_tunnel_id = ends.peerTunnelID
        tunnel.pointee.flags = header.tunnelFlags
        tunnel.pointee.control_window = 0
        culvert_store_release_u32(&tunnel.pointee.state, EntryState.forward)
    }

    /// Changes what is in front of packets to the peer: another next hop, port, MTU or setting. Packets carry the old header
    /// or the new one whole. When the last change has not passed all workers yet, this one comes into force in a later
    /// `reclaim`; of several that wait, the last one counts.
    /// - Throws: `noSuchTunnel`, `otherEndpoints`, `noSuchPort`.
    public func updateTemplate(_ id: TunnelID, header: OuterHeader) throws(TableError) {
        guard isPublished(id) else { throw .noSuchTunnel(id) }
        guard endpoints(of: view.tunnels[Int(id.rawValue)]) == header.endpoints else { throw .otherEndpoints(id) }
        try checkPorts(of: header)
        culvert_store_release_u8(&view.tunnels[Int(id.rawValue)].flags, header.tunnelFlags)
        if isTemplateResting[Int(id.rawValue)] {
            waitingTemplates[UInt32(id.rawValue)] = header.template
        } else {
            swingTemplate(UInt32(id.rawValue), header.template)
        }
    }

    /// Tells workers which control messages of a tunnel's peer can be genuine: those whose Ns has a high octet near this one. A tunnel
    /// begins with 0; one that is not published is left alone.
    public func setControlWindow(_ id: TunnelID, _ octet: UInt8) {
        guard isPublished(id) else { return }
        culvert_store_relaxed_u8(&view.tunnels[Int(id.rawValue)].control_window, octet)
    }

    /// Keeps the numbers of a tunnel's control channel for whoever takes the table over; nothing where there is no such tunnel.
    public func setControlNumbers(_ id: TunnelID, _ numbers: ControlNumbers) {
        guard isAllocated(id) else { return }
        controls[Int(id.rawValue)] = culvert_control(
            ns: numbers.ns, nr: numbers.nr, peer_nr: numbers.peerNr, valid: 1,
            peer_recovery_time: numbers.peerRecoveryTime, peer_failover: numbers.peerFailover, reserved: 0)
    }

    /// The numbers of a tunnel's control channel; nil where none were kept.
    public func controlNumbers(_ id: TunnelID) -> ControlNumbers? {
        guard isAllocated(id) else { return nil }
        let control = controls[Int(id.rawValue)]
        guard control.valid == 1 else { return nil }
        var numbers = ControlNumbers(ns: control.ns, nr: control.nr, peerNr: control.peer_nr)
        numbers.peerFailover = control.peer_failover
        numbers.peerRecoveryTime = control.peer_recovery_time
        return numbers
    }

    /// Takes a tunnel without sessions out of service. Its id is free when all workers have passed a quiescent point.
    /// - Throws: `noSuchTunnel`, `tunnelInUse`.
    public func removeTunnel(_ id: TunnelID) throws(TableError) {
        guard isAllocated(id) else { throw .noSuchTunnel(id) }
        let sessions = tunnelSessions[Int(id.rawValue)]
        guard sessions == 0 else { throw .tunnelInUse(id, sessions: sessions) }
        let tunnel = view.tunnels + Int(id.rawValue)
        waitingTemplates[UInt32(id.rawValue)] = nil
        culvert_store_release_u32(&tunnel.pointee.state, EntryState.retired)
        waiting.append(.tunnel, UInt32(id.rawValue))
    }

    /// Writes the template that no worker reads and puts it into force.
    func swingTemplate(_ index: UInt32, _ template: culvert_template) {
        let tunnel = view.tunnels + Int(index)
        let other = (tunnel.pointee.template_selector & 1) ^ 1
        view.templates[2 * Int(index) + Int(other)] = template
        culvert_store_release_u8(&tunnel.pointee.template_selector, other)
        isTemplateResting[Int(index)] = true
        waiting.append(.template, index)
    }

    func isPublished(_ id: TunnelID) -> Bool {
        id.rawValue <= view.tunnelMask && view.tunnels[Int(id.rawValue)].state == EntryState.forward
    }

    func isAllocated(_ id: TunnelID) -> Bool {
        isPublished(id)
            || id.rawValue <= view.tunnelMask && view.tunnels[Int(id.rawValue)].state == EntryState.reserved
    }

    private func checkPorts(of header: OuterHeader) throws(TableError) {
        for port in [UInt16(header.endpoints.port), header.egressPort] where port >= view.portCount {
            throw .noSuchPort(port)
        }
    }

    /// Puts an address, in wire order, into the front of an address field's 16 bytes and zeros into the rest.
    private func store<Field>(_ address: IPAddress, in field: inout Field) {
        withUnsafeMutableBytes(of: &field) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.copyBytes(from: address.octets)
        }
    }
}

extension OuterHeader {
    /// `culvert_tunnel.flags`: what the receiving side has to know, and recovery.
    fileprivate var tunnelFlags: UInt8 {
        (acceptsZeroChecksum ? UInt8(CULVERT_TUNNEL_ZERO_CHECKSUM) : 0)
            | (isNextHopFixed ? UInt8(CULVERT_TUNNEL_FIXED_NEXT_HOP) : 0)
    }
}
