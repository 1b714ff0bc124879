import Wire

/// Which tunnels to list.
public enum TunnelFilter: Hashable, Sendable {
    /// All of them.
    case all
    /// The one with this local tunnel id.
    case id(UInt16)
    /// The one with this administrative name.
    case name(String)
    /// Those to this address.
    case remoteAddress(IPAddress)
}

/// Which sessions to list; all that is set has to match.
public struct SessionFilter: Hashable, Sendable {
    /// Local tunnel id.
    public var tunnelID: UInt16?
    /// Local session id.
    public var sessionID: UInt16?
    /// Name that the client authenticated with.
    public var userName: String?
    /// Administrative name.
    public var name: String?

    /// A filter; with nothing set, all sessions.
    public init(tunnelID: UInt16? = nil, sessionID: UInt16? = nil, userName: String? = nil, name: String? = nil) {
        self.tunnelID = tunnelID
        self.sessionID = sessionID
        self.userName = userName
        self.name = name
    }
}

/// Which routes of the access concentrator to list; all that is set has to match.
public struct ConnectionFilter: Hashable, Sendable {
    /// Name of a pppoe-ac instance.
    public var instance: String?
    /// Number of the route.
    public var routeID: UInt32?
    /// The client's address.
    public var clientMAC: MACAddress?
    /// Name that the client authenticated with.
    public var userName: String?

    /// A filter; with nothing set, all routes.
    public init(
        instance: String? = nil, routeID: UInt32? = nil, clientMAC: MACAddress? = nil, userName: String? = nil
    ) {
        self.instance = instance
        self.routeID = routeID
        self.clientMAC = clientMAC
        self.userName = userName
    }
}

/// Where a list that is read page by page goes on. Its value means something to whoever made it only.
public struct PageToken: Hashable, Sendable {
    /// The maker's position, a slot or id.
    public var position: UInt64

    /// The place `position`.
    public init(position: UInt64) { self.position = position }
}

/// A part of a long list.
public struct Page<Element: Sendable>: Sendable {
    /// The elements; may be empty although there is a next page.
    public var elements: [Element]
    /// Where the list goes on; nil: it ends here.
    public var next: PageToken?

    /// A page.
    public init(_ elements: [Element], next: PageToken? = nil) {
        self.elements = elements
        self.next = next
    }
}

/// What to take down, with everything below it.
public enum ClearTarget: Hashable, Sendable {
    /// All tunnels to this LNS.
    case destination(IPAddress)
    /// The tunnel with this local id.
    case tunnel(UInt16)
    /// The tunnel with this administrative name.
    case tunnelNamed(String)
    /// A session by its local id; tunnel nil: the one tunnel that has such a session.
    case session(UInt16, tunnel: UInt16?)
    /// A route of the access concentrator.
    case connection(UInt32)
    /// All routes of the access concentrator; tunnels stay.
    case allConnections
    /// All routes of a pppoe-ac instance; tunnels stay.
    case instance(String)
    /// All routes of an access interface, a port or some VLANs of it: `access0`, `access0.100`, `access0.100.7`; tunnels stay.
    case interface(String)
    /// All tunnels, sessions and routes.
    case everything
}

/// What is being taken down.
public struct ClearOutcome: Hashable, Sendable, Encodable {
    /// Number of tunnels.
    public var tunnels: UInt32
    /// Number of L2TP sessions.
    public var sessions: UInt32
    /// Number of routes of the access concentrator.
    public var connections: UInt32

    /// Numbers of what is being taken down.
    public init(tunnels: UInt32 = 0, sessions: UInt32 = 0, connections: UInt32 = 0) {
        self.tunnels = tunnels
        self.sessions = sessions
        self.connections = connections
    }
}
