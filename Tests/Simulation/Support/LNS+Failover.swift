import L2TP
import Timing
import Wire

/// Failovers of an LNS, at either end.
extension LNS {
    /// What it would know after a failure.
    package struct Memory {
        var tunnels: [UInt16: Tunnel]
        var sessions: [UInt16: [UInt16: CallConnected]]
    }

    package var memory: Memory { Memory(tunnels: tunnels, sessions: sessions) }

    /// Fails, comes back with what it knew then, and recovers the tunnels.
    package func fail(to memory: Memory, at now: Instant) {
        (tunnels, sessions) = (memory.tunnels, memory.sessions)
        recoveries = [:]
        for id in tunnels.keys.sorted() {
            act(id, at: now) { $0.suspend(at: now) }
            openRecovery(of: id, at: now)
        }
    }

    private func openRecovery(of tunnel: UInt16, at now: Instant) {
        guard let machine = tunnels[tunnel], let peer = peers[tunnel] else { return }
        lastTunnelID += 1
        let id = lastTunnelID
        guard
            let recovery = try? RecoveryTunnel(
                recovering: machine, localID: id, random: SeededGenerator(state: random.next()))
        else { return }
        peers[id] = peer
        recoveries[id] = (recovery, tunnel)
        recover(id, at: now) { $0.open(at: now) }
    }

    /// SCCRQ of a recovery tunnel; false when it is none of a tunnel that is there.
    func takes(
        _ recovery: TunnelRecovery, _ start: StartControlConnection, _ datagram: Datagram, mac: MACAddress,
        at now: Instant
    ) -> Bool {
        guard let tunnel = tunnels.first(where: { $0.value.refusal(of: recovery) == nil }) else { return false }
        for (id, known) in recoveries where known.tunnel == tunnel.key {
            if known.machine.hasFailed {
                if [.ours, .neither].contains(known.machine.tieBreak(against: start)) { return true }
            } else if known.machine.peer?.tunnelID == start.assignedTunnelID, known.machine.challenge == start.challenge
            {
                recover(id, at: now) { $0.receive(datagram: datagram.payload[...], at: now) }
                return true
            }
        }
        lastTunnelID += 1
        let id = lastTunnelID
        guard
            let machine = try? RecoveryTunnel(
                answering: start, for: tunnel.value, localID: id, random: SeededGenerator(state: random.next()))
        else { return false }
        peers[id] = Peer(
            address: datagram.source, port: datagram.sourcePort, mac: mac, tunnelID: start.assignedTunnelID,
            challenge: start.challenge)
        recoveries[id] = (machine, tunnel.key)
        recover(id, at: now) { $0.receive(datagram: datagram.payload[...], at: now) }
        return true
    }

    package func recover(_ id: UInt16, at now: Instant, _ body: (inout RecoveryTunnel) -> [RecoveryTunnel.Action]) {
        guard var recovery = recoveries[id] else { return }
        let actions = body(&recovery.machine)
        recoveries[id] = recovery
        for action in actions {
            switch action {
            case .send(let payload): send(payload, tunnel: id)
            case .recovered(let reset):
                for other in recoveries.keys where other != id && recoveries[other]?.tunnel == recovery.tunnel {
                    recoveries[other] = nil
                }
                act(recovery.tunnel, at: now) { $0.recover(reset, at: now) }
            case .failed(let end):
                failures.append(end)
                if recovery.machine.hasFailed, tunnels[recovery.tunnel]?.isRecovering == true {
                    act(recovery.tunnel, at: now) { $0.abandonRecovery(at: now) }
                }
            case .released:
                recoveries[id] = nil
                peers[id] = nil
            case .bindPeer, .note: break
            }
        }
    }

    package func recoveryTimersFired(at now: Instant) {
        for id in recoveries.keys.sorted() where recoveries[id]?.machine.deadline.map({ $0 <= now }) == true {
            recover(id, at: now) { $0.timerFired(at: now) }
        }
    }
}
