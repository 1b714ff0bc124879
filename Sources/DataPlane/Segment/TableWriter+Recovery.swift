import CSegment
import Glibc

/// What a writer found in the tables when it took them over.
public struct Recovery: Sendable {
    /// Sessions of controllers, which stay in service.
    public var externalSessions = 0
    /// Tunnels of controllers, which stay in service.
    public var externalTunnels = 0
    /// Sessions of culvertd's own signalling, still in service: the caller goes on with them, or tells their clients and removes
    /// them.
    public var subscriberSessions: [UpstreamSlot] = []
    /// Tunnels of culvertd's own signalling, still in service: the caller goes on with them, or removes them after their sessions.
    public var subscriberTunnels: [TunnelID] = []
    /// Ids that culvertd's own signalling had taken for tunnels that were not in service yet: likewise.
    public var allocatedTunnels: [TunnelID] = []
    /// Local L2TP session ids of calls that were being set up: the ids are taken back, and a peer may have heard of them.
    public var unfinishedCalls: [(tunnel: TunnelID, localSessionID: UInt16)] = []
    /// Totals of sessions that the writer before had begun to remove, or had not finished.
    public var takenBack: [SessionTotals] = []
    /// Entries of all kinds that were neither free nor in service.
    public var unfinishedEntries = 0
}

extension TableWriter {
    /// Takes the tables over as they are and puts them in order.
    ///
    /// Sessions and tunnels that are whole stay. Everything that a writer left half done is taken back: what was being
    /// filled, what waited for the workers, sessions without their other half, circuits without a session. It waits for
    /// the workers' quiescent points up to 100 milliseconds; what takes longer is left to `reclaim`.
    /// - Parameter generator: chooses the order in which tunnel ids are given and where in a region session ids begin.
    public static func recovering(
        _ segment: SegmentMapping, using generator: inout some RandomNumberGenerator
    ) -> (writer: TableWriter, recovery: Recovery) {
        let writer = TableWriter(segment: segment)
        var recovery = Recovery()
        let linkedCircuits = writer.recoverVLANs()
        writer.recoverCircuits(linkedCircuits)
        writer.recoverTunnels(&recovery)
        writer.recoverSessions(&recovery)
        writer.recoverFeatures()
        writer.queueUnfinished(linkedCircuits, &recovery)
        writer.upstreamPool.shuffleStarts(using: &generator)
        writer.downstreamPool.shuffleStarts(using: &generator)
        for _ in 0..<1_000 where writer.waiting.count > 0 {
            if writer.reclaim(limit: .max, deliver: { recovery.takenBack.append($0) }) == 0 { usleep(100) }
        }
        writer.freeTunnels.shuffle(using: &generator)
        return (writer, recovery)
    }

    /// The writer of a segment, with the system's random numbers.
    public static func recovering(_ segment: SegmentMapping) -> (writer: TableWriter, recovery: Recovery) {
        var generator = SystemRandomNumberGenerator()
        return recovering(segment, using: &generator)
    }

    /// What the walk over the ports' VLAN tables found.
    struct LinkedCircuits {
        /// Circuits that a frame can reach.
        var isLinked: [Bool]
        /// Blocks that a port refers to.
        var isBlockUsed: [Bool]
    }

    /// Walks the ports' VLAN tables, counts their entries and clears those that lead nowhere.
    private func recoverVLANs() -> LinkedCircuits {
        var found = LinkedCircuits(
            isLinked: [Bool](repeating: false, count: Int(view.circuitMask) + 1),
            isBlockUsed: [Bool](repeating: false, count: Int(view.vlanBlockCount)))
        for port in 0..<UInt16(view.portCount) {
            let entry = view.ports + Int(port)
            let untagged = entry.pointee.untagged_circuit
            if untagged != CULVERT_NO_INDEX, !link(untagged, port, 0, 0, &found) {
                culvert_store_release_u32(&entry.pointee.untagged_circuit, CULVERT_NO_INDEX)
            }
            let block = entry.pointee.vlan_block
            if block != 0, !recoverBlock(block, &found, { recoverOuter(block, port, $0, $1, &$2) }) {
                culvert_store_release_u32(&entry.pointee.vlan_block, 0)
            }
        }
        return found
    }

    /// Counts a block's entries and clears those that `isGood` refuses; false when the block is none or is empty then.
    private func recoverBlock(
        _ block: UInt32, _ found: inout LinkedCircuits,
        _ isGood: (_ vlan: UInt16, _ entry: UInt32, inout LinkedCircuits) -> Bool
    ) -> Bool {
        guard block != 0, block < view.vlanBlockCount, !found.isBlockUsed[Int(block)] else { return false }
        found.isBlockUsed[Int(block)] = true
        let entries = view.vlanEntries + Int(block) << 12
        for vlan in 0..<UInt16(CULVERT_VLAN_COUNT) where entries[Int(vlan)] != 0 {
            if isGood(vlan, entries[Int(vlan)], &found) {
                blockUse[Int(block)] += 1
            } else {
                culvert_store_release_u32(entries + Int(vlan), 0)
            }
        }
        found.isBlockUsed[Int(block)] = blockUse[Int(block)] > 0
        return found.isBlockUsed[Int(block)]
    }

    private func recoverOuter(
        _ block: UInt32, _ port: UInt16, _ vlan: UInt16, _ entry: UInt32, _ found: inout LinkedCircuits
    ) -> Bool {
        guard entry & CULVERT_VLAN_INNER != 0 else { return vlan != 0 && link(entry - 1, port, vlan, 0, &found) }
        return recoverBlock(entry & ~CULVERT_VLAN_INNER, &found) { inner, entry, found in
            entry & CULVERT_VLAN_INNER == 0 && link(entry - 1, port, vlan, inner, &found)
        }
    }

    /// Marks the circuit as linked if it is the one that belongs there.
    private func link(
        _ index: UInt32, _ port: UInt16, _ outerVLAN: UInt16, _ innerVLAN: UInt16, _ found: inout LinkedCircuits
    ) -> Bool {
        guard let circuit = circuit(at: CircuitIndex(rawValue: index)), !found.isLinked[Int(index)],
            circuit.port == port, circuit.outerVLAN == outerVLAN, circuit.innerVLAN == innerVLAN
        else { return false }
        found.isLinked[Int(index)] = true
        return true
    }

    private func recoverCircuits(_ found: LinkedCircuits) {
        for index in 0...view.circuitMask {
            let entry = view.circuits + Int(index)
            if entry.pointee.state == EntryState.free {
                freeCircuits.append(index)
            } else if !found.isLinked[Int(index)] {
                culvert_store_release_u32(&entry.pointee.state, EntryState.retired)
            }
        }
    }

    private func recoverTunnels(_ recovery: inout Recovery) {
        for index in 1...view.tunnelMask {
            let entry = view.tunnels + Int(index)
            let id = TunnelID(rawValue: UInt16(truncatingIfNeeded: index))
            switch (entry.pointee.state, EntryOwner(rawValue: entry.pointee.owner)) {
            case (EntryState.free, _):
                freeTunnels.append(index)
                continue
            case (EntryState.forward, .external?):
                recovery.externalTunnels += 1
            case (EntryState.forward, .subscriber?):
                recovery.subscriberTunnels.append(id)
            case (EntryState.reserved, .subscriber?):
                recovery.allocatedTunnels.append(id)
                continue
            default:
                culvert_store_release_u32(&entry.pointee.state, EntryState.retired)
                continue
            }
            // The writer before may have swung the selector a moment ago.
            isTemplateResting[Int(index)] = true
            waiting.append(.template, index)
        }
    }

    private func recoverSessions(_ recovery: inout Recovery) {
        // Downstream slots that go with an upstream one, whether kept or taken back.
        var hasOwner = [Bool](repeating: false, count: Int(view.sessionMask) + 1)
        for index in 0...view.sessionMask { recoverUpstream(index, &hasOwner, &recovery) }
        for index in 0...view.sessionMask {
            let line = view.downstream + Int(index)
            if line.pointee.state == EntryState.free {
                downstreamPool.giveInitially(slot: index)
                continue
            }
            let sessionID = UInt16(bigEndian: line.pointee.session_id)
            downstreamPool.countUp(owner: line.pointee.tunnel, sessionID: sessionID)
            guard !hasOwner[Int(index)] else { continue }
            if line.pointee.state == EntryState.reserved || line.pointee.state == EntryState.forward,
                let tunnel = UInt16(exactly: line.pointee.tunnel)
            {
                recovery.unfinishedCalls.append((TunnelID(rawValue: tunnel), sessionID))
            }
            culvert_store_release_u32(&line.pointee.state, EntryState.retired)
            waiting.append(.downstream, index)
            recovery.unfinishedEntries += 1
        }
    }

    private func recoverUpstream(_ index: UInt32, _ hasOwner: inout [Bool], _ recovery: inout Recovery) {
        let slot = UpstreamSlot(rawValue: index)
        let line = view.upstream + Int(index)
        let found = line.pointee.state
        guard found != EntryState.free else {
            upstreamPool.giveInitially(slot: index)
            return
        }
        upstreamPool.countUp(owner: line.pointee.circuit, sessionID: UInt16(bigEndian: line.pointee.session_id))
        let partner = partner(of: slot)
        if let owner = EntryOwner(rawValue: line.pointee.owner), isWhole(slot, found, owner, partner) {
            if found == EntryState.forward, let partner {
                hasOwner[Int(partner.rawValue)] = true
                tunnelSessions[Int(line.pointee.tunnel & view.tunnelMask)] += 1
            } else {
                // A downstream side that was being joined is taken back on its own.
                line.pointee.partner = CULVERT_NO_INDEX
                line.pointee.features = 0
            }
            switch owner {
            case .external: recovery.externalSessions += 1
            case .subscriber: recovery.subscriberSessions.append(slot)
            }
            return
        }
        recovery.unfinishedEntries += 1
        publish(slot, EntryState.retired)
        if let partner {
            publish(partner, EntryState.retired)
            hasOwner[Int(partner.rawValue)] = true
        }
        waiting.append(found == EntryState.reserved && partner == nil ? .upstream : .session, index)
    }

    /// Whether the session can stay: its frames find it, and it has all that they need.
    private func isWhole(
        _ slot: UpstreamSlot, _ found: UInt32, _ owner: EntryOwner, _ partner: DownstreamSlot?
    ) -> Bool {
        let line = view.upstream[Int(slot.rawValue)]
        let sessionID = UInt16(bigEndian: line.session_id)
        guard isLive(CircuitIndex(rawValue: line.circuit)), sessionID != 0, sessionID != 0xffff,
            view.upstreamSlot(circuit: line.circuit, sessionID: sessionID) == slot.rawValue
        else { return false }
        if found == EntryState.punt { return owner == .subscriber }
        guard found == EntryState.forward, let partner else { return false }
        let down = view.downstream[Int(partner.rawValue)]
        return down.state == EntryState.forward && down.tunnel == line.tunnel && down.tunnel <= view.tunnelMask
            && isPublished(TunnelID(rawValue: UInt16(truncatingIfNeeded: down.tunnel)))
            && view.downstreamSlot(tunnel: down.tunnel, sessionID: UInt16(bigEndian: down.session_id))
                == partner.rawValue
    }

    /// Queues circuits, tunnels and blocks that are neither free nor in service, behind the sessions that refer to them.
    private func queueUnfinished(_ found: LinkedCircuits, _ recovery: inout Recovery) {
        for index in 0...view.circuitMask where view.circuits[Int(index)].state != EntryState.free {
            if found.isLinked[Int(index)] {
                releaseIfUnused(CircuitIndex(rawValue: index))
            } else {
                waiting.append(.circuit, index)
                recovery.unfinishedEntries += 1
            }
        }
        for index in 1...view.tunnelMask where view.tunnels[Int(index)].state == EntryState.retired {
            waiting.append(.tunnel, index)
            recovery.unfinishedEntries += 1
        }
        for block in 1..<view.vlanBlockCount where !found.isBlockUsed[Int(block)] { waiting.append(.vlanBlock, block) }
    }
}
