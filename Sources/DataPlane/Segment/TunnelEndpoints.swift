import Wire

/// The two ends of a tunnel. They stay the same for as long as the tunnel lives.
public struct TunnelEndpoints: Hashable, Sendable {
    /// The two addresses, which are of one family.
    public enum Addresses: Hashable, Sendable {
        /// A tunnel over IPv4: this node's address and the peer's.
        case ipv4(local: IPv4Address, peer: IPv4Address)
        /// A tunnel over IPv6: this node's address and the peer's.
        case ipv6(local: IPv6Address, peer: IPv6Address)
    }

    /// This node's address and the peer's.
    public var addresses: Addresses
    /// This node's UDP port, host byte order.
    public var localPort: UInt16
    /// The peer's UDP port, host byte order.
    public var peerPort: UInt16
    /// The tunnel id that the peer assigned, host byte order.
    public var peerTunnelID: UInt16
    /// The core port on which the peer's packets arrive.
    public var port: UInt8

    /// The ends of a tunnel; L2TP's well-known UDP port is 1701 (RFC 2661, 8.1).
    public init(
        addresses: Addresses, localPort: UInt16 = 1_701, peerPort: UInt16 = 1_701, peerTunnelID: UInt16, port: UInt8
    ) {
        self.addresses = addresses
        self.localPort = localPort
        self.peerPort = peerPort
        self.peerTunnelID = peerTunnelID
        self.port = port
    }

    /// The ends of a tunnel over IPv4.
    public init(
        localAddress: IPv4Address, peerAddress: IPv4Address, localPort: UInt16 = 1_701, peerPort: UInt16 = 1_701,
        peerTunnelID: UInt16, port: UInt8
    ) {
        self.init(
            addresses: .ipv4(local: localAddress, peer: peerAddress), localPort: localPort, peerPort: peerPort,
            peerTunnelID: peerTunnelID, port: port)
    }

    /// The ends of a tunnel; nil when one address is IPv4 and the other IPv6.
    public init?(
        localAddress: IPAddress, peerAddress: IPAddress, localPort: UInt16 = 1_701, peerPort: UInt16 = 1_701,
        peerTunnelID: UInt16, port: UInt8
    ) {
        let addresses: Addresses
        switch (localAddress, peerAddress) {
        case (.v4(let local), .v4(let peer)): addresses = .ipv4(local: local, peer: peer)
        case (.v6(let local), .v6(let peer)): addresses = .ipv6(local: local, peer: peer)
        default: return nil
        }
        self.init(
            addresses: addresses, localPort: localPort, peerPort: peerPort, peerTunnelID: peerTunnelID, port: port)
    }

    /// This node's address.
    public var localAddress: IPAddress {
        switch addresses {
        case .ipv4(let local, _): .v4(local)
        case .ipv6(let local, _): .v6(local)
        }
    }

    /// The peer's address.
    public var peerAddress: IPAddress {
        switch addresses {
        case .ipv4(_, let peer): .v4(peer)
        case .ipv6(_, let peer): .v6(peer)
        }
    }

    /// Whether the tunnel is over IPv6.
    public var isIPv6: Bool {
        switch addresses {
        case .ipv4: false
        case .ipv6: true
        }
    }
}
