import Wire

/// A port that the node has addresses on.
public struct HostInterface: Equatable, Sendable {
    /// The segment's port index.
    public var port: UInt16
    /// The port's own Ethernet address.
    public var mac: MACAddress
    /// Largest IP packet that the port sends, bytes.
    public var mtu: UInt16
    /// The node's addresses on the port, each with the length of the network that it lies in. IPv6 is spoken on ports with
    /// an IPv6 address; such a port gets a link-local address of its own as well, from `mac`, unless one is here.
    public var addresses: [IPPrefix]

    /// A port with the node's addresses.
    public init(port: UInt16, mac: MACAddress, mtu: UInt16, addresses: [IPPrefix]) {
        self.port = port
        self.mac = mac
        self.mtu = mtu
        self.addresses = addresses
    }

    /// The same port with the link-local address that IPv6 asks for (RFC 4291 section 2.1).
    var withLinkLocal: HostInterface {
        let ipv6 = addresses.compactMap(\.address.ipv6)
        guard !ipv6.isEmpty, !ipv6.contains(where: \.isLinkLocal) else { return self }
        var interface = self
        interface.addresses.append(.v6(IPv6Prefix(linkLocal: IPv6Address(linkLocal: mac))))
        return interface
    }

    /// The node's IPv4 addresses on the port.
    var ipv4Addresses: [IPv4Address] { addresses.compactMap(\.address.ipv4) }

    /// The node's IPv6 addresses on the port, the link-local one last.
    var ipv6Addresses: [IPv6Address] { addresses.compactMap(\.address.ipv6) }

    /// Whether `address` is one of the node's on this port.
    func owns(_ address: IPAddress) -> Bool { addresses.contains { $0.address == address } }

    /// Whether the port takes packets to an IPv6 multicast group: all nodes, and the solicited-node groups of its addresses.
    func listens(to group: IPv6Address) -> Bool {
        let own = ipv6Addresses
        return !own.isEmpty && (group == .allNodes || own.contains { $0.solicitedNode == group })
    }

    /// Whether the port takes frames to an Ethernet group address: those of the groups that it listens to.
    func listens(to mac: MACAddress) -> Bool {
        let own = ipv6Addresses
        return !own.isEmpty
            && (mac == MACAddress(group: .allNodes) || own.contains { MACAddress(group: $0.solicitedNode) == mac })
    }
}
