import CDPDK
import CSegment
import Segment
import Wire

// Stages 2 and 3 from core to access: L2TP data messages become PPPoE session frames.
extension Forwarder {
    /// Stage 2: does the packet come from the tunnel's peer and to its local end? Then to the session's line.
    func verifyTunnels(_ count: Int) -> Int {
        var kept = 0
        for index in 0..<count {
            let found = downstream[index]
            let tunnel = UnsafeRawPointer(view.tunnels + Int(truncatingIfNeeded: found.tunnel))
            guard entryState(tunnel) == EntryState.forward else {
                drop(found.frame, .l2tpTunnelUnknown)
                continue
            }
            guard mostly(isFromPeer(found, tunnel)) || isFromPeerOverIPv6(downstream[index], tunnel) else {
                drop(found.frame, .l2tpPeerMismatch)
                continue
            }
            let slot = view.downstreamSlot(tunnel: found.tunnel, sessionID: found.sessionID)
            let line = view.downstream + Int(truncatingIfNeeded: slot)
            culvert_prefetch(line)
            if rarely(kept != index) { downstream[kept] = downstream[index] }
            downstream[kept].line = line
            kept &+= 1
        }
        return kept
    }

    /// Whether a packet over IPv4 has the tunnel's addresses and ports.
    @inline(__always)
    func isFromPeer(_ found: DownstreamFrame, _ tunnel: UnsafeRawPointer) -> Bool {
        tunnel.load(fromByteOffset: 4, as: UInt8.self) == UInt8(CULVERT_TUNNEL_IPV4)
            && tunnel.load(fromByteOffset: 24, as: UInt32.self) == found.peerAddress
            && tunnel.load(fromByteOffset: 40, as: UInt32.self) == found.localAddress
            && tunnel.load(fromByteOffset: 56, as: UInt32.self) == found.ports
    }

    /// Stage 3: is it the session of this tunnel and id? Then its access header in front of the PPP frame.
    func decapsulate(_ count: Int, port ingress: UInt32) {
        var (frames, octets): (UInt64, UInt64) = (0, 0)
        for index in 0..<count {
            let found = downstream[index]
            let line = UnsafeMutableRawPointer(found.line)
            let state = entryState(line)
            // session_id, header_length and port: one load, since the last two are bounded and then used.
            let shape = culvert_load_relaxed_u32((line + 8).assumingMemoryBound(to: UInt32.self))
            guard state == EntryState.forward,
                line.load(fromByteOffset: 4, as: UInt32.self) == found.tunnel,
                UInt16(truncatingIfNeeded: shape) == found.sessionID.bigEndian
            else {
                drop(found.frame, .l2tpSessionUnknown)
                continue
            }
            let word = sessionWord(line + 32)
            guard mostly(word ^ plainSession | found.special == 0) else {
                if hasClaim(line, at: 32, word, of: found.frame, port: ingress) {
                    decapsulateTheLongWay(downstream[index], port: ingress)
                }
                continue
            }
            let headerLength = shape >> 16 & 0xff
            let port = shape >> 24
            guard headerLength &- 20 <= 8, headerLength & 3 == 0 else {
                drop(found.frame, .accessHeaderInvalid)
                continue
            }
            guard port < portCount else {
                drop(found.frame, .egressPortUnknown)
                continue
            }
            // RFC 2516, section 4: the Ethernet payload is the PPPoE header's 6 octets and the PPP frame.
            guard found.payloadLength &+ 6 <= UInt32(ports[Int(truncatingIfNeeded: port)].mtu) else {
                drop(found.frame, .accessMTUExceeded)
                continue
            }
            let payload = found.frame.start + Int(truncatingIfNeeded: found.payloadOffset)
            // The header is right-aligned in the last 28 octets of the line. The PPP frame lies at least 48 octets into the
            // frame, so 32 may be written before it.
            (payload - 32).copyMemory(from: line + 32, byteCount: 32)
            let length = UInt16(truncatingIfNeeded: found.payloadLength).bigEndian
            (payload - 2).storeBytes(of: length, as: UInt16.self)
            found.frame.reframe(
                shift: Int32(bitPattern: found.payloadOffset &- headerLength),
                length: headerLength &+ found.payloadLength)
            countSession(line + 16, octets: found.payloadLength)
            frames &+= 1
            octets &+= UInt64(found.payloadLength)
            send(found.frame, port: port)
        }
        self.count(.decapsulatedFrames, frames)
        self.count(.decapsulatedOctets, octets)
    }
}
