import Wire

/// How a RADIUS server stands, raw values as operators see them.
public enum RADIUSServerState: String, Hashable, Sendable, Encodable, CaseIterable {
    /// It has not been asked yet.
    case untried = "Untried"
    /// It answers.
    case up = "Up"
    /// It did not answer, and is left alone for a while.
    case dead = "Dead"
}

/// Everything that can be seen of a RADIUS server.
public struct RADIUSServerSnapshot: Hashable, Sendable, Encodable {
    /// Its address.
    public var address: IPAddress
    /// UDP port of authentication.
    public var authenticationPort: UInt16
    /// UDP port of accounting.
    public var accountingPort: UInt16
    /// Server groups that it is in.
    public var groups: [String] = []
    /// How it stands.
    public var state = RADIUSServerState.untried
    /// Until when it is left alone; nil unless dead.
    public var deadUntil: Timestamp?
    /// Requests without an answer yet.
    public var inFlight: UInt32 = 0
    /// Time to the last answer; 0: there was none.
    public var roundTripMicroseconds: UInt32 = 0
    /// Its counters, in the order of their table.
    public var counters: [NamedCounter] = []

    /// A server with its identity; the rest is to be filled in.
    public init(address: IPAddress, authenticationPort: UInt16 = 1_812, accountingPort: UInt16 = 1_813) {
        self.address = address
        self.authenticationPort = authenticationPort
        self.accountingPort = accountingPort
    }
}

/// The RADIUS client.
public struct RADIUSSnapshot: Hashable, Sendable, Encodable {
    /// Its servers, in the file's order.
    public var servers: [RADIUSServerSnapshot]
    /// What is counted for the client as a whole.
    public var counters: [NamedCounter]

    /// A client; without servers where none is configured.
    public init(servers: [RADIUSServerSnapshot] = [], counters: [NamedCounter] = []) {
        self.servers = servers
        self.counters = counters
    }
}
