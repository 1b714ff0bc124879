import Configuration
import L2TP
import Observability
import PPP
import RADIUS
import Timing
import Wire

/// Calls: from a client's name to a session in a tunnel to its LNS, and back down.
extension ControlNode {
    /// Opens a session to an LNS, in a tunnel that there is or in a new one. When it throws, nothing has changed.
    func openCall(for slot: UInt32, to candidate: LNSCandidate, _ key: Destination.Key, at now: Instant) throws {
        guard let connection = connections[slot], let proxy = connection.link?.proxyData,
            let profile = configuration.l2tpProfile(key.profile)
        else { throw TunnelError.profileGone(key.profile) }
        let tunnelID = try tunnel(to: key, profile: profile, at: now)
        let downstream = try takeSessionID(of: tunnelID, at: now)
        add(Call(downstream: downstream, upstreamSlot: slot), toTunnel: tunnelID)
        connections[slot]?.call = CallID(tunnel: tunnelID, session: downstream.sessionID)
        connections[slot]?.phase = .connecting
        destinations[key]?.preference = candidate.preference
        if let accounting = configuration.accessConcentrator(connection.request.instance.name)?.accounting,
            accounting.tunnel
        {
            destinations[key]?.accountingGroup = accounting.group
        }
        var call = incomingCall(of: connection, proxy: proxy, serialNumber: next(\.callSerialNumbers))
        call.connected.sequencingRequired = profile.dataSequencing == .required
        call.connected.privateGroupID = candidate.privateGroupID
        if profile.accessLineAVPs, let line = connection.request.accessLine { call.describe(line) }
        do {
            try run(tunnelID, at: now) { tunnel throws(SessionRefusal) in
                try tunnel.openSession(localID: downstream.sessionID, call: call, at: now)
            }
        } catch {
            _ = removeCall(CallID(tunnel: tunnelID, session: downstream.sessionID))
            connections[slot]?.call = nil
            connections[slot]?.phase = .choosing
            giveBack(downstream: downstream.slot)
            throw error
        }
        if connection.choice?.hasMore == true, tunnels[tunnelID]?.machine.state != .established {
            agenda.schedule(.attempt(slot: slot), at: now + .seconds(profile.failoverTimeout))
        }
    }

    /// Takes a local session id that the LNS cannot speak of any more, should another session have had it before. Ids that have been
    /// free for longest come first, so that only a table that is all but full has none.
    private func takeSessionID(of tunnelID: UInt16, at now: Instant) throws -> DownstreamHandle {
        var resting: [DownstreamHandle] = []
        defer { for handle in resting { giveBack(downstream: handle.slot) } }
        while resting.count < Self.restingIDsPassed {
            let handle = try table.allocateDownstream(tunnel: tunnelID)
            guard tunnels[tunnelID]?.machine.isResting(handle.sessionID, at: now) == true else { return handle }
            resting.append(handle)
        }
        throw TunnelError.idsRest(tunnelID)
    }

    /// Resting ids that a call passes over before it gives up.
    private static let restingIDsPassed = 64

    /// What the LNS is told of the client (RFC 2661, sections 4.4.3 to 4.4.5).
    private func incomingCall(of connection: Connection, proxy: ProxyData, serialNumber: UInt32) -> IncomingCall {
        var connected = CallConnected(
            txConnectSpeed: connectSpeed(of: connection.circuit.port), framingType: .synchronous)
        connected.proxyLCP = ProxyLCP(
            initialReceived: proxy.initialReceivedConfigureRequest, lastSent: proxy.lastSentConfigureRequest,
            lastReceived: proxy.lastReceivedConfigureRequest)
        switch proxy.authenType {
        case .chap:
            connected.proxyAuthentication = ProxyAuthentication(
                kind: .chap, name: proxy.authenName, challenge: proxy.authenChallenge, id: proxy.authenID,
                response: proxy.authenResponse)
        case .pap:
            connected.proxyAuthentication = ProxyAuthentication(
                kind: .pap, name: proxy.authenName, id: proxy.authenID, response: proxy.authenResponse)
        case .eap:
            connected.proxyAuthentication = ProxyAuthentication(
                kind: .eap, name: proxy.authenName, id: proxy.authenID, response: proxy.authenResponse)
        case .none, .textual, .msCHAPv1:
            connected.proxyAuthentication = ProxyAuthentication(kind: .none)
        }
        var call = IncomingCall(callSerialNumber: serialNumber, connected: connected)
        call.bearerType = .digital
        call.physicalChannelID = connection.routeID
        call.callingNumber = connection.client.description
        return call
    }

    /// Bit/s told as connect speed (RFC 2661, section 4.4.4): PPPoE tells no line rate, so it is that of the access port, as
    /// far as 32 bits can say it.
    private func connectSpeed(of port: UInt16) -> UInt32 {
        let megabits = UInt64(ports.first { $0.index == port }?.linkSpeed ?? 0)
        return UInt32(clamping: megabits * 1_000_000)
    }

    /// The session is up: data flows from here on, and the client's PPP is between it and the LNS.
    func callConnected(_ information: SessionInformation, tunnel tunnelID: UInt16, at now: Instant) {
        guard let record = tunnels[tunnelID], let call = record.calls[information.localID],
            let connection = connections[call.upstreamSlot]
        else { return }
        // What the table could not take when the tunnel came up it may take now.
        if !record.isPublished { publish(tunnelID, at: now) }
        do {
            guard tunnels[tunnelID]?.isPublished == true else { throw TunnelError.notInTable(tunnelID) }
            try table.forward(
                upstream: call.upstreamSlot, downstream: call.downstream.slot, peerSessionID: information.peerID,
                features: features(of: connection, in: record))
        } catch {
            logger.error("session cannot be forwarded: \(error)", metadata: metadata(of: connection))
            statistics.count(.routesDstOpenFail)
            return endCall(
                CallID(tunnel: tunnelID, session: information.localID),
                .init(.temporarilyUnavailable, error: .insufficientResources), client: "\(error)", at: now)
        }
        tunnels[tunnelID]?.calls[information.localID]?.isForwarding = true
        connections[call.upstreamSlot]?.phase = .open
        connections[call.upstreamSlot]?.openedAt = now
        changed.sessions[connection.routeID] = call.upstreamSlot
        agenda.cancel(.connection(slot: call.upstreamSlot))
        agenda.cancel(.attempt(slot: call.upstreamSlot))
        connections[call.upstreamSlot]?.choice = nil
        statistics.count(.l2tpSessionsOpened)
        logger.info("session up", metadata: metadata(of: connection))
        if let number = record.account { tunnelAccounts[number]?.sessions += 1 }
        authorizedSessionUp(call.upstreamSlot, at: now)
        startAccounting(of: call.upstreamSlot, at: now)
        connections[call.upstreamSlot]?.link = nil
        if let snapshot = sessionSnapshot(tunnelID, information.localID) { effects.event(.sessionUp(snapshot)) }
    }

    private func features(of connection: Connection, in record: TunnelRecord) -> SessionSettings {
        guard let instance = configuration.accessConcentrator(connection.request.instance.name),
            let profile = configuration.l2tpProfile(record.destination.profile)
        else { return SessionSettings() }
        return SessionSettings(instance, profile)
    }

    /// The session has ended by itself: by CDN, with its tunnel, or for want of an answer.
    func callEnded(_ sessionID: UInt16, tunnel tunnelID: UInt16, _ end: SessionEnd, at now: Instant) {
        let id = CallID(tunnel: tunnelID, session: sessionID)
        let cause = cause(of: end, tunnel: tunnelID)
        guard let call = takeCall(id, cause: cause) else { return }
        guard let connection = connections[call.upstreamSlot] else { return }
        connections[call.upstreamSlot]?.call = nil
        if cause.initiator == .peer || call.isForwarding && cause.initiator == .timeout {
            statistics.count(.routesClosedByDest)
        }
        if call.isForwarding {
            logger.info("session down: \(end)", metadata: metadata(of: connection))
            removeConnection(call.upstreamSlot, telling: "\(end)", at: now)
        } else {
            giveBack(downstream: call.downstream.slot)
            callFailed(slot: call.upstreamSlot, end, id, at: now)
        }
    }

    /// Ends a call on our side, with CDN, and says no word to the client. `ppp` is what became of its PPP.
    func closeCall(
        _ id: CallID, _ code: DisconnectCode, ppp: PPPDisconnectCause? = nil, initiator: Initiator = .client,
        at now: Instant
    ) {
        guard let call = takeCall(id, cause: Cause(initiator, code, message: code.message ?? "")) else { return }
        if !call.isForwarding { giveBack(downstream: call.downstream.slot) }
        sendDisconnect(id, code, ppp: ppp, at: now)
    }

    /// Ends a call on our side and tells the client too.
    func endCall(
        _ id: CallID, _ code: DisconnectCode, ppp: PPPDisconnectCause? = nil, initiator: Initiator = .local,
        client text: String, at now: Instant
    ) {
        guard let call = takeCall(id, cause: Cause(initiator, code, message: text)) else { return }
        connections[call.upstreamSlot]?.call = nil
        if call.isForwarding {
            removeConnection(call.upstreamSlot, telling: text, at: now)
        } else {
            giveBack(downstream: call.downstream.slot)
            refuseConnection(call.upstreamSlot, text, at: now)
        }
        sendDisconnect(id, code, ppp: ppp, at: now)
    }

    private func sendDisconnect(_ id: CallID, _ code: DisconnectCode, ppp: PPPDisconnectCause?, at now: Instant) {
        run(id.tunnel, at: now) { $0.closeSession(id.session, code, cause: ppp, at: now) }
    }

    /// Takes a call out of its tunnel and tells the watchers. Whoever takes it frees its slots.
    private func takeCall(_ id: CallID, cause: Cause) -> Call? {
        guard let isForwarding = tunnels[id.tunnel]?.calls[id.session]?.isForwarding else { return nil }
        let snapshot = isForwarding ? sessionSnapshot(id.tunnel, id.session) : nil
        guard let call = removeCall(id) else { return nil }
        if call.isForwarding {
            statistics.count(.l2tpSessionsClosed)
            endedIn[call.upstreamSlot] = EndedIn(tunnel: id.tunnel, account: tunnels[id.tunnel]?.account)
            if connections[call.upstreamSlot]?.terminateCause == nil {
                connections[call.upstreamSlot]?.terminateCause = isShuttingDown ? .adminReboot : TerminateCause(cause)
            }
            if let snapshot { effects.event(.sessionDown(snapshot, cause)) }
        }
        return call
    }

    /// Why a session ended; one that ended with its tunnel, for the tunnel's reason.
    private func cause(of end: SessionEnd, tunnel id: UInt16) -> Cause {
        if end.origin == .tunnel, let tunnelEnd = tunnels[id]?.machine.end {
            var cause = cause(of: tunnelEnd)
            cause.message = "\(end): \(tunnelEnd)"
            return cause
        }
        let initiator: Initiator =
            switch end.origin {
            case .peer: .peer
            case .establishTimeout: .timeout
            case .requested, .tunnel, .protocolError, .recovery: .local
            }
        return Cause(initiator, end.code, message: "\(end)")
    }
}
