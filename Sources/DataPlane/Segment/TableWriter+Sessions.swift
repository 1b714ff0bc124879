import CSegment
import Wire

extension TableWriter {
    /// Takes a PPPoE session id on a circuit and publishes the session as one whose frames all go to culvertd.
    ///
    /// When there is no place, a circuit that was made for this session alone goes too.
    /// - Parameter reference: the caller's name for the session; comes back in `SessionRecord` and `SessionTotals`.
    /// - Throws: `noSuchCircuit`, `sessionsFull`, `circuitFull`.
    public func allocateUpstream(
        circuit: CircuitIndex, clientMAC: MACAddress, owner: EntryOwner = .subscriber, reference: UInt64 = 0
    ) throws(TableError) -> UpstreamSession {
        let session = try takeUpstream(circuit)
        write(session, circuit: circuit, clientMAC: clientMAC, owner: owner, reference: reference)
        publish(session.slot, EntryState.punt)
        return session
    }

    /// Takes a local L2TP session id in a tunnel, which need not be in service yet: a LAC's first call waits for its tunnel.
    /// Packets for it are not forwarded before `forward`.
    /// - Throws: `noSuchTunnel`, `sessionsFull`, `tunnelFull`.
    public func allocateDownstream(tunnel: TunnelID) throws(TableError) -> DownstreamSession {
        let session = try takeDownstream(tunnel)
        write(session, tunnel: tunnel)
        return session
    }

    /// Joins the two sides: from here on the workers forward PPP both ways.
    /// - Parameters:
    ///   - peerSessionID: the L2TP session id that the peer assigned, host byte order.
    ///   - features: what the session has from its first frame on.
    /// - Throws: `noSuchUpstreamSession` unless it was allocated and not forwarded yet, `noSuchDownstreamSession` likewise,
    ///   `invalidRates`, `invalidMSS`, `policersFull`.
    public func forward(
        _ upstream: UpstreamSlot, _ downstream: DownstreamSlot, peerSessionID: UInt16,
        features: SessionFeatures = SessionFeatures()
    ) throws(TableError) {
        guard state(upstream) == EntryState.punt else { throw .noSuchUpstreamSession(upstream) }
        guard state(downstream) == EntryState.reserved else { throw .noSuchDownstreamSession(downstream) }
        let policers = try takePolicers(features)
        join(upstream, downstream, peerSessionID: peerSessionID)
        write(features, policers, upstream, downstream)
        publish(downstream, EntryState.forward)
        publish(upstream, EntryState.forward)
    }

    /// Adds a whole session for a controller, in one step. The ids are assigned here, since they carry the session's place.
    /// - Parameters:
    ///   - peerSessionID: the L2TP session id that the peer assigned, host byte order.
    ///   - features: what the session has from its first frame on.
    /// - Throws: what `circuit`, `allocateUpstream` and `allocateDownstream` throw, `invalidRates`, `invalidMSS`,
    ///   `policersFull`.
    public func addExternal(
        port: UInt16, outerVLAN: UInt16, innerVLAN: UInt16, tpid: UInt16, clientMAC: MACAddress, tunnel: TunnelID,
        peerSessionID: UInt16, reference: UInt64, features: SessionFeatures = SessionFeatures()
    ) throws(TableError) -> (upstream: UpstreamSession, downstream: DownstreamSession) {
        guard isPublished(tunnel) else { throw .noSuchTunnel(tunnel) }
        let policers = try takePolicers(features)
        let circuit: CircuitIndex
        let upstream: UpstreamSession
        do {
            circuit = try self.circuit(port: port, outerVLAN: outerVLAN, innerVLAN: innerVLAN, tpid: tpid)
            upstream = try takeUpstream(circuit)
        } catch {
            give(policers)
            throw error
        }
        let downstream: DownstreamSession
        do {
            downstream = try takeDownstream(tunnel)
        } catch {
            upstreamPool.give(
                slot: upstream.slot.rawValue, owner: circuit.rawValue, sessionID: upstream.sessionID)
            releaseIfUnused(circuit)
            give(policers)
            throw error
        }
        write(upstream, circuit: circuit, clientMAC: clientMAC, owner: .external, reference: reference)
        write(downstream, tunnel: tunnel)
        join(upstream.slot, downstream.slot, peerSessionID: peerSessionID)
        write(features, policers, upstream.slot, downstream.slot)
        publish(downstream.slot, EntryState.forward)
        publish(upstream.slot, EntryState.forward)
        return (upstream, downstream)
    }

    /// Ends a session on both sides: the workers find it no more. `reclaim` frees its places and gives its final counters
    /// when they all have passed a quiescent point.
    /// - Throws: `noSuchUpstreamSession`.
    public func remove(_ slot: UpstreamSlot) throws(TableError) {
        let found = state(slot)
        guard found == EntryState.punt || found == EntryState.forward else { throw .noSuchUpstreamSession(slot) }
        publish(slot, EntryState.retired)
        if let partner = partner(of: slot) {
            publish(partner, EntryState.retired)
            releaseTunnel(view.downstream[Int(partner.rawValue)].tunnel)
        }
        waiting.append(.session, slot.rawValue)
    }

    /// Gives back a downstream side that was allocated and never forwarded.
    /// - Throws: `noSuchDownstreamSession`.
    public func release(_ slot: DownstreamSlot) throws(TableError) {
        guard state(slot) == EntryState.reserved else { throw .noSuchDownstreamSession(slot) }
        releaseTunnel(view.downstream[Int(slot.rawValue)].tunnel)
        freeDownstream(slot.rawValue)
    }

    /// Changes the caller's name for a session.
    /// - Throws: `noSuchUpstreamSession`.
    public func setReference(_ reference: UInt64, of slot: UpstreamSlot) throws(TableError) {
        let found = state(slot)
        guard found == EntryState.punt || found == EntryState.forward else { throw .noSuchUpstreamSession(slot) }
        view.upstream[Int(slot.rawValue)].reference = reference
    }

    // MARK: - Places

    func takeUpstream(_ circuit: CircuitIndex) throws(TableError) -> UpstreamSession {
        guard isLive(circuit) else { throw .noSuchCircuit(circuit) }
        let pages = regions(UnsafeMutableRawPointer(view.circuits + Int(circuit.rawValue)) + 16)
        do {
            let (slot, sessionID) = try upstreamPool.take(owner: circuit.rawValue, pages: pages)
            return UpstreamSession(slot: UpstreamSlot(rawValue: slot), sessionID: sessionID)
        } catch {
            releaseIfUnused(circuit)
            switch error {
            case .table: throw .sessionsFull(capacity: view.sessionMask + 1)
            case .pages: throw .circuitFull(circuit)
            }
        }
    }

    func takeDownstream(_ tunnel: TunnelID) throws(TableError) -> DownstreamSession {
        guard isAllocated(tunnel) else { throw .noSuchTunnel(tunnel) }
        let pages = regions(UnsafeMutableRawPointer(view.tunnels + Int(tunnel.rawValue)) + 8)
        do {
            let (slot, sessionID) = try downstreamPool.take(owner: UInt32(tunnel.rawValue), pages: pages)
            tunnelSessions[Int(tunnel.rawValue)] += 1
            return DownstreamSession(slot: DownstreamSlot(rawValue: slot), sessionID: sessionID)
        } catch {
            switch error {
            case .table: throw .sessionsFull(capacity: view.sessionMask + 1)
            case .pages: throw .tunnelFull(tunnel)
            }
        }
    }

    private func regions(_ pages: UnsafeMutableRawPointer) -> UnsafeMutablePointer<UInt32> {
        pages.assumingMemoryBound(to: UInt32.self)
    }

    func releaseTunnel(_ tunnel: UInt32) {
        let index = Int(tunnel & view.tunnelMask)
        if tunnelSessions[index] > 0 { tunnelSessions[index] -= 1 }
    }

    // MARK: - Lines

    /// Fills a free line, still invisible.
    func write(
        _ session: UpstreamSession, circuit: CircuitIndex, clientMAC: MACAddress, owner: EntryOwner, reference: UInt64
    ) {
        let line = view.upstream + Int(session.slot.rawValue)
        culvert_store_relaxed_u32(&line.pointee.state, EntryState.reserved)
        line.pointee.circuit = circuit.rawValue
        let key = (clientMAC.value << 16 | UInt64(session.sessionID)).bigEndian
        UnsafeMutableRawPointer(line).storeBytes(of: key, toByteOffset: 8, as: UInt64.self)
        line.pointee.tunnel = 0
        line.pointee.peer_session_id = 0
        line.pointee.features = 0
        line.pointee.learned = 0
        line.pointee.claim = 0
        line.pointee.partner = CULVERT_NO_INDEX
        line.pointee.owner = owner.rawValue
        line.pointee.packets = 0
        line.pointee.octets = 0
        line.pointee.reference = reference
        line.pointee.capture = 0
        line.pointee.capture_length = 0
        clearFeatures(session.slot)
    }

    /// Fills a free line, still invisible.
    func write(_ session: DownstreamSession, tunnel: TunnelID) {
        let line = view.downstream + Int(session.slot.rawValue)
        culvert_store_relaxed_u32(&line.pointee.state, EntryState.reserved)
        line.pointee.tunnel = UInt32(tunnel.rawValue)
        line.pointee.session_id = session.sessionID.bigEndian
        line.pointee.partner = CULVERT_NO_INDEX
        line.pointee.packets = 0
        line.pointee.octets = 0
        line.pointee.features = 0
        line.pointee.learned = 0
        line.pointee.claim = 0
        clearFeatures(session.slot)
    }

    /// Fills in what each side must know of the other. The upstream line may be visible as PUNT, in which state the workers
    /// look at none of this; the downstream line is invisible.
    func join(_ upstream: UpstreamSlot, _ downstream: DownstreamSlot, peerSessionID: UInt16) {
        let up = view.upstream + Int(upstream.rawValue)
        let down = view.downstream + Int(downstream.rawValue)
        up.pointee.tunnel = down.pointee.tunnel
        up.pointee.peer_session_id = peerSessionID.bigEndian
        up.pointee.partner = downstream.rawValue

        let circuit = view.circuits[Int(up.pointee.circuit & view.circuitMask)]
        let key = UInt64(bigEndian: UnsafeRawPointer(up).load(fromByteOffset: 8, as: UInt64.self))
        let header = AccessHeader(
            clientMAC: MACAddress(value: key >> 16), portMAC: portMAC(circuit.port), circuit: circuit,
            sessionID: UInt16(truncatingIfNeeded: key))
        header.store(endingAt: UnsafeMutableRawPointer(down) + MemoryLayout<culvert_downstream>.size)
        down.pointee.header_length = UInt8(header.length)
        down.pointee.port = UInt8(truncatingIfNeeded: circuit.port)
        down.pointee.partner = upstream.rawValue
        joinCapture(upstream, downstream)
    }

    func publish(_ slot: UpstreamSlot, _ state: UInt32) {
        culvert_store_release_u32(&view.upstream[Int(slot.rawValue)].state, state)
    }

    func publish(_ slot: DownstreamSlot, _ state: UInt32) {
        culvert_store_release_u32(&view.downstream[Int(slot.rawValue)].state, state)
    }

    /// The state in a slot; FREE when there is no such slot.
    func state(_ slot: UpstreamSlot) -> UInt32 {
        slot.rawValue <= view.sessionMask ? view.upstream[Int(slot.rawValue)].state : EntryState.free
    }

    /// The state in a slot; FREE when there is no such slot.
    func state(_ slot: DownstreamSlot) -> UInt32 {
        slot.rawValue <= view.sessionMask ? view.downstream[Int(slot.rawValue)].state : EntryState.free
    }

    /// The downstream slot that belongs to an upstream one: it points back and is live or on its way out.
    func partner(of slot: UpstreamSlot) -> DownstreamSlot? {
        let partner = view.upstream[Int(slot.rawValue)].partner
        guard partner <= view.sessionMask else { return nil }
        let line = view.downstream + Int(partner)
        guard line.pointee.partner == slot.rawValue,
            line.pointee.state == EntryState.forward || line.pointee.state == EntryState.retired
        else { return nil }
        return DownstreamSlot(rawValue: partner)
    }

    // MARK: - Freeing

    func freeUpstream(_ slot: UInt32) {
        let line = view.upstream + Int(slot)
        culvert_store_release_u32(&line.pointee.state, EntryState.free)
        if let policer = featureLine(of: UpstreamSlot(rawValue: slot)).policer { policers.give(policer, view: view) }
        let circuit = line.pointee.circuit
        upstreamPool.give(slot: slot, owner: circuit, sessionID: UInt16(bigEndian: line.pointee.session_id))
        releaseIfUnused(CircuitIndex(rawValue: circuit))
    }

    func freeDownstream(_ slot: UInt32) {
        let line = view.downstream + Int(slot)
        culvert_store_release_u32(&line.pointee.state, EntryState.free)
        if let policer = featureLine(of: DownstreamSlot(rawValue: slot)).policer { policers.give(policer, view: view) }
        downstreamPool.give(
            slot: slot, owner: line.pointee.tunnel, sessionID: UInt16(bigEndian: line.pointee.session_id))
    }
}
