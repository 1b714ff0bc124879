import Timing

/// The control connection's state machine (RFC 2661, section 7.2.1).
extension Tunnel {
    /// Acts on a message that came in order.
    mutating func process(_ body: ArraySlice<UInt8>, sessionID: UInt16, at now: Instant) {
        let decoded: ControlMessage.Decoded
        do { decoded = try ControlMessage.decode(body, secret: configuration.sharedSecret) } catch {
            return reject(error, sessionID: sessionID, at: now)
        }
        for avp in decoded.ignored { note(.ignored(avp)) }
        guard let message = decoded.message else { return note(.unknownMessage) }
        guard state != .cleanup, !isReleased else {
            // A late SCCRP still tells where our StopCCN has to go.
            if case .startReply(let start) = message, channel.peerTunnelID == 0 {
                channel.peerTunnelID = start.assignedTunnelID
            }
            return
        }
        switch message {
        case .startRequest(let start): receive(request: start, at: now)
        case .startReply(let start): receive(reply: start, at: now)
        case .startConnected(let response): receive(connected: response, at: now)
        case .stop(let assignedTunnelID, let code):
            if channel.peerTunnelID == 0 { channel.peerTunnelID = assignedTunnelID }
            stopped(code, at: now)
        case .hello: channel.countHelloReceived()
        default:
            guard state == .established, failover.recovers == nil else { return unexpected(message.type, at: now) }
            processSession(message, sessionID: sessionID, at: now)
        }
    }

    private mutating func receive(request start: StartControlConnection, at now: Instant) {
        guard role == .responder, state == .idle else {
            return unexpected(.startControlConnectionRequest, at: now)
        }
        learn(start)
        guard (start.recovery == nil) == (failover.recovers == nil) else {
            let code = StopCode(.generalError, error: .valueOutOfRange, message: "there is no such tunnel to recover")
            return stop(code, origin: .protocolError, on: .sccrqReject, at: now)
        }
        guard hasSupportedVersion(start, on: .sccrqReject, at: now), isExpected(start, on: .sccrqReject, at: now)
        else { return }
        if start.challenge != nil, configuration.sharedSecret == nil {
            return refuseChallenge(on: .sccrqReject, at: now)
        }
        var reply = startMessage()
        reply.challengeResponse = response(to: start.challenge, in: .startControlConnectionReply)
        reply.suggestedSequence = failover.suggestion
        bindsPeer = true
        send(.startReply(reply))
        startEstablishing(.waitControlConnected, on: .sccrqAccept, at: now)
    }

    private mutating func receive(reply start: StartControlConnection, at now: Instant) {
        guard role == .initiator, state == .waitControlReply else {
            return unexpected(.startControlConnectionReply, at: now)
        }
        learn(start)
        guard hasSupportedVersion(start, on: .sccrpReject, at: now), isExpected(start, on: .sccrpReject, at: now),
            isAuthentic(start.challengeResponse, in: .startControlConnectionReply, on: .sccrpReject, at: now)
        else { return }
        if start.challenge != nil, configuration.sharedSecret == nil {
            return refuseChallenge(on: .sccrpReject, at: now)
        }
        if failover.recovers != nil { failover.suggestion = start.suggestedSequence }
        bindsPeer = true
        send(
            .startConnected(
                challengeResponse: response(to: start.challenge, in: .startControlConnectionConnected)))
        established(on: .sccrpAccept, at: now)
    }

    private mutating func receive(connected response: [UInt8]?, at now: Instant) {
        guard state == .waitControlConnected else { return unexpected(.startControlConnectionConnected, at: now) }
        guard isAuthentic(response, in: .startControlConnectionConnected, on: .scccnReject, at: now) else { return }
        established(on: .scccnAccept, at: now)
    }

    private mutating func established(on event: TunnelEvent, at now: Instant) {
        establishAt = nil
        enter(.established, on: event, at: now)
        heard(at: now)
        if let peer { actions.append(.tunnelUp(peer)) }
        startWaitingSessions(at: now)
    }

    private mutating func learn(_ start: StartControlConnection) {
        let information = PeerInformation(start)
        peer = information
        channel.peerTunnelID = information.tunnelID
        channel.setPeerWindow(information.receiveWindow)
    }

    private mutating func hasSupportedVersion(
        _ start: StartControlConnection, on event: TunnelEvent, at now: Instant
    ) -> Bool {
        // Version 1 of the AVP is L2TPv2; any revision of it is compatible (section 4.4.3).
        guard start.protocolVersion >> 8 != 1 else { return true }
        stop(
            StopCode(.unsupportedVersion, error: GeneralError(rawValue: 0x0100)), origin: .protocolError, on: event,
            at: now)
        return false
    }

    // MARK: Authentication

    /// Whether the peer bears the name that it has to.
    private mutating func isExpected(
        _ start: StartControlConnection, on event: TunnelEvent, at now: Instant
    ) -> Bool {
        guard let expected = configuration.peerHostName, start.hostName != expected else { return true }
        let text = "Host Name is '\(start.hostName)' where '\(expected)' was expected"
        stop(StopCode(.notAuthorized, message: text), origin: .authentication, on: event, at: now)
        return false
    }

    private func response(to challenge: [UInt8]?, in message: MessageType) -> [UInt8]? {
        guard let challenge, let secret = configuration.sharedSecret else { return nil }
        return TunnelAuthentication.response(in: message, secret: secret, challenge: challenge)
    }

    private mutating func isAuthentic(
        _ response: [UInt8]?, in message: MessageType, on event: TunnelEvent, at now: Instant
    ) -> Bool {
        guard let expected = self.response(to: challenge, in: message) else { return true }
        let text: String
        if let response {
            guard !TunnelAuthentication.matches(response, expected) else { return true }
            text = "Challenge Response is wrong: the shared secrets differ"
        } else {
            text = "Challenge Response is missing: only one end has a shared secret"
        }
        stop(StopCode(.notAuthorized, message: text), origin: .authentication, on: event, at: now)
        return false
    }

    private mutating func refuseChallenge(on event: TunnelEvent, at now: Instant) {
        let text = "Challenge cannot be answered: only one end has a shared secret"
        stop(StopCode(.notAuthorized, message: text), origin: .authentication, on: event, at: now)
    }

    // MARK: Faults

    private mutating func unexpected(_ type: MessageType, at now: Instant) {
        stop(
            StopCode(.fsmError, message: "\(type) in state \(state.rawValue)"), origin: .protocolError,
            on: .protocolError, at: now)
    }

    /// A message that cannot be accepted ends what it concerns (RFC 2661, section 7.1).
    private mutating func reject(_ fault: MessageFault, sessionID: UInt16, at now: Instant) {
        note(.fault(fault))
        guard state != .cleanup, !isReleased else { return }
        if let message = fault.message, message.concernsSession, state == .established {
            return rejectSession(fault, message, sessionID: sessionID, at: now)
        }
        if channel.peerTunnelID == 0 { channel.peerTunnelID = fault.assignedTunnelID ?? 0 }
        stop(
            StopCode(.generalError, error: fault.error, message: "\(fault)"), origin: .protocolError,
            on: .protocolError, at: now)
    }
}
