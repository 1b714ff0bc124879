import Wire

/// How a destination stands, raw values as operators see them.
public enum DestinationState: String, Hashable, Sendable, Encodable, CaseIterable {
    /// No tunnel, and no reason to make one.
    case idle = "Idle"
    /// The first tunnel is being opened.
    case connecting = "Connecting"
    /// A tunnel is established.
    case up = "Up"
    /// It takes no new sessions.
    case draining = "Draining"
    /// It did not answer, and is left alone for a while.
    case holdDown = "Hold-down"
}

/// Everything that can be seen of an LNS: the level between the system and its tunnels.
public struct DestinationSnapshot: Hashable, Sendable, Encodable {
    /// The LNS's address.
    public var address: IPAddress
    /// The l2tp-profile that says how to talk to it.
    public var profile: String
    /// How it stands.
    public var state: DestinationState
    /// Local ids of its tunnels, in order.
    public var tunnels: [UInt16] = []
    /// How many of them are established.
    public var establishedTunnels: UInt32 = 0
    /// Number of sessions in them.
    public var sessions: UInt32 = 0
    /// Attempts to reach it since it was last up.
    public var attempts: UInt32 = 0
    /// When it is tried again; nil: not planned.
    public var retryAt: Timestamp?
    /// The least preference value that it was last chosen by (RFC 2868 section 3.8): the lower, the better.
    public var preference: UInt32 = 0
    /// Why it was left last; empty: never.
    public var lastFailure = ""
    /// What its sessions that are up carry, octets of PPP frames.
    public var data = Traffic()

    /// A destination with its identity; the rest is to be filled in.
    public init(address: IPAddress, profile: String, state: DestinationState) {
        self.address = address
        self.profile = profile
        self.state = state
    }
}
