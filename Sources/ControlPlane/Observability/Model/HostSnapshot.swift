import Wire

/// State of an entry of the neighbour cache (RFC 4861 section 7.3.2), for ARP as well; raw values as operators see them.
public enum NeighbourState: String, Hashable, Sendable, Encodable, CaseIterable {
    /// It is asked for, and no address is known.
    case incomplete = "Incomplete"
    /// The address was confirmed not long ago.
    case reachable = "Reachable"
    /// The address was confirmed a while ago.
    case stale = "Stale"
    /// The same, and something has been sent to it since.
    case delay = "Delay"
    /// It is asked whether the address is still right.
    case probe = "Probe"
    /// It did not answer.
    case unreachable = "Unreachable"
}

/// A neighbour on one of the node's networks.
public struct NeighbourSnapshot: Hashable, Sendable, Encodable {
    /// The port that it is on.
    public var interfaceName: String
    /// Its address.
    public var address: IPAddress
    /// Its Ethernet address; nil: not known.
    public var mac: MACAddress?
    /// State of the entry.
    public var state: NeighbourState
    /// Tunnels and others that need it.
    public var holders: UInt32
    /// Seconds since the address was last confirmed; 0 where there is none.
    public var confirmedSecondsAgo: UInt64

    /// A neighbour.
    public init(
        interfaceName: String, address: IPAddress, mac: MACAddress?, state: NeighbourState, holders: UInt32 = 0,
        confirmedSecondsAgo: UInt64 = 0
    ) {
        self.interfaceName = interfaceName
        self.address = address
        self.mac = mac
        self.state = state
        self.holders = holders
        self.confirmedSecondsAgo = confirmedSecondsAgo
    }
}

/// A way to a network.
public struct RouteSnapshot: Hashable, Sendable, Encodable {
    /// `192.0.2.0/24`
    public var prefix: String
    /// The router; nil: the network is connected.
    public var nextHop: IPAddress?
    /// The port that packets leave by.
    public var interfaceName: String
    /// The node's address that they leave with unless they have one.
    public var source: IPAddress

    /// A route.
    public init(prefix: String, nextHop: IPAddress?, interfaceName: String, source: IPAddress) {
        self.prefix = prefix
        self.nextHop = nextHop
        self.interfaceName = interfaceName
        self.source = source
    }
}

/// What routers have told of the way to an LNS.
public struct PathMTUSnapshot: Hashable, Sendable, Encodable {
    /// The LNS.
    public var address: IPAddress
    /// Largest IP packet, octets.
    public var mtu: UInt16

    /// A path's MTU.
    public init(address: IPAddress, mtu: UInt16) {
        self.address = address
        self.mtu = mtu
    }
}

/// The node's own presence on its ports.
public struct HostSnapshot: Hashable, Sendable, Encodable {
    /// By port and address.
    public var neighbours: [NeighbourSnapshot]
    /// Longest prefix first.
    public var routes: [RouteSnapshot]
    /// By address.
    public var paths: [PathMTUSnapshot]
    /// In the order of their table.
    public var counters: [NamedCounter]

    /// A host.
    public init(
        neighbours: [NeighbourSnapshot] = [], routes: [RouteSnapshot] = [], paths: [PathMTUSnapshot] = [],
        counters: [NamedCounter] = []
    ) {
        self.neighbours = neighbours
        self.routes = routes
        self.paths = paths
        self.counters = counters
    }
}
