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
    /// Adds many sessions; each is added or refused by itself.
    case addSessions(StaticSessionBatch)
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
    /// The sessions of a batch are there but for those that were refused.
    case sessionsAdded(StaticSessionsAdded)
    /// Nothing has changed.
    case refused(StaticFault)
}

extension StaticResult: Encodable {
    private enum Key: CodingKey {
        case outcome, tunnelID, sessionID, pppoeSessionID, sessions, data, code, reason, sessionIDs, pppoeSessionIDs
        case refused
    }

    /// Encodes flat: `outcome` names the kind, the rest is there where the kind has it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .tunnelAdded(let tunnelID):
            try container.encode("tunnel_added", forKey: .outcome)
            try container.encode(tunnelID, forKey: .tunnelID)
        case .tunnelRemoved(let sessions):
            try container.encode("tunnel_removed", forKey: .outcome)
            try container.encode(sessions, forKey: .sessions)
        case .sessionAdded(let pppoeSessionID, let sessionID, let tunnelID):
            try container.encode("session_added", forKey: .outcome)
            try container.encode(pppoeSessionID, forKey: .pppoeSessionID)
            try container.encode(sessionID, forKey: .sessionID)
            try container.encode(tunnelID, forKey: .tunnelID)
        case .sessionRemoved(let data):
            try container.encode("session_removed", forKey: .outcome)
            try container.encode(data, forKey: .data)
        case .sessionsAdded(let added):
            try container.encode("sessions_added", forKey: .outcome)
            try container.encode(added.tunnelID, forKey: .tunnelID)
            try container.encode(added.sessionIDs, forKey: .sessionIDs)
            try container.encode(added.pppoeSessionIDs, forKey: .pppoeSessionIDs)
            try container.encode(added.refused, forKey: .refused)
        case .refused(let fault):
            try container.encode("refused", forKey: .outcome)
            try container.encode(fault.code, forKey: .code)
            try container.encode(fault.reason, forKey: .reason)
        }
    }
}
