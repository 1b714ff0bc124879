import CSegment
import Segment

// What a session's features ask of a frame before it is sent on: one call each way, in the order policer, MSS.
extension Forwarder {
    /// Features that are in force: those that culvertd has set, and those that the peer has asked for.
    @inline(__always)
    func featuresInForce(_ word: UInt32) -> UInt32 { word & 0xff | word >> 8 & SessionFeature.sequenced }

    /// Whether a frame to the core may go on; its MSS is lowered then. False: it was dropped.
    @inline(__always)
    func admitUpstream(_ found: UpstreamFrame, _ features: UInt32) -> Bool {
        admit(
            found.frame, offset: found.payloadOffset, length: found.payloadLength, features,
            view.upstreamFeatures + (found.line - view.upstream), .policedUpstream)
    }

    /// Whether a frame to the access side may go on; its MSS is lowered then. False: it was dropped.
    @inline(__always)
    func admitDownstream(_ found: DownstreamFrame, _ features: UInt32) -> Bool {
        admit(
            found.frame, offset: found.payloadOffset, length: found.payloadLength, features,
            view.downstreamFeatures + (found.line - view.downstream), .policedDownstream)
    }

    /// - Parameters:
    ///   - offset: octets from the frame's first to the PPP protocol field.
    ///   - length: octets of PPP.
    ///   - line: the session's feature line, read only where `features` says so.
    ///   - reason: what frames beyond the policer's rate are counted as.
    @inline(__always)
    private func admit(
        _ frame: PacketBuffer, offset: UInt32, length: UInt32, _ features: UInt32,
        _ line: UnsafeMutablePointer<culvert_features>, _ reason: Counter
    ) -> Bool {
        if features & SessionFeature.policed != 0 {
            guard admit(frame, length: length, line, reason) else { return false }
        }
        if features & SessionFeature.clamped != 0 { clampMSS(frame, offset: offset, length: length, line) }
        return true
    }
}
