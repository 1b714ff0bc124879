import Configuration
import Observability
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// A changed configuration while clients are served: what did not change keeps its sessions.
@Suite struct ReloadTests {
    private func apply(_ world: World, _ configuration: Configuration) {
        world.act { world.node.apply(configuration, at: world.now) }
        world.run(for: .seconds(3))
    }

    @Test func nothingChanged() throws {
        let world = try World()
        world.dialled()
        _ = world.takeTrace()
        apply(world, try World.configuration())
        #expect(world.takeTrace() == [])
        #expect(world.states() == [.open])
        #expect(world.node.tunnelIDs == [1])
        world.dialled()
        #expect(world.node.tunnelIDs == [1])
        world.expectNothingLeft()
    }

    /// Control settings are for tunnels that come; the old one goes with its last call.
    @Test func otherTunnelSettings() throws {
        let world = try World()
        let first = world.dialled()
        apply(world, try World.configuration(profile: "hello-timeout: 17"))
        #expect(world.states() == [.open])
        world.dialled()
        #expect(world.node.tunnelIDs == [1, 2])
        #expect(world.node.tunnelSnapshot(2)?.settings.helloTimeoutSeconds == 17)
        world.act { first.hangUp() }
        world.run(for: .seconds(60))
        #expect(world.node.tunnelIDs == [2])
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }

    /// What concerns the path is in force at once, for sessions that are up as well.
    @Test func otherPathSettings() throws {
        let world = try World()
        world.dialled()
        apply(world, try World.configuration(profile: "tos: 184, path-mtu: 1400"))
        #expect(world.node.tunnelIDs == [1])
        #expect(world.null.tunnels[1]?.paths.last?.typeOfService == 184)
        #expect(world.null.tunnels[1]?.paths.last?.mtu == 1_400)
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }

    @Test func otherInstanceSettings() throws {
        let world = try World()
        world.dialled()
        apply(world, try World.configuration(instance: "session-limit: 1"))
        #expect(world.states() == [.open])
        let second = world.dialled()
        #expect(second.state == .closed)
        world.expectNothingLeft()
    }

    /// A VLAN that is not served any more: its clients are told, the others stay.
    @Test func aVLANIsWithdrawn() throws {
        let world = try World(interface: "vlans: \"untagged,100\"")
        let kept = world.dialled()
        let gone = world.addClient(outer: 100, tags: [.init(protocolID: 0x8100, id: 100)])
        world.act { gone.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.states() == [.open, .open])
        apply(world, try World.configuration(interface: "vlans: untagged"))
        #expect([kept.state, gone.state] == [.session, .closed])
        #expect(world.states() == [.open])
        #expect(world.lns.sessionCount == 1)
        world.expectNothingLeft()
    }

    @Test func theLNSMoves() throws {
        let world = try World()
        let other = world.addLNS(World.otherLNSAddress)
        world.dialled()
        apply(world, try World.configuration(peer: "static 198.51.100.3"))
        world.dialled()
        #expect([world.lns.sessionCount, other.sessionCount] == [1, 1])
        world.expectNothingLeft()
    }

    @Test func radiusIsAddedAndTakenAway() throws {
        let world = try World()
        let server = RADIUSStation()
        world.radiusServers[World.radiusAddress] = server
        apply(
            world, try World.configuration(instance: "accounting: {group: isps}", more: World.radiusSections))
        world.dialled()
        #expect(server.records.map { $0.integer(.acctStatusType) } == [7, 1])
        server.isDead = true
        world.clients.first?.hangUp()
        world.run(for: .seconds(1))
        apply(world, try World.configuration())
        #expect(world.node.accountingCounters[.lost] == 1)
        #expect(!world.node.hasUnsentRecords)
        world.expectNothingLeft()
    }
}
