import Wire

/// What takes no new sessions, or is to take them again. What is up on it stays up.
public enum DrainTarget: Hashable, Sendable {
    /// The node takes no new clients.
    case system
    /// No new sessions and tunnels to this LNS.
    case destination(IPAddress)
    /// No new sessions in the tunnel with this local id.
    case tunnel(UInt16)
    /// The same by the tunnel's administrative name.
    case tunnelNamed(String)
    /// No new clients of this pppoe-ac instance.
    case instance(String)
    /// No new clients on this port.
    case interface(String)

    /// `system`, `destination 192.0.2.1`, `tunnel 7`, `tunnel isp1`, `pppoe-ac ac1`, `interface access0`: as an operator types it.
    public var text: String {
        switch self {
        case .system: "system"
        case .destination(let address): "destination \(address)"
        case .tunnel(let id): "tunnel \(id)"
        case .tunnelNamed(let name): "tunnel \(name)"
        case .instance(let name): "pppoe-ac \(name)"
        case .interface(let name): "interface \(name)"
        }
    }
}

extension DrainTarget: Encodable {
    /// Encodes as `text`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// What is still up on something that is drained, or is not any more.
public struct DrainOutcome: Hashable, Sendable, Encodable {
    /// Whether it is drained now.
    public var draining: Bool
    /// Number of tunnels.
    public var tunnels: UInt32
    /// Number of L2TP sessions.
    public var sessions: UInt32
    /// Number of routes of the access concentrator.
    public var connections: UInt32

    /// Numbers of what is still up.
    public init(draining: Bool, tunnels: UInt32 = 0, sessions: UInt32 = 0, connections: UInt32 = 0) {
        self.draining = draining
        self.tunnels = tunnels
        self.sessions = sessions
        self.connections = connections
    }
}
