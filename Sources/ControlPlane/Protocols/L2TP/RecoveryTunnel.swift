import Timing

/// A tunnel that serves to recover the control channel of another one (RFC 4951): the end that has failed opens it, both ends prove who
/// they are as at the first one's establishment, and it is closed again. It carries no session and no data.
///
/// A value without I/O like `Tunnel`, which it drives.
public struct RecoveryTunnel: Sendable {
    /// What the role has to do, in this order.
    public enum Action: Sendable {
        /// Send this UDP payload to the peer.
        case send([UInt8])
        /// The datagram in hand was the peer's first valid answer: its source is the peer's address and port from now on.
        case bindPeer
        /// Both ends have come to agree: the tunnel's own `recover` is to be called.
        case recovered(ChannelReset)
        /// It has come to nothing.
        case failed(TunnelEnd)
        /// It is over; its id is free.
        case released
        /// Something happened that is worth a line in the log.
        case note(TunnelNote)
    }

    /// How long the end that has not failed waits for the other to close the recovery tunnel.
    static var closeDelay: Duration { .seconds(5) }
    /// The longest time that an attempt may take.
    static var longestAttempt: Duration { .seconds(60) }

    /// Whether it is we who have failed.
    public var hasFailed: Bool { machine.role == .initiator }
    /// The id that we assigned.
    public var localID: UInt16 { machine.localID }
    /// What the peer said of itself; nil until it spoke.
    public var peer: PeerInformation? { machine.peer }
    /// Whether it has done what it is for.
    public private(set) var isRecovered = false
    /// The peer's challenge in SCCRQ, by which the same request is known when it comes again.
    public let challenge: [UInt8]?

    private var machine: Tunnel
    private var isUp = false
    private var hasEnded = false
    private var closeAt: Instant?

    /// We have failed: a tunnel to recover `tunnel` by, which is begun by `open`. Throws when the peer was never known.
    public init(
        recovering tunnel: Tunnel, localID: UInt16, random: any RandomNumberGenerator & Sendable
    ) throws {
        guard let peer = tunnel.peer else { throw RecoveryRefusal.noSuchTunnel }
        challenge = nil
        machine = try Tunnel(
            role: .initiator, localID: localID, configuration: Self.configuration(like: tunnel), random: random)
        machine.failover.recovers = TunnelRecovery(tunnelID: tunnel.localID, remoteTunnelID: peer.tunnelID)
    }

    /// The peer has failed and sent `request`: a tunnel that answers, and is handed the datagram then. Throws why it is refused.
    public init(
        answering request: StartControlConnection, for tunnel: Tunnel, localID: UInt16,
        random: any RandomNumberGenerator & Sendable
    ) throws {
        guard let recovery = request.recovery else { throw RecoveryRefusal.noSuchTunnel }
        if let refusal = tunnel.refusal(of: recovery) { throw refusal }
        challenge = request.challenge
        machine = try Tunnel(
            role: .responder, localID: localID, configuration: Self.configuration(like: tunnel), random: random)
        machine.failover.recovers = recovery
        machine.failover.suggestion = tunnel.suggestion
    }

    private static func configuration(like tunnel: Tunnel) -> TunnelConfiguration {
        var configuration = tunnel.configuration
        configuration.helloInterval = .zero
        configuration.idleTimeout = .zero
        configuration.acceptsCalls = false
        configuration.sendsTieBreaker = true
        configuration.establishTimeout =
            configuration.establishTimeout > .zero
            ? min(configuration.establishTimeout, longestAttempt) : longestAttempt
        return configuration
    }

    /// When `timerFired` wants to be called; nil for never.
    public var deadline: Instant? {
        guard let closeAt else { return machine.deadline }
        return machine.deadline.map { min($0, closeAt) } ?? closeAt
    }

    // MARK: Entry points

    /// Sends SCCRQ.
    public mutating func open(at now: Instant) -> [Action] { act(machine.open(at: now), at: now) }

    /// Takes a UDP payload that the peer sent to this tunnel.
    public mutating func receive(datagram: ArraySlice<UInt8>, at now: Instant) -> [Action] {
        var actions = machine.receive(datagram: datagram, at: now)
        // One that answers is made for SCCRQ. Where that was not taken, by its numbers for instance, nothing else is waited for.
        if !hasFailed, machine.state == .idle, machine.end == nil {
            actions += machine.close(StopCode(.generalError), at: now)
        }
        return act(actions, at: now)
    }

    /// Acts on every deadline that has passed.
    public mutating func timerFired(at now: Instant) -> [Action] {
        var actions = machine.timerFired(at: now)
        if let due = closeAt, due <= now {
            closeAt = nil
            actions += machine.close(at: now)
        }
        return act(actions, at: now)
    }

    /// Gives the attempt up, telling the peer.
    public mutating func close(_ code: StopCode = StopCode(.clear), at now: Instant) -> [Action] {
        act(machine.close(code, at: now), at: now)
    }

    /// Both ends have failed and opened a recovery tunnel: whose is to come up, now that `request` has come.
    public func tieBreak(against request: StartControlConnection) -> TieBreak {
        machine.tieBreak(against: request) ?? .ours
    }

    // MARK: Parts

    private mutating func act(_ actions: [TunnelAction], at now: Instant) -> [Action] {
        var output: [Action] = []
        for action in actions {
            switch action {
            case .send(let datagram): output.append(.send(datagram))
            case .bindPeer: output.append(.bindPeer)
            case .note(let note): output.append(.note(note))
            case .released: output.append(.released)
            case .tunnelUp: isUp = true
            case .tunnelDown(let end):
                // A peer that closes it with the ordinary code has taken SCCCN before.
                if isUp, !isRecovered, end.origin == .peer, end.code?.result == .clear {
                    output.append(recovered())
                } else if !isRecovered, !hasEnded {
                    output.append(.failed(end))
                }
                hasEnded = true
            case .incomingCall, .sessionUp, .sessionDown, .linkInfo, .wanError, .connectSpeeds: break
            }
        }
        if isUp, !isRecovered, !hasEnded { output += agree(at: now) }
        return output
    }

    /// The end that has not failed agrees when it has SCCCN, the other one when that was acknowledged: were it to begin sooner, what the
    /// peer still sends by the old numbers could pass for new.
    private mutating func agree(at now: Instant) -> [Action] {
        if hasFailed {
            guard machine.channel.isDrained else { return [] }
            // StopCCN goes first: a peer that begins anew when the recovery tunnel is gone is ready then for what follows.
            let action = recovered()
            return act(machine.close(at: now), at: now) + [action]
        }
        let action = recovered()
        machine.channel.hastenAcknowledgement()
        closeAt = now + Self.closeDelay
        return act(machine.finish(at: now), at: now) + [action]
    }

    private mutating func recovered() -> Action {
        isRecovered = true
        let suggestion = machine.failover.suggestion
        guard hasFailed else {
            return .recovered(
                ChannelReset(sequence: suggestion?.reversed ?? .zero, alternative: suggestion == nil ? nil : .zero))
        }
        // Who has suggested numbers from its own point of view begins with these.
        return .recovered(ChannelReset(sequence: suggestion ?? .zero, alternative: suggestion?.reversed))
    }
}

extension Tunnel {
    /// Numbers that the peer, which has failed, is asked to begin with: where those of before lie near 0, a late message of before could
    /// pass for a new one. Both are the same, far from either end's; nil: 0 will do.
    var suggestion: ControlSequence? {
        guard !failover.isSuspended else { return nil }
        let window = Int(configuration.transport.receiveWindow) + channel.peerWindow
        let numbers = [channel.ns, channel.nr]
        guard numbers.contains(where: { abs(Int(Int16(bitPattern: $0))) < 2 * window }) else { return nil }
        for step in 1...3 as ClosedRange<UInt16> {
            let number = step << 14
            let isFar = numbers.allSatisfy { abs(Int(Int16(bitPattern: number &- $0))) >= 2 * window }
            if isFar { return ControlSequence(ns: number, nr: number) }
        }
        return nil
    }
}
