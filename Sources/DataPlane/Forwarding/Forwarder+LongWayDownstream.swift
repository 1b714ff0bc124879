import CDPDK
import CSegment
import Segment
import Wire

// The long way from core to access: frames that need more than the access header. These are calls; few sessions have features.
extension Forwarder {
    /// A frame to the access side whose session has features, that has sequence numbers, or that lies in several buffers.
    /// - Parameter port: the one that it came in by.
    @inline(never)
    func decapsulateTheLongWay(_ found: DownstreamFrame, port: UInt32) {
        let line = UnsafeMutableRawPointer(found.line)
        let word = sessionWord(line + 32)
        if word & SessionFeature.captured != 0 {
            captureArrival(found.frame, port: port, slot: upstreamSlot(found))
        }
        let found = found.isChained ? cut(found) : found
        let shape = culvert_load_relaxed_u32((line + 8).assumingMemoryBound(to: UInt32.self))
        let headerLength = shape >> 16 & 0xff
        guard headerLength &- 20 <= 8, headerLength & 3 == 0 else { return refuse(found.frame, .accessHeaderInvalid) }
        guard shape >> 24 < portCount else { return refuse(found.frame, .egressPortUnknown) }
        guard isInSequence(found, word, port: port) else { return }
        deliver(found, word)
        releaseInOrder(found)
    }

    /// A frame to the access side whose turn it is, which may have waited for that: everything but its sequence numbers.
    /// - Parameter word: the session line's word of features and claim.
    @inline(never)
    func deliver(_ found: DownstreamFrame, _ word: UInt32) {
        let line = UnsafeMutableRawPointer(found.line)
        let shape = culvert_load_relaxed_u32((line + 8).assumingMemoryBound(to: UInt32.self))
        let headerLength = shape >> 16 & 0xff
        let port = shape >> 24
        guard headerLength &- 20 <= 8, headerLength & 3 == 0 else { return end(found, .accessHeaderInvalid, word) }
        guard port < portCount else { return end(found, .egressPortUnknown, word) }
        if let reason = refusalDownstream(found, word) { return end(found, reason, word) }
        let egress = ports + Int(truncatingIfNeeded: port)
        guard found.payloadLength &+ 6 <= UInt32(egress.pointee.mtu) else {
            return end(found, .accessMTUExceeded, word)
        }
        guard !found.isChained || egress.pointee.sendsChained else { return end(found, .egressChained, word) }
        let payload = found.frame.start + Int(truncatingIfNeeded: found.payloadOffset)
        (payload - 32).copyMemory(from: line + 32, byteCount: 32)
        (payload - 2).storeBytes(of: UInt16(truncatingIfNeeded: found.payloadLength).bigEndian, as: UInt16.self)
        if found.isChained {
            found.frame.prepend(headerLength)
        } else {
            found.frame.reframe(
                shift: Int32(bitPattern: found.payloadOffset &- headerLength),
                length: headerLength &+ found.payloadLength)
        }
        countSession(line + 16, octets: found.payloadLength)
        count(.decapsulatedFrames)
        count(.decapsulatedOctets, UInt64(found.payloadLength))
        let isCaptured = word & SessionFeature.captured != 0
        sendTheLongWay(found.frame, port: port, capturedAs: isCaptured ? upstreamSlot(found) : nil)
    }

    /// Drops a frame whose turn it was. The copy of one that has waited for that was made long ago, without saying how the frame
    /// would end: another one says so.
    private func end(_ found: DownstreamFrame, _ reason: Counter, _ word: UInt32) {
        if word & SessionFeature.captured != 0, !isArrival(found.frame) {
            captureEnd(found, reason, slot: upstreamSlot(found))
        }
        refuse(found.frame, reason)
    }

    /// The upstream slot that a session's downstream line names.
    @inline(__always)
    private func upstreamSlot(_ found: DownstreamFrame) -> UInt32 {
        UnsafeRawPointer(found.line).load(fromByteOffset: 12, as: UInt32.self) & view.sessionMask
    }

    /// The PPP frame alone of a frame that lies in several buffers, in as few of them as it needs: its first octet lies in the
    /// first one. Only when it is known that no other worker gets the frame.
    @inline(never)
    private func cut(_ found: DownstreamFrame) -> DownstreamFrame {
        var found = found
        let before = found.frame.mbuf
        found.frame = found.frame.cut(
            from: Int(truncatingIfNeeded: found.payloadOffset), length: Int(truncatingIfNeeded: found.payloadLength))
        found.payloadOffset = 0
        arrival(before, isNow: found.frame.mbuf)
        if !found.frame.isChained { found.special &= ~2 }
        return found
    }
}
