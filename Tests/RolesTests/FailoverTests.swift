import Configuration
import L2TP
import Observability
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// Failovers of RFC 4951, with the node as the end that has failed and as the one that has not.
@Suite struct FailoverTests {
    private static let profile = "failover: rfc4951, hello-timeout: 10"

    /// A world of clients in one tunnel, whose LNS announces RFC 4951.
    private static func world(
        _ profile: String = profile, clients: Int = 2,
        lns: FailoverCapability? = FailoverCapability(recoveryTime: 60_000)
    ) throws -> World {
        let world = try World(profile: profile)
        world.lns.failover = lns
        for _ in 0..<clients { world.dialled() }
        _ = world.takeTrace()
        _ = world.takeEvents()
        try #require(world.states() == Array(repeating: .open, count: clients))
        return world
    }

    /// Lets the node forget what has been said in the last minutes.
    private static func forget(_ world: World) throws {
        let memory = try #require(world.node.machine(ofTunnel: 1))
        world.run(for: .seconds(205))
        #expect(world.takeTrace() == Array(repeating: "lns < HELLO", count: 20))
        world.node.restore(memory, asTunnel: 1)
    }

    // MARK: We have failed

    @Test func weFail() throws {
        let world = try Self.world()
        try Self.forget(world)
        let paths = world.null.tunnels[1]?.paths
        let forwards = world.null.forwards
        #expect(world.node.failoverAction(ofTunnel: 1) == .recover)
        world.act { world.node.failOver(1, at: world.now) }
        #expect(world.node.tunnelSnapshot(1)?.recovering == true)
        world.run(for: .seconds(8))
        #expect(
            world.takeTrace() == [
                "lns < SCCRQ", "lns > SCCRP", "lns < SCCCN", "lns < StopCCN 1", "lns < FSQ", "lns > FSR",
            ])
        let snapshot = try #require(world.node.tunnelSnapshot(1))
        #expect(snapshot.state == .established && snapshot.recoveries == 1 && !snapshot.recovering)
        #expect(snapshot.peer.failoverControl && snapshot.peer.recoveryTimeMilliseconds == 60_000)
        #expect(snapshot.events.last?.event == "RECOVERED")
        #expect(world.counters["l2tpTunnelsRecovered"] == 1)
        #expect(world.counters["l2tpRecoveriesFailed"] == nil)
        // Nobody has noticed: clients, table, controllers.
        #expect(world.states() == [.open, .open])
        #expect(world.clients.allSatisfy { $0.state == .session })
        #expect(world.takeEvents() == [])
        #expect(world.null.tunnels[1]?.paths.count == paths?.count && world.null.forwards == forwards)
        #expect(Set(world.null.tunnels.keys) == [1])
        // And the control channel works.
        world.dialled()
        #expect(world.node.tunnelIDs == [1])
        #expect(world.states() == [.open, .open, .open])
        #expect(world.lns.sessionCount == 3)
        world.run(for: .seconds(60))
        #expect(world.takeTrace().contains("lns < HELLO"))
        world.expectNothingLeft()
    }

    /// The tunnel takes no calls while its numbers are not known; they go into another one.
    @Test func callsGoElsewhereMeanwhile() throws {
        let world = try Self.world()
        try Self.forget(world)
        world.lns.isMute = true
        world.act { world.node.recoverTunnel(1, at: world.now) }
        world.run(for: .milliseconds(100))
        let client = world.addClient()
        world.act { client.dial(at: world.now) }
        world.run(for: .milliseconds(400))
        // The recovery tunnel is 2, and nobody sees it.
        #expect(world.node.tunnelIDs == [1, 3])
        world.lns.isMute = false
        world.run(for: .seconds(10))
        #expect(world.node.tunnelSnapshot(1)?.recoveries == 1)
        #expect(world.states() == [.open, .open, .open])
        #expect(world.node.sessionIDs(inTunnel: 3).count == 1)
        world.expectNothingLeft()
    }

    /// What `failover` says is done, with peers that take part and with such as do not.
    @Test(
        arguments: [
            ("silent", false, FailoverAction.resume, [] as [String]),
            ("silent", true, .resume, []),
            ("off", true, .close, ["lns < StopCCN 1", "client < PADT", "client < PADT"]),
            ("rfc4951", false, .close, ["lns < StopCCN 1", "client < PADT", "client < PADT"]),
            ("rfc4951-or-silent", false, .resume, []),
            (
                "rfc4951-or-silent", true, .recover,
                ["lns < SCCRQ", "lns > SCCRP", "lns < SCCCN", "lns < StopCCN 1", "lns < FSQ", "lns > FSR"]
            ),
        ])
    func theProfileDecides(_ failover: String, _ takesPart: Bool, _ action: FailoverAction, _ trace: [String]) throws {
        let world = try Self.world(
            "failover: \(failover), hello-timeout: 0", lns: takesPart ? FailoverCapability(recoveryTime: 1) : nil)
        #expect(world.node.failoverAction(ofTunnel: 1) == action)
        world.act { world.node.failOver(1, at: world.now) }
        world.run(for: .seconds(8))
        #expect(world.takeTrace().filter { !$0.contains("Terminate") }.sorted() == trace.sorted())
        #expect(world.states().count == (action == .close ? 0 : 2))
        world.expectNothingLeft()
    }

    @Test func decisions() {
        let table: [(L2TPProfile.Failover, isNegotiated: Bool, FailoverAction)] = [
            (.silent, false, .resume), (.silent, true, .resume), (.rfc4951, false, .close), (.rfc4951, true, .recover),
            (.rfc4951OrSilent, false, .resume), (.rfc4951OrSilent, true, .recover), (.off, false, .close),
            (.off, true, .close),
        ]
        for (failover, isNegotiated, action) in table {
            #expect(FailoverAction(failover, isNegotiated: isNegotiated) == action, "\(failover) \(isNegotiated)")
        }
    }

    /// The LNS has lost the tunnel: with RFC 4951 alone it is over, and opened again; else it goes on by what was stored, until the LNS is
    /// found to be silent.
    @Test(arguments: [false, true]) func thePeerKnowsNothing(orSilent: Bool) throws {
        let world = try Self.world("failover: \(orSilent ? "rfc4951-or-silent" : "rfc4951"), hello-timeout: 10")
        world.lns.restart()
        world.act { world.node.recoverTunnel(1, at: world.now) }
        world.run(for: .milliseconds(500))
        let trace = world.takeTrace()
        #expect(Array(trace.prefix(2)) == ["lns < SCCRQ", "lns > StopCCN 2"])
        #expect(trace.count { $0 == "client < PADT" } == (orSilent ? 0 : 2))
        #expect(world.counters["l2tpRecoveriesFailed"] == 1)
        #expect(world.takeEvents() == (orSilent ? [] : ["session_down", "session_down", "tunnel_down"]))
        #expect(world.states().count == (orSilent ? 2 : 0))
        #expect(world.node.tunnelSnapshot(1)?.recovering == (orSilent ? false : nil))
        world.run(for: .seconds(200))
        #expect(world.takeEvents().last == "tunnel_up")
        #expect(world.states() == [])
        world.expectNothingLeft()
    }

    /// The LNS is away for a while: the recovery is tried again, for `recovery-time`.
    @Test(arguments: [(90.0, true), (200, false)]) func thePeerIsAway(_ time: Double, _ isRecovered: Bool) throws {
        let world = try Self.world("failover: rfc4951, hello-timeout: 0")
        world.lns.isMute = true
        world.act { world.node.recoverTunnel(1, at: world.now) }
        world.run(for: .seconds(time))
        world.lns.isMute = false
        world.run(for: .seconds(60))
        #expect(world.counters["l2tpTunnelsRecovered"] == (isRecovered ? 1 : nil))
        #expect(world.counters["l2tpRecoveriesFailed"] == (isRecovered ? nil : 1))
        #expect(world.states() == (isRecovered ? [.open, .open] : []))
        world.expectNothingLeft()
    }

    @Test func anOperatorClearsTheTunnelMeanwhile() throws {
        let world = try Self.world()
        world.lns.isMute = true
        world.act { world.node.recoverTunnel(1, at: world.now) }
        world.run(for: .seconds(1))
        try world.act { _ = try world.node.clear(.tunnel(1), at: world.now) }
        world.run(for: .seconds(1))
        #expect(world.population == [0, 0, 0])
        #expect(world.clients.allSatisfy { $0.state == .closed })
        world.expectNothingLeft()
    }

    // MARK: The peer has failed

    @Test func thePeerFails() throws {
        let world = try Self.world(clients: 1)
        let memory = world.lns.memory
        world.dialled()
        world.run(for: .seconds(205))
        _ = world.takeTrace()
        _ = world.takeEvents()
        world.act { world.lns.fail(to: memory, at: world.now) }
        world.run(for: .seconds(4))
        #expect(
            world.takeTrace() == [
                "lns > SCCRQ", "lns < SCCRP", "lns > SCCCN", "lns > StopCCN 1", "lns > FSQ", "lns < FSR",
            ])
        #expect(world.counters["l2tpTunnelsRecovered"] == 1)
        #expect(world.node.tunnelSnapshot(1)?.recoveries == 1)
        #expect(world.states() == [.open, .open])
        // The LNS has not named the second session, and when it is asked knows nothing of it.
        world.run(for: .seconds(4))
        #expect(world.takeTrace().filter { !$0.contains("Terminate") } == ["lns < FSQ", "lns > FSR", "client < PADT"])
        #expect(world.takeEvents() == ["session_down"])
        #expect(world.states() == [.open])
        #expect(world.clients.map(\.state) == [.session, .closed])
        world.dialled()
        #expect(world.node.tunnelIDs == [1])
        #expect(world.lns.sessionCount == 2)
        world.expectNothingLeft()
    }

    /// While the LNS is away its tunnel stays, as long as it has asked for, and is then recovered.
    @Test(arguments: [(40.0, true), (140, false)]) func thePeerIsWaitedFor(_ time: Double, _ isInTime: Bool) throws {
        let world = try Self.world()
        let memory = world.lns.memory
        // HELLO after 10 s, its full cycle of 31 s, and the 60 s that the LNS has asked for.
        world.lns.isMute = true
        world.run(for: .seconds(time))
        #expect(world.states() == (isInTime ? [.open, .open] : []))
        world.lns.isMute = false
        world.act { world.lns.fail(to: memory, at: world.now) }
        world.run(for: .seconds(20))
        #expect(world.counters["l2tpTunnelsRecovered"] == (isInTime ? 1 : nil))
        #expect(world.lns.failures.map(\.origin) == (isInTime ? [] : [.peer]))
        #expect(world.states() == (isInTime ? [.open, .open] : []))
        world.expectNothingLeft()
    }

    @Test func bothFail() throws {
        let world = try Self.world(clients: 1)
        let memory = world.lns.memory
        world.dialled()
        _ = world.takeTrace()
        try Self.forget(world)
        world.act {
            world.node.recoverTunnel(1, at: world.now)
            world.lns.fail(to: memory, at: world.now)
        }
        world.run(for: .seconds(60))
        #expect(world.counters["l2tpTunnelsRecovered"] == 1)
        #expect(world.states() == [.open])
        #expect(world.clients.map(\.state) == [.session, .closed])
        #expect(world.lns.sessionCount == 1)
        world.dialled()
        #expect(world.node.tunnelIDs == [1])
        #expect(world.states() == [.open, .open])
        world.expectNothingLeft()
    }

    @Test(arguments: 0..<30 as Range<UInt64>) func throughABadNetwork(_ seed: UInt64) throws {
        let world = try World(profile: Self.profile, seed: seed + 1)
        world.lns.failover = FailoverCapability(recoveryTime: 600_000)
        for _ in 0..<5 { world.dialled() }
        let memory = try #require(world.node.machine(ofTunnel: 1))
        let lnsMemory = world.lns.memory
        world.run(for: .seconds(100))
        world.faults = World.Faults(loss: 200, duplication: 200, delay: 300)
        world.act {
            if seed % 3 != 1 {
                world.node.restore(memory, asTunnel: 1)
                world.node.recoverTunnel(1, at: world.now)
            }
            if seed % 3 != 0 { world.lns.fail(to: lnsMemory, at: world.now) }
        }
        world.run(for: .seconds(100))
        world.faults = World.Faults()
        world.run(for: .seconds(60))
        #expect(world.states() == Array(repeating: .open, count: 5))
        #expect(world.node.tunnelSnapshot(1)?.recoveries == 1)
        #expect(world.lns.sessionCount == 5)
        world.dialled()
        #expect(world.node.tunnelIDs == [1])
        world.expectNothingLeft()
    }

    // MARK: Strangers

    /// SCCRQ of a recovery tunnel from an address of the core network.
    private static func request(
        from address: IPv4Address, assigned: UInt16, of own: UInt16, _ remote: UInt16, challenge: UInt8 = 1
    ) throws -> [UInt8] {
        var start = StartControlConnection(hostName: "stranger", assignedTunnelID: assigned)
        start.challenge = [challenge]
        start.recovery = TunnelRecovery(tunnelID: own, remoteTunnelID: remote)
        let body = try ControlMessage.startRequest(start).encode()
        let payload = try #require(ControlHeader(tunnelID: 0, sessionID: 0, ns: 0, nr: 0).encode(body: body))
        let datagram = Datagram(
            from: address, 1701, to: IPv4Address(value: 0xc633_6401), 1701, payload: payload)
        return EthernetFrame(
            destination: World.coreMAC, source: MACAddress(value: 0x0200_0000_2000 + UInt64(address.value & 0xff)),
            etherType: 0x0800, payload: datagram.bytes
        ).bytes
    }

    /// Nothing is remembered of who names no tunnel, or another's.
    @Test(arguments: ["ids", "swapped tunnels", "address"]) func strangersAreRefused(_ what: String) throws {
        let world = try Self.world()
        world.addLNS(World.otherLNSAddress)
        world.run(for: .seconds(3))
        let remote = try #require(world.node.tunnelSnapshot(1)).remoteTunnelID
        let address = what == "address" ? World.otherLNSAddress : World.lnsAddress
        let (own, ours): (UInt16, UInt16) =
            switch what {
            case "ids": (remote &+ 1, 1)
            case "swapped tunnels": (remote, 2)
            default: (remote, 1)
            }
        _ = world.takeTrace()
        world.inject(try Self.request(from: address, assigned: 5, of: own, ours), port: 1)
        world.settle()
        #expect(world.takeTrace() == ["lns < StopCCN 2"])
        #expect(Set(world.null.tunnels.keys) == [1])
        #expect(world.states() == [.open, .open])
        world.expectNothingLeft()
    }

    @Test(arguments: ["silent", "off"]) func whoDoesNotTakePartRefuses(_ failover: String) throws {
        let world = try Self.world("failover: \(failover)")
        let remote = try #require(world.node.tunnelSnapshot(1)).remoteTunnelID
        world.inject(try Self.request(from: World.lnsAddress, assigned: 5, of: remote, 1), port: 1)
        world.settle()
        #expect(world.takeTrace() == ["lns < StopCCN 2"])
        #expect(Set(world.null.tunnels.keys) == [1])
        world.expectNothingLeft()
    }

    /// Half-open attempts with the right ids are few, end by themselves, and do not keep the LNS out.
    @Test func halfOpenAttemptsAreBounded() throws {
        let world = try Self.world()
        world.run(for: .seconds(3))
        let memory = world.lns.memory
        let remote = try #require(world.node.tunnelSnapshot(1)).remoteTunnelID
        for number in 0..<50 as Range<UInt16> {
            let challenge = UInt8(truncatingIfNeeded: number)
            let frame = try Self.request(
                from: World.lnsAddress, assigned: 500 + number, of: remote, 1, challenge: challenge)
            world.inject(frame, port: 1)
        }
        world.settle()
        // Tunnel 1 and three attempts.
        #expect(world.null.tunnels.count == 4)
        #expect(world.states() == [.open, .open])
        world.run(for: .seconds(40))
        #expect(Set(world.null.tunnels.keys) == [1])
        #expect(world.counters["l2tpRecoveriesFailed"] == 3)
        #expect(world.node.tunnelSnapshot(1)?.recoveries == 0)
        world.inject(try Self.request(from: World.lnsAddress, assigned: 900, of: remote, 1), port: 1)
        world.act { world.lns.fail(to: memory, at: world.now) }
        world.run(for: .seconds(10))
        #expect(world.node.tunnelSnapshot(1)?.recoveries == 1)
        #expect(world.states() == [.open, .open])
        world.expectNothingLeft()
    }

    /// Who has ids and address, and not the secret, gets as far as SCCCN.
    @Test func anotherSecret() throws {
        let world = try Self.world()
        world.run(for: .seconds(3))
        let memory = world.lns.memory
        let before = try #require(world.node.tunnelSnapshot(1)).transport
        _ = world.takeTrace()
        // It takes what comes for the LNS, as who sits on the path does.
        let remote = try #require(world.node.tunnelSnapshot(1)).remoteTunnelID
        world.inject(try Self.request(from: World.lnsAddress, assigned: 5, of: remote, 1), port: 1)
        world.settle()
        let body = try ControlMessage.startConnected(challengeResponse: Array(repeating: 0, count: 16)).encode()
        let payload = try #require(ControlHeader(tunnelID: 2, sessionID: 0, ns: 1, nr: 1).encode(body: body))
        let datagram = Datagram(
            from: World.lnsAddress, 1701, to: IPv4Address(value: 0xc633_6401), 1701, payload: payload)
        world.inject(
            EthernetFrame(
                destination: World.coreMAC, source: world.lns.mac, etherType: 0x0800, payload: datagram.bytes
            ).bytes, port: 1)
        world.settle()
        #expect(world.takeTrace().prefix(2) == ["lns < SCCRP", "lns < StopCCN 4"])
        #expect(world.counters["l2tpRecoveriesFailed"] == 1)
        #expect(world.node.tunnelSnapshot(1)?.transport.ns == before.ns)
        #expect(world.node.tunnelSnapshot(1)?.recoveries == 0)
        world.act { world.lns.fail(to: memory, at: world.now) }
        world.run(for: .seconds(10))
        #expect(world.node.tunnelSnapshot(1)?.recoveries == 1)
        world.expectNothingLeft()
    }
}
