import Observability
import SimulationSupport
import Testing
import Timing
import Wire

/// What a controller feeds.
@Suite struct StaticFeedTests {
    private static let localAddress = IPAddress.v4(IPv4Address(value: 0xc633_6401))

    private func tunnel(
        _ name: String = "t", peer: IPAddress = .v4(World.lnsAddress), nextHop: StaticNextHop = .peer
    ) -> StaticOperation {
        .addTunnel(
            StaticTunnel(
                name: name, peerAddress: peer, localAddress: Self.localAddress, peerTunnelID: 77, egressPort: "core0",
                nextHop: nextHop))
    }

    private func session(_ reference: UInt64, vlan: UInt16 = 0, tunnel: String = "t") -> StaticOperation {
        .addSession(
            StaticSession(
                reference: reference, port: "access0", outerVLAN: vlan, clientMAC: MACAddress(value: 0x0200_0000_4000),
                tunnel: .name(tunnel), peerSessionID: 0x5000 + UInt16(reference)))
    }

    @Test func addedAndRemoved() throws {
        let world = try World()
        var results: [StaticResult] = []
        world.act { results = world.node.apply([tunnel(), session(1), session(2, vlan: 100)], at: world.now) }
        #expect(
            results == [
                .tunnelAdded(tunnelID: 1), .sessionAdded(pppoeSessionID: 1, sessionID: 1, tunnelID: 1),
                .sessionAdded(pppoeSessionID: 1, sessionID: 2, tunnelID: 1),
            ])
        world.settle()
        #expect(world.null.tunnels[1]?.paths.last?.nextHop == world.lns.mac)
        #expect(world.node.staticTunnelStatus(1)?.nextHopResolved == true)
        #expect(world.node.staticTunnelStatus(1)?.sessionCount == 2)
        #expect(world.node.staticReferences() == [1, 2])
        // They are no clients of the signalling's.
        #expect(world.population == [0, 0, 0])
        #expect(world.node.census == Census(staticTunnels: 1, staticSessions: 2))
        world.null.countUpstream(world.null.upstreams.first { $0.value.reference == 1 }?.key ?? 0, octets: 100)
        world.act { results = world.node.apply([.removeSession(1)], at: world.now) }
        #expect(results == [.sessionRemoved(Traffic(txPackets: 1, txOctets: 100))])
        #expect(world.node.finalTraffic(1) == nil)
        world.settle()
        #expect(world.node.finalTraffic(1) == Traffic(txPackets: 1, txOctets: 100))
        #expect(world.node.finalTraffic(1) == nil)
        world.act { results = world.node.apply([.removeTunnel(.name("t"))], at: world.now) }
        #expect(results == [.tunnelRemoved(sessions: 1)])
        world.settle()
        #expect(world.node.staticReferences() == [])
        world.expectNothingLeft()
    }

    @Test func addedAsABatch() throws {
        let world = try World()
        var batch = StaticSessionBatch(
            port: "access0", tunnel: .name("t"), references: [1, 2, 3, 0, 2, 6, 7],
            clientMACs: [0x0200_0000_4001, 0x0200_0000_4002, 0x0100_0000_4003, 5, 5, 6, 6],
            peerSessionIDs: [11, 12, 13, 14, 15, 0, 17], outerVLANs: [0, 100, 0, 0, 0, 0, 4_095])
        var results: [StaticResult] = []
        world.act { results = world.node.apply([tunnel(), .addSessions(batch)], at: world.now) }
        guard case .sessionsAdded(let added) = results[1] else {
            Issue.record("\(results)")
            return
        }
        #expect(added.tunnelID == 1)
        #expect(added.refused.map(\.index) == [2, 3, 4, 5, 6])
        #expect(added.refused.map(\.fault.code) == [.invalid, .invalid, .alreadyExists, .invalid, .invalid])
        #expect(added.sessionIDs == [1, 2, 0, 0, 0, 0, 0])
        #expect(added.pppoeSessionIDs == [1, 1, 0, 0, 0, 0, 0])
        #expect(world.node.staticReferences(inTunnel: 1) == [1, 2])
        let second = try #require(world.node.staticSessionStatus(2))
        #expect(
            second.session
                == StaticSession(
                    reference: 2, port: "access0", outerVLAN: 100, outerTPID: 0x8100,
                    clientMAC: MACAddress(value: 0x0200_0000_4002), tunnel: .name("t"), peerSessionID: 12))

        // Page by page, in the order of their places, whatever comes and goes.
        let first = world.node.staticSessions(inTunnel: 1, from: 0, limit: 1)
        #expect(first.sessions.map(\.session.reference) == [1])
        world.act { _ = world.node.apply([.removeSession(1)], at: world.now) }
        let rest = world.node.staticSessions(inTunnel: nil, from: try #require(first.next), limit: 10)
        #expect(rest.sessions == [second])
        #expect(rest.next == nil)

        batch.peerSessionIDs.removeLast()
        for (part, code) in [(batch, StaticFault.Code.invalid)] {
            world.act { results = world.node.apply([.addSessions(part)], at: world.now) }
            guard case .refused(let fault) = results[0] else {
                Issue.record("\(results)")
                return
            }
            #expect(fault.code == code)
        }
    }

    @Test func aClearOfEverythingLeavesItAlone() throws {
        let world = try World()
        world.act { _ = world.node.apply([tunnel(), session(1)], at: world.now) }
        world.dialled()
        try world.act { _ = try world.node.clear(.everything, at: world.now) }
        world.run(for: .seconds(60))
        #expect(world.node.staticReferences() == [1])
        #expect(world.null.upstreams.count == 1)
        world.act { _ = world.node.apply([.removeTunnel(.id(1))], at: world.now) }
        world.expectNothingLeft()
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var code: StaticFault.Code
        var make: @Sendable () -> StaticOperation
        var testDescription: String { name }
    }

    private static func newTunnel(_ change: (inout StaticTunnel) -> Void) -> StaticOperation {
        var tunnel = StaticTunnel(
            name: "new", peerAddress: .v4(World.lnsAddress), localAddress: localAddress, peerTunnelID: 5,
            egressPort: "core0"
        )
        change(&tunnel)
        return .addTunnel(tunnel)
    }

    private static func newSession(_ change: (inout StaticSession) -> Void) -> StaticOperation {
        var session = StaticSession(
            reference: 9, port: "access0", clientMAC: MACAddress(value: 0x0200_0000_4000), tunnel: .name("t"),
            peerSessionID: 1)
        change(&session)
        return .addSession(session)
    }

    @Test(arguments: [
        Fault(name: "no name", code: .invalid) { newTunnel { $0.name = "" } },
        Fault(name: "name taken", code: .alreadyExists) { newTunnel { $0.name = "t" } },
        Fault(name: "peer id 0", code: .invalid) { newTunnel { $0.peerTunnelID = 0 } },
        Fault(name: "no such egress port", code: .notFound) { newTunnel { $0.egressPort = "x" } },
        Fault(name: "foreign address", code: .invalid) { newTunnel { $0.localAddress = .v4(World.lnsAddress) } },
        Fault(name: "no way to the peer", code: .invalid) {
            newTunnel { $0.peerAddress = .v4(IPv4Address(value: 0x0a00_0001)) }
        },
        Fault(name: "reference taken", code: .alreadyExists) { newSession { $0.reference = 1 } },
        Fault(name: "no such port", code: .notFound) { newSession { $0.port = "x" } },
        Fault(name: "no such tunnel", code: .notFound) { newSession { $0.tunnel = .name("x") } },
        Fault(name: "peer session 0", code: .invalid) { newSession { $0.peerSessionID = 0 } },
        Fault(name: "group address", code: .invalid) { newSession { $0.clientMAC = .broadcast } },
        Fault(name: "session not there", code: .notFound) { .removeSession(9) },
        Fault(name: "tunnel not there", code: .notFound) { .removeTunnel(.name("x")) },
    ])
    func aFaultChangesNothing(fault: Fault) throws {
        let world = try World()
        world.act { _ = world.node.apply([tunnel(), session(1)], at: world.now) }
        world.settle()
        let before = (world.null.tunnels.count, world.null.upstreams.count, world.null.downstreams.count)
        let result = world.node.apply([fault.make()], at: world.now)
        guard case .refused(let reason)? = result.first else {
            Issue.record("not refused")
            return
        }
        #expect(reason.code == fault.code)
        #expect((world.null.tunnels.count, world.null.upstreams.count, world.null.downstreams.count) == before)
        #expect(world.null.refusals == [])
        world.act { _ = world.node.apply([.removeTunnel(.name("t"))], at: world.now) }
        world.expectNothingLeft()
    }

    /// What a refused tunnel held is let go: nobody asks for its next hop any more.
    @Test func aRefusedTunnelHoldsNoNeighbour() throws {
        let world = try World()
        world.null.failsPublish = true
        world.lns.isDead = true
        world.act { _ = world.node.apply([tunnel()], at: world.now) }
        #expect(world.node.staticTunnelIDs == [])
        world.run(for: .seconds(300))
        #expect(world.node.deadline == nil || world.node.deadline == .distantFuture)
        world.expectNothingLeft()
    }

    @Test func itsNextHopIsFollowed() throws {
        let world = try World()
        world.act {
            _ = world.node.apply(
                [tunnel(), tunnel("fixed", nextHop: .mac(MACAddress(value: 0x0200_0000_7777)))], at: world.now)
        }
        world.run(for: .seconds(5))
        let mac = MACAddress(value: 0x0200_0000_8888)
        world.act { world.lns.move(to: mac, telling: World.coreMAC) }
        world.settle()
        #expect(world.null.tunnels[1]?.paths.map(\.nextHop) == [nil, MACAddress(value: 0x0200_0000_2002), mac])
        #expect(world.null.tunnels[2]?.paths.map(\.nextHop) == [MACAddress(value: 0x0200_0000_7777)])
        world.act { _ = world.node.apply([.removeTunnel(.id(1)), .removeTunnel(.id(2))], at: world.now) }
        world.expectNothingLeft()
    }
}
