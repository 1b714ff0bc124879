import CDPDK
import CSegment
import Segment
import Wire

// TCP MSS clamping: neither end of a connection through the tunnel learns that the way between them is narrower than their
// links, unless somebody says so in their SYNs.
extension Forwarder {
    /// Lowers the maximum segment size in a TCP SYN to that of the session whose feature line is at `features`; over IPv6, whose
    /// header is 20 octets longer, to 20 less. Leaves everything else as it is.
    /// - Parameters:
    ///   - offset: octets from the frame's first byte to the PPP protocol field.
    ///   - length: octets of PPP; what does not lie in the frame's first buffer is not looked at.
    @inline(never)
    func clampMSS(
        _ frame: PacketBuffer, offset: UInt32, length: UInt32, _ features: UnsafeMutablePointer<culvert_features>
    ) {
        let ppp = frame.bytes.dropping(Int(truncatingIfNeeded: offset)).prefix(Int(truncatingIfNeeded: length))
        guard let tcp = InnerTCPHeader(ppp), tcp.header.isSYN else { return }
        let mss = culvert_load_relaxed_u16(UnsafeMutableRawPointer(features).assumingMemoryBound(to: UInt16.self))
        let limit = tcp.isIPv6 ? (mss > 20 ? mss &- 20 : 0) : mss
        if tcp.header.lowerMaximumSegmentSize(to: limit) { count(.mssClamped) }
    }
}
