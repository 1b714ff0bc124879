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
        guard features & (SessionFeature.policed | SessionFeature.clamped) != 0 else { return true }
        let line = view.upstreamFeatures + (found.line - view.upstream)
        if features & SessionFeature.policed != 0 {
            guard admit(found.frame, length: found.payloadLength, line, .policedUpstream) else { return false }
        }
        if features & SessionFeature.clamped != 0 {
            clampMSS(found.frame, offset: found.payloadOffset, length: found.payloadLength, line)
        }
        return true
    }

    /// Whether a frame to the access side may go on; its MSS is lowered then. False: it was dropped.
    @inline(__always)
    func admitDownstream(_ found: DownstreamFrame, _ features: UInt32) -> Bool {
        guard features & (SessionFeature.policed | SessionFeature.clamped) != 0 else { return true }
        let line = view.downstreamFeatures + (found.line - view.downstream)
        if features & SessionFeature.policed != 0 {
            guard admit(found.frame, length: found.payloadLength, line, .policedDownstream) else { return false }
        }
        if features & SessionFeature.clamped != 0 {
            clampMSS(found.frame, offset: found.payloadOffset, length: found.payloadLength, line)
        }
        return true
    }
}
