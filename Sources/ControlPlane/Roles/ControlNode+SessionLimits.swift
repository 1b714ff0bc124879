import L2TP
import Observability
import RADIUS
import Timing

/// What an Access-Accept demands of a session that is up: its end after a time or when nothing moves, and its rates.
extension ControlNode {
    /// Puts into force what RADIUS has said of a client.
    func authorizedSessionUp(_ slot: UInt32, at now: Instant) {
        guard let connection = connections[slot], let authorization = connection.authorization else { return }
        if let limit = authorization.sessionTimeout { agenda.schedule(.sessionTimeout(slot: slot), at: now + limit) }
        if let limit = authorization.idleTimeout {
            connections[slot]?.activity = (0, now)
            agenda.schedule(.idle(slot: slot), at: now + limit)
        }
        let policers = authorization.bandwidth.policers(replacing: SessionPolicers())
        guard policers != SessionPolicers() else { return }
        do { try table.setPolicers(policers, upstream: slot) } catch {
            logger.error("policers of the Access-Accept are not in force: \(error)", metadata: metadata(of: connection))
        }
    }

    func sessionTimeoutFired(_ slot: UInt32, at now: Instant) {
        end(slot, cause: .sessionTimeout, "Session-Timeout is over", at: now)
    }

    /// Looks whether anything has moved since the last look; ends the session when nothing has for its idle time.
    func idleTimerFired(_ slot: UInt32, at now: Instant) {
        guard let connection = connections[slot], let limit = connection.authorization?.idleTimeout,
            let activity = connection.activity
        else { return }
        let traffic = table.traffic(upstream: slot)
        let packets = traffic.upstreamPackets &+ traffic.downstreamPackets
        if packets == activity.packets, now - activity.since >= limit {
            return end(slot, cause: .idleTimeout, "Idle-Timeout is over", at: now)
        }
        if packets != activity.packets { connections[slot]?.activity = (packets, now) }
        // Looks are a quarter of the time apart, so a session ends at most that much late.
        let rest = packets == activity.packets ? activity.since + limit - now : limit
        agenda.schedule(.idle(slot: slot), at: now + min(rest, max(.seconds(1), limit / 4)))
    }

    /// Ends a session that is up, on both sides.
    func end(_ slot: UInt32, cause: TerminateCause, _ text: String, at now: Instant) {
        guard let connection = connections[slot], let call = connection.call else { return }
        connections[slot]?.terminateCause = cause
        endCall(call, .init(.administrative, message: text), initiator: .operator, client: text, at: now)
    }
}

extension BandwidthLimits {
    /// Policers at these rates; a direction of which nothing is said stays as it is, and 0 takes the policer away.
    func policers(replacing old: SessionPolicers) -> SessionPolicers {
        func policer(_ rate: UInt32?, _ old: PolicerSettings?) -> PolicerSettings? {
            guard let rate else { return old }
            guard rate > 0 else { return nil }
            let bits = max(UInt64(rate), PolicerSettings.rates.lowerBound)
            let burst = max(bits / 80, 15_000)
            return PolicerSettings(
                committedRate: bits, peakRate: bits, committedBurst: burst, peakBurst: burst)
        }
        return SessionPolicers(
            upstream: policer(upstream, old.upstream), downstream: policer(downstream, old.downstream))
    }
}
