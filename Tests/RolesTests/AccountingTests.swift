import Observability
import RADIUS
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// Accounting: what servers are told of sessions and tunnels, whatever happens to servers, sessions and node.
@Suite struct AccountingTests {
    /// A journal in memory that outlives a node.
    final class Journal: AccountingBacklog {
        var records: [(id: UInt64, group: String, record: [UInt8])] = []
        var last: UInt64 = 0
        let capacity: Int

        init(capacity: Int = 1_000) { self.capacity = capacity }

        func append(_ record: [UInt8], group: String, time: UInt32) -> UInt64? {
            last += 1
            records.append((last, group, record))
            return last
        }
        func remove(_ ids: [UInt64]) { records.removeAll { ids.contains($0.id) } }
        func takeBacklog() -> [(id: UInt64, group: String, record: [UInt8])] { records }
    }

    private static func kinds(_ records: [RADIUSAttributes]) -> [String] {
        records.map { record in
            record.integer(.acctStatusType).flatMap(AccountingStatus.init(rawValue:)).map { "\($0)" } ?? "?"
        }
    }

    private static func world(
        _ accounting: String = "", journal: any AccountingBacklog = Journal()
    ) throws -> (World, RADIUSStation) {
        let server = RADIUSStation()
        let world = try World(
            instance: "accounting: {group: isps\(accounting)}", more: World.radiusSections, radius: server,
            journal: journal)
        world.run(for: .seconds(1))
        return (world, server)
    }

    @Test func startInterimStop() throws {
        let (world, server) = try Self.world(",interim-interval: 60")
        #expect(Self.kinds(server.takeRecords()) == ["Accounting-On"])
        let client = world.dialled()
        let slot = try #require(world.null.upstreams.keys.first)
        world.null.countUpstream(slot, octets: 100)
        world.null.countUpstream(slot, octets: 200)
        world.run(for: .seconds(60))
        world.null.countUpstream(slot, octets: 5_000_000_000)
        world.act { client.hangUp() }
        world.run(for: .seconds(2))
        let records = server.takeRecords()
        #expect(Self.kinds(records) == ["Start", "Interim-Update", "Stop"])
        #expect(Set(records.map { $0.text(.acctSessionID) }).count == 1)
        #expect(records.map { $0.text(.userName) } == Array(repeating: "alice@example.net", count: 3))
        #expect(records.map { $0.text(.tunnelServerEndpoint) } == Array(repeating: "\0198.51.100.2", count: 3))
        let (interim, stop) = (records[1], records[2])
        #expect(interim.integer(.acctInputOctets) == 300)
        #expect(interim.integer(.acctInputPackets) == 2)
        #expect(stop.integer(.acctInputGigawords) == 1)
        #expect(stop.integer(.acctInputOctets) == UInt32(5_000_000_300 - (1 << 32)))
        #expect(stop.integer(.acctInputPackets) == 3)
        #expect(stop.integer(.acctOutputPackets) == 0)
        #expect(stop.integer(.acctTerminateCause) == TerminateCause.userRequest.rawValue)
        #expect(world.node.accountingCounters[.made] == 4)
        #expect(world.node.accountingCounters[.taken] == 4)
        world.expectNothingLeft()
    }

    enum End: String, CaseIterable, Sendable { case client, lns, silence, `operator`, shutDown }

    @Test(
        arguments: zip(
            End.allCases,
            [
                TerminateCause.userRequest, .hostRequest, .lostService, .adminReset, .adminReboot,
            ]))
    func causes(end: End, cause: TerminateCause) throws {
        let (world, server) = try Self.world()
        let client = world.dialled()
        _ = server.takeRecords()
        try world.act {
            switch end {
            case .client: client.hangUp()
            case .lns: world.lns.disconnect(.administrative, at: world.now)
            case .silence: world.lns.isDead = true
            case .operator: _ = try world.node.clear(.connection(1), at: world.now)
            case .shutDown: world.node.shutDown(at: world.now)
            }
        }
        world.run(for: .seconds(end == .silence ? 200 : 2))
        let stops = server.takeRecords().filter { $0.integer(.acctStatusType) == AccountingStatus.stop.rawValue }
        #expect(stops.map { $0.integer(.acctTerminateCause) } == [cause.rawValue])
    }

    @Test func tunnelsAndLinks() throws {
        let (world, server) = try Self.world(",tunnel: true")
        let client = world.dialled()
        let slot = try #require(world.null.upstreams.keys.first)
        world.null.countUpstream(slot, octets: 700)
        world.act { client.hangUp() }
        world.run(for: .seconds(1))
        try world.act { _ = try world.node.clear(.everything, at: world.now) }
        world.run(for: .seconds(60))
        let records = server.takeRecords()
        #expect(
            Self.kinds(records) == [
                "Accounting-On", "Tunnel-Start", "Start", "Tunnel-Link-Start", "Stop", "Tunnel-Link-Stop",
                "Tunnel-Stop",
            ])
        let stop = try #require(records.last)
        #expect(stop.integer(.acctInputOctets) == 700)
        #expect(stop.text(.tunnelClientEndpoint) == "\0198.51.100.1", "tag 0: there is one tunnel")
        #expect(stop.text(.tunnelServerAuthID) == "\0lns")
        world.expectNothingLeft()
    }

    @Test func aTunnelThatIsNotToBeHad() throws {
        let (world, server) = try Self.world(",tunnel: true")
        world.lns.secret = Array("wrong".utf8)
        world.dialled(.seconds(5))
        #expect(Self.kinds(server.takeRecords()) == ["Accounting-On", "Tunnel-Link-Reject", "Tunnel-Reject"])
        world.expectNothingLeft()
    }

    /// Servers are away for an hour: nothing is lost, and all comes in order.
    @Test func theServersAreAway() throws {
        let (world, server) = try Self.world()
        _ = server.takeRecords()
        server.isDead = true
        for _ in 0..<5 {
            let client = world.dialled()
            world.act { client.hangUp() }
            world.run(for: .seconds(700))
        }
        #expect(server.takeRecords().isEmpty)
        server.isDead = false
        world.run(for: .seconds(120))
        let records = server.takeRecords()
        #expect(Self.kinds(records) == Array(repeating: ["Start", "Stop"], count: 5).flatMap { $0 })
        let times = records.compactMap { $0.integer(.eventTimestamp) }
        #expect(times == times.sorted())
        // Servers are told how old the news are.
        let delay = try #require(records.first?.integer(.acctDelayTime))
        #expect(delay > 3_000)
        #expect(!world.node.hasUnsentRecords)
        world.expectNothingLeft()
    }

    /// The node ends without a word: the next one sends what the journal holds.
    @Test func theJournalIsReplayed() throws {
        let journal = Journal()
        let (world, server) = try Self.world(journal: journal)
        server.isDead = true
        let client = world.dialled()
        world.act { client.hangUp() }
        world.run(for: .seconds(1))
        #expect(journal.records.count == 2)
        let (next, other) = try Self.world(journal: journal)
        next.run(for: .seconds(2))
        #expect(Self.kinds(other.takeRecords()) == ["Start", "Stop", "Accounting-On"])
        #expect(next.node.accountingCounters[.replayed] == 2)
        #expect(journal.records.isEmpty)
    }

    /// Full: the newest is refused, and those that wait stay.
    @Test func theJournalIsFull() throws {
        let journal = Journal(capacity: 3)
        let (world, server) = try Self.world(journal: journal)
        server.isDead = true
        for _ in 0..<3 {
            let client = world.dialled()
            world.act { client.hangUp() }
            world.run(for: .seconds(1))
        }
        #expect(world.node.accountingCounters[.refused] == 3)
        server.isDead = false
        _ = server.takeRecords()
        world.run(for: .seconds(120))
        #expect(Self.kinds(server.takeRecords()) == ["Start", "Stop", "Start"])
        world.expectNothingLeft()
    }

    // MARK: Dynamic authorization

    private static let clients = "radius: {dynamic-authorization: {clients: [{address: 10.0.0.9, key: coa-secret}]}}"
    private static let client = IPAddress.v4(IPv4Address(value: 0x0a00_0009))

    private static func ask(
        _ world: World, _ code: RADIUSCode, from address: IPAddress = client, secret: String = "coa-secret",
        _ fill: (inout RADIUSAttributes) -> Void
    ) throws -> RADIUSPacket? {
        var attributes = RADIUSAttributes()
        fill(&attributes)
        let request = try RADIUSPacket.request(
            code, identifier: 7, attributes: attributes, secret: Array(secret.utf8), random: .zero)
        world.act {
            world.node.receiveDynamicAuthorization(request.bytes, from: address, port: 5_000, at: world.now)
        }
        world.settle()
        defer { world.outbox.answers = [] }
        return try world.outbox.answers.last.map { try RADIUSPacket(decoding: $0[...]) }
    }

    private static func dynamic() throws -> (World, RADIUSStation, id: String) {
        let server = RADIUSStation()
        let world = try World(
            instance: "accounting: {group: isps}", more: World.radiusSections + "\n" + clients, radius: server)
        world.dialled()
        let id = try #require(server.records.last?.text(.acctSessionID))
        return (world, server, id)
    }

    @Test func disconnect() throws {
        let (world, server, id) = try Self.dynamic()
        let wrong = try Self.ask(world, .disconnectRequest) { $0.append(.acctSessionID, text: id + "0") }
        #expect(wrong?.code == .disconnectNAK)
        #expect(wrong?.attributes.integer(.errorCause) == 503)
        #expect(world.states() == [.open])
        let answer = try Self.ask(world, .disconnectRequest) { $0.append(.acctSessionID, text: id) }
        #expect(answer?.code == .disconnectACK)
        world.run(for: .seconds(1))
        #expect(world.states() == [])
        #expect(server.records.last?.integer(.acctTerminateCause) == TerminateCause.adminReset.rawValue)
        world.expectNothingLeft()
    }

    @Test func changeOfRates() throws {
        let (world, _, _) = try Self.dynamic()
        let answer = try Self.ask(world, .coaRequest) {
            $0.append(.userName, text: "alice@example.net")
            $0.append(.bandwidthMaxDown, integer: 3_000_000)
        }
        #expect(answer?.code == .coaACK)
        let policers = try #require(world.null.upstreams.values.first?.policers)
        #expect(policers.downstream?.committedRate == 3_000_000)
        #expect(policers.upstream == nil)
        world.expectNothingLeft()
    }

    /// Strangers, and those who do not know the secret, get no answer and change nothing.
    @Test(arguments: [
        (IPAddress.v4(IPv4Address(value: 0x0a00_0008)), "coa-secret"), (client, "guess"),
    ])
    func strangers(address: IPAddress, secret: String) throws {
        let (world, _, id) = try Self.dynamic()
        let answer = try Self.ask(world, .disconnectRequest, from: address, secret: secret) {
            $0.append(.acctSessionID, text: id)
        }
        #expect(answer == nil)
        #expect(world.states() == [.open])
        world.expectNothingLeft()
    }
}
