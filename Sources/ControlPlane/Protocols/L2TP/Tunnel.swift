import DequeModule
import Timing
import Wire

/// One L2TP tunnel: its control connection, authentication, keepalive and sessions (RFC 2661).
///
/// A value without I/O. Every entry point takes the time and answers what the role has to do; `deadline` says when
/// `timerFired` wants to be called. Ids are the role's: they carry table slots. No entry point's cost grows with the
/// number of sessions, but for the ends of the tunnel's establishment and life, where each session is told.
public struct Tunnel: Sendable {
    /// Which end sent SCCRQ.
    public enum Role: String, Sendable {
        /// We open the tunnel.
        case initiator
        /// The peer opens the tunnel.
        case responder
    }

    /// Which end we are.
    public let role: Role
    /// The id that we assigned: what the peer writes into headers.
    public let localID: UInt16
    /// How the tunnel behaves.
    public let configuration: TunnelConfiguration
    /// The Tie Breaker that we send; nil when it is off, or the peer opens the tunnel.
    public let tieBreaker: UInt64?
    /// Where the tunnel stands.
    public internal(set) var state: TunnelState = .idle
    /// What the peer said of itself; nil until it spoke.
    public internal(set) var peer: PeerInformation?
    /// What happened to it.
    public internal(set) var history = EventHistory<TunnelEvent, TunnelState>()
    /// Why it ended; nil until it did.
    public internal(set) var end: TunnelEnd?
    /// When `timerFired` wants to be called; nil for never.
    public internal(set) var deadline: Instant?

    /// Sessions by the id that we assigned.
    public internal(set) var sessions: [UInt16: Session] = [:]

    var channel: ControlChannel
    var random: any RandomNumberGenerator & Sendable
    var challenge: [UInt8]?
    var actions: [TunnelAction] = []
    var bindsPeer = false

    /// Our ids by the peer's, and calls that the role has not answered yet, by the peer's.
    var localIDs: [UInt16: UInt16] = [:]
    var calls: [UInt16: IncomingCallRequest] = [:]
    /// Sessions that wait for the tunnel, in the order of their opening.
    var waiting: Deque<(id: UInt16, serial: UInt64)> = []
    /// When sessions must be up. All have the same time, so the front is the first.
    var sessionDeadlines: Deque<(at: Instant, id: UInt16, serial: UInt64)> = []
    var nextSerial: UInt64 = 0

    var helloAt: Instant?
    var establishAt: Instant?
    var idleAt: Instant?
    var cleanupAt: Instant?
    var isReleased = false
    /// Changes of what `checkpoint` holds beside the channel.
    var changes: UInt64 = 0
    /// Its part in failovers (RFC 4951).
    var failover = FailoverState()

    /// A tunnel that has not done anything yet. An initiator starts by `open`; a responder by `receive` with the
    /// datagram of the SCCRQ that `InitialMessage.decode` accepted. `random` must be unforeseeable: challenges and
    /// random vectors are taken from it.
    public init(
        role: Role, localID: UInt16, configuration: TunnelConfiguration, random: any RandomNumberGenerator & Sendable
    ) throws(TunnelConfiguration.Fault) {
        var random = random
        let tieBreaker: UInt64? = role == .initiator && configuration.sendsTieBreaker ? random.next() : nil
        try self.init(
            role: role, localID: localID, configuration: configuration, random: random, tieBreaker: tieBreaker)
    }

    init(
        role: Role, localID: UInt16, configuration: TunnelConfiguration, random: any RandomNumberGenerator & Sendable,
        tieBreaker: UInt64?
    ) throws(TunnelConfiguration.Fault) {
        guard localID != 0 else { throw .localID }
        try configuration.validate()
        self.role = role
        self.localID = localID
        self.configuration = configuration
        self.tieBreaker = tieBreaker
        self.random = random
        channel = ControlChannel(settings: configuration.transport)
    }

    /// Sequence numbers, windows and counters.
    public var statistics: TransportStatistics { channel.statistics }

    /// CDNs that the peer has not acknowledged: sessions that are over here, and perhaps not there.
    public var unacknowledgedDisconnects: Int {
        channel.unacknowledgedBodies.reduce(0) { $0 + (Self.isDisconnect($1) ? 1 : 0) }
    }

    static func isDisconnect(_ body: [UInt8]) -> Bool {
        var reader = ByteReader(body.dropFirst(6))
        return reader.readUInt16() == MessageType.callDisconnectNotify.rawValue
    }

    // MARK: Entry points

    /// Sends SCCRQ. Nothing happens unless this is an initiator that was not opened before.
    public mutating func open(at now: Instant) -> [TunnelAction] {
        guard role == .initiator, state == .idle, end == nil else { return [] }
        var start = startMessage()
        start.tieBreaker = tieBreaker
        start.recovery = failover.recovers
        // Which secret is meant the peer finds out by the Host Name in this very message, and some peers, xl2tpd for one, not
        // before they have read all of it. There is nothing in it to hide.
        send(.startRequest(start), isHiding: false)
        startEstablishing(.waitControlReply, on: .openRequest, at: now)
        return finish(at: now)
    }

    /// Takes a UDP payload that the peer sent to this tunnel.
    public mutating func receive(datagram: ArraySlice<UInt8>, at now: Instant) -> [TunnelAction] {
        guard !isReleased else { return [] }
        let header: ControlHeader
        let body: ArraySlice<UInt8>
        do { (header, body) = try ControlHeader.decode(datagram) } catch { return [.note(.badHeader(error))] }
        // A peer that has not learnt our id yet, or never will, says 0.
        guard header.tunnelID == localID || (header.tunnelID == 0 && role == .responder) else {
            return [.note(.wrongTunnel(header.tunnelID))]
        }
        // What comes by numbers that we do not know any more is not to be understood.
        guard !failover.isSuspended else { return [.note(.outOfSequence(ns: header.ns, nr: header.nr))] }
        switch channel.receive(header, body: body, at: now) {
        case .accepted, .acknowledgement, .duplicate: heard(at: now)
        case .outOfWindow, .badAcknowledgement:
            actions.append(.note(.outOfSequence(ns: header.ns, nr: header.nr)))
        }
        while let message = channel.nextMessage(at: now) {
            process(message.body[...], sessionID: message.sessionID, at: now)
        }
        return finish(at: now)
    }

    /// Ns of the message that is expected of the peer next (RFC 2661, section 5.8).
    public var expectedNs: UInt16 { channel.nr }

    /// The host could not send this datagram; it counts as failed, and is sent again like a lost one.
    public mutating func sendFailed(_ datagram: ArraySlice<UInt8>) {
        // Flags, Vendor ID and Attribute Type of the Message Type AVP lie between the header and the type.
        var reader = ByteReader(datagram.dropFirst(ControlHeader.length + 6))
        channel.countFailure(of: datagram, isHello: reader.readUInt16() == MessageType.hello.rawValue)
    }

    /// Sends StopCCN; all sessions go down with the tunnel. A tunnel that never began is released at once.
    public mutating func close(_ code: StopCode = StopCode(.clear), at now: Instant) -> [TunnelAction] {
        guard state != .cleanup, !isReleased else { return [] }
        // Without numbers StopCCN cannot be sent.
        guard !failover.isSuspended else { return abandonRecovery(TunnelEnd(origin: .requested, code: code), at: now) }
        stop(code, origin: .requested, on: .closeRequest, at: now)
        return finish(at: now)
    }

    /// Acts on every deadline that has passed.
    public mutating func timerFired(at now: Instant) -> [TunnelAction] {
        guard !isReleased else { return [] }
        if failover.isSuspended {
            expireSessions(at: now)
            return finish(at: now)
        }
        if !channel.timerFired(at: now), !waitsForRecovery(at: now) {
            if state != .cleanup {
                end(TunnelEnd(origin: .peerSilent, code: nil), in: .idle, on: .transportDown, at: now)
            }
            release(at: now)
            return finish(at: now)
        }
        if let cleanupAt, cleanupAt <= now { release(at: now) }
        if let establishAt, establishAt <= now {
            stop(
                StopCode(.clear, message: "not established in time"), origin: .establishTimeout,
                on: .establishTimeout, at: now)
        }
        if let idleAt, idleAt <= now {
            stop(StopCode(.clear, message: "idle"), origin: .idleTimeout, on: .idleTimeout, at: now)
        }
        if let helloAt, helloAt <= now, state == .established {
            // A message that is on its way asks the same question.
            if !channel.isProbing, failover.waitsUntil == nil {
                send(.hello)
                channel.countHelloSent()
            }
            self.helloAt = now + configuration.helloInterval
        }
        expireSessions(at: now)
        failoverTimerFired(at: now)
        return finish(at: now)
    }

    // MARK: Common parts

    /// Answers the actions gathered, sends what the window allows and computes the next deadline.
    mutating func finish(at now: Instant) -> [TunnelAction] {
        var output: [[UInt8]] = []
        if !isReleased, !failover.isSuspended { channel.transmit(at: now, into: &output) }
        // Our StopCCN was acknowledged: the peer needs nothing more of us.
        if state == .cleanup, end?.origin != .peer, channel.isDrained { release(at: now) }
        if state == .established, configuration.idleTimeout > .zero, sessions.isEmpty, calls.isEmpty {
            idleAt = idleAt ?? now + configuration.idleTimeout
        } else {
            idleAt = nil
        }
        updateDeadline(at: now)
        defer {
            actions = []
            bindsPeer = false
        }
        // A role may well open a session the moment it is told that the tunnel is up. What that sends must not overtake
        // what is sent here, since some peers drop what comes out of order.
        return (bindsPeer ? [.bindPeer] : []) + output.map { .send($0) } + actions
    }

    private mutating func updateDeadline(at now: Instant) {
        guard !isReleased else {
            deadline = nil
            return
        }
        while let front = sessionDeadlines.first, !isEstablishing(front.id, serial: front.serial) {
            sessionDeadlines.removeFirst()
        }
        guard !failover.isSuspended else {
            deadline = sessionDeadlines.first?.at
            return
        }
        deadline = [
            channel.deadline, helloAt, establishAt, idleAt, cleanupAt, failover.deadline, sessionDeadlines.first?.at,
        ]
        .lazy.compactMap { $0 }.min()
    }

    mutating func heard(at now: Instant) {
        failover.waitsUntil = nil
        guard state == .established, configuration.helloInterval > .zero else { return }
        helloAt = now + configuration.helloInterval
    }

    mutating func note(_ note: TunnelNote) { actions.append(.note(note)) }

    mutating func enter(_ newState: TunnelState, on event: TunnelEvent, at now: Instant) {
        history.add(event, at: now, from: state, to: newState)
        state = newState
        changes &+= 1
    }

    mutating func startEstablishing(_ newState: TunnelState, on event: TunnelEvent, at now: Instant) {
        if configuration.establishTimeout > .zero { establishAt = now + configuration.establishTimeout }
        enter(newState, on: event, at: now)
    }

    mutating func send(_ message: ControlMessage, sessionID: UInt16 = 0, ends: UInt16 = 0, isHiding: Bool = true) {
        do {
            channel.enqueue(try message.encode(hiding: isHiding ? hidingKey() : nil), sessionID: sessionID, ends: ends)
        } catch {
            note(.encoding(error))
        }
    }

    /// A key with a fresh random vector, when AVPs are to be hidden.
    mutating func hidingKey() -> HidingKey? {
        guard configuration.hidesAttributes, let secret = configuration.sharedSecret else { return nil }
        return HidingKey(
            secret: secret, randomVector: randomBytes(16), padding: randomBytes(HiddenValue.grain - 1))
    }

    mutating func randomBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// The parts that SCCRQ and SCCRP share, with a challenge when there is a secret.
    mutating func startMessage() -> StartControlConnection {
        var start = StartControlConnection(hostName: configuration.hostName, assignedTunnelID: localID)
        start.framingCapabilities = configuration.framingCapabilities
        start.bearerCapabilities = configuration.bearerCapabilities
        start.firmwareRevision = configuration.firmwareRevision
        start.vendorName = configuration.vendorName
        start.receiveWindowSize = configuration.transport.receiveWindow
        if configuration.sharedSecret != nil { challenge = randomBytes(TunnelAuthentication.challengeLength) }
        start.challenge = challenge
        start.failover = configuration.failover
        return start
    }

    // MARK: Ending

    /// Sends StopCCN, tells the end, and waits for the acknowledgement.
    mutating func stop(_ code: StopCode, origin: TunnelEnd.Origin, on event: TunnelEvent, at now: Instant) {
        guard state != .cleanup, !isReleased else { return }
        let began = state != .idle || channel.peerTunnelID != 0
        channel.dropUnsent()
        end(TunnelEnd(origin: origin, code: code), in: began ? .cleanup : .idle, on: event, at: now)
        guard began else { return release(at: now) }
        send(.stop(assignedTunnelID: localID, code))
        cleanupAt = now + configuration.transport.fullCycle
    }

    /// The peer sent StopCCN: acknowledge it, and its repetitions for a full retransmission cycle.
    mutating func stopped(_ code: StopCode, at now: Instant) {
        channel.stopSending()
        channel.hastenAcknowledgement()
        end(TunnelEnd(origin: .peer, code: code), in: .cleanup, on: .stopReceived, at: now)
        cleanupAt = now + configuration.transport.fullCycle
    }

    mutating func end(_ end: TunnelEnd, in newState: TunnelState, on event: TunnelEvent, at now: Instant) {
        enter(newState, on: event, at: now)
        self.end = end
        helloAt = nil
        establishAt = nil
        failover.settle()
        for id in sessions.keys.sorted() {
            actions.append(.sessionDown(localID: id, SessionEnd(origin: .tunnel, code: nil)))
        }
        sessions = [:]
        localIDs = [:]
        calls = [:]
        waiting = []
        sessionDeadlines = []
        actions.append(.tunnelDown(end))
    }

    mutating func release(at now: Instant) {
        guard !isReleased else { return }
        if state == .cleanup { enter(.idle, on: .cleanupDone, at: now) }
        isReleased = true
        cleanupAt = nil
        actions.append(.released)
    }
}
