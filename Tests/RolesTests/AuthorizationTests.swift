import Names
import Observability
import RADIUS
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// LNSs by RADIUS, and what an Access-Accept demands of a session.
@Suite struct AuthorizationTests {
    /// A world whose clients are looked up by RADIUS, and the server.
    static func world(
        style: String = "domain", instance: String = "", more: String = "",
        journal: any AccountingBacklog = VolatileBacklog()
    ) throws -> (World, RADIUSStation) {
        let server = RADIUSStation()
        let world = try World(
            instance: instance, peer: "radius-lookup group isps, radius-style: \(style)",
            more: World.radiusSections + "\n" + more, radius: server, journal: journal)
        return (world, server)
    }

    static func attributes(_ fill: (inout RADIUSAttributes) -> Void) -> RADIUSAttributes {
        var attributes = RADIUSAttributes()
        fill(&attributes)
        return attributes
    }

    static func framed(_ address: IPv4Address, _ more: (inout RADIUSAttributes) -> Void = { _ in }) -> RADIUSAttributes
    {
        attributes {
            $0.append(.framedIPAddress, octets: address.octets)
            more(&$0)
        }
    }

    static func dial(_ world: World, user: String = "joe@isp1.example", pap: Bool = false) -> Client {
        let client = world.addClient()
        client.userName = user
        client.authentication = pap ? .pap : .chap
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(1))
        return client
    }

    /// The look-up of the AlliedWare guide: User-Name=domain, User-Password='password', the address in Framed-IP-Address.
    @Test func theGuidesLookUp() throws {
        let (world, server) = try Self.world()
        server.answer = { _ in (.accessAccept, Self.framed(World.lnsAddress)) }
        _ = Self.dial(world)
        #expect(world.states() == [.open])
        #expect(server.requests.map { $0.text(.userName) } == ["isp1.example"])
        let request = try #require(server.requests.first)
        #expect(request.text(.nasIdentifier) == "lac")
        #expect(request.contains(.userPassword))
        #expect(!request.contains(.chapPassword))
        world.expectNothingLeft()
    }

    @Test(arguments: [true, false]) func fullUser(pap: Bool) throws {
        let (world, server) = try Self.world(style: "user")
        server.answer = { _ in (.accessAccept, Self.framed(World.lnsAddress)) }
        _ = Self.dial(world, pap: pap)
        #expect(world.states() == [.open])
        let request = try #require(server.requests.first)
        #expect(request.text(.userName) == "joe@isp1.example")
        #expect(request.contains(.chapPassword) == !pap)
        #expect(request.contains(.chapChallenge) == !pap)
        #expect(request.contains(.userPassword) == pap)
        #expect(request.text(.callingStationID) == "02:00:00:00:10:00")
        #expect(request.text(.nasPortID) == "access0")
        world.expectNothingLeft()
    }

    @Test func whoIsRejectedIsRefused() throws {
        let (world, server) = try Self.world(
            style: "user", more: "l2tp-domain:\n  - {domain: default, peer-address: static 198.51.100.2}")
        server.answer = { _ in (.accessReject, Self.attributes { $0.append(.replyMessage, text: "no such user") }) }
        let client = Self.dial(world)
        world.run(for: .seconds(5))
        #expect(client.state == .closed)
        #expect(client.received.contains("CHAP Failure"))
        #expect(world.lns.received.isEmpty)
        #expect(world.node.statistics[.lnsLookupRadiusFailures] == 1)
        world.expectNothingLeft()
    }

    /// A domain that the server does not know, and a server that is dead, are no reason to refuse whom the map has a place for.
    @Test(arguments: [true, false]) func theMapsDefault(isDead: Bool) throws {
        let (world, server) = try Self.world(
            more: "l2tp-domain:\n  - {domain: default, peer-address: static 198.51.100.2}")
        server.isDead = isDead
        server.answer = { _ in (.accessReject, RADIUSAttributes()) }
        _ = Self.dial(world)
        world.run(for: .seconds(10))
        #expect(world.states() == [.open])
        #expect(world.node.statistics[.lnsLookupRadiusFailures] == 1)
        #expect(world.node.statistics[.lnsLookupFailedRequests] == 0)
        world.expectNothingLeft()
    }

    @Test func anAnswerWithoutAnLNS() throws {
        let (world, server) = try Self.world()
        server.answer = { _ in (.accessAccept, RADIUSAttributes()) }
        let client = Self.dial(world)
        world.run(for: .seconds(5))
        #expect(client.state == .closed)
        #expect(world.node.statistics[.lnsLookupFailedRequests] == 1)
        world.expectNothingLeft()
    }

    private static func tunnel(
        _ attributes: inout RADIUSAttributes, tag: UInt8, _ address: String, preference: UInt32? = nil,
        assignment: String? = nil, client: String? = nil, server: String? = nil
    ) {
        attributes.append(.tunnelType, integer: 3, tag: tag)
        attributes.append(.tunnelMediumType, integer: 1, tag: tag)
        attributes.append(.tunnelServerEndpoint, text: address, tag: tag)
        attributes.append(.tunnelPreference, integer: preference, tag: tag)
        attributes.append(.tunnelAssignmentID, text: assignment, tag: tag)
        attributes.append(.tunnelClientAuthID, text: client, tag: tag)
        attributes.append(.tunnelServerAuthID, text: server, tag: tag)
    }

    @Test func taggedTunnelsInTheOrderOfTheirPreference() throws {
        let (world, server) = try Self.world(style: "user")
        let other = world.addLNS(World.otherLNSAddress)
        server.answer = { _ in
            (
                .accessAccept,
                Self.attributes {
                    Self.tunnel(&$0, tag: 1, "198.51.100.2", preference: 20)
                    Self.tunnel(&$0, tag: 2, "198.51.100.3", preference: 10, assignment: "gold", client: "our-name")
                }
            )
        }
        _ = Self.dial(world)
        #expect([world.lns.sessionCount, other.sessionCount] == [0, 1])
        #expect(other.tunnels.values.first?.peer?.hostName == "our-name")
        #expect(world.node.tunnelIDs.compactMap { world.node.tunnelSnapshot($0)?.name } == ["isp1-198.51.100.3-gold"])
        // The first choice refuses: the second is asked.
        other.takesCalls = false
        _ = Self.dial(world)
        world.act { other.refuseCalls(.temporarilyUnavailable, at: world.now) }
        world.run(for: .seconds(1))
        #expect([world.lns.sessionCount, other.sessionCount] == [1, 1])
        world.expectNothingLeft()
    }

    @Test(arguments: ["lns", "impostor"]) func theLNSHasToBearItsName(name: String) throws {
        let (world, server) = try Self.world(style: "user")
        server.answer = { _ in
            (.accessAccept, Self.attributes { Self.tunnel(&$0, tag: 1, "198.51.100.2", server: name) })
        }
        let client = Self.dial(world)
        world.run(for: .seconds(5))
        #expect(client.state == (name == "lns" ? .session : .closed))
        world.expectNothingLeft()
    }

    /// Calls with different assignment ids go through different tunnels to one LNS, those with the same through one.
    @Test func assignmentsShareTunnels() throws {
        let (world, server) = try Self.world(style: "user")
        server.answer = { request in
            let isGold = request.text(.userName)?.hasPrefix("gold") == true
            return (
                .accessAccept,
                Self.attributes {
                    Self.tunnel(&$0, tag: 1, "198.51.100.2", assignment: isGold ? "gold" : "lead")
                }
            )
        }
        for user in ["gold1@x.example", "lead1@x.example", "gold2@x.example"] { _ = Self.dial(world, user: user) }
        let tunnels = world.node.tunnelIDs.compactMap { world.node.tunnelSnapshot($0) }
        #expect(
            tunnels.map { "\($0.name) \($0.sessionCount)" } == ["isp1-198.51.100.2-gold 2", "isp1-198.51.100.2-lead 1"])
        world.expectNothingLeft()
    }

    @Test func sessionTimeout() throws {
        let (world, server) = try Self.world(style: "user")
        server.answer = { _ in
            (.accessAccept, Self.framed(World.lnsAddress) { $0.append(.sessionTimeout, integer: 100) })
        }
        let client = Self.dial(world)
        world.run(for: .seconds(98))
        #expect(client.state == .session)
        world.run(for: .seconds(3))
        #expect(client.state == .closed)
        world.expectNothingLeft()
    }

    @Test func idleTimeout() throws {
        let (world, server) = try Self.world(style: "user")
        server.answer = { _ in
            (.accessAccept, Self.framed(World.lnsAddress) { $0.append(.idleTimeout, integer: 60) })
        }
        let client = Self.dial(world)
        for _ in 0..<10 {
            world.run(for: .seconds(20))
            world.act { client.sendEcho() }
        }
        world.run(for: .seconds(40))
        #expect(client.state == .session)
        world.run(for: .seconds(60))
        #expect(client.state == .closed)
        world.expectNothingLeft()
    }

    @Test func bandwidth() throws {
        let (world, server) = try Self.world(style: "user")
        server.answer = { _ in
            (
                .accessAccept,
                Self.framed(World.lnsAddress) {
                    $0.append(.bandwidthMaxUp, integer: 1_000_000)
                    $0.append(.bandwidthMaxDown, integer: 20_000_000)
                }
            )
        }
        _ = Self.dial(world)
        let policers = try #require(world.null.upstreams.values.first?.policers)
        #expect(policers.upstream?.committedRate == 1_000_000)
        #expect(policers.downstream?.peakRate == 20_000_000)
        world.expectNothingLeft()
    }
}
