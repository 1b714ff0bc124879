import CSegment
import Segment

// What a session's features ask of a frame before it is sent on: one call each way, in the order policer, MSS.
extension Forwarder {
    /// Features that are in force: those that culvertd has set, and those that the peer has asked for.
    @inline(__always)
    func featuresInForce(_ word: UInt32) -> UInt32 { word & 0xff | word >> 8 & SessionFeature.sequenced }

    /// Why a frame to the core may not go on; nil: it may, and its MSS was lowered where it had to be.
    @inline(__always)
    func refusalUpstream(_ found: UpstreamFrame, _ features: UInt32) -> Counter? {
        refusal(
            found.frame, offset: found.payloadOffset, length: found.payloadLength, features,
            view.upstreamFeatures + (found.line - view.upstream), .policedUpstream)
    }

    /// Why a frame to the access side may not go on; nil: it may, and its MSS was lowered where it had to be.
    @inline(__always)
    func refusalDownstream(_ found: DownstreamFrame, _ features: UInt32) -> Counter? {
        refusal(
            found.frame, offset: found.payloadOffset, length: found.payloadLength, features,
            view.downstreamFeatures + (found.line - view.downstream), .policedDownstream)
    }

    /// - Parameters:
    ///   - offset: octets from the frame's first to the PPP protocol field.
    ///   - length: octets of PPP.
    ///   - line: the session's feature line, read only where `features` says so.
    ///   - reason: what frames beyond the policer's rate are counted as.
    @inline(__always)
    private func refusal(
        _ frame: PacketBuffer, offset: UInt32, length: UInt32, _ features: UInt32,
        _ line: UnsafeMutablePointer<culvert_features>, _ reason: Counter
    ) -> Counter? {
        if features & SessionFeature.policed != 0, let refusal = refusal(length: length, line, reason) {
            return refusal
        }
        if features & SessionFeature.clamped != 0 { clampMSS(frame, offset: offset, length: length, line) }
        return nil
    }
}
