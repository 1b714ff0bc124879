import Observability
import Roles
import SimulationSupport
import Testing
import Timing

/// Numbers for metrics are those of the snapshots, one by one.
@Suite struct CensusTests {
    /// The census by the longer way.
    private static func counted(_ world: World) -> Census {
        let node = world.node
        func tally<State: Hashable>(_ states: [State]) -> [State: Int] {
            Dictionary(states.map { ($0, 1) }, uniquingKeysWith: +)
        }
        let sessions = node.tunnelIDs.flatMap { tunnel in
            node.sessionIDs(inTunnel: tunnel).compactMap { node.sessionSnapshot(tunnel, $0)?.state }
        }
        return Census(
            connections: tally(world.states()),
            tunnels: tally(node.tunnelIDs.compactMap { node.tunnelSnapshot($0)?.state }), sessions: tally(sessions))
    }

    @Test func nobodyIsCountedAsNobody() throws {
        #expect(try World().node.census == Census())
    }

    @Test func clientsTunnelsAndSessionsAreCountedByState() throws {
        let world = try World()
        for _ in 0..<3 { world.dialled() }
        #expect(
            world.node.census
                == Census(connections: [.open: 3], tunnels: [.established: 1], sessions: [.established: 3]))
        // One more, whose call is not answered, and one that is only beginning.
        world.lns.takesCalls = false
        world.dialled()
        #expect(
            world.node.census
                == Census(
                    connections: [.open: 3, .connecting: 1], tunnels: [.established: 1],
                    sessions: [.established: 3, .waitReply: 1]))
        #expect(world.node.census == Self.counted(world))
    }

    /// At every moment of many clients' coming and going over a bad network.
    @Test func theNumbersAreThoseOfTheSnapshotsAtAnyTime() throws {
        let world = try World(profile: "session-limit: 4")
        world.faults = .init(loss: 100, duplication: 50, delay: 100)
        for _ in 0..<12 { _ = world.addClient() }
        var seen: Set<ConnectionState> = []
        for round in 0..<60 {
            world.act {
                let client = world.clients[round % 12]
                if round % 3 == 2 { client.hangUp() } else { client.dial(at: world.now) }
            }
            for _ in 0..<20 {
                world.run(for: .milliseconds(17))
                let census = world.node.census
                #expect(census == Self.counted(world))
                seen.formUnion(census.connections.keys)
            }
        }
        #expect(seen == Set(ConnectionState.allCases))
    }

    @Test func theHostsCountersAreThereInTheirOrder() throws {
        let world = try World()
        world.dialled()
        let counters = world.node.hostCounters
        #expect(counters.count == 52)
        #expect(counters.first?.name == "host_frame_malformed")
        #expect(counters.first { $0.name == "host_arp_requested" }?.value == 1)
        #expect(counters.allSatisfy { !$0.text.isEmpty })
    }
}
