import Configuration
import Observability

/// What a session has beside being forwarded, from its configuration.
public struct SessionSettings: Hashable, Sendable {
    /// Largest MSS that TCP SYNs over IPv4 may announce, octets; 20 less over IPv6. Nil: they pass as they are.
    public var maximumSegmentSize: UInt16?
    /// Whether data messages to the peer always have sequence numbers; else they do while the peer's have.
    public var sendsSequenceNumbers = false
    /// Whether data messages from the peer must have them.
    public var requiresSequenceNumbers = false
    /// Whether those that come early wait for those before them.
    public var reorders = false

    /// None of them.
    public init() {}

    /// Those of a client of `instance`, in a tunnel of `profile`.
    init(_ instance: AccessConcentrator, _ profile: L2TPProfile) {
        maximumSegmentSize = instance.maximumSegmentSize
        sendsSequenceNumbers = profile.dataSequencing != .off
        requiresSequenceNumbers = profile.dataSequencing == .required
        reorders = profile.reorder
    }
}

/// What the features of a session have done so far.
public struct SessionDetails: Hashable, Sendable {
    /// In force.
    public var policers = SessionPolicers()
    /// Frames from the client that the policer dropped.
    public var upstreamPolicedPackets: UInt64 = 0
    /// Frames to the client that the policer dropped.
    public var downstreamPolicedPackets: UInt64 = 0
    /// As in `SessionSettings`.
    public var maximumSegmentSize: UInt16?
    /// Whether data messages to the peer have sequence numbers now.
    public var isSequenced = false
    /// Data messages from the peer whose sequence numbers say that they were lost.
    public var missing: UInt32 = 0
    /// Data messages from the peer that came after later ones, or twice.
    public var late: UInt32 = 0
    /// Data messages from the peer that waited for earlier ones.
    public var reordered: UInt32 = 0

    /// Nothing.
    public init() {}
}
