/// What the standards say about one attribute. All are declared in `RADIUSAttributeDefinition.all`, once; the decoder, the
/// encoder and the tests read that table.
public struct RADIUSAttributeDefinition: Hashable, Sendable {
    /// What its value is (RFC 2865 section 5, RFC 2868 section 3, RFC 3162 section 2).
    public enum Syntax: Hashable, Sendable {
        /// UTF-8.
        case text
        /// Octets of any kind ("string").
        case octets
        /// 32 bits in network byte order.
        case integer
        /// Seconds since 1970 in 32 bits.
        case date
        /// Four octets of an address.
        case ipv4
        /// Sixteen octets of an address.
        case ipv6
        /// A reserved octet, a prefix length and up to sixteen octets of an IPv6 prefix.
        case ipv6Prefix
        /// UTF-8, behind a tag where the first octet is 0x1f or less.
        case taggedText
        /// A tag and 24 bits in network byte order.
        case taggedInteger
        /// Hidden as in RFC 2865 section 5.2.
        case userPassword
        /// A tag, a salt, and hidden as in RFC 2868 section 3.5.
        case tunnelPassword

        fileprivate var lengths: ClosedRange<Int> {
            switch self {
            case .text, .octets, .taggedText: 1...longestValue
            case .integer, .date, .ipv4, .taggedInteger: 4...4
            case .ipv6: 16...16
            case .ipv6Prefix: 2...18
            case .userPassword: 16...128
            case .tunnelPassword: 19...243
            }
        }
    }

    /// The attribute.
    public let attribute: RADIUSAttribute
    /// Its name in the standard.
    public let name: String
    /// What its value is.
    public let syntax: Syntax
    /// Octets that its value may have on the wire.
    public let lengths: ClosedRange<Int>
    /// The RFC, or the vendor's document, that defines it, with the section.
    public let reference: String

    /// The longest value: the Length octet counts two octets more.
    public static let longestValue = 253
    /// The longest value of a vendor's attribute, which stands inside of another (RFC 2865 section 5.26).
    public static let longestVendorValue = 247

    private init(
        _ attribute: RADIUSAttribute, _ name: String, _ syntax: Syntax, _ reference: String,
        lengths: ClosedRange<Int>? = nil
    ) {
        self.attribute = attribute
        self.name = name
        self.syntax = syntax
        self.reference = reference
        let most = attribute.vendor == 0 ? Self.longestValue : Self.longestVendorValue
        let range = lengths ?? syntax.lengths
        self.lengths = range.lowerBound...min(range.upperBound, most)
    }

    private typealias Row = RADIUSAttributeDefinition

    private static func line(
        _ number: UInt8, _ name: String, _ syntax: Syntax = .integer, lengths: ClosedRange<Int>? = nil
    ) -> Row {
        Row(RADIUSAttribute(vendor: RADIUSAttribute.adslForum, number), name, syntax, "RFC 4679 3.3", lengths: lengths)
    }

    /// Every attribute that is known, the standards' by number and then the vendors'.
    public static let all: [RADIUSAttributeDefinition] = [
        Row(.userName, "User-Name", .text, "RFC 2865 5.1"),
        Row(.userPassword, "User-Password", .userPassword, "RFC 2865 5.2"),
        Row(.chapPassword, "CHAP-Password", .octets, "RFC 2865 5.3", lengths: 17...17),
        Row(.nasIPAddress, "NAS-IP-Address", .ipv4, "RFC 2865 5.4"),
        Row(.nasPort, "NAS-Port", .integer, "RFC 2865 5.5"),
        Row(.serviceType, "Service-Type", .integer, "RFC 2865 5.6"),
        Row(.framedProtocol, "Framed-Protocol", .integer, "RFC 2865 5.7"),
        Row(.framedIPAddress, "Framed-IP-Address", .ipv4, "RFC 2865 5.8"),
        Row(RADIUSAttribute(9), "Framed-IP-Netmask", .ipv4, "RFC 2865 5.9"),
        Row(RADIUSAttribute(10), "Framed-Routing", .integer, "RFC 2865 5.10"),
        Row(.filterID, "Filter-Id", .text, "RFC 2865 5.11"),
        Row(RADIUSAttribute(12), "Framed-MTU", .integer, "RFC 2865 5.12"),
        Row(RADIUSAttribute(13), "Framed-Compression", .integer, "RFC 2865 5.13"),
        Row(RADIUSAttribute(14), "Login-IP-Host", .ipv4, "RFC 2865 5.14"),
        Row(RADIUSAttribute(15), "Login-Service", .integer, "RFC 2865 5.15"),
        Row(RADIUSAttribute(16), "Login-TCP-Port", .integer, "RFC 2865 5.16"),
        Row(.replyMessage, "Reply-Message", .text, "RFC 2865 5.18"),
        Row(RADIUSAttribute(19), "Callback-Number", .octets, "RFC 2865 5.19"),
        Row(RADIUSAttribute(20), "Callback-Id", .octets, "RFC 2865 5.20"),
        Row(RADIUSAttribute(22), "Framed-Route", .text, "RFC 2865 5.22"),
        Row(RADIUSAttribute(23), "Framed-IPX-Network", .integer, "RFC 2865 5.23"),
        Row(.state, "State", .octets, "RFC 2865 5.24"),
        Row(.classAttribute, "Class", .octets, "RFC 2865 5.25"),
        Row(.vendorSpecific, "Vendor-Specific", .octets, "RFC 2865 5.26", lengths: 5...253),
        Row(.sessionTimeout, "Session-Timeout", .integer, "RFC 2865 5.27"),
        Row(.idleTimeout, "Idle-Timeout", .integer, "RFC 2865 5.28"),
        Row(RADIUSAttribute(29), "Termination-Action", .integer, "RFC 2865 5.29"),
        Row(.calledStationID, "Called-Station-Id", .text, "RFC 2865 5.30"),
        Row(.callingStationID, "Calling-Station-Id", .text, "RFC 2865 5.31"),
        Row(.nasIdentifier, "NAS-Identifier", .text, "RFC 2865 5.32"),
        Row(.proxyState, "Proxy-State", .octets, "RFC 2865 5.33"),
        Row(RADIUSAttribute(34), "Login-LAT-Service", .octets, "RFC 2865 5.34"),
        Row(RADIUSAttribute(35), "Login-LAT-Node", .octets, "RFC 2865 5.35"),
        Row(RADIUSAttribute(36), "Login-LAT-Group", .octets, "RFC 2865 5.36", lengths: 32...32),
        Row(RADIUSAttribute(37), "Framed-AppleTalk-Link", .integer, "RFC 2865 5.37"),
        Row(RADIUSAttribute(38), "Framed-AppleTalk-Network", .integer, "RFC 2865 5.38"),
        Row(RADIUSAttribute(39), "Framed-AppleTalk-Zone", .octets, "RFC 2865 5.39"),
        Row(.acctStatusType, "Acct-Status-Type", .integer, "RFC 2866 5.1"),
        Row(.acctDelayTime, "Acct-Delay-Time", .integer, "RFC 2866 5.2"),
        Row(.acctInputOctets, "Acct-Input-Octets", .integer, "RFC 2866 5.3"),
        Row(.acctOutputOctets, "Acct-Output-Octets", .integer, "RFC 2866 5.4"),
        Row(.acctSessionID, "Acct-Session-Id", .text, "RFC 2866 5.5"),
        Row(.acctAuthentic, "Acct-Authentic", .integer, "RFC 2866 5.6"),
        Row(.acctSessionTime, "Acct-Session-Time", .integer, "RFC 2866 5.7"),
        Row(.acctInputPackets, "Acct-Input-Packets", .integer, "RFC 2866 5.8"),
        Row(.acctOutputPackets, "Acct-Output-Packets", .integer, "RFC 2866 5.9"),
        Row(.acctTerminateCause, "Acct-Terminate-Cause", .integer, "RFC 2866 5.10"),
        Row(.acctMultiSessionID, "Acct-Multi-Session-Id", .text, "RFC 2866 5.11"),
        Row(RADIUSAttribute(51), "Acct-Link-Count", .integer, "RFC 2866 5.12"),
        Row(.acctInputGigawords, "Acct-Input-Gigawords", .integer, "RFC 2869 5.1"),
        Row(.acctOutputGigawords, "Acct-Output-Gigawords", .integer, "RFC 2869 5.2"),
        Row(.eventTimestamp, "Event-Timestamp", .date, "RFC 2869 5.3"),
        Row(.chapChallenge, "CHAP-Challenge", .octets, "RFC 2865 5.40"),
        Row(.nasPortType, "NAS-Port-Type", .integer, "RFC 2865 5.41"),
        Row(RADIUSAttribute(62), "Port-Limit", .integer, "RFC 2865 5.42"),
        Row(RADIUSAttribute(63), "Login-LAT-Port", .octets, "RFC 2865 5.43"),
        Row(.tunnelType, "Tunnel-Type", .taggedInteger, "RFC 2868 3.1"),
        Row(.tunnelMediumType, "Tunnel-Medium-Type", .taggedInteger, "RFC 2868 3.2"),
        Row(.tunnelClientEndpoint, "Tunnel-Client-Endpoint", .taggedText, "RFC 2868 3.3"),
        Row(.tunnelServerEndpoint, "Tunnel-Server-Endpoint", .taggedText, "RFC 2868 3.4"),
        Row(.acctTunnelConnection, "Acct-Tunnel-Connection", .text, "RFC 2867 4.1"),
        Row(.tunnelPassword, "Tunnel-Password", .tunnelPassword, "RFC 2868 3.5"),
        Row(RADIUSAttribute(70), "ARAP-Password", .octets, "RFC 2869 5.4", lengths: 16...16),
        Row(RADIUSAttribute(71), "ARAP-Features", .octets, "RFC 2869 5.5", lengths: 14...14),
        Row(RADIUSAttribute(72), "ARAP-Zone-Access", .integer, "RFC 2869 5.6"),
        Row(RADIUSAttribute(73), "ARAP-Security", .integer, "RFC 2869 5.7"),
        Row(RADIUSAttribute(74), "ARAP-Security-Data", .octets, "RFC 2869 5.8"),
        Row(RADIUSAttribute(75), "Password-Retry", .integer, "RFC 2869 5.9"),
        Row(RADIUSAttribute(76), "Prompt", .integer, "RFC 2869 5.10"),
        Row(RADIUSAttribute(77), "Connect-Info", .text, "RFC 2869 5.11"),
        Row(RADIUSAttribute(78), "Configuration-Token", .octets, "RFC 2869 5.12"),
        Row(.eapMessage, "EAP-Message", .octets, "RFC 2869 5.13"),
        Row(.messageAuthenticator, "Message-Authenticator", .octets, "RFC 2869 5.14", lengths: 16...16),
        Row(.tunnelPrivateGroupID, "Tunnel-Private-Group-ID", .taggedText, "RFC 2868 3.6"),
        Row(.tunnelAssignmentID, "Tunnel-Assignment-ID", .taggedText, "RFC 2868 3.7"),
        Row(.tunnelPreference, "Tunnel-Preference", .taggedInteger, "RFC 2868 3.8"),
        Row(RADIUSAttribute(84), "ARAP-Challenge-Response", .octets, "RFC 2869 5.15", lengths: 8...8),
        Row(.acctInterimInterval, "Acct-Interim-Interval", .integer, "RFC 2869 5.16"),
        Row(.acctTunnelPacketsLost, "Acct-Tunnel-Packets-Lost", .integer, "RFC 2867 4.2"),
        Row(.nasPortID, "NAS-Port-Id", .text, "RFC 2869 5.17"),
        Row(RADIUSAttribute(88), "Framed-Pool", .text, "RFC 2869 5.18"),
        Row(RADIUSAttribute(89), "Chargeable-User-Identity", .octets, "RFC 4372 2.2"),
        Row(.tunnelClientAuthID, "Tunnel-Client-Auth-ID", .taggedText, "RFC 2868 3.9"),
        Row(.tunnelServerAuthID, "Tunnel-Server-Auth-ID", .taggedText, "RFC 2868 3.10"),
        Row(.nasIPv6Address, "NAS-IPv6-Address", .ipv6, "RFC 3162 2.1"),
        Row(RADIUSAttribute(96), "Framed-Interface-Id", .octets, "RFC 3162 2.2", lengths: 8...8),
        Row(RADIUSAttribute(97), "Framed-IPv6-Prefix", .ipv6Prefix, "RFC 3162 2.3"),
        Row(RADIUSAttribute(98), "Login-IPv6-Host", .ipv6, "RFC 3162 2.4"),
        Row(RADIUSAttribute(99), "Framed-IPv6-Route", .text, "RFC 3162 2.5"),
        Row(RADIUSAttribute(100), "Framed-IPv6-Pool", .text, "RFC 3162 2.6"),
        Row(.errorCause, "Error-Cause", .integer, "RFC 5176 3.5"),
        Row(.framedIPv6Address, "Framed-IPv6-Address", .ipv6, "RFC 6911 3.1"),

        line(1, "Agent-Circuit-Id", .octets),
        line(2, "Agent-Remote-Id", .octets),
        line(129, "Actual-Data-Rate-Upstream"),
        line(130, "Actual-Data-Rate-Downstream"),
        line(131, "Minimum-Data-Rate-Upstream"),
        line(132, "Minimum-Data-Rate-Downstream"),
        line(133, "Attainable-Data-Rate-Upstream"),
        line(134, "Attainable-Data-Rate-Downstream"),
        line(135, "Maximum-Data-Rate-Upstream"),
        line(136, "Maximum-Data-Rate-Downstream"),
        line(137, "Minimum-Data-Rate-Upstream-Low-Power"),
        line(138, "Minimum-Data-Rate-Downstream-Low-Power"),
        line(139, "Maximum-Interleaving-Delay-Upstream"),
        line(140, "Actual-Interleaving-Delay-Upstream"),
        line(141, "Maximum-Interleaving-Delay-Downstream"),
        line(142, "Actual-Interleaving-Delay-Downstream"),
        line(144, "Access-Loop-Encapsulation", .octets, lengths: 3...3),
        line(254, "IWF-Session", .octets, lengths: 0...0),

        Row(RADIUSAttribute(vendor: RADIUSAttribute.wispr, 5), "WISPr-Bandwidth-Min-Up", .integer, "WISPr 1.0"),
        Row(RADIUSAttribute(vendor: RADIUSAttribute.wispr, 6), "WISPr-Bandwidth-Min-Down", .integer, "WISPr 1.0"),
        Row(.bandwidthMaxUp, "WISPr-Bandwidth-Max-Up", .integer, "WISPr 1.0"),
        Row(.bandwidthMaxDown, "WISPr-Bandwidth-Max-Down", .integer, "WISPr 1.0"),
    ]

    private static let standard: [RADIUSAttributeDefinition?] = {
        var rows = [RADIUSAttributeDefinition?](repeating: nil, count: 256)
        for row in all where row.attribute.vendor == 0 { rows[Int(row.attribute.number)] = row }
        return rows
    }()

    private static let vendors: [RADIUSAttribute: RADIUSAttributeDefinition] = Dictionary(
        all.filter { $0.attribute.vendor != 0 }.map { ($0.attribute, $0) }, uniquingKeysWith: { first, _ in first })

    /// Vendors whose attributes are read; those of others stay whole in Vendor-Specific.
    static let knownVendors = Set(all.map(\.attribute.vendor)).subtracting([0])

    static func row(of attribute: RADIUSAttribute) -> RADIUSAttributeDefinition? {
        attribute.vendor == 0 ? standard[Int(attribute.number)] : vendors[attribute]
    }
}
