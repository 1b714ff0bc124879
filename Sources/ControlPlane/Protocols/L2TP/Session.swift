import Timing
import Wire

/// One session of a tunnel: an incoming call, at the LAC or the LNS (RFC 2661, section 7.4).
public struct Session: Sendable {
    /// Which end of the call we are.
    public enum End: String, Sendable {
        /// We announced the call.
        case lac = "LAC Incoming Call"
        /// The peer announced it.
        case lns = "LNS Incoming Call"
    }

    /// Which end we are.
    public let end: End
    /// The id that we assigned.
    public let localID: UInt16
    /// The id that the peer assigned; nil until it is known.
    public internal(set) var peerID: UInt16?
    /// Where the session stands.
    public internal(set) var state: SessionState = .idle
    /// What ICRQ said, ours or the peer's.
    public let request: IncomingCallRequest
    /// Whether data messages must carry sequence numbers.
    public internal(set) var sequencingRequired: Bool
    /// Bits per second to and from the client, as ICCN says them, or CSUN after it; nil at the LNS until ICCN has come.
    public internal(set) var connectSpeeds: ConnectSpeeds?
    /// When it was opened.
    public let createdAt: Instant
    /// What happened to it.
    public internal(set) var history = EventHistory<SessionEvent, SessionState>()

    /// Tells this session from a later one with the same id.
    let serial: UInt64
    /// ICRQ and ICCN, written when the session was opened and kept until they are sent.
    var requestBody: [UInt8] = []
    var connectedBody: [UInt8] = []

    init(
        end: End, localID: UInt16, request: IncomingCallRequest, sequencingRequired: Bool, serial: UInt64,
        at now: Instant
    ) {
        self.end = end
        self.localID = localID
        self.request = request
        self.sequencingRequired = sequencingRequired
        self.serial = serial
        createdAt = now
    }

    mutating func enter(_ newState: SessionState, on event: SessionEvent, at now: Instant) {
        history.add(event, at: now, from: state, to: newState)
        state = newState
    }
}

/// (Tx) Connect Speed and Rx Connect Speed, in bits per second.
public struct ConnectSpeeds: Hashable, Sendable {
    /// From the LAC to the client.
    public var transmit: UInt32
    /// From the client to the LAC.
    public var receive: UInt32

    /// These speeds.
    public init(transmit: UInt32, receive: UInt32) {
        self.transmit = transmit
        self.receive = receive
    }

    /// The speeds of a call; without Rx Connect Speed both are the same (RFC 2661, section 4.4.6).
    init(_ connected: CallConnected) {
        transmit = connected.txConnectSpeed
        receive = connected.rxConnectSpeed ?? connected.txConnectSpeed
    }

    init(_ update: ConnectSpeedUpdate) {
        transmit = update.txConnectSpeed
        receive = update.rxConnectSpeed
    }
}

/// Why a session cannot be opened or accepted.
public enum SessionRefusal: Error, Hashable, Sendable {
    /// The id is 0 or another session's.
    case localID
    /// The tunnel is closing or was never up.
    case tunnelClosed
    /// The tunnel has as many sessions as it may.
    case sessionLimit
    /// The peer has no such call waiting for an answer.
    case noSuchCall
    /// A value does not fit its AVP.
    case encoding(EncodingError)
}

/// What a LAC tells of a call that it hands to the LNS: the values of ICRQ and ICCN.
public struct IncomingCall: Hashable, Sendable {
    /// Call Serial Number.
    public var callSerialNumber: UInt32
    /// Bearer Type.
    public var bearerType: Bearer?
    /// Physical Channel ID.
    public var physicalChannelID: UInt32?
    /// Calling Number.
    public var callingNumber: String?
    /// Called Number.
    public var calledNumber: String?
    /// Sub-Address.
    public var subAddress: String?
    /// What the access node tells of the caller's line; nothing of it is sent when it is empty.
    public var accessLine = AccessLineInformation()
    /// Speeds, framing, proxy LCP and authentication, sequencing.
    public var connected: CallConnected

    /// A call of this serial number.
    public init(callSerialNumber: UInt32, connected: CallConnected) {
        self.callSerialNumber = callSerialNumber
        self.connected = connected
    }

    func request(assignedSessionID: UInt16) -> IncomingCallRequest {
        var request = IncomingCallRequest(assignedSessionID: assignedSessionID, callSerialNumber: callSerialNumber)
        request.bearerType = bearerType
        request.physicalChannelID = physicalChannelID
        request.callingNumber = callingNumber
        request.calledNumber = calledNumber
        request.subAddress = subAddress
        request.accessLine = accessLine
        return request
    }
}
