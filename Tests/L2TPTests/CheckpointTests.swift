import L2TP
import Testing
import Timing

/// A tunnel that goes on in another process.
@Suite struct CheckpointTests {
    private static func pair(seed: UInt64, secret: Bool = true) throws -> Pair {
        var ours = TunnelConfiguration(hostName: "lac")
        var theirs = TunnelConfiguration(hostName: "lns")
        theirs.acceptsCalls = true
        if secret {
            ours.sharedSecret = Array("s3cret".utf8)
            theirs.sharedSecret = Array("s3cret".utf8)
        }
        return try Pair(initiator: ours, responder: theirs, seed: seed)
    }

    /// Restored as often as a log-in has milliseconds, with a network that loses, doubles and delays: the peer notices nothing.
    @Test(arguments: 1...200 as ClosedRange<UInt64>) func goesOnUnderLoss(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        var pair = try Self.pair(seed: seed)
        pair.open()
        pair.run(until: seconds(5))
        #expect(pair.initiator.isUp && pair.responder.isUp)
        if seed % 4 != 0 { pair.faults = PipeFaults(loss: 0.1, duplication: 0.1, delay: .milliseconds(300)) }
        var alive: Set<UInt16> = []
        for step in 0..<40 as Range<UInt16> {
            if random.next() % 3 != 0 || alive.isEmpty {
                try pair.openSession(100 + step)
                alive.insert(100 + step)
            } else if let id = alive.sorted().randomElement(using: &random) {
                pair.closeSession(id)
                alive.remove(id)
            }
            pair.run(until: pair.now + .milliseconds(Int64(random.next() % 900)))
            // What was being set up is lost with the process, as a role that is restarted has it.
            alive.formIntersection(try pair.restartInitiator(at: step))
        }
        pair.faults = PipeFaults()
        pair.run(until: pair.now + .seconds(60))
        #expect(pair.initiator.end == nil && pair.responder.end == nil)
        #expect(Set(pair.initiator.tunnel.sessions.keys) == alive)
        #expect(Set(pair.responder.tunnel.sessions.values.compactMap(\.peerID)) == alive)
        #expect(pair.responder.tunnel.sessions.values.allSatisfy { $0.state == .established })
        #expect(pair.initiator.tunnel.statistics.ns == pair.responder.tunnel.statistics.nr)
        #expect(pair.initiator.tunnel.statistics.nr == pair.responder.tunnel.statistics.ns)
    }

    /// Before the answer to SCCRQ, with the challenge that is out; and after StopCCN, until it is acknowledged.
    @Test func goesOnBeforeAndAfter() throws {
        var pair = try Self.pair(seed: 1)
        pair.open()
        _ = try pair.restartInitiator(at: 0)
        pair.run(until: seconds(5))
        #expect(pair.initiator.isUp && pair.responder.isUp)
        pair.faults = PipeFaults(loss: 1)
        pair.close()
        pair.run(until: seconds(7))
        #expect(pair.initiator.tunnel.state == .cleanup)
        _ = try pair.restartInitiator(at: 1)
        pair.faults = PipeFaults()
        pair.run(until: seconds(20))
        #expect(pair.responder.end?.origin == .peer)
        #expect(pair.initiator.isReleased)
    }

    /// The numbers on the wire, exactly: an unacknowledged message goes out again as it was, the next has the next number.
    @Test func numbersOnTheWire() throws {
        var tunnel = try establishedTunnel()
        let opened = try tunnel.openSession(localID: 7, call: call(serial: 1), at: seconds(10))
        let request = try #require(opened.sent.first)
        let checkpoint = tunnel.checkpoint
        #expect(checkpoint.queue.count == 1 && checkpoint.ns == checkpoint.peerNr &+ 1)
        var next = try Tunnel(
            restoring: checkpoint, configuration: tunnel.configuration, random: SeededGenerator(state: 9),
            at: seconds(11))
        #expect(next.checkpoint == checkpoint)
        #expect(next.goOn(at: seconds(11)).sent == [request])
        let forgotten = next.disconnectForgotten(
            localID: 7, peerID: 0, DisconnectCode(.lossOfCarrier), at: seconds(11))
        // The window was one message again.
        #expect(forgotten.sent.isEmpty)
        let acknowledgement = datagram(to: checkpoint.localID, ns: checkpoint.nr, nr: checkpoint.ns)
        let sent = next.receive(datagram: acknowledgement[...], at: seconds(12)).sent
        #expect(sent.map { Array($0[8..<12]) } == [[0, UInt8(checkpoint.ns), 0, UInt8(checkpoint.nr)]])
        // ICRP for the forgotten call is answered by CDN with both ids, and is no fault of the tunnel.
        let reply = datagram(
            to: checkpoint.localID, session: 7, ns: checkpoint.nr, nr: checkpoint.ns &+ 1, .incomingCallReply,
            avp(14, [0x12, 0x34]))
        let answers = next.receive(datagram: reply[...], at: seconds(13)).messages()
        #expect(answers.count == 1)
        guard case .disconnect(let disconnect)? = answers.first else {
            Issue.record("\(answers)")
            return
        }
        #expect(disconnect.assignedSessionID == 7)
        #expect(next.state == .established)
    }
}
