import Configuration
import L2TP
import Names
import PPP
import Timing
import Wire

/// Which LNS a client's call goes to, and which one next when that does not work out.
///
/// A client's domain is looked for in the domain map first, then by the instance's own method; what finds nothing falls back to the
/// map's `default` or `none`. What is found is a set of candidates, of which `LNSChoice` picks one after the other.
extension ControlNode {
    /// Why no LNS is known for a client.
    struct LookUpFailure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// The client has said who it is: finds out where its call may go.
    func chooseLNS(for slot: UInt32, at now: Instant) {
        guard let connection = connections[slot],
            let instance = configuration.accessConcentrator(connection.request.instance.name)
        else { return refuseConnection(slot, "no L2TP destination is configured", at: now) }
        connections[slot]?.phase = .choosing
        if let domain = connection.domain, let entry = configuration.domainMapEntry(.named(domain)) {
            return follow(entry, for: slot, instance: instance, at: now)
        }
        lookUp(instance.peerAddress, for: slot, instance: instance, profile: instance.profile, at: now)
    }

    private func follow(
        _ entry: DomainMapEntry, for slot: UInt32, instance: AccessConcentrator, at now: Instant
    ) {
        let profile = entry.profile ?? instance.profile
        switch entry.target {
        case .method(let method): lookUp(method, for: slot, instance: instance, profile: profile, at: now)
        case .tunnels(let tunnels):
            found(
                tunnels.map {
                    LNSCandidate(
                        peer: $0.peer, preference: UInt32($0.preference), profile: $0.profile ?? profile)
                }, for: slot, at: now)
        }
    }

    private func lookUp(
        _ method: AccessConcentrator.PeerAddress, for slot: UInt32, instance: AccessConcentrator, profile: String,
        at now: Instant
    ) {
        switch method {
        case .fixed(let address):
            found([LNSCandidate(peer: .address(address), profile: profile)], for: slot, at: now)
        case .domainMap:
            notFound(LookUpFailure("l2tp-domain has no entry for the user's domain"), for: slot, at: now)
        case .dns(let prefix):
            guard let domain = connections[slot]?.domain else {
                return notFound(Self.domainMissing, for: slot, at: now)
            }
            do {
                resolve(try HostName("\(prefix).\(domain)"), profile: profile, for: slot, candidate: nil, at: now)
            } catch {
                statistics.count(.lnsLookupDnsFailures)
                notFound(LookUpFailure("\(prefix).\(domain): \(error)"), for: slot, at: now)
            }
        case .radius(let group):
            askRADIUS(group: group, for: slot, instance: instance, profile: profile, at: now)
        }
    }

    static let domainMissing = LookUpFailure("the user's name has no domain to look up")

    /// A look-up has found where the call may go.
    func found(_ candidates: [LNSCandidate], for slot: UInt32, at now: Instant) {
        statistics.count(.lnsLookupSuccessfulRequests)
        connections[slot]?.choice = LNSChoice(candidates, using: &random)
        callNext(for: slot, at: now)
    }

    /// A look-up has found nothing. What the domain map says of such clients is tried, once.
    func notFound(_ failure: LookUpFailure, for slot: UInt32, at now: Instant) {
        guard let connection = connections[slot],
            let instance = configuration.accessConcentrator(connection.request.instance.name)
        else { return }
        let fallback: DomainMapEntry.Domain = connection.domain == nil ? .none : .other
        if !connection.hasFallenBack, let entry = configuration.domainMapEntry(fallback) {
            connections[slot]?.hasFallenBack = true
            logger.info("LNS by the domain map's \(fallback): \(failure)", metadata: metadata(of: connection))
            return follow(entry, for: slot, instance: instance, at: now)
        }
        statistics.count(.lnsLookupFailedRequests)
        refuseConnection(slot, "no LNS for the client: \(failure)", at: now)
    }

    // MARK: One after the other

    /// Opens a session to the next LNS of the client's choice, or refuses the client when none is left.
    func callNext(for slot: UInt32, at now: Instant) {
        agenda.cancel(.attempt(slot: slot))
        while var choice = connections[slot]?.choice {
            let step = choice.next(
                load: { self.destinations[$0]?.calls ?? 0 }, isPassedOver: { self.isHeldDown($0.address, at: now) },
                isShut: { self.drained.contains($0.address) })
            connections[slot]?.choice = choice
            switch step {
            case .exhausted:
                if choice.lastFailure == nil { statistics.count(.routesDstOpenFail) }
                return refuseConnection(
                    slot, choice.lastFailure ?? "all LNSs for the client are being drained", at: now)
            case .resolve(let candidate, let name):
                return resolve(name, profile: candidate.profile, for: slot, candidate: candidate, at: now)
            case .call(let candidate, let key):
                do { return try openCall(for: slot, to: candidate, key, at: now) } catch {
                    statistics.count(.routesDstOpenFail)
                    noteFailure("the LNS \(key.address) cannot be reached: \(error)", slot: slot)
                }
            }
        }
    }

    /// Remembers why an LNS did not work, and says so where another one is tried.
    func noteFailure(_ text: String, slot: UInt32) {
        guard let connection = connections[slot] else { return }
        connections[slot]?.choice?.lastFailure = text
        if connection.choice?.hasMore == true { logger.notice("next LNS: \(text)", metadata: metadata(of: connection)) }
    }

    /// The call has waited long enough for its tunnel to come up: the next LNS.
    func attemptTimerFired(_ slot: UInt32, at now: Instant) {
        guard let connection = connections[slot], connection.phase == .connecting, let id = connection.call,
            let record = tunnels[id.tunnel], record.machine.state != .established,
            connection.choice?.hasMore == true
        else { return }
        hold(down: record.destination, at: now)
        connections[slot]?.call = nil
        connections[slot]?.phase = .choosing
        closeCall(id, .init(.timedOut), initiator: .timeout, at: now)
        statistics.count(.routesDstOpenFail)
        noteFailure("the LNS \(record.destination.address) does not answer", slot: slot)
        callNext(for: slot, at: now)
    }

    /// A call that has not come up ended: the next LNS where the end invites to that, else the client is refused.
    func callFailed(slot: UInt32, _ end: SessionEnd, _ call: CallID, at now: Instant) {
        guard let record = tunnels[call.tunnel] else { return }
        // An LNS that draws ids by lot, as xl2tpd does, draws another one for the next call.
        if end.isPeersIDInUse, connections[slot]?.choice?.putBack() == true {
            logger.notice(
                "LNS called again: it gave the call the session id of another one",
                metadata: connections[slot].map { metadata(of: $0) })
            connections[slot]?.phase = .choosing
            return callNext(for: slot, at: now)
        }
        statistics.count(.routesDstOpenFail)
        accountRejectedLink(of: slot, call: call, at: now)
        let verdict = Verdict(of: end, tunnel: record.machine.end)
        if verdict.holdsDown { hold(down: record.destination, at: now) }
        let text = "the LNS \(record.destination.address) does not take the call: \(end)"
        guard verdict.triesAnother, connections[slot]?.choice?.hasMore == true else {
            return refuseConnection(slot, text, at: now)
        }
        noteFailure(text, slot: slot)
        connections[slot]?.phase = .choosing
        callNext(for: slot, at: now)
    }

    // MARK: Hold-down

    /// Passes over an LNS for a while, where there is another.
    private func hold(down key: Destination.Key, at now: Instant) {
        let seconds = configuration.l2tpProfile(key.profile)?.holdDown ?? 0
        guard seconds > 0 else { return }
        heldDown = heldDown.filter { $0.value > now }
        if heldDown.updateValue(now + .seconds(seconds), forKey: key.address) == nil {
            logger.warning("LNS passed over for \(seconds) s", metadata: ["lns": "\(key.address)"])
        }
    }

    /// Whether an LNS is passed over now.
    func isHeldDown(_ address: IPAddress, at now: Instant) -> Bool { heldDown[address].map { $0 > now } ?? false }
}

extension SessionEnd {
    /// Whether the peer's answer to a call gave it the session id of another call.
    fileprivate var isPeersIDInUse: Bool { origin == .protocolError && code?.error == .invalidSessionID }
}

/// What the end of a call that was not up yet says of its LNS.
private struct Verdict {
    /// Whether another LNS may take the call.
    let triesAnother: Bool
    /// Whether other calls had better not go there for a while.
    let holdsDown: Bool

    init(of end: SessionEnd, tunnel tunnelEnd: TunnelEnd?) {
        switch end.origin {
        case .requested: (triesAnother, holdsDown) = (false, false)
        case .establishTimeout: (triesAnother, holdsDown) = (true, true)
        case .protocolError, .recovery: (triesAnother, holdsDown) = (true, false)
        case .tunnel:
            // An operator who takes the tunnel down means the calls in it as well.
            let isOurs = tunnelEnd?.origin == .requested || tunnelEnd?.origin == .idleTimeout
            (triesAnother, holdsDown) = (!isOurs, !isOurs)
        case .peer:
            let isFull = end.code?.saysTryAnother ?? false
            (triesAnother, holdsDown) = (isFull, isFull)
        }
    }
}

extension DisconnectCode {
    /// Whether the LNS lacks what the call needs, and another one may have it (RFC 2661 section 4.4.2: results 4 and 5, errors 4 and
    /// 7).
    fileprivate var saysTryAnother: Bool {
        switch result {
        case .temporarilyUnavailable, .permanentlyUnavailable: true
        case .generalError: error == .insufficientResources || error == .tryAnother
        default: false
        }
    }
}
