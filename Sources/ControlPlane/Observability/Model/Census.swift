/// How many clients, tunnels and sessions there are, by state.
public struct Census: Hashable, Sendable {
    /// PPPoE connections by state.
    public var connections: [ConnectionState: Int]
    /// Tunnels of Culvert's own signalling by state.
    public var tunnels: [TunnelState: Int]
    /// Sessions in those, by state.
    public var sessions: [SessionState: Int]
    /// Static tunnels.
    public var staticTunnels: Int
    /// Static sessions.
    public var staticSessions: Int

    /// Numbers of everything.
    public init(
        connections: [ConnectionState: Int] = [:], tunnels: [TunnelState: Int] = [:],
        sessions: [SessionState: Int] = [:], staticTunnels: Int = 0, staticSessions: Int = 0
    ) {
        self.connections = connections
        self.tunnels = tunnels
        self.sessions = sessions
        self.staticTunnels = staticTunnels
        self.staticSessions = staticSessions
    }
}
