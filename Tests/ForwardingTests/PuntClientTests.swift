import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire
import Worker

/// What one client may give to culvertd, as a table and through a worker; time is given.
@Suite(.serialized) struct PuntClientTests {
    static let second: UInt64 = 1_000_000

    /// A table in which a client may have 10 frames a second, at once and so 11 with the one that is due.
    private func table(_ rate: UInt32 = 10, seed: UInt64 = 1) throws -> PuntClients {
        _ = try Ports.shared.get()  // starts DPDK
        return try PuntClients(
            limits: PuntLimits(all: rate), cyclesPerSecond: Self.second, seed: seed, socket: -1)
    }

    @Test func aClientHasItsRateAndNoMore() throws {
        let clients = try table()
        defer { clients.deallocate() }
        let start = 5 * Self.second
        let atOnce = (0..<1_000).count { _ in clients.take(.pppoeDiscovery, PuntClient(1), now: start) }
        #expect(atOnce == 11)
        let later = (1...1_000).count { step in
            clients.take(.pppoeDiscovery, PuntClient(1), now: start + UInt64(step) * 1_000)
        }
        #expect(later == 10)
        #expect(clients.take(.pppoeDiscovery, PuntClient(2), now: start), "another client has its own")
        #expect(clients.take(.arp, PuntClient(1), now: start), "and it has its own in another class")
    }

    @Test func aRateOfNothingIsNoLimit() throws {
        let clients = try table(0)
        defer { clients.deallocate() }
        #expect((0..<1_000).allSatisfy { _ in clients.take(.arp, PuntClient(1), now: 0) })
    }

    /// A flooder sends 1,000 frames a second for ten seconds, and quiet clients one in two seconds each, while strangers, none of
    /// whom comes twice, are ten times and more what the table holds.
    @Test(arguments: [0, 1, 10, 50]) func strangersNeitherFreeTheFlooderNorRefuseAnybody(strangers: Int) throws {
        let clients = try table(seed: UInt64(strangers) + 7)
        defer { clients.deallocate() }
        var (flood, quiet, passed) = (0, 0, 0)
        var nextStranger: UInt64 = 1 << 32
        for millisecond in 0..<10_000 as Range<UInt64> {
            let now = Self.second + millisecond * 1_000
            flood += clients.take(.unknownSession, PuntClient(1), now: now) ? 1 : 0
            // 2,000 quiet clients, one of them each millisecond.
            quiet += clients.take(.unknownSession, PuntClient(10_000 + millisecond % 2_000), now: now) ? 1 : 0
            for _ in 0..<strangers {
                nextStranger += 1
                passed += clients.take(.unknownSession, PuntClient(nextStranger), now: now) ? 1 : 0
            }
        }
        #expect(flood == 11 + 99, "what its rate allows, and not one more for all the strangers")
        #expect(quiet == 10_000, "nobody quiet is refused")
        #expect(
            passed == strangers * 10_000, "the table refuses nobody for being full; the class's bucket comes after it")
    }

    @Test func aTableFullOfFloodersStillServesAQuietClient() throws {
        let clients = try table()
        defer { clients.deallocate() }
        let now = Self.second
        for flooder in 0..<UInt64(4 * PuntClients.capacity) {
            for _ in 0..<11 { _ = clients.take(.arp, PuntClient(flooder), now: now) }
        }
        #expect((0..<1_000).allSatisfy { clients.take(.arp, PuntClient(1 << 40 + UInt64($0)), now: now) })
    }

    @Test func theSeedMovesClients() throws {
        // As many clients as there are places, all with empty buckets: some sets get more of them than they hold. Whom that
        // befalls is the seed's secret.
        func forgotten(_ seed: UInt64) throws -> Set<UInt64> {
            let clients = try table(seed: seed)
            defer { clients.deallocate() }
            let everybody = 0..<UInt64(PuntClients.capacity)
            for client in everybody {
                for _ in 0..<11 { _ = clients.take(.arp, PuntClient(client), now: Self.second) }
            }
            return Set(everybody.filter { clients.take(.arp, PuntClient($0), now: Self.second) })
        }
        let (first, again, other) = (try forgotten(1), try forgotten(1), try forgotten(2))
        #expect(first == again)
        #expect(first != other)
        #expect((1..<PuntClients.capacity / 2).contains(first.count))
    }

    /// Two frames of one class by two clients.
    struct Pair: CustomTestStringConvertible, Sendable {
        let name: String
        let punt: PuntClass
        let port: Int
        let flooder: [UInt8]
        let quiet: [UInt8]
        var testDescription: String { name }
    }

    static let discovery = with(Golden.upstream[0].input, [13: 0x63])
    static let pairs: [Pair] = [
        Pair(
            name: "discovery: MAC", punt: .pppoeDiscovery, port: 0, flooder: discovery,
            quiet: with(discovery, [11: 9])),
        Pair(
            name: "discovery: VLAN", punt: .pppoeDiscovery, port: 0, flooder: discovery,
            quiet: tagged(discovery, "81000064")),
        Pair(
            name: "discovery: inner VLAN", punt: .pppoeDiscovery, port: 0,
            flooder: tagged(discovery, "88a8006481000007"),
            quiet: tagged(discovery, "88a8006481000008")),
        Pair(
            name: "ARP: MAC", punt: .arp, port: 0, flooder: with(discovery, [12: 8, 13: 6]),
            quiet: with(discovery, [12: 8, 13: 6, 8: 1])),
        Pair(
            name: "unknown session: MAC", punt: .unknownSession, port: 0,
            flooder: with(Golden.upstream[0].input, [17: 7]), quiet: with(Golden.upstream[0].input, [17: 7, 11: 9])),
        Pair(
            name: "PPP: session", punt: .pppControl, port: 0, flooder: upFrame(8, 0), quiet: upFrame(5, 0)),
        Pair(
            name: "IPv4: source", punt: .ipv4, port: 1, flooder: ip(with(downFrame(9, 0), [23: 1])),
            quiet: ip(with(downFrame(9, 0), [23: 1, 29: 7]))),
        Pair(
            name: "L2TP control: tunnel", punt: .l2tpControl, port: 1, flooder: with(downFrame(9, 0), [42: 0xc8]),
            quiet: with(downFrame(9, 0), [42: 0xc8, 47: 8])),
        Pair(
            name: "L2TP of no tunnel: source", punt: .l2tpUnknown, port: 1,
            flooder: ip(with(downFrame(9, 0), [42: 0xc8, 29: 7])), quiet: ip(with(downFrame(9, 0), [42: 0xc8, 29: 8]))),
        Pair(
            name: "L2TP of no tunnel: tunnel id", punt: .l2tpUnknown, port: 1,
            flooder: with(downFrame(9, 0), [42: 0xc8, 47: 9]),
            quiet: ip(with(downFrame(9, 0), [42: 0xc8, 47: 0, 29: 8]))),
    ]

    @Test(arguments: pairs) func oneClientsFloodLeavesTheOthersTheirs(pair: Pair) throws {
        // 400 frames a second of the class, 10 of a client.
        let rig = try Rig(limits: PuntLimits(all: 400), clientLimits: PuntLimits(all: 10))
        rig.view.upstream[5].state = UInt32(CULVERT_STATE_PUNT)
        rig.view.tunnels[8] = rig.view.tunnels[7]
        let hertz = culvert_cycles_per_second()
        var quiet = 0
        for tick in 0..<100 as Range<UInt64> {  // a hundredth of a second each
            for _ in 0..<10 { rig.send(pair.flooder, port: pair.port) }
            if tick % 20 == 0 { rig.send(pair.quiet, port: pair.port) }
            rig.worker.iterate(now: 10 * hertz + tick * (hertz / 100))
            quiet += rig.takePunts().count { $0.frame == pair.quiet }
        }
        #expect(quiet == 5, "1,000 frames a second of another client cost it none of its five")
        let flood: UInt64 = 11 + 9
        #expect(
            rig.terminals == [.punted(pair.punt): flood + 5, .puntClientLimited(pair.punt): 1_000 - flood])
        #expect(rig.isBalanced)
    }

    @Test func withoutItTheFloodTakesTheClassesShare() throws {
        let rig = try Rig(limits: PuntLimits(all: 40))
        let hertz = culvert_cycles_per_second()
        let pair = Self.pairs[0]
        var quiet = 0
        for tick in 0..<100 as Range<UInt64> {
            for _ in 0..<10 { rig.send(pair.flooder, port: pair.port) }
            if tick % 20 == 0 { rig.send(pair.quiet, port: pair.port) }
            rig.worker.iterate(now: 10 * hertz + tick * (hertz / 100))
            quiet += rig.takePunts().count { $0.frame == pair.quiet }
        }
        #expect(quiet == 0)
        #expect(rig.counters[.puntLimitedPPPoEDiscovery] ?? 0 > 900)
    }
}
