import Wire

/// A session that forwards without any signalling of ours, given by a controller.
public struct StaticSession: Hashable, Sendable {
    /// The controller's number, unique among static sessions, never 0.
    public var reference: UInt64
    /// Name of the access port.
    public var port: String
    /// Outer VLAN id; 0: untagged.
    public var outerVLAN: UInt16
    /// Inner VLAN id; 0: no second tag.
    public var innerVLAN: UInt16
    /// TPID of the outer tag, 0x8100 or 0x88a8; 0: untagged.
    public var outerTPID: UInt16
    /// The client's address.
    public var clientMAC: MACAddress
    /// The tunnel.
    public var tunnel: StaticTunnelReference
    /// L2TP session id that the peer assigned; never 0.
    public var peerSessionID: UInt16

    /// A session of `clientMAC` in `tunnel`.
    public init(
        reference: UInt64, port: String, outerVLAN: UInt16 = 0, innerVLAN: UInt16 = 0, outerTPID: UInt16 = 0,
        clientMAC: MACAddress, tunnel: StaticTunnelReference, peerSessionID: UInt16
    ) {
        self.reference = reference
        self.port = port
        self.outerVLAN = outerVLAN
        self.innerVLAN = innerVLAN
        self.outerTPID = outerTPID
        self.clientMAC = clientMAC
        self.tunnel = tunnel
        self.peerSessionID = peerSessionID
    }
}

/// A static session, the ids that were assigned, and its counters.
public struct StaticSessionStatus: Hashable, Sendable {
    /// As it was given.
    public var session: StaticSession
    /// Local tunnel id.
    public var tunnelID: UInt16
    /// Local L2TP session id that was assigned.
    public var sessionID: UInt16
    /// PPPoE session id that was assigned.
    public var pppoeSessionID: UInt16
    /// Data of both directions, octets of PPP frames; received is from the tunnel's peer.
    public var data: Traffic

    /// A session with its ids and counters.
    public init(
        session: StaticSession, tunnelID: UInt16, sessionID: UInt16, pppoeSessionID: UInt16, data: Traffic
    ) {
        self.session = session
        self.tunnelID = tunnelID
        self.sessionID = sessionID
        self.pppoeSessionID = pppoeSessionID
        self.data = data
    }
}

extension StaticSessionStatus: Encodable {
    private enum Key: CodingKey {
        case reference, port, outerVLAN, innerVLAN, outerTPID, clientMAC, peerSessionID
        case tunnelID, sessionID, pppoeSessionID, data
    }

    /// Encodes flat; the tunnel is named by its local id.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(session.reference, forKey: .reference)
        try container.encode(session.port, forKey: .port)
        try container.encode(session.outerVLAN, forKey: .outerVLAN)
        try container.encode(session.innerVLAN, forKey: .innerVLAN)
        try container.encode(session.outerTPID, forKey: .outerTPID)
        try container.encode(session.clientMAC, forKey: .clientMAC)
        try container.encode(session.peerSessionID, forKey: .peerSessionID)
        try container.encode(tunnelID, forKey: .tunnelID)
        try container.encode(sessionID, forKey: .sessionID)
        try container.encode(pppoeSessionID, forKey: .pppoeSessionID)
        try container.encode(data, forKey: .data)
    }
}
