import Timing
import Wire

/// What of a tunnel must outlive the process that runs it, so that the next one goes on where it ended and the peer sees no gap.
///
/// Whoever writes it down before the messages of the same moment are let out may be killed at any instruction: what the peer has had
/// acknowledged is in it, and no number that went out is given to another message. Acknowledgements alone change nothing that
/// has to be written: a message that is sent again although the peer had acknowledged it is a duplicate to the peer.
public struct TunnelCheckpoint: Hashable, Sendable {
    /// A message that the peer has not acknowledged yet, as far as was known.
    public struct Message: Hashable, Sendable {
        /// The session of its header.
        public var sessionID: UInt16
        /// What follows the header.
        public var body: [UInt8]
        /// Our id of the session that it ends; 0: none.
        public var ends: UInt16

        /// A message of these parts.
        public init(sessionID: UInt16, body: [UInt8], ends: UInt16 = 0) {
            self.sessionID = sessionID
            self.body = body
            self.ends = ends
        }
    }

    /// Which end we are.
    public var role: Tunnel.Role
    /// The id that we assigned.
    public var localID: UInt16
    /// The id that the peer assigned; 0 until it is known.
    public var peerTunnelID: UInt16 = 0
    /// Where it stands.
    public var state: TunnelState
    /// What the peer said of itself.
    public var peer: PeerInformation?
    /// Why it ended, where it is being ended.
    public var endOrigin: TunnelEnd.Origin?
    /// The Challenge that we sent, while the answer is out.
    public var challenge: [UInt8]?
    /// The Tie Breaker that we sent.
    public var tieBreaker: UInt64?
    /// Ns of the next new message.
    public var ns: UInt16 = 0
    /// Ns of the message that is expected next.
    public var nr: UInt16 = 0
    /// Ns of the first of `queue`.
    public var peerNr: UInt16 = 0
    /// What is not acknowledged, and behind it what was not sent yet.
    public var queue: [Message] = []

    /// A tunnel without anything.
    public init(role: Tunnel.Role, localID: UInt16, state: TunnelState) {
        self.role = role
        self.localID = localID
        self.state = state
    }
}

/// What of an established session must outlive the process.
public struct SessionCheckpoint: Hashable, Sendable {
    /// The id that we assigned.
    public var localID: UInt16
    /// The id that the peer assigned.
    public var peerID: UInt16
    /// Call Serial Number.
    public var callSerialNumber: UInt32
    /// Whether data messages must carry sequence numbers.
    public var sequencingRequired = false
    /// What was told of the line's speeds, in bits per second.
    public var connectSpeeds: ConnectSpeeds?
    /// When it was opened.
    public var createdAt: Instant

    /// A session between these ids.
    public init(localID: UInt16, peerID: UInt16, callSerialNumber: UInt32, createdAt: Instant) {
        self.localID = localID
        self.peerID = peerID
        self.callSerialNumber = callSerialNumber
        self.createdAt = createdAt
    }
}

extension Tunnel {
    /// Grows with everything that a checkpoint must hold and the last one may not.
    public var revision: UInt64 { channel.revision &+ changes }

    /// The tunnel as it stands, without its sessions.
    public var checkpoint: TunnelCheckpoint {
        var checkpoint = TunnelCheckpoint(role: role, localID: localID, state: state)
        checkpoint.peer = peer
        checkpoint.endOrigin = end?.origin
        checkpoint.challenge = state == .established ? nil : challenge
        checkpoint.tieBreaker = tieBreaker
        channel.fill(&checkpoint)
        return checkpoint
    }

    /// The tunnel that an earlier process left. Its sessions follow by `restore`; then `goOn` lets it go on.
    public init(
        restoring checkpoint: TunnelCheckpoint, configuration: TunnelConfiguration,
        random: any RandomNumberGenerator & Sendable, at now: Instant
    ) throws(TunnelConfiguration.Fault) {
        try self.init(
            role: checkpoint.role, localID: checkpoint.localID, configuration: configuration, random: random,
            tieBreaker: checkpoint.tieBreaker)
        peer = checkpoint.peer
        challenge = checkpoint.challenge
        channel.restore(checkpoint)
        if let peer { channel.setPeerWindow(peer.receiveWindow) }
        enter(checkpoint.state, on: .restored, at: now)
        switch checkpoint.state {
        case .idle: break
        case .waitControlReply, .waitControlConnected:
            if configuration.establishTimeout > .zero { establishAt = now + configuration.establishTimeout }
        case .established: break
        case .cleanup:
            end = TunnelEnd(origin: checkpoint.endOrigin ?? .requested, code: nil)
            cleanupAt = now + configuration.transport.fullCycle
        }
    }

    /// Takes a session back; false when its ids are another one's already, or the tunnel has ended.
    public mutating func restore(_ checkpoint: SessionCheckpoint, at now: Instant) -> Bool {
        guard state == .established, checkpoint.localID != 0, checkpoint.peerID != 0,
            sessions[checkpoint.localID] == nil, localIDs[checkpoint.peerID] == nil
        else { return false }
        var session = Session(
            end: .lac, localID: checkpoint.localID,
            request: IncomingCallRequest(
                assignedSessionID: checkpoint.localID, callSerialNumber: checkpoint.callSerialNumber),
            sequencingRequired: checkpoint.sequencingRequired, serial: takeSerial(), at: checkpoint.createdAt)
        session.peerID = checkpoint.peerID
        session.connectSpeeds = checkpoint.connectSpeeds
        session.enter(.established, on: .restored, at: now)
        sessions[checkpoint.localID] = session
        localIDs[checkpoint.peerID] = checkpoint.localID
        return true
    }

    /// Sends what the peer has not acknowledged once more, and goes on. Keepalives of many tunnels that are taken back at
    /// once are spread over their interval.
    public mutating func goOn(at now: Instant) -> [TunnelAction] {
        if state == .established, configuration.helloInterval > .zero {
            helloAt = now + configuration.helloInterval * Double.random(in: 0...1, using: &random)
        }
        return finish(at: now)
    }

    /// Ends a session on the peer's side of which this end has nothing but the ids: CDN (RFC 2661, section 4.4.4). `peerID` is 0
    /// where the peer may not have assigned one yet; it knows the session by ours then.
    public mutating func disconnectForgotten(
        localID id: UInt16, peerID: UInt16, _ code: DisconnectCode, at now: Instant
    ) -> [TunnelAction] {
        guard state == .established, id != 0, sessions[id] == nil else { return [] }
        send(.disconnect(CallDisconnect(assignedSessionID: id, code)), sessionID: peerID, ends: id)
        return finish(at: now)
    }
}

extension Session {
    /// The session as it stands; nil while it is not established.
    public var checkpoint: SessionCheckpoint? {
        guard state == .established, let peerID else { return nil }
        var checkpoint = SessionCheckpoint(
            localID: localID, peerID: peerID, callSerialNumber: request.callSerialNumber, createdAt: createdAt)
        checkpoint.sequencingRequired = sequencingRequired
        checkpoint.connectSpeeds = connectSpeeds
        return checkpoint
    }
}

extension ControlChannel {
    func fill(_ checkpoint: inout TunnelCheckpoint) {
        checkpoint.peerTunnelID = peerTunnelID
        checkpoint.ns = ns
        checkpoint.nr = nr
        checkpoint.peerNr = peerNr
        checkpoint.queue = Array(unacknowledgedMessages)
    }
}
