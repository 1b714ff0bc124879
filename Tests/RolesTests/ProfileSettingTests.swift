import L2TP
import Observability
import Roles
import SimulationSupport
import Testing
import Timing
import Wire

/// Every setting of a tunnel that the detail view shows, and what it does: for each, something to be seen from outside, which is
/// another without the setting.
@Suite struct ProfileSettingTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        /// As the profile says it.
        var text: String
        /// What is seen with it, and without.
        var seen: String
        var otherwise: String
        /// What the tunnel's screen says of it with the setting.
        var shown: (@Sendable (TunnelSettings) -> String)?
        var display = ""
        var observe: @Sendable (World) throws -> String
        var testDescription: String { text }
    }

    private static func start(_ world: World) throws -> PeerInformation {
        world.dialled()
        return try #require(world.lns.tunnels.values.first?.peer)
    }

    /// Whole seconds until `isTrue`, at most `limit`.
    private static func wait(_ world: World, upTo limit: Int = 400, until isTrue: (World) -> Bool) -> String {
        for second in 0...limit {
            if isTrue(world) { return "\(second) s" }
            world.run(for: .seconds(1))
        }
        return "never"
    }

    private static func tunnelState(_ world: World) -> Observability.TunnelState? {
        world.node.tunnelIDs.first.flatMap { world.node.tunnelSnapshot($0)?.state }
    }

    static let all: [Setting] = [
        Setting(
            text: "hello-timeout: 10", seen: "10 s", otherwise: "60 s", shown: { "\($0.helloTimeoutSeconds)" },
            display: "10"
        ) { world in
            world.dialled(.milliseconds(100))
            _ = world.takeTrace()
            return wait(world) { $0.trace.contains("lns < HELLO") }
        },
        Setting(
            text: "retry-timeout: 4", seen: "4 s", otherwise: "1 s", shown: { "\($0.retryTimeoutSeconds)" },
            display: "4"
        ) { world in
            world.lns.isMute = true
            world.dialled(.milliseconds(500))
            return wait(world) { $0.lns.received == ["SCCRQ", "SCCRQ"] }
        },
        Setting(
            text: "max-retries: 2", seen: "3", otherwise: "6", shown: { "\($0.maxRetries)" }, display: "2"
        ) { world in
            world.lns.isMute = true
            world.dialled(.milliseconds(500))
            let first = world.node.tunnelIDs
            while world.node.tunnelIDs == first, first != [] { world.run(for: .seconds(1)) }
            return "\(world.lns.received.count)"
        },
        Setting(
            text: "establish-timeout: 9", seen: "9 s", otherwise: "31 s",
            shown: { "\($0.establishTimeoutSeconds)" }, display: "9"
        ) { world in
            world.lns.isMute = true
            world.dialled(.milliseconds(500))
            return wait(world) { tunnelState($0) != .waitControlReply }
        },
        Setting(
            text: "session-establish-timeout: 7", seen: "7 s", otherwise: "120 s"
        ) { world in
            world.lns.takesCalls = false
            world.dialled(.milliseconds(500))
            return wait(world) { $0.trace.contains("lns < CDN 10") }
        },
        Setting(
            text: "idle-timeout: 30, hello-timeout: 0", seen: "30 s", otherwise: "never",
            shown: { "\($0.idleTimeoutSeconds)" }, display: "30"
        ) { world in
            let client = world.dialled(.milliseconds(500))
            world.act { client.hangUp() }
            world.run(for: .milliseconds(500))
            return wait(world) { $0.trace.contains("lns < StopCCN 1") }
        },
        Setting(
            text: "persist-pend-timeout: 3, max-retries: 1", seen: "3 s", otherwise: "60 s",
            shown: { "\($0.persistPendTimeoutSeconds)" }, display: "3"
        ) { world in
            world.lns.isMute = true
            world.dialled(.milliseconds(500))
            world.run(for: .seconds(900))
            // The time between an attempt that was given up and the next one.
            while !world.node.tunnelIDs.isEmpty { world.run(for: .milliseconds(100)) }
            let begin = world.now
            while world.node.tunnelIDs.isEmpty { world.run(for: .milliseconds(100)) }
            return "\((world.now - begin + .milliseconds(500)).components.seconds) s"
        },
        Setting(
            text: "rx-window-size: 77", seen: "77", otherwise: "10", shown: { "\($0.rxWindowSize)" }, display: "77"
        ) { world in "\(try start(world).receiveWindow)" },
        Setting(
            text: "session-limit: 1", seen: "2", otherwise: "1", shown: { "\($0.sessionLimit)" }, display: "1"
        ) { world in
            world.dialled()
            world.dialled()
            return "\(world.node.tunnelIDs.count)"
        },
        Setting(
            text: "hide-avps: true", seen: "hidden", otherwise: "in the clear", shown: { "\($0.hideAvps)" },
            display: "true"
        ) { world in
            world.dialled()
            // Whoever reads without the secret sees what ICRQ says, or does not.
            return world.lns.unreadable.isEmpty ? "in the clear" : "hidden"
        },
        Setting(
            text: "failover: rfc4951", seen: "120000", otherwise: "silence", shown: { "\($0.recoveryTimeSeconds)" },
            display: "120"
        ) { world in try start(world).failover.map { "\($0.recoveryTime)" } ?? "silence" },
        Setting(
            text: "failover: rfc4951-or-silent, recovery-time: 7", seen: "7000", otherwise: "silence",
            shown: { $0.failover }, display: "rfc4951-or-silent"
        ) { world in try start(world).failover.map { "\($0.recoveryTime)" } ?? "silence" },
        Setting(
            text: "framing-capability: sync", seen: "1", otherwise: "3", shown: { "\($0.framing.async)" },
            display: "false"
        ) { world in "\(try start(world).framingCapabilities.rawValue)" },
        Setting(
            text: "bearer-capability: [analog]", seen: "2", otherwise: "3", shown: { "\($0.bearer.digital)" },
            display: "false"
        ) { world in "\(try start(world).bearerCapabilities?.rawValue ?? 0)" },
        Setting(
            text: "tie-breaker: true", seen: "true", otherwise: "false", shown: { "\($0.useTieBreaker)" },
            display: "true"
        ) { world in "\(try start(world).tieBreaker != nil)" },
        Setting(text: "firmware-revision: 385", seen: "385", otherwise: "none") { world in
            try start(world).firmwareRevision.map { "\($0)" } ?? "none"
        },
        Setting(text: "host-name: other", seen: "other", otherwise: "lac") { world in try start(world).hostName },
        Setting(text: "vendor-name: other", seen: "other", otherwise: "Culvert") { world in
            try start(world).vendorName ?? "none"
        },
        Setting(
            text: "udp-checksums: false", seen: "false", otherwise: "true", shown: { "\($0.udpChecksums)" },
            display: "false"
        ) { world in
            world.dialled()
            return "\(try #require(world.null.tunnels.values.first?.paths.last).udpChecksum)"
        },
        Setting(
            text: "path-mtu-discovery: true", seen: "true", otherwise: "false",
            shown: { "\($0.pathMTUDiscovery)" }, display: "true"
        ) { world in
            world.dialled()
            return "\(try #require(world.null.tunnels.values.first?.paths.last).dontFragment)"
        },
        Setting(text: "mtu: 1400", seen: "1400", otherwise: "1460", shown: { "\($0.mtu)" }, display: "1400") { world in
            world.dialled()
            // What LCP asks the client for.
            let options = try #require(world.lns.sessions.values.first?.values.first?.proxyLCP.lastSent)
            return "\(Int(options[2]) << 8 | Int(options[3]))"
        },
        Setting(text: "tos: 184", seen: "184", otherwise: "inherit", shown: { "\($0.tos)" }, display: "184") { world in
            world.dialled()
            return try #require(world.null.tunnels.values.first?.paths.last).typeOfService.map { "\($0)" } ?? "inherit"
        },
        Setting(
            text: "data-sequence-numbers: required", seen: "true", otherwise: "false",
            shown: { $0.dataSequenceNumbers }, display: "required"
        ) { world in
            world.dialled()
            return "\(try #require(world.lns.sessions.values.first?.values.first).sequencingRequired)"
        },
        Setting(text: "access-line-avps: true", seen: "dslam7 at 16000000", otherwise: "nothing at 0") { world in
            let client = world.addClient()
            client.vendorTag =
                [0, 0, 0x0d, 0xe9, 1, 6] + Array("dslam7".utf8) + [0x82, 4, 0, 0, 0x3e, 0x80, 0x81, 4, 0, 0, 3, 0xe8]
            world.act { client.dial(at: world.now) }
            world.run(for: .seconds(2))
            let request = try #require(world.lns.requests.last)
            let connected = try #require(world.lns.sessions.values.first?.values.first)
            let name = request.accessLine.agentCircuitID.map { String(decoding: $0, as: UTF8.self) } ?? "nothing"
            #expect(connected.rxConnectSpeed == (name == "nothing" ? nil : 1_000_000))
            return "\(name) at \(connected.txConnectSpeed)"
        },
    ]

    @Test(arguments: all) func isObeyed(_ setting: Setting) throws {
        #expect(setting.seen != setting.otherwise)
        let with = try World(profile: setting.text)
        #expect(try setting.observe(with) == setting.seen)
        let without = try World()
        #expect(try setting.observe(without) == setting.otherwise)
        with.expectNothingLeft()
        without.expectNothingLeft()
    }

    @Test(arguments: all.filter { $0.shown != nil }) func isShown(_ setting: Setting) throws {
        func shown(_ profile: String) throws -> String? {
            let world = try World(profile: profile)
            world.dialled()
            let id = try #require(world.node.tunnelIDs.first)
            return setting.shown?(try #require(world.node.tunnelSnapshot(id)).settings)
        }
        #expect(try shown(setting.text) == setting.display)
        #expect(try shown("") != setting.display)
    }

    /// The screen's tie breaker is the one that goes over the wire.
    @Test func theTieBreakerIsShown() throws {
        let world = try World(profile: "tie-breaker: true")
        let sent = try #require(try Self.start(world).tieBreaker)
        let id = try #require(world.node.tunnelIDs.first)
        let shown = try #require(world.node.tunnelSnapshot(id)).settings.tieBreaker
        #expect(shown.reduce(0) { $0 << 8 | UInt64($1) } == sent)
    }

    @Test func theWindowOfThePeerIsShown() throws {
        let world = try World()
        world.dialled()
        let id = try #require(world.node.tunnelIDs.first)
        #expect(world.node.tunnelSnapshot(id)?.settings.txWindowSize == 10)
    }
}

/// Settings of LCP and authentication in `pppoe-ac`, against a client that says nothing after PADS.
@Suite struct LinkSettingTests {
    /// Seconds after PADS at which frames of a kind go to a silent client.
    private static func times(_ instance: String, of kind: String, _ client: (Client) -> Void) throws -> [Int64] {
        let world = try World(instance: instance)
        let dialler = world.addClient()
        client(dialler)
        world.act { dialler.dial(at: world.now) }
        world.settle()
        let begin = world.now
        var times: [Int64] = []
        for _ in 0..<700 where world.population[0] > 0 {
            let before = world.trace.count { $0 == "client < \(kind)" }
            world.run(for: .milliseconds(100))
            let after = world.trace.count { $0 == "client < \(kind)" }
            if after > before { times.append((world.now - begin + .milliseconds(50)).components.seconds) }
        }
        return times
    }

    @Test(arguments: [
        ("", 3, 10), ("lcp-restart: 1", 1, 10), ("lcp-max-configure: 4", 3, 4),
        ("lcp-restart: 2, lcp-max-configure: 3", 2, 3),
    ])
    func configureRequests(instance: String, interval: Int64, count: Int) throws {
        let times = try Self.times(instance, of: "LCP Configure-Request") { $0.negotiates = false }
        #expect(times.count == count)
        #expect(zip(times.dropFirst(), times).map { $0 - $1 } == Array(repeating: interval, count: count - 1))
    }

    @Test(arguments: [("", 2), ("lcp-max-terminate: 4", 4)])
    func terminateRequests(instance: String, count: Int) throws {
        let world = try World(instance: instance)
        world.lns.takesCalls = false
        let client = world.dialled()
        client.negotiates = false
        _ = world.takeTrace()
        world.act { world.lns.refuseCalls(.temporarilyUnavailable, at: world.now) }
        world.run(for: .seconds(30))
        #expect(world.takeTrace().count { $0 == "client < LCP Terminate-Request" } == count)
        #expect(world.population[0] == 0)
    }

    @Test(arguments: [("", 5), ("lcp-max-failure: 2", 2)])
    func configureNaks(instance: String, count: Int) throws {
        let world = try World(instance: instance)
        let client = world.addClient()
        client.insistsOnMRU = true
        world.act { client.dial(at: world.now) }
        world.run(for: .seconds(2))
        #expect(world.takeTrace().count { $0 == "client < LCP Configure-Nak" } == count)
    }
}
