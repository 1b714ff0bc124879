/// The rates of a session's policer in one direction: a two rate three colour marker (RFC 2698), colour-blind, whose red
/// frames are dropped. Octets are those of PPP frames from the protocol field on.
public struct PolicerSettings: Hashable, Sendable, Codable {
    /// Bit/s.
    public var committedRate: UInt64
    /// Bit/s.
    public var peakRate: UInt64
    /// Octets.
    public var committedBurst: UInt64
    /// Octets.
    public var peakBurst: UInt64

    /// Rates that can be configured, bit/s: 1,000 octets a second to 400 Gbit/s.
    public static let rates: ClosedRange<UInt64> = 8_000...400_000_000_000
    /// Bursts that can be configured, octets.
    public static let bursts: ClosedRange<UInt64> = 1...UInt64(UInt32.max)

    /// A policer with these rates in bit/s and bursts in octets.
    public init(committedRate: UInt64, peakRate: UInt64, committedBurst: UInt64, peakBurst: UInt64) {
        self.committedRate = committedRate
        self.peakRate = peakRate
        self.committedBurst = committedBurst
        self.peakBurst = peakBurst
    }

    /// What is wrong with the figures, in words that begin with the field's name; nil when they are fit.
    public var fault: String? {
        func range(_ range: ClosedRange<UInt64>) -> String { "lies in \(range.lowerBound) to \(range.upperBound)" }
        if !Self.rates.contains(committedRate) { return "committed_rate \(range(Self.rates)) bit/s" }
        if !Self.rates.contains(peakRate) { return "peak_rate \(range(Self.rates)) bit/s" }
        if peakRate < committedRate { return "peak_rate is at least the committed rate" }
        if !Self.bursts.contains(committedBurst) { return "committed_burst \(range(Self.bursts)) octets" }
        if !Self.bursts.contains(peakBurst) { return "peak_burst \(range(Self.bursts)) octets" }
        return nil
    }
}

/// A session's policers; nil: none in this direction.
public struct SessionPolicers: Hashable, Sendable, Codable {
    /// From the client to the LNS.
    public var upstream: PolicerSettings?
    /// From the LNS to the client.
    public var downstream: PolicerSettings?

    /// Policers in each direction.
    public init(upstream: PolicerSettings? = nil, downstream: PolicerSettings? = nil) {
        self.upstream = upstream
        self.downstream = downstream
    }
}

/// What becomes of a direction's policer.
public enum PolicerChange: Hashable, Sendable {
    /// It stays as it is.
    case keep
    /// It is these rates from now on, with full buckets.
    case set(PolicerSettings)
    /// There is none from now on.
    case remove
}

/// Names a session that forwards.
public enum SessionName: Hashable, Sendable {
    /// By its local L2TP session id; tunnel nil: the one tunnel that has such a session.
    case l2tp(UInt16, tunnel: UInt16?)
    /// By its route of the access concentrator.
    case route(UInt32)
    /// A static session.
    case staticSession(UInt64)
}
