import Timing

extension RADIUSClient {
    // MARK: Dead and alive

    /// A server is given up for its dead time. What waits for it goes to others where there are some.
    mutating func markDead(_ channel: Int, at now: Instant) {
        let server = channels[channel].server
        guard server.deadTime > .zero else { return }
        channels[channel].deadUntil = now + server.deadTime
        channels[channel].probesAnswered = 0
        channels[channel].counters[.deaths] += 1
        outputs.append(.note(.serverDead(server.key, channels[channel].service, deadTime: server.deadTime)))
        if server.sendsStatusServer, channels[channel].probe == nil {
            setProbeTimer(channel, now + randomized(Channel.probeInterval))
        }
        let queue = channels[channel].waiting
        channels[channel].waiting = []
        for handle in queue where pending(handle)?.stage == .waiting(channel: channel) {
            release(handle.slot)
            dispatch(handle.slot, at: now)
        }
    }

    mutating func markAlive(_ channel: Int, byStatusServer: Bool) {
        channels[channel].deadUntil = nil
        channels[channel].trial = nil
        channels[channel].probesAnswered = 0
        channels[channel].probesLost = 0
        outputs.append(
            .note(
                .serverAlive(channels[channel].server.key, channels[channel].service, byStatusServer: byStatusServer)))
    }

    // MARK: Status-Server (RFC 5997)

    mutating func setProbeTimer(_ channel: Int, _ time: Instant) {
        channels[channel].probeAt = time
        deadlines.add(.channel(channel), at: time)
    }

    /// The prober acts: what was out is lost, or the next one is due. One is out at a time, and none is sent again: the next
    /// is a new packet (RFC 5997 section 4).
    mutating func probeTimer(_ channel: Int, at now: Instant) {
        if let probe = channels[channel].probe { return probeLost(probe, on: channel, at: now) }
        let state = channels[channel]
        // A server that has answered lately need not be asked.
        if state.deadUntil == nil, state.probesLost == 0, let heard = state.lastAnswer {
            let quiet = heard + Channel.watchInterval.0
            if quiet > now { return setProbeTimer(channel, quiet + randomized((.seconds(2), spread: .seconds(2)))) }
        }
        sendProbe(channel, at: now)
    }

    private mutating func sendProbe(_ channel: Int, at now: Instant) {
        guard let code = channels[channel].identifiers.take(for: .probe) else {
            return setProbeTimer(channel, now + randomized(Channel.probeInterval))
        }
        let server = channels[channel].server
        guard
            let packet = try? RADIUSPacket.request(
                .statusServer, identifier: IdentifierPool.identifier(of: code),
                attributes: configuration.nas.attributes, secret: server.secret,
                random: RADIUSAuthenticator(using: &random))
        else {
            // The node's name does not fit an attribute; no request would go out either.
            channels[channel].identifiers.giveBack(code)
            channels[channel].probeAt = nil
            return
        }
        channels[channel].probe = Channel.Probe(code: code, authenticator: packet.authenticator, sentAt: now)
        channels[channel].counters[.probes] += 1
        setProbeTimer(channel, now + randomized(server.timeout))
        outputs.append(
            .send(
                packet.bytes, socket: IdentifierPool.socket(of: code), to: server.key.address,
                port: channels[channel].port))
    }

    private mutating func probeLost(_ probe: Channel.Probe, on channel: Int, at now: Instant) {
        channels[channel].identifiers.giveBack(probe.code)
        channels[channel].probe = nil
        channels[channel].probesAnswered = 0
        channels[channel].probesLost += 1
        let state = channels[channel]
        let isEnough = state.probesLost == state.server.retransmit + 1
        if state.deadUntil == nil, state.knowsStatusServer, isEnough {
            markDead(channel, at: now)
        } else if !state.knowsStatusServer, isEnough {
            outputs.append(.note(.statusServerIgnored(state.server.key, state.service)))
        }
        // From a server that never knew Status-Server there is no hurry to hear.
        let hurries = state.knowsStatusServer || state.probesLost <= state.server.retransmit
        let interval = hurries ? Channel.probeInterval : Channel.watchInterval
        setProbeTimer(channel, max(now, probe.sentAt + randomized(interval)))
    }

    mutating func probeAnswered(_ channel: Int, at now: Instant) {
        guard let probe = channels[channel].probe else { return }
        channels[channel].identifiers.giveBack(probe.code)
        channels[channel].probe = nil
        channels[channel].lastAnswer = now
        channels[channel].knowsStatusServer = true
        channels[channel].probesLost = 0
        channels[channel].counters[.probeAnswers] += 1
        if channels[channel].deadUntil != nil {
            channels[channel].probesAnswered += 1
            if channels[channel].probesAnswered >= Channel.answersToLive { markAlive(channel, byStatusServer: true) }
        }
        let next =
            channels[channel].deadUntil == nil
            ? now + randomized(Channel.watchInterval) : probe.sentAt + randomized(Channel.probeInterval)
        setProbeTimer(channel, max(now, next))
    }
}
