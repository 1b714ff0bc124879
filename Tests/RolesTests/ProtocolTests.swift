import L2TP
import Observability
import SimulationSupport
import Testing
import Timing
import Wire

/// EAP, causes of an end, strangers' requests, and a LAC that stays out of the way.
@Suite struct ProtocolTests {
    // MARK: EAP

    @Test func byEAP() throws {
        let world = try World(instance: "ppp-auth-protocols: [eap,chap,pap]")
        let client = world.addClient()
        client.authentication = .eap
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        let trace = world.takeTrace()
        #expect(
            trace.drop { $0 != "client < EAP Request" } == [
                "client < EAP Request", "client > EAP Response", "lns < SCCRQ", "lns > SCCRP", "lns < SCCCN",
                "lns < ICRQ",
                "lns > ICRP", "lns < ICCN",
            ])
        #expect(world.states() == [.open])
        #expect(world.node.connectionSnapshot(1)?.userName == "alice@example.net")
        let proxy = try #require(world.lns.sessions.values.first?.values.first?.proxyAuthentication)
        #expect(proxy.kind == .eap)
        #expect(proxy.name == Array("alice@example.net".utf8))
        #expect(proxy.challenge == nil)
        #expect(proxy.id == 1)
        // What the LNS hands to its EAP server: the Response/Identity as it came.
        #expect(proxy.response == [2, 1, 0, 22, 1] + Array("alice@example.net".utf8))
        world.expectNothingLeft()
    }

    /// A client that wants another protocol gets it, down to the last that is offered.
    @Test(arguments: [Client.Authentication.chap, .pap]) func aClientMayWantAnother(which: Client.Authentication) throws
    {
        let world = try World(instance: "ppp-auth-protocols: [eap,chap,pap]")
        let client = world.addClient()
        client.authentication = which
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        let proxy = try #require(world.lns.sessions.values.first?.values.first?.proxyAuthentication)
        #expect(proxy.kind == (which == .chap ? .chap : .pap))
        world.expectNothingLeft()
    }

    @Test func aCallThatIsRefusedFailsEAP() throws {
        let world = try World(instance: "ppp-auth-protocols: eap")
        world.lns.takesCalls = false
        let client = world.addClient()
        client.authentication = .eap
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        _ = world.takeTrace()
        world.act { world.lns.refuseCalls(.temporarilyUnavailable, at: world.now) }
        world.run(for: .seconds(1))
        #expect(
            world.takeTrace() == [
                "lns > CDN 4", "client < EAP Failure", "client < LCP Terminate-Request", "client > LCP Terminate-Ack",
                "client < PADT",
            ])
        world.expectNothingLeft()
    }

    // MARK: Causes (RFC 3145)

    struct Ending: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var cause: PPPDisconnectCause?
        /// Whether it ends before the LNS takes the call.
        var isConnecting = false
        var act: @Sendable (World, Client) throws -> Void

        static let all: [Ending] = [
            Ending(testDescription: "PADT", cause: PPPDisconnectCause(.none, direction: .peer, message: "PADT")) {
                $1.hangUp()
            },
            Ending(
                testDescription: "clear of the connection",
                cause: PPPDisconnectCause(.administrative, direction: .local)
            ) { world, _ in _ = try world.node.clear(.allConnections, at: world.now) },
            Ending(
                testDescription: "clear of the session", cause: PPPDisconnectCause(.administrative, direction: .local)
            ) { world, _ in _ = try world.node.clear(.session(1, tunnel: nil), at: world.now) },
            Ending(
                testDescription: "Terminate-Request", cause: PPPDisconnectCause(.normal, direction: .peer),
                isConnecting: true
            ) { $1.terminate() },
            Ending(
                testDescription: "LCP anew",
                cause: PPPDisconnectCause(
                    .none, controlProtocol: 0xc021, direction: .peer, message: "the client started LCP anew"),
                isConnecting: true
            ) { $1.renegotiate(at: $0.now) },
        ]
    }

    @Test(arguments: Ending.all) func theLNSLearnsWhy(_ ending: Ending) throws {
        let world = try World()
        world.lns.takesCalls = !ending.isConnecting
        let client = world.dialled()
        var causes: [PPPDisconnectCause?] = []
        if ending.isConnecting {
            // The LNS has not assigned an id: CDN is for the call that waits, and the message is looked at as it is sent.
            try world.act { try ending.act(world, client) }
            world.run(for: .seconds(4))
            causes = world.disconnects.map(\.pppCause)
        } else {
            try world.act { try ending.act(world, client) }
            world.settle()
            causes = world.lns.causes
        }
        #expect(causes == [ending.cause])
        world.expectNothingLeft()
    }

    @Test func theLNSsCauseIsTold() throws {
        let world = try World()
        world.dialled()
        world.lns.cause = PPPDisconnectCause(
            .authenticationFailed, controlProtocol: 0xc223, direction: .peer, message: "who are you?")
        world.act { world.lns.disconnect(.administrative, at: world.now) }
        world.settle()
        let messages = world.events.compactMap { event -> String? in
            guard case .sessionDown(_, let cause) = event else { return nil }
            return cause.message
        }
        #expect(
            messages == [
                "closed by peer: disconnected for administrative reasons (3); PPP: authentication failed: bad name, "
                    + "password or secret (16), protocol 0xc223, at its peer: who are you?"
            ])
        world.expectNothingLeft()
    }

    // MARK: Strangers

    /// SCCRQ to a LAC: StopCCN, result 4, however often it comes up to a rate, and no memory of it.
    @Test(arguments: [true, false]) func aTunnelIsRefused(byTheLNS: Bool) throws {
        let world = try World()
        world.dialled()
        _ = world.takeTrace()
        var start = StartControlConnection(hostName: "stranger", assignedTunnelID: 77)
        start.tieBreaker = 1
        let body = try ControlMessage.startRequest(start).encode()
        let header = ControlHeader(tunnelID: 0, sessionID: 0, ns: 0, nr: 0)
        let payload = try #require(header.encode(body: body))
        func ask() {
            let source = byTheLNS ? World.lnsAddress : World.otherLNSAddress
            let datagram = Datagram(
                from: source, 1701, to: IPv4Address(value: 0xc633_6401), 1701, payload: payload)
            world.inject(
                EthernetFrame(
                    destination: World.coreMAC, source: world.lns.mac, etherType: 0x0800, payload: datagram.bytes
                ).bytes, port: 1)
            world.settle()
        }
        for _ in 0..<3 { ask() }
        #expect(world.takeTrace() == (byTheLNS ? Array(repeating: "lns < StopCCN 4", count: 3) : []))
        #expect(world.population == [1, 1, 1])
        #expect(world.states() == [.open])
        // A flood gets twenty answers at once and ten a second.
        world.run(for: .seconds(10))
        _ = world.takeTrace()
        for _ in 0..<100 {
            world.inject(
                EthernetFrame(
                    destination: World.coreMAC, source: world.lns.mac, etherType: 0x0800,
                    payload: Datagram(
                        from: World.lnsAddress, 1701, to: IPv4Address(value: 0xc633_6401), 1701, payload: payload
                    ).bytes
                ).bytes, port: 1)
        }
        world.settle()
        #expect(world.takeTrace().count { $0 == "lns < StopCCN 4" } == 20)
        world.expectNothingLeft()
    }

    /// What comes to tunnel 0 and is no SCCRQ is met with silence.
    @Test func whatIsNoRequestIsMetWithSilence() throws {
        let world = try World()
        world.dialled()
        _ = world.takeTrace()
        let bodies = [
            try ControlMessage.hello.encode(), try ControlMessage.stop(assignedTunnelID: 9, StopCode(.clear)).encode(),
            [], [0x80], try ControlMessage.incomingCallReply(assignedSessionID: 3).encode(),
        ]
        for body in bodies {
            let header = ControlHeader(tunnelID: 0, sessionID: 0, ns: 0, nr: 0)
            let datagram = Datagram(
                from: World.lnsAddress, 1701, to: IPv4Address(value: 0xc633_6401), 1701,
                payload: header.encode(body: body) ?? [])
            world.inject(
                EthernetFrame(
                    destination: World.coreMAC, source: world.lns.mac, etherType: 0x0800, payload: datagram.bytes
                ).bytes, port: 1)
            world.settle()
        }
        #expect(world.takeTrace() == [])
        #expect(world.states() == [.open])
    }

    // MARK: Out of the way

    /// An LNS that answers late: the client is kept, asked nothing, and handed over with what it said last.
    @Test(arguments: [Client.Authentication.chap, .pap, .eap])
    func anLNSMayAnswerLate(which: Client.Authentication) throws {
        let world = try World(profile: "hello-timeout: 0", instance: "ppp-auth-protocols: [eap,chap,pap]")
        world.lns.takesCalls = false
        let client = world.addClient()
        client.authentication = which
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        _ = world.takeTrace()
        // Longer than that a client that repeats itself does not wait.
        world.run(for: .seconds(25))
        #expect(world.takeTrace().filter { $0.hasPrefix("client <") } == [])
        #expect(world.states() == [.connecting])
        world.act { client.sendEcho() }
        world.settle()
        #expect(world.takeTrace().contains("client < LCP Echo-Reply"))
        world.act { world.lns.answerCalls(at: world.now) }
        world.settle()
        #expect(world.states() == [.open])
        let proxy = try #require(world.lns.sessions.values.first?.values.first?.proxyAuthentication)
        #expect(proxy.name == Array("alice@example.net".utf8))
        world.expectNothingLeft()
    }

    /// Once the session is up nothing of PPP is the LAC's any more: an LNS may refuse the proxy data, negotiate LCP anew and
    /// authenticate the client again. The LAC sees none of it, answers none, and no timer of it fires.
    @Test func anLNSMayNegotiateAnew() throws {
        let world = try World(profile: "hello-timeout: 0")
        let client = world.dialled()
        #expect(world.states() == [.open])
        _ = world.takeTrace()
        let packets: [PPPPacket] = [
            PPPPacket(PPPPacket.lcp, code: 1, identifier: 9, data: [1, 4, 5, 0xdc]),
            PPPPacket(PPPPacket.lcp, code: 2, identifier: 1, data: [1, 4, 5, 0xdc]),
            PPPPacket(PPPPacket.lcp, code: 3, identifier: 1, data: [3, 4, 0xc0, 0x23]),
            PPPPacket(PPPPacket.lcp, code: 5, identifier: 10),
            PPPPacket(PPPPacket.lcp, code: 9, identifier: 11, data: [0, 0, 0, 0]),
            PPPPacket(PPPPacket.chap, code: 2, identifier: 12, data: [16] + Array(repeating: 1, count: 16)),
            PPPPacket(PPPPacket.pap, code: 1, identifier: 13, data: [1, 65, 1, 65]),
            PPPPacket(PPPPacket.eap, code: 2, identifier: 14, data: [4, 16]),
        ]
        for packet in packets {
            world.act { client.send(packet) }
            world.run(for: .seconds(60))
        }
        #expect(world.takeTrace().allSatisfy { $0.hasPrefix("client >") })
        #expect(world.states() == [.open])
        let tunnel = try #require(world.node.tunnelIDs.first)
        #expect(world.node.sessionSnapshot(tunnel, 1)?.data.txPackets == UInt64(packets.count), "all went to the LNS")
        world.expectNothingLeft()
    }
}
