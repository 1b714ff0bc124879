import L2TP
import Observability
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// The end of a session, from whichever side it comes: PADT to the client, CDN to the LNS, nothing left in the table.
@Suite struct EndTests {
    enum End: String, CaseIterable, Sendable {
        case padt, disconnect, stop, clearSession, clearRoute, clearConnections, clearTunnel, clearName
        case clearDestination, clearEverything, shutDown
    }

    struct Outcome {
        var trace: [String]
        var cause: Cause
        var tunnels = 1
        var outcome: ClearOutcome?
        var counters: [String: UInt64] = [:]
    }

    private static func expected(_ end: End) -> Outcome {
        let cleared = "cleared by the operator"
        let down = ["lns < CDN 3", "client < PADT"]
        let stopped = ["client < PADT", "lns < StopCCN 1"]
        func cause(_ initiator: Initiator, _ result: UInt16, _ text: String) -> Cause {
            Cause(initiator: initiator, resultCode: result, message: text)
        }
        switch end {
        case .padt:
            return Outcome(
                trace: ["client > PADT", "lns < CDN 1"], cause: cause(.client, 1, "PADT from the client"),
                counters: ["routesClosedBySource": 1, "pppoePadtReceived": 1])
        case .disconnect:
            return Outcome(
                trace: ["lns > CDN 3", "client < PADT"],
                cause: cause(.peer, 3, "closed by peer: disconnected for administrative reasons (3)"),
                counters: ["routesClosedByDest": 1, "pppoePadtSent": 1])
        case .stop:
            return Outcome(
                trace: ["lns > StopCCN 6", "client < PADT"],
                cause: cause(.peer, 6, "tunnel down: closed by peer: requester is being shut down (6)"), tunnels: 0,
                counters: ["routesClosedByDest": 1, "pppoePadtSent": 1])
        case .clearSession:
            return Outcome(
                trace: ["client < PADT", "lns < CDN 3"], cause: cause(.operator, 3, cleared),
                outcome: ClearOutcome(sessions: 1, connections: 1), counters: ["pppoePadtSent": 1])
        case .clearRoute, .clearConnections:
            return Outcome(
                trace: down, cause: cause(.operator, 3, cleared), outcome: ClearOutcome(sessions: 1, connections: 1),
                counters: ["pppoePadtSent": 1])
        case .clearTunnel, .clearName, .clearDestination, .clearEverything:
            return Outcome(
                trace: stopped,
                cause: cause(
                    .operator, 1, "tunnel down: closed: general request to clear control connection (1): \(cleared)"),
                tunnels: 0, outcome: ClearOutcome(tunnels: 1, sessions: 1, connections: 1),
                counters: ["pppoePadtSent": 1])
        case .shutDown:
            return Outcome(
                trace: ["client < PADT", "lns < StopCCN 6"],
                cause: cause(.operator, 6, "tunnel down: closed: requester is being shut down (6)"), tunnels: 0,
                counters: ["pppoePadtSent": 1])
        }
    }

    @Test(arguments: End.allCases) func ofASessionThatIsUp(end: End) throws {
        let world = try World()
        let client = world.dialled()
        let before = world.counters
        _ = world.takeTrace()
        _ = world.takeEvents()
        var outcome: ClearOutcome?
        func clear(_ target: ClearTarget) throws { outcome = try world.node.clear(target, at: world.now) }
        try world.act {
            switch end {
            case .padt: client.hangUp()
            case .disconnect: world.lns.disconnect(.administrative, at: world.now)
            case .stop: world.lns.stop(.shuttingDown, at: world.now)
            case .clearSession: try clear(.session(1, tunnel: nil))
            case .clearRoute: try clear(.connection(1))
            case .clearConnections: try clear(.allConnections)
            case .clearTunnel: try clear(.tunnel(1))
            case .clearName: try clear(.tunnelNamed("isp1-198.51.100.2"))
            case .clearDestination: try clear(.destination(.v4(World.lnsAddress)))
            case .clearEverything: try clear(.everything)
            case .shutDown: world.node.shutDown(at: world.now)
            }
        }
        world.settle()
        let expected = Self.expected(end)
        #expect(world.takeTrace() == expected.trace)
        #expect(outcome == expected.outcome)
        #expect(client.state == .closed)
        #expect(world.population[0] == 0)
        #expect(
            world.node.tunnelIDs.filter { world.node.tunnelSnapshot($0)?.state == .established }.count
                == expected.tunnels)
        let causes = world.events.compactMap { event -> Cause? in
            guard case .sessionDown(_, let cause) = event else { return nil }
            return cause
        }
        #expect(causes == [expected.cause])
        #expect(world.takeEvents() == ["session_down"] + (expected.tunnels == 0 ? ["tunnel_down"] : []))
        var change = world.counters
        for (name, value) in before { change[name] = change[name].map { $0 - value } }
        change = change.filter { $0.value != 0 }
        let always: [String: UInt64] = ["l2tpSessionsClosed": 1, "routesDeleted": 1]
        #expect(change == always.merging(expected.counters) { $1 })
        // Nothing comes back by itself.
        world.run(for: .seconds(300))
        #expect(world.takeTrace().filter { !$0.contains("HELLO") } == [])
        world.expectNothingLeft()
    }

    @Test(arguments: [
        ClearTarget.session(7, tunnel: nil), .session(1, tunnel: 9), .connection(9), .tunnel(9), .tunnelNamed("x"),
        .destination(.v4(World.otherLNSAddress)),
    ])
    func ofWhatIsNotThere(target: ClearTarget) throws {
        let world = try World()
        world.dialled()
        do {
            _ = try world.node.clear(target, at: world.now)
            Issue.record("cleared what is not there")
        } catch {
            guard case .notFound = error else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }

    @Test func aSessionIDInTwoTunnelsIsAmbiguous() throws {
        let world = try World(profile: "session-limit: 1")
        world.dialled()
        world.dialled()
        #expect(
            throws: ControlNode.ClearFault.ambiguous("session 1 is in several tunnels (1, 2); name the tunnel too")
        ) { try world.node.clear(.session(1, tunnel: nil), at: world.now) }
        try world.act { _ = try world.node.clear(.session(1, tunnel: 2), at: world.now) }
        world.settle()
        #expect(world.population == [1, 2, 1])
        world.expectNothingLeft()
    }

    @Test func clearingEverythingCountsAConnectionOnce() throws {
        let world = try World()
        world.dialled()
        world.lns.takesCalls = false
        world.dialled()
        world.dialled(.milliseconds(3))
        world.dialled(.milliseconds(5))
        #expect(world.states() == [.open, .connecting, .negotiating, .negotiating])
        var outcome = ClearOutcome()
        try world.act { outcome = try world.node.clear(.everything, at: world.now) }
        #expect(outcome == ClearOutcome(tunnels: 1, sessions: 2, connections: 4))
        world.expectNothingLeft()
    }

    // MARK: PADT that means nothing

    @Test(arguments: ["other client", "other VLAN", "other session"])
    func aPADTOfAStrangerIsCountedOnly(who: String) throws {
        let world = try World(interface: "vlans: \"untagged,100\"")
        let client = world.dialled()
        let stranger = world.addClient(
            outer: who == "other VLAN" ? 100 : 0, tags: who == "other VLAN" ? [.init(id: 100)] : [])
        let source = who == "other client" ? stranger.mac : client.mac
        let frame = EthernetFrame(
            destination: World.accessMAC, source: source, tags: stranger.tags, etherType: 0x8863,
            payload: PPPoEPacket(
                code: PPPoEPacket.padt, sessionID: client.sessionID + (who == "other session" ? 1 : 0), payload: []
            ).bytes)
        _ = world.takeTrace()
        world.inject(frame.bytes, port: 0)
        world.settle()
        #expect(world.node.statistics[.pppoePadtReceived] == 1)
        #expect(world.node.statistics[.pppoeInvalidPadt] == 1)
        #expect(world.states() == [.open])
        #expect(world.takeTrace() == [])
        world.expectNothingLeft()
    }

    @Test func aFrameOfAnUnknownSessionGetsPADT() throws {
        let world = try World()
        let client = world.dialled()
        try world.act { _ = try world.node.clear(.connection(1), at: world.now) }
        world.settle()
        _ = world.takeTrace()
        world.act { client.sendEcho() }
        world.settle()
        #expect(world.takeTrace() == ["client > LCP Echo-Request", "client < PADT"])
        // The data plane may be behind: what it hands over as unknown may have been opened meanwhile.
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        _ = world.takeTrace()
        let frame = EthernetFrame(
            destination: World.accessMAC, source: client.mac, etherType: 0x8864,
            payload: PPPoEPacket(code: 0, sessionID: client.sessionID, payload: [0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 1])
                .bytes)
        world.act {
            world.node.receive(PuntedFrame(puntClass: .unknownSession, port: 0, bytes: frame.bytes), at: world.now)
        }
        world.settle()
        #expect(world.takeTrace() == [])
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }

    // MARK: While it comes up

    @Test func theClientTerminatesWhileNegotiating() throws {
        let world = try World()
        let client = world.addClient()
        client.negotiates = false
        world.act { client.dial(at: world.now) }
        world.settle()
        _ = world.takeTrace()
        world.act { client.terminate() }
        world.run(for: .seconds(10))
        #expect(world.takeTrace().last == "client < PADT")
        #expect(world.population == [0, 0, 0])
        #expect(world.node.statistics[.routesClosedBySource] == 1)
        world.expectNothingLeft()
    }

    @Test(arguments: ["terminate", "renegotiate", "padt"]) func theClientLeavesWhileConnecting(how: String) throws {
        let world = try World()
        world.lns.takesCalls = false
        let client = world.dialled()
        _ = world.takeTrace()
        world.act {
            switch how {
            case "terminate": client.terminate()
            case "renegotiate": client.renegotiate(at: world.now)
            default: client.hangUp()
            }
        }
        world.run(for: .seconds(4))
        let expected: [String: [String]] = [
            "terminate": [
                "client > LCP Terminate-Request", "client < LCP Terminate-Ack", "lns < CDN 1", "client < PADT",
            ],
            "renegotiate": [
                "client > LCP Configure-Request", "client < LCP Configure-Request", "client < LCP Configure-Ack",
                "lns < CDN 1", "client < LCP Terminate-Request", "client > LCP Configure-Ack",
                "client > LCP Terminate-Ack",
                "client < PADT",
            ],
            "padt": ["client > PADT", "lns < CDN 1"],
        ]
        let trace = world.takeTrace()
        #expect(trace == expected[how])
        #expect(world.population == [0, 1, 0])
        #expect(world.takeEvents() == ["tunnel_up"])
        world.expectNothingLeft()
    }

    @Test func theLNSRefusesACall() throws {
        let world = try World()
        world.lns.takesCalls = false
        let client = world.dialled()
        _ = world.takeTrace()
        world.act { world.lns.refuseCalls(.temporarilyUnavailable, at: world.now) }
        world.run(for: .seconds(1))
        #expect(
            world.takeTrace() == [
                "lns > CDN 4", "client < CHAP Failure", "client < LCP Terminate-Request", "client > LCP Terminate-Ack",
                "client < PADT",
            ])
        #expect(client.state == .closed)
        #expect(world.node.statistics[.routesDstOpenFail] == 1)
        #expect(world.population == [0, 1, 0])
        world.expectNothingLeft()
    }

    @Test func theTableRefusesToForward() throws {
        let world = try World()
        world.null.failsForward = true
        let client = world.dialled()
        // ICCN first: CDN for a call that the LNS does not have yet would be out of order.
        #expect(
            world.takeTrace().suffix(7) == [
                "lns > ICRP", "client < CHAP Failure", "client < LCP Terminate-Request", "lns < ICCN", "lns < CDN 4",
                "client > LCP Terminate-Ack", "client < PADT",
            ])
        #expect(client.state == .closed)
        #expect(world.lns.sessionCount == 0)
        #expect(world.population == [0, 1, 0])
        world.expectNothingLeft()
    }

    @Test func aSilentClientIsGivenUp() throws {
        let world = try World()
        let client = world.addClient()
        client.negotiates = false
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(1))
        client.isSilent = true
        world.run(for: .seconds(90))
        #expect(world.population == [0, 0, 0])
        #expect(client.received.last == "PADT")
        world.expectNothingLeft()
    }

    @Test func theLNSDoesNotAcknowledgeTheEnd() throws {
        let world = try World(profile: "retry-timeout: 1, max-retries: 2, hello-timeout: 0")
        let client = world.dialled()
        world.lns.isMute = true
        world.act { client.hangUp() }
        world.run(for: .seconds(30))
        #expect(world.node.statistics[.routesDestCloseFail] == 1)
        world.lns.isMute = false
        world.expectNothingLeft()
    }

    @Test func theClientDoesNotAnswerTheEnd() throws {
        let world = try World(secret: "wrong")
        let client = world.addClient()
        world.act { client.dial(at: world.now) }
        while world.node.connectionSnapshot(1)?.state != .connecting { world.run(for: .milliseconds(1)) }
        client.isSilent = true
        world.run(for: .seconds(60))
        #expect(world.node.statistics[.routesSourceCloseFail] == 1)
        #expect(world.population[0] == 0)
        world.expectNothingLeft()
    }

    /// The LNS's answer to a call that has ended meanwhile comes while the next client's call waits for its own.
    @Test func noCallTakesAnEarlierOnesAnswer() throws {
        let world = try World(table: NullTable(sessions: 3))
        world.dialled()
        world.lns.takesCalls = false
        let gone = world.dialled()
        world.faults.loss = 1_000
        world.act { world.lns.answerCalls(at: world.now) }
        world.faults.loss = 0
        world.act { gone.hangUp() }
        world.settle()
        world.lns.takesCalls = true
        let next = world.dialled(.seconds(5))
        #expect(next.state == .session)
        let sessions = world.lns.tunnels.values.flatMap(\.sessions.values)
        #expect(sessions.count == 2)
        for session in sessions {
            let line = world.null.downstreams.values.first { $0.sessionID == session.peerID }
            #expect(line?.peerSessionID == session.localID)
            let client = line?.upstream.flatMap { world.null.upstreams[$0]?.client }
            #expect(client?.description == session.request.callingNumber)
        }
        world.expectNothingLeft()
    }

    /// With no other id left the newcomer is refused, and comes in when the LNS has let go.
    @Test func aRestingIDIsRefusedToTheNextCall() throws {
        let world = try World(table: NullTable(sessions: 1))
        let gone = world.dialled()
        world.lns.isMute = true
        world.act { gone.hangUp() }
        world.settle()
        let early = world.dialled()
        #expect(early.state == .closed)
        #expect(world.population == [0, 1, 0])
        #expect(world.counters["routesDstOpenFail"] == 1)
        world.lns.isMute = false
        world.run(for: .seconds(10))
        #expect(world.dialled().state == .session)
        world.expectNothingLeft()
    }
}
