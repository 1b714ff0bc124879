import Wire

/// A configured way to a network that is not connected.
public struct StaticRoute: Equatable, Sendable {
    /// The destinations that take the route.
    public var prefix: IPPrefix
    /// The router that they are sent to, a neighbour on a connected network, of the prefix's family.
    public var nextHop: IPAddress
    /// The port that a link-local next hop lies on; nil: the only one on which IPv6 is spoken. Other next hops say their port by
    /// their network.
    public var port: UInt16?

    /// A route for `prefix` by the router `nextHop`.
    public init(prefix: IPPrefix, nextHop: IPAddress, port: UInt16? = nil) {
        self.prefix = prefix
        self.nextHop = nextHop
        self.port = port
    }
}

/// Where a packet for some destination goes: the interface it leaves by and the neighbour it is handed to.
public struct Route: Equatable, Sendable {
    /// The port that it leaves by.
    public var port: UInt16
    /// The neighbour whose Ethernet address it carries: the destination itself, or a router.
    public var gateway: IPAddress
    /// The node's address on the network that the gateway lies in, the source of packets that name none.
    public var source: IPAddress
    /// Ethernet address of the port.
    public var sourceMAC: MACAddress
    /// Largest IP packet that the port sends, bytes.
    public var mtu: UInt16
}

/// Connected networks and static routes of both families; the longest prefix wins, and among equal ones a connected network.
struct RouteTable {
    private struct Entry {
        var prefix: IPPrefix
        /// Nil: the destination is a neighbour itself.
        var gateway: IPAddress?
        var interface: HostInterface
        var source: IPAddress
    }

    /// Longest prefix first.
    private var entries: [Entry] = []
    private let connected: [IPPrefix]
    private let own: Set<IPAddress>

    /// The table of `interfaces` and `routes`. A route whose next hop is not a host on a connected network is out of
    /// force, as in any router; so is one with a link-local next hop on no port or on one of several.
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
            let hops = direct.filter {
                $0.prefix.isHost(route.nextHop) && (route.port == nil || route.port == $0.interface.port)
            }
            guard !own.contains(route.nextHop), let hop = hops.first,
                !route.nextHop.isLinkLocal || Set(hops.map(\.interface.port)).count == 1
            else { continue }
            // What goes beyond the link needs a source that means something there.
            let source =
                route.nextHop.isLinkLocal
                ? hop.interface.ipv6Addresses.first { !$0.isLinkLocal }.map(IPAddress.v6) ?? hop.source : hop.source
            entries.append(
                Entry(prefix: route.prefix, gateway: route.nextHop, interface: hop.interface, source: source))
        }
        entries.sort { a, b in
            if a.prefix.length != b.prefix.length { return a.prefix.length > b.prefix.length }
            return a.gateway == nil && b.gateway != nil
        }
    }

    /// The way to `destination`; nil when there is none, when it is one of the node's own addresses, a network's or
    /// broadcast address, or no host's address at all.
    ///
    /// A link-local destination is looked for on `port`, and without a port on the only link that there is.
    func route(to destination: IPAddress, port: UInt16? = nil) -> Route? {
        guard destination.isUnicast, !own.contains(destination), !isConnectedBroadcast(destination) else { return nil }
        let found: Entry?
        if destination.isLinkLocal {
            let links = entries.filter {
                $0.gateway == nil && $0.prefix.contains(destination) && (port == nil || port == $0.interface.port)
            }
            found = Set(links.map(\.interface.port)).count == 1 ? links.first : nil
        } else {
            found = entries.first { $0.prefix.contains(destination) }
        }
        return found.map { entry in
            Route(
                port: entry.interface.port, gateway: entry.gateway ?? destination, source: entry.source,
                sourceMAC: entry.interface.mac, mtu: entry.interface.mtu)
        }
    }

    /// Whether `address` names a whole connected network, or all its routers, instead of a host in it.
    func isConnectedBroadcast(_ address: IPAddress) -> Bool {
        connected.contains { $0.contains(address) && !$0.isHost(address) }
    }

    /// The routes in force, in the order in which they are looked at.
    var listing: [HostStack.RouteEntry] {
        entries.map {
            HostStack.RouteEntry(prefix: $0.prefix, gateway: $0.gateway, port: $0.interface.port, source: $0.source)
        }
    }
}
