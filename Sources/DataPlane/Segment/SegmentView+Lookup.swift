import CSegment

// The look-ups, as the workers do them: no loop, no lock, no retry, and every index bounded by this process's own masks.
// What they answer stays as it is until the worker's next quiescent point.
extension SegmentView {
    /// The attachment circuit that frames with these tags belong to; `CULVERT_NO_INDEX` when there is none.
    ///
    /// An outer VLAN's entry is a circuit, or an inner block. In an inner block, entry 0 is the circuit of frames with the
    /// outer tag alone, since VLAN 0 in a second tag names no VLAN (IEEE 802.1Q, 9.6).
    /// - Parameter outerVLAN: VLAN id of the first tag, 0 for an untagged frame.
    /// - Parameter innerVLAN: VLAN id of the second tag, 0 when there is none.
    @inlinable @inline(__always)
    public func circuitIndex(port: UInt32, outerVLAN: UInt16, innerVLAN: UInt16) -> UInt32 {
        guard port < portCount else { return CULVERT_NO_INDEX }
        let entry = ports + Int(port)
        if outerVLAN == 0 {
            return innerVLAN == 0 ? culvert_load_acquire_u32(&entry.pointee.untagged_circuit) : CULVERT_NO_INDEX
        }
        let outer = vlanEntry(block: culvert_load_acquire_u32(&entry.pointee.vlan_block), vlan: outerVLAN)
        if outer & CULVERT_VLAN_INNER != 0 {
            return vlanEntry(block: outer & ~CULVERT_VLAN_INNER, vlan: innerVLAN) &- 1
        }
        return innerVLAN == 0 ? outer &- 1 : CULVERT_NO_INDEX
    }

    /// A VLAN block's entry; 0, which is none, when there is no such block.
    @inlinable @inline(__always)
    func vlanEntry(block: UInt32, vlan: UInt16) -> UInt32 {
        guard block != 0, block < vlanBlockCount else { return 0 }
        return culvert_load_acquire_u32(vlanEntries + (Int(block) << 12 | Int(vlan & 0xfff)))
    }

    /// The upstream slot that a PPPoE session id, in host byte order, names on a circuit. It says nothing about who is there.
    @inlinable @inline(__always)
    public func upstreamSlot(circuit: UInt32, sessionID: UInt16) -> UInt32 {
        slot(regions: UnsafeRawPointer(circuits + Int(circuit & circuitMask)) + 16, sessionID)
    }

    /// The downstream slot that a local L2TP session id, in host byte order, names in a tunnel.
    @inlinable @inline(__always)
    public func downstreamSlot(tunnel: UInt32, sessionID: UInt16) -> UInt32 {
        slot(regions: UnsafeRawPointer(tunnels + Int(tunnel & tunnelMask)) + 8, sessionID)
    }

    @inlinable @inline(__always)
    func slot(regions: UnsafeRawPointer, _ sessionID: UInt16) -> UInt32 {
        let selector = Int(sessionID >> UInt16(CULVERT_PAGE_SHIFT))
        let region = culvert_load_relaxed_u32((regions + 4 * selector).assumingMemoryBound(to: UInt32.self))
        let offset = UInt32(sessionID) & (1 << CULVERT_PAGE_SHIFT - 1)
        return (region << CULVERT_PAGE_SHIFT | offset) & sessionMask
    }

    /// The live session that owns frames from `clientMAC` with this PPPoE session id on this circuit: its state, which is
    /// PUNT or FORWARD, and its slot. State FREE means that there is none.
    /// - Parameter clientMAC: the six octets as the low 48 bits, first octet on the wire highest.
    /// - Parameter sessionID: host byte order.
    @inlinable @inline(__always)
    public func upstreamSession(
        circuit: UInt32, sessionID: UInt16, clientMAC: UInt64
    ) -> (state: UInt32, slot: UInt32) {
        let slot = upstreamSlot(circuit: circuit, sessionID: sessionID)
        let line = upstream + Int(slot)
        let state = culvert_load_acquire_u32(&line.pointee.state)
        guard state == UInt32(CULVERT_STATE_FORWARD) || state == UInt32(CULVERT_STATE_PUNT) else { return (0, slot) }
        // The MAC and the session id lie beside each other in wire order: one 8-byte compare.
        let key = (clientMAC << 16 | UInt64(sessionID)).bigEndian
        let found = UnsafeRawPointer(line).load(fromByteOffset: 8, as: UInt64.self)
        return found == key && line.pointee.circuit == circuit ? (state, slot) : (0, slot)
    }

    /// The live session that owns packets with this local L2TP session id in this tunnel: its slot, or
    /// `CULVERT_NO_INDEX`. The tunnel's own state, peer and port are the caller's to check.
    /// - Parameter sessionID: host byte order.
    @inlinable @inline(__always)
    public func downstreamSession(tunnel: UInt32, sessionID: UInt16) -> UInt32 {
        let slot = downstreamSlot(tunnel: tunnel, sessionID: sessionID)
        let line = downstream + Int(slot)
        guard culvert_load_acquire_u32(&line.pointee.state) == UInt32(CULVERT_STATE_FORWARD),
            line.pointee.session_id == sessionID.bigEndian, line.pointee.tunnel == tunnel
        else { return CULVERT_NO_INDEX }
        return slot
    }
}
