import Configuration
import Host
import L2TP
import Logging
import PPP
import PPPoE
import RADIUS
import Timing
import Wire

/// Going on where an earlier culvertd ended, however it ended.
///
/// The table is the truth for what is forwarded, the store for what only the control plane knows. A session that both have goes on and
/// nobody notices. What only one of them has was being opened or ended at that moment, or belongs to a table or a store that is
/// lost: it is closed on both sides. What is left half done is finished.
extension ControlNode {
    /// Takes back what an earlier process left in the store and in the table.
    func resume(_ stored: StoredState, at now: Instant) {
        var work = Resumption(survey: table.takeSurvey())
        resumeNode(stored)
        resumeTunnelAccounts(stored)
        resumeTunnels(stored, &work, at: now)
        resumeSessions(stored, &work, at: now)
        // With a store that holds anything, what the table has alone was being opened or ended.
        if stored.isEmpty {
            // Servers are told that what they believe to be open is not, before the sessions that are found begin anew.
            accountingOn(at: now)
            salvageTunnels(&work, at: now)
            salvageSessions(&work, at: now)
        }
        endStrangers(&work, at: now)
        for id in work.tunnels.sorted() { goOn(id, isHopeless: work.hopeless[id] != nil, at: now) }
        for (id, reason) in work.hopeless.sorted(by: { $0.key < $1.key }) {
            stopTunnel(id, .init(.shuttingDown, message: reason), at: now)
        }
        for number in tunnelAccounts.keys.sorted() { finishTunnelAccount(number, at: now) }
        work.log(to: logger)
        agenda.schedule(.reclaim, at: now)
    }

    /// A tunnel goes on in the way that its profile wants (RFC 4951, or silently); one that cannot stay needs its numbers to say so.
    private func goOn(_ id: UInt16, isHopeless: Bool, at now: Instant) {
        tellControlWindow(id)
        if tunnels[id]?.machine.state == .established, !isHopeless, failOver(id, at: now) { return }
        run(id, at: now) { $0.goOn(at: now) }
    }

    private func resumeNode(_ stored: StoredState) {
        defer { changed.node = true }
        guard let image = stored.images[StateKey(.node, 0)], let node = try? StoredNode(serializedBytes: image) else {
            return
        }
        routeNumbers = NumberSource(after: node.routeIDLimit)
        callSerialNumbers = NumberSource(after: node.callSerialNumberLimit)
        tunnelAccountNumbers = NumberSource(after: node.tunnelAccountLimit)
        isDraining = node.isDraining
        drained = Set(node.drainedDestinations.compactMap { IPAddress(stored: $0) })
        drainedInstances = Set(node.drainedInstances).intersection(configuration.accessConcentrators.map(\.name))
        drainedPorts = Set(node.drainedPorts.compactMap { name in ports.first { $0.name == name }?.index })
    }

    private func resumeTunnelAccounts(_ stored: StoredState) {
        for (number, image) in stored.images(of: .tunnelAccount) {
            if let account = try? StoredTunnelAccount(serializedBytes: image) {
                tunnelAccounts[number] = TunnelAccount(account)
            } else {
                changed.tunnelAccounts.insert(number)
            }
        }
    }

    // MARK: Tunnels

    private func resumeTunnels(_ stored: StoredState, _ work: inout Resumption, at now: Instant) {
        var found: [(StoredTunnel, TunnelCheckpoint)] = []
        for (id, image) in stored.images(of: .tunnel) {
            guard let tunnel = try? StoredTunnel(serializedBytes: image), let checkpoint = tunnel.checkpoint,
                UInt64(checkpoint.localID) == id
            else {
                work.unreadable += 1
                changed.tunnels.insert(UInt16(truncatingIfNeeded: id))
                continue
            }
            found.append((tunnel, checkpoint))
        }
        let missing = found.map(\.1.localID).filter { !work.holds($0) }
        let claimed = table.claimTunnels(Set(missing))
        for (tunnel, checkpoint) in found {
            let id = checkpoint.localID
            guard work.holds(id) || claimed.contains(id), var record = record(tunnel, checkpoint, at: now) else {
                changed.tunnels.insert(id)
                work.lostTunnels += 1
                continue
            }
            // What goes on as it was the store has already: to write tens of thousands again would hold up the first frames.
            record.savedRevision = record.machine.revision
            work.tunnels.insert(id)
            take(
                record, tunnel, isInService: work.survey.tunnels[id]?.peerTunnelID == checkpoint.peerTunnelID, &work,
                at: now)
        }
    }

    private func record(_ stored: StoredTunnel, _ checkpoint: TunnelCheckpoint, at now: Instant) -> TunnelRecord? {
        guard let key = Destination.Key(stored.destination), let local = UDPEndpoint(stored.local),
            let peer = UDPEndpoint(stored.peerEndpoint)
        else { return nil }
        // A tunnel whose profile is gone is still closed in order.
        let settings =
            configuration.l2tpProfile(key.profile).map { tunnelConfiguration(of: $0, key.overrides) }
            ?? TunnelConfiguration(hostName: "culvert")
        guard
            let machine = try? Tunnel(restoring: checkpoint, configuration: settings, random: makeRandom(), at: now)
        else { return nil }
        var record = TunnelRecord(
            id: checkpoint.localID, destination: key, name: key.tunnelName,
            createdAt: min(now, Instant(nanoseconds: stored.createdAt)), machine: machine, local: local, peer: peer)
        record.isBound = stored.isBound
        record.isDraining = stored.isDraining
        record.account = stored.hasAccount ? stored.account : nil
        return record
    }

    func take(
        _ taken: TunnelRecord, _ stored: StoredTunnel, isInService: Bool, _ work: inout Resumption, at now: Instant
    ) {
        var record = taken
        let (id, key) = (record.id, record.destination)
        record.isPublished = isInService
        record.isUp = record.machine.state == .established
        tunnels[id] = record
        do { perform(try host.hold(key.address, at: now), at: now) } catch {
            logger.warning("no way to an LNS any more: \(error)", metadata: metadata(ofTunnel: id))
            work.hopeless[id] = "there is no way to it any more"
        }
        guard record.machine.end == nil else { return }
        if record.machine.state == .established { statistics.count(.l2tpTunnelsOpened) }
        destinations[key, default: Destination()].tunnels.append(id)
        destinations[key]?.preference = stored.preference
        destinations[key]?.accountingGroup = stored.accountingGroup.isEmpty ? nil : stored.accountingGroup
        if !record.isDraining {
            tunnels[id]?.isVacant = true
            destinations[key]?.vacant.append(id)
        }
        if configuration.l2tpProfile(key.profile) == nil {
            work.hopeless[id] = "its profile was removed"
        } else if !host.owns(record.local.address) {
            work.hopeless[id] = "its address was removed"
        } else if record.machine.state == .established, !isInService {
            work.hopeless[id] = "its sessions are lost"
        } else if record.machine.state != .established, work.survey.tunnels[id] != nil {
            // The LNS's answer was in the table and not yet in the store, and its next one may name another tunnel id.
            work.hopeless[id] = "it was coming up"
        } else if record.isDraining {
            agenda.schedule(.drained(tunnel: id), at: now)
        }
    }

    // MARK: Sessions

    private func resumeSessions(_ stored: StoredState, _ work: inout Resumption, at now: Instant) {
        for (routeID, image) in stored.images(of: .session) {
            guard let session = try? StoredSession(serializedBytes: image), UInt64(session.routeID) == routeID,
                let connection = connection(session)
            else {
                changed.sessions[UInt32(truncatingIfNeeded: routeID)] = .max
                work.unreadable += 1
                continue
            }
            if session.hasEnd {
                changed.sessions[session.routeID] = .max
                finish(session, connection, &work, at: now)
            } else if let call = work.find(session), goesOn(connection, in: work),
                tunnels[call.id.tunnel]?.machine.restore(call.checkpoint, at: now) == true
            {
                work.left[session.upstreamSlot] = nil
                goOn(connection, call, at: now)
                work.sessions += 1
            } else {
                changed.sessions[session.routeID] = .max
                lose(session, connection, &work, at: now)
                work.lostSessions += 1
            }
        }
    }

    /// The connection of an image, whoever serves it now.
    private func connection(_ stored: StoredSession) -> Connection? {
        let name = stored.instance
        let known = access.values.joined().lazy.flatMap(\.discovery.instances).first { $0.name == name }
        guard var connection = Connection(stored, instance: known ?? ServiceInstance(name: name, rule: .any)) else {
            return nil
        }
        if stored.hasAccounting {
            connection.accounting = SessionAccounting(stored.accounting, radiusSession(of: connection))
        }
        return connection
    }

    /// Whether the session is served as it was.
    private func goesOn(_ connection: Connection, in work: Resumption) -> Bool {
        guard let call = connection.call, work.tunnels.contains(call.tunnel), work.hopeless[call.tunnel] == nil,
            let interface = accessInterface(of: connection.circuit)
        else { return false }
        return interface.discovery.instances.contains { $0.name == connection.request.instance.name }
    }

    func goOn(_ taken: Connection, _ call: Resumption.FoundCall, at now: Instant) {
        let slot = taken.upstream.slot
        connections[slot] = taken
        // The counters are this process's, in which what is up came up.
        statistics.count(.routesCreated)
        statistics.count(.l2tpSessionsOpened)
        routes[taken.routeID] = slot
        if !taken.request.key.cookie.isEmpty { openedBy[taken.request.key] = slot }
        sessions[taken.key] = slot
        counts.add(taken)
        add(Call(downstream: call.downstream, upstreamSlot: slot, isForwarding: true), toTunnel: call.id.tunnel)
        if let account = tunnels[call.id.tunnel]?.account { tunnelAccounts[account]?.sessions += 1 }
        if let authorization = taken.authorization {
            if let limit = authorization.sessionTimeout {
                agenda.schedule(.sessionTimeout(slot: slot), at: taken.openedAt + limit)
            }
            if let limit = authorization.idleTimeout {
                let traffic = table.traffic(upstream: slot)
                connections[slot]?.activity = (traffic.upstreamPackets &+ traffic.downstreamPackets, now)
                agenda.schedule(.idle(slot: slot), at: now + limit)
            }
        }
        if let accounting = taken.accounting { resumeInterim(slot, accounting, at: now) }
    }

    /// Interim-Updates go on in the rhythm that they had.
    private func resumeInterim(_ slot: UInt32, _ accounting: SessionAccounting, at now: Instant) {
        guard let interval = accounting.interimInterval, interval > .zero else { return }
        let elapsed = max(.zero, now - accounting.startedAt)
        let periods = (elapsed / interval).rounded(.down) + 1
        agenda.schedule(.interim(slot: slot), at: accounting.startedAt + interval * periods)
    }

    /// The session had ended; its last counters may not have been told.
    private func finish(
        _ stored: StoredSession, _ connection: Connection, _ work: inout Resumption, at now: Instant
    ) {
        var session = EndingSession(
            metadata: metadata(of: connection), createdAt: connection.createdAt,
            endedAt: Instant(nanoseconds: stored.end.at), accounting: connection.accounting,
            cause: TerminateCause(rawValue: stored.end.cause) ?? .nasError,
            packetsLost: stored.end.hasPacketsLost ? stored.end.packetsLost : nil)
        session.image = stored
        count(session, of: connection, account: stored.end.hasAccount ? stored.end.account : nil, work, at: now)
    }

    /// Tells what a session has carried: now, where the table says it, or when the workers have let go of it.
    private func count(
        _ session: EndingSession, of connection: Connection, account: UInt64?, _ work: Resumption, at now: Instant
    ) {
        let slot = connection.upstream.slot
        let reference = UInt64(connection.routeID)
        let last = work.survey.totals[reference] ?? table.lastTraffic(upstream: slot, reference: reference)
        if last == nil, table.isReclaiming, ending[slot] == nil, connections[slot] == nil {
            if let account { tunnelAccounts[account]?.sessions += 1 }
            ending[slot] = session
            changed.sessions[connection.routeID] = slot
            endedIn[slot] = EndedIn(tunnel: connection.call?.tunnel ?? 0, account: account)
            return
        }
        let traffic = last ?? connection.accounting?.counted ?? SessionTraffic()
        stopAccounting(of: session, traffic, at: now)
        if let account {
            changed.tunnelAccounts.insert(account)
            tunnelAccounts[account]?.traffic += traffic
        }
    }

    /// The session cannot go on: both sides are told, as far as there is a way.
    private func lose(
        _ stored: StoredSession, _ connection: Connection, _ work: inout Resumption, at now: Instant
    ) {
        let slot = connection.upstream.slot
        if let id = stored.callID, let session = stored.session, work.tunnels.contains(id.tunnel) {
            disconnect(id, peerID: session.peerID, at: now)
        }
        tell(connection.client, on: connection.circuit, connection.tags, sessionID: connection.upstream.sessionID)
        let account = stored.callID.flatMap { tunnels[$0.tunnel]?.account }
        var session = EndingSession(
            metadata: metadata(of: connection), createdAt: connection.createdAt, endedAt: now,
            accounting: connection.accounting, cause: .nasReboot, packetsLost: nil)
        session.keepImage(of: connection, account: account)
        if work.left[slot]?.reference == UInt64(connection.routeID) {
            work.left[slot] = nil
            giveBack(upstream: slot)
        }
        count(session, of: connection, account: account, work, at: now)
    }

    /// Sessions and calls that the store does not know, and tunnels.
    private func endStrangers(_ work: inout Resumption, at now: Instant) {
        for session in work.left.values.sorted(by: { $0.upstream.slot < $1.upstream.slot }) {
            tell(session.client, on: session.circuit, session.tags, sessionID: session.upstream.sessionID)
            if let core = session.core, work.tunnels.contains(core.tunnel) {
                disconnect(
                    CallID(tunnel: core.tunnel, session: core.downstream.sessionID), peerID: core.peerSessionID, at: now
                )
            }
            giveBack(upstream: session.upstream.slot)
            work.strangers += 1
        }
        work.left = [:]
        for call in work.survey.unfinishedCalls where work.tunnels.contains(call.tunnel) {
            disconnect(CallID(tunnel: call.tunnel, session: call.session), peerID: 0, at: now)
        }
        let known = work.tunnels
        for id in work.survey.allocatedTunnels.union(work.survey.tunnels.keys).subtracting(known).sorted() {
            giveBack(tunnel: id, at: now)
        }
    }

    /// CDN for a session of which this node has nothing but the ids.
    private func disconnect(_ id: CallID, peerID: UInt16, at now: Instant) {
        run(id.tunnel, at: now) {
            $0.disconnectForgotten(
                localID: id.session, peerID: peerID, .init(.lossOfCarrier, message: "the session was lost"), at: now)
        }
    }

    private func tell(
        _ client: MACAddress, on circuit: AttachmentCircuit, _ tags: [EthernetFrame.VLANTag], sessionID: UInt16
    ) {
        // The file may have changed, so that nobody is served there any more: who was is told all the same.
        guard let port = ports.first(where: { $0.index == circuit.port }) else { return }
        send(
            DiscoveryServer.padt(sessionID: sessionID, errorText: "access concentrator restarted"), to: client,
            from: port.mac, port: port.index, tags: tags)
    }
}

/// What is found, and what becomes of it.
struct Resumption {
    /// A call that table and store agree on.
    struct FoundCall {
        let id: CallID
        let downstream: DownstreamHandle
        let checkpoint: SessionCheckpoint
    }

    let survey: TableSurvey
    /// Sessions of the table that no image has claimed, by slot.
    var left: [UInt32: TableSurvey.Session]
    /// Tunnels that were taken back.
    var tunnels: Set<UInt16> = []
    /// Of these, the ones that cannot stay, and why.
    var hopeless: [UInt16: String] = [:]
    var sessions = 0
    var lostSessions = 0
    var lostTunnels = 0
    var strangers = 0
    var unreadable = 0

    init(survey: TableSurvey) {
        self.survey = survey
        left = Dictionary(survey.sessions.map { ($0.upstream.slot, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether the table has this tunnel id taken.
    func holds(_ id: UInt16) -> Bool { survey.tunnels[id] != nil || survey.allocatedTunnels.contains(id) }

    /// The session of the table that an image is of, where they agree on everything.
    func find(_ stored: StoredSession) -> FoundCall? {
        guard let session = left[stored.upstreamSlot], let core = session.core, let id = stored.callID,
            let checkpoint = stored.session, session.reference == UInt64(stored.routeID),
            session.client.octets == Array(stored.client), UInt32(session.circuit.port) == stored.port,
            UInt32(session.circuit.outerVLAN) == stored.outerVlan,
            UInt32(session.circuit.innerVLAN) == stored.innerVlan,
            UInt32(session.upstream.sessionID) == stored.pppoeSessionID, core.tunnel == id.tunnel,
            core.downstream.slot == stored.downstreamSlot, core.downstream.sessionID == id.session,
            core.peerSessionID == checkpoint.peerID, tunnels.contains(id.tunnel), hopeless[id.tunnel] == nil
        else { return nil }
        return FoundCall(id: id, downstream: core.downstream, checkpoint: checkpoint)
    }

    func log(to logger: Logger) {
        if !tunnels.isEmpty || sessions > 0 {
            logger.notice(
                "went on with the sessions of an earlier run",
                metadata: ["sessions": "\(sessions)", "tunnels": "\(tunnels.count - hopeless.count)"])
        }
        guard lostSessions + lostTunnels + strangers + hopeless.count + unreadable > 0 else { return }
        logger.warning(
            "ended what could not go on of an earlier run; clients dial again",
            metadata: [
                "sessions": "\(lostSessions + strangers)", "tunnels": "\(lostTunnels + hopeless.count)",
                "unreadable": "\(unreadable)",
            ])
    }
}
