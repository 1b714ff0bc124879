import Wire

/// What RFC 2661, section 4.4, or the RFC that brought it says about one attribute. All attributes are declared in `AttributeDefinition.all`, and
/// the decoder, the encoder and the tests read that table.
public struct AttributeDefinition: Hashable, Sendable {
    /// The attribute.
    public let type: AttributeType
    /// Its name in the standard.
    public let name: String
    /// The M bit that we send with it.
    public let mandatory: Bool
    /// Whether the standard allows it to be hidden.
    public let hideable: Bool
    /// Octets that its value may have.
    public let lengths: ClosedRange<Int>
    /// Whether a message may carry several.
    public let isRepeatable: Bool
    /// Messages that must carry it.
    public let requiredIn: [MessageType]
    /// Messages that may carry it.
    public let optionalIn: [MessageType]

    /// The longest value that an AVP can hold: its Length field has ten bits, and six octets are header.
    public static let longestValue = 1017

    private init(
        _ type: AttributeType, _ name: String, mandatory: Bool = true, hideable: Bool = true,
        _ lengths: ClosedRange<Int>, isRepeatable: Bool = false, required: [MessageType] = [],
        optional: [MessageType] = []
    ) {
        self.type = type
        self.name = name
        self.mandatory = mandatory
        self.hideable = hideable
        self.lengths = lengths
        self.isRepeatable = isRepeatable
        requiredIn = required
        optionalIn = optional
    }

    /// Whether a message of type `message` may carry the attribute.
    public func isAllowed(in message: MessageType) -> Bool {
        requiredIn.contains(message) || optionalIn.contains(message)
    }

    private static let anyText = 0...longestValue
    private static let startMessages: [MessageType] = [.startControlConnectionRequest, .startControlConnectionReply]

    /// The row of the attribute that every message begins with.
    static let messageType = AttributeDefinition(
        .messageType, "Message Type", hideable: false, 2...2, required: MessageType.allCases)

    /// Every attribute that is known, by vendor and number.
    public static let all: [AttributeDefinition] = standard + extensions + accessLine

    private static let standard: [AttributeDefinition] = [
        messageType,
        AttributeDefinition(
            .resultCode, "Result Code", hideable: false, 2...longestValue,
            required: [.stopControlConnectionNotification, .callDisconnectNotify]),
        AttributeDefinition(.protocolVersion, "Protocol Version", hideable: false, 2...2, required: startMessages),
        AttributeDefinition(.framingCapabilities, "Framing Capabilities", 4...4, required: startMessages),
        AttributeDefinition(.bearerCapabilities, "Bearer Capabilities", 4...4, optional: startMessages),
        AttributeDefinition(
            .tieBreaker, "Tie Breaker", mandatory: false, hideable: false, 8...8,
            optional: [.startControlConnectionRequest]),
        AttributeDefinition(
            .firmwareRevision, "Firmware Revision", mandatory: false, 2...2, optional: startMessages),
        AttributeDefinition(.hostName, "Host Name", hideable: false, 1...longestValue, required: startMessages),
        AttributeDefinition(.vendorName, "Vendor Name", mandatory: false, anyText, optional: startMessages),
        AttributeDefinition(
            .assignedTunnelID, "Assigned Tunnel ID", 2...2,
            required: startMessages + [.stopControlConnectionNotification]),
        AttributeDefinition(
            .receiveWindowSize, "Receive Window Size", hideable: false, 2...2, optional: startMessages),
        AttributeDefinition(.challenge, "Challenge", 1...longestValue, optional: startMessages),
        AttributeDefinition(
            .q931CauseCode, "Q.931 Cause Code", hideable: false, 3...longestValue, optional: [.callDisconnectNotify]),
        AttributeDefinition(
            .challengeResponse, "Challenge Response", 16...16,
            optional: [.startControlConnectionReply, .startControlConnectionConnected]),
        AttributeDefinition(
            .assignedSessionID, "Assigned Session ID", 2...2,
            required: [
                .outgoingCallRequest, .outgoingCallReply, .incomingCallRequest, .incomingCallReply,
                .callDisconnectNotify,
            ]),
        AttributeDefinition(
            .callSerialNumber, "Call Serial Number", 4...4, required: [.outgoingCallRequest, .incomingCallRequest]),
        AttributeDefinition(.minimumBPS, "Minimum BPS", 4...4, required: [.outgoingCallRequest]),
        AttributeDefinition(.maximumBPS, "Maximum BPS", 4...4, required: [.outgoingCallRequest]),
        AttributeDefinition(
            .bearerType, "Bearer Type", 4...4, required: [.outgoingCallRequest], optional: [.incomingCallRequest]),
        AttributeDefinition(
            .framingType, "Framing Type", 4...4,
            required: [.outgoingCallRequest, .outgoingCallConnected, .incomingCallConnected]),
        AttributeDefinition(
            .calledNumber, "Called Number", anyText, required: [.outgoingCallRequest],
            optional: [.incomingCallRequest]),
        AttributeDefinition(.callingNumber, "Calling Number", anyText, optional: [.incomingCallRequest]),
        AttributeDefinition(
            .subAddress, "Sub-Address", anyText, optional: [.outgoingCallRequest, .incomingCallRequest]),
        AttributeDefinition(
            .txConnectSpeed, "(Tx) Connect Speed", 4...4, required: [.outgoingCallConnected, .incomingCallConnected]),
        AttributeDefinition(
            .physicalChannelID, "Physical Channel ID", mandatory: false, 4...4,
            optional: [.outgoingCallReply, .incomingCallRequest]),
        AttributeDefinition(
            .initialReceivedLCPConfReq, "Initial Received LCP CONFREQ", mandatory: false, anyText,
            optional: [.incomingCallConnected]),
        AttributeDefinition(
            .lastSentLCPConfReq, "Last Sent LCP CONFREQ", mandatory: false, anyText,
            optional: [.incomingCallConnected]),
        AttributeDefinition(
            .lastReceivedLCPConfReq, "Last Received LCP CONFREQ", mandatory: false, anyText,
            optional: [.incomingCallConnected]),
        AttributeDefinition(
            .proxyAuthenType, "Proxy Authen Type", mandatory: false, 2...2, optional: [.incomingCallConnected]),
        AttributeDefinition(
            .proxyAuthenName, "Proxy Authen Name", mandatory: false, anyText, optional: [.incomingCallConnected]),
        AttributeDefinition(
            .proxyAuthenChallenge, "Proxy Authen Challenge", mandatory: false, anyText,
            optional: [.incomingCallConnected]),
        AttributeDefinition(
            .proxyAuthenID, "Proxy Authen ID", mandatory: false, 2...2, optional: [.incomingCallConnected]),
        AttributeDefinition(
            .proxyAuthenResponse, "Proxy Authen Response", mandatory: false, anyText,
            optional: [.incomingCallConnected]),
        AttributeDefinition(.callErrors, "Call Errors", 26...26, required: [.wanErrorNotify]),
        AttributeDefinition(.accm, "ACCM", 10...10, required: [.setLinkInfo]),
        AttributeDefinition(
            .randomVector, "Random Vector", hideable: false, 1...longestValue, optional: MessageType.allCases),
        AttributeDefinition(
            .privateGroupID, "Private Group ID", mandatory: false, anyText, optional: [.incomingCallConnected]),
        AttributeDefinition(
            .rxConnectSpeed, "Rx Connect Speed", mandatory: false, 4...4,
            optional: [.outgoingCallConnected, .incomingCallConnected]),
        AttributeDefinition(
            .sequencingRequired, "Sequencing Required", hideable: false, 0...0,
            optional: [.outgoingCallConnected, .incomingCallConnected]),
    ]

    private static let extensions: [AttributeDefinition] = [
        // RFC 3145, section 2.
        AttributeDefinition(
            .pppDisconnectCauseCode, "PPP Disconnect Cause Code", mandatory: false, 5...longestValue,
            optional: [.callDisconnectNotify]),
        // RFC 4951. A query or an answer without any session is no error, only of no use.
        AttributeDefinition(
            .failoverCapability, "Failover Capability", mandatory: false, 6...6, optional: startMessages),
        AttributeDefinition(
            .tunnelRecovery, "Tunnel Recovery", hideable: false, 10...10, optional: [.startControlConnectionRequest]),
        AttributeDefinition(
            .suggestedControlSequence, "Suggested Control Sequence", mandatory: false, 10...10,
            optional: [.startControlConnectionReply]),
        AttributeDefinition(
            .failoverSessionState, "Failover Session State", mandatory: false, 10...10, isRepeatable: true,
            optional: [.failoverSessionQuery, .failoverSessionResponse]),
        // RFC 5515, sections 4 and 5. A message without any update is no error, only of no use.
        AttributeDefinition(
            .connectSpeedUpdate, "Connect Speed Update", mandatory: false, 12...12, isRepeatable: true,
            optional: [.connectSpeedUpdateNotification, .connectSpeedUpdateRequest]),
        AttributeDefinition(
            .connectSpeedUpdateEnable, "Connect Speed Update Enable", mandatory: false, 0...0,
            optional: [.incomingCallRequest]),
    ]

    /// RFC 5515, section 5: each is a piece of what an access node tells of a line.
    private static let accessLine: [AttributeDefinition] = AccessLineInformation.Attribute.allCases.compactMap {
        attribute in
        let lengths =
            switch attribute.form {
            case .identifier: 1...AccessLineInformation.longestIdentifier
            case .rate: 8...8
            case .encapsulation: 3...3
            case .delay, .number, .flag: 4...4
            }
        return AttributeType(attribute).map {
            AttributeDefinition(
                $0, "Access Line \(attribute)", mandatory: false, lengths, optional: [.incomingCallRequest])
        }
    }

    /// The table by attribute.
    static let byType: [AttributeType: AttributeDefinition] = Dictionary(
        uniqueKeysWithValues: all.map { ($0.type, $0) })

    /// Attributes that a message of each type must carry.
    static let requirements: [MessageType: [AttributeType]] = Dictionary(
        uniqueKeysWithValues: MessageType.allCases.map { message in
            (message, all.filter { $0.requiredIn.contains(message) }.map(\.type))
        })
}
