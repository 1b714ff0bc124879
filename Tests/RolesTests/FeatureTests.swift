import Observability
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// What profiles and instances say of sizes, order and rates reaches the forwarding table and the LNS.
@Suite struct FeatureTests {
    private static func features(of world: World) throws -> SessionSettings {
        try #require(world.null.upstreams.values.first).features
    }

    @Test func withoutSettingsThereAreNone() throws {
        let world = try World()
        world.dialled()
        #expect(try Self.features(of: world) == SessionSettings())
        let connected = try #require(world.lns.sessions.values.first?.values.first)
        #expect(!connected.sequencingRequired)
        let path = try #require(world.null.tunnels.values.first?.paths.last)
        #expect(path.mtu == 1_500)
        #expect(path.tooBig == .fragment)
        #expect(!path.dontFragment)
        #expect(path.offsetPad == nil)
        #expect(!path.acceptsZeroChecksum)
    }

    @Test(arguments: [("auto", 1_420 as UInt16?), ("1300", 1_300), ("off", nil)])
    func segmentsAreClamped(_ setting: String, _ size: UInt16?) throws {
        let world = try World(instance: "tcp-mss: \(setting)")
        world.dialled()
        #expect(try Self.features(of: world).maximumSegmentSize == size)
        let tunnel = try #require(world.node.tunnelIDs.first)
        let session = try #require(world.node.sessionIDs(inTunnel: tunnel).first)
        #expect(world.node.sessionSnapshot(tunnel, session)?.maximumSegmentSize == size ?? 0)
    }

    @Test(arguments: [("off", false, false), ("on", true, false), ("required", true, true)])
    func sequenceNumbersAreAskedFor(_ setting: String, _ sends: Bool, _ requires: Bool) throws {
        let world = try World(profile: "data-sequence-numbers: \(setting), reorder: true")
        world.dialled()
        let features = try Self.features(of: world)
        #expect(features.sendsSequenceNumbers == sends)
        #expect(features.requiresSequenceNumbers == requires)
        #expect(features.reorders)
        let connected = try #require(world.lns.sessions.values.first?.values.first)
        #expect(connected.sequencingRequired == requires)
    }

    @Test func pathsAreAsTheProfileSays() throws {
        let world = try World(
            profile: "path-mtu: 1400, dont-fragment: true, too-big: tell, offset-pad: 16, ipv6-zero-checksum: true")
        world.dialled()
        let path = try #require(world.null.tunnels.values.first?.paths.last)
        #expect(path.mtu == 1_400)
        #expect(path.dontFragment)
        #expect(path.tooBig == .tell)
        #expect(path.offsetPad == 16)
        #expect(path.acceptsZeroChecksum)
        let tunnel = try #require(world.node.tunnelIDs.first)
        let settings = try #require(world.node.tunnelSnapshot(tunnel)).settings
        #expect(settings.pathMTU == 1_400)
        #expect(settings.dontFragment)
        #expect(settings.tooBig == "tell")
        #expect(settings.offsetPad == 16)
        #expect(settings.dataSequenceNumbers == "off")
    }

    // MARK: Policers

    private static let slow = PolicerSettings(
        committedRate: 1_000_000, peakRate: 2_000_000, committedBurst: 15_000, peakBurst: 30_000)
    private static let fast = PolicerSettings(
        committedRate: 100_000_000, peakRate: 100_000_000, committedBurst: 150_000, peakBurst: 150_000)

    @Test func policersAreSetByRouteAndBySession() throws {
        let world = try World()
        world.dialled()
        let route = try #require(world.node.routeIDs.first)
        let tunnel = try #require(world.node.tunnelIDs.first)
        let session = try #require(world.node.sessionIDs(inTunnel: tunnel).first)
        #expect(
            try world.node.setPolicers(of: .route(route), upstream: .set(Self.slow), downstream: .keep)
                == SessionPolicers(upstream: Self.slow))
        #expect(
            try world.node.setPolicers(of: .l2tp(session, tunnel: nil), upstream: .keep, downstream: .set(Self.fast))
                == SessionPolicers(upstream: Self.slow, downstream: Self.fast))
        #expect(
            try world.node.setPolicers(of: .l2tp(session, tunnel: tunnel), upstream: .remove, downstream: .keep)
                == SessionPolicers(downstream: Self.fast))
        #expect(world.null.upstreams.values.first?.policers == SessionPolicers(downstream: Self.fast))
        #expect(world.node.sessionSnapshot(tunnel, session)?.policers == SessionPolicers(downstream: Self.fast))
    }

    @Test func aRefusedPolicerChangesNothing() throws {
        let world = try World()
        world.dialled()
        let route = try #require(world.node.routeIDs.first)
        world.null.failsPolicers = true
        #expect(throws: ControlNode.PolicerFault.self) {
            try world.node.setPolicers(of: .route(route), upstream: .set(Self.slow), downstream: .keep)
        }
        #expect(world.null.upstreams.values.first?.policers == SessionPolicers())
    }

    @Test func policersNeedASessionThatForwards() throws {
        let world = try World()
        world.lns.isMute = true
        world.dialled(.milliseconds(500))
        #expect(world.node.routeIDs.count == 1)
        #expect(throws: ControlNode.PolicerFault.notFound("no route 99 forwards")) {
            try world.node.setPolicers(of: .route(99), upstream: .keep, downstream: .keep)
        }
        for route in world.node.routeIDs {
            #expect(throws: ControlNode.PolicerFault.notFound("no route \(route) forwards")) {
                try world.node.setPolicers(of: .route(route), upstream: .set(Self.slow), downstream: .keep)
            }
        }
        #expect(throws: ControlNode.PolicerFault.notFound("no session 1 in tunnel 2 forwards")) {
            try world.node.setPolicers(of: .l2tp(1, tunnel: 2), upstream: .keep, downstream: .keep)
        }
        #expect(throws: ControlNode.PolicerFault.notFound("there is no static session with reference 5")) {
            try world.node.setPolicers(of: .staticSession(5), upstream: .keep, downstream: .keep)
        }
    }
}
