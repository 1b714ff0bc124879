/// One step of a controller's feed.
public enum StaticOperation: Hashable, Sendable {
    /// Adds a tunnel.
    case addTunnel(StaticTunnel)
    /// Removes a tunnel with its sessions.
    case removeTunnel(StaticTunnelReference)
    /// Adds a session.
    case addSession(StaticSession)
    /// Removes the session with this reference.
    case removeSession(UInt64)
}

/// Why a step of a controller's feed was refused. Nothing has changed then.
public struct StaticFault: Error, Hashable, Sendable {
    /// Kinds of reasons.
    public enum Code: String, Hashable, Sendable, Encodable, CaseIterable {
        /// A field is missing or out of range.
        case invalid
        /// The tunnel, session or port that is named is not there.
        case notFound = "not_found"
        /// The name or reference is taken.
        case alreadyExists = "already_exists"
        /// A table is full.
        case exhausted
        /// There is no data plane.
        case unavailable
    }

    /// Kind of reason.
    public var code: Code
    /// For people.
    public var reason: String

    /// A refusal.
    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}

/// What became of one step of a controller's feed.
public enum StaticResult: Hashable, Sendable {
    /// The tunnel is there under this local id.
    case tunnelAdded(tunnelID: UInt16)
    /// The tunnel is gone, with so many sessions.
    case tunnelRemoved(sessions: UInt32)
    /// The session is there under these ids.
    case sessionAdded(pppoeSessionID: UInt16, sessionID: UInt16, tunnelID: UInt16)
    /// The session is gone; its final counters.
    case sessionRemoved(Traffic)
    /// Nothing has changed.
    case refused(StaticFault)
}
