import Wire

/// What a server is asked for; each is a UDP port of its own.
public enum RADIUSService: String, Hashable, Sendable, CaseIterable {
    /// Access-Request.
    case authentication
    /// Accounting-Request.
    case accounting
}

/// A RADIUS server as it is configured.
public struct RADIUSServer: Hashable, Sendable {
    /// What makes two entries the same server.
    public struct Key: Hashable, Sendable, CustomStringConvertible {
        /// Its address.
        public var address: IPAddress
        /// UDP port of authentication; 0: it is not asked.
        public var authenticationPort: UInt16
        /// UDP port of accounting; 0: it is not asked.
        public var accountingPort: UInt16

        /// The server at `address`, at the usual ports unless others are given (RFC 2865 section 3, RFC 2866 section 3).
        public init(address: IPAddress, authenticationPort: UInt16 = 1812, accountingPort: UInt16 = 1813) {
            self.address = address
            self.authenticationPort = authenticationPort
            self.accountingPort = accountingPort
        }

        /// The port of `service`.
        public func port(of service: RADIUSService) -> UInt16 {
            service == .authentication ? authenticationPort : accountingPort
        }

        /// The address with the authentication port.
        public var description: String { address.text(port: authenticationPort) }
    }

    /// Which server it is.
    public var key: Key
    /// The secret that it shares with this node.
    public var secret: [UInt8]
    /// Time before a request is sent again the first time, give or take a tenth; each further time it doubles.
    public var timeout: Duration = .seconds(3)
    /// How often a request is sent again before the next server is asked.
    public var retransmit: Int = 2
    /// How long a server that did not answer is asked last; zero: it is asked in its turn always.
    public var deadTime: Duration = .seconds(60)
    /// Whether the server is asked for signs of life by Status-Server (RFC 5997), which it has to know. Off by default, as
    /// that RFC wants it.
    public var sendsStatusServer = false
    /// Whether an answer to an Access-Request has to carry Message-Authenticator. Without it a forger between the node and
    /// the server can turn a reject into an accept.
    public var requiresMessageAuthenticator = true

    /// A server that shares `secret`.
    public init(_ key: Key, secret: [UInt8]) {
        self.key = key
        self.secret = secret
    }
}

/// Servers that stand in for each other.
public struct RADIUSServerGroup: Hashable, Sendable {
    /// The group's name.
    public var name: String
    /// Its servers, those to be asked first in front.
    public var servers: [RADIUSServer.Key]

    /// A group of `servers`.
    public init(name: String, servers: [RADIUSServer.Key]) {
        self.name = name
        self.servers = servers
    }
}

/// All that a `RADIUSClient` is told.
public struct RADIUSClientConfiguration: Hashable, Sendable {
    /// The servers. Of two with the same key the first counts.
    public var servers: [RADIUSServer]
    /// The groups. Of two with the same name the first counts; servers that are not in `servers` are passed over.
    public var groups: [RADIUSServerGroup]
    /// How the node names itself in Status-Server.
    public var nas: NASIdentity
    /// Source sockets of each address family, 1 to 64. Each has 256 identifiers for each port of each server.
    public var sockets = 4
    /// Requests that wait for an answer at a time; what comes beyond waits to be sent.
    public var requestLimit = 16384
    /// Requests that wait to be sent; what comes beyond is refused.
    public var queueLimit = 65536
    /// How long a request waits to be sent before it counts as unanswered.
    public var queueTimeout: Duration = .seconds(30)

    /// A client of these servers, otherwise with the defaults.
    public init(servers: [RADIUSServer], groups: [RADIUSServerGroup], nas: NASIdentity) {
        self.servers = servers
        self.groups = groups
        self.nas = nas
    }
}
