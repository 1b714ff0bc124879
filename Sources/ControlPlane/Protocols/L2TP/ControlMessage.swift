import Wire

/// A control message as values (RFC 2661, section 6). What its AVPs are and how long each may be is in
/// `AttributeDefinition.all`.
public enum ControlMessage: Hashable, Sendable {
    /// SCCRQ: opens a tunnel.
    case startRequest(StartControlConnection)
    /// SCCRP: accepts it.
    case startReply(StartControlConnection)
    /// SCCCN: completes it.
    case startConnected(challengeResponse: [UInt8]?)
    /// StopCCN: ends the tunnel and all its sessions.
    case stop(assignedTunnelID: UInt16, StopCode)
    /// HELLO: asks for an acknowledgement.
    case hello
    /// OCRQ: the LNS asks the LAC to dial.
    case outgoingCallRequest(OutgoingCallRequest)
    /// OCRP: the LAC is about to dial.
    case outgoingCallReply(assignedSessionID: UInt16, physicalChannelID: UInt32?)
    /// OCCN: the called party answered.
    case outgoingCallConnected(CallConnected)
    /// ICRQ: the LAC has a call for the LNS.
    case incomingCallRequest(IncomingCallRequest)
    /// ICRP: the LNS takes it.
    case incomingCallReply(assignedSessionID: UInt16)
    /// ICCN: the LAC answered the call.
    case incomingCallConnected(CallConnected)
    /// CDN: ends a session.
    case disconnect(CallDisconnect)
    /// WEN: errors on the LAC's line.
    case wanError(CallErrors)
    /// SLI: PPP options that the LNS negotiated.
    case setLinkInfo(AsyncControlCharacterMap)
    /// FSQ: asks whether the receiver knows these sessions (RFC 4951).
    case failoverQuery([FailoverSession])
    /// FSR: what became of the sessions that FSQ named (RFC 4951).
    case failoverResponse([FailoverSession])
    /// CSUN: speeds of sessions as they are now (RFC 5515).
    case connectSpeeds([ConnectSpeedUpdate])
    /// CSURQ: asks for the speeds of sessions, those in it being of no meaning (RFC 5515).
    case connectSpeedsRequest([ConnectSpeedUpdate])

    /// The type on the wire.
    public var type: MessageType {
        switch self {
        case .startRequest: .startControlConnectionRequest
        case .startReply: .startControlConnectionReply
        case .startConnected: .startControlConnectionConnected
        case .stop: .stopControlConnectionNotification
        case .hello: .hello
        case .outgoingCallRequest: .outgoingCallRequest
        case .outgoingCallReply: .outgoingCallReply
        case .outgoingCallConnected: .outgoingCallConnected
        case .incomingCallRequest: .incomingCallRequest
        case .incomingCallReply: .incomingCallReply
        case .incomingCallConnected: .incomingCallConnected
        case .disconnect: .callDisconnectNotify
        case .wanError: .wanErrorNotify
        case .setLinkInfo: .setLinkInfo
        case .failoverQuery: .failoverSessionQuery
        case .failoverResponse: .failoverSessionResponse
        case .connectSpeeds: .connectSpeedUpdateNotification
        case .connectSpeedsRequest: .connectSpeedUpdateRequest
        }
    }
}

/// What SCCRQ and SCCRP say.
public struct StartControlConnection: Hashable, Sendable {
    /// Protocol Version: version in the upper octet, revision in the lower. L2TPv2's is 1.0.
    public var protocolVersion: UInt16 = 0x0100
    /// Host Name: how the sender calls itself.
    public var hostName: String
    /// Framing Capabilities.
    public var framingCapabilities: Framing = []
    /// Bearer Capabilities.
    public var bearerCapabilities: Bearer?
    /// Tie Breaker; SCCRQ only.
    public var tieBreaker: UInt64?
    /// Firmware Revision.
    public var firmwareRevision: UInt16?
    /// Vendor Name.
    public var vendorName: String?
    /// Assigned Tunnel ID: the id that the sender assigned, which its peer writes into headers; not 0.
    public var assignedTunnelID: UInt16
    /// Receive Window Size: messages that may be on their way to the sender at a time; 4 when absent, never 0.
    public var receiveWindowSize: UInt16?
    /// Challenge to the peer; present when the sender wants it to prove that it knows the secret.
    public var challenge: [UInt8]?
    /// Challenge Response; SCCRP only.
    public var challengeResponse: [UInt8]?
    /// Failover Capability (RFC 4951).
    public var failover: FailoverCapability?
    /// Tunnel Recovery; SCCRQ only (RFC 4951). With it the tunnel serves to recover another one, and carries no session.
    public var recovery: TunnelRecovery?
    /// Suggested Control Sequence; SCCRP of a recovery tunnel only (RFC 4951).
    public var suggestedSequence: ControlSequence?

    /// A message of the parts that it cannot do without.
    public init(hostName: String, assignedTunnelID: UInt16) {
        self.hostName = hostName
        self.assignedTunnelID = assignedTunnelID
    }
}

/// What ICRQ says.
public struct IncomingCallRequest: Hashable, Sendable {
    /// Assigned Session ID: the id that the sender assigned; not 0.
    public var assignedSessionID: UInt16
    /// Call Serial Number, by which administrators of both ends speak of a call.
    public var callSerialNumber: UInt32
    /// Bearer Type.
    public var bearerType: Bearer?
    /// Physical Channel ID: the sender's own number for the line.
    public var physicalChannelID: UInt32?
    /// Calling Number.
    public var callingNumber: String?
    /// Called Number.
    public var calledNumber: String?
    /// Sub-Address.
    public var subAddress: String?
    /// What the access node tells of the caller's line (RFC 5515).
    public var accessLine = AccessLineInformation()
    /// Connect Speed Update Enable: CSUN will follow when the line's speed changes (RFC 5515).
    public var announcesSpeedUpdates = false

    /// A message of the parts that it cannot do without.
    public init(assignedSessionID: UInt16, callSerialNumber: UInt32) {
        self.assignedSessionID = assignedSessionID
        self.callSerialNumber = callSerialNumber
    }
}

/// What OCRQ says.
public struct OutgoingCallRequest: Hashable, Sendable {
    /// Assigned Session ID: the id that the sender assigned; not 0.
    public var assignedSessionID: UInt16
    /// Call Serial Number.
    public var callSerialNumber: UInt32
    /// Minimum BPS, bits per second.
    public var minimumBPS: UInt32
    /// Maximum BPS, bits per second.
    public var maximumBPS: UInt32
    /// Bearer Type.
    public var bearerType: Bearer
    /// Framing Type.
    public var framingType: Framing
    /// Called Number.
    public var calledNumber: String
    /// Sub-Address.
    public var subAddress: String?

    /// A message of the parts that it cannot do without; speeds in bits per second.
    public init(
        assignedSessionID: UInt16, callSerialNumber: UInt32, minimumBPS: UInt32, maximumBPS: UInt32,
        bearerType: Bearer, framingType: Framing, calledNumber: String
    ) {
        self.assignedSessionID = assignedSessionID
        self.callSerialNumber = callSerialNumber
        self.minimumBPS = minimumBPS
        self.maximumBPS = maximumBPS
        self.bearerType = bearerType
        self.framingType = framingType
        self.calledNumber = calledNumber
    }
}

/// What ICCN says; OCCN says the same without the proxy data and the group.
public struct CallConnected: Hashable, Sendable {
    /// (Tx) Connect Speed, bits per second from the LAC to the client.
    public var txConnectSpeed: UInt32
    /// Rx Connect Speed, bits per second from the client to the LAC; the same as `txConnectSpeed` when absent.
    public var rxConnectSpeed: UInt32?
    /// Framing Type.
    public var framingType: Framing
    /// LCP as the LAC negotiated it.
    public var proxyLCP = ProxyLCP()
    /// Authentication as the LAC saw it.
    public var proxyAuthentication: ProxyAuthentication?
    /// Private Group ID.
    public var privateGroupID: [UInt8]?
    /// Sequencing Required: every data message of this session carries sequence numbers.
    public var sequencingRequired = false

    /// A connected call; speed in bits per second.
    public init(txConnectSpeed: UInt32, framingType: Framing) {
        self.txConnectSpeed = txConnectSpeed
        self.framingType = framingType
    }
}

/// What CDN says.
public struct CallDisconnect: Hashable, Sendable {
    /// Assigned Session ID: the id that the sender assigned; 0 when it had assigned none.
    public var assignedSessionID: UInt16
    /// Result Code.
    public var code: DisconnectCode
    /// Q.931 Cause Code.
    public var q931Cause: Q931Cause?
    /// PPP Disconnect Cause Code (RFC 3145).
    public var pppCause: PPPDisconnectCause?

    /// A message of these parts.
    public init(
        assignedSessionID: UInt16, _ code: DisconnectCode, q931Cause: Q931Cause? = nil,
        pppCause: PPPDisconnectCause? = nil
    ) {
        self.assignedSessionID = assignedSessionID
        self.code = code
        self.q931Cause = q931Cause
        self.pppCause = pppCause
    }
}

/// Q.931 Cause Code (RFC 2661, section 4.4.5): why a switch unexpectedly ended an ISDN call.
public struct Q931Cause: Hashable, Sendable {
    /// Q.931 cause code.
    public var code: UInt16
    /// Q.931 message.
    public var message: UInt8
    /// Advisory message in UTF-8.
    public var advisory: String?

    /// A cause.
    public init(code: UInt16, message: UInt8, advisory: String? = nil) {
        self.code = code
        self.message = message
        self.advisory = advisory
    }
}

/// Call Errors (RFC 2661, section 4.4.6): counts since the call began.
public struct CallErrors: Hashable, Sendable {
    /// CRC errors.
    public var crcErrors: UInt32 = 0
    /// Framing errors.
    public var framingErrors: UInt32 = 0
    /// Hardware overruns.
    public var hardwareOverruns: UInt32 = 0
    /// Buffer overruns.
    public var bufferOverruns: UInt32 = 0
    /// Time-out errors.
    public var timeOutErrors: UInt32 = 0
    /// Alignment errors.
    public var alignmentErrors: UInt32 = 0

    /// No errors.
    public init() {}
}

/// ACCM (RFC 2661, section 4.4.6): control characters that asynchronous framing escapes.
public struct AsyncControlCharacterMap: Hashable, Sendable {
    /// Map for what the LAC sends to the client.
    public var send: UInt32
    /// Map for what the LAC receives from the client.
    public var receive: UInt32

    /// The two maps.
    public init(send: UInt32, receive: UInt32) {
        self.send = send
        self.receive = receive
    }
}

/// Connect Speed Update (RFC 5515, section 5): what a session's line carries now.
public struct ConnectSpeedUpdate: Hashable, Sendable {
    /// The id that the *receiver* assigned to the session.
    public var remoteSessionID: UInt16
    /// Bits per second from the LAC to the client.
    public var txConnectSpeed: UInt32
    /// Bits per second from the client to the LAC.
    public var rxConnectSpeed: UInt32

    /// An update of these numbers.
    public init(remoteSessionID: UInt16, txConnectSpeed: UInt32, rxConnectSpeed: UInt32) {
        self.remoteSessionID = remoteSessionID
        self.txConnectSpeed = txConnectSpeed
        self.rxConnectSpeed = rxConnectSpeed
    }
}
