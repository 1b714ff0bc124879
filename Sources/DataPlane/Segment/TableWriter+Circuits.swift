import CSegment

extension TableWriter {
    /// The attachment circuit of (port, outer VLAN, inner VLAN), made when it is not there. It goes when its last session has
    /// gone, or by `releaseIfUnused`.
    /// - Parameter outerVLAN: 1 to 4,094; 0 for untagged frames.
    /// - Parameter innerVLAN: 1 to 4,094; 0 for no second tag, whose tag protocol id is always 0x8100.
    /// - Parameter tpid: the first tag's protocol id, 0x8100 or 0x88a8; 0 for untagged frames.
    /// - Throws: `noSuchPort`, `invalidTags`, `otherTagProtocol`, `circuitsFull`, `vlanBlocksFull`.
    public func circuit(
        port: UInt16, outerVLAN: UInt16, innerVLAN: UInt16, tpid: UInt16
    ) throws(TableError) -> CircuitIndex {
        guard port < view.portCount else { throw .noSuchPort(port) }
        let found = view.circuitIndex(port: UInt32(port), outerVLAN: outerVLAN, innerVLAN: innerVLAN)
        if found <= view.circuitMask, outerVLAN <= 4_094, innerVLAN <= 4_094 {
            let foundTPID = view.circuits[Int(found)].outer_tpid
            guard foundTPID == tpid else { throw .otherTagProtocol(CircuitIndex(rawValue: found), found: foundTPID) }
            return CircuitIndex(rawValue: found)
        }
        let tagsFit =
            outerVLAN == 0
            ? innerVLAN == 0 && tpid == 0
            : outerVLAN <= 4_094 && innerVLAN <= 4_094 && (tpid == 0x8100 || tpid == 0x88a8)
        guard tagsFit else { throw .invalidTags(outerVLAN: outerVLAN, innerVLAN: innerVLAN, tpid: tpid) }
        guard freeBlocks.count >= blocksNeeded(port: port, outerVLAN: outerVLAN, innerVLAN: innerVLAN) else {
            throw .vlanBlocksFull(capacity: view.vlanBlockCount)
        }
        guard let index = freeCircuits.popFirst() else { throw .circuitsFull(capacity: view.circuitMask + 1) }

        let entry = view.circuits + Int(index)
        culvert_store_relaxed_u32(&entry.pointee.state, EntryState.reserved)
        entry.pointee.port = port
        entry.pointee.outer_vlan = outerVLAN
        entry.pointee.inner_vlan = innerVLAN
        entry.pointee.outer_tpid = tpid
        let none = CULVERT_REGION_NONE
        entry.pointee.region = (none, none, none, none)
        culvert_store_release_u32(&entry.pointee.state, EntryState.forward)
        link(index, port: port, outerVLAN: outerVLAN, innerVLAN: innerVLAN)
        return CircuitIndex(rawValue: index)
    }

    /// Takes a circuit away that has no session, not even one that waits for the workers.
    public func releaseIfUnused(_ circuit: CircuitIndex) {
        guard isLive(circuit), upstreamPool.slotsInUse(owner: circuit.rawValue) == 0 else { return }
        let entry = view.circuits + Int(circuit.rawValue)
        unlink(entry.pointee)
        culvert_store_release_u32(&entry.pointee.state, EntryState.retired)
        waiting.append(.circuit, circuit.rawValue)
    }

    func isLive(_ circuit: CircuitIndex) -> Bool {
        circuit.rawValue <= view.circuitMask && view.circuits[Int(circuit.rawValue)].state == EntryState.forward
    }

    /// The block of a port's outer VLANs; 0 when it has none.
    private func outerBlock(_ port: UInt16) -> UInt32 {
        let block = view.ports[Int(port)].vlan_block
        return block < view.vlanBlockCount ? block : 0
    }

    private func blocksNeeded(port: UInt16, outerVLAN: UInt16, innerVLAN: UInt16) -> Int {
        guard outerVLAN != 0 else { return 0 }
        let block = outerBlock(port)
        let hasInner = view.vlanEntry(block: block, vlan: outerVLAN) & CULVERT_VLAN_INNER != 0
        return (block == 0 ? 1 : 0) + (innerVLAN != 0 && !hasInner ? 1 : 0)
    }

    /// Makes the circuit findable. `blocksNeeded` blocks are free.
    private func link(_ circuit: UInt32, port: UInt16, outerVLAN: UInt16, innerVLAN: UInt16) {
        let entry = view.ports + Int(port)
        guard outerVLAN != 0 else {
            culvert_store_release_u32(&entry.pointee.untagged_circuit, circuit)
            return
        }
        let isNewBlock = outerBlock(port) == 0
        let block = isNewBlock ? freeBlocks.popFirst() ?? 0 : outerBlock(port)
        let outer = view.vlanEntry(block: block, vlan: outerVLAN)
        if outer & CULVERT_VLAN_INNER != 0 {
            setEntry(block: outer & ~CULVERT_VLAN_INNER, vlan: innerVLAN, circuit + 1)
        } else if innerVLAN == 0 {
            setEntry(block: block, vlan: outerVLAN, circuit + 1)
        } else if let inner = freeBlocks.popFirst() {
            // The circuit of frames with the outer tag alone moves along, and one store swings both.
            setEntry(block: inner, vlan: 0, outer)
            setEntry(block: inner, vlan: innerVLAN, circuit + 1)
            setEntry(block: block, vlan: outerVLAN, CULVERT_VLAN_INNER | inner)
        }
        if isNewBlock { culvert_store_release_u32(&entry.pointee.vlan_block, block) }
    }

    /// Makes the circuit unfindable, and lets go of blocks that are empty without it.
    func unlink(_ circuit: culvert_circuit) {
        let entry = view.ports + Int(circuit.port)
        guard circuit.outer_vlan != 0 else {
            culvert_store_release_u32(&entry.pointee.untagged_circuit, CULVERT_NO_INDEX)
            return
        }
        let block = outerBlock(circuit.port)
        let outer = view.vlanEntry(block: block, vlan: circuit.outer_vlan)
        if outer & CULVERT_VLAN_INNER != 0 {
            let inner = outer & ~CULVERT_VLAN_INNER
            setEntry(block: inner, vlan: circuit.inner_vlan, 0)
            guard blockUse[Int(inner)] == 0 else { return }
            setEntry(block: block, vlan: circuit.outer_vlan, 0)
            waiting.append(.vlanBlock, inner)
        } else {
            setEntry(block: block, vlan: circuit.outer_vlan, 0)
        }
        guard blockUse[Int(block)] == 0 else { return }
        culvert_store_release_u32(&entry.pointee.vlan_block, 0)
        waiting.append(.vlanBlock, block)
    }

    /// Publishes an entry of a VLAN block and keeps count of those that are not 0.
    func setEntry(block: UInt32, vlan: UInt16, _ value: UInt32) {
        let entry = view.vlanEntries + (Int(block) << 12 | Int(vlan))
        if entry.pointee == 0, value != 0 { blockUse[Int(block)] += 1 }
        if entry.pointee != 0, value == 0 { blockUse[Int(block)] -= 1 }
        culvert_store_release_u32(entry, value)
    }
}
