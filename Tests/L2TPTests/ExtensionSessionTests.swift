import L2TP
import Testing
import Timing
import Wire

/// A session that is up in a tunnel of ours: our id 5, the peer's 23809.
private func lac() throws -> Tunnel {
    var tunnel = try establishedTunnel(peerWindow: 10)
    var call = call()
    call.connected.txConnectSpeed = 100_000_000
    call.connected.rxConnectSpeed = 10_000_000
    _ = try tunnel.openSession(localID: 5, call: call, at: .zero)
    _ = tunnel.receive(
        datagram: datagram(to: localID, session: 5, ns: 1, nr: 3, .incomingCallReply, avp(14, [0x5d, 0x01]))[...],
        at: .zero)
    return tunnel
}

private func speeds(_ session: UInt8, _ transmit: UInt8 = 0, _ receive: UInt8 = 0) -> [UInt8] {
    avp(97, [0, 0, 0, session, 0, 0, 0, transmit, 0, 0, 0, receive], flags: 0)
}

// MARK: Causes (RFC 3145)

@Test func aCauseGoesWithCDN() throws {
    var tunnel = try lac()
    let cause = PPPDisconnectCause(.normal, direction: .peer, message: "User request")
    let actions = tunnel.closeSession(5, DisconnectCode(.lossOfCarrier), cause: cause, at: seconds(1))
    #expect(
        actions.messages() == [
            .disconnect(CallDisconnect(assignedSessionID: 5, DisconnectCode(.lossOfCarrier), pppCause: cause))
        ])
    #expect(actions.sessionEnds[5]?.pppCause == cause)
}

@Test func aCauseComesWithCDN() throws {
    var tunnel = try lac()
    let actions = tunnel.receive(
        datagram: datagram(
            to: localID, session: 5, ns: 2, nr: 4, .callDisconnectNotify,
            avp(1, [0, 3]) + avp(14, [0x5d, 0x01]) + avp(12, [0, 16, 0x45]) + avp(46, [0, 16, 0xc2, 0x23, 1], flags: 0))[
                ...], at: seconds(1))
    let end = try #require(actions.sessionEnds[5])
    #expect(end.origin == .peer)
    #expect(end.q931Cause == Q931Cause(code: 16, message: 0x45))
    #expect(end.pppCause == PPPDisconnectCause(.authenticationFailed, controlProtocol: 0xc223, direction: .peer))
    #expect(
        end.description
            == "closed by peer: disconnected for administrative reasons (3); PPP: authentication failed: bad name, password "
            + "or secret (16), protocol 0xc223, at its peer")
}

// MARK: Speeds (RFC 5515)

@Test func speedsAreToldWhenAsked() throws {
    var tunnel = try lac()
    let actions = tunnel.receive(
        datagram: datagram(to: localID, ns: 2, nr: 4, .connectSpeedUpdateRequest, speeds(5) + speeds(6))[...],
        at: seconds(1))
    #expect(
        actions.messages() == [
            .connectSpeeds([
                ConnectSpeedUpdate(
                    remoteSessionID: 23809, txConnectSpeed: 100_000_000, rxConnectSpeed: 10_000_000)
            ])
        ])
    #expect(actions.notes == [.unknownSession(.connectSpeedUpdateRequest, 6)])
    // Its Message Type has no M bit: an LNS that does not know it passes over it.
    #expect(Array(actions.sent[0][12..<20]) == [0, 8, 0, 0, 0, 0, 0, 28])
    #expect(try ControlHeader.decode(actions.sent[0][...]).0.sessionID == 0)
}

/// Neither end is disturbed by what it cannot use.
@Test(arguments: [
    (MessageType.connectSpeedUpdateRequest, [UInt8]()), (.connectSpeedUpdateRequest, speeds(6)),
    (.connectSpeedUpdateRequest, avp(97, [0, 0, 0, 5], flags: 0)), (.connectSpeedUpdateNotification, []),
    (.connectSpeedUpdateNotification, speeds(5, 1, 1)), (.connectSpeedUpdateNotification, speeds(0, 1, 1)),
])
func speedsOutOfPlaceChangeNothing(_ type: MessageType, _ avps: [UInt8]) throws {
    var tunnel = try lac()
    let actions = tunnel.receive(datagram: datagram(to: localID, ns: 2, nr: 4, type, avps)[...], at: seconds(1))
    #expect(actions.messages().isEmpty && actions.tunnelEnd == nil && actions.sessionEnds.isEmpty)
    #expect(tunnel.state == .established)
    #expect(tunnel.sessions[5]?.state == .established)
    #expect(tunnel.sessions[5]?.connectSpeeds?.transmit == 100_000_000)
}

@Test func theLNSLearnsNewSpeeds() throws {
    var pair = try Pair(initiator: configuration(), responder: configuration(), seed: 3)
    pair.open()
    try pair.openSession(7)
    pair.run(until: seconds(1))
    let id = try #require(pair.responder.tunnel.sessions.keys.first)
    #expect(pair.responder.tunnel.sessions[id]?.connectSpeeds?.transmit == 1_000_000_000)
    let peer = pair.responder.tunnel
    let update = ControlMessage.connectSpeeds([
        ConnectSpeedUpdate(remoteSessionID: id, txConnectSpeed: 50, rxConnectSpeed: 5),
        ConnectSpeedUpdate(remoteSessionID: id &+ 1, txConnectSpeed: 1, rxConnectSpeed: 1),
    ])
    let header = ControlHeader(tunnelID: peer.localID, sessionID: 0, ns: peer.statistics.nr, nr: peer.statistics.ns)
    let bytes = try #require(header.encode(body: try update.encode()))
    let actions = pair.responder.tunnel.receive(datagram: bytes[...], at: seconds(1))
    let told = actions.compactMap { action -> ConnectSpeeds? in
        guard case .connectSpeeds(let session, let speeds) = action, session == id else { return nil }
        return speeds
    }
    #expect(told.map(\.transmit) == [50] && told.map(\.receive) == [5])
    #expect(pair.responder.tunnel.sessions[id]?.connectSpeeds == told.first)
    #expect(actions.notes == [.unknownSession(.connectSpeedUpdateNotification, id &+ 1)])
}

/// What an access node tells of a line reaches the LNS whole, in the clear and hidden.
@Test(arguments: [false, true]) func theLineReachesTheLNS(hides: Bool) throws {
    var settings = configuration(secret: secret)
    settings.hidesAttributes = hides
    var tunnel = try establishedTunnel(configuration())
    if hides {
        var pair = try Pair(initiator: settings, responder: settings, seed: 5)
        pair.open()
        pair.run(until: seconds(1))
        #expect(pair.initiator.isUp)
        tunnel = pair.initiator.tunnel
    }
    var call = call()
    call.accessLine = Golden.line
    let sent = try tunnel.openSession(localID: 9, call: call, at: seconds(1)).messages(secret: secret)
    guard case .incomingCallRequest(let request) = sent.first else {
        Issue.record("no ICRQ")
        return
    }
    #expect(request.accessLine == Golden.line)
    #expect(!request.announcesSpeedUpdates, "nothing tells a PPPoE access concentrator of a line's new speed")
}

// MARK: Two tunnels at once

@Test(
    arguments: [
        (nil, nil, .both), (5, nil, .ours), (nil, 5, .theirs), (5, 6, .ours), (6, 5, .theirs), (5, 5, .neither),
        (0, UInt64.max, .ours), (UInt64.max, 0, .theirs), (0x8000_0000_0000_0000, 0x7fff_ffff_ffff_ffff, .theirs),
    ] as [(UInt64?, UInt64?, TieBreak)])
func theLowerTieBreakerWins(_ ours: UInt64?, _ theirs: UInt64?, _ expected: TieBreak) {
    #expect(TieBreak(ours: ours, theirs: theirs) == expected)
}

@Test func aTieArisesWhileSCCRQIsOut() throws {
    var settings = configuration()
    settings.sendsTieBreaker = true
    var tunnel = try makeTunnel(.initiator, settings)
    var rival = StartControlConnection(hostName: "peer", assignedTunnelID: 7)
    rival.tieBreaker = try #require(tunnel.tieBreaker) - 1
    #expect(tunnel.tieBreak(against: rival) == nil, "nothing was sent yet")
    #expect(tunnel.yield(at: .zero).isEmpty)
    _ = tunnel.open(at: .zero)
    #expect(tunnel.tieBreak(against: rival) == .theirs)
    rival.tieBreaker = tunnel.tieBreaker
    #expect(tunnel.tieBreak(against: rival) == .neither)
    #expect(try establishedTunnel(settings).tieBreak(against: rival) == nil, "ours is up")
    #expect(try makeTunnel(.responder, settings).tieBreak(against: rival) == nil)
}

@Test func whoLosesTheTieIsSilent() throws {
    var tunnel = try makeTunnel()
    _ = tunnel.open(at: .zero)
    _ = try tunnel.openSession(localID: 5, call: call(), at: .zero)
    let actions = tunnel.yield(at: seconds(0.5))
    #expect(actions.sent.isEmpty)
    #expect(actions.tunnelEnd == TunnelEnd(origin: .tieBreaker, code: nil))
    #expect(actions.sessionEnds[5]?.origin == .tunnel)
    #expect(actions.isReleased)
    #expect(tunnel.deadline == nil)
    #expect(tunnel.timerFired(at: seconds(60)).isEmpty)
    let late = datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, startAVPs)
    #expect(tunnel.receive(datagram: late[...], at: seconds(1)).isEmpty)
    #expect(tunnel.history.records.last?.description == "TIE_LOST in state WAITCTLREPLY, new state IDLE")
}

/// By an independent program; tshark dissects it without complaint.
@Test func aTunnelIsRefusedWithoutMemory() throws {
    let request = StartControlConnection(hostName: "peer", assignedTunnelID: 33363)
    let code = StopCode(.notAuthorized, message: "this node takes no tunnels")
    #expect(
        InitialMessage.refusal(of: request, code)
            == hex(
                """
                c80200408253000000000001800800000000000480080000000900008024000000010004000074686973206e6f64652074616b6573\
                206e6f2074756e6e656c73
                """))
    // The peer takes it for what it is.
    var peer = try Tunnel(
        role: .initiator, localID: 33363, configuration: configuration(), random: SeededGenerator(state: 1))
    _ = peer.open(at: .zero)
    let refusal = try #require(InitialMessage.refusal(of: request, code))
    let actions = peer.receive(datagram: refusal[...], at: seconds(1))
    #expect(actions.tunnelEnd?.origin == .peer)
    #expect(actions.tunnelEnd?.code?.result == .notAuthorized)
    let tooLong = StopCode(.notAuthorized, message: String(repeating: "x", count: 2_000))
    #expect(InitialMessage.refusal(of: request, tooLong) != nil, "without the message")
}
