import Wire

/// Where frames to a static tunnel's peer go.
public enum StaticNextHop: Hashable, Sendable {
    /// To the peer, a neighbour on the egress port, resolved by ARP.
    case peer
    /// To this gateway, resolved by ARP.
    case address(IPAddress)
    /// To this neighbour, nothing to resolve.
    case mac(MACAddress)
}

/// A tunnel to a peer that was set up by other means than our L2TP signalling, given by a controller.
public struct StaticTunnel: Hashable, Sendable {
    /// The controller's name, unique among static tunnels, 1 to 63 octets.
    public var name: String
    /// The peer's address.
    public var peerAddress: IPAddress
    /// Our address.
    public var localAddress: IPAddress
    /// The peer's UDP port.
    public var peerPort: UInt16
    /// Our UDP port.
    public var localPort: UInt16
    /// The id that the peer assigned, which goes into the L2TP header; never 0.
    public var peerTunnelID: UInt16
    /// Name of the core port.
    public var egressPort: String
    /// Where frames go.
    public var nextHop: StaticNextHop
    /// Largest outer IP packet, octets; 0: the port's MTU.
    public var mtu: UInt16
    /// Whether the L2TP header is sent with its length field.
    public var lengthBit: Bool
    /// Whether the outer UDP checksum is computed, else 0 is sent.
    public var udpChecksum: Bool
    /// Whether the inner packet's ToS octet is copied to the outer header; else `tos` is sent.
    public var tosInherit: Bool
    /// ToS octet of the outer header.
    public var tos: UInt8

    /// A tunnel to `peerAddress`.
    public init(
        name: String, peerAddress: IPAddress, localAddress: IPAddress, peerPort: UInt16 = 1701,
        localPort: UInt16 = 1701, peerTunnelID: UInt16, egressPort: String, nextHop: StaticNextHop = .peer,
        mtu: UInt16 = 0, lengthBit: Bool = false, udpChecksum: Bool = false, tosInherit: Bool = false, tos: UInt8 = 0
    ) {
        self.name = name
        self.peerAddress = peerAddress
        self.localAddress = localAddress
        self.peerPort = peerPort
        self.localPort = localPort
        self.peerTunnelID = peerTunnelID
        self.egressPort = egressPort
        self.nextHop = nextHop
        self.mtu = mtu
        self.lengthBit = lengthBit
        self.udpChecksum = udpChecksum
        self.tosInherit = tosInherit
        self.tos = tos
    }
}

/// Names a static tunnel.
public enum StaticTunnelReference: Hashable, Sendable {
    /// By the controller's name, which works before the result with the id is there.
    case name(String)
    /// By the local tunnel id.
    case id(UInt16)
}

extension StaticTunnel: Encodable {
    private enum Key: String, CodingKey {
        case name, peerAddress, localAddress, peerPort, localPort, peerTunnelID, egressPort, nextHopMAC, nextHopAddress
        case mtu, lengthBit, udpChecksum, tosInherit, tos
    }

    /// Encodes with the field names of the feed; the next hop is in at most one of its two fields, the other is empty.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(peerAddress, forKey: .peerAddress)
        try container.encode(localAddress, forKey: .localAddress)
        try container.encode(peerPort, forKey: .peerPort)
        try container.encode(localPort, forKey: .localPort)
        try container.encode(peerTunnelID, forKey: .peerTunnelID)
        try container.encode(egressPort, forKey: .egressPort)
        var mac = ""
        var address = ""
        switch nextHop {
        case .peer: break
        case .address(let gateway): address = gateway.description
        case .mac(let neighbour): mac = neighbour.description
        }
        try container.encode(mac, forKey: .nextHopMAC)
        try container.encode(address, forKey: .nextHopAddress)
        try container.encode(mtu, forKey: .mtu)
        try container.encode(lengthBit, forKey: .lengthBit)
        try container.encode(udpChecksum, forKey: .udpChecksum)
        try container.encode(tosInherit, forKey: .tosInherit)
        try container.encode(tos, forKey: .tos)
    }
}

/// A static tunnel and how it is doing.
public struct StaticTunnelStatus: Hashable, Sendable, Encodable {
    /// As it was given.
    public var tunnel: StaticTunnel
    /// Local tunnel id that was assigned.
    public var tunnelID: UInt16
    /// Whether the next hop's MAC address is known.
    public var nextHopResolved: Bool
    /// Number of its sessions.
    public var sessionCount: UInt32

    /// A tunnel and how it is doing.
    public init(tunnel: StaticTunnel, tunnelID: UInt16, nextHopResolved: Bool, sessionCount: UInt32) {
        self.tunnel = tunnel
        self.tunnelID = tunnelID
        self.nextHopResolved = nextHopResolved
        self.sessionCount = sessionCount
    }
}
