import Foundation
import Observability
import RPC
import Testing

/// The `culvert` program as a process of its own, against a fake control plane.
@Suite(.timeLimit(.minutes(2)))
struct CommandLineTests {
    /// Runs `culvert`, which lies beside the tests' own program.
    static func culvert(_ arguments: [String], input: String = "") async throws -> Child {
        let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return try await Child.run(folder.appending(path: "culvert"), arguments, input: input)
    }

    @Test func screens() async throws {
        let fake = FakeControlPlane()
        let tunnels = try await fake.tunnels(.all, detail: true, from: nil, limit: 9).elements
        let sessions = try await fake.sessions(SessionFilter(), detail: true, from: nil, limit: 9).elements
        let connections = try await fake.connections(ConnectionFilter(), from: nil, limit: 9).elements
        let ports = try await fake.ports()
        let expected: [([String], String)] = await [
            (["show", "status"], fake.status().text(in: .utc)),
            (
                ["show", "l2tp", "tunnel"],
                TunnelSnapshot.basicHeading + tunnels.map { $0.basicText(in: .utc) }.joined(separator: "\n")
            ),
            (["show", "l2tp", "tunnel", "tunnel2"], TunnelSnapshot.basicHeading + tunnels[1].basicText(in: .utc)),
            (["show", "l2tp", "tunnel", "2"], TunnelSnapshot.basicHeading + tunnels[1].basicText(in: .utc)),
            (
                ["show", "l2tp", "tunnel", "detail"],
                TunnelSnapshot.detailHeading + tunnels.map { $0.detailText(in: .utc) }.joined(separator: "\n")
            ),
            (
                ["show", "l2tp", "tunnel", "tunnel1", "detail"],
                TunnelSnapshot.detailHeading + tunnels[0].detailText(in: .utc)
            ),
            (
                ["show", "l2tp", "session"],
                SessionSnapshot.basicHeading + sessions.map { $0.basicText(in: .utc) }.joined(separator: "\n")
            ),
            (
                ["show", "l2tp", "session", "detail", "--tunnel", "2", "--user", "user1@isp2.example"],
                SessionSnapshot.detailHeading + sessions[2].detailText(in: .utc)
            ),
            (
                ["show", "pppoe-ac", "connections"],
                PPPoEConnectionSnapshot.heading + connections.map { $0.text() }.joined(separator: "\n")
            ),
            (
                ["show", "pppoe-ac", "ac1", "connections"],
                PPPoEConnectionSnapshot.heading + connections.map { $0.text() }.joined(separator: "\n")
            ),
            (["show", "pppoe-ac", "statistics"], ACStatistics.text(of: fake.statistics().counters)),
            (["show", "ports"], PortSnapshot.heading + ports.map { $0.text() }.joined(separator: "\n")),
            (["show", "counters"], try fake.counters(perWorker: false).text()),
            (["show", "counters", "--per-worker", "--zeros"], try fake.counters(perWorker: true).text(zeros: true)),
        ]
        try await serving(fake) { path in
            for (arguments, text) in expected {
                let outcome = try await Self.culvert(["--socket", path] + arguments)
                #expect(outcome.output == text, "\(arguments)")
                #expect(outcome.errors.isEmpty)
                #expect(outcome.status == 0)
            }
        }
    }

    /// Field names are part of the interface: these are all of them, per object.
    @Test(arguments: [
        (
            ["show", "l2tp", "tunnel"],
            "authorization created_at created_by_admin data data_rx_errors data_tx_errors draining events id local_address "
                + "local_udp_port memory_octets mode name owner peer persist profile recoveries recovering remote_address remote_host_name "
                + "remote_tunnel_id remote_udp_port remote_vendor_name session_count settings state transport"
        ),
        (
            ["show", "l2tp", "session"],
            "bearer call_serial_number client_mac created_at created_by_admin data data_late data_missing data_reordered "
                + "data_rx_errors data_sequence_numbers downstream_policed_packets establish_timeout_seconds events framing "
                + "id interface_name maximum_segment_size memory_octets name owner peer_bearer peer_framing policers "
                + "pppoe_session_id profile remote_session_id route_id state tunnel_id tunnel_name type "
                + "upstream_policed_packets user_name"
        ),
        (
            ["show", "pppoe-ac", "connections"],
            "client_mac created_at inner_vlan instance interface_name mru outer_vlan pppoe_session_id route_id route_name "
                + "service_name session_id state tunnel_id user_name"
        ),
        (["show", "pppoe-ac", "statistics"], "name text value"),
        (
            ["show", "ports"],
            "access addresses core counters device dispatch index link_speed_mbps link_up mac mtu name numa_node queues"
        ),
    ])
    func jsonLists(arguments: [String], fields: String) async throws {
        try await serving(FakeControlPlane()) { path in
            // In front of the command or behind it.
            for line in [["--json", "--socket", path] + arguments, arguments + ["--socket=\(path)", "--json"]] {
                let outcome = try await Self.culvert(line)
                let list = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
                #expect(list?.isEmpty == false)
                for element in list ?? [] { #expect(element.keys.sorted().joined(separator: " ") == fields) }
            }
        }
    }

    @Test func jsonIsExact() async throws {
        try await serving(FakeControlPlane(tunnels: 1, sessionsPerTunnel: 0)) { path in
            let tunnel = try await Self.culvert(["show", "l2tp", "tunnel", "--json", "--socket", path]).output
            #expect(tunnel.contains("\"rx_octets\":18446744073709551600,"))
            #expect(tunnel.contains("\"tx_octets\":9007199254740993,"))
            #expect(tunnel.contains("\"created_at\":\"2016-06-01T12:25:25.000Z\""))
            #expect(tunnel.contains("\"path_mtu_discovery\":false"))
            #expect(tunnel.contains("\"tie_breaker\":[136,149,57,20,136,156,68,1]"))
            let sessions = try await Self.culvert(["show", "l2tp", "session", "--json", "--socket", path]).output
            #expect(sessions == "[]\n")
            let list = try await Self.culvert(["static", "list", "--json", "--socket", path]).output
            #expect(list == "{\"sessions\":[],\"tunnels\":[]}\n")
            let counters = try await Self.culvert(["show", "counters", "--json", "--socket", path]).output
            #expect(
                counters == "{\"total\":[{\"name\":\"forwarded\",\"text\":\"frames forwarded\",\"value\":3000},"
                    + "{\"name\":\"drop_short\",\"text\":\"dropped: too short\",\"value\":0},"
                    + "{\"name\":\"drop_peer\",\"text\":\"dropped: wrong peer\",\"value\":9}],\"workers\":[]}\n")
        }
    }

    @Test(arguments: [
        (["clear", "l2tp", "destination", "198.51.100.2"], "destination(198.51.100.2)"),
        (["clear", "l2tp", "tunnel", "2"], "tunnel(2)"),
        (["clear", "l2tp", "tunnel", "tunnel2"], "tunnelNamed(\"tunnel2\")"),
        (["clear", "l2tp", "session", "1", "--tunnel", "2"], "session(1, tunnel: Optional(2))"),
        (["clear", "pppoe-ac", "connection", "77"], "connection(77)"),
        (["clear", "pppoe-ac", "connection", "all"], "allConnections"),
        (["clear", "pppoe-ac", "instance", "ac1"], "instance(\"ac1\")"),
        (["clear", "interface", "access0.100"], "interface(\"access0.100\")"),
        (["cl", "l2", "tun", "tunnel2"], "tunnelNamed(\"tunnel2\")"),
        (["clear", "all"], "everything"),
    ])
    func clear(arguments: [String], target: String) async throws {
        let fake = FakeControlPlane()
        try await serving(fake) { path in
            let outcome = try await Self.culvert(arguments + ["--socket", path])
            #expect(outcome.status == 0)
            #expect(outcome.output.hasPrefix("clearing "))
            #expect(await fake.cleared.map { "\($0)" } == [target])
        }
    }

    @Test(arguments: [
        ([], "upstream: OFF\ndownstream: OFF\n"),
        (
            ["--up", "1M,2M,15k,30k"],
            "upstream: cir 1000000 pir 2000000 bit/s, cbs 15000 pbs 30000 octets\ndownstream: OFF\n"
        ),
        (
            ["--down", "1G", "--up=off"],
            "upstream: OFF\ndownstream: cir 1000000000 pir 1000000000 bit/s, cbs 12500000 pbs 12500000 octets\n"
        ),
        (
            ["--down", "64k"],
            "upstream: OFF\ndownstream: cir 64000 pir 64000 bit/s, cbs 15000 pbs 15000 octets\n"
        ),
    ])
    func police(rates: [String], text: String) async throws {
        try await serving(FakeControlPlane()) { path in
            let outcome = try await Self.culvert(
                ["police", "session", "1", "--tunnel", "2"] + rates + ["--socket", path])
            #expect(outcome.status == 0)
            #expect(outcome.output == text)
            let shown = try await Self.culvert(["police", "session", "1", "--tunnel", "2", "--socket", path])
            #expect(shown.output == text)
        }
    }

    @Test(arguments: ["1", "2M,1M", "1M,2M,0", "1M,2M,1,1,1", "1X", "-1M", "1M,", "99999999999999999999"])
    func policersThatMakeNoSense(rates: String) async throws {
        let outcome = try await Self.culvert(["police", "session", "1", "--tunnel", "2", "--up=\(rates)"])
        #expect(outcome.status == 64)
        #expect(
            outcome.errors.hasPrefix("Error: The value '\(rates)' is invalid for '--up <rates|off>'"),
            "\(outcome.errors)")
    }

    /// Errors: exit status and what the operator reads.
    @Test(arguments: [
        (["show", "l2tp", "tunnel", "nobody"], Int32(1), "culvert: there is no tunnel named 'nobody'\n"),
        (["show", "pppoe-ac", "nobody", "connections", "--json"], 1, "culvert: there is no pppoe-ac named 'nobody'\n"),
        (["clear", "l2tp", "session", "1"], 1, "culvert: session 1 exists in 2 tunnels: name the tunnel\n"),
        (["police", "route", "7"], 1, "culvert: there is no route(7)\n"),
        (["police", "static", "7", "--up", "off"], 1, "culvert: there is no staticSession(7)\n"),
        (["static", "apply", "/nonexistent.json"], 1, "culvert: cannot read /nonexistent.json: "),
        (
            ["show", "pppoe-ac", "nonsense"], 64,
            "Error: there is no 'show pppoe-ac nonsense'; what there is: connections, statistics, config-check\n"
        ),
        (["show", "l2tp", "session", "9999"], 1, "culvert: there is no session 9999\n"),
        (["show", "l2tp", "session", "session-9-9"], 1, "culvert: there is no session session-9-9\n"),
        (["show", "l2tp", "destination", "203.0.113.9"], 1, "culvert: there is no destination 203.0.113.9\n"),
        (["show", "l2tp", "destination", "nobody"], 64, "Error: 'nobody' is not an IP address\n"),
        (["show", "l2tp", "tunnel", "a", "b"], 64, "Error: expected at most a name and detail or config-check\n"),
        (["show", "interface", "nobody"], 1, "culvert: no interface named 'nobody'\n"),
        (["show", "interface", "pppoe9"], 1, "culvert: no route 9\n"),
        (["show", "running-config", "nobody"], 1, "culvert: there is no section 'nobody'\n"),
        (
            ["show", "debugging", "weather"], 64,
            "Error: 'weather' cannot be debugged; what can: pppoe-ac, l2tp, ppp, radius, dns\n"
        ),
        (["show", "status", "--watch", "0"], 64, "Error: --watch must be 0.1 to 86400 seconds\n"),
        (["drain", "tunnel", "nobody"], 1, "culvert: there is no tunnel named 'nobody'\n"),
        (["drain", "tunnel"], 64, "Error: say which tunnel\n"),
        (["drain", "system", "x"], 64, "Error: the system has no name\n"),
        (["debug", "l2tp", "--no"], 1, "culvert: that is not being debugged\n"),
        (["debug", "l2tp", "tunnel"], 64, "Error: say which tunnel\n"),
        (["debug", "l2tp", "tunnel", "0"], 64, "Error: '0' is not an id from 1 to 65535\n"),
        (["debug", "weather"], 64, "Error: 'weather' cannot be debugged"),
        (["capture", "route", "404", "--write", "/dev/null"], 1, "culvert: there is no route 404\n"),
        (["capture", "route", "1", "--write", "/nonexistent/file"], 1, "culvert: cannot write /nonexistent/file: "),
        (["capture", "route", "1", "--count", "0"], 64, "Error: --count must be at least 1\n"),
        (["clear", "l2tp", "destination", "1.2.3"], 64, "Error: '1.2.3' is not an IP address\n"),
        (["clear", "pppoe-ac", "connection", "x"], 64, "Error: 'x' is neither a route id"),
        (["monitor", "--interval", "0"], 64, "Error: --interval must be 0.1 to 3600\n"),
    ])
    func failures(arguments: [String], status: Int32, text: String) async throws {
        try await serving(FakeControlPlane()) { path in
            let outcome = try await Self.culvert(arguments + ["--socket", path])
            #expect(outcome.status == status)
            #expect(outcome.errors.hasPrefix(text), "\(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
        let null = try FileManager.default.attributesOfItem(atPath: "/dev/null")
        #expect(null[.type] as? FileAttributeType == .typeCharacterSpecial, "what is written to is not replaced")
    }

    @Test func nobodyThere() async throws {
        let outcome = try await Self.culvert(["show", "status", "--socket", "/nonexistent/s"])
        #expect(outcome.status == 2)
        #expect(
            outcome.errors
                == "culvert: culvertd is not running: no socket at /nonexistent/s (--socket PATH names another)\n")
    }

    @Test func staticFeed() async throws {
        let file = """
            {"operations": [
              {"add_tunnel": {"name": "a", "peer_address": "198.51.100.2", "local_address": "192.0.2.1",
                              "peer_tunnel_id": 77, "egress_port": "core0", "next_hop_mac": "02:00:00:00:00:fe"}},
              {"add_session": {"reference": 9, "port": "access0", "client_mac": "02:00:00:00:00:09",
                               "tunnel": {"name": "a"}, "peer_session_id": 90}},
              {"remove_session": {"reference": 10}}
            ]}
            """
        let fake = FakeControlPlane()
        try await serving(fake) { path in
            let applied = try await Self.culvert(["static", "apply", "-", "--socket", path], input: file)
            #expect(applied.status == 1)
            #expect(applied.output == "2 of 3 operations carried out\n")
            #expect(applied.errors == "culvert: operation 3: there is no static session 10\n")
            let again = try await Self.culvert(["static", "apply", "-", "--json", "--socket", path], input: file)
            #expect(
                again.output == """
                    [
                    {"code":"already_exists","outcome":"refused","reason":"there is a static tunnel named 'a' already"},
                    {"code":"already_exists","outcome":"refused","reason":"reference 9 is taken"},
                    {"code":"not_found","outcome":"refused","reason":"there is no static session 10"}
                    ]

                    """)
            let list = try await Self.culvert(["static", "list", "--socket", path])
            let tunnels = try await fake.staticTunnels(nil, from: nil, limit: 9).elements
            let sessions = try await fake.staticSessions(nil, from: nil, limit: 9).elements
            #expect(sessions.count == 1)
            #expect(
                list.output == StaticTunnelStatus.text(of: tunnels) + "\n" + StaticSessionStatus.text(of: sessions))
            let wrong = try await Self.culvert(
                ["static", "apply", "-", "--socket", path], input: "{\"operations\": [{\"tag\": 1}]}")
            #expect(wrong.errors == "culvert: -: operation 1: operation: is missing\n")
            #expect(wrong.status == 1)
        }
    }

    @Test func monitorPrintsRates() async throws {
        try await serving(FakeControlPlane()) { path in
            let arguments = ["monitor", "--interval", "0.1", "--count", "2", "--socket", path]
            let text = try await Self.culvert(arguments)
            #expect(text.status == 0)
            let lines = text.output.split(separator: "\n").map { $0.dropFirst("12:25:25 ".count) }
            #expect(lines == ["access0: idle", "total: idle", "access0: idle", "total: idle"])
            let json = try await Self.culvert(arguments + ["--json"]).output.split(separator: "\n")
            #expect(json.count == 2)
            for line in json {
                let rates = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(rates?.keys.sorted() == ["ports", "time", "total"])
            }
        }
    }
}
