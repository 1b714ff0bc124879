import Timing

/// What a tunnel keeps for the sake of failovers.
struct FailoverState: Sendable {
    /// The tunnel that this one serves to recover; nil: it is an ordinary one.
    var recovers: TunnelRecovery?
    /// Recovery tunnels: Suggested Control Sequence, sent or received.
    var suggestion: ControlSequence?
    /// Whether the channel's numbers are not known: nothing is sent or taken until `recover`.
    var isSuspended = false
    /// The peer is silent: until when it is waited for.
    var waitsUntil: Instant?
    /// Established sessions that the peer has not named since the control channel was reset.
    var unconfirmed: Set<UInt16> = []
    /// When the peer is asked about these.
    var queryAt: Instant?
    /// When its answers must be there.
    var answersBy: Instant?
    /// How often the control channel was recovered.
    var recoveries = 0

    var deadline: Instant? { [waitsUntil, queryAt, answersBy].lazy.compactMap { $0 }.min() }

    /// Nothing is waited for any more.
    mutating func settle() {
        isSuspended = false
        waitsUntil = nil
        unconfirmed = []
        queryAt = nil
        answersBy = nil
    }
}

/// Why a peer's attempt to recover a tunnel is refused.
public enum RecoveryRefusal: Error, Hashable, Sendable {
    /// There is no established tunnel between these ids.
    case noSuchTunnel
    /// Not both ends have announced that they can.
    case notNegotiated
}

/// The recovery of a control channel (RFC 4951), as the tunnel itself sees it.
///
/// The end that has failed knows the tunnel's ids and sessions, and not its sequence numbers. It opens a second tunnel that names the first,
/// a `RecoveryTunnel`; when that has come up, both ends begin the first one's control channel anew (`recover`) and ask each other about
/// their sessions by FSQ and FSR. Data flows all the time.
extension Tunnel {
    /// How long an end that has not failed leaves it to the other to ask about sessions.
    static var queryDelay: Duration { .seconds(5) }
    /// How long FSR may take.
    static var answerTime: Duration { .seconds(60) }
    /// Sessions in one FSQ: so that it fits a path of 1,500 octets when its AVPs are hidden, 22 octets each.
    static var sessionsInQuery: Int { 60 }

    /// Whether both ends have said that they can recover the control channel.
    public var canRecover: Bool {
        configuration.failover?.controlChannel == true && peer?.failover?.controlChannel == true
    }

    /// Whether the tunnel waits for its control channel to be recovered after our own failure.
    public var isRecovering: Bool { failover.isSuspended }

    /// How often the control channel was recovered.
    public var recoveries: Int { failover.recoveries }

    /// Until when a silent peer is waited for; nil: it is not silent, or not waited for.
    public var waitsForPeerUntil: Instant? { failover.waitsUntil }

    /// Why SCCRQ of a recovery tunnel is refused; nil: it names this tunnel, and may go on to prove who sends it. Some implementations
    /// write the two ids as the receiver sees them, which names a tunnel as well.
    public func refusal(of recovery: TunnelRecovery) -> RecoveryRefusal? {
        guard state == .established, end == nil, let peer, failover.recovers == nil else { return .noSuchTunnel }
        let names = TunnelRecovery(tunnelID: peer.tunnelID, remoteTunnelID: localID)
        let asWeSeeIt = TunnelRecovery(tunnelID: localID, remoteTunnelID: peer.tunnelID)
        guard recovery == names || recovery == asWeSeeIt else { return .noSuchTunnel }
        return canRecover ? nil : .notNegotiated
    }

    /// We have failed, and do not know the control channel's numbers: from now on nothing is sent or taken. What follows is
    /// `recover`, `resume` or `abandonRecovery`. Nothing happens unless the tunnel is established.
    public mutating func suspend(at now: Instant) -> [TunnelAction] {
        guard state == .established, failover.recovers == nil else { return [] }
        failover.settle()
        failover.isSuspended = true
        helloAt = nil
        return finish(at: now)
    }

    /// Goes on with the numbers that the tunnel has, after all.
    public mutating func resume(at now: Instant) -> [TunnelAction] {
        guard failover.isSuspended else { return [] }
        failover.isSuspended = false
        heard(at: now)
        return finish(at: now)
    }

    /// The recovery has failed, and the tunnel is over. The peer is not told, since nothing can be sent that it would take.
    public mutating func abandonRecovery(
        _ end: TunnelEnd = TunnelEnd(origin: .recovery, code: nil), at now: Instant
    ) -> [TunnelAction] {
        guard failover.isSuspended else { return [] }
        channel.stopSending()
        self.end(end, in: .idle, on: .recoveryFailed, at: now)
        release(at: now)
        return finish(at: now)
    }

    /// The recovery tunnel is up at both ends: the control channel begins anew as `reset` says. Messages of before are forgotten, but
    /// for CDNs, whose sessions the peer would keep; sessions that were not established end without a word, and the others are
    /// compared with the peer's.
    public mutating func recover(_ reset: ChannelReset, at now: Instant) -> [TunnelAction] {
        guard state == .established, failover.recovers == nil else { return [] }
        let hasFailed = failover.isSuspended
        failover.settle()
        failover.recoveries += 1
        channel.reset(to: reset.sequence, or: reset.alternative, keeping: Self.isDisconnect)
        note(.channelReset(reset.sequence))
        for id in sessions.keys.sorted() where sessions[id]?.state != .established {
            remove(id, SessionEnd(origin: .recovery, code: nil))
        }
        calls = [:]
        waiting = []
        enter(.established, on: .recovered, at: now)
        heard(at: now)
        failover.unconfirmed = Set(sessions.keys)
        failover.queryAt = hasFailed ? now : now + Self.queryDelay
        if hasFailed { failoverTimerFired(at: now) }
        return finish(at: now)
    }

    // MARK: Time

    /// The peer has left a message unanswered for the last time. Whether it has asked for more time.
    mutating func waitsForRecovery(at now: Instant) -> Bool {
        guard state == .established, canRecover, let time = peer?.failover?.wait, time > .zero else { return false }
        let until = failover.waitsUntil ?? now + time
        guard now < until else { return false }
        if failover.waitsUntil == nil { note(.waitsForPeer(time)) }
        failover.waitsUntil = until
        channel.keepTrying()
        return true
    }

    mutating func failoverTimerFired(at now: Instant) {
        if let due = failover.waitsUntil, due <= now, state == .established {
            failover.waitsUntil = nil
            end(TunnelEnd(origin: .peerSilent, code: nil), in: .idle, on: .transportDown, at: now)
            return release(at: now)
        }
        if let due = failover.queryAt, due <= now { query(at: now) }
        if let due = failover.answersBy, due <= now {
            note(.sessionsCompared(unanswered: failover.unconfirmed.count))
            failover.settle()
        }
    }

    // MARK: Sessions

    /// Asks about every session that the peer has not named by itself.
    private mutating func query(at now: Instant) {
        failover.queryAt = nil
        var sessions: [FailoverSession] = []
        for id in failover.unconfirmed.sorted() {
            guard let peerID = self.sessions[id]?.peerID else { continue }
            sessions.append(FailoverSession(sessionID: id, remoteSessionID: peerID))
        }
        for start in stride(from: 0, to: sessions.count, by: Self.sessionsInQuery) {
            send(.failoverQuery(Array(sessions[start..<min(start + Self.sessionsInQuery, sessions.count)])))
        }
        failover.answersBy = now + Self.answerTime
        noteWhenCompared()
    }

    /// FSQ: says of each session that the peer names whether it is ours as well, and so there at both ends. The answer has the same
    /// size.
    mutating func answer(query: [FailoverSession]) {
        let answers = query.map { named -> FailoverSession in
            let id = named.remoteSessionID
            guard let session = sessions[id], session.state == .established, session.peerID == named.sessionID else {
                return FailoverSession(sessionID: 0, remoteSessionID: named.sessionID)
            }
            failover.unconfirmed.remove(id)
            return FailoverSession(sessionID: id, remoteSessionID: named.sessionID)
        }
        if !answers.isEmpty { send(.failoverResponse(answers)) }
        noteWhenCompared()
    }

    /// FSR: sessions that the peer does not know end without a word. Of what was not asked nothing is believed.
    mutating func receive(answer: [FailoverSession]) {
        for named in answer {
            let id = named.remoteSessionID
            guard failover.unconfirmed.contains(id), let session = sessions[id] else { continue }
            if session.peerID == named.sessionID {
                failover.unconfirmed.remove(id)
            } else {
                remove(id, SessionEnd(origin: .recovery, code: nil))
            }
        }
        noteWhenCompared()
    }

    private mutating func noteWhenCompared() {
        guard failover.answersBy != nil, failover.unconfirmed.isEmpty else { return }
        failover.answersBy = nil
        note(.sessionsCompared(unanswered: 0))
    }
}

/// How a control channel begins anew.
public struct ChannelReset: Hashable, Sendable {
    /// Our numbers.
    public var sequence: ControlSequence
    /// Our numbers when the peer's first message shows that it has begun with others than it was asked to; nil: there are none.
    public var alternative: ControlSequence?

    /// A beginning with `sequence`.
    public init(sequence: ControlSequence, alternative: ControlSequence? = nil) {
        self.sequence = sequence
        self.alternative = alternative
    }
}
