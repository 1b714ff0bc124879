import Wire

/// The attributes of RFC 2661, section 4.4, of RFC 3145, of RFC 4951, and of RFC 5515. `AttributeDefinition` says all about each. The raw value
/// is the Vendor ID in the upper sixteen bits and the Attribute Type in the lower.
public enum AttributeType: UInt32, CaseIterable, Hashable, Sendable {
    case messageType = 0
    case resultCode = 1
    case protocolVersion = 2
    case framingCapabilities = 3
    case bearerCapabilities = 4
    case tieBreaker = 5
    case firmwareRevision = 6
    case hostName = 7
    case vendorName = 8
    case assignedTunnelID = 9
    case receiveWindowSize = 10
    case challenge = 11
    case q931CauseCode = 12
    case challengeResponse = 13
    case assignedSessionID = 14
    case callSerialNumber = 15
    case minimumBPS = 16
    case maximumBPS = 17
    case bearerType = 18
    case framingType = 19
    case calledNumber = 21
    case callingNumber = 22
    case subAddress = 23
    case txConnectSpeed = 24
    case physicalChannelID = 25
    case initialReceivedLCPConfReq = 26
    case lastSentLCPConfReq = 27
    case lastReceivedLCPConfReq = 28
    case proxyAuthenType = 29
    case proxyAuthenName = 30
    case proxyAuthenChallenge = 31
    case proxyAuthenID = 32
    case proxyAuthenResponse = 33
    case callErrors = 34
    case accm = 35
    case randomVector = 36
    case privateGroupID = 37
    case rxConnectSpeed = 38
    case sequencingRequired = 39
    case pppDisconnectCauseCode = 46
    case failoverCapability = 76
    case tunnelRecovery = 77
    case suggestedControlSequence = 78
    case failoverSessionState = 79
    case connectSpeedUpdate = 97
    case connectSpeedUpdateEnable = 98
    // The Broadband Forum's, vendor 3561 (0x0de9).
    case agentCircuitID = 0x0de9_0001
    case agentRemoteID = 0x0de9_0002
    case actualDataRateUpstream = 0x0de9_0081
    case actualDataRateDownstream = 0x0de9_0082
    case minimumDataRateUpstream = 0x0de9_0083
    case minimumDataRateDownstream = 0x0de9_0084
    case attainableDataRateUpstream = 0x0de9_0085
    case attainableDataRateDownstream = 0x0de9_0086
    case maximumDataRateUpstream = 0x0de9_0087
    case maximumDataRateDownstream = 0x0de9_0088
    case minimumDataRateUpstreamLowPower = 0x0de9_0089
    case minimumDataRateDownstreamLowPower = 0x0de9_008a
    case maximumInterleavingDelayUpstream = 0x0de9_008b
    case actualInterleavingDelayUpstream = 0x0de9_008c
    case maximumInterleavingDelayDownstream = 0x0de9_008d
    case actualInterleavingDelayDownstream = 0x0de9_008e
    case accessLoopEncapsulation = 0x0de9_0090
    case accessLineType = 0x0de9_0091
    case interworking = 0x0de9_00fe

    /// The attribute of this number; nil when it is not known.
    public init?(vendor: UInt16, number: UInt16) { self.init(rawValue: UInt32(vendor) << 16 | UInt32(number)) }

    /// The attribute that carries this piece of an access line's description (RFC 5515, section 5).
    init?(_ attribute: AccessLineInformation.Attribute) {
        self.init(vendor: AccessLineInformation.enterprise, number: UInt16(attribute.rawValue))
    }

    /// Vendor ID; 0 is the IETF.
    public var vendor: UInt16 { UInt16(rawValue >> 16) }
    /// Attribute Type within the vendor's.
    public var number: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    /// The row of this attribute in the table.
    public var definition: AttributeDefinition { AttributeDefinition.byType[self] ?? .messageType }
}
