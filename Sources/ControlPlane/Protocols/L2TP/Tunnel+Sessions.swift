import Timing

/// Sessions of a tunnel: incoming calls, LAC and LNS end (RFC 2661, sections 7.3 and 7.4).
extension Tunnel {
    // MARK: Entry points

    /// LAC: hands a call to the LNS under our id `localID`. While the tunnel is not up the session waits for it.
    ///
    /// The id must not be resting (`isResting`).
    public mutating func openSession(
        localID id: UInt16, call: IncomingCall, at now: Instant
    ) throws(SessionRefusal) -> [TunnelAction] {
        try admit(id, at: now)
        let request = call.request(assignedSessionID: id)
        var session = Session(
            end: .lac, localID: id, request: request, sequencingRequired: call.connected.sequencingRequired,
            serial: takeSerial(), at: now)
        do {
            session.requestBody = try ControlMessage.incomingCallRequest(request).encode(hiding: hidingKey())
            session.connectedBody = try ControlMessage.incomingCallConnected(call.connected).encode(
                hiding: hidingKey())
        } catch { throw .encoding(error) }
        session.connectSpeeds = ConnectSpeeds(call.connected)
        session.enter(.waitTunnel, on: .incomingCall, at: now)
        add(session, at: now)
        if state == .established { sendRequest(id, at: now) } else { waiting.append((id, session.serial)) }
        return finish(at: now)
    }

    /// LNS: takes the call that `incomingCall` told, under our id `localID`.
    public mutating func acceptCall(
        peerSessionID: UInt16, localID id: UInt16, at now: Instant
    ) throws(SessionRefusal) -> [TunnelAction] {
        guard let call = calls[peerSessionID] else { throw .noSuchCall }
        try admit(id, at: now)
        calls[peerSessionID] = nil
        var session = Session(
            end: .lns, localID: id, request: call, sequencingRequired: false, serial: takeSerial(), at: now)
        session.peerID = peerSessionID
        localIDs[peerSessionID] = id
        session.enter(.waitConnect, on: .icrqAccept, at: now)
        add(session, at: now)
        send(.incomingCallReply(assignedSessionID: id), sessionID: peerSessionID)
        return finish(at: now)
    }

    /// LNS: refuses the call that `incomingCall` told.
    public mutating func refuseCall(
        peerSessionID: UInt16, _ code: DisconnectCode, cause: PPPDisconnectCause? = nil, at now: Instant
    ) -> [TunnelAction] {
        guard calls.removeValue(forKey: peerSessionID) != nil else { return [] }
        refuse(peerSessionID, code, cause: cause)
        return finish(at: now)
    }

    /// Ends a session, with CDN if the peer has heard of it; `cause` tells what became of its PPP, where that is known. Nothing
    /// happens when there is no such session.
    public mutating func closeSession(
        _ id: UInt16, _ code: DisconnectCode, cause: PPPDisconnectCause? = nil, at now: Instant
    ) -> [TunnelAction] {
        disconnect(id, code, cause: cause, origin: .requested)
        return finish(at: now)
    }

    /// Whether the peer may still speak of an earlier session that had this id.
    public func isResting(_ id: UInt16, at now: Instant) -> Bool { channel.isResting(id, at: now) }

    // MARK: Messages

    mutating func processSession(_ message: ControlMessage, sessionID: UInt16, at now: Instant) {
        switch message {
        case .incomingCallRequest(let request): return receive(call: request)
        case .outgoingCallRequest(let request):
            // This end dials nobody.
            let code = DisconnectCode(.permanentlyUnavailable, message: "no outgoing calls here")
            return refuse(request.assignedSessionID, code)
        case .disconnect(let disconnect): return receive(disconnect, sessionID: sessionID)
        case .connectSpeeds(let updates): return receive(speeds: updates)
        case .connectSpeedsRequest(let updates): return answer(speedsRequest: updates)
        case .failoverQuery(let sessions): return answer(query: sessions)
        case .failoverResponse(let sessions): return receive(answer: sessions)
        default: break
        }
        guard let session = sessions[sessionID] else {
            note(.unknownSession(message.type, sessionID))
            // An answer to a call that has ended here, or that was lost with the process before this one: the peer waits for ICCN.
            if case .incomingCallReply(let peerID) = message, localIDs[peerID] == nil {
                let code = DisconnectCode(.lossOfCarrier, message: "the call has ended")
                send(
                    .disconnect(CallDisconnect(assignedSessionID: sessionID, code)), sessionID: peerID, ends: sessionID)
            }
            return
        }
        switch (message, session.end, session.state) {
        case (.incomingCallReply(let assigned), .lac, .waitReply): receive(reply: assigned, for: sessionID, at: now)
        case (.incomingCallConnected(let connected), .lns, .waitConnect):
            sessions[sessionID]?.sequencingRequired = connected.sequencingRequired
            sessions[sessionID]?.connectSpeeds = ConnectSpeeds(connected)
            establish(sessionID, on: .iccnAccept, connected: connected, at: now)
        case (.setLinkInfo(let map), .lac, .established): actions.append(.linkInfo(localID: sessionID, map))
        case (.wanError(let errors), .lns, .established): actions.append(.wanError(localID: sessionID, errors))
        // Telling, not asking: out of place they change nothing.
        case (.setLinkInfo, _, _), (.wanError, _, _): break
        default:
            let text = "\(message.type) in state \(session.state.rawValue)"
            disconnect(
                sessionID, DisconnectCode(.generalError, error: .vendorSpecific, message: text),
                origin: .protocolError)
        }
    }

    private mutating func receive(call request: IncomingCallRequest) {
        let peerID = request.assignedSessionID
        guard localIDs[peerID] == nil, calls[peerID] == nil else {
            // A CDN would end the session that has this id.
            return note(.unknownSession(.incomingCallRequest, peerID))
        }
        guard configuration.acceptsCalls else {
            let code = DisconnectCode(.permanentlyUnavailable, message: "no incoming calls here")
            return refuse(peerID, code)
        }
        guard hasRoom else {
            let code = DisconnectCode(.temporarilyUnavailable, message: "session limit reached")
            return refuse(peerID, code)
        }
        calls[peerID] = request
        actions.append(.incomingCall(request))
    }

    private mutating func receive(reply peerID: UInt16, for id: UInt16, at now: Instant) {
        guard localIDs[peerID] == nil else {
            let text = "Assigned Session ID \(peerID) is in use"
            return disconnect(
                id, DisconnectCode(.generalError, error: .invalidSessionID, message: text), origin: .protocolError)
        }
        localIDs[peerID] = id
        guard let session = sessions[id] else { return }
        channel.enqueue(session.connectedBody, sessionID: peerID)
        sessions[id]?.peerID = peerID
        sessions[id]?.connectedBody = []
        establish(id, on: .icrpAccept, connected: nil, at: now)
    }

    private mutating func receive(_ disconnect: CallDisconnect, sessionID: UInt16) {
        let assigned = disconnect.assignedSessionID
        // A peer that has not learnt our id writes 0 and is known by its own (section 4.4.4, Assigned Session ID).
        if sessionID == 0, calls.removeValue(forKey: assigned) != nil { return }
        guard let id = sessionID == 0 ? localIDs[assigned] : sessionID, sessions[id] != nil else {
            return note(.unknownSession(.callDisconnectNotify, sessionID))
        }
        remove(
            id,
            SessionEnd(
                origin: .peer, code: disconnect.code, q931Cause: disconnect.q931Cause, pppCause: disconnect.pppCause))
    }

    /// LNS: lines have changed their speed (RFC 5515, section 4.1). Of what is no established session of ours nothing is known.
    private mutating func receive(speeds updates: [ConnectSpeedUpdate]) {
        for update in updates {
            guard let session = sessions[update.remoteSessionID], session.end == .lns, session.state == .established
            else {
                note(.unknownSession(.connectSpeedUpdateNotification, update.remoteSessionID))
                continue
            }
            let speeds = ConnectSpeeds(update)
            sessions[update.remoteSessionID]?.connectSpeeds = speeds
            actions.append(.connectSpeeds(localID: update.remoteSessionID, speeds))
        }
    }

    /// LAC: tells the speeds that it is asked for (RFC 5515, section 4.2), of established sessions alone. A question may name
    /// as many sessions as fit a message, and the answer has the same size.
    private mutating func answer(speedsRequest updates: [ConnectSpeedUpdate]) {
        let answers = updates.compactMap { update -> ConnectSpeedUpdate? in
            guard let session = sessions[update.remoteSessionID], session.end == .lac, session.state == .established,
                let peerID = session.peerID, let speeds = session.connectSpeeds
            else {
                note(.unknownSession(.connectSpeedUpdateRequest, update.remoteSessionID))
                return nil
            }
            return ConnectSpeedUpdate(
                remoteSessionID: peerID, txConnectSpeed: speeds.transmit, rxConnectSpeed: speeds.receive)
        }
        if !answers.isEmpty { send(.connectSpeeds(answers)) }
    }

    /// A message of a session that cannot be accepted ends that session.
    mutating func rejectSession(
        _ fault: MessageFault, _ message: MessageType, sessionID: UInt16, at now: Instant
    ) {
        let code = DisconnectCode(.generalError, error: fault.error, message: "\(fault)")
        switch message {
        case .incomingCallRequest, .outgoingCallRequest:
            guard let assigned = fault.assignedSessionID, assigned != 0, localIDs[assigned] == nil else { return }
            refuse(assigned, code)
        default:
            // ICRP names the peer's id, without which it could not tell which call our CDN ends.
            if message == .incomingCallReply, sessions[sessionID]?.peerID == nil,
                let assigned = fault.assignedSessionID,
                assigned != 0, localIDs[assigned] == nil
            {
                sessions[sessionID]?.peerID = assigned
                localIDs[assigned] = sessionID
            }
            disconnect(sessionID, code, origin: .protocolError)
        }
    }

    // MARK: Parts

    private var hasRoom: Bool {
        configuration.sessionLimit == 0 || sessions.count + calls.count < configuration.sessionLimit
    }

    private func admit(_ id: UInt16, at now: Instant) throws(SessionRefusal) {
        guard state != .cleanup, !isReleased, end == nil, failover.recovers == nil else { throw .tunnelClosed }
        guard id != 0, sessions[id] == nil, !isResting(id, at: now) else { throw .localID }
        guard configuration.sessionLimit == 0 || sessions.count < configuration.sessionLimit else {
            throw .sessionLimit
        }
    }

    mutating func takeSerial() -> UInt64 {
        nextSerial &+= 1
        return nextSerial
    }

    private mutating func add(_ session: Session, at now: Instant) {
        sessions[session.localID] = session
        if configuration.sessionEstablishTimeout > .zero {
            sessionDeadlines.append(
                (now + configuration.sessionEstablishTimeout, session.localID, session.serial))
        }
    }

    /// Sends ICRQ of each session that waited for the tunnel.
    mutating func startWaitingSessions(at now: Instant) {
        while let next = waiting.popFirst() {
            if sessions[next.id]?.serial == next.serial { sendRequest(next.id, at: now) }
        }
    }

    private mutating func sendRequest(_ id: UInt16, at now: Instant) {
        guard let body = sessions[id]?.requestBody else { return }
        channel.enqueue(body, sessionID: 0)
        sessions[id]?.requestBody = []
        sessions[id]?.enter(.waitReply, on: .tunnelOpen, at: now)
    }

    private mutating func establish(
        _ id: UInt16, on event: SessionEvent, connected: CallConnected?, at now: Instant
    ) {
        sessions[id]?.enter(.established, on: event, at: now)
        guard let session = sessions[id], let peerID = session.peerID else { return }
        actions.append(
            .sessionUp(
                SessionInformation(
                    localID: id, peerID: peerID, sequencingRequired: session.sequencingRequired,
                    connected: connected)))
    }

    func isEstablishing(_ id: UInt16, serial: UInt64) -> Bool {
        guard let session = sessions[id] else { return false }
        return session.serial == serial && session.state != .established
    }

    mutating func expireSessions(at now: Instant) {
        while let front = sessionDeadlines.first, front.at <= now {
            sessionDeadlines.removeFirst()
            if isEstablishing(front.id, serial: front.serial) {
                disconnect(front.id, DisconnectCode(.timedOut), origin: .establishTimeout)
            }
        }
    }

    private mutating func disconnect(
        _ id: UInt16, _ code: DisconnectCode, cause: PPPDisconnectCause? = nil, origin: SessionEnd.Origin
    ) {
        guard let session = sessions[id] else { return }
        if session.state != .waitTunnel {
            send(
                .disconnect(CallDisconnect(assignedSessionID: id, code, pppCause: cause)),
                sessionID: session.peerID ?? 0, ends: id)
        }
        remove(id, SessionEnd(origin: origin, code: code, pppCause: cause))
    }

    /// CDN for a call of the peer's that has no session here.
    private mutating func refuse(_ peerID: UInt16, _ code: DisconnectCode, cause: PPPDisconnectCause? = nil) {
        send(.disconnect(CallDisconnect(assignedSessionID: 0, code, pppCause: cause)), sessionID: peerID)
    }

    mutating func remove(_ id: UInt16, _ end: SessionEnd) {
        guard let session = sessions.removeValue(forKey: id) else { return }
        failover.unconfirmed.remove(id)
        if let peerID = session.peerID { localIDs[peerID] = nil }
        actions.append(.sessionDown(localID: id, end))
    }
}
