import Foundation
import Names
import Resolver
import Synchronization
import Testing
import Wire

/// Against unbound on a port of the loopback address; servers that are dead or silent are sockets of the test.
@Suite(.enabled("unbound is installed") { Unbound.isInstalled }, .timeLimit(.minutes(2)))
struct ResolverTests {
    private let unbound: Unbound
    private let resolver: Resolver

    init() throws {
        unbound = try Unbound()
        resolver = try Resolver()
    }

    private static func addresses(_ texts: (String, UInt32)...) -> NameResult {
        .addresses(
            texts.map { text, ttl in
                ResolvedAddress(IPAddress(text) ?? .v4(.any), ttl: ttl)
            }, isComplete: true)
    }

    private func query(_ name: String, _ servers: [NameServer]? = nil) throws -> NameQuery {
        NameQuery(name: try HostName(name), servers: servers ?? [unbound.server])
    }

    /// Where nobody answers.
    private static let quick = Patience(timeout: .milliseconds(100), tries: 1)
    /// Where unbound answers, as fast as the machine lets it, when the silent server's time is over.
    private static let fair = Patience(timeout: .seconds(1), tries: 1)

    @Test func asksForBothKindsOfAddress() async throws {
        let expected = Self.addresses(("192.0.2.1", 300), ("2001:db8::1", 120))
        #expect(await resolver.resolve(try query("lns.isp1.test")) == expected)
        #expect(await resolver.resolve(try query("LNS.isp1.TEST")) == expected)
        #expect(await resolver.resolve(try query("six.test")) == Self.addresses(("2001:db8::6", 60)))
        resolver.shutDown()
        #expect(resolver.statistics.completed == 3 && resolver.statistics.questions == 6)
    }

    @Test func asksServersByIPv6() async throws {
        let result = await resolver.resolve(try query("lns.isp1.test", [unbound.server6]))
        #expect(result == Self.addresses(("192.0.2.1", 300), ("2001:db8::1", 120)))
    }

    @Test func takesSeveralAddresses() async throws {
        let result = await resolver.resolve(try query("four.test"))
        #expect(result.addresses.map(\.description).sorted() == (11...14).map { "192.0.2.\($0)" })
    }

    /// The TTL is the least of the chain's, whether the server follows it or leaves that to us.
    @Test func followsAliases() async throws {
        let followed = await resolver.resolve(try query("alias1.test"))
        #expect(followed == Self.addresses(("192.0.2.1", 30), ("2001:db8::1", 30)))
        #expect(await resolver.resolve(try query("a.chain")) == Self.addresses(("192.0.2.50", 40)))
        resolver.shutDown()
        #expect(resolver.statistics.questions == 2 + 6)
    }

    @Test(arguments: [
        ("nosuch.test", NameResult.absent(.noSuchName, ttl: 20)), ("empty.test", .absent(.noAddress, ttl: 20)),
        ("toempty.test", .absent(.noAddress, ttl: 7)), ("nothing.chain", .absent(.noSuchName, ttl: nil)),
        ("x.refused", .failed(.refused)), ("y.broken", .failed(.serverFailure)),
        ("x.delegated.test", .failed(.noRecursion)), ("loop1.test", .failed(.aliasLoop)),
        ("l1.chain", .failed(.aliasLoop)), ("odd.chain", .failed(.malformedAnswer)),
    ])
    func saysWhatThereIsNot(name: String, result: NameResult) async throws {
        #expect(await resolver.resolve(try query(name)) == result)
    }

    /// Sixty addresses do not fit into the 512 octets of a UDP answer.
    @Test func asksAgainByTCP() async throws {
        guard case .addresses(let found, isComplete: true) = await resolver.resolve(try query("big.test")) else {
            Issue.record("no addresses")
            return
        }
        #expect(found.map(\.address).sorted().map(\.description) == (1...60).map { "198.51.100.\($0)" })
        #expect(found.allSatisfy { $0.ttl == 200 })
    }

    /// Names that /etc/hosts has, or that c-ares would answer itself.
    @Test func asksNobodyButTheServers() async throws {
        #expect(await resolver.resolve(try query("localhost")) == Self.addresses(("192.0.2.98", 50)))
        #expect(await resolver.resolve(try query("localhost.test")) == Self.addresses(("192.0.2.99", 50)))
    }

    // MARK: Servers that do not answer

    @Test func givesUpOnSilence() async throws {
        let silent = try SilentServer()
        let patience = Patience(timeout: .milliseconds(50), tries: 2)
        let before = ContinuousClock.now
        #expect(
            await resolver.resolve(try query("lns.isp1.test", [silent.server]), patience: patience)
                == .failed(.timedOut))
        let took = ContinuousClock.now - before
        #expect(took >= .milliseconds(100), "twice 50 ms")
        #expect(silent.takeCount() == 4, "A and AAAA, twice")
        #expect(await resolver.resolve(try query("x.silent"), patience: patience) == .failed(.timedOut))
        resolver.shutDown()
        #expect(resolver.statistics.timeouts == 8)
    }

    @Test func turnsToTheNextServer() async throws {
        let silent = try SilentServer()
        let servers = [silent.server, unbound.server]
        let result = await resolver.resolve(try query("lns.isp1.test", servers), patience: Self.fair)
        #expect(result == Self.addresses(("192.0.2.1", 300), ("2001:db8::1", 120)))
        #expect(silent.takeCount() == 2)
        // Nobody listens here: the kernel says so, and no time is lost.
        let closed = NameServer(address: unbound.server.address, port: try FreePort.find())
        let before = ContinuousClock.now
        let second = await resolver.resolve(
            try query("lns.isp1.test", [closed, unbound.server]), patience: Patience(timeout: .seconds(30)))
        #expect(second == result)
        #expect(ContinuousClock.now - before < .seconds(20))
        let alone = await resolver.resolve(try query("lns.isp1.test", [closed]), patience: Self.quick)
        #expect(alone == .failed(.unreachable))
    }

    /// A server that fails, refuses or sends us elsewhere is followed by the next; what it said is told when none knows.
    @Test(arguments: [
        ("y.broken", NameFailure.serverFailure), ("x.refused", .refused), ("x.delegated.test", .noRecursion),
    ])
    func turnsToTheNextServerAfterARefusal(name: String, failure: NameFailure) async throws {
        let silent = try SilentServer()
        let patience = Patience(timeout: .milliseconds(700), tries: 2)
        let result = await resolver.resolve(try query(name, [unbound.server, silent.server]), patience: patience)
        #expect(result == .failed(failure))
        #expect(silent.takeCount() == 4)
        resolver.shutDown()
        #expect(resolver.statistics.questions == 2 + 4, "who refused is not asked again")
    }

    /// After three look-ups that had to wait for the second server, the second is asked first.
    @Test func passesOverASilentServer() async throws {
        let silent = try SilentServer()
        let events = Mutex<[ResolverEvent]>([])
        let box = EventBox(events)
        let resolver = try Resolver(event: { box.add($0) })
        let servers = [silent.server, unbound.server]
        for number in 0..<6 {
            let name = try query("n\(number).many.test", servers)
            let result = await resolver.resolve(name, patience: Self.fair)
            #expect(result == Self.addresses(("192.0.2.77", 300), ("2001:db8::77", 300)))
        }
        resolver.shutDown()
        #expect(silent.takeCount() == 3 * 2)
        #expect(resolver.statistics.passedOver == 1 && resolver.statistics.timeouts == 6)
        #expect(box.all == [.serverPassedOver(silent.server, next: unbound.server, for: .seconds(60))])
        #expect(
            box.all.first?.description
                == "name server \(silent.server) does not answer; \(unbound.server) is asked first for the next 60 s")
    }

    @Test func refusesWithoutServers() async throws {
        #expect(await resolver.resolve(try query("lns.isp1.test", [])) == .failed(.noServers))
    }

    // MARK: Many, and the end

    @Test func answersThousandsAtOnce() async throws {
        let expected = Self.addresses(("192.0.2.77", 300), ("2001:db8::77", 300))
        let queries = try (0..<5_000).map { try query("n\($0).many.test") }
        let right = await withTaskGroup(of: Bool.self) { group in
            for query in queries { group.addTask { await resolver.resolve(query) == expected } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(right == 5_000)
        resolver.shutDown()
        // Two questions each; more only where the server was found silent, as it may be on a machine with much else to do.
        let statistics = resolver.statistics
        #expect(statistics.completed == 5_000)
        #expect(statistics.timeouts > 0 ? statistics.questions > 10_000 : statistics.questions == 10_000)
        #expect(resolver.statistics.inFlight == 0 && resolver.statistics.waiting == 0)
    }

    /// More sets of servers than are kept ready, one after the other and all at once.
    @Test func keepsSomeSetsReady() async throws {
        var settings = ResolverSettings()
        settings.groups = 3
        let resolver = try Resolver(settings: settings)
        for number in 1...10 {
            // Sets that differ by how long they are waited for.
            let result = await resolver.resolve(
                try query("lns.isp1.test"), patience: Patience(timeout: .seconds(number)))
            #expect(result == Self.addresses(("192.0.2.1", 300), ("2001:db8::1", 120)))
        }
        #expect(resolver.statistics.serverSets <= 3)
        let silent = try SilentServer()
        let name = try query("lns.isp1.test", [silent.server])
        let results = await withTaskGroup(of: NameResult.self) { group in
            for number in 1...5 {
                group.addTask {
                    await resolver.resolve(name, patience: Patience(timeout: .milliseconds(300 + number), tries: 1))
                }
            }
            return await group.reduce(into: [NameResult: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(results == [.failed(.timedOut): 3, .failed(.overloaded): 2])
    }

    @Test func boundsWhatWaits() async throws {
        var settings = ResolverSettings()
        settings.inFlight = 2
        settings.waiting = 3
        let resolver = try Resolver(settings: settings)
        let silent = try SilentServer()
        let name = try query("lns.isp1.test", [silent.server])
        let results = await withTaskGroup(of: NameResult.self) { group in
            for _ in 0..<50 { group.addTask { await resolver.resolve(name, patience: Self.quick) } }
            return await group.reduce(into: [NameResult: Int]()) { $0[$1, default: 0] += 1 }
        }
        let refused = results[.failed(.overloaded)] ?? 0
        #expect(refused > 0 && results == [.failed(.overloaded): refused, .failed(.timedOut): 50 - refused])
        resolver.shutDown()
        #expect(resolver.statistics.refused == UInt64(refused))
        #expect(resolver.statistics.completed == UInt64(50 - refused))
    }

    @Test func endsWhatIsOnItsWay() async throws {
        let silent = try SilentServer()
        let name = try query("lns.isp1.test", [silent.server])
        async let results = withTaskGroup(of: NameResult.self) { group in
            for _ in 0..<300 {
                group.addTask { await resolver.resolve(name, patience: Patience(timeout: .seconds(600))) }
            }
            return await group.reduce(into: [NameResult: Int]()) { $0[$1, default: 0] += 1 }
        }
        // All have been handed in: those on their way, and those that wait.
        while resolver.statistics.inFlight + resolver.statistics.waiting < 300 { await Task.yield() }
        resolver.shutDown()
        #expect(await results == [.failed(.shutDown): 300])
        #expect(await resolver.resolve(name) == .failed(.shutDown))
        resolver.shutDown()
    }

    /// Neither sockets nor the file to wake by are left over.
    @Test func leavesNothingOpen() async throws {
        let silent = try SilentServer()
        let before = Self.openSockets(of: unbound.server.port) + Self.openSockets(of: silent.server.port)
        for _ in 0..<5 {
            let resolver = try Resolver()
            _ = await resolver.resolve(try query("big.test"))
            _ = await resolver.resolve(try query("x.test", [silent.server]), patience: Self.quick)
            resolver.shutDown()
        }
        #expect(Self.openSockets(of: unbound.server.port) + Self.openSockets(of: silent.server.port) == before)
    }

    /// UDP sockets that are connected to a port of 127.0.0.1.
    private static func openSockets(of port: UInt16) -> Int {
        let table = (try? String(contentsOfFile: "/proc/self/net/udp", encoding: .utf8)) ?? ""
        let remote = "0100007F:" + String(format: "%04X", port)
        return table.split(separator: "\n").count { line in
            let fields = line.split(separator: " ")
            return fields.count > 2 && fields[2] == remote
        }
    }
}

/// Events as they come from the resolver's thread.
private final class EventBox: Sendable {
    private let events: Mutex<[ResolverEvent]>
    init(_ events: consuming Mutex<[ResolverEvent]>) { self.events = events }
    func add(_ event: ResolverEvent) { events.withLock { $0.append(event) } }
    var all: [ResolverEvent] { events.withLock { $0 } }
}
