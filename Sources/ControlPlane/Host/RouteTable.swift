import Wire

/// A port that the node has IPv4 addresses on.
public struct HostInterface: Equatable, Sendable {
    /// The segment's port index.
    public var port: UInt16
    /// The port's own Ethernet address.
    public var mac: MACAddress
    /// Largest IP packet that the port sends, bytes.
    public var mtu: UInt16
    /// The node's addresses on the port, each with the length of the network that it lies in.
    public var addresses: [IPv4Prefix]

    /// A port with the node's addresses.
    public init(port: UInt16, mac: MACAddress, mtu: UInt16, addresses: [IPv4Prefix]) {
        self.port = port
        self.mac = mac
        self.mtu = mtu
        self.addresses = addresses
    }
}

/// A configured way to a network that is not connected.
public struct StaticRoute: Equatable, Sendable {
    /// The destinations that take the route.
    public var prefix: IPv4Prefix
    /// The router that they are sent to, a neighbour on a connected network.
    public var nextHop: IPv4Address

    /// A route for `prefix` by the router `nextHop`.
    public init(prefix: IPv4Prefix, nextHop: IPv4Address) {
        self.prefix = prefix
        self.nextHop = nextHop
    }
}

/// Where a packet for some destination goes: the interface it leaves by and the neighbour it is handed to.
public struct Route: Equatable, Sendable {
    /// The port that it leaves by.
    public var port: UInt16
    /// The neighbour whose Ethernet address it carries: the destination itself, or a router.
    public var gateway: IPv4Address
    /// The node's address on the network that the gateway lies in, the source of packets that name none.
    public var source: IPv4Address
    /// Ethernet address of the port.
    public var sourceMAC: MACAddress
    /// Largest IP packet that the port sends, bytes.
    public var mtu: UInt16
}

/// Connected networks and static routes; the longest prefix wins, and among equal ones a connected network.
struct RouteTable {
    private struct Entry {
        var prefix: IPv4Prefix
        /// Nil: the destination is a neighbour itself.
        var gateway: IPv4Address?
        var interface: HostInterface
        var source: IPv4Address
    }

    /// Longest prefix first.
    private var entries: [Entry] = []
    private let connected: [IPv4Prefix]
    private let own: Set<IPv4Address>

    /// The table of `interfaces` and `routes`. A route whose next hop is not a host on a connected network is out of
    /// force, as in any router.
    init(interfaces: [HostInterface], routes: [StaticRoute]) {
        connected = interfaces.flatMap(\.addresses)
        own = Set(connected.map(\.address))
        for interface in interfaces {
            for address in interface.addresses {
                entries.append(Entry(prefix: address, gateway: nil, interface: interface, source: address.address))
            }
        }
        entries.sort { $0.prefix.length > $1.prefix.length }
        let direct = entries
        for route in routes {
            guard !own.contains(route.nextHop),
                let hop = direct.first(where: { $0.prefix.isHost(route.nextHop) })
            else { continue }
            entries.append(
                Entry(prefix: route.prefix, gateway: route.nextHop, interface: hop.interface, source: hop.source))
        }
        entries.sort { a, b in
            if a.prefix.length != b.prefix.length { return a.prefix.length > b.prefix.length }
            return a.gateway == nil && b.gateway != nil
        }
    }

    /// The way to `destination`; nil when there is none, when it is one of the node's own addresses, a network's or
    /// broadcast address, or no host's address at all.
    func route(to destination: IPv4Address) -> Route? {
        guard destination.isUnicast, !own.contains(destination), !isConnectedBroadcast(destination),
            let entry = entries.first(where: { $0.prefix.contains(destination) })
        else { return nil }
        return Route(
            port: entry.interface.port, gateway: entry.gateway ?? destination, source: entry.source,
            sourceMAC: entry.interface.mac, mtu: entry.interface.mtu)
    }

    /// Whether `address` names a whole connected network instead of a host in it.
    func isConnectedBroadcast(_ address: IPv4Address) -> Bool {
        connected.contains { $0.contains(address) && !$0.isHost(address) }
    }
}
