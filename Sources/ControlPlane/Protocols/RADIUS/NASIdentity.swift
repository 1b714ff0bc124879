import Wire

/// How the node names itself to RADIUS servers, in every packet (RFC 2865 sections 5.4 and 5.32, RFC 3162 section 2.1).
public struct NASIdentity: Hashable, Sendable {
    /// NAS-Identifier; empty: not sent. At least one of the three has to be.
    public var identifier: String
    /// NAS-IP-Address.
    public var ipv4: IPv4Address?
    /// NAS-IPv6-Address.
    public var ipv6: IPv6Address?

    /// The node of these names.
    public init(identifier: String, ipv4: IPv4Address? = nil, ipv6: IPv6Address? = nil) {
        self.identifier = identifier
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    /// The names as attributes.
    var attributes: RADIUSAttributes {
        var attributes = RADIUSAttributes()
        attributes.append(.nasIdentifier, text: identifier)
        attributes.append(.nasIPAddress, octets: ipv4?.octets)
        attributes.append(.nasIPv6Address, octets: ipv6?.octets)
        return attributes
    }

    /// Whether every name in `attributes` is this node's (RFC 5176 section 3). None at all is well too.
    func isNamed(in attributes: RADIUSAttributes) -> Bool {
        func agrees(_ attribute: RADIUSAttribute, _ own: [UInt8]?) -> Bool {
            attributes.all(attribute).allSatisfy { $0 == own }
        }
        return agrees(.nasIdentifier, Array(identifier.utf8)) && agrees(.nasIPAddress, ipv4?.octets)
            && agrees(.nasIPv6Address, ipv6?.octets)
    }
}

/// NAS-Port-Type (RFC 2865 section 5.41, RFC 4603).
public enum NASPortType: UInt32, Hashable, Sendable, CaseIterable {
    /// A virtual port, such as a tunnel.
    case virtual = 5
    /// Ethernet.
    case ethernet = 15
    /// PPPoE over Ethernet without a VLAN tag.
    case pppoeOverEthernet = 32
    /// PPPoE over a VLAN.
    case pppoeOverVLAN = 33
    /// PPPoE over a VLAN inside of a VLAN.
    case pppoeOverQinQ = 34
}

/// Acct-Authentic: who said that the client may in (RFC 2866 section 5.6).
public enum AcctAuthentic: UInt32, Hashable, Sendable, CaseIterable {
    /// A RADIUS server.
    case radius = 1
    /// The node itself.
    case local = 2
    /// Somebody else, such as the LNS.
    case remote = 3
}

/// A client's session as all packets about it describe it: the same in the Access-Request and in its accounting records.
public struct RADIUSSession: Hashable, Sendable {
    /// Acct-Session-Id: unique on this node, across restarts (RFC 2866 section 5.5).
    public var id: String
    /// Acct-Multi-Session-Id: what several sessions have in common.
    public var multiSessionID: String?
    /// User-Name as the client said it, in octets since it need not be UTF-8; nil before it is known.
    public var userName: [UInt8]?
    /// NAS-Port: a number of the port, as the node counts them.
    public var nasPort: UInt32?
    /// NAS-Port-Type.
    public var nasPortType: NASPortType?
    /// NAS-Port-Id: the port in words.
    public var nasPortID: String?
    /// Calling-Station-Id: the client's MAC address.
    public var callingStationID: String?
    /// Called-Station-Id: the service that the client asked for.
    public var calledStationID: String?
    /// What the access node said of the line (RFC 4679), from `RADIUSAttributes.init(accessLine:)`.
    public var line = RADIUSAttributes()
    /// Acct-Authentic.
    public var authentic: AcctAuthentic?
    /// Class attributes of the Access-Accept, unread; every accounting record carries them (RFC 2865 section 5.25).
    public var classes: [[UInt8]] = []
    /// The tunnel that carries the session.
    public var tunnel: AccountedTunnel?

    /// A session called `id`.
    public init(id: String) { self.id = id }

    /// The description as attributes; Class, Acct-Authentic and the tunnel belong into accounting records only.
    func attributes(of nas: NASIdentity) -> RADIUSAttributes {
        var attributes = RADIUSAttributes()
        attributes.append(.userName, octets: userName)
        attributes.append(contentsOf: nas.attributes)
        attributes.append(.nasPort, integer: nasPort)
        attributes.append(.nasPortType, integer: nasPortType?.rawValue)
        attributes.append(.nasPortID, text: nasPortID)
        attributes.append(.callingStationID, text: callingStationID)
        attributes.append(.calledStationID, text: calledStationID)
        attributes.append(.acctSessionID, text: id)
        attributes.append(.acctMultiSessionID, text: multiSessionID)
        attributes.append(contentsOf: line)
        return attributes
    }
}
