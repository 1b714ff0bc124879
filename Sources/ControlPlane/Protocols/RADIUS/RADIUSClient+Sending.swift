import Timing

extension RADIUSClient {
    /// The channel that a request goes to next: that of the server whose State it returns, else the first of the group that
    /// is eligible and was not asked yet, else the first that was not asked; nil when all were.
    func choose(for pending: PendingRequest, in group: Group, at now: Instant) -> Int? {
        var firstLeft: Int?
        var firstEligible: Int?
        for channel in group[pending.request.service] {
            let key = channels[channel].server.key
            guard !pending.servers.contains(key) else { continue }
            if key == pending.request.preferredServer { return channel }
            firstLeft = firstLeft ?? channel
            if firstEligible == nil, channels[channel].isEligible(at: now) { firstEligible = channel }
        }
        return firstEligible ?? firstLeft
    }

    func canSend(on channel: Int) -> Bool {
        inFlight < configuration.requestLimit && channels[channel].identifiers.hasFree
            && channels[channel].waitingCount == 0
    }

    /// Sends a request to the next server, or lets it wait for its turn there, or ends it when none is left.
    mutating func dispatch(_ slot: Int, at now: Instant, fromQueueOf queue: Int? = nil) {
        guard let pending = requests[slot] else { return }
        guard let group = groups[pending.group] else { return end(slot, .noServer, at: now) }
        guard let channel = choose(for: pending, in: group, at: now) else {
            return end(slot, pending.servers.isEmpty ? .noServer : .timeout, at: now)
        }
        let comesFirst = queue == channel && channels[channel].identifiers.hasFree
        guard comesFirst || canSend(on: channel) else { return wait(slot, for: channel, at: now) }
        do {
            try transmit(slot, on: channel, at: now)
        } catch {
            // It was written before, and its length has not changed.
            end(slot, .noServer, at: now)
        }
    }

    /// Puts a request into a channel's queue.
    mutating func wait(_ slot: Int, for channel: Int, at now: Instant) {
        guard let handle = requests[slot]?.handle else { return }
        requests[slot]?.stage = .waiting(channel: channel)
        channels[channel].waiting.append(handle)
        channels[channel].waitingCount += 1
        waiting += 1
        setDeadline(slot, now + configuration.queueTimeout)
    }

    /// Sends a request to a channel's server the first time.
    mutating func transmit(_ slot: Int, on channel: Int, at now: Instant) throws(RADIUSEncodingError) {
        guard let handle = requests[slot]?.handle else { return }
        try write(slot, on: channel, at: now)
        requests[slot]?.stage = .sent(channel: channel)
        requests[slot]?.servers.append(channels[channel].server.key)
        requests[slot]?.transmissions = 1
        requests[slot]?.firstSentAt = now
        inFlight += 1
        channels[channel].pending += 1
        channels[channel].counters[.requests] += 1
        if channels[channel].deadUntil.map({ $0 <= now }) == true, channels[channel].trial == nil {
            channels[channel].trial = handle
        }
        send(slot, on: channel, waiting: randomized(channels[channel].server.timeout), at: now)
    }

    /// Writes the datagram of a request under a new identifier. Nothing happens when there is none: what was written before
    /// is good still.
    private mutating func write(_ slot: Int, on channel: Int, at now: Instant) throws(RADIUSEncodingError) {
        guard let pending = requests[slot], let code = channels[channel].identifiers.take(for: .request(slot)) else {
            return
        }
        do {
            let packet = try RADIUSPacket.request(
                pending.request.code, identifier: IdentifierPool.identifier(of: code),
                attributes: pending.request.attributes(elapsed: now - pending.submittedAt),
                secret: channels[channel].server.secret, random: RADIUSAuthenticator(using: &random))
            requests[slot]?.leases.append(PendingRequest.Lease(code: code, authenticator: packet.authenticator))
            requests[slot]?.datagram = packet.bytes
        } catch {
            channels[channel].identifiers.giveBack(code)
            throw error
        }
    }

    private mutating func send(_ slot: Int, on channel: Int, waiting interval: Duration, at now: Instant) {
        guard let pending = requests[slot], let lease = pending.leases.last else { return }
        requests[slot]?.sentAt = now
        requests[slot]?.interval = interval
        setDeadline(slot, now + interval)
        outputs.append(
            .send(
                pending.datagram, socket: IdentifierPool.socket(of: lease.code),
                to: channels[channel].server.key.address, port: channels[channel].port))
    }

    /// A request has waited for as long as it was to.
    mutating func requestTimedOut(_ slot: Int, at now: Instant) {
        guard let pending = requests[slot] else { return }
        switch pending.stage {
        case .between: break
        case .waiting: end(slot, .timeout, at: now)
        case .sent(let channel):
            channels[channel].counters[.timeouts] += 1
            let server = channels[channel].server
            guard pending.transmissions <= server.retransmit, !isBetterElsewhere(pending, than: channel, at: now) else {
                return giveUp(slot, on: channel, at: now)
            }
            requests[slot]?.transmissions += 1
            channels[channel].counters[.retransmissions] += 1
            // A new Acct-Delay-Time is a new packet (RFC 2866 section 4.1). Where it cannot be had the old one is sent again.
            if pending.request.service == .accounting { try? write(slot, on: channel, at: now) }
            let cap = max(Self.longestInterval, server.timeout)
            let doubled = pending.interval + randomized(pending.interval)
            send(slot, on: channel, waiting: doubled < cap ? doubled : randomized(cap), at: now)
        }
    }

    /// Whether a request that went to a server found dead meanwhile has another one to go to that lives.
    private func isBetterElsewhere(_ pending: PendingRequest, than channel: Int, at now: Instant) -> Bool {
        guard channels[channel].deadUntil != nil, channels[channel].trial != pending.handle,
            let group = groups[pending.group], let next = choose(for: pending, in: group, at: now)
        else { return false }
        return channels[next].isEligible(at: now)
    }

    /// A server has left a request unanswered to the last.
    private mutating func giveUp(_ slot: Int, on channel: Int, at now: Instant) {
        guard let pending = requests[slot] else { return }
        let wasTrial = channels[channel].trial == pending.handle
        channels[channel].counters[.failures] += 1
        release(slot)
        // A server that answered others meanwhile lives, and has its reasons to leave this one unanswered.
        if channels[channel].lastAnswer.map({ $0 < pending.firstSentAt }) ?? true {
            if channels[channel].deadUntil == nil {
                markDead(channel, at: now)
            } else if wasTrial {
                channels[channel].deadUntil = now + channels[channel].server.deadTime
            }
        }
        dispatch(slot, at: now)
    }

    // MARK: Ending

    /// Gives back what a request holds of a channel.
    mutating func release(_ slot: Int) {
        guard let pending = requests[slot] else { return }
        switch pending.stage {
        case .between: break
        case .waiting(let channel):
            channels[channel].waitingCount -= 1
            waiting -= 1
        case .sent(let channel):
            for lease in pending.leases { channels[channel].identifiers.giveBack(lease.code) }
            if channels[channel].trial == pending.handle { channels[channel].trial = nil }
            channels[channel].pending -= 1
            inFlight -= 1
        }
        requests[slot]?.leases = []
        requests[slot]?.stage = .between
    }

    mutating func remove(_ slot: Int) {
        release(slot)
        requests[slot] = nil
        freeSlots.append(slot)
    }

    mutating func end(_ slot: Int, _ outcome: RADIUSResult.Outcome, at now: Instant) {
        guard let pending = requests[slot] else { return }
        remove(slot)
        let result = RADIUSResult(
            outcome: outcome, servers: pending.servers, duration: now - pending.submittedAt)
        outputs.append(.finished(pending.handle, result))
    }

    /// Sends what waits, as far as identifiers and the limit allow; each channel's queue is the first in its turn.
    mutating func serveQueues(at now: Instant) {
        guard waiting > 0, !channels.isEmpty else { return }
        rotation = (rotation + 1) % channels.count
        for offset in channels.indices {
            let channel = (rotation + offset) % channels.count
            while inFlight < configuration.requestLimit, channels[channel].identifiers.hasFree,
                let handle = channels[channel].waiting.popFirst()
            {
                guard pending(handle)?.stage == .waiting(channel: channel) else { continue }
                release(handle.slot)
                dispatch(handle.slot, at: now, fromQueueOf: channel)
            }
        }
    }
}
