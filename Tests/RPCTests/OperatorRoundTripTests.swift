import Observability
import RPC
import Testing
import Wire

/// The calls of operators through gRPC and back, field by field.
@Suite(.timeLimit(.minutes(1)))
struct OperatorRoundTripTests {
    @Test func destinations() async throws {
        let fake = FakeControlPlane(tunnels: 5, sessionsPerTunnel: 2)
        let expected = try await fake.destinations(nil, from: nil, limit: 100).elements
        #expect(expected.count == 5)
        let six = FakeControlPlane.address("2001:db8::7")
        try await serving(fake) { path in
            let (all, one) = (Collector<DestinationSnapshot>(), Collector<DestinationSnapshot>())
            try await RPCClient.connect(to: path) { client async throws in
                try await client.destinations { await all.add($0) }
                try await client.destinations(six) { await one.add($0) }
            }
            #expect(await all.elements == expected)
            #expect(await one.elements == expected.filter { $0.address == six })
            #expect(await one.elements.first?.retryAt == Timestamp(seconds: FakeControlPlane.start.seconds + 60))
        }
    }

    @Test(arguments: [
        DrainTarget.system, .destination(FakeControlPlane.address("2001:db8::7")), .tunnel(2), .tunnelNamed("tunnel1"),
        .instance("ac1"), .interface("access0"),
    ])
    func drain(target: DrainTarget) async throws {
        let fake = FakeControlPlane()
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client async throws in
                let outcome = try await client.drain(target)
                #expect(outcome == DrainOutcome(draining: true, tunnels: 2, sessions: 4, connections: 7))
                #expect(try await client.status().drained == [target])
                #expect(try await client.drain(target, false).draining == false)
                #expect(try await client.status().drained.isEmpty)
            }
        }
    }

    @Test func statisticsBeginAtZero() async throws {
        try await serving(FakeControlPlane()) { path in
            try await RPCClient.connect(to: path) { client async throws in
                #expect(try await client.statistics().contains { $0.value != 0 })
                try await client.clearStatistics()
                #expect(try await client.statistics().allSatisfy { $0.value == 0 })
            }
        }
    }

    @Test func configuration() async throws {
        let fake = FakeControlPlane()
        let (sections, outcome, check) = (
            try await fake.runningConfiguration(nil), await fake.reload(apply: true), await fake.reload(apply: false)
        )
        #expect(outcome.applied && !check.applied)
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client async throws in
                #expect(try await client.runningConfiguration() == sections)
                #expect(try await client.runningConfiguration("pppoe-ac") == [sections[1]])
                #expect(try await client.reload() == outcome)
                #expect(try await client.reload(apply: false) == check)
                let faults = [FileFault(line: 7, field: "l2tp-profile[0].mtu", reason: "expected less")]
                await fake.setReloadFaults(faults)
                let refused = try await client.reload()
                #expect(refused == ReloadOutcome(path: outcome.path, faults: faults))
            }
        }
    }

    @Test func debugging() async throws {
        let fake = FakeControlPlane()
        let client1 = MACAddress(value: 0x0200_0000_0001)
        let rules = [
            DebugRule(.l2tp, scope: DebugScope(tunnel: 7)), DebugRule(.ppp, scope: DebugScope(client: client1)),
            DebugRule(.radius, scope: DebugScope(tunnel: 7, session: 9)), DebugRule(),
        ]
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client async throws in
                var expected: [DebugRule] = []
                for rule in rules {
                    expected.append(rule)
                    #expect(try await client.setDebugging(.enable(rule)) == expected)
                }
                #expect(try await client.debugRules() == rules)
                #expect(try await client.setDebugging(.disable(rules[0])) == Array(rules.dropFirst()))
                #expect(try await client.setDebugging(.disableAll).isEmpty)
                // Lines come only once the watcher is there: they are written until one has arrived.
                let writer = Task {
                    while !Task.isCancelled {
                        fake.debugLines.publish(
                            DebugLine(
                                time: FakeControlPlane.start, subsystem: .l2tp,
                                scope: DebugScope(tunnel: 7, client: client1), text: "SCCRP received"))
                        await Task.yield()
                    }
                }
                defer { writer.cancel() }
                struct Seen: Error {}
                await #expect(throws: (any Error).self) {
                    try await client.watchDebugging { line in
                        #expect(line.subsystem == .l2tp)
                        #expect(line.scope == DebugScope(tunnel: 7, client: client1))
                        #expect(line.text == "SCCRP received")
                        #expect(line.time == FakeControlPlane.start)
                        throw Seen()
                    }
                }
            }
        }
    }

    @Test(arguments: [
        SessionName.l2tp(7, tunnel: 2), .l2tp(7, tunnel: nil), .route(9), .staticSession(.max),
    ])
    func capture(session: SessionName) async throws {
        let fake = FakeControlPlane()
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client async throws in
                struct Enough: Error {}
                let collector = Collector<CaptureRecord>()
                await #expect(throws: (any Error).self) {
                    try await client.capture(session, snapLength: 20, control: true) { records in
                        await collector.add(records)
                        if await collector.elements.count == 2 { throw Enough() }
                    }
                }
                #expect(await collector.elements == FakeControlPlane.captureRecords(20))
                #expect(await fake.captured == [session])
            }
            // The caller's end ends the capture.
            while await fake.openCaptures > 0 { await Task.yield() }
        }
    }

    @Test func whatTheNodeAsksOthersFor() async throws {
        let fake = FakeControlPlane()
        let (radius, names, accounting, host) = await (
            fake.radius(), fake.nameService(cache: true), fake.accounting(), fake.host()
        )
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client async throws in
                #expect(try await client.radius() == radius)
                #expect(try await client.nameService(cache: true) == names)
                #expect(try await client.nameService().cache.isEmpty)
                #expect(try await client.accounting() == accounting)
                #expect(try await client.host() == host)
            }
        }
    }

    @Test func eventsAreRemembered() async throws {
        let fake = FakeControlPlane(tunnels: 200, sessionsPerTunnel: 0)
        for tunnel in await fake.allTunnels { fake.events.publish(.tunnelUp(tunnel), at: FakeControlPlane.start) }
        try await serving(fake) { path in
            let (all, few) = (Collector<Event>(), Collector<Event>())
            try await RPCClient.connect(to: path) { client async throws in
                try await client.recentEvents { await all.add($0) }
                try await client.recentEvents(3) { await few.add($0) }
            }
            #expect(await all.elements == fake.events.recent())
            #expect(await all.elements.count == 200)
            #expect(await few.elements.map(\.sequence) == [198, 199, 200])
        }
    }

    @Test(arguments: [
        (NameKind.tunnel, "tunnel1", ["tunnel1"]), (.tunnel, "", ["1", "2", "tunnel1", "tunnel2"]),
        (.session, "", ["1", "2"]), (.instance, "", ["ac1"]), (.interface, "c", ["core0"]),
        (.route, "65", ["65537", "65538"]), (.destination, "198.51.100.1", []),
        (.section, "l", ["l2tp-profile"]),
    ])
    func names(kind: NameKind, prefix: String, names: [String]) async throws {
        try await serving(FakeControlPlane()) { path in
            try await RPCClient.connect(to: path) { client async throws in
                #expect(try await client.names(kind, prefix: prefix) == names)
                #expect(try await client.names(kind, prefix: prefix, limit: 1) == Array(names.prefix(1)))
            }
        }
    }
}
