/// What a tunnel asks of the role that runs it, in the order in which it is to be done: `bindPeer` first, then what is to
/// be sent, then what there is to tell. While it acts on these a role may call the tunnel again.
public enum TunnelAction: Sendable {
    /// Send this UDP payload to the peer.
    case send([UInt8])
    /// The datagram in hand was the peer's first valid answer: its source address and port are the peer's from now on.
    /// RFC 2661, section 8.1, lets a responder answer from another port. What comes from elsewhere afterwards must not
    /// be handed to the tunnel.
    case bindPeer
    /// The tunnel is up.
    case tunnelUp(PeerInformation)
    /// The tunnel is down; each of its sessions was told down before. The value must be kept, and fed, until `released`.
    case tunnelDown(TunnelEnd)
    /// Nothing more will come of this tunnel: drop the value, reuse the id.
    case released
    /// The peer has a call for us. Answer with `acceptCall` or `refuseCall`.
    case incomingCall(IncomingCallRequest)
    /// A session is up: forward its data.
    case sessionUp(SessionInformation)
    /// A session is down and its id is free. Comes once for every session that was opened or accepted.
    case sessionDown(localID: UInt16, SessionEnd)
    /// The LNS tells the ACCM that it negotiated (SLI).
    case linkInfo(localID: UInt16, AsyncControlCharacterMap)
    /// The LAC tells errors on its line (WEN).
    case wanError(localID: UInt16, CallErrors)
    /// The LAC tells that its line has another speed now (CSUN, RFC 5515).
    case connectSpeeds(localID: UInt16, ConnectSpeeds)
    /// Something worth a line in the log.
    case note(TunnelNote)
}

/// What the peer said of itself.
public struct PeerInformation: Hashable, Sendable {
    /// The peer's id of the tunnel: what data messages to it carry.
    public var tunnelID: UInt16
    /// Host Name.
    public var hostName: String
    /// Vendor Name.
    public var vendorName: String?
    /// Protocol Version: version in the upper octet, revision in the lower.
    public var protocolVersion: UInt16
    /// Firmware Revision.
    public var firmwareRevision: UInt16?
    /// Framing Capabilities.
    public var framingCapabilities: Framing
    /// Bearer Capabilities.
    public var bearerCapabilities: Bearer?
    /// Receive Window Size, in messages.
    public var receiveWindow: UInt16
    /// Tie Breaker.
    public var tieBreaker: UInt64?

    /// A peer of which this much is known.
    public init(tunnelID: UInt16, hostName: String, protocolVersion: UInt16 = 0x0100, receiveWindow: UInt16) {
        self.tunnelID = tunnelID
        self.hostName = hostName
        self.protocolVersion = protocolVersion
        self.receiveWindow = receiveWindow
        framingCapabilities = []
    }

    /// What `start`, the peer's SCCRQ or SCCRP, says; a window that it leaves out is 4.
    public init(_ start: StartControlConnection) {
        tunnelID = start.assignedTunnelID
        hostName = start.hostName
        vendorName = start.vendorName
        protocolVersion = start.protocolVersion
        firmwareRevision = start.firmwareRevision
        framingCapabilities = start.framingCapabilities
        bearerCapabilities = start.bearerCapabilities
        receiveWindow = start.receiveWindowSize ?? UInt16(ControlChannel.defaultPeerWindow)
        tieBreaker = start.tieBreaker
    }
}

/// What forwarding must know of a session.
public struct SessionInformation: Hashable, Sendable {
    /// The id that we assigned: what data messages to us carry.
    public var localID: UInt16
    /// The id that the peer assigned: what data messages to it carry.
    public var peerID: UInt16
    /// Whether every data message must carry sequence numbers (Sequencing Required was sent or received).
    public var sequencingRequired: Bool
    /// LNS: what ICCN said. Nil at the LAC, which said it.
    public var connected: CallConnected?

    /// A session between these ids.
    public init(localID: UInt16, peerID: UInt16, sequencingRequired: Bool, connected: CallConnected? = nil) {
        self.localID = localID
        self.peerID = peerID
        self.sequencingRequired = sequencingRequired
        self.connected = connected
    }
}

/// Who or what ended a tunnel.
public struct TunnelEnd: Hashable, Sendable, CustomStringConvertible {
    /// Who or what it was.
    public enum Origin: String, Hashable, Sendable {
        /// The role, by `close`.
        case requested = "closed"
        /// The peer, by StopCCN.
        case peer = "closed by peer"
        /// The peer left a message unacknowledged.
        case peerSilent = "peer does not answer"
        /// The tunnel was not up in time.
        case establishTimeout = "not established in time"
        /// The tunnel had no session for too long.
        case idleTimeout = "idle"
        /// The secrets differ, or only one end has one.
        case authentication = "authentication failed"
        /// The peer broke the protocol.
        case protocolError = "protocol error"
        /// Both ends opened a tunnel, and the Tie Breaker decided for the peer's.
        case tieBreaker = "gave way to the peer's tunnel"
    }

    /// Who or what it was.
    public var origin: Origin
    /// What StopCCN said, ours or the peer's; nil when none was exchanged.
    public var code: StopCode?

    /// An end by `origin`.
    public init(origin: Origin, code: StopCode?) {
        self.origin = origin
        self.code = code
    }

    /// In words, for logs and `show`.
    public var description: String { code.map { "\(origin.rawValue): \($0)" } ?? origin.rawValue }
}

/// Who or what ended a session.
public struct SessionEnd: Hashable, Sendable, CustomStringConvertible {
    /// Who or what it was.
    public enum Origin: String, Hashable, Sendable {
        /// The role, by `closeSession`.
        case requested = "closed"
        /// The peer, by CDN.
        case peer = "closed by peer"
        /// The tunnel ended.
        case tunnel = "tunnel down"
        /// The session was not up in time.
        case establishTimeout = "not established in time"
        /// The peer broke the protocol.
        case protocolError = "protocol error"
    }

    /// Who or what it was.
    public var origin: Origin
    /// What CDN said, ours or the peer's; nil when the tunnel ended.
    public var code: DisconnectCode?
    /// Q.931 cause that the peer's CDN carried.
    public var q931Cause: Q931Cause?
    /// PPP's cause that CDN carried, ours or the peer's.
    public var pppCause: PPPDisconnectCause?

    /// An end by `origin`.
    public init(
        origin: Origin, code: DisconnectCode?, q931Cause: Q931Cause? = nil, pppCause: PPPDisconnectCause? = nil
    ) {
        self.origin = origin
        self.code = code
        self.q931Cause = q931Cause
        self.pppCause = pppCause
    }

    /// In words, for logs and `show`.
    public var description: String {
        ([code.map { "\(origin.rawValue): \($0)" } ?? origin.rawValue] + [pppCause.map { "\($0)" }].compactMap { $0 })
            .joined(separator: "; ")
    }
}

/// Something that happened to a tunnel and is worth a line in the log.
public enum TunnelNote: Hashable, Sendable, CustomStringConvertible {
    /// A datagram without a usable control header was dropped.
    case badHeader(ControlHeader.Fault)
    /// A datagram whose header names another tunnel was dropped.
    case wrongTunnel(UInt16)
    /// A message outside of the receive window, or acknowledging what was never sent, was dropped.
    case outOfSequence(ns: UInt16, nr: UInt16)
    /// An AVP was passed over.
    case ignored(IgnoredAttribute)
    /// A message of unknown type, without the M bit, was passed over.
    case unknownMessage
    /// A message could not be accepted.
    case fault(MessageFault)
    /// A message names a session that is not there; usual when both ends close at once.
    case unknownSession(MessageType, UInt16)
    /// A message could not be written.
    case encoding(EncodingError)

    /// In words, for logs and `show`.
    public var description: String {
        switch self {
        case .badHeader(let fault): "dropped a datagram: \(fault)"
        case .wrongTunnel(let id): "dropped a message for tunnel \(id)"
        case .outOfSequence(let ns, let nr): "dropped a message out of sequence, ns/nr \(ns)/\(nr)"
        case .ignored(let avp): "passed over AVP \(avp.type) of vendor \(avp.vendor): \(avp.reason)"
        case .unknownMessage: "passed over a message of unknown type"
        case .fault(let fault): "\(fault)"
        case .unknownSession(let type, let id): "\(type) for unknown session \(id)"
        case .encoding(let error): "message not sent: \(error)"
        }
    }
}
