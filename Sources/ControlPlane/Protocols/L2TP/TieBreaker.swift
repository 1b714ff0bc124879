import Timing

/// What becomes of two tunnels that both ends have opened towards each other at the same time (RFC 2661, section 4.4.3, Tie
/// Breaker).
public enum TieBreak: Hashable, Sendable {
    /// Neither end insists on one tunnel: both stay.
    case both
    /// Ours stays, and the peer discards its own without a word.
    case ours
    /// The peer's stays, and we discard ours without a word.
    case theirs
    /// The values are equal: both are discarded.
    case neither

    /// Compares our Tie Breaker with the one of the SCCRQ that came. The lower value wins, and any wins over none.
    public init(ours: UInt64?, theirs: UInt64?) {
        switch (ours, theirs) {
        case (nil, nil): self = .both
        case (_?, nil): self = .ours
        case (nil, _?): self = .theirs
        case (let ours?, let theirs?): self = ours < theirs ? .ours : ours > theirs ? .theirs : .neither
        }
    }
}

extension Tunnel {
    /// Whose tunnel stays now that `request` has come from the peer that this one is on its way to; nil when the question does not
    /// arise, since this is not a tunnel of ours whose SCCRQ is out.
    public func tieBreak(against request: StartControlConnection) -> TieBreak? {
        guard role == .initiator, state == .waitControlReply else { return nil }
        return TieBreak(ours: tieBreaker, theirs: request.tieBreaker)
    }

    /// Discards the tunnel without a word to the peer, having lost the tie. Its sessions end; they are the role's to open again
    /// in the tunnel that stays. Nothing happens unless SCCRQ is out.
    public mutating func yield(at now: Instant) -> [TunnelAction] {
        guard role == .initiator, state == .waitControlReply else { return [] }
        channel.stopSending()
        end(TunnelEnd(origin: .tieBreaker, code: nil), in: .idle, on: .tieBreakerLost, at: now)
        release(at: now)
        return finish(at: now)
    }
}
