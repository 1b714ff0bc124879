import Observability
import PPPoE
import SimulationSupport
import Testing
import Timing
import Wire

/// From PADI to data that flows.
@Suite struct LogInTests {
    private static let discovery = ["client > PADI", "client < PADO", "client > PADR", "client < PADS"]
    private static let link = [
        "client > LCP Configure-Request", "client < LCP Configure-Request", "client < LCP Configure-Nak",
    ]
    private static let tunnel = ["lns < SCCRQ", "lns > SCCRP", "lns < SCCCN"]
    private static let call = ["lns < ICRQ", "lns > ICRP", "lns < ICCN"]
    private static let counters: [String: UInt64] = [
        "lnsLookupSuccessfulRequests": 1, "l2tpTunnelsOpened": 1, "l2tpSessionsOpened": 1, "pppoePadiReceived": 1,
        "pppoePadoSent": 1, "pppoePadrReceived": 1, "pppoePadsSent": 1, "routesCreated": 1,
    ]

    @Test func byCHAP() throws {
        let world = try World()
        let client = world.dialled()
        #expect(
            world.takeTrace() == Self.discovery + Self.link + [
                "client > LCP Configure-Ack", "client > LCP Configure-Request", "client < LCP Configure-Ack",
                "client < CHAP Challenge", "client > CHAP Response",
            ] + Self.tunnel + Self.call)
        #expect(world.counters == Self.counters)
        #expect(world.takeEvents() == ["tunnel_up", "session_up"])
        #expect(world.population == [1, 1, 1])
        let connected = try #require(world.lns.sessions.values.first?.values.first)
        let proxy = try #require(connected.proxyAuthentication)
        #expect(proxy.kind == .chap)
        #expect(proxy.name == Array("alice@example.net".utf8))
        #expect(proxy.challenge?.count == 16)
        #expect(proxy.response?.count == 16)
        // MRU 1,460 and the client's magic number, as acknowledged last.
        #expect(connected.proxyLCP.lastReceived == [1, 4, 5, 0xb4, 5, 6] + client.mac.octets.suffix(4))
        #expect(connected.proxyLCP.initialReceived == [1, 4, 5, 0xd4, 5, 6] + client.mac.octets.suffix(4))
        let forwarded = try #require(world.null.upstreams.values.first)
        let downstream = try #require(forwarded.downstream.flatMap { world.null.downstreams[$0] })
        #expect(downstream.peerSessionID == world.lns.sessions.values.first?.keys.first)
        let path = try #require(world.null.tunnels[downstream.tunnel]?.paths.last)
        #expect(path.nextHop == world.lns.mac)
        #expect(path.source == World.coreMAC)
        #expect(path.peerTunnelID == world.lns.tunnels.keys.first)
        world.expectNothingLeft()
    }

    @Test func byPAP() throws {
        let world = try World()
        let client = world.addClient()
        client.authentication = .pap
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(
            world.takeTrace() == Self.discovery + Self.link + [
                "client > LCP Configure-Nak", "client > LCP Configure-Request", "client < LCP Configure-Request",
                "client < LCP Configure-Ack", "client > LCP Configure-Ack", "client > PAP Authenticate-Request",
            ] + Self.tunnel + Self.call)
        #expect(world.counters == Self.counters)
        let proxy = try #require(world.lns.sessions.values.first?.values.first?.proxyAuthentication)
        #expect(proxy.kind == .pap)
        #expect(proxy.name == Array("alice@example.net".utf8))
        #expect(proxy.response == Array("secret".utf8))
        world.expectNothingLeft()
    }

    @Test(arguments: [
        (outer: UInt16(0), inner: UInt16(0), tags: [EthernetFrame.VLANTag]()),
        // A tag without VLAN carries a priority: the frame counts as untagged, and is answered so.
        (0, 0, [.init(id: 0, priority: 6)]),
        (100, 0, [.init(id: 100)]),
        (100, 0, [.init(protocolID: 0x88a8, id: 100, priority: 5)]),
        (100, 7, [.init(id: 100), .init(id: 7)]),
        (200, 9, [.init(protocolID: 0x88a8, id: 200, priority: 3), .init(id: 9, priority: 2)]),
    ])
    func tagsComeBackAsTheyWere(
        outer: UInt16, inner: UInt16, tags: [EthernetFrame.VLANTag]
    ) throws {
        let interface = inner == 0 ? "vlans: \"untagged,100\"" : "vlans: \"100-200\", inner-vlans: \"1-50\""
        let world = try World(interface: interface)
        let client = world.addClient(outer: outer, inner: inner, tags: tags)
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        // A client counts what has other tags as foreign.
        #expect(!client.received.contains("foreign"))
        #expect(world.states() == [.open])
        let snapshot = try #require(world.node.connectionSnapshot(1))
        #expect([snapshot.outerVLAN, snapshot.innerVLAN] == [outer, inner])
        world.act { client.hangUp() }
        world.settle()
        #expect(world.population == [0, 1, 0])
        world.expectNothingLeft()
    }

    @Test(arguments: [
        (service: "gold", asked: "silver"), (service: "gold", asked: ""), (service: "gold advertised", asked: "silver"),
    ])
    func anotherServiceIsMetWithSilence(service: String, asked: String) throws {
        let world = try World(service: service)
        let client = world.addClient()
        client.serviceName = asked
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(60))
        #expect(client.received == (asked.isEmpty && service != "gold" ? ["PADO"] : []))
        #expect(world.population == [0, 0, 0])
        #expect(world.counters == ["pppoePadiReceived": 10])
        world.expectNothingLeft()
    }

    @Test func aVLANThatIsNotServedIsMetWithSilence() throws {
        let world = try World(interface: "vlans: \"10-20\"")
        let client = world.addClient(outer: 30, tags: [.init(id: 30)])
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(60))
        #expect(client.received == [])
        #expect(world.counters == [:])
    }

    @Test func aRequestSentAgainGetsTheSameAnswer() throws {
        let world = try World()
        let client = world.dialled()
        let session = client.sessionID
        _ = world.takeTrace()
        for _ in 0..<3 {
            world.act { client.resendRequest() }
            world.settle()
        }
        #expect(world.takeTrace() == Array(repeating: ["client > PADR", "client < PADS"], count: 3).flatMap { $0 })
        #expect(client.sessionID == session)
        #expect(world.node.statistics[.pppoeResentPadr] == 3)
        #expect(world.node.statistics[.pppoePadrReceived] == 4)
        #expect(world.node.statistics[.routesCreated] == 1)
        #expect(world.population == [1, 1, 1])
        world.expectNothingLeft()
    }

    struct Limit: Sendable, CustomTestStringConvertible {
        var name: String
        var instance = ""
        var sessions = 1_000
        /// Whether the newcomer is the client that is there already.
        var sameClient = false
        var text: String
        var testDescription: String { name }
        /// What counts the refusal beside `routesCreateFail`.
        var counter: String? {
            let names = [
                "of the instance": "routesOverSessionLimit", "of the client": "routesOverSessionLimitPerMac",
                "of the VLAN": "routesOverSessionLimitPerVlan", "of the port": "routesOverSessionLimitPerPort",
            ]
            return names[name]
        }
    }

    @Test(arguments: [
        Limit(
            name: "of the instance", instance: "session-limit: 2",
            text: "pppoe-ac residential has its 2 sessions (session-limit)"),
        Limit(
            name: "of the client", instance: "session-limit-per-mac: 1", sameClient: true,
            text: "02:00:00:00:10:01 has its 1 sessions (session-limit-per-mac)"),
        Limit(
            name: "of the VLAN", instance: "session-limit-per-vlan: 2",
            text: "untagged access0 has its 2 sessions (session-limit-per-vlan)"),
        Limit(
            name: "of the port", instance: "session-limit-per-port: 2",
            text: "access0 has its 2 sessions (session-limit-per-port)"),
        Limit(name: "of the table", sessions: 2, text: "sessionsFull"),
    ])
    func aLimitRefusesTheNewcomerOnly(limit: Limit) throws {
        let world = try World(instance: limit.instance, table: NullTable(sessions: limit.sessions))
        world.dialled()
        let second = world.dialled()
        let newcomer = limit.sameClient ? second : world.addClient()
        if limit.sameClient { newcomer.forget() }
        _ = world.takeTrace()
        world.act { newcomer.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.takeTrace() == Self.discovery)
        #expect(newcomer.state == .closed)
        #expect(newcomer.error == Tag(type: Tag.systemError, value: Array(limit.text.utf8)))
        #expect(world.node.statistics[.routesCreateFail] == 1)
        if let counter = limit.counter { #expect(world.counters[counter] == 1) }
        #expect(world.states() == [.open, .open])

        // One goes, and there is room.
        let route = try #require(world.node.routeIDs.last)
        try world.act { _ = try world.node.clear(.connection(route), at: world.now) }
        world.run(for: .seconds(1))
        world.act { newcomer.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.states() == [.open, .open])
        world.expectNothingLeft()
    }

    @Test func manyShareATunnelUpToItsLimit() throws {
        let world = try World(profile: "session-limit: 20")
        for _ in 0..<50 {
            let client = world.addClient()
            world.act { client.dial(at: world.now) }
        }
        world.run(for: .seconds(20))
        #expect(world.population == [50, 3, 50])
        #expect(world.node.tunnelIDs.map { world.node.sessionIDs(inTunnel: $0).count } == [20, 20, 10])
        #expect(world.lns.sessionCount == 50)
        #expect(Set(world.clients.map(\.sessionID)).count == 50)
        #expect(world.node.statistics[.l2tpTunnelsOpened] == 3)
        // Room in the first tunnel is used before another is opened.
        world.act { for client in world.clients.prefix(5) { client.hangUp() } }
        world.settle()
        world.act { for client in world.clients.prefix(5) { client.dial(at: world.now) } }
        world.run(for: .seconds(5))
        #expect(world.population == [50, 3, 50])
        world.expectNothingLeft()
    }

    @Test func aCallWaitsForItsTunnelAndItsAnswer() throws {
        let world = try World()
        world.lns.takesCalls = false
        let client = world.dialled()
        #expect(world.states() == [.connecting])
        _ = world.takeTrace()
        // The client is answered meanwhile.
        world.act { client.sendEcho() }
        world.settle()
        #expect(world.takeTrace() == ["client > LCP Echo-Request", "client < LCP Echo-Reply"])
        world.act { world.lns.answerCalls(at: world.now) }
        world.settle()
        #expect(world.takeTrace() == ["lns > ICRP", "lns < ICCN"])
        #expect(world.states() == [.open])
        // From here on PPP is the LNS's.
        world.act { client.sendEcho() }
        world.settle()
        #expect(world.takeTrace() == ["client > LCP Echo-Request"])
        #expect(world.node.sessionSnapshot(world.node.tunnelIDs[0], 1)?.data.txPackets == 1)
        world.expectNothingLeft()
    }

    @Test func theLNSMayAnswerFromAnotherPort() throws {
        let world = try World()
        world.lns.answerPort = 40_000
        world.dialled()
        #expect(world.states() == [.open])
        #expect(world.null.tunnels.values.first?.paths.last?.peer.port == 40_000)
        // Once it has answered it must not change again.
        world.lns.answerPort = 40_001
        world.act { world.lns.disconnect(.administrative, at: world.now) }
        world.run(for: .seconds(3))
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }
}
