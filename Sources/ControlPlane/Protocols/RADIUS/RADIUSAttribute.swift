/// Which attribute it is: a number of the standards', or a vendor's number inside of Vendor-Specific (RFC 2865 section
/// 5.26). `RADIUSAttributeDefinition` says all about each that this module knows.
public struct RADIUSAttribute: Hashable, Sendable, CustomStringConvertible {
    /// SMI enterprise code of the vendor; 0 for the standards' own.
    public let vendor: UInt32
    /// The attribute's number, or the vendor's.
    public let number: UInt8

    /// The standards' attribute `number`.
    public init(_ number: UInt8) {
        vendor = 0
        self.number = number
    }

    /// Attribute `number` of `vendor`.
    public init(vendor: UInt32, _ number: UInt8) {
        self.vendor = vendor
        self.number = number
    }

    /// The ADSL Forum, now Broadband Forum: what RFC 4679 says of an access line.
    public static let adslForum: UInt32 = 3561
    /// The Wi-Fi Alliance: WISPr, whose bandwidth attributes many access servers take.
    public static let wispr: UInt32 = 14122

    /// The name, or the number where there is none.
    public var description: String {
        definition?.name ?? (vendor == 0 ? "attribute \(number)" : "attribute \(number) of vendor \(vendor)")
    }

    /// The row of this attribute in the table.
    public var definition: RADIUSAttributeDefinition? { RADIUSAttributeDefinition.row(of: self) }
}

// The attributes that the code names. Their meaning is in the table.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension RADIUSAttribute {
    public static let userName = RADIUSAttribute(1)
    public static let userPassword = RADIUSAttribute(2)
    public static let chapPassword = RADIUSAttribute(3)
    public static let nasIPAddress = RADIUSAttribute(4)
    public static let nasPort = RADIUSAttribute(5)
    public static let serviceType = RADIUSAttribute(6)
    public static let framedProtocol = RADIUSAttribute(7)
    public static let framedIPAddress = RADIUSAttribute(8)
    public static let filterID = RADIUSAttribute(11)
    public static let replyMessage = RADIUSAttribute(18)
    public static let state = RADIUSAttribute(24)
    public static let classAttribute = RADIUSAttribute(25)
    public static let vendorSpecific = RADIUSAttribute(26)
    public static let sessionTimeout = RADIUSAttribute(27)
    public static let idleTimeout = RADIUSAttribute(28)
    public static let calledStationID = RADIUSAttribute(30)
    public static let callingStationID = RADIUSAttribute(31)
    public static let nasIdentifier = RADIUSAttribute(32)
    public static let proxyState = RADIUSAttribute(33)
    public static let acctStatusType = RADIUSAttribute(40)
    public static let acctDelayTime = RADIUSAttribute(41)
    public static let acctInputOctets = RADIUSAttribute(42)
    public static let acctOutputOctets = RADIUSAttribute(43)
    public static let acctSessionID = RADIUSAttribute(44)
    public static let acctAuthentic = RADIUSAttribute(45)
    public static let acctSessionTime = RADIUSAttribute(46)
    public static let acctInputPackets = RADIUSAttribute(47)
    public static let acctOutputPackets = RADIUSAttribute(48)
    public static let acctTerminateCause = RADIUSAttribute(49)
    public static let acctMultiSessionID = RADIUSAttribute(50)
    public static let acctInputGigawords = RADIUSAttribute(52)
    public static let acctOutputGigawords = RADIUSAttribute(53)
    public static let eventTimestamp = RADIUSAttribute(55)
    public static let chapChallenge = RADIUSAttribute(60)
    public static let nasPortType = RADIUSAttribute(61)
    public static let tunnelType = RADIUSAttribute(64)
    public static let tunnelMediumType = RADIUSAttribute(65)
    public static let tunnelClientEndpoint = RADIUSAttribute(66)
    public static let tunnelServerEndpoint = RADIUSAttribute(67)
    public static let acctTunnelConnection = RADIUSAttribute(68)
    public static let tunnelPassword = RADIUSAttribute(69)
    public static let eapMessage = RADIUSAttribute(79)
    public static let messageAuthenticator = RADIUSAttribute(80)
    public static let tunnelPrivateGroupID = RADIUSAttribute(81)
    public static let tunnelAssignmentID = RADIUSAttribute(82)
    public static let tunnelPreference = RADIUSAttribute(83)
    public static let acctInterimInterval = RADIUSAttribute(85)
    public static let acctTunnelPacketsLost = RADIUSAttribute(86)
    public static let nasPortID = RADIUSAttribute(87)
    public static let tunnelClientAuthID = RADIUSAttribute(90)
    public static let tunnelServerAuthID = RADIUSAttribute(91)
    public static let nasIPv6Address = RADIUSAttribute(95)
    public static let errorCause = RADIUSAttribute(101)
    public static let framedIPv6Address = RADIUSAttribute(168)
    public static let bandwidthMaxUp = RADIUSAttribute(vendor: wispr, 7)
    public static let bandwidthMaxDown = RADIUSAttribute(vendor: wispr, 8)
}
