/// The attributes of RFC 2661, section 4.4. `AttributeDefinition` says all about each.
public enum AttributeType: UInt16, CaseIterable, Hashable, Sendable {
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

    /// The row of this attribute in the table.
    public var definition: AttributeDefinition { AttributeDefinition.byNumber[Int(rawValue)] ?? .messageType }
}
