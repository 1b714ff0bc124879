import Configuration
import Observability
import Settings
import Testing

/// What `show running-config` prints is a file, and `reload` tells two of them apart.
@Suite struct RunningConfigurationTests {
    /// Every setting of the file, with another value than its default; one secret for all, so that masks can be put right.
    static let everything =
        ConfigurationTests.full
        .replacingFirst(
            "      peer-address: static 192.168.11.2\n",
            """
                  peer-address: radius-lookup group my_group
                  radius-style: user
                  radius-password: oursecret

            """
        ).replacingFirst(
            "    destination: l2tp\n    l2tp:\n",
            "    accounting: {group: my_group, interim-interval: 600, tunnel: true}\n    destination: l2tp\n    l2tp:\n"
        ).replacingFirst(
            "    hello-timeout: 30\n",
            """
                hello-timeout: 30
                ip-name-server: ["10.1.1.3:5353", "[2001:db8::53]:54"]
                server: my_group
                failover-timeout: 7
                hold-down: 90
                session-establish-timeout: 91
                persist-pend-timeout: 92
                hide-avps: true
                framing-capability: sync
                bearer-capability: digital
                firmware-revision: 7
                tie-breaker: true
                access-line-avps: true

            """
        ).replacingFirst(
            "    challenge-name: challenger\n",
            """
                challenge-name: challenger
                lcp-restart: 4
                lcp-max-configure: 5
                lcp-max-terminate: 6
                lcp-max-failure: 7

            """
        ).replacingFirst(
            "  log-level: debug\n",
            """
              log-level: debug
              log-format: json
              store: "/var/lib/our store.sqlite"
              sessions-at-stop: end
              rpc-tcp: {address: ["0.0.0.0:7443", "[::1]:7443"], certificate: /c, private-key: /k, client-ca: /a, read-only: [a, "b c"]}
              metrics: {address: "127.0.0.1:9464", per-worker: true, per-tunnel: true}

            """
        ).replacingFirst(
            "  cores: 1-2\n",
            """
              cores: "1,2"
              segment: /dev/hugepages/segment of ours
              segment-group: culvert
              memory: ordinary
              main-core: 3
              sessions: 128
              tunnels: 32
              circuits: 64
              vlan-blocks: 128
              frame-ring-depth: 128
              idle: sleep 50
              punt-limits: {arp: 1, ipv4: 2, ipv6: 3, pppoe-discovery: 4, ppp-control: 5, unknown-session: 6, l2tp-control: 7, too-big: 8, capture: 9}
              punt-limits-per-client: {arp: 11, ipv4: 12, ipv6: 13, pppoe-discovery: 14, ppp-control: 15, unknown-session: 16, l2tp-control: 17, too-big: 18}
              reassembly: {datagrams: 100, fragments: 300, timeout-ms: 7}
              reordering: {window: 8, frames: 128, timeout-ms: 9}
              telemetry: false

            """
        ).replacingFirst("device: net_null0, mtu: 1508", "device: net_null0, mtu: 1508, queues: 2, dispatch: rss")
            + """

            ip-name-server: [10.1.1.1, "10.1.1.2:5353"]
            radius-server:
              - {host: 192.168.1.200, key: oursecret, auth-port: 1645, acct-port: 1646, timeout: 4, retransmit: 5, dead-time: 6, status-server: true, message-authenticator: optional}
            aaa-group-server-radius:
              - {name: my_group, servers: [192.168.1.200]}
            radius:
              nas-identifier: "a nas: \\"quoted\\""
              nas-ip-address: 10.0.0.1
              source-address: [10.0.0.2, "2001:db8::2"]
              source-ports: 9
              dynamic-authorization: {port: 3800, clients: [{address: 192.168.1.200, key: oursecret}]}
            l2tp-domain:
              - {domain: isp1.com, peer-address: static 10.99.0.3, profile: plain}
              - {domain: default, tunnels: [{address: 10.99.0.4, preference: 10, profile: plain}, {name: lns2.isp2.com}]}

            """

    static func read(_ text: String) throws -> Configuration { try Configuration.read(text, machineName: "machine") }

    static func text(_ configuration: Configuration) -> String {
        configuration.sections.map(\.text).joined(separator: "\n")
    }

    /// A setting that the rendering forgets comes back with its default.
    @Test(arguments: [everything, ConfigurationTests.full])
    func canBeFedBack(file: String) throws {
        let original = try Self.read(file)
        let rendered = Self.text(original)
        #expect(!rendered.contains("oursecret"))
        // radius-password has a default that is masked like any other.
        let unmasked = original.accessConcentrators.reduce(rendered) { text, instance in
            text.replacingFirst(
                "radius-password: \"<secret>\"",
                "radius-password: " + String(decoding: instance.radiusPassword.octets, as: UTF8.self))
        }
        let again = try Self.read(unmasked.replacing("\"<secret>\"", with: "oursecret"))
        #expect(again.dataPlane == original.dataPlane)
        #expect(again.control == original.control)
        #expect(again.interfaces == original.interfaces)
        #expect(again.routes == original.routes)
        #expect(again.accessConcentrators == original.accessConcentrators)
        #expect(again.l2tpProfiles == original.l2tpProfiles)
        #expect(again.domainMap == original.domainMap)
        #expect(again.nameServers == original.nameServers)
        #expect(again.radiusServers == original.radiusServers)
        #expect(again.radiusGroups == original.radiusGroups)
        #expect(again.radius == original.radius)
        #expect(Self.text(again) == rendered)
    }

    /// No value of the fixture is its default, or the test above would not notice what is left out.
    @Test func theFixtureHasNoDefaults() throws {
        let plain = try Self.read(
            """
            dataplane: {cores: 5, ports: [{name: access0, device: net_null2}, {name: core0, device: net_null3}]}
            interfaces:
              - {name: access0, pppoe-ac-service: mylittleac}
              - {name: core0, ip-address: [10.99.0.9/24, 10.98.0.2/24]}
            ip-name-server: 10.1.1.9
            radius-server: [{host: 192.168.1.200, key: k}]
            aaa-group-server-radius: [{name: my_group, servers: 192.168.1.200}]
            radius: {dynamic-authorization: {clients: [{address: 10.0.0.9, key: k}]}}
            pppoe-ac:
              - {name: mylittleac, service-name: any, destination: l2tp, accounting: {group: my_group}, l2tp: {peer-address: static 10.99.0.1, profile: my-l2tp-profile1}}
            l2tp-profile: [{name: my-l2tp-profile1}]
            """)
        let changes = plain.changes(to: try Self.read(Self.everything))
        let changed = Set(changes.map { "\($0.section) \($0.setting)" })
        let untouched = Self.settings(of: plain).subtracting(changed)
        #expect(
            untouched == [
                // What tells elements apart, what has one value only, and what the other instance has.
                "interfaces name", "aaa-group-server-radius name", "aaa-group-server-radius servers",
                "pppoe-ac name", "pppoe-ac destination", "pppoe-ac l2tp.profile", "pppoe-ac tcp-mss",
                "pppoe-ac accounting.group", "l2tp-profile name", "l2tp-profile version", "radius-server host",
                // Elements with other VLANs are other elements.
                "interfaces vlans", "interfaces pppoe-ac-service",
            ])
    }

    private static func settings(of configuration: Configuration) -> Set<String> {
        var found: Set<String> = []
        func add(_ section: String, _ settings: [ConfigurationDocument.Setting], _ path: String = "") {
            for setting in settings {
                if case .mapping(let inner) = setting.value {
                    add(section, inner, path + setting.name + ".")
                } else {
                    found.insert("\(section) \(path)\(setting.name)")
                }
            }
        }
        for section in configuration.document.sections {
            switch section.body {
            case .settings(let settings): add(section.name, settings)
            case .elements(let elements): for element in elements { add(section.name, element.settings) }
            case .texts: found.insert("\(section.name) ")
            }
        }
        return found
    }

    @Test func looksLikeAFile() throws {
        let configuration = try Self.read(Self.everything)
        let sections = Dictionary(uniqueKeysWithValues: configuration.sections.map { ($0.name, $0.text) })
        #expect(
            configuration.sections.map(\.name) == [
                "dataplane", "control", "interfaces", "ip-route", "ip-name-server", "radius-server",
                "aaa-group-server-radius", "radius", "l2tp-domain", "pppoe-ac", "l2tp-profile",
            ])
        #expect(sections["ip-name-server"] == "ip-name-server: [10.1.1.1, 10.1.1.2:5353]\n")
        #expect(
            sections["l2tp-domain"] == """
                l2tp-domain:
                  - domain: isp1.com
                    peer-address: static 10.99.0.3
                    profile: plain
                  - domain: default
                    tunnels:
                      - {address: 10.99.0.4, preference: 10, profile: plain}
                      - {name: lns2.isp2.com, preference: 0}

                """)
        #expect(
            sections["pppoe-ac"]?.hasPrefix(
                """
                pppoe-ac:
                  - name: mylittleac
                    ac-name: ditch
                    service-name: remote-office advertised
                    ppp-auth-protocols: [pap, chap]
                    ppp-mru: 1500
                    tcp-mss: off
                    challenge-name: challenger
                    lcp-restart: 4
                    lcp-max-configure: 5
                    lcp-max-terminate: 6
                    lcp-max-failure: 7
                    session-limit: 1000
                    session-limit-per-mac: 3
                    destination: l2tp
                    l2tp:
                      peer-address: radius-lookup group my_group
                      profile: my-l2tp-profile1
                      radius-style: user
                      radius-password: "<secret>"
                    accounting:
                      group: my_group
                      interim-interval: 600
                      tunnel: true
                  - name: second

                """) == true)
    }

    struct Row: Sendable {
        var old: String
        var new: String
        var changes: [String]
    }

    @Test(arguments: [
        Row(old: "", new: "", changes: []),
        Row(
            old: "hello-timeout: 30", new: "hello-timeout: 31",
            changes: ["changed l2tp-profile my-l2tp-profile1 hello-timeout 30 31 reload"]),
        Row(
            old: "shared-secret: oursecret", new: "shared-secret: theirs",
            changes: ["changed l2tp-profile my-l2tp-profile1 shared-secret \"<secret>\" another one reload"]),
        Row(
            old: "shared-secret: oursecret\n", new: "max-retries: 8\n",
            changes: [
                "removed l2tp-profile my-l2tp-profile1 shared-secret \"<secret>\"  reload"
            ]),
        Row(
            old: "radius-style: user", new: "radius-style: domain",
            changes: ["changed pppoe-ac mylittleac l2tp.radius-style user domain reload"]),
        Row(
            old: "interim-interval: 600", new: "interim-interval: 660",
            changes: ["changed pppoe-ac mylittleac accounting.interim-interval 600 660 reload"]),
        Row(
            old: "sessions: 128", new: "sessions: 256",
            changes: ["changed dataplane  sessions 128 256 restart of culvert-dataplane"]),
        Row(
            old: "rpc-socket: /run/lac/rpc.sock", new: "rpc-socket: /run/other",
            changes: ["changed control  rpc-socket /run/lac/rpc.sock /run/other restart of culvertd"]),
        Row(
            old: "  - {prefix: 0.0.0.0/0, next-hop: 10.99.0.254}",
            new: "  - {prefix: 0.0.0.0/0, next-hop: 10.99.0.253}\n  - {prefix: 192.0.2.0/24, next-hop: 10.99.0.254}",
            changes: [
                "changed ip-route 0.0.0.0/0 next-hop 10.99.0.254 10.99.0.253 reload",
                "added ip-route 192.0.2.0/24    reload",
            ]),
        Row(
            old: "  - {domain: isp1.com, peer-address: static 10.99.0.3, profile: plain}\n", new: "",
            changes: ["removed l2tp-domain isp1.com    reload"]),
        Row(
            old: "ip-name-server: [10.1.1.1, \"10.1.1.2:5353\"]\n", new: "ip-name-server: 10.1.1.1\n",
            changes: ["changed ip-name-server   [10.1.1.1, 10.1.1.2:5353] [10.1.1.1] reload"]),
        Row(
            old: "preference: 10,", new: "preference: 11,",
            changes: [
                "changed l2tp-domain default tunnels [{address: 10.99.0.4, preference: 10, profile: plain}, "
                    + "{name: lns2.isp2.com, preference: 0}] [{address: 10.99.0.4, preference: 11, profile: plain}, "
                    + "{name: lns2.isp2.com, preference: 0}] reload"
            ]),
    ])
    func tellsDifferences(row: Row) throws {
        // Lines that a row puts in must not be there twice.
        let everything =
            row.old.contains("shared-secret")
            ? Self.everything.replacingFirst("    hide-avps: true\n", "") : Self.everything
        let text = everything.replacingFirst(
            "    max-retries: 7\n", row.new.contains("max-retries") ? "" : "    max-retries: 7\n")
        let old = try Self.read(everything)
        let new = try Self.read(row.old.isEmpty ? text : text.replacingFirst(row.old, row.new))
        let found = old.changes(to: new).map {
            "\($0.kind) \($0.section) \($0.element) \($0.setting) \($0.oldValue) \($0.newValue) \($0.effect.rawValue)"
        }.filter { !$0.contains("max-retries") }
        #expect(found == row.changes)
    }

    @Test(arguments: [
        ("plain", "plain"), ("two words", "two words"), ("", "\"\""), ("null", "\"null\""), ("a: b", "\"a: b\""),
        ("-x", "\"-x\""), ("2001:db8::", "\"2001:db8::\""), ("2001:db8::1", "2001:db8::1"), ("#", "\"#\""),
        ("say \"hi\"\\", "\"say \\\"hi\\\"\\\\\""), ("é", "\"é\""), ("tab\t", "\"tab\\x09\""), ("~", "\"~\""),
        ("a, b", "\"a, b\""), ("{x}", "\"{x}\""),
    ])
    func quotesWhatYAMLWouldTakeForSomethingElse(text: String, yaml: String) throws {
        #expect(ConfigurationDocument.quoted(text) == yaml)
        let faults = FaultCollector()
        let node = ConfigurationNode.document("[\(yaml)]", faults: faults)
        #expect(node?.elements()?.first?.string() == text)
        #expect(faults.faults.isEmpty)
    }
}
