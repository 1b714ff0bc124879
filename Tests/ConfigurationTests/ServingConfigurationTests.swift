import Configuration
import Settings
import Testing
import Wire

/// What culvertd serves to machines beside its socket, and its log.
@Suite struct ServingConfigurationTests {
    /// A file whose `control:` begins at line 3.
    private static func file(_ control: String) -> String {
        """
        dataplane: {cores: 1, ports: [{name: access0, device: net_null0}]}
        control:
        \(control)
        """
    }

    private static func control(_ text: String) throws -> Control {
        try Configuration.read(file(text), machineName: "machine").control
    }

    @Test func nothingIsServedUnlessSaid() throws {
        let control = try Self.control("  log-level: info")
        #expect(control.rpcTCP == nil)
        #expect(control.metrics == nil)
        #expect(control.logFormat == .text)
    }

    @Test func everythingIsRead() throws {
        let control = try Self.control(
            """
              log-format: json
              rpc-tcp:
                address: ["0.0.0.0:7443", "[2001:db8::1]:7443"]
                certificate: /etc/culvert/server.pem
                private-key: /etc/culvert/server.key
                client-ca: /etc/culvert/clients.pem
                read-only: [monitoring, "night shift"]
              metrics: {address: "127.0.0.1:9464", per-worker: true, per-tunnel: yes}
            """)
        #expect(control.logFormat == .json)
        let rpc = try #require(control.rpcTCP)
        #expect(rpc.endpoints.map(\.description) == ["0.0.0.0:7443", "[2001:db8::1]:7443"])
        #expect(rpc.certificate == "/etc/culvert/server.pem")
        #expect(rpc.privateKey == "/etc/culvert/server.key")
        #expect(rpc.clientAuthorities == "/etc/culvert/clients.pem")
        #expect(rpc.readOnly == ["monitoring", "night shift"])
        let metrics = try #require(control.metrics)
        #expect(metrics.endpoints == [SocketEndpoint(.v4(IPv4Address(value: 0x7f00_0001)), port: 9_464)])
        #expect(metrics.perWorker)
        #expect(metrics.perTunnel)
    }

    @Test func theRestHasDefaults() throws {
        let control = try Self.control(
            """
              rpc-tcp: {address: "[::1]:1", certificate: /c, private-key: /k, client-ca: /a}
              metrics: {address: "[::]:65535"}
            """)
        #expect(control.rpcTCP?.readOnly == [])
        #expect(control.metrics?.perWorker == false)
        #expect(control.metrics?.perTunnel == false)
        #expect(control.metrics?.endpoints.first?.port == 65_535)
    }

    private static let address = #"expected an address and a port such as "127.0.0.1:9464" or "[::1]:9464", found"#

    @Test(arguments: [
        ("  log-format: xml", ["3: control.log-format: expected one of `text`, `json`, found `xml`"]),
        ("  metrics: {}", ["3: control.metrics.address: missing"]),
        ("  metrics: yes", ["3: control.metrics: expected a mapping, found text"]),
        ("  metrics: {address: \"localhost:9464\"}", ["3: control.metrics.address: \(address) `localhost:9464`"]),
        ("  metrics: {address: \"127.0.0.1\"}", ["3: control.metrics.address: \(address) `127.0.0.1`"]),
        ("  metrics: {address: \"127.0.0.1:0\"}", ["3: control.metrics.address: \(address) `127.0.0.1:0`"]),
        ("  metrics: {address: \"127.0.0.1:65536\"}", ["3: control.metrics.address: \(address) `127.0.0.1:65536`"]),
        ("  metrics: {address: \"127.0.0.1:+80\"}", ["3: control.metrics.address: \(address) `127.0.0.1:+80`"]),
        ("  metrics: {address: \"::1:9464\"}", ["3: control.metrics.address: \(address) `::1:9464`"]),
        ("  metrics: {address: \"[127.0.0.1]:9464\"}", ["3: control.metrics.address: \(address) `[127.0.0.1]:9464`"]),
        ("  metrics: {address: []}", ["3: control.metrics.address: expected at least one"]),
        (
            "  metrics: {address: [\"127.0.0.1:9464\", \"127.0.0.1:9464\"]}",
            ["3: control.metrics.address[1]: `127.0.0.1:9464` is given twice"]
        ),
        (
            "  metrics: {address: \"127.0.0.1:9464\", per-tunnel: 7, per-core: true}",
            [
                "3: control.metrics.per-core: unknown; known here: address, per-tunnel, per-worker",
                "3: control.metrics.per-tunnel: expected true or false, found `7`",
            ]
        ),
        (
            "  rpc-tcp: {}",
            ["address", "certificate", "client-ca", "private-key"].map { "3: control.rpc-tcp.\($0): missing" }
        ),
        (
            "  rpc-tcp: {address: \"0.0.0.0:7443\", certificate: c.pem, private-key: /k, client-ca: /a}",
            ["3: control.rpc-tcp.certificate: expected a file's absolute path, found `c.pem`"]
        ),
        (
            "  rpc-tcp: {address: \"0.0.0.0:7443\", certificate: /c, private-key: /k, client-ca: /a, read-only: [a, \"\", a]}",
            [
                "3: control.rpc-tcp.read-only[1]: expected 1 to 255 octets of text, found 0",
                "3: control.rpc-tcp.read-only[2]: `a` is given twice",
            ]
        ),
    ])
    func faults(text: String, faults: [String]) throws {
        let thrown = #expect(throws: ConfigurationFaults.self) { try Self.control(text) }
        #expect(thrown?.list.map(\.description) == faults)
    }

    @Test(arguments: [
        ("127.0.0.1:9464", true), ("0.0.0.0:1", true), ("[::]:65535", true), ("[2001:db8::1]:7443", true),
        ("", false), (":", false), (":80", false), ("1.2.3.4:", false), ("1.2.3.4:x", false), ("1.2.3:80", false),
        ("1.2.3.4:00080", true), ("1.2.3.4:000080", false), ("[::1]", false), ("[::1:80", false), ("::1]:80", false),
        ("[]:80", false), ("1.2.3.4: 80", false), ("[fe80::1%eth0]:80", false),
    ])
    func endpoints(text: String, isOne: Bool) {
        let endpoint = SocketEndpoint(text)
        #expect((endpoint != nil) == isOne)
        if let endpoint { #expect(SocketEndpoint(endpoint.description) == endpoint) }
    }
}
