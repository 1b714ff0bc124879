import Wire

/// State of a route of the access concentrator, raw values as operators see them.
public enum ConnectionState: String, Hashable, Sendable, Encodable, CaseIterable {
    /// LCP and authentication with the client, up to its user name.
    case negotiating = "Negotiating"
    /// LNS chosen; tunnel and session are being opened.
    case connecting = "Connecting"
    /// Frames are forwarded.
    case open = "Open"
    /// Being taken down.
    case closing = "Closing"
}

/// Everything that can be seen of a route of the access concentrator: a client's PPPoE session, the source, and the L2TP
/// session that it leads into, the destination.
public struct PPPoEConnectionSnapshot: Hashable, Sendable, Encodable {
    /// `INSTANCE-INTERFACE`
    public var routeName: String
    /// Number of the route, never 0.
    public var routeID: UInt32
    /// Name of the pppoe-ac instance.
    public var instance: String
    /// How far it is.
    public var state: ConnectionState
    /// When the client's PPPoE session was made.
    public var createdAt: Timestamp
    /// The access interface, with its VLANs: `access0.100`.
    public var interfaceName: String
    /// Outer VLAN id; 0: untagged.
    public var outerVLAN: UInt16 = 0
    /// Inner VLAN id; 0: no second tag.
    public var innerVLAN: UInt16 = 0
    /// PPPoE session id.
    public var pppoeSessionID: UInt16
    /// Service-Name of the client's PADR.
    public var serviceName = ""
    /// The client's address.
    public var clientMAC: MACAddress
    /// The name that the client authenticated with; empty: not known yet.
    public var userName = ""
    /// Local tunnel id; 0: none yet.
    public var tunnelID: UInt16 = 0
    /// Local L2TP session id; 0: none yet.
    public var sessionID: UInt16 = 0
    /// Largest PPP information field that the client was told to send, octets; 0: not agreed upon yet.
    public var mru: UInt16 = 0

    /// A route with its identity and source; the rest is to be filled in.
    public init(
        routeName: String, routeID: UInt32, instance: String, state: ConnectionState, createdAt: Timestamp,
        interfaceName: String, pppoeSessionID: UInt16, clientMAC: MACAddress
    ) {
        self.routeName = routeName
        self.routeID = routeID
        self.instance = instance
        self.state = state
        self.createdAt = createdAt
        self.interfaceName = interfaceName
        self.pppoeSessionID = pppoeSessionID
        self.clientMAC = clientMAC
    }
}
