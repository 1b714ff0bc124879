import L2TP
import Observability
import SimulationSupport
import Testing
import Timing
import Wire

/// Tunnels that do not come up, go down, and come back.
@Suite struct TunnelTests {
    @Test(arguments: [
        (secret: "other" as String?, nodeSecret: "s3cret" as String?), (nil, "s3cret"), ("s3cret", nil),
    ])
    func anotherSecret(secret: String?, nodeSecret: String?) throws {
        let world = try World(secret: secret, nodeSecret: nodeSecret)
        let client = world.dialled()
        // An LNS without a secret cannot answer our challenge and says so; else we find out.
        let told = ["client < CHAP Failure", "client < LCP Terminate-Request"]
        let messages = secret == nil ? ["lns > StopCCN 4"] + told : ["lns > SCCRP"] + told + ["lns < StopCCN 4"]
        let trace = Array(world.takeTrace().drop { $0 != "lns < SCCRQ" })
        #expect(trace == ["lns < SCCRQ"] + messages + ["client > LCP Terminate-Ack", "client < PADT"])
        #expect(client.state == .closed)
        #expect(world.takeEvents() == [])
        #expect(world.node.statistics[.l2tpTunnelsOpened] == 0)
        #expect(world.node.statistics[.routesDstOpenFail] == 1)
        // It is not tried again: a secret does not become right by itself.
        world.run(for: .seconds(300))
        #expect(world.takeTrace() == [])
        #expect(world.population == [0, 0, 0])
        world.expectNothingLeft()
    }

    @Test(arguments: [true, false]) func aSilentLNSIsTriedAgainUntilItAnswers(isDead: Bool) throws {
        let world = try World(profile: "retry-timeout: 1, max-retries: 3")
        world.lns.isDead = isDead
        world.lns.isMute = true
        let client = world.dialled()
        #expect(world.states() == [.connecting])
        world.run(for: .seconds(20))
        #expect(client.state == .closed)
        #expect(client.received.suffix(3) == ["CHAP Failure", "LCP Terminate-Request", "PADT"])
        #expect(world.node.statistics[.routesDstOpenFail] == 1)
        #expect(world.population[0] == 0)
        // SCCRQ and three retransmissions at 1, 3 and 7 s, given up at 15 s; again after 1, 2, 4, … up to 60 s.
        world.run(for: .seconds(600))
        let attempts = world.node.statistics
        #expect(attempts[.l2tpTunnelsOpened] == 0)
        world.lns.isDead = false
        world.lns.isMute = false
        world.run(for: .seconds(80))
        #expect(world.takeEvents() == ["tunnel_up"])
        #expect(world.population == [0, 1, 0])
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }

    /// What the table could not take when the tunnel came up is offered to it again with the next session.
    @Test func aTunnelThatTheTableDidNotTakeIsOfferedAgain() throws {
        let world = try World()
        world.null.failsPublish = true
        world.dialled()
        #expect(world.states() == [.open])
        #expect(world.null.tunnels.values.map(\.paths.count) == [1])
        world.act { world.lns.stop(.clear, at: world.now) }
        world.settle()
        #expect(world.takeEvents() == ["tunnel_up", "session_up", "session_down", "tunnel_down"])
        world.expectNothingLeft()
    }

    /// Whoever is told that a tunnel is up is told when it is not, also of one that never carried anything.
    @Test func theEndOfATunnelThatTheTableDidNotTakeIsTold() throws {
        let world = try World()
        world.null.failsPublish = true
        world.lns.takesCalls = false
        world.dialled()
        world.act { world.lns.stop(.clear, at: world.now) }
        world.settle()
        #expect(world.takeEvents() == ["tunnel_up", "tunnel_down"])
        world.expectNothingLeft()
    }

    @Test func theBackOffDoubles() throws {
        let world = try World(profile: "retry-timeout: 1, max-retries: 3")
        world.lns.isMute = true
        world.dialled()
        var starts: [Int64] = []
        var seen: Set<UInt16> = []
        let begin = world.now
        for second in 0..<400 {
            world.run(until: begin + .seconds(second))
            let opening = Set(world.node.tunnelIDs.filter { world.node.tunnelSnapshot($0)?.state == .waitControlReply })
            if !opening.isEmpty, seen.isEmpty { starts.append(Int64(second)) }
            seen = opening
        }
        // Each attempt takes 15 s. The first began before this looked, so its wait is not known to the second.
        let waits = zip(starts.dropFirst(), starts).map { $0 - $1 - 15 }
        #expect(Array(waits.dropFirst()) == [2, 4, 8, 16, 32, 60, 60, 60])
        world.expectNothingLeft()
    }

    @Test func lostKeepalive() throws {
        let world = try World(profile: "hello-timeout: 10, retry-timeout: 1, max-retries: 3")
        let client = world.dialled()
        _ = world.takeTrace()
        _ = world.takeEvents()
        world.lns.isDead = true
        world.lns.restart()
        world.run(for: .seconds(27))
        #expect(client.state == .closed)
        #expect(world.takeEvents() == ["session_down", "tunnel_down"])
        #expect(
            world.takeTrace().prefix(5) == [
                "lns < HELLO", "lns < HELLO", "lns < HELLO", "lns < HELLO", "client < PADT",
            ])
        #expect(world.node.statistics[.routesClosedByDest] == 1)
        world.lns.isDead = false
        world.run(for: .seconds(60))
        #expect(world.takeEvents() == ["tunnel_up"])
        #expect(world.population == [0, 1, 0])
        world.expectNothingLeft()
    }

    @Test func aKeepaliveThatIsAnswered() throws {
        let world = try World(profile: "hello-timeout: 10")
        world.dialled()
        _ = world.takeTrace()
        world.run(for: .seconds(101))
        #expect(world.takeTrace() == Array(repeating: "lns < HELLO", count: 10))
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }

    @Test func anIdleTunnelIsClosed() throws {
        let world = try World(profile: "idle-timeout: 30, hello-timeout: 0")
        let client = world.dialled()
        world.act { client.hangUp() }
        world.run(for: .seconds(29))
        #expect(world.population == [0, 1, 0])
        _ = world.takeTrace()
        world.run(for: .seconds(2))
        #expect(world.takeTrace() == ["lns < StopCCN 1"])
        world.run(for: .seconds(60))
        #expect(world.population == [0, 0, 0])
        #expect(world.null.leaks == [])
    }

    @Test func theNextHopMoves() throws {
        let world = try World()
        world.dialled()
        let id = try #require(world.node.tunnelIDs.first)
        let count = try #require(world.null.tunnels[id]?.paths.count)
        let mac = MACAddress(value: 0x0200_0000_9999)
        world.run(for: .seconds(3))
        world.act { world.lns.move(to: mac, telling: World.coreMAC) }
        world.settle()
        let paths = try #require(world.null.tunnels[id]?.paths)
        #expect(paths.count == count + 1)
        #expect(paths.last?.nextHop == mac)
        #expect(!world.null.isReclaiming)
        #expect(world.states() == [.open])
        // It falls silent: the template says so, until it is back.
        world.lns.isDead = true
        world.run(for: .seconds(45))
        #expect(world.null.tunnels[id]?.paths.last?.nextHop == nil)
        world.lns.isDead = false
        world.run(for: .seconds(20))
        #expect(world.null.tunnels[id]?.paths.last?.nextHop == mac)
        world.expectNothingLeft()
    }

    /// The old tunnel still waits for the acknowledgement of its StopCCN: its id must not be a new tunnel's.
    @Test func aTunnelThatIsClosingKeepsItsID() throws {
        let world = try World()
        world.dialled()
        world.lns.isDead = true
        try world.act { _ = try world.node.clear(.tunnel(1), at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.node.tunnelSnapshot(1)?.state == .closing)
        world.lns.isDead = false
        world.lns.isMute = true
        world.dialled()
        #expect(world.node.tunnelIDs == [1, 2])
        #expect(world.node.tunnelSnapshot(1)?.state == .closing)
        world.expectNothingLeft()
    }

    @Test func tunnelsGoneAreGivenBackWithoutHelp() throws {
        let world = try World()
        let client = world.dialled()
        world.act { client.hangUp() }
        world.run(for: .seconds(1))
        #expect(world.null.leaks == ["tunnel 1", "tunnel ids"])
        try world.act { _ = try world.node.clear(.tunnel(1), at: world.now) }
        world.run(for: .seconds(1))
        #expect(world.null.leaks == [])
        #expect(!world.null.isReclaiming)
    }

    @Test func noTunnelIDIsFree() throws {
        let world = try World(profile: "session-limit: 1", table: NullTable(tunnels: 1))
        world.dialled()
        let second = world.dialled()
        #expect(second.state == .closed)
        #expect(second.received.suffix(3) == ["CHAP Failure", "LCP Terminate-Request", "PADT"])
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }

    @Test func theOperatorStopsWhileATunnelIsBeingTriedAgain() throws {
        let world = try World(profile: "retry-timeout: 1, max-retries: 1")
        world.lns.isMute = true
        world.dialled()
        world.run(for: .milliseconds(1_500))
        #expect(world.node.tunnelIDs == [])
        world.act { world.node.shutDown(at: world.now) }
        _ = world.takeTrace()
        world.run(for: .seconds(300))
        #expect(world.takeTrace() == [])
        #expect(world.null.leaks == [])
    }

    /// After everything has ended only ARP has anything to wait for.
    @Test func nothingWaitsWhenAllIsOver() throws {
        let world = try World()
        world.dialled()
        try world.act { _ = try world.node.clear(.everything, at: world.now) }
        world.run(for: .seconds(300))
        #expect(world.node.deadline == nil || world.node.deadline == .distantFuture)
    }
}
