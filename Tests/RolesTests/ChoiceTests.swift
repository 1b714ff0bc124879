import L2TP
import Names
import Observability
import RADIUS
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// Where a client's call goes, and where next when that does not work out.
@Suite struct ChoiceTests {
    static let otherLNS = IPAddress.v4(World.otherLNSAddress)

    /// An answer of name servers.
    static func addresses(_ addresses: [IPv4Address], ttl: UInt32 = 60) -> NameResult {
        .addresses(addresses.map { ResolvedAddress(.v4($0), ttl: ttl) }, isComplete: true)
    }

    static func user(_ client: Client, _ name: String) -> Client {
        client.userName = name
        return client
    }

    // MARK: By DNS

    @Test func dnsFindsTheLNSOfTheDomain() throws {
        let world = try World(peer: "dns-lookup prefix lns", more: "ip-name-server: 10.0.0.53")
        world.zone["lns.isp1.example"] = Self.addresses([World.lnsAddress])
        let client = world.addClient()
        client.userName = "joe@ISP1.example"
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.states() == [.open])
        #expect(world.lns.sessionCount == 1)
        #expect(world.node.statistics[.lnsLookupSuccessfulRequests] == 1)
        world.expectNothingLeft()
    }

    @Test(
        arguments: [
            ("joe", nil, 0), ("joe@", nil, 0), ("joe@-bad-.example", nil, 0), ("joe@nowhere.example", nil, 1),
            ("joe@silent.example", NameResult.failed(.timedOut), 1),
        ] as [(String, NameResult?, UInt64)])
    func dnsFindsNothing(user: String, result: NameResult?, failures: UInt64) throws {
        let world = try World(peer: "dns-lookup prefix lns", more: "ip-name-server: 10.0.0.53")
        if let result { world.zone["lns.silent.example"] = result }
        let client = world.addClient()
        client.userName = user
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(5))
        #expect(client.state == .closed)
        #expect(client.received.contains("CHAP Failure"))
        #expect(world.node.statistics[.lnsLookupFailedRequests] == 1)
        #expect(world.node.statistics[.lnsLookupDnsFailures] == failures)
        #expect(world.population == [0, 0, 0])
        world.expectNothingLeft()
    }

    @Test func aClientThatHangsUpWhileItsNameIsLookedUp() throws {
        let world = try World(peer: "dns-lookup prefix lns", more: "ip-name-server: 10.0.0.53")
        world.zone["lns.isp1.example"] = Self.addresses([World.lnsAddress])
        let client = world.addClient()
        client.userName = "joe@isp1.example"
        world.act { client.dial(at: world.now) }
        while world.node.connectionSnapshot(1)?.userName.isEmpty ?? true { world.run(for: .milliseconds(1)) }
        world.act { client.hangUp() }
        world.run(for: .seconds(2))
        #expect(world.population == [0, 0, 0])
        #expect(world.lns.received.isEmpty)
        world.expectNothingLeft()
    }

    // MARK: The domain map

    @Test(
        arguments: [
            ("joe@isp2.example", [0, 1]), ("joe@elsewhere.example", [1, 0]), ("joe", [1, 0]),
        ] as [(String, [Int])])
    func theMapOverridesTheInstance(user: String, sessions: [Int]) throws {
        let world = try World(
            more: "l2tp-domain:\n  - {domain: ISP2.example, tunnels: [{address: 198.51.100.3}]}")
        world.addLNS(World.otherLNSAddress)
        let client = world.addClient()
        client.userName = user
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.lnses.map(\.sessionCount) == sessions)
        world.expectNothingLeft()
    }

    @Test(
        arguments: [
            ("joe@isp1.example", [1, 0]), ("joe@elsewhere.example", [0, 1]), ("joe", [0, 1]),
        ] as [(String, [Int])])
    func defaultAndNone(user: String, sessions: [Int]) throws {
        let world = try World(
            peer: "domain-map",
            more: """
                l2tp-domain:
                  - {domain: isp1.example, peer-address: static 198.51.100.2}
                  - {domain: default, peer-address: static 198.51.100.3}
                  - {domain: none, tunnels: [{address: 198.51.100.3}]}
                """)
        world.addLNS(World.otherLNSAddress)
        let client = world.addClient()
        client.userName = user
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.lnses.map(\.sessionCount) == sessions)
        world.expectNothingLeft()
    }

    // MARK: Several LNSs

    static func twoLNSs(_ first: Int = 0, _ second: Int = 0) -> String {
        """
        l2tp-domain:
          - domain: isp1.example
            tunnels:
              - {address: 198.51.100.2, preference: \(first)}
              - {address: 198.51.100.3, preference: \(second)}
        """
    }

    private func dial(_ world: World, _ count: Int, user: String = "joe@isp1.example") {
        for _ in 0..<count {
            let client = world.addClient()
            client.userName = user
            world.act { client.dial(at: world.now) }
            world.run(for: .milliseconds(800))
        }
    }

    @Test func equalsShareTheLoad() throws {
        let world = try World(peer: "domain-map", more: Self.twoLNSs())
        world.addLNS(World.otherLNSAddress)
        dial(world, 6)
        #expect(world.lnses.map(\.sessionCount) == [3, 3])
        world.expectNothingLeft()
    }

    @Test func theLowerPreferenceComesFirst() throws {
        let world = try World(peer: "domain-map", more: Self.twoLNSs(20, 10))
        world.addLNS(World.otherLNSAddress)
        dial(world, 3)
        #expect(world.lnses.map(\.sessionCount) == [0, 3])
        world.expectNothingLeft()
    }

    @Test func aDeadLNSIsPassedOver() throws {
        let world = try World(
            profile: "failover-timeout: 2, hold-down: 30, hello-timeout: 0", peer: "domain-map",
            more: Self.twoLNSs(10, 20))
        let other = world.addLNS(World.otherLNSAddress)
        world.lns.isMute = true
        let began = world.now
        dial(world, 1)
        world.run(until: began + .milliseconds(1_900))
        #expect(other.sessionCount == 0)
        world.run(for: .seconds(1))
        // The first waited for the dead one; those who come after do not.
        #expect(other.sessionCount == 1)
        #expect(world.states() == [.open])
        _ = world.takeTrace()
        dial(world, 2)
        #expect(other.sessionCount == 3)
        let states = world.node.destinationSnapshots(at: world.now).map(\.state)
        #expect(states == [.holdDown, .up])
        // When the hold-down is over, it is asked again, and takes calls.
        world.lns.isMute = false
        world.run(until: began + .seconds(40))
        dial(world, 1)
        #expect(world.lns.sessionCount == 1)
        #expect(world.node.destinationSnapshots(at: world.now).map(\.state) == [.up, .up])
        world.expectNothingLeft()
    }

    @Test func allAreDead() throws {
        let world = try World(
            profile: "failover-timeout: 1, retry-timeout: 1, max-retries: 2", peer: "domain-map", more: Self.twoLNSs())
        let other = world.addLNS(World.otherLNSAddress)
        world.lns.isMute = true
        other.isMute = true
        dial(world, 1)
        world.run(for: .seconds(20))
        #expect(world.clients.first?.state == .closed)
        #expect(world.clients.first?.received.contains("CHAP Failure") == true)
        // Both were held down meanwhile; they are still better than nothing.
        world.lns.isMute = false
        dial(world, 1)
        world.run(for: .seconds(10))
        #expect(world.lns.sessionCount + other.sessionCount == 1)
        world.expectNothingLeft()
    }

    /// Results of CDN before the session is up: whether the next LNS is tried.
    @Test(arguments: [
        (DisconnectResult.temporarilyUnavailable, true), (.permanentlyUnavailable, true), (.administrative, false),
        (.invalidDestination, false), (.lossOfCarrier, false),
    ])
    func anLNSThatRefuses(result: DisconnectResult, triesAnother: Bool) throws {
        let world = try World(peer: "domain-map", more: Self.twoLNSs(10, 20))
        let other = world.addLNS(World.otherLNSAddress)
        world.lns.takesCalls = false
        dial(world, 1)
        world.act { world.lns.refuseCalls(result, at: world.now) }
        world.run(for: .seconds(2))
        #expect(other.sessionCount == (triesAnother ? 1 : 0))
        #expect(world.clients.first?.state == (triesAnother ? .session : .closed))
        #expect(world.node.statistics[.routesDstOpenFail] == 1)
        world.expectNothingLeft()
    }

    @Test func anLNSWithAnotherSecret() throws {
        let world = try World(peer: "domain-map", more: Self.twoLNSs(10, 20), secret: "wrong")
        let other = world.addLNS(World.otherLNSAddress)
        dial(world, 1)
        world.run(for: .seconds(2))
        #expect(other.sessionCount == 1)
        world.expectNothingLeft()
    }

    @Test func aTunnelByName() throws {
        let world = try World(
            peer: "domain-map",
            more: """
                ip-name-server: 10.0.0.53
                l2tp-domain:
                  - domain: default
                    tunnels: [{name: gone.example}, {name: pool.example, preference: 1}]
                """)
        let other = world.addLNS(World.otherLNSAddress)
        world.zone["pool.example"] = Self.addresses([World.lnsAddress, World.otherLNSAddress])
        dial(world, 4)
        #expect([world.lns.sessionCount, other.sessionCount] == [2, 2])
        #expect(world.node.statistics[.l2tpDnsFailures] == 4)
        #expect(world.node.statistics[.lnsLookupFailedRequests] == 0)
        world.expectNothingLeft()
    }

    // MARK: Draining

    @Test func aDrainedDestinationTakesNoCalls() throws {
        let world = try World(peer: "domain-map", more: Self.twoLNSs(10, 20))
        let other = world.addLNS(World.otherLNSAddress)
        dial(world, 1)
        var outcome: DrainOutcome?
        try world.act {
            outcome = try world.node.drain(.destination(.v4(World.lnsAddress)), true, at: world.now)
        }
        #expect(outcome == DrainOutcome(draining: true, tunnels: 1, sessions: 1, connections: 1))
        dial(world, 1)
        #expect([world.lns.sessionCount, other.sessionCount] == [1, 1])
        #expect(world.node.destinationSnapshots(at: world.now).map(\.state) == [.draining, .up])
        // With its last session the tunnel goes, and does not come back.
        world.act { world.clients[0].hangUp() }
        world.run(for: .seconds(60))
        #expect(world.lns.tunnels.isEmpty)
        try world.act { _ = try world.node.drain(.destination(.v4(World.lnsAddress)), false, at: world.now) }
        dial(world, 1)
        #expect([world.lns.sessionCount, other.sessionCount] == [1, 1])
        world.expectNothingLeft()
    }

    @Test func aDrainedTunnelIsFollowedByAnother() throws {
        let world = try World()
        let first = world.dialled()
        try world.act { _ = try world.node.drain(.tunnel(1), true, at: world.now) }
        world.dialled()
        #expect(world.node.tunnelIDs.compactMap { world.node.tunnelSnapshot($0)?.sessionCount } == [1, 1])
        world.act { first.hangUp() }
        world.run(for: .seconds(60))
        #expect(world.node.tunnelIDs == [2])
        #expect(throws: ControlNode.ClearFault.self) { try world.node.drain(.tunnel(9), true, at: world.now) }
        world.expectNothingLeft()
    }

    @Test(arguments: [DrainTarget.system, .instance("residential"), .interface("access0")])
    func aDrainedAccessSideMakesNoOffers(target: DrainTarget) throws {
        let world = try World()
        world.dialled()
        try world.act { _ = try world.node.drain(target, true, at: world.now) }
        _ = world.takeTrace()
        let late = world.dialled()
        #expect(Set(world.takeTrace()) == ["client > PADI"])
        #expect(late.received.isEmpty)
        #expect(world.states() == [.open])
        #expect(world.node.drainedTargets == [target])
        try world.act { _ = try world.node.drain(target, false, at: world.now) }
        world.run(for: .seconds(4))
        // The late one has asked again meanwhile.
        #expect(world.states() == [.open, .open])
        #expect(late.state == .session)
        world.expectNothingLeft()
    }

    // MARK: The same one again

    /// An LNS that draws session ids by lot now and then gives one twice: it is called again, three times.
    @Test(arguments: [1, 3, 4]) func anIDOfAnotherCallIsNotTaken(times: Int) throws {
        let world = try World()
        world.dialled()
        let taken = try #require(world.lns.sessions.values.first?.keys.first)
        var left = times
        world.lns.spoil = { payload in
            guard left > 0, payload.count == 28, payload[19] == MessageType.incomingCallReply.rawValue else { return }
            left -= 1
            payload.replaceSubrange(26..., with: [UInt8(taken >> 8), UInt8(taken & 0xff)])
        }
        let next = world.dialled()
        #expect(left == 0)
        #expect(next.state == (times < 4 ? .session : .closed))
        #expect(world.lns.sessionCount == (times < 4 ? 2 : 1))
        #expect(world.node.statistics[.routesDstOpenFail] == (times < 4 ? 0 : 1))
        #expect(world.population[2] == world.lns.sessionCount)
        world.lns.spoil = nil
        world.expectNothingLeft()
    }
}
