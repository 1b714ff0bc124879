import L2TP
import Testing
import Timing

/// A configuration that announces RFC 4951.
private func recoverable(secret: [UInt8]? = secret, recoveryTime: UInt32 = 120_000) -> TunnelConfiguration {
    var settings = configuration(secret: secret)
    settings.failover = FailoverCapability(recoveryTime: recoveryTime)
    return settings
}

/// A tunnel that we opened to a peer with this capability, who is played by hand.
private func established(
    _ settings: TunnelConfiguration = recoverable(secret: nil), peer: String? = "000100007530"
) throws -> Tunnel {
    var tunnel = try makeTunnel(.initiator, settings)
    _ = tunnel.open(at: .zero)
    let capability = peer.map { avp(76, hex($0), flags: 0) } ?? []
    let reply = datagram(to: localID, ns: 0, nr: 1, .startControlConnectionReply, startAVPs + capability)
    _ = tunnel.receive(datagram: reply[...], at: .zero)
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 2)[...], at: .zero)
    return tunnel
}

private let ofThePeer = TunnelRecovery(tunnelID: peerID, remoteTunnelID: localID)

@Suite struct FailoverTests {
    // MARK: Negotiation

    @Test func capabilityIsSentAndLearnt() throws {
        var tunnel = try makeTunnel(.initiator, recoverable())
        guard case .startRequest(let start)? = tunnel.open(at: .zero).messages().first else {
            Issue.record("no SCCRQ")
            return
        }
        #expect(start.failover == FailoverCapability(controlChannel: true, dataChannel: false, recoveryTime: 120_000))
        #expect(start.recovery == nil)
        let up = try established(peer: "000300007530")
        #expect(up.peer?.failover == FailoverCapability(dataChannel: true, recoveryTime: 30_000))
        #expect(up.canRecover)
    }

    @Test func nothingIsSaidByDefault() throws {
        var tunnel = try makeTunnel()
        guard case .startRequest(let start)? = tunnel.open(at: .zero).messages().first else {
            Issue.record("no SCCRQ")
            return
        }
        #expect(start.failover == nil)
        #expect(try !established(configuration()).canRecover)
        #expect(try !established(peer: nil).canRecover)
        // Bit C alone is about the control channel.
        #expect(try !established(peer: "000200007530").canRecover)
    }

    // MARK: Who may recover what

    @Test func refusals() throws {
        let tunnel = try established()
        #expect(tunnel.refusal(of: ofThePeer) == nil)
        // As some write it: by the receiver's view.
        #expect(tunnel.refusal(of: TunnelRecovery(tunnelID: localID, remoteTunnelID: peerID)) == nil)
        for (own, remote) in [(peerID, localID + 1), (peerID + 1, localID), (localID, localID), (1, 1)] {
            #expect(
                tunnel.refusal(of: TunnelRecovery(tunnelID: own, remoteTunnelID: remote)) == .noSuchTunnel,
                "\(own) \(remote)")
        }
        #expect(try established(configuration()).refusal(of: ofThePeer) == .notNegotiated)
        #expect(try established(peer: nil).refusal(of: ofThePeer) == .notNegotiated)
        var closed = tunnel
        _ = closed.close(at: .zero)
        #expect(closed.refusal(of: ofThePeer) == .noSuchTunnel)
        #expect(try makeTunnel(.initiator, recoverable()).refusal(of: ofThePeer) == .noSuchTunnel)
    }

    @Test func aRecoveryTunnelIsNoTunnelForCalls() throws {
        var recovery = try RecoveryTunnel(recovering: established(), localID: 7, random: SeededGenerator(state: 1))
        let sent = recovery.open(at: .zero)
        guard case .send(let bytes)? = sent.first, case .request(let start) = try InitialMessage.decode(bytes[...])
        else {
            Issue.record("no SCCRQ")
            return
        }
        #expect(start.recovery == TunnelRecovery(tunnelID: localID, remoteTunnelID: peerID))
        #expect(start.assignedTunnelID == 7 && start.tieBreaker != nil && start.failover != nil)
        // An ordinary responder does not take it for an ordinary tunnel.
        var ordinary = try makeTunnel(.responder)
        let refused = ordinary.receive(datagram: bytes[...], at: .zero)
        #expect(refused.stopCode?.result == .generalError && refused.stopCode?.error == .valueOutOfRange)
        // Nor does one that answers take calls once it is up.
        var answering = try RecoveryTunnel(
            answering: peerRequest(), for: established(), localID: 9, random: SeededGenerator(state: 1))
        _ = answering.receive(datagram: requestDatagram()[...], at: .zero)
        let up = answering.receive(
            datagram: datagram(to: 9, ns: 1, nr: 1, .startControlConnectionConnected)[...], at: .zero)
        #expect(up.resets.count == 1)
        let icrq = datagram(to: 9, ns: 2, nr: 1, .incomingCallRequest, avp(14, [0, 1]) + avp(15, [0, 0, 0, 1]))
        let answer = answering.receive(datagram: icrq[...], at: .zero)
        #expect(answer.types == [.stopControlConnectionNotification])
        #expect(answer.failures.isEmpty && answer.resets.isEmpty)
    }

    private func requestDatagram(assigned: UInt16 = 600) -> [UInt8] {
        let avps =
            avp(2, [1, 0]) + avp(7, Array("lns.example".utf8)) + avp(3, [0, 0, 0, 3])
            + avp(9, [UInt8(assigned >> 8), UInt8(assigned & 255)])
            + avp(
                77,
                [0, 0, 0, 0, UInt8(peerID >> 8), UInt8(peerID & 255), 0, 0, UInt8(localID >> 8), UInt8(localID & 255)])
        return datagram(to: 0, ns: 0, nr: 0, .startControlConnectionRequest, avps)
    }

    private func peerRequest() throws -> StartControlConnection {
        guard case .request(let start) = try InitialMessage.decode(requestDatagram()[...]) else {
            throw CancellationError()
        }
        return start
    }

    // MARK: The end that has not failed

    @Test func theSurvivingEndAnswers() throws {
        var tunnel = try established()
        _ = try tunnel.openSession(localID: 1, call: call(), at: .zero)
        _ = tunnel.receive(
            datagram: datagram(to: localID, session: 1, ns: 1, nr: 3, .incomingCallReply, avp(14, [0x11, 1]))[...],
            at: .zero)
        // In set-up, and so over: the peer knows nothing of it, or does not know whether it is up.
        _ = try tunnel.openSession(localID: 2, call: call(serial: 2), at: .zero)
        // A session that has ended here while the peer was away is told of again.
        _ = try tunnel.openSession(localID: 3, call: call(serial: 3), at: .zero)
        _ = tunnel.closeSession(3, DisconnectCode(.lossOfCarrier), at: .zero)

        var recovery = try RecoveryTunnel(
            answering: peerRequest(), for: tunnel, localID: 9, random: SeededGenerator(state: 1))
        let answers = recovery.receive(datagram: requestDatagram()[...], at: seconds(1))
        guard case .startReply(let reply)? = answers.messages.first else {
            Issue.record("no SCCRP")
            return
        }
        // Ns 4 and Nr 2 lie near 0.
        let suggested = try #require(reply.suggestedSequence)
        #expect(suggested == ControlSequence(ns: 0x4000, nr: 0x4000))
        #expect(reply.failover != nil && reply.assignedTunnelID == 9)
        #expect(answers.resets.isEmpty)
        // The same SCCRQ again brings the same answer.
        #expect(recovery.receive(datagram: requestDatagram()[...], at: seconds(1.5)).types == [nil])
        let up = recovery.receive(
            datagram: datagram(to: 9, ns: 1, nr: 1, .startControlConnectionConnected)[...], at: seconds(2))
        let reset = try #require(up.resets.first)
        #expect(up.types == [nil])
        #expect(reset.sequence == suggested)

        let actions = tunnel.recover(reset, at: seconds(2))
        #expect(actions.sessionEnds == [2: SessionEnd(origin: .recovery, code: nil)])
        #expect(tunnel.sessions.keys.sorted() == [1])
        #expect(actions.sentTypes == [.callDisconnectNotify])
        #expect(
            try ControlHeader.decode(actions.sent[0][...]).0
                == ControlHeader(tunnelID: peerID, sessionID: 0, ns: 0x4000, nr: 0x4000))
        #expect(tunnel.recoveries == 1)
        #expect(tunnel.history.records.last?.event == .recovered)

        // The peer closes; if it does not, we do.
        #expect(recovery.deadline == seconds(7))
        #expect(recovery.timerFired(at: seconds(7)).types == [.stopControlConnectionNotification])
    }

    /// The peer has not understood what was suggested, and begins with 0.
    @Test func aSuggestionMayBePassedOver() throws {
        var (tunnel, _) = try recovered()
        let query = datagram(to: localID, ns: 0, nr: 0, .failoverSessionQuery, session(0x1101, 1))
        let actions = tunnel.receive(datagram: query[...], at: seconds(3))
        #expect(actions.messages() == [.failoverResponse([FailoverSession(sessionID: 1, remoteSessionID: 0x1101)])])
        #expect(try ControlHeader.decode(actions.sent[0][...]).0.ns == 0)
        #expect(tunnel.statistics.nr == 1)
    }

    /// From the first message on numbers are what they are.
    @Test func aSuggestionIsTakenOnce() throws {
        var (tunnel, reset) = try recovered()
        let number = reset.sequence.nr
        let query = datagram(to: localID, ns: number, nr: number, .failoverSessionQuery, session(0x1101, 1))
        #expect(tunnel.receive(datagram: query[...], at: seconds(3)).messages().count == 1)
        let late = datagram(
            to: localID, ns: 0, nr: 0, .stopControlConnectionNotification, avp(9, [0x82, 0x53]) + avp(1, [0, 1]))
        _ = tunnel.receive(datagram: late[...], at: seconds(3))
        #expect(tunnel.state == .established)
        #expect(tunnel.statistics.nr == number + 1)
    }

    private func session(_ own: UInt16, _ remote: UInt16) -> [UInt8] {
        avp(
            79, [0, 0, 0, 0, UInt8(own >> 8), UInt8(own & 255), 0, 0, UInt8(remote >> 8), UInt8(remote & 255)], flags: 0
        )
    }

    /// A tunnel with sessions 1 to 3, 0x1101 to 0x1103 at the peer, which has recovered at 2 s.
    private func recovered() throws -> (Tunnel, ChannelReset) {
        var tunnel = try established()
        for id in 1...3 as ClosedRange<UInt16> {
            _ = try tunnel.openSession(localID: id, call: call(serial: UInt32(id)), at: .zero)
        }
        for id in 1...3 as ClosedRange<UInt16> {
            let reply = datagram(
                to: localID, session: id, ns: id, nr: 2 + id, .incomingCallReply, avp(14, [0x11, UInt8(id)]))
            _ = tunnel.receive(datagram: reply[...], at: .zero)
        }
        try #require(tunnel.sessions.values.allSatisfy { $0.state == .established })
        var recovery = try RecoveryTunnel(
            answering: peerRequest(), for: tunnel, localID: 9, random: SeededGenerator(state: 1))
        _ = recovery.receive(datagram: requestDatagram()[...], at: seconds(1))
        let up = recovery.receive(
            datagram: datagram(to: 9, ns: 1, nr: 1, .startControlConnectionConnected)[...], at: seconds(2))
        let reset = try #require(up.resets.first)
        #expect(tunnel.recover(reset, at: seconds(2)).sent.isEmpty)
        return (tunnel, reset)
    }

    /// SCCRQ that acknowledges what was never sent is not taken; the attempt that was made for it does not stay.
    @Test func aRequestThatIsNotTakenLeavesNothing() throws {
        var recovery = try RecoveryTunnel(
            answering: peerRequest(), for: established(), localID: 9, random: SeededGenerator(state: 1))
        var bytes = requestDatagram()
        bytes[11] = 5
        #expect(try InitialMessage.decode(bytes[...]).isRequest)
        let actions = recovery.receive(datagram: bytes[...], at: .zero)
        #expect(actions.isReleased && actions.failures.count == 1 && actions.messages.isEmpty)
        #expect(recovery.deadline == nil)
    }

    // MARK: Sessions

    @Test func aQueryIsAnsweredPairByPair() throws {
        var (tunnel, reset) = try recovered()
        let number = reset.sequence.nr
        // One that is the same at both ends, one of another id there, one of another id here, one of none.
        let asked = session(0x1101, 1) + session(0x1102, 1) + session(0x1103, 4) + session(0x2222, 0)
        let actions = tunnel.receive(
            datagram: datagram(to: localID, ns: number, nr: number, .failoverSessionQuery, asked)[...], at: seconds(3))
        #expect(
            actions.messages() == [
                .failoverResponse([
                    FailoverSession(sessionID: 1, remoteSessionID: 0x1101),
                    FailoverSession(sessionID: 0, remoteSessionID: 0x1102),
                    FailoverSession(sessionID: 0, remoteSessionID: 0x1103),
                    FailoverSession(sessionID: 0, remoteSessionID: 0x2222),
                ])
            ])
        #expect(actions.sessionEnds.isEmpty)
        // What the peer has not named it is asked about.
        #expect(tunnel.deadline.map { $0 <= seconds(7) } == true)
        _ = tunnel.receive(datagram: datagram(to: localID, ns: number + 1, nr: number + 1)[...], at: seconds(4))
        let query = tunnel.timerFired(at: seconds(7)).messages()
        #expect(
            query == [
                .failoverQuery([
                    FailoverSession(sessionID: 2, remoteSessionID: 0x1102),
                    FailoverSession(sessionID: 3, remoteSessionID: 0x1103),
                ])
            ])
        // It knows one, and of the other nothing. What was not asked is not believed.
        let answers = session(0x1102, 2) + session(0, 3) + session(0, 1)
        let ends = tunnel.receive(
            datagram: datagram(to: localID, ns: number + 1, nr: number + 2, .failoverSessionResponse, answers)[...],
            at: seconds(8))
        #expect(ends.sessionEnds == [3: SessionEnd(origin: .recovery, code: nil)])
        #expect(ends.notes == [.sessionsCompared(unanswered: 0)])
        #expect(ends.disconnectCodes.isEmpty)
        #expect(tunnel.sessions.keys.sorted() == [1, 2])
    }

    @Test func sessionsThatAreNotAnsweredForStay() throws {
        var (tunnel, reset) = try recovered()
        _ = tunnel.timerFired(at: seconds(7))
        let number = reset.sequence.nr
        _ = tunnel.receive(datagram: datagram(to: localID, ns: number, nr: number + 1)[...], at: seconds(8))
        #expect(tunnel.timerFired(at: seconds(66)).notes.isEmpty)
        #expect(tunnel.timerFired(at: seconds(67)).notes == [.sessionsCompared(unanswered: 3)])
        #expect(tunnel.sessions.count == 3)
    }

    @Test func anAnswerThatNobodyAskedForIsPassedOver() throws {
        var tunnel = try established()
        let answer = datagram(to: localID, ns: 1, nr: 2, .failoverSessionResponse, session(0, 1))
        #expect(tunnel.receive(datagram: answer[...], at: .zero).sessionEnds.isEmpty)
        #expect(tunnel.state == .established)
    }

    // MARK: A silent peer

    @Test(arguments: [(0, 31), (30_000, 61), (600_000, 631), (UInt32.max, 3_631)] as [(UInt32, Double)])
    func aSilentPeerIsWaitedFor(_ time: UInt32, _ expected: Double) throws {
        let octets = withUnsafeBytes(of: time.bigEndian) { Array($0) }
        var tunnel = try established(
            peer: "0001" + octets.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
        _ = try tunnel.openSession(localID: 1, call: call(), at: .zero)
        var now = Instant.zero
        while tunnel.end == nil, let deadline = tunnel.deadline {
            now = deadline
            _ = tunnel.timerFired(at: now)
        }
        #expect(now == seconds(expected))
        #expect(tunnel.end?.origin == .peerSilent)
        #expect(tunnel.deadline == nil)
    }

    /// A peer that had not failed at all, but was only away, is heard again.
    @Test func aPeerThatComesBackGoesOn() throws {
        var tunnel = try established()
        _ = try tunnel.openSession(localID: 1, call: call(), at: .zero)
        while let deadline = tunnel.deadline, deadline < seconds(50) { _ = tunnel.timerFired(at: deadline) }
        #expect(tunnel.waitsForPeerUntil == seconds(61))
        #expect(tunnel.statistics.counters.retransmits > 5)
        let reply = datagram(to: localID, session: 1, ns: 1, nr: 3, .incomingCallReply, avp(14, [0x11, 1]))
        #expect(tunnel.receive(datagram: reply[...], at: seconds(50)).sessionsUp == [1])
        #expect(tunnel.waitsForPeerUntil == nil)
        _ = tunnel.receive(datagram: datagram(to: localID, ns: 2, nr: 4)[...], at: seconds(50))
        #expect(tunnel.timerFired(at: seconds(62)).tunnelEnd == nil)
    }

    @Test func whoHasNotAnnouncedItWaitsForNobody() throws {
        var tunnel = try established(configuration())
        _ = try tunnel.openSession(localID: 1, call: call(), at: .zero)
        while tunnel.end == nil, let deadline = tunnel.deadline { _ = tunnel.timerFired(at: deadline) }
        #expect(tunnel.end?.origin == .peerSilent)
        #expect(tunnel.statistics.counters.retransmits == 5)
    }

    // MARK: The end that has failed

    @Test func aSuspendedTunnelIsStill() throws {
        var tunnel = try established()
        _ = tunnel.suspend(at: seconds(1))
        #expect(tunnel.isRecovering)
        #expect(tunnel.deadline == nil)
        #expect(try tunnel.openSession(localID: 5, call: call(), at: seconds(1)).sent.isEmpty)
        let hello = datagram(to: localID, ns: 1, nr: 2, .hello)
        #expect(tunnel.receive(datagram: hello[...], at: seconds(2)).sent.isEmpty)
        let stop = datagram(
            to: localID, ns: 1, nr: 2, .stopControlConnectionNotification, avp(9, [0x82, 0x53]) + avp(1, [0, 1]))
        _ = tunnel.receive(datagram: stop[...], at: seconds(2))
        #expect(tunnel.state == .established && tunnel.statistics.nr == 1)
        // Or goes on as if nothing had been.
        var silent = tunnel
        #expect(silent.resume(at: seconds(3)).sentTypes == [.incomingCallRequest])
        #expect(silent.receive(datagram: hello[...], at: seconds(3)).sessionEnds.isEmpty)
        #expect(silent.statistics.nr == 2)
        // Or is over, and the peer is told nothing that it would not take.
        let actions = tunnel.abandonRecovery(at: seconds(4))
        #expect(actions.sent.isEmpty && actions.isReleased)
        #expect(actions.tunnelEnd == TunnelEnd(origin: .recovery, code: nil))
        #expect(actions.sessionEnds.keys.sorted() == [5])
        #expect(tunnel.deadline == nil)
    }

    @Test func closingASuspendedTunnelSendsNothing() throws {
        var tunnel = try established()
        _ = tunnel.suspend(at: seconds(1))
        let actions = tunnel.close(at: seconds(2))
        #expect(actions.sent.isEmpty && actions.isReleased)
        #expect(actions.tunnelEnd?.origin == .requested)
    }

    /// The control channel does not begin before SCCCN was acknowledged.
    @Test(arguments: [nil, ControlSequence(ns: 0x4000, nr: 0x8000)])
    func theFailedEndRecovers(_ suggestion: ControlSequence?) throws {
        var tunnel = try established()
        _ = tunnel.suspend(at: .zero)
        var recovery = try RecoveryTunnel(recovering: tunnel, localID: 7, random: SeededGenerator(state: 1))
        _ = recovery.open(at: .zero)
        let scs = suggestion.map { _ in avp(78, hex("0000 00004000 00008000"), flags: 0) } ?? []
        let up = recovery.receive(
            datagram: datagram(to: 7, ns: 0, nr: 1, .startControlConnectionReply, startAVPs + scs)[...], at: .zero)
        #expect(up.types == [.startControlConnectionConnected])
        #expect(up.resets.isEmpty)
        let done = recovery.receive(datagram: datagram(to: 7, ns: 1, nr: 2)[...], at: seconds(1))
        #expect(done.types == [.stopControlConnectionNotification])
        let reset = try #require(done.resets.first)
        #expect(reset.sequence == suggestion ?? .zero)
        #expect(recovery.isRecovered)
        let released = recovery.receive(datagram: datagram(to: 7, ns: 1, nr: 3)[...], at: seconds(1))
        #expect(released.isReleased && released.failures.isEmpty)
        _ = tunnel.recover(reset, at: seconds(1))
        #expect(tunnel.statistics.ns == reset.sequence.ns && tunnel.statistics.nr == reset.sequence.nr)
        #expect(!tunnel.isRecovering)
        guard suggestion != nil else { return }
        // A peer that has meant the numbers for itself begins the other way round.
        let query = datagram(to: localID, ns: 0x4000, nr: 0x8000, .hello)
        _ = tunnel.receive(datagram: query[...], at: seconds(2))
        #expect(tunnel.statistics.nr == 0x4001 && tunnel.statistics.ns == 0x8000)
    }

    /// Some close the recovery tunnel as soon as SCCCN has come.
    @Test(arguments: [(1, true), (4, false), (2, false)] as [(UInt8, Bool)]) func thePeerMayClose(
        _ result: UInt8, _ isRecovered: Bool
    ) throws {
        var recovery = try RecoveryTunnel(recovering: established(), localID: 7, random: SeededGenerator(state: 1))
        _ = recovery.open(at: .zero)
        _ = recovery.receive(
            datagram: datagram(to: 7, ns: 0, nr: 1, .startControlConnectionReply, startAVPs)[...], at: .zero)
        let stop = datagram(
            to: 7, ns: 1, nr: 2, .stopControlConnectionNotification, avp(9, [0x82, 0x53]) + avp(1, [0, result]))
        let actions = recovery.receive(datagram: stop[...], at: seconds(1))
        #expect(actions.resets.count == (isRecovered ? 1 : 0))
        #expect(actions.failures.count == (isRecovered ? 0 : 1))
    }
}

extension InitialMessage {
    fileprivate var isRequest: Bool { if case .request = self { true } else { false } }
}

extension [RecoveryTunnel.Action] {
    var messages: [ControlMessage] { sent.map { TunnelAction.send($0) }.messages() }
    var types: [MessageType?] { sent.map { TunnelAction.send($0) }.sentTypes }

    private var sent: [[UInt8]] {
        compactMap { if case .send(let bytes) = $0 { bytes } else { nil } }
    }

    var resets: [ChannelReset] {
        compactMap { if case .recovered(let reset) = $0 { reset } else { nil } }
    }

    var failures: [TunnelEnd] {
        compactMap { if case .failed(let end) = $0 { end } else { nil } }
    }

    var isReleased: Bool {
        contains { if case .released = $0 { true } else { false } }
    }
}
