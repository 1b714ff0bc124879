import Configuration
import Host
import L2TP
import Logging
import Observability
import Timing
import Wire

/// Failovers of RFC 4951, at either end. A recovery tunnel has a local id from the table like any tunnel, and is never published: no data
/// can come by it. Data of the tunnel that it concerns flows all the time.
extension ControlNode {
    /// Attempts of one peer at a time. Until one of them has proved who it is, any may be a stranger's, and must not keep the peer out.
    static let recoveriesPerTunnel = 3

    // MARK: We have failed

    /// What becomes of a tunnel of before a restart, as its profile says; nil when there is no such tunnel.
    public func failoverAction(ofTunnel id: UInt16) -> FailoverAction? {
        guard let record = tunnels[id] else { return nil }
        guard let profile = configuration.l2tpProfile(record.destination.profile) else { return .close }
        return FailoverAction(profile.failover, isNegotiated: record.machine.canRecover)
    }

    /// Does with a tunnel of before a restart what its profile says; its machine and its calls must be there already. False where it is
    /// to go on silently.
    @discardableResult
    package func failOver(_ id: UInt16, at now: Instant) -> Bool {
        switch failoverAction(ofTunnel: id) {
        case .recover: recoverTunnel(id, at: now)
        case .close: stopTunnel(id, .init(.clear, message: "restarted"), at: now)
        case .resume, nil: return false
        }
        return true
    }

    /// Recovers an established tunnel's control channel, whose numbers are not known any more, with the peer's help. Until that is done
    /// the tunnel sends nothing, and takes no new calls. Whether it was done, `show l2tp tunnel detail` and the log tell.
    public func recoverTunnel(_ id: UInt16, at now: Instant) {
        guard let record = tunnels[id], record.machine.state == .established, !record.machine.isRecovering else {
            return
        }
        run(id, at: now) { $0.suspend(at: now) }
        let time = configuration.l2tpProfile(record.destination.profile)?.recoveryTime ?? 0
        logger.notice("recovering the tunnel's control channel", metadata: metadata(ofTunnel: id))
        openRecovery(of: id, giveUpAt: now + .seconds(time), at: now)
    }

    /// A tunnel's control connection, to be kept or to be looked at.
    package func machine(ofTunnel id: UInt16) -> Tunnel? { tunnels[id]?.machine }

    /// Puts another control connection in the place of a tunnel's, as a node does that begins with what it had stored: the same sessions,
    /// and numbers that may be old.
    package func restore(_ machine: Tunnel, asTunnel id: UInt16) {
        tunnels[id]?.machine = machine
        agenda.schedule(.tunnel(id), at: machine.deadline)
    }

    private func openRecovery(of id: UInt16, giveUpAt: Instant, at now: Instant) {
        guard let record = tunnels[id] else { return }
        let local: UInt16
        do { local = try table.allocateTunnel() } catch { return recoveryFailed(id, "\(error)", at: now) }
        do {
            var machine = try RecoveryTunnel(recovering: record.machine, localID: local, random: makeRandom())
            let actions = machine.open(at: now)
            // SCCRQ goes to the port that everybody listens on (RFC 2661, section 8.1).
            add(
                RecoveryRecord(
                    tunnel: id, machine: machine, local: record.local,
                    peer: UDPEndpoint(record.peer.address, Self.l2tpPort), giveUpAt: giveUpAt), as: local)
            perform(actions, recovery: local, at: now)
        } catch {
            giveBack(tunnel: local, at: now)
            recoveryFailed(id, "\(error)", at: now)
        }
    }

    /// Our own recovery has come to nothing.
    private func recoveryFailed(_ id: UInt16, _ reason: String, at now: Instant) {
        guard let record = tunnels[id] else { return }
        statistics.count(.l2tpRecoveriesFailed)
        let isSilent = configuration.l2tpProfile(record.destination.profile)?.failover == .rfc4951OrSilent
        logger.warning(
            "tunnel not recovered\(isSilent ? "; it goes on with the numbers that were stored" : ""): \(reason)",
            metadata: metadata(ofTunnel: id))
        run(id, at: now) { isSilent ? $0.resume(at: now) : $0.abandonRecovery(at: now) }
        takeCallsAgain(id)
    }

    // MARK: The peer has failed

    /// A peer opens a tunnel to recover one that it had with us. Nothing is taken that does not name both ids of an established tunnel
    /// with that very address, and nothing comes of it before it has proved that it knows the secret.
    func takeRecovery(
        _ recovery: TunnelRecovery, _ request: StartControlConnection, _ datagram: UDPDatagram, at now: Instant
    ) {
        let named = [recovery.remoteTunnelID, recovery.tunnelID].lazy.compactMap { self.tunnels[$0] }.first {
            $0.peer.address == datagram.source.address && $0.local == datagram.destination
                && $0.machine.refusal(of: recovery) != .noSuchTunnel
        }
        guard let record = named else {
            let code = StopCode(.generalError, error: .valueOutOfRange, message: "there is no such tunnel to recover")
            return refuse(request, datagram, code, at: now)
        }
        guard record.machine.refusal(of: recovery) == nil else {
            let code = StopCode(.generalError, error: .vendorSpecific, message: "failover was not negotiated")
            return refuse(request, datagram, code, at: now)
        }
        for id in record.recoveries {
            guard let attempt = recoveries[id] else { continue }
            if attempt.machine.hasFailed {
                // Both ends have failed. Where the peer's attempt is the one that counts, ours is not dropped before that has proved
                // whose it is; where ours does, the peer's is passed over.
                switch attempt.machine.tieBreak(against: request) {
                case .ours, .neither: return
                case .theirs, .both: break
                }
            } else if attempt.machine.peer?.tunnelID == request.assignedTunnelID,
                attempt.machine.challenge == request.challenge, attempt.peer == datagram.source
            {
                return receiveRecovery(datagram, recovery: id, at: now)
            }
        }
        guard record.recoveries.count < Self.recoveriesPerTunnel else {
            return logger.debug("too many attempts to recover the tunnel", metadata: metadata(ofTunnel: record.id))
        }
        answer(request, datagram, for: record.id, at: now)
    }

    private func answer(
        _ request: StartControlConnection, _ datagram: UDPDatagram, for id: UInt16, at now: Instant
    ) {
        guard let record = tunnels[id] else { return }
        let local: UInt16
        do { local = try table.allocateTunnel() } catch {
            return logger.warning("recovery tunnel cannot be taken: \(error)", metadata: metadata(ofTunnel: id))
        }
        do {
            let machine = try RecoveryTunnel(
                answering: request, for: record.machine, localID: local, random: makeRandom())
            add(
                RecoveryRecord(tunnel: id, machine: machine, local: datagram.destination, peer: datagram.source),
                as: local)
        } catch {
            giveBack(tunnel: local, at: now)
            return logger.warning("recovery tunnel cannot be taken: \(error)", metadata: metadata(ofTunnel: id))
        }
        logger.info("the peer recovers the tunnel's control channel", metadata: metadata(ofTunnel: id))
        receiveRecovery(datagram, recovery: local, at: now)
    }

    // MARK: Both

    private func add(_ record: RecoveryRecord, as local: UInt16) {
        recoveries[local] = record
        if let tunnel = record.tunnel { tunnels[tunnel]?.recoveries.append(local) }
    }

    /// A datagram to a recovery tunnel.
    func receiveRecovery(_ datagram: UDPDatagram, recovery id: UInt16, at now: Instant) {
        guard let record = recoveries[id] else { return }
        let isPeer =
            record.isBound ? datagram.source == record.peer : datagram.source.address == record.peer.address
        guard isPeer, datagram.destination == record.local else {
            return drop(strangers: datagram, tunnel: id, at: now)
        }
        debugRecovery(id) { "received \(MessageSummary.text(of: datagram.payload))" }
        guard let actions = recoveries[id]?.machine.receive(datagram: datagram.payload, at: now) else { return }
        if actions.contains(where: { if case .bindPeer = $0 { true } else { false } }) {
            recoveries[id]?.peer = datagram.source
            recoveries[id]?.isBound = true
        }
        perform(actions, recovery: id, at: now)
    }

    func recoveryTimerFired(_ id: UInt16, at now: Instant) {
        guard let actions = recoveries[id]?.machine.timerFired(at: now) else { return }
        perform(actions, recovery: id, at: now)
    }

    private func perform(_ actions: [RecoveryTunnel.Action], recovery id: UInt16, at now: Instant) {
        for action in actions {
            switch action {
            case .send(let datagram): send(datagram, recovery: id, at: now)
            case .bindPeer: break
            case .recovered(let reset): recovered(reset, by: id, at: now)
            case .failed(let end): failed(end, recovery: id, at: now)
            case .released: release(recovery: id, at: now)
            case .note(let note): debugRecovery(id) { "\(note)" }
            }
        }
        agenda.schedule(.recovery(id), at: recoveries[id]?.machine.deadline)
    }

    private func send(_ datagram: [UInt8], recovery id: UInt16, at now: Instant) {
        guard let record = recoveries[id] else { return }
        debugRecovery(id) { "sent \(MessageSummary.text(of: datagram[...]))" }
        do {
            perform(try host.send(datagram, from: record.local, to: record.peer, at: now), at: now)
        } catch {
            logger.debug("L2TP message cannot be sent: \(error)", metadata: ["peer": "\(record.peer)"])
        }
    }

    private func debugRecovery(_ id: UInt16, _ text: () -> String) {
        guard let tunnel = recoveries[id]?.tunnel else { return }
        debug(.l2tp, DebugScope(tunnel: tunnel)) { "recovery tunnel \(id): \(text())" }
    }

    private func recovered(_ reset: ChannelReset, by id: UInt16, at now: Instant) {
        guard let record = recoveries[id], let tunnel = record.tunnel, tunnels[tunnel]?.machine.state == .established
        else { return }
        statistics.count(.l2tpTunnelsRecovered)
        logger.notice(
            "control channel recovered after \(record.machine.hasFailed ? "our" : "the peer's") failure",
            metadata: metadata(ofTunnel: tunnel))
        // Whoever else has tried is not the peer, or was the peer before it failed again.
        for other in tunnels[tunnel]?.recoveries ?? [] where other != id { discard(other, at: now) }
        run(tunnel, at: now) { $0.recover(reset, at: now) }
        takeCallsAgain(tunnel)
    }

    private func failed(_ end: TunnelEnd, recovery id: UInt16, at now: Instant) {
        guard let record = recoveries[id], let tunnel = record.tunnel else { return }
        guard record.machine.hasFailed else {
            statistics.count(.l2tpRecoveriesFailed)
            return logger.warning(
                "the peer's attempt to recover the tunnel has failed: \(end)", metadata: metadata(ofTunnel: tunnel))
        }
        detach(id)
        if [.peerSilent, .establishTimeout].contains(end.origin), now < record.giveUpAt {
            openRecovery(of: tunnel, giveUpAt: record.giveUpAt, at: now)
        } else {
            recoveryFailed(tunnel, "\(end)", at: now)
        }
    }

    /// What was passed over while it recovered has room again.
    private func takeCallsAgain(_ id: UInt16) {
        guard let record = tunnels[id], !record.isVacant, record.takesCalls(limit: 0) else { return }
        tunnels[id]?.isVacant = true
        destinations[record.destination]?.vacant.append(id)
    }

    // MARK: Ends

    private func detach(_ id: UInt16) {
        guard let tunnel = recoveries[id]?.tunnel else { return }
        tunnels[tunnel]?.recoveries.removeAll { $0 == id }
        recoveries[id]?.tunnel = nil
    }

    /// Drops an attempt without a word.
    private func discard(_ id: UInt16, at now: Instant) {
        detach(id)
        release(recovery: id, at: now)
    }

    /// The tunnel that the attempt concerns is gone.
    func orphan(_ id: UInt16, at now: Instant) {
        recoveries[id]?.tunnel = nil
        guard let actions = recoveries[id]?.machine.close(at: now) else { return }
        perform(actions, recovery: id, at: now)
    }

    private func release(recovery id: UInt16, at now: Instant) {
        guard recoveries[id] != nil else { return }
        detach(id)
        recoveries[id] = nil
        agenda.cancel(.recovery(id))
        giveBack(tunnel: id, at: now)
    }
}
