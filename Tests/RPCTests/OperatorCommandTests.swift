import Foundation
import Observability
import RPC
import Testing

/// The commands of operators, each screen character by character.
@Suite(.timeLimit(.minutes(2)))
struct OperatorCommandTests {
    struct Screen: Sendable, CustomTestStringConvertible {
        var command: String
        var text: String
        var testDescription: String { command }
        init(_ command: String, _ text: String) {
            self.command = command
            self.text = text
        }
    }

    static let screens = [
        Screen(
            "show l2tp destination 2001:db8::7 detail",
            """
            L2TP Destination Information
            --------------------------------------------------------------------
            IP Address:             2001:db8::7
            L2TP Profile:           six
            State:                  Hold-down
            Tunnels:                0, 0 established
            Sessions:               0
            Preference:             0
            Attempts:               3
            Tried Again At:         Jun 1 12:26:25 2016
            Tunnel IDs:             none
            Last Failure:           no answer to SCCRQ
            Data RX:                packets 0, bytes 0
            Data TX:                packets 0, bytes 0

            """),
        Screen(
            "show interface",
            """
            Interface access0
              Link is UP, administrative state is UP
              Hardware is Ethernet, address is 02:00:00:00:00:01, 10000 Mbit/s
              Serves access
              index 0 mtu 1500
              <UP,BROADCAST,RUNNING,MULTICAST>
              input packets 0, bytes 0, dropped 0
              output packets 0, bytes 0, dropped 0

            Interface core0
              Link is DOWN, administrative state is UP
              Hardware is Ethernet, address is 02:00:00:00:00:02
              Serves core
              IPv4 address 192.0.2.1
              index 1 mtu 9000
              <BROADCAST,MULTICAST>
              input packets 0, bytes 0, dropped 0
              output packets 0, bytes 0, dropped 0

            """),
        Screen(
            "show running-config pppoe-ac",
            """
            pppoe-ac:
              - name: ac1
                service-name: any

            """),
        Screen(
            "show debugging",
            """
            PPPoE AC debugging:     disabled
            L2TP debugging:         disabled
            PPP debugging:          disabled
            RADIUS debugging:       disabled
            DNS debugging:          disabled

            """),
        Screen("show debugging pppoe ac", "PPPoE AC debugging:     disabled\n"),
        Screen(
            "show radius",
            """
            RADIUS Servers
            --------------------------------------------------------------------
            Server         Auth  Acct  Groups            State                In flight  Last answer
            192.168.1.200  1812  1813  my_group,billing  Up                           2       1.2 ms
            2001:db8::200  1645  1646  -                 Dead until 12:26:25          0            -

            """),
        Screen(
            "show radius statistics",
            """
            RADIUS Statistics
            --------------------------------------------------------------------
            Name        Value  Text
            requests        1  the requests
            unanswered      2  the unanswered

            192.168.1.200:
              Name             Value  Text
              access_requests      1  the access_requests
              access_accepts       2  the access_accepts

            2001:db8::200:
              Name  Value  Text

            """),
        Screen(
            "show dns statistics",
            """
            DNS Statistics
            --------------------------------------------------------------------
            Name server          Asked by
            10.1.1.1:53          node
            [2001:db8::53]:5353  l2tp-profile isp

            Name                Value  Text
            questions               1  the questions
            answers_from_cache      2  the answers_from_cache

            10.1.1.1:53:
              Name     Value  Text
              queries      1  the queries

            """),
        Screen(
            "show accounting",
            """
            Accounting
            --------------------------------------------------------------------
            Group     Reachable  Interim  Sessions  Waiting
            my_group  no           600 s         4        3

            Stored Records:         3 of 100000, the oldest of Jun 1 12:25:25 2016

            Name     Value  Text
            records      1  the records

            my_group:
              Name    Value  Text
              starts      1  the starts

            """),
        Screen(
            "show host",
            """
            Neighbours
            --------------------------------------------------------------------
            Interface  Address       MAC                State       Confirmed  Needed by
            core0      192.0.2.254   02:00:00:00:00:fe  Reachable    12 s ago          2
            core0      2001:db8::fe  -                  Incomplete          -          0

            """),
        Screen(
            "show host routes",
            """
            Routes
            --------------------------------------------------------------------
            Destination   Next hop     Interface  Source
            192.0.2.0/24  connected    core0      192.0.2.1
            0.0.0.0/0     192.0.2.254  core0      192.0.2.1

            Path to        MTU
            198.51.100.1  1400

            """),
        Screen(
            "show host counters",
            """
            Host Counters
            --------------------------------------------------------------------
            Name          Value  Text
            arp_answered      9  ARP requests answered

            """),
        Screen(
            "show version",
            """
            culvert:                0.1.0
            culvertd:               0.1.0
            Control Epoch:          2
            Data Plane Epoch:       3
            Layout Version:         1

            """),
        Screen(
            "drain destination 198.51.100.2",
            "destination 198.51.100.2 takes no new sessions; up there: 2 tunnels, 4 sessions, 7 connections\n"),
        Screen(
            "undrain pppoe-ac ac1", "pppoe-ac ac1 takes new sessions; up there: 2 tunnels, 4 sessions, 7 connections\n"),
        Screen("clear pppoe-ac statistics", "the access concentrator's counters begin at zero\n"),
        Screen(
            "reload --check",
            """
            ~ dataplane: sessions 65536 -> 131072 (takes a restart of culvert-dataplane)
            + pppoe-ac ac2
            ~ l2tp-profile isp: hello-timeout 60 -> 30
            - ip-route 0.0.0.0/0
            /etc/culvert/culvert.yaml: 4 changes; nothing was applied

            """),
        Screen(
            "reload",
            """
            ~ dataplane: sessions 65536 -> 131072 (takes a restart of culvert-dataplane)
            + pppoe-ac ac2
            ~ l2tp-profile isp: hello-timeout 60 -> 30
            - ip-route 0.0.0.0/0
            /etc/culvert/culvert.yaml: 3 of 4 changes applied; the others take a restart of culvert-dataplane

            """),
        Screen(
            "debug l2tp tunnel 7",
            """
            PPPoE AC debugging:     disabled
            L2TP debugging:         enabled (tunnel 7)
            PPP debugging:          disabled
            RADIUS debugging:       disabled
            DNS debugging:          disabled

            """),
    ]

    @Test(arguments: screens)
    func screen(_ screen: Screen) async throws {
        try await serving(FakeControlPlane()) { path in
            let words = screen.command.split(separator: " ").map(String.init)
            let outcome = try await CommandLineTests.culvert(words + ["--socket", path])
            #expect(outcome.output == screen.text)
            #expect(outcome.errors.isEmpty)
            #expect(outcome.status == 0)
            // The same as JSON.
            let json = try await CommandLineTests.culvert(["--json", "--socket", path] + words)
            #expect(json.status == 0)
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(json.output.utf8)) }
        }
    }

    /// Those whose text depends on the time of day.
    @Test func screensWithTimes() async throws {
        try await serving(FakeControlPlane()) { path in
            let interface = try await CommandLineTests.culvert(["show", "interface", "pppoe131074", "--socket", path])
            let lines = interface.output.split(separator: "\n")
            #expect(
                lines.dropLast().joined(separator: "\n") == """
                    Interface pppoe131074
                      Link is UP, administrative state is UP
                      Hardware is PPP, client is 02:00:00:02:00:02
                      User 'user2@isp2.example' of pppoe-ac ac1
                      Forwarded to L2TP tunnel 2, session 2
                      index 131074 mtu 1492
                      <UP,POINT-TO-POINT,RUNNING,NOARP,MULTICAST>
                      PPP is Open, underlying interface access0.102
                      input packets 3620, bytes 5301510, dropped 0
                      output packets 3621, bytes 5272542, dropped 0
                    """)
            #expect(lines.last?.hasPrefix("  Time since it was made: ") == true)
            let cache = try await CommandLineTests.culvert(["show", "dns", "cache", "--socket", path])
            #expect(
                cache.output == """
                    DNS Cache
                    --------------------------------------------------------------------
                    2 of 1024 names

                    Name                 Addresses                 Kept for
                    lns.isp1.com         203.0.113.2, 2001:db8::2       0 s
                    lns.nowhere.example  does not exist                 0 s

                    """)
        }
    }

    @Test func oneSession() async throws {
        let fake = FakeControlPlane()
        let session = try await fake.sessions(
            SessionFilter(tunnelID: 2, sessionID: 1), detail: true, from: nil, limit: 1
        )
        .elements[0]
        try await serving(fake) { path in
            for words in [
                ["session-2-1", "detail"], ["detail", "1", "--tunnel", "2"], ["1", "detail", "--tunnel=2"],
            ] {
                let outcome = try await CommandLineTests.culvert(["sh", "l2tp", "sess"] + words + ["--socket", path])
                #expect(outcome.output == SessionSnapshot.detailHeading + session.detailText(in: .utc))
            }
        }
    }

    @Test func eventsThatHaveBeen() async throws {
        let fake = FakeControlPlane(tunnels: 3, sessionsPerTunnel: 0)
        for tunnel in await fake.allTunnels { fake.events.publish(.tunnelUp(tunnel), at: FakeControlPlane.start) }
        try await serving(fake) { path in
            let outcome = try await CommandLineTests.culvert(["show", "events", "--last", "1", "--socket", path])
            #expect(
                outcome.output == "12:25:25 * tunnel up    3 'tunnel3' 192.0.2.1:1701 to 198.51.100.4:1701 id 1003\n")
        }
    }

    @Test func faultsOfAReload() async throws {
        let fake = FakeControlPlane()
        await fake.setReloadFaults([
            FileFault(line: 7, field: "l2tp-profile[0].mtu", reason: "expected a whole number"),
            FileFault(line: 0, field: "", reason: "cannot read it"),
        ])
        try await serving(fake) { path in
            let outcome = try await CommandLineTests.culvert(["reload", "--socket", path])
            #expect(outcome.status == 1)
            #expect(outcome.output.isEmpty)
            #expect(
                outcome.errors == """
                    culvert: /etc/culvert/culvert.yaml:7: l2tp-profile[0].mtu: expected a whole number
                    culvert: /etc/culvert/culvert.yaml: cannot read it

                    """)
        }
    }

    @Test func debuggingIsSwitched() async throws {
        let fake = FakeControlPlane()
        try await serving(fake) { path in
            func run(_ line: String) async throws -> Child {
                try await CommandLineTests.culvert(line.split(separator: " ").map(String.init) + ["--socket", path])
            }
            _ = try await run("debug pppoe-ac")
            _ = try await run("deb ppp mac 02:00:00:00:00:01 session 9")
            #expect(
                await fake.rules == [
                    DebugRule(.accessConcentrator),
                    DebugRule(.ppp, scope: DebugScope(session: 9, client: .init("02:00:00:00:00:01"))),
                ])
            #expect(try await run("no debug pppoe-ac").status == 0)
            #expect(await fake.rules.map(\.subsystem) == [.ppp])
            #expect(try await run("undebug all").status == 0)
            #expect(await fake.rules.isEmpty)
        }
    }

    /// What tshark makes of the file is in the laboratory; here the octets.
    @Test func captureIsPcapng() async throws {
        let fake = FakeControlPlane()
        try await serving(fake) { path in
            try await withTemporaryFolder { folder in
                let file = folder.appending(path: "capture.pcapng")
                let outcome = try await CommandLineTests.culvert([
                    "capture", "session", "1", "--tunnel", "2", "--count", "2", "--write", file.path(), "--socket",
                    path,
                ])
                #expect(outcome.status == 0)
                #expect(outcome.errors == "culvert: 2 frames written to \(file.path())\n")
                #expect(await fake.captured == [.l2tp(1, tunnel: 2)])
                let octets = Array(try Data(contentsOf: file))
                #expect(octets.prefix(4) == [0x0a, 0x0d, 0x0d, 0x0a] && octets[8..<12] == [0x1a, 0x2b, 0x3c, 0x4d])
                let mode = try FileManager.default.attributesOfItem(atPath: file.path())[.posixPermissions] as? Int
                #expect(mode == 0o600)
                let piped = try await CommandLineTests.culvert([
                    "capture", "route", "9", "--seconds", "0.5", "--socket", path,
                ])
                #expect(piped.status == 0)
                #expect(piped.errors.isEmpty)
            }
        }
    }

    @Test func configCheckNeedsNoDaemon() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "c.yaml")
            try Data(
                """
                pppoe-ac:
                  - name: ac1
                    destination: l2tp
                l2tp-profile:
                  - name: isp

                """.utf8
            ).write(to: file)
            for words in [["show", "pppoe-ac", "config-check"], ["show", "pppoe-ac", "ac1", "config-check"]] {
                let outcome = try await CommandLineTests.culvert(words + ["--file", file.path()])
                #expect(outcome.status == 1)
                #expect(
                    outcome.output == """
                        PPPoE Access Concentrator ac1:
                          Incomplete Configuration
                            Required: add pppoe-ac-service to one or more interfaces
                            Required: service-name
                            Required: l2tp peer-address
                            Required: l2tp profile

                        """)
            }
            let tunnel = try await CommandLineTests.culvert([
                "show", "l2tp", "tunnel", "config-check", "--json", "--file", file.path(),
            ])
            #expect(
                tunnel.output == "[{\"complete\":false,\"kind\":\"l2tp-profile\",\"line\":5,\"name\":\"isp\","
                    + "\"problems\":[\"Required: name the l2tp-profile in a pppoe-ac or l2tp-domain\"]}]\n")
            let nobody = try await CommandLineTests.culvert([
                "show", "pppoe-ac", "x", "config-check", "--file", file.path(),
            ])
            #expect(nobody.errors == "culvert: \(file.path()) has no pppoe-ac called 'x'\n")
        }
    }

    /// `--watch` prints frame after frame where there is no terminal.
    @Test func framesFollowEachOther() async throws {
        try await serving(FakeControlPlane()) { path in
            let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "culvert")
            let process = Process()
            process.executableURL = program
            process.arguments = ["show", "version", "--watch", "0.1", "--socket", path]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            defer { process.terminate() }
            let two = try await Child.text(of: output.fileHandleForReading, until: "Control Epoch:", times: 2)
            #expect(two.hasPrefix("culvert:                0.1.0\nculvertd:"))
            #expect(two.contains("Layout Version:         1\n\nculvert:  "))
        }
    }
}
