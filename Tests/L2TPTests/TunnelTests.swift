import L2TP
import Testing
import Timing

// MARK: Captured from xl2tpd 1.3.18

/// Two xl2tpd with a shared secret, challenge in both directions: SCCRQ of the LAC, then what the LNS answered.
private let capturedChallenge = hex("8886cf702ed9099696714552363fcde3")
private let capturedSCCRP = hex(
    """
    c8020091e09d00000000000180080000000000028008000000020100800a0000000300000003800a00000004000000000008000000060690\
    800a000000076c6e733100130000000878656c6572616e63652e636f6d800800000009993580080000000a000480160000000d0698b7a500\
    b686c4d482ecc72724c48380160000000bfb17ac4be2fdc6803f6b5a3c1f7c3896
    """)
private let capturedSCCCNResponse = hex("4f53ef054a4516869fa0a7e2966a21b6")
private let capturedSCCRQ = hex(
    """
    c802007b000000000000000080080000000000018008000000020100800a0000000300000003800a00000004000000000008000000060690\
    800a000000076c61633100130000000878656c6572616e63652e636f6d800800000009e09d80080000000a000480160000000b8886cf702e\
    d9099696714552363fcde3
    """)

@Test func completesACapturedConversation() throws {
    var settings = configuration(secret: secret)
    settings.sendsTieBreaker = false
    var tunnel = try Tunnel(
        role: .initiator, localID: 57501, configuration: settings,
        random: ScriptedGenerator(octets: capturedChallenge[...]))
    guard case .startRequest(let request) = tunnel.open(at: .zero).messages().first else {
        Issue.record("no SCCRQ")
        return
    }
    #expect(request.challenge == capturedChallenge)
    let opened = try tunnel.openSession(localID: 17250, call: call(), at: .zero)
    #expect(opened.sent.isEmpty)

    let up = tunnel.receive(datagram: capturedSCCRP[...], at: seconds(0.001))
    #expect(up.isUp)
    #expect(up.messages().first == .startConnected(challengeResponse: capturedSCCCNResponse))
    #expect(up.sentTypes == [.startControlConnectionConnected, .incomingCallRequest])
    #expect(tunnel.peer?.hostName == "lns1")
    #expect(tunnel.peer?.vendorName == "xelerance.com")
    #expect(tunnel.peer?.tunnelID == 39221)
    #expect(tunnel.peer?.firmwareRevision == 0x0690)
    #expect(tunnel.statistics.peerWindow == 4)

    _ = tunnel.receive(datagram: hex("c802000ce09d000000010002")[...], at: seconds(0.002))
    let session = tunnel.receive(
        datagram: hex("c802001ce09d436200010003800800000000000b80080000000e838d")[...], at: seconds(0.003))
    #expect(session.sessionsUp == [17250])
    #expect(session.sentTypes == [.incomingCallConnected])
    #expect(tunnel.sessions[17250]?.peerID == 33677)
    _ = tunnel.receive(datagram: hex("c802000ce09d436200020004")[...], at: seconds(0.004))

    let cdn = hex("c8020026e09d436200020004800800000000000e800a000000010001000080080000000e838d")
    let down = tunnel.receive(datagram: cdn[...], at: seconds(0.005))
    #expect(down.sessionEnds[17250]?.origin == .peer)
    #expect(down.sessionEnds[17250]?.code?.result == .lossOfCarrier)
    #expect(tunnel.sessions.isEmpty)
    #expect(
        tunnel.history.records.map(\.description) == [
            "OPEN_REQ in state IDLE, new state WAITCTLREPLY",
            "SCCRP_ACCEPT in state WAITCTLREPLY, new state ESTABLISHED",
        ])
}

@Test func answersACapturedRequest() throws {
    guard case .request(let start) = try InitialMessage.decode(capturedSCCRQ[...]) else {
        Issue.record("not a request")
        return
    }
    #expect(start.hostName == "lac1")
    var tunnel = try makeTunnel(.responder, configuration(secret: secret))
    let actions = tunnel.receive(datagram: capturedSCCRQ[...], at: .zero)
    guard case .startReply(let reply) = actions.messages().first else {
        Issue.record("no SCCRP")
        return
    }
    // The response of the captured SCCRP, to the same challenge under the same secret.
    #expect(reply.challengeResponse == hex("0698b7a500b686c4d482ecc72724c483"))
    #expect(tunnel.state == .waitControlConnected)
}

// MARK: Authentication

@Test(arguments: [
    ([UInt8]?.none, [UInt8]?.none, true), (secret, secret, true), (secret, Array("other".utf8), false),
    (secret, nil, false), (nil, secret, false),
])
func authenticates(_ ours: [UInt8]?, _ theirs: [UInt8]?, _ expected: Bool) throws {
    var pair = try Pair(initiator: configuration(secret: ours), responder: configuration(secret: theirs), seed: 1)
    pair.open()
    pair.run(until: seconds(5))
    #expect(pair.initiator.isUp == expected)
    #expect(pair.responder.isUp == expected)
    if !expected {
        let ends = [pair.initiator.end, pair.responder.end].compactMap { $0 }
        #expect(Set(ends.map(\.origin)) == [.authentication, .peer])
        for end in ends {
            #expect(end.code?.result == .notAuthorized)
            #expect(end.code?.message?.contains("shared secret") == true)
        }
        pair.run(until: seconds(60))
        #expect(pair.initiator.isReleased && pair.responder.isReleased)
    }
}

@Test(arguments: [
    (startAVPs + avp(13, [UInt8](repeating: 1, count: 16)), "wrong"), (startAVPs, "missing"),
])
func refusesReplyWithoutRightResponse(_ avps: [UInt8], _ word: String) throws {
    var tunnel = try makeTunnel(.initiator, configuration(secret: secret))
    _ = tunnel.open(at: .zero)
    let actions = tunnel.receive(
        datagram: datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, avps)[...], at: .zero)
    #expect(actions.stopCode?.result == .notAuthorized)
    #expect(actions.stopCode?.message?.contains(word) == true)
    #expect(actions.tunnelEnd?.origin == .authentication)
    #expect(!actions.isUp)
    #expect(tunnel.history.records.last?.description == "SCCRP_REJECT in state WAITCTLREPLY, new state CLEANUP")
}

@Test func challengesDiffer() throws {
    var seen: Set<[UInt8]> = []
    for seed in 0..<32 {
        var tunnel = try makeTunnel(.initiator, configuration(secret: secret), seed: UInt64(seed))
        guard case .startRequest(let start) = tunnel.open(at: .zero).messages().first else { continue }
        seen.insert(start.challenge ?? [])
    }
    #expect(seen.count == 32)
    #expect(seen.allSatisfy { $0.count == 16 })
}

// MARK: Control connection states

/// What an initiator in a state does about a message, and where that leaves it.
struct Transition: Sendable, CustomTestStringConvertible {
    var type: MessageType
    var established: Bool
    var newState: TunnelState
    var stop: StopResult?
    var testDescription: String { "\(type) in \(established ? "ESTABLISHED" : "WAITCTLREPLY")" }

    var avps: [UInt8] {
        switch type {
        case .startControlConnectionRequest, .startControlConnectionReply: startAVPs
        case .stopControlConnectionNotification: avp(9, [0, 9]) + avp(1, [0, 6])
        case .incomingCallRequest: avp(14, [0, 9]) + avp(15, [0, 0, 0, 1])
        case .incomingCallReply: avp(14, [0, 9])
        default: []
        }
    }

    static let all: [Transition] = [
        Transition(type: .startControlConnectionReply, established: false, newState: .established),
        Transition(
            type: .startControlConnectionRequest, established: false, newState: .cleanup, stop: .fsmError),
        Transition(
            type: .startControlConnectionConnected, established: false, newState: .cleanup, stop: .fsmError),
        Transition(type: .stopControlConnectionNotification, established: false, newState: .cleanup),
        Transition(type: .incomingCallRequest, established: false, newState: .cleanup, stop: .fsmError),
        Transition(type: .hello, established: false, newState: .waitControlReply),
        Transition(type: .startControlConnectionReply, established: true, newState: .cleanup, stop: .fsmError),
        Transition(
            type: .startControlConnectionRequest, established: true, newState: .cleanup, stop: .fsmError),
        Transition(
            type: .startControlConnectionConnected, established: true, newState: .cleanup, stop: .fsmError),
        Transition(type: .stopControlConnectionNotification, established: true, newState: .cleanup),
        Transition(type: .hello, established: true, newState: .established),
        Transition(type: .incomingCallRequest, established: true, newState: .established),
        Transition(type: .incomingCallReply, established: true, newState: .established),
    ]
}

@Test(arguments: Transition.all) func followsTheStateTable(_ transition: Transition) throws {
    var tunnel = try makeTunnel()
    _ = tunnel.open(at: .zero)
    if transition.established { tunnel = try establishedTunnel() }
    let actions = tunnel.receive(
        datagram: datagram(
            to: localID, ns: transition.established ? 1 : 0, nr: transition.established ? 2 : 1, transition.type,
            transition.avps)[...], at: seconds(1))
    #expect(tunnel.state == transition.newState)
    #expect(actions.stopCode?.result == transition.stop)
    #expect((actions.tunnelEnd != nil) == (transition.newState == .cleanup))
}

@Test func refusesAnotherProtocolVersion() throws {
    var tunnel = try makeTunnel(.responder)
    let avps = avp(2, [2, 0]) + avp(7, [65]) + avp(3, [0, 0, 0, 3]) + avp(9, [0, 9])
    let actions = tunnel.receive(
        datagram: datagram(to: 0, ns: 0, nr: 0, .startControlConnectionRequest, avps)[...], at: .zero)
    #expect(actions.stopCode?.result == .unsupportedVersion)
    #expect(actions.stopCode?.error?.rawValue == 0x0100)
}

@Test func acceptsAnotherRevision() throws {
    var tunnel = try makeTunnel(.responder)
    let avps = avp(2, [1, 7]) + avp(7, [65]) + avp(3, [0, 0, 0, 3]) + avp(9, [0, 9])
    _ = tunnel.receive(datagram: datagram(to: 0, ns: 0, nr: 0, .startControlConnectionRequest, avps)[...], at: .zero)
    #expect(tunnel.state == .waitControlConnected)
}

@Test(arguments: [
    (avp(200, []), GeneralError.unknownMandatoryAVP), (avp(9, [0, 0]), .valueOutOfRange), (avp(10, [1]), .wrongLength),
    ([0x80, 3], .wrongLength),
])
func faultyReplyEndsTheTunnel(_ avps: [UInt8], _ error: GeneralError) throws {
    var tunnel = try makeTunnel()
    _ = tunnel.open(at: .zero)
    let start = error == .valueOutOfRange ? Array(startAVPs.dropLast(8)) : startAVPs
    let actions = tunnel.receive(
        datagram: datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, start + avps)[...], at: .zero)
    #expect(actions.stopCode?.result == .generalError)
    #expect(actions.stopCode?.error == error)
    #expect(actions.tunnelEnd?.origin == .protocolError)
    // StopCCN goes to the id that the faulty reply assigned, where it could be read.
    let header = try ControlHeader.decode(try #require(actions.sent.first)[...]).0
    #expect(header.tunnelID == (error == .valueOutOfRange ? 0 : peerID))
}

@Test func unknownMessageWithoutMIsPassedOver() throws {
    var tunnel = try establishedTunnel()
    let actions = tunnel.receive(
        datagram: datagram(to: localID, ns: 1, nr: 2, nil, avp(0, [0, 99], flags: 0))[...], at: seconds(1))
    #expect(actions.notes == [.unknownMessage])
    #expect(tunnel.state == .established)
    #expect(tunnel.statistics.nr == 2)
    let mandatory = tunnel.receive(
        datagram: datagram(to: localID, ns: 2, nr: 2, nil, avp(0, [0, 99]))[...], at: seconds(1))
    #expect(mandatory.stopCode?.error == .unknownMandatoryAVP)
}

@Test(arguments: [
    [UInt8](), [0], hex("c802000c00050000000100"), datagram(to: 1, ns: 1, nr: 2, .hello),
    datagram(to: 0, ns: 1, nr: 2, .hello), datagram(to: localID, ns: 1, nr: 77, .hello),
    datagram(to: localID, ns: 500, nr: 2, .hello), datagram(to: localID, ns: 11, nr: 2, .hello),
])
func garbageChangesNothing(_ bytes: [UInt8]) throws {
    var tunnel = try establishedTunnel()
    let before = tunnel.statistics
    let actions = tunnel.receive(datagram: bytes[...], at: seconds(1))
    #expect(actions.notes.count == 1)
    #expect(actions.sent.isEmpty)
    #expect(tunnel.state == .established)
    #expect(tunnel.statistics.nr == before.nr && tunnel.statistics.ns == before.ns)
    #expect(tunnel.statistics.peerNr == before.peerNr)
}

@Test func bindsThePeerWithItsFirstValidAnswer() throws {
    func binds(_ actions: [TunnelAction]) -> Bool {
        actions.contains {
            guard case .bindPeer = $0 else { return false }
            return true
        }
    }
    var tunnel = try makeTunnel(.initiator, configuration(secret: secret))
    #expect(!binds(tunnel.open(at: .zero)))
    let reply = datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, startAVPs)
    #expect(!binds(tunnel.receive(datagram: reply[...], at: .zero)))
    var open = try makeTunnel()
    _ = open.open(at: .zero)
    #expect(binds(open.receive(datagram: reply[...], at: .zero)))
    var responder = try makeTunnel(.responder)
    #expect(binds(responder.receive(datagram: capturedSCCRQWithoutChallenge[...], at: .zero)))
}

private let capturedSCCRQWithoutChallenge: [UInt8] = {
    var bytes = Array(capturedSCCRQ.dropLast(22))
    bytes[3] = UInt8(bytes.count)
    return bytes
}()

// MARK: Timers and ends

@Test func establishTimeoutStops() throws {
    var settings = configuration()
    settings.establishTimeout = .seconds(3)
    var tunnel = try makeTunnel(.responder, settings)
    _ = tunnel.receive(datagram: capturedSCCRQWithoutChallenge[...], at: .zero)
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 1)[...], at: .zero)
    #expect(tunnel.deadline == seconds(3))
    let actions = tunnel.timerFired(at: seconds(3))
    #expect(actions.tunnelEnd?.origin == .establishTimeout)
    #expect(actions.stopCode?.result == .clear)
}

@Test func helloAsksWhenThePeerIsSilent() throws {
    var settings = configuration()
    settings.helloInterval = .seconds(20)
    var tunnel = try establishedTunnel(settings)
    #expect(tunnel.deadline == seconds(20))
    #expect(tunnel.timerFired(at: seconds(19.9)).sent.isEmpty)
    let hello = tunnel.timerFired(at: seconds(20))
    #expect(hello.sentTypes == [.hello])
    #expect(try ControlHeader.decode(hello.sent[0][...]).0.sessionID == 0)
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 3)[...], at: seconds(26))
    #expect(tunnel.deadline == seconds(46))
    #expect(tunnel.statistics.counters.hellosSent == 1)
    let answer = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 3, .hello)[...], at: seconds(27))
    #expect(answer.sent.isEmpty)
    #expect(tunnel.statistics.counters.hellosReceived == 1)
    #expect(tunnel.deadline == seconds(27) + .milliseconds(50))
    #expect(tunnel.timerFired(at: seconds(27.05)).sentTypes == [nil])
}

@Test func silentPeerTakesTheTunnelDown() throws {
    var tunnel = try establishedTunnel()
    _ = try tunnel.openSession(localID: 5, call: call(), at: seconds(1))
    // 1 s, then 2, 4, 8, 8 and 8 s without an answer.
    for (time, sends) in [(2.0, 1), (4.0, 1), (8.0, 1), (16.0, 1), (24.0, 1), (32.0, 0)] {
        #expect(tunnel.deadline == seconds(time))
        #expect(tunnel.timerFired(at: seconds(time) + .nanoseconds(-1)).sent.isEmpty)
        let actions = tunnel.timerFired(at: seconds(time))
        #expect(actions.sent.count == sends)
        #expect(actions.isReleased == (sends == 0))
        if sends == 0 {
            #expect(actions.tunnelEnd == TunnelEnd(origin: .peerSilent, code: nil))
            #expect(actions.sessionEnds[5]?.origin == .tunnel)
        }
    }
    #expect(tunnel.state == .idle)
    #expect(tunnel.deadline == nil)
    #expect(tunnel.statistics.counters.retransmits == 5)
}

@Test(arguments: [(0, [1.0]), (1, [1, 3]), (2, [1, 3, 7]), (6, [1, 3, 7, 15, 23, 31, 39])])
func retriesAsOftenAsSet(_ retries: Int, _ times: [Double]) throws {
    var settings = configuration()
    settings.transport.maxRetries = retries
    settings.establishTimeout = .zero
    var tunnel = try makeTunnel(.initiator, settings)
    _ = tunnel.open(at: .zero)
    for (index, time) in times.enumerated() {
        #expect(tunnel.deadline == seconds(time))
        #expect(tunnel.timerFired(at: seconds(time)).isReleased == (index == times.count - 1))
    }
}

@Test func idleTunnelCloses() throws {
    var settings = configuration()
    settings.idleTimeout = .seconds(10)
    settings.helloInterval = .zero
    var tunnel = try establishedTunnel(settings)
    #expect(tunnel.deadline == seconds(10))
    _ = try tunnel.openSession(localID: 5, call: call(), at: seconds(4))
    _ = tunnel.receive(
        datagram: datagram(to: localID, session: 5, ns: 1, nr: 3, .incomingCallReply, avp(14, [0, 9]))[...],
        at: seconds(4))
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 2, nr: 4)[...], at: seconds(4))
    #expect(tunnel.deadline == nil)
    _ = tunnel.closeSession(5, DisconnectCode(.lossOfCarrier), at: seconds(20))
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 2, nr: 5)[...], at: seconds(20))
    #expect(tunnel.deadline == seconds(30))
    #expect(tunnel.timerFired(at: seconds(30)).tunnelEnd?.origin == .idleTimeout)
}

@Test func stopIsAcknowledgedForAFullCycle() throws {
    var tunnel = try establishedTunnel()
    let stop = datagram(
        to: localID, ns: 1, nr: 2, .stopControlConnectionNotification, avp(9, [0, 9]) + avp(1, [0, 6]))
    let first = tunnel.receive(datagram: stop[...], at: seconds(1))
    #expect(first.sentTypes == [nil])
    #expect(first.tunnelEnd == TunnelEnd(origin: .peer, code: StopCode(.shuttingDown)))
    for time in [2.0, 4, 8, 16, 24] {
        let again = tunnel.receive(datagram: stop[...], at: seconds(time))
        #expect(again.sentTypes == [nil])
        #expect(again.tunnelEnd == nil)
    }
    #expect(tunnel.deadline == seconds(32))
    #expect(tunnel.timerFired(at: seconds(32)).isReleased)
    #expect(tunnel.receive(datagram: stop[...], at: seconds(33)).isEmpty)
}

@Test func closeWaitsForTheAcknowledgement() throws {
    var tunnel = try establishedTunnel()
    let actions = tunnel.close(StopCode(.shuttingDown, message: "maintenance"), at: seconds(1))
    #expect(
        actions.messages() == [
            .stop(
                assignedTunnelID: localID,
                StopCode(.shuttingDown, error: GeneralError.none, message: "maintenance"))
        ])
    #expect(actions.tunnelEnd?.origin == .requested)
    #expect(!actions.isReleased)
    #expect(tunnel.timerFired(at: seconds(2)).sentTypes == [.stopControlConnectionNotification])
    #expect(tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 3)[...], at: seconds(3)).isReleased)
    #expect(tunnel.close(at: seconds(4)).isEmpty)
}

@Test func closeBeforeAnyMessageReleasesAtOnce() throws {
    var tunnel = try makeTunnel()
    _ = try tunnel.openSession(localID: 5, call: call(), at: .zero)
    let actions = tunnel.close(at: .zero)
    #expect(actions.sent.isEmpty)
    #expect(actions.isReleased)
    #expect(actions.sessionEnds.count == 1)
    #expect(tunnel.open(at: .zero).isEmpty)
}

@Test func lateReplyTellsWhereStopGoes() throws {
    var tunnel = try makeTunnel()
    _ = tunnel.open(at: .zero)
    // StopCCN waits behind the unanswered SCCRQ.
    #expect(tunnel.close(at: seconds(0.5)).sent.isEmpty)
    let actions = tunnel.receive(
        datagram: datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, startAVPs)[...], at: seconds(1))
    #expect(actions.sentTypes == [.stopControlConnectionNotification])
    #expect(try ControlHeader.decode(actions.sent[0][...]).0.tunnelID == peerID)
    #expect(!actions.isUp)
}

@Test func sendFailuresAreCounted() throws {
    var tunnel = try establishedTunnel()
    tunnel.sendFailed(datagram(to: 9, ns: 1, nr: 1)[...])
    tunnel.sendFailed(datagram(to: 9, ns: 1, nr: 1, .hello)[...])
    tunnel.sendFailed(datagram(to: 9, ns: 1, nr: 1, .incomingCallReply, avp(14, [0, 9]))[...])
    tunnel.sendFailed([])
    #expect(tunnel.statistics.counters.helloSendFailures == 1)
    #expect(tunnel.statistics.counters.zlbSendFailures == 2)
}

// MARK: Settings

@Test func everySettingIsSent() throws {
    var settings = configuration(secret: secret)
    settings.vendorName = "Some Vendor"
    settings.firmwareRevision = 513
    settings.framingCapabilities = .synchronous
    settings.bearerCapabilities = nil
    settings.transport.receiveWindow = 77
    var tunnel = try makeTunnel(.initiator, settings)
    guard case .startRequest(let start) = tunnel.open(at: .zero).messages().first else { return }
    #expect(start.hostName == "lac.example")
    #expect(start.vendorName == "Some Vendor")
    #expect(start.firmwareRevision == 513)
    #expect(start.framingCapabilities == .synchronous)
    #expect(start.bearerCapabilities == nil)
    #expect(start.receiveWindowSize == 77)
    #expect(start.assignedTunnelID == localID)
    #expect(start.tieBreaker != nil && start.tieBreaker == tunnel.tieBreaker)
    #expect(start.challenge?.count == 16)
    settings.sendsTieBreaker = false
    settings.hidesAttributes = true
    var hiding = try makeTunnel(.initiator, settings)
    guard case .startRequest(let open) = hiding.open(at: .zero).messages().first else {
        Issue.record("no SCCRQ that can be read without the secret, which is chosen by what it says")
        return
    }
    #expect(open.tieBreaker == nil)
    #expect(open.vendorName == "Some Vendor")
    // The first message that hides is the answer, here of an end that knows who asks.
    var responder = try makeTunnel(.responder, settings)
    let answer = responder.receive(datagram: capturedSCCRQ[...], at: .zero)
    #expect(answer.messages().isEmpty)
    guard case .startReply(let hidden) = answer.messages(secret: secret).first else {
        Issue.record("cannot be revealed")
        return
    }
    #expect(hidden.vendorName == "Some Vendor")
}

@Test func refusesSettingsThatCannotWork() throws {
    typealias Fault = TunnelConfiguration.Fault
    let cases: [(Fault, (inout TunnelConfiguration) -> Void)] = [
        (.hostName, { $0.hostName = "" }), (.hostName, { $0.hostName = String(repeating: "x", count: 1018) }),
        (.vendorName, { $0.vendorName = String(repeating: "x", count: 1016) }),
        (.sharedSecret, { $0.sharedSecret = [] }),
        (.hidingWithoutSecret, { $0.hidesAttributes = true }), (.receiveWindow, { $0.transport.receiveWindow = 0 }),
        (.receiveWindow, { $0.transport.receiveWindow = 32768 }), (.retries, { $0.transport.maxRetries = -1 }),
        (.retries, { $0.transport.retryTimeout = .zero }), (.retries, { $0.transport.retryTimeout = .seconds(9) }),
    ]
    for (fault, edit) in cases {
        var settings = configuration()
        edit(&settings)
        #expect(throws: fault) { try makeTunnel(.initiator, settings) }
    }
    #expect(throws: Fault.localID) {
        try Tunnel(role: .initiator, localID: 0, configuration: configuration(), random: SeededGenerator(state: 1))
    }
}
