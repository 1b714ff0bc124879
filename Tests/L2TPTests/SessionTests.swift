import L2TP
import Testing
import Timing

private let reply = avp(14, [0x5d, 0x01])

private func icrp(_ session: UInt16, ns: UInt16 = 1, nr: UInt16 = 3) -> ArraySlice<UInt8> {
    datagram(to: localID, session: session, ns: ns, nr: nr, .incomingCallReply, reply)[...]
}

@Test func sessionsWaitForTheTunnel() throws {
    var tunnel = try makeTunnel()
    #expect(try tunnel.openSession(localID: 6781, call: call(), at: .zero).sent.isEmpty)
    #expect(tunnel.sessions[6781]?.state == .waitTunnel)
    #expect(tunnel.open(at: .zero).sentTypes == [.startControlConnectionRequest])
    let up = tunnel.receive(
        datagram: datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, startAVPs)[...], at: seconds(2))
    #expect(up.sentTypes == [.startControlConnectionConnected, .incomingCallRequest])
    let session = tunnel.receive(datagram: icrp(6781), at: seconds(2))
    #expect(session.sessionsUp == [6781])
    #expect(
        tunnel.sessions[6781]?.history.records.map(\.description) == [
            "INCALL_IND in state IDLE, new state WAITTUNNEL",
            "TUNNEL_OPEN_IND in state WAITTUNNEL, new state WAITREPLY",
            "ICRP_ACCEPT in state WAITREPLY, new state ESTABLISHED",
        ])
    #expect(tunnel.sessions[6781]?.history.records.map(\.time) == [.zero, seconds(2), seconds(2)])
}

@Test func callIsHandedOverWhole() throws {
    var call = IncomingCall(callSerialNumber: 77, connected: Golden.iccn)
    call.bearerType = .digital
    call.physicalChannelID = 17
    call.callingNumber = "0210"
    call.calledNumber = "0220"
    call.subAddress = "office1"
    var tunnel = try establishedTunnel()
    var request = Golden.icrq
    request.callSerialNumber = 77
    let opened = try tunnel.openSession(localID: 6781, call: call, at: seconds(1))
    #expect(opened.messages() == [.incomingCallRequest(request)])
    let up = tunnel.receive(datagram: icrp(6781), at: seconds(1))
    #expect(up.messages() == [.incomingCallConnected(Golden.iccn)])
    #expect(try ControlHeader.decode(up.sent[0][...]).0.sessionID == 23809)
    guard
        case .sessionUp(let information) = up.first(where: {
            guard case .sessionUp = $0 else { return false }
            return true
        })
    else {
        Issue.record("not up")
        return
    }
    #expect(information == SessionInformation(localID: 6781, peerID: 23809, sequencingRequired: true))
}

@Test func refusesSessionsThatCannotBe() throws {
    var settings = configuration()
    settings.sessionLimit = 2
    var tunnel = try establishedTunnel(settings)
    #expect(throws: SessionRefusal.localID) { try tunnel.openSession(localID: 0, call: call(), at: .zero) }
    _ = try tunnel.openSession(localID: 1, call: call(), at: .zero)
    #expect(throws: SessionRefusal.localID) { try tunnel.openSession(localID: 1, call: call(), at: .zero) }
    var long = call()
    long.callingNumber = String(repeating: "1", count: 1018)
    #expect(throws: SessionRefusal.encoding(.length(.callingNumber, 1018))) {
        try tunnel.openSession(localID: 2, call: long, at: .zero)
    }
    _ = try tunnel.openSession(localID: 2, call: call(), at: .zero)
    #expect(throws: SessionRefusal.sessionLimit) { try tunnel.openSession(localID: 3, call: call(), at: .zero) }
    #expect(tunnel.sessions.count == 2)
    _ = tunnel.close(at: .zero)
    #expect(throws: SessionRefusal.tunnelClosed) { try tunnel.openSession(localID: 4, call: call(), at: .zero) }
    #expect(throws: SessionRefusal.noSuchCall) { try tunnel.acceptCall(peerSessionID: 9, localID: 4, at: .zero) }
}

@Test func closesInEveryState() throws {
    let code = DisconnectCode(.lossOfCarrier, error: GeneralError.none, message: "PADT received")
    // The peer has not heard of it: nothing is sent.
    var waiting = try makeTunnel()
    _ = try waiting.openSession(localID: 5, call: call(), at: .zero)
    let silent = waiting.closeSession(5, code, at: .zero)
    #expect(silent.sent.isEmpty)
    #expect(silent.sessionEnds[5] == SessionEnd(origin: .requested, code: code))
    // The peer's id is not known: ours names the session.
    var requested = try establishedTunnel()
    _ = try requested.openSession(localID: 5, call: call(), at: .zero)
    let early = requested.closeSession(5, code, at: .zero)
    #expect(early.messages() == [.disconnect(CallDisconnect(assignedSessionID: 5, code))])
    #expect(try ControlHeader.decode(early.sent[0][...]).0.sessionID == 0)
    #expect(requested.receive(datagram: icrp(5), at: .zero).notes == [.unknownSession(.incomingCallReply, 5)])
    // Both are known.
    var established = try establishedTunnel()
    _ = try established.openSession(localID: 5, call: call(), at: .zero)
    _ = established.receive(datagram: icrp(5), at: .zero)
    let late = established.closeSession(5, code, at: .zero)
    #expect(late.messages() == [.disconnect(CallDisconnect(assignedSessionID: 5, code))])
    #expect(try ControlHeader.decode(late.sent[0][...]).0.sessionID == 23809)
    #expect(established.sessions.isEmpty)
    #expect(established.closeSession(5, code, at: .zero).isEmpty)
}

@Test func establishTimeoutDisconnects() throws {
    var settings = configuration()
    settings.sessionEstablishTimeout = .seconds(7)
    settings.helloInterval = .zero
    var tunnel = try establishedTunnel(settings)
    for (id, time) in [(UInt16(1), 0.0), (2, 1), (3, 2)] {
        _ = try tunnel.openSession(localID: id, call: call(), at: seconds(time))
    }
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 5)[...], at: seconds(2))
    _ = tunnel.receive(
        datagram: datagram(to: localID, session: 1, ns: 1, nr: 5, .incomingCallReply, reply)[...], at: seconds(2))
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 2, nr: 6)[...], at: seconds(2))
    // The first is up; the second's time is the next deadline.
    #expect(tunnel.deadline == seconds(8))
    let actions = tunnel.timerFired(at: seconds(8))
    #expect(actions.sessionEnds.mapValues(\.origin) == [2: .establishTimeout])
    #expect(actions.disconnectCodes.map(\.result) == [.timedOut])
    #expect(Set(tunnel.sessions.keys) == [1, 3])
}

/// What the peer says about a session, and how that session ends.
struct SessionFault: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var established: Bool
    var type: MessageType
    var avps: [UInt8]
    var error: GeneralError?

    static let connected = avp(24, [0, 0, 0, 1]) + avp(19, [0, 0, 0, 1])
    static let all: [SessionFault] = [
        SessionFault(
            testDescription: "unknown AVP in ICRP", established: false, type: .incomingCallReply,
            avps: reply + avp(200, []), error: .unknownMandatoryAVP),
        SessionFault(
            testDescription: "ICRP without id", established: false, type: .incomingCallReply, avps: [],
            error: .vendorSpecific),
        SessionFault(
            testDescription: "ICRP with id 0", established: false, type: .incomingCallReply, avps: avp(14, [0, 0]),
            error: .valueOutOfRange),
        SessionFault(
            testDescription: "ICRP cut", established: false, type: .incomingCallReply, avps: reply + [0x80],
            error: .wrongLength),
        SessionFault(
            testDescription: "ICCN to the LAC", established: false, type: .incomingCallConnected, avps: connected,
            error: .vendorSpecific),
        SessionFault(
            testDescription: "ICRP again", established: true, type: .incomingCallReply, avps: avp(14, [0, 7]),
            error: .vendorSpecific),
        SessionFault(
            testDescription: "OCRP", established: true, type: .outgoingCallReply, avps: avp(14, [0, 7]),
            error: .vendorSpecific),
        SessionFault(
            testDescription: "OCCN", established: true, type: .outgoingCallConnected, avps: connected,
            error: .vendorSpecific),
        SessionFault(
            testDescription: "CDN without result", established: true, type: .callDisconnectNotify, avps: reply,
            error: .vendorSpecific),
        SessionFault(
            testDescription: "SLI too short", established: true, type: .setLinkInfo, avps: avp(35, [0, 0]),
            error: .wrongLength),
        SessionFault(
            testDescription: "SLI", established: true, type: .setLinkInfo,
            avps: avp(35, [0, 0, 0, 0, 0, 1, 0, 0, 0, 2])),
        SessionFault(
            testDescription: "WEN to the LAC", established: true, type: .wanErrorNotify,
            avps: avp(34, [UInt8](repeating: 0, count: 26))),
    ]
}

@Test(arguments: SessionFault.all) func faultsEndTheSessionOnly(_ fault: SessionFault) throws {
    var tunnel = try establishedTunnel()
    _ = try tunnel.openSession(localID: 5, call: call(), at: .zero)
    _ = try tunnel.openSession(localID: 6, call: call(), at: .zero)
    if fault.established { _ = tunnel.receive(datagram: icrp(5, nr: 4), at: .zero) }
    let actions = tunnel.receive(
        datagram: datagram(
            to: localID, session: 5, ns: fault.established ? 2 : 1, nr: 4, fault.type, fault.avps)[...], at: .zero)
    #expect(tunnel.state == .established)
    #expect(tunnel.sessions[6] != nil)
    #expect((tunnel.sessions[5] == nil) == (fault.error != nil))
    #expect(actions.disconnectCodes.map(\.error) == (fault.error.map { [$0] } ?? []))
    #expect(actions.sessionEnds[5]?.origin == (fault.error == nil ? nil : .protocolError))
}

@Test func linkInfoIsHandedOn() throws {
    var tunnel = try establishedTunnel()
    _ = try tunnel.openSession(localID: 5, call: call(), at: .zero)
    _ = tunnel.receive(datagram: icrp(5), at: .zero)
    let actions = tunnel.receive(
        datagram: datagram(
            to: localID, session: 5, ns: 2, nr: 4, .setLinkInfo, avp(35, [0, 0, 0, 0, 0, 1, 0, 0, 0, 2]))[...],
        at: .zero)
    let maps = actions.compactMap { action -> AsyncControlCharacterMap? in
        guard case .linkInfo(localID: 5, let map) = action else { return nil }
        return map
    }
    #expect(maps == [AsyncControlCharacterMap(send: 1, receive: 2)])
}

@Test func secondUseOfAPeersIDIsRefused() throws {
    var tunnel = try establishedTunnel(peerWindow: 10)
    _ = try tunnel.openSession(localID: 5, call: call(), at: .zero)
    _ = try tunnel.openSession(localID: 6, call: call(), at: .zero)
    _ = tunnel.receive(datagram: icrp(5, nr: 4), at: .zero)
    let actions = tunnel.receive(datagram: icrp(6, ns: 2, nr: 5), at: .zero)
    #expect(actions.disconnectCodes.map(\.error) == [.invalidSessionID])
    #expect(Array(tunnel.sessions.keys) == [5])
}

@Test func lacTakesNoCalls() throws {
    var settings = configuration()
    settings.acceptsCalls = false
    var tunnel = try establishedTunnel(settings)
    let incoming = tunnel.receive(
        datagram: datagram(to: localID, ns: 1, nr: 2, .incomingCallRequest, avp(14, [0, 9]) + avp(15, [0, 0, 0, 1]))[
            ...],
        at: .zero)
    #expect(incoming.disconnectCodes.map(\.result) == [.permanentlyUnavailable])
    #expect(try ControlHeader.decode(incoming.sent[0][...]).0.sessionID == 9)
    let request = avp(16, [0, 0, 0, 1]) + avp(17, [0, 0, 0, 1]) + avp(18, [0, 0, 0, 1]) + avp(19, [0, 0, 0, 1])
    let outgoing = tunnel.receive(
        datagram: datagram(
            to: localID, ns: 2, nr: 3, .outgoingCallRequest,
            avp(14, [0, 8]) + avp(15, [0, 0, 0, 1]) + request + avp(21, [49]))[...], at: .zero)
    #expect(outgoing.disconnectCodes.map(\.result) == [.permanentlyUnavailable])
    #expect(tunnel.sessions.isEmpty)
}

// MARK: LNS end

private func responder(_ edit: (inout TunnelConfiguration) -> Void = { _ in }) throws -> Tunnel {
    var settings = configuration()
    edit(&settings)
    var tunnel = try makeTunnel(.responder, settings)
    _ = tunnel.receive(
        datagram: datagram(to: 0, ns: 0, nr: 0, .startControlConnectionRequest, startAVPs + avp(10, [0, 10]))[...],
        at: .zero)
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 1, .startControlConnectionConnected)[...], at: .zero)
    return tunnel
}

private func icrq(_ id: UInt8, ns: UInt16) -> ArraySlice<UInt8> {
    datagram(to: localID, ns: ns, nr: 1, .incomingCallRequest, avp(14, [0, id]) + avp(15, [0, 0, 0, id]))[...]
}

@Test func lnsTakesACall() throws {
    var tunnel = try responder()
    #expect(tunnel.state == .established)
    _ = tunnel.receive(datagram: icrq(9, ns: 2), at: .zero)
    let accepted = try tunnel.acceptCall(peerSessionID: 9, localID: 500, at: .zero)
    #expect(accepted.messages() == [.incomingCallReply(assignedSessionID: 500)])
    #expect(tunnel.sessions[500]?.state == .waitConnect)
    #expect(throws: SessionRefusal.noSuchCall) { try tunnel.acceptCall(peerSessionID: 9, localID: 501, at: .zero) }
    let body = try ControlMessage.incomingCallConnected(Golden.iccn).encode()
    let header = ControlHeader(tunnelID: localID, sessionID: 500, ns: 3, nr: 2)
    let up = tunnel.receive(datagram: (header.encode(body: body) ?? [])[...], at: .zero)
    guard case .sessionUp(let information) = up.last else {
        Issue.record("not up")
        return
    }
    #expect(
        information.connected == Golden.iccn && information.peerID == 9 && information.localID == 500
            && information.sequencingRequired)
    let errors = try ControlMessage.wanError(Golden.errors).encode()
    let told = tunnel.receive(
        datagram: (ControlHeader(tunnelID: localID, sessionID: 500, ns: 4, nr: 2).encode(body: errors) ?? [])[...],
        at: .zero)
    guard case .wanError(localID: 500, Golden.errors) = told.last else {
        Issue.record("not told")
        return
    }
}

@Test func lnsRefusesACall() throws {
    var tunnel = try responder()
    _ = tunnel.receive(datagram: icrq(9, ns: 2), at: .zero)
    let refused = tunnel.refuseCall(peerSessionID: 9, DisconnectCode(.busy), at: .zero)
    #expect(refused.messages() == [.disconnect(CallDisconnect(assignedSessionID: 0, DisconnectCode(.busy)))])
    #expect(try ControlHeader.decode(refused.sent[0][...]).0.sessionID == 9)
    #expect(tunnel.refuseCall(peerSessionID: 9, DisconnectCode(.busy), at: .zero).isEmpty)
}

/// CDN before the LAC has learnt our id: the header's session id is 0, and its own names the call.
@Test func callIsWithdrawnByThePeersID() throws {
    let withdrawal = avp(1, [0, 1]) + avp(14, [0, 9])
    var answered = try responder()
    _ = answered.receive(datagram: icrq(9, ns: 2), at: .zero)
    _ = try answered.acceptCall(peerSessionID: 9, localID: 500, at: .zero)
    let down = answered.receive(
        datagram: datagram(to: localID, ns: 3, nr: 1, .callDisconnectNotify, withdrawal)[...], at: .zero)
    #expect(down.sessionEnds[500]?.origin == .peer)
    var unanswered = try responder()
    _ = unanswered.receive(datagram: icrq(9, ns: 2), at: .zero)
    _ = unanswered.receive(
        datagram: datagram(to: localID, ns: 3, nr: 1, .callDisconnectNotify, withdrawal)[...], at: .zero)
    #expect(throws: SessionRefusal.noSuchCall) { try unanswered.acceptCall(peerSessionID: 9, localID: 500, at: .zero) }
}

@Test func lnsHasASessionLimit() throws {
    var tunnel = try responder { $0.sessionLimit = 1 }
    _ = tunnel.receive(datagram: icrq(9, ns: 2), at: .zero)
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 3, nr: 2)[...], at: .zero)
    let second = tunnel.receive(datagram: icrq(10, ns: 3), at: .zero)
    #expect(second.disconnectCodes.map(\.result) == [.temporarilyUnavailable])
}

/// A role that opens a session as soon as it hears that the tunnel is up sends ICRQ behind SCCCN, not before it.
@Test func whatIsSentComesBeforeWhatIsTold() throws {
    var tunnel = try makeTunnel()
    _ = tunnel.open(at: .zero)
    let actions = tunnel.receive(
        datagram: datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, startAVPs)[...], at: .zero)
    let kinds = actions.map { action in
        switch action {
        case .bindPeer: "bind"
        case .send: "send"
        case .tunnelUp: "up"
        default: "other"
        }
    }
    #expect(kinds == ["bind", "send", "up"])
}

/// An id that the peer may still speak of is no new session's.
@Suite struct RestingIDTests {
    private static let code = DisconnectCode(.lossOfCarrier)

    /// A tunnel whose session 5 was ended before the peer's answer has come; ICRQ and CDN have Ns 2 and 3.
    private func ended() throws -> Tunnel {
        var tunnel = try establishedTunnel()
        _ = try tunnel.openSession(localID: 5, call: call(), at: .zero)
        _ = tunnel.closeSession(5, Self.code, at: .zero)
        return tunnel
    }

    @Test func restsUntilThePeerHasLetGo() throws {
        var tunnel = try ended()
        #expect(tunnel.isResting(5, at: .zero))
        #expect(throws: SessionRefusal.localID) { try tunnel.openSession(localID: 5, call: call(), at: .zero) }
        // ICRQ alone is acknowledged.
        _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 3)[...], at: seconds(1))
        #expect(tunnel.isResting(5, at: seconds(1)))
        _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 4)[...], at: seconds(1))
        #expect(!tunnel.isResting(5, at: seconds(1)))
        #expect(
            try tunnel.openSession(localID: 5, call: call(), at: seconds(1)).sentTypes == [.incomingCallRequest])
    }

    /// The peer's answer is behind its acknowledgement of our CDN.
    @Test func restsWhileAnAnswerIsUnderWay() throws {
        var tunnel = try ended()
        _ = tunnel.receive(datagram: datagram(to: localID, ns: 2, nr: 4)[...], at: seconds(1))
        #expect(tunnel.isResting(5, at: seconds(1)))
        // An acknowledgement of ICRQ alone that was overtaken.
        _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 3)[...], at: seconds(1))
        #expect(tunnel.isResting(5, at: seconds(1)))
        // The answer comes, and is answered by another CDN, with Ns 4.
        let late = tunnel.receive(datagram: icrp(5, ns: 1, nr: 4), at: seconds(2))
        #expect(late.notes == [.unknownSession(.incomingCallReply, 5)])
        #expect(late.disconnectCodes.map(\.result) == [.lossOfCarrier])
        _ = tunnel.receive(datagram: datagram(to: localID, ns: 2, nr: 4)[...], at: seconds(2))
        #expect(tunnel.isResting(5, at: seconds(2)))
        _ = tunnel.receive(datagram: datagram(to: localID, ns: 2, nr: 5)[...], at: seconds(2))
        #expect(!tunnel.isResting(5, at: seconds(2)))
    }

    /// A message that acknowledges may be an old one; what it leaves open, a full cycle of repetitions settles.
    @Test func restsForAFullCycleAtMost() throws {
        var tunnel = try ended()
        _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 4, .hello)[...], at: seconds(1))
        #expect(tunnel.isResting(5, at: seconds(1)))
        #expect(tunnel.configuration.transport.fullCycle == .seconds(31))
        #expect(tunnel.isResting(5, at: seconds(31.999)))
        #expect(!tunnel.isResting(5, at: seconds(32)))
    }

    /// No id rests that the peer has ended, or never heard of.
    @Test func othersDoNotRest() throws {
        var tunnel = try establishedTunnel()
        _ = try tunnel.openSession(localID: 5, call: call(), at: .zero)
        _ = tunnel.receive(datagram: icrp(5), at: .zero)
        let theirs = avp(14, [0x5d, 0x01]) + avp(1, [0, 3])
        let end = tunnel.receive(
            datagram: datagram(to: localID, session: 5, ns: 2, nr: 3, .callDisconnectNotify, theirs)[...], at: .zero)
        #expect(end.sessionEnds[5]?.origin == .peer)
        #expect(!tunnel.isResting(5, at: .zero))
        var waiting = try makeTunnel()
        _ = try waiting.openSession(localID: 5, call: call(), at: .zero)
        _ = waiting.closeSession(5, Self.code, at: .zero)
        #expect(!waiting.isResting(5, at: .zero))
    }

    /// The next process knows what rests.
    @Test func restsInTheNextProcess() throws {
        let tunnel = try ended()
        #expect(tunnel.checkpoint.queue.map(\.ends) == [0, 5])
        var next = try Tunnel(
            restoring: tunnel.checkpoint, configuration: tunnel.configuration, random: SeededGenerator(state: 9),
            at: seconds(1))
        #expect(next.isResting(5, at: seconds(1)))
        _ = next.goOn(at: seconds(1))
        _ = next.receive(datagram: datagram(to: localID, ns: 1, nr: 4)[...], at: seconds(1))
        #expect(!next.isResting(5, at: seconds(1)))
    }
}
