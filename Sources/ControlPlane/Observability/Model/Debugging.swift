import Wire

/// Parts of the node that can be debugged, raw values as operators see them.
public enum DebugSubsystem: String, Hashable, Sendable, Encodable, CaseIterable {
    /// PPPoE discovery and the routes of the access concentrator.
    case accessConcentrator = "pppoe-ac"
    /// Tunnels and sessions.
    case l2tp
    /// LCP and authentication with clients.
    case ppp
    /// Requests to RADIUS servers.
    case radius
    /// Questions to name servers.
    case dns
}

/// What something is about, as far as that is known. In a rule: what it has to be about; nil matches everything.
public struct DebugScope: Hashable, Sendable, Encodable {
    /// Local tunnel id.
    public var tunnel: UInt16?
    /// Local session id.
    public var session: UInt16?
    /// The client's address.
    public var client: MACAddress?

    /// A scope.
    public init(tunnel: UInt16? = nil, session: UInt16? = nil, client: MACAddress? = nil) {
        self.tunnel = tunnel
        self.session = session
        self.client = client
    }

    /// Whether something with the scope `other` is meant by this one.
    public func contains(_ other: DebugScope) -> Bool {
        (tunnel == nil || tunnel == other.tunnel) && (session == nil || session == other.session)
            && (client == nil || client == other.client)
    }

    /// `tunnel 7 session 9 mac 02:00:00:00:00:01`, or empty.
    public var text: String {
        var words: [String] = []
        if let tunnel { words.append("tunnel \(tunnel)") }
        if let session { words.append("session \(session)") }
        if let client { words.append("mac \(client)") }
        return words.joined(separator: " ")
    }
}

/// Something to debug.
public struct DebugRule: Hashable, Sendable, Encodable {
    /// Nil: all of them.
    public var subsystem: DebugSubsystem?
    /// Nothing set: everything of the subsystem.
    public var scope: DebugScope

    /// A rule.
    public init(_ subsystem: DebugSubsystem? = nil, scope: DebugScope = DebugScope()) {
        self.subsystem = subsystem
        self.scope = scope
    }
}

/// A change of what is debugged.
public enum DebugChange: Hashable, Sendable {
    /// From now on this as well.
    case enable(DebugRule)
    /// This no more; a rule without scope takes all rules of its subsystem along.
    case disable(DebugRule)
    /// Nothing any more.
    case disableAll
}

/// A line of debugging.
public struct DebugLine: Hashable, Sendable, Encodable {
    /// When it was written.
    public var time: Timestamp
    /// Who wrote it.
    public var subsystem: DebugSubsystem
    /// What it is about.
    public var scope: DebugScope
    /// What happened.
    public var text: String
    /// Lines before it that the watcher has missed.
    public var missed: UInt64

    /// A line.
    public init(
        time: Timestamp, subsystem: DebugSubsystem, scope: DebugScope = DebugScope(), text: String, missed: UInt64 = 0
    ) {
        self.time = time
        self.subsystem = subsystem
        self.scope = scope
        self.text = text
        self.missed = missed
    }
}
