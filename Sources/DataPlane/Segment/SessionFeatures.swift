/// A direction of a session.
public enum SessionDirection: Hashable, Sendable, CaseIterable {
    /// Access to core.
    case upstream
    /// Core to access.
    case downstream
}

/// What a session has beside its addresses. All of it may change while the session lives.
public struct SessionFeatures: Hashable, Sendable {
    /// Smallest and largest MSS that can be asked for. Less would make senders' packets all header.
    public static let mssRange: ClosedRange<UInt16> = 128...65_495

    /// What access to core is policed by; nil: not policed.
    public var upstreamPolicer: PolicerRates?
    /// What core to access is policed by; nil: not policed.
    public var downstreamPolicer: PolicerRates?
    /// The largest maximum segment size that TCP SYNs over IPv4 may name in either direction, in octets, within `mssRange`; over
    /// IPv6 20 less. nil: SYNs pass as they are.
    public var mss: UInt16?
    /// Whether data messages to the peer have sequence numbers whatever the peer does. Without it they have them while the
    /// peer's do (RFC 2661, section 5.4).
    public var sendsSequence = false
    /// Whether data messages of the peer without sequence numbers are dropped.
    public var requiresSequence = false
    /// Whether data messages that come too early wait for those before them.
    public var reorders = false

    /// None of them.
    public init() {}

    /// What polices a direction.
    public subscript(direction: SessionDirection) -> PolicerRates? {
        get { direction == .upstream ? upstreamPolicer : downstreamPolicer }
        set {
            switch direction {
            case .upstream: upstreamPolicer = newValue
            case .downstream: downstreamPolicer = newValue
            }
        }
    }
}
