import Configuration
import Host
import L2TP
import Logging
import Observability
import RADIUS
import Segment
import Timing
import Wire

/// Destinations and tunnels.
extension ControlNode {
    /// The tunnel that the next call to this LNS goes into: one that has room, else a new one.
    func tunnel(to key: Destination.Key, profile: L2TPProfile, at now: Instant) throws -> UInt16 {
        while let id = destinations[key]?.vacant.last {
            if let record = tunnels[id], record.takesCalls(limit: profile.sessionLimit) { return id }
            destinations[key]?.vacant.removeLast()
            tunnels[id]?.isVacant = false
        }
        return try openTunnel(to: key, profile: profile, at: now)
    }

    /// Notes a call of a tunnel.
    func add(_ call: Call, toTunnel id: UInt16) {
        guard let key = tunnels[id]?.destination else { return }
        tunnels[id]?.calls[call.downstream.sessionID] = call
        destinations[key]?.calls += 1
    }

    /// Takes a call out of its tunnel, which has room for another one then.
    func removeCall(_ id: CallID) -> Call? {
        guard let call = tunnels[id.tunnel]?.calls.removeValue(forKey: id.session), let record = tunnels[id.tunnel]
        else { return nil }
        destinations[record.destination]?.calls -= 1
        if record.isDraining, record.calls.isEmpty { agenda.schedule(.drained(tunnel: id.tunnel), at: .zero) }
        if !record.isVacant, record.takesCalls(limit: 0) {
            tunnels[id.tunnel]?.isVacant = true
            destinations[record.destination]?.vacant.append(id.tunnel)
        }
        return call
    }

    /// Makes a tunnel and sends SCCRQ.
    private func openTunnel(to key: Destination.Key, profile: L2TPProfile, at now: Instant) throws -> UInt16 {
        guard let route = host.route(to: key.address) else { throw TunnelError.noRoute(key.address) }
        let source = key.overrides.source ?? profile.source ?? route.source
        guard host.owns(source), (source.ipv6 == nil) == (key.address.ipv6 == nil) else {
            throw TunnelError.sourceNotOurs(source)
        }
        let id = try table.allocateTunnel()
        var machine: Tunnel
        do {
            machine = try Tunnel(
                role: .initiator, localID: id, configuration: tunnelConfiguration(of: profile, key.overrides),
                random: makeRandom())
        } catch {
            giveBack(tunnel: id, at: now)
            throw error
        }
        do { perform(try host.hold(key.address, at: now), at: now) } catch {
            giveBack(tunnel: id, at: now)
            throw TunnelError.noRoute(key.address)
        }
        let actions = machine.open(at: now)
        tunnels[id] = TunnelRecord(
            id: id, destination: key, name: key.tunnelName, createdAt: now, machine: machine,
            local: UDPEndpoint(source, Self.l2tpPort), peer: UDPEndpoint(key.address, Self.l2tpPort))
        tunnels[id]?.isVacant = true
        destinations[key, default: Destination()].tunnels.append(id)
        destinations[key]?.vacant.append(id)
        destinations[key]?.retryAt = nil
        logger.info("tunnel opening", metadata: metadata(ofTunnel: id))
        perform(actions, tunnel: id, at: now)
        return id
    }

    func tunnelConfiguration(of profile: L2TPProfile, _ overrides: TunnelOverrides) -> TunnelConfiguration {
        var settings = TunnelConfiguration(hostName: overrides.hostName ?? profile.hostName)
        settings.vendorName = profile.vendorName
        settings.sharedSecret = overrides.secret ?? profile.sharedSecret?.octets
        settings.peerHostName = overrides.peerHostName
        settings.helloInterval = .seconds(profile.helloTimeout)
        settings.establishTimeout = .seconds(profile.establishTimeout)
        settings.sessionEstablishTimeout = .seconds(profile.sessionEstablishTimeout)
        settings.idleTimeout = .seconds(profile.idleTimeout)
        settings.transport.retryTimeout = .seconds(profile.retryTimeout)
        settings.transport.maxRetries = Int(profile.maxRetries)
        settings.transport.receiveWindow = profile.rxWindowSize
        settings.sessionLimit = Int(profile.sessionLimit)
        settings.hidesAttributes = profile.hidesAttributes
        settings.framingCapabilities = Framing(profile.framingCapability)
        settings.bearerCapabilities = Bearer(profile.bearerCapability)
        settings.sendsTieBreaker = profile.tieBreaker
        settings.firmwareRevision = profile.firmwareRevision
        settings.failover = profile.failoverCapability
        return settings
    }

    func tunnelTimerFired(_ id: UInt16, at now: Instant) {
        run(id, at: now) { $0.timerFired(at: now) }
    }

    /// Lets a tunnel do something, and carries out what it wishes then.
    func run<Failure: Error>(
        _ id: UInt16, at now: Instant, _ body: (inout Tunnel) throws(Failure) -> [TunnelAction]
    ) throws(Failure) {
        guard let actions = try tunnels[id]?.run(body) else { return }
        perform(actions, tunnel: id, at: now)
    }

    /// A UDP datagram to the node's L2TP port.
    func receiveDatagram(_ datagram: UDPDatagram, at now: Instant) {
        let id: UInt16
        do { id = try ControlHeader.decode(datagram.payload).0.tunnelID } catch {
            return logger.debug("L2TP: dropped a datagram: \(error)", metadata: ["peer": "\(datagram.source)"])
        }
        guard id != 0 else { return refuseTunnel(datagram, at: now) }
        guard let record = tunnels[id] else {
            if recoveries[id] != nil { return receiveRecovery(datagram, recovery: id, at: now) }
            statistics.count(.l2tpStrangerMessages)
            logger.debug(
                "L2TP message for no tunnel of this node",
                metadata: ["peer": "\(datagram.source)", "tunnel": "\(id)"])
            return
        }
        // Until it has answered, the peer may do so from another port, but not from another host.
        let isPeer =
            record.isBound ? datagram.source == record.peer : datagram.source.address == record.peer.address
        guard isPeer, datagram.destination == record.local else {
            return drop(strangers: datagram, tunnel: id, at: now)
        }
        receive(datagram, tunnel: id, at: now)
    }

    /// A message to a tunnel that is not its peer's. Whoever sends many does not fill the log.
    func drop(strangers datagram: UDPDatagram, tunnel id: UInt16, at now: Instant) {
        statistics.count(.l2tpStrangerMessages)
        guard let more = strangerLines.take(at: now) else { return }
        logger.warning(
            "L2TP message from a stranger dropped",
            metadata: more.merging(["peer": "\(datagram.source)", "tunnel": "\(id)"], uniquingKeysWith: { $1 }))
    }

    /// A peer asks for a tunnel. This node takes none but such as recover one of its own.
    private func refuseTunnel(_ datagram: UDPDatagram, at now: Instant) {
        guard case .request(let request)? = try? InitialMessage.decode(datagram.payload) else {
            return statistics.count(.l2tpStrangerMessages)
        }
        if let recovery = request.recovery { return takeRecovery(recovery, request, datagram, at: now) }
        statistics.count(.l2tpStrangerMessages)
        refuse(request, datagram, .init(.notAuthorized, message: "this node takes no tunnels"), at: now)
    }

    /// Says by StopCCN that a tunnel is not taken (RFC 2661, section 7.2.1), without remembering anything; how often is bounded,
    /// since the source may be forged. Refusing goes before comparing tie breakers: there is nothing to choose between when one of
    /// the two tunnels cannot be.
    func refuse(_ request: StartControlConnection, _ datagram: UDPDatagram, _ code: StopCode, at now: Instant) {
        guard let answer = InitialMessage.refusal(of: request, code), refusals.take(at: now) else { return }
        logger.info(
            "refused a tunnel: \(code.message ?? "")",
            metadata: ["peer": "\(datagram.source)", "peer-name": "\(request.hostName)"])
        do {
            perform(try host.send(answer, from: datagram.destination, to: datagram.source, at: now), at: now)
        } catch {
            logger.debug("L2TP message cannot be sent: \(error)", metadata: ["peer": "\(datagram.source)"])
        }
    }

    /// Hands a tunnel what its peer sent.
    private func receive(_ datagram: UDPDatagram, tunnel id: UInt16, at now: Instant) {
        debug(.l2tp, DebugScope(tunnel: id)) { "received \(MessageSummary.text(of: datagram.payload))" }
        guard let actions = tunnels[id]?.machine.receive(datagram: datagram.payload, at: now) else { return }
        if actions.contains(where: { if case .bindPeer = $0 { true } else { false } }) {
            tunnels[id]?.peer = datagram.source
            tunnels[id]?.isBound = true
        }
        perform(actions, tunnel: id, at: now)
        tellControlWindow(id)
    }

    /// Lets the data plane know which numbers of a peer's messages are near, once in 256 messages.
    func tellControlWindow(_ id: UInt16) {
        guard let record = tunnels[id], record.isPublished else { return }
        let octet = UInt8(record.machine.expectedNs >> 8)
        guard octet != record.controlWindow else { return }
        tunnels[id]?.controlWindow = octet
        table.setControlWindow(id, octet)
    }

    /// Carries out what a tunnel wishes. Messages go out last: when the LNS has ICCN, the table must already forward. What
    /// is carried out may make the tunnel wish for more; its messages follow then, since some peers drop what overtakes.
    func perform(_ actions: [TunnelAction], tunnel id: UInt16, at now: Instant) {
        guard let ends = tunnels[id].map({ (local: $0.local, peer: $0.peer) }) else { return }
        let isOutermost = outgoing[id] == nil
        outgoing[id, default: []] += actions.compactMap { if case .send(let datagram) = $0 { datagram } else { nil } }
        for action in actions {
            switch action {
            case .send, .bindPeer: break
            case .tunnelUp(let peer): tunnelUp(id, peer, at: now)
            case .tunnelDown(let end): tunnelDown(id, end, at: now)
            case .released: tunnelReleased(id, at: now)
            case .sessionUp(let information): callConnected(information, tunnel: id, at: now)
            case .sessionDown(let session, let end): callEnded(session, tunnel: id, end, at: now)
            case .incomingCall(let call): refuse(call, tunnel: id, at: now)
            // About asynchronous lines, of which a LAC for PPPoE has none, and about an LNS's calls.
            case .linkInfo, .wanError, .connectSpeeds: break
            case .note(let note):
                debug(.l2tp, DebugScope(tunnel: id)) { "\(note)" }
                logger.debug("L2TP: \(note)", metadata: metadata(ofTunnel: id))
            }
        }
        if let record = tunnels[id], record.machine.revision != record.savedRevision {
            tunnels[id]?.savedRevision = record.machine.revision
            changed.tunnels.insert(id)
            table.setControlNumbers(id, ControlNumbers(record.machine))
        }
        guard isOutermost else { return }
        for datagram in outgoing.removeValue(forKey: id) ?? [] {
            send(datagram, tunnel: id, from: ends.local, to: ends.peer, at: now)
        }
        agenda.schedule(.tunnel(id), at: tunnels[id]?.machine.deadline)
    }

    private func send(
        _ datagram: [UInt8], tunnel id: UInt16, from local: UDPEndpoint, to peer: UDPEndpoint, at now: Instant
    ) {
        debug(.l2tp, DebugScope(tunnel: id)) { "sent \(MessageSummary.text(of: datagram[...]))" }
        do {
            perform(try host.send(datagram, from: local, to: peer, at: now), at: now)
        } catch {
            tunnels[id]?.machine.sendFailed(datagram[...])
            logger.debug("L2TP message cannot be sent: \(error)", metadata: metadata(ofTunnel: id))
        }
    }

    /// This node takes no calls; a tunnel says so by itself unless it is told to hand them over.
    private func refuse(_ call: IncomingCallRequest, tunnel id: UInt16, at now: Instant) {
        run(id, at: now) {
            $0.refuseCall(
                peerSessionID: call.assignedSessionID, .init(.permanentlyUnavailable, message: "no calls here"),
                at: now)
        }
    }

    private func tunnelUp(_ id: UInt16, _ peer: PeerInformation, at now: Instant) {
        guard let key = tunnels[id]?.destination else { return }
        destinations[key]?.attempts = 0
        heldDown[key.address] = nil
        statistics.count(.l2tpTunnelsOpened)
        accountTunnelStart(id, at: now)
        publish(id, at: now)
        var details = metadata(ofTunnel: id)
        details["peer-name"] = "\(peer.hostName)"
        logger.info("tunnel up", metadata: details)
        tunnels[id]?.isUp = true
        if let snapshot = tunnelSnapshot(id) { effects.event(.tunnelUp(snapshot)) }
    }

    private func tunnelDown(_ id: UInt16, _ end: TunnelEnd, at now: Instant) {
        guard let record = tunnels[id] else { return }
        if end.origin == .peerSilent {
            for _ in 0..<record.machine.unacknowledgedDisconnects { statistics.count(.routesDestCloseFail) }
        }
        destinations[record.destination]?.tunnels.removeAll { $0 == id }
        destinations[record.destination]?.vacant.removeAll { $0 == id }
        tunnels[id]?.isVacant = false
        let level: Logger.Level = end.origin == .requested || end.origin == .idleTimeout ? .info : .warning
        logger.log(level: level, "tunnel down: \(end)", metadata: metadata(ofTunnel: id))
        if record.isUp, let snapshot = tunnelSnapshot(id) {
            effects.event(.tunnelDown(snapshot, cause(of: end)))
        }
        accountTunnelEnd(id, cause: isShuttingDown ? .adminReboot : TerminateCause(cause(of: end)), at: now)
        if end.origin != .requested, end.origin != .idleTimeout {
            destinations[record.destination]?.lastFailure = "\(end)"
        }
        // The seed's LAC brings a tunnel whose keepalive failed back by itself. Who says StopCCN means it.
        if [.peerSilent, .establishTimeout, .recovery].contains(end.origin),
            !drained.contains(record.destination.address)
        {
            scheduleRetry(record.destination, at: now)
        } else if destinations[record.destination]?.tunnels.isEmpty == true {
            destinations[record.destination] = nil
        }
    }

    func cause(of end: TunnelEnd) -> Cause {
        let initiator: Initiator =
            switch end.origin {
            case .requested: .operator
            case .peer: .peer
            case .peerSilent, .establishTimeout, .idleTimeout, .recovery: .timeout
            case .authentication, .protocolError, .tieBreaker: .local
            }
        return Cause(initiator, end.code, message: "\(end)")
    }

    private func tunnelReleased(_ id: UInt16, at now: Instant) {
        guard let record = tunnels.removeValue(forKey: id) else { return }
        changed.tunnels.insert(id)
        agenda.cancel(.tunnel(id))
        for recovery in record.recoveries { orphan(recovery, at: now) }
        host.release(record.destination.address)
        // Not before: while the peer may still send to this id, or wait for our StopCCN, it must not be another tunnel's.
        giveBack(tunnel: id, at: now)
    }

    // MARK: Bringing a lost tunnel back

    /// Doubles the time between two attempts, up to the profile's `persist-pend-timeout`.
    private func scheduleRetry(_ key: Destination.Key, at now: Instant) {
        guard var destination = destinations[key], destination.tunnels.isEmpty,
            let profile = configuration.l2tpProfile(key.profile)
        else { return }
        let wait = min(.seconds(1 << min(destination.attempts, 16)), Duration.seconds(profile.persistPendTimeout))
        destination.attempts += 1
        destination.retryAt = now + wait
        destinations[key] = destination
        agenda.schedule(.destination(key), at: destination.retryAt)
    }

    func destinationTimerFired(_ key: Destination.Key, at now: Instant) {
        guard let destination = destinations[key], let due = destination.retryAt else { return }
        guard due <= now else { return agenda.schedule(.destination(key), at: due) }
        destinations[key]?.retryAt = nil
        guard let profile = configuration.l2tpProfile(key.profile) else { return }
        do { _ = try openTunnel(to: key, profile: profile, at: now) } catch {
            logger.warning("tunnel cannot be opened again: \(error)", metadata: ["lns": "\(key.address)"])
            scheduleRetry(key, at: now)
        }
    }

    // MARK: The way to the peer

    /// Writes the tunnel's path into the forwarding table.
    func publish(_ id: UInt16, at now: Instant) {
        guard let record = tunnels[id], let peer = record.machine.peer,
            let route = host.route(to: record.peer.address),
            let profile = configuration.l2tpProfile(record.destination.profile)
        else { return }
        let path = TunnelPath(
            port: route.port, local: record.local, peer: record.peer, peerTunnelID: peer.tunnelID,
            source: route.sourceMAC, nextHop: host.resolve(record.peer.address)?.mac,
            mtu: pathMTU(of: record, profile: profile), lengthBit: profile.lengthBit,
            udpChecksum: computesChecksum(record, profile), typeOfService: profile.typeOfService.octet,
            dontFragment: profile.dontFragment, tooBig: profile.tooBig, offsetPad: profile.offsetPad,
            acceptsZeroChecksum: profile.ipv6ZeroChecksum)
        do {
            try table.publishTunnel(id, path)
            tunnels[id]?.isPublished = true
            scheduleReclaim(at: now)
        } catch {
            logger.error("tunnel cannot be forwarded: \(error)", metadata: metadata(ofTunnel: id))
        }
    }

    /// The way to some peers has changed.
    func nextHopChanged(gateway: IPAddress, port: UInt16, at now: Instant) {
        for id in tunnels.keys.sorted() {
            guard let record = tunnels[id], record.isPublished, let route = host.route(to: record.peer.address),
                route.gateway == gateway, route.port == port
            else { continue }
            publish(id, at: now)
        }
        republishStatic(by: gateway, at: now)
    }

    /// What identifies a tunnel in the log.
    func metadata(ofTunnel id: UInt16) -> Logger.Metadata {
        guard let record = tunnels[id] else { return ["tunnel": "\(id)"] }
        return ["tunnel": "\(id)", "name": "\(record.name)", "peer": "\(record.peer)"]
    }
}

extension Cause {
    /// A cause with the codes that went over the wire, zeros where none did.
    init<Result>(_ initiator: Initiator, _ code: ResultCode<Result>?, message: String) {
        self.init(
            initiator: initiator, resultCode: code?.result.rawValue ?? 0, errorCode: code?.error?.rawValue ?? 0,
            message: message)
    }
}

extension L2TPProfile.TypeOfService {
    /// The octet; nil inherits.
    var octet: UInt8? {
        switch self {
        case .inherit: nil
        case .fixed(let octet): octet
        }
    }
}

/// Why a tunnel cannot be opened.
enum TunnelError: Error, CustomStringConvertible {
    case noRoute(IPAddress)
    case sourceNotOurs(IPAddress)
    case profileGone(String)
    case notInTable(UInt16)
    case idsRest(UInt16)

    var description: String {
        switch self {
        case .noRoute(let address): "no interface or ip-route leads to \(address)"
        case .sourceNotOurs(let address):
            "the tunnel's source \(address) is no address of this node, or not of the LNS's kind"
        case .idsRest(let id): "all free session ids of tunnel \(id) are of sessions that its LNS has not let go of yet"
        case .notInTable(let id): "the forwarding table has no room for tunnel \(id)"
        case .profileGone(let name): "there is no l2tp-profile \(name) any more"
        }
    }
}
