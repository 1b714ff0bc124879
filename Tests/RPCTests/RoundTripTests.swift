import Observability
import RPC
import Testing
import Wire

/// Every call from the client through gRPC on a Unix socket to a `ControlPlaneInterface` and back: what arrives is what the
/// interface said, field by field.
@Suite(.timeLimit(.minutes(1)))
struct RoundTripTests {
    @Test func status() async throws {
        let fake = FakeControlPlane()
        let expected = await fake.status()
        try await serving(fake) { path in
            let status = try await RPCClient.connect(to: path) { try await $0.status() }
            #expect(status == expected)
        }
    }

    @Test(arguments: [true, false])
    func tunnels(detail: Bool) async throws {
        let fake = FakeControlPlane()
        let expected = try await fake.tunnels(.all, detail: detail, from: nil, limit: 10).elements
        #expect(expected.count == 2)
        #expect(expected[0].events.isEmpty == !detail)
        try await serving(fake) { path in
            let collector = Collector<TunnelSnapshot>()
            try await RPCClient.connect(to: path) { client in
                try await client.tunnels(.all, detail: detail) { await collector.add($0) }
            }
            #expect(await collector.elements == expected)
        }
    }

    @Test(arguments: [
        (TunnelFilter.all, [1, 2, 3, 4, 5] as [UInt16]), (.id(3), [3]), (.name("tunnel5"), [5]),
        (.remoteAddress(.v4(IPv4Address(value: 0xc633_6402))), [1, 5]),
        (.remoteAddress(.v4(IPv4Address(value: 1))), []),
    ])
    func tunnelFilter(filter: TunnelFilter, ids: [UInt16]) async throws {
        try await serving(FakeControlPlane(tunnels: 5, sessionsPerTunnel: 0)) { path in
            let collector = Collector<TunnelSnapshot>()
            try await RPCClient.connect(to: path) { client in
                try await client.tunnels(filter) { await collector.add($0) }
            }
            #expect(await collector.elements.map(\.id) == ids)
        }
    }

    @Test(arguments: [
        (SessionFilter(), 6), (SessionFilter(tunnelID: 2), 3), (SessionFilter(sessionID: 3), 2),
        (SessionFilter(tunnelID: 1, sessionID: 2), 1), (SessionFilter(userName: "user1@isp2.example"), 1),
        (SessionFilter(tunnelID: 1, userName: "user1@isp2.example"), 0), (SessionFilter(name: "session-2-3"), 1),
    ])
    func sessionFilter(filter: SessionFilter, count: Int) async throws {
        let fake = FakeControlPlane(tunnels: 2, sessionsPerTunnel: 3)
        let expected = try await fake.sessions(filter, detail: true, from: nil, limit: 100).elements
        #expect(expected.count == count)
        try await serving(fake) { path in
            let collector = Collector<SessionSnapshot>()
            try await RPCClient.connect(to: path) { client in
                try await client.sessions(filter, detail: true) { await collector.add($0) }
            }
            #expect(await collector.elements == expected)
        }
    }

    @Test(arguments: [
        (ConnectionFilter(), 4), (ConnectionFilter(instance: "ac1"), 4), (ConnectionFilter(routeID: 0x2_0001), 1),
        (ConnectionFilter(clientMAC: MACAddress(value: 0x0200_0001_0002)), 1),
        (ConnectionFilter(userName: "nobody"), 0),
    ])
    func connectionFilter(filter: ConnectionFilter, count: Int) async throws {
        let fake = FakeControlPlane()
        let expected = try await fake.connections(filter, from: nil, limit: 100).elements
        #expect(expected.count == count)
        try await serving(fake) { path in
            let collector = Collector<PPPoEConnectionSnapshot>()
            try await RPCClient.connect(to: path) { client in
                try await client.connections(filter) { await collector.add($0) }
            }
            #expect(await collector.elements == expected)
        }
    }

    /// A list that is longer than a page comes whole, in order, in several messages, read page by page.
    @Test func longList() async throws {
        let fake = FakeControlPlane(tunnels: 10, sessionsPerTunnel: 200)
        try await serving(fake) { path in
            let collector = Collector<SessionSnapshot>()
            try await RPCClient.connect(to: path) { client in
                try await client.sessions { await collector.add($0) }
            }
            let routes = await collector.elements.map(\.routeID)
            let expected = (1...10).flatMap { tunnel in (1...200).map { UInt32(tunnel << 16 | $0) } }
            #expect(routes == expected)
            #expect(await collector.batches == 8)
            #expect(await fake.pagesRead == 8)
        }
    }

    @Test func statisticsAreAllThereInOrder() async throws {
        try await serving(FakeControlPlane()) { path in
            let counters = try await RPCClient.connect(to: path) { try await $0.statistics() }
            #expect(counters.map(\.name) == ACCounter.allCases.map(\.rawValue))
            let values = ACCounter.allCases.indices.map { UInt64($0) * 3 }
            #expect(counters.map(\.value) == values)
            #expect(counters.allSatisfy { !$0.text.isEmpty })
        }
    }

    @Test func portsAndCounters() async throws {
        let fake = FakeControlPlane()
        let (ports, brief, full) = (
            try await fake.ports(), try await fake.counters(perWorker: false), try await fake.counters(perWorker: true)
        )
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client in
                let answers = try await (client.ports(), client.counters(), client.counters(perWorker: true))
                #expect(answers.0 == ports)
                #expect(answers.1 == brief)
                #expect(answers.2 == full)
            }
        }
    }

    @Test(arguments: [
        ClearTarget.destination(.v4(IPv4Address(value: 0xc633_6401))), .tunnel(1), .tunnelNamed("tunnel2"),
        .session(2, tunnel: 1), .connection(7), .allConnections, .everything,
    ])
    func clearNamesItsTarget(target: ClearTarget) async throws {
        let fake = FakeControlPlane()
        let expected = try await FakeControlPlane().clear(target)
        try await serving(fake) { path in
            let outcome = try await RPCClient.connect(to: path) { try await $0.clear(target) }
            #expect(outcome == expected)
            #expect(await fake.cleared == [target])
        }
    }

    @Test func policersAreChangedOneByOne() async throws {
        let slow = PolicerSettings(
            committedRate: 8_000, peakRate: 400_000_000_000, committedBurst: 1, peakBurst: 4_294_967_295)
        let session = SessionName.l2tp(1, tunnel: 2)
        try await serving(FakeControlPlane()) { path in
            try await RPCClient.connect(to: path) { client in
                let none = try await client.setPolicers(of: session, upstream: .keep, downstream: .keep)
                #expect(none == SessionPolicers())
                let one = try await client.setPolicers(of: session, upstream: .set(slow), downstream: .keep)
                #expect(one == SessionPolicers(upstream: slow))
                let other = try await client.setPolicers(of: session, upstream: .remove, downstream: .set(slow))
                #expect(other == SessionPolicers(downstream: slow))
                for (fault, change) in [
                    (
                        "upstream.set: committed_rate",
                        PolicerSettings(committedRate: 7_999, peakRate: 8_000, committedBurst: 1, peakBurst: 1)
                    ),
                    (
                        "upstream.set: peak_rate",
                        PolicerSettings(committedRate: 9_000, peakRate: 8_000, committedBurst: 1, peakBurst: 1)
                    ),
                    (
                        "upstream.set: committed_burst",
                        PolicerSettings(committedRate: 8_000, peakRate: 8_000, committedBurst: 0, peakBurst: 1)
                    ),
                    (
                        "upstream.set: peak_burst",
                        PolicerSettings(
                            committedRate: 8_000, peakRate: 8_000, committedBurst: 1, peakBurst: 4_294_967_296)
                    ),
                ] {
                    let error = await #expect(throws: RPCClientError.self) {
                        _ = try await client.setPolicers(of: session, upstream: .set(change), downstream: .keep)
                    }
                    #expect(error.map { "\($0)" }?.contains(fault) == true, "\(String(describing: error))")
                }
            }
        }
    }

    @Test func refusalsCarryCodeAndMessage() async throws {
        let fake = FakeControlPlane()
        await fake.removeDataPlane()
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client in
                await #expect(
                    throws: RPCClientError.refused(code: "notFound", message: "there is no tunnel named 'x'")
                ) { _ = try await client.clear(.tunnelNamed("x")) }
                await #expect(
                    throws: RPCClientError.refused(
                        code: "failedPrecondition", message: "session 1 exists in 2 tunnels: name the tunnel")
                ) { _ = try await client.clear(.session(1, tunnel: nil)) }
                await #expect(
                    throws: RPCClientError.refused(code: "unavailable", message: "culvert-dataplane is not running")
                ) { _ = try await client.ports() }
                await #expect(throws: RPCClientError.refused(code: "notFound", message: "there is no tunnel 9")) {
                    try await client.sessions(SessionFilter(tunnelID: 9)) { _ in }
                }
            }
        }
    }
}
