import Settings
import Testing

@Suite struct DataPlaneSettingsTests {
    static let whole = """
        dataplane:
          segment: /dev/hugepages/culvert
          segment-group: culvert
          memory: huge-pages
          cores: 1-3,5
          main-core: 4
          sessions: 1048576
          tunnels: 65536
          circuits: 16384
          vlan-blocks: 300
          frame-ring-depth: 4096
          idle: sleep 50
          punt-limits:
            arp: 1
            ipv4: 2
            ipv6: 3
            pppoe-discovery: 4
            ppp-control: 5
            unknown-session: 6
            l2tp-control: 0
            too-big: 7
            capture: 8
          punt-limits-per-client:
            arp: 11
            ipv4: 12
            ipv6: 13
            pppoe-discovery: 14
            ppp-control: 15
            unknown-session: 16
            l2tp-control: 17
            too-big: 0
            capture: 18
            l2tp-unknown: 19
          punt-shares: {arp: 31, ipv4: 32, ipv6: 33, pppoe-discovery: 34, ppp-control: 35, unknown-session: 36, l2tp-control: 37, too-big: 0, l2tp-unknown: 39}
          punt-shares-per-port: {arp: 41, ipv4: 42, ipv6: 43, pppoe-discovery: 44, ppp-control: 45, unknown-session: 46, l2tp-control: 47, too-big: 48, l2tp-unknown: 49}
          reordering: {window: 64, frames: 1024, timeout-ms: 20}
          ports:
            - name: access
              device: 0000:03:00.0
              mtu: 1508
              queues: 4
              dispatch: rss
            - {name: core, device: "net_af_packet0,iface=veth1"}
          telemetry: false
        pppoe-ac: {anything: at all}
        """

    @Test func readsEverySetting() throws {
        let settings = try DataPlaneSettings.read(Self.whole)
        var expected = DataPlaneSettings(
            cores: [1, 2, 3, 5],
            ports: [
                .init(name: "access", device: "0000:03:00.0", mtu: 1_508, queues: 4, dispatch: .rss),
                .init(name: "core", device: "net_af_packet0,iface=veth1"),
            ])
        expected.segment = "/dev/hugepages/culvert"
        expected.segmentGroup = "culvert"
        expected.memory = .hugePages
        expected.mainCore = 4
        expected.sessions = 1_048_576
        expected.tunnels = 65_536
        expected.circuits = 16_384
        expected.vlanBlocks = 300
        expected.frameRingDepth = 4_096
        expected.idle = .sleep(microseconds: 50)
        expected.puntLimits.arp = 1
        expected.puntLimits.ipv4 = 2
        expected.puntLimits.ipv6 = 3
        expected.puntLimits.pppoeDiscovery = 4
        expected.puntLimits.pppControl = 5
        expected.puntLimits.unknownSession = 6
        expected.puntLimits.l2tpControl = 0
        expected.puntLimits.tooBig = 7
        expected.puntLimits.capture = 8
        expected.puntLimitsPerClient.arp = 11
        expected.puntLimitsPerClient.ipv4 = 12
        expected.puntLimitsPerClient.ipv6 = 13
        expected.puntLimitsPerClient.pppoeDiscovery = 14
        expected.puntLimitsPerClient.pppControl = 15
        expected.puntLimitsPerClient.unknownSession = 16
        expected.puntLimitsPerClient.l2tpControl = 17
        expected.puntLimitsPerClient.tooBig = 0
        expected.puntLimitsPerClient.capture = 18
        expected.puntLimitsPerClient.l2tpUnknown = 19
        expected.puntShares.arp = 31
        expected.puntShares.ipv4 = 32
        expected.puntShares.ipv6 = 33
        expected.puntShares.pppoeDiscovery = 34
        expected.puntShares.pppControl = 35
        expected.puntShares.unknownSession = 36
        expected.puntShares.l2tpControl = 37
        expected.puntShares.tooBig = 0
        expected.puntShares.l2tpUnknown = 39
        expected.puntSharesPerPort.arp = 41
        expected.puntSharesPerPort.ipv4 = 42
        expected.puntSharesPerPort.ipv6 = 43
        expected.puntSharesPerPort.pppoeDiscovery = 44
        expected.puntSharesPerPort.pppControl = 45
        expected.puntSharesPerPort.unknownSession = 46
        expected.puntSharesPerPort.l2tpControl = 47
        expected.puntSharesPerPort.tooBig = 48
        expected.puntSharesPerPort.l2tpUnknown = 49
        expected.telemetry = false
        expected.reordering.window = 64
        expected.reordering.frames = 1_024
        expected.reordering.timeout = 20
        #expect(settings == expected)
    }

    @Test func hasDefaults() throws {
        let settings = try DataPlaneSettings.read(
            "dataplane: {cores: 7, ports: [{name: a, device: net_null0}]}")
        #expect(settings == DataPlaneSettings(cores: [7], ports: [.init(name: "a", device: "net_null0")]))
        #expect(settings.segment == "/dev/shm/culvert")
        #expect(settings.idle == .poll)
        #expect(settings.ports[0].dispatch == .automatic)
        #expect(settings.ports[0].queues == nil)
        #expect(settings.puntLimitsPerClient.arp < settings.puntLimits.arp)
        #expect(settings.puntShares.arp < settings.puntSharesPerPort.arp)
        #expect(settings.puntSharesPerPort.arp < settings.puntLimits.arp)
    }

    /// A line of `whole` in another form, and the faults that it makes.
    @Test(
        arguments: [
            (
                "segment: /dev/hugepages/culvert", "segment: here",
                ["2: segment: expected an absolute path, found `here`"]
            ),
            (
                "memory: huge-pages", "memory: big",
                ["4: memory: expected one of `huge-pages`, `ordinary`, `auto`, found `big`"]
            ),
            ("cores: 1-3,5", "cores: 3-1", ["5: cores: expected a core list such as 1-3,5, found `3-1`"]),
            ("cores: 1-3,5", "cores: 1,,2", ["5: cores: expected a core list such as 1-3,5, found `1,,2`"]),
            ("cores: 1-3,5", "cores: 0-4096", ["5: cores: expected a core list such as 1-3,5, found `0-4096`"]),
            ("cores: 1-3,5", "cores: -1", ["5: cores: expected a core list such as 1-3,5, found `-1`"]),
            ("cores: 1-3,5", "cores: 1-3,2", ["5: cores: a core is given twice; a worker has one for itself"]),
            ("cores: 1-3,5", "cores: 0-64", ["5: cores: more than 64 cores"]),
            ("main-core: 4", "main-core: x", ["6: main-core: expected a whole number from 0 to 1023, found `x`"]),
            ("sessions: 1048576", "sessions: 60000", ["7: sessions: expected a power of two, found `60000`"]),
            ("tunnels: 65536", "tunnels: 8", ["8: tunnels: expected a whole number from 16 to 65536, found `8`"]),
            (
                "vlan-blocks: 300", "vlan-blocks: 1",
                ["10: vlan-blocks: expected a whole number from 2 to 65536, found `1`"]
            ),
            (
                "idle: sleep 50", "idle: sleep 0",
                ["12: idle: expected `poll`, `yield` or `sleep N` with N from 1 to 10000 microseconds, found `sleep 0`"]
            ),
            ("arp: 1", "arp: -1", ["14: punt-limits.arp: expected a whole number from 0 to 10000000, found `-1`"]),
            (
                "arp: 1", "apr: 1",
                [
                    "14: punt-limits.apr: unknown; known here: arp, capture, ipv4, ipv6, l2tp-control, l2tp-unknown, ppp-control, "
                        + "pppoe-discovery, too-big, unknown-session"
                ]
            ),
            (
                "punt-shares: {arp: 31", "punt-shares: {capture: 31",
                [
                    "34: punt-shares.capture: unknown; known here: arp, ipv4, ipv6, l2tp-control, l2tp-unknown, ppp-control, "
                        + "pppoe-discovery, too-big, unknown-session"
                ]
            ),
            (
                "punt-shares-per-port: {arp: 41", "punt-shares-per-port: {arp: many",
                ["35: punt-shares-per-port.arp: expected a whole number from 0 to 10000000, found `many`"]
            ),
            (
                "window: 64", "window: 1",
                ["36: reordering.window: expected a whole number from 2 to 256, found `1`"]
            ),
            (
                "frames: 1024", "frames: 65537",
                ["36: reordering.frames: expected a whole number from 64 to 65536, found `65537`"]
            ),
            (
                "timeout-ms: 20", "timeout-ms: 0",
                ["36: reordering.timeout-ms: expected a whole number from 1 to 1000, found `0`"]
            ),
            (
                "timeout-ms: 20", "timeout: 20",
                ["36: reordering.timeout: unknown; known here: frames, timeout-ms, window"]
            ),
            (
                "name: access", "name: a port",
                ["38: ports[0].name: expected a name of 1 to 31 letters, digits, `-`, `_` or `.`, found `a port`"]
            ),
            ("mtu: 1508", "mtu: 100", ["40: ports[0].mtu: expected a whole number from 576 to 9600, found `100`"]),
            ("queues: 4", "queues: 0", ["41: ports[0].queues: expected a whole number from 1 to 64, found `0`"]),
            (
                "arp: 11", "arp: x",
                ["24: punt-limits-per-client.arp: expected a whole number from 0 to 10000000, found `x`"]
            ),
            (
                "dispatch: rss", "dispatch: hardware",
                ["42: ports[0].dispatch: expected one of `auto`, `single`, `rss`, `software`, found `hardware`"]
            ),
            (
                "dispatch: rss", "dispatch: single",
                ["42: ports[0].dispatch: `single` has one queue, and `queues` is 4"]
            ),
            ("queues: 4", "queues: 1", ["42: ports[0].dispatch: `rss` takes two queues or more, and `queues` is 1"]),
            ("{name: core,", "{name: access,", ["43: ports[1]: another port is called `access`"]),
            (
                "\"net_af_packet0,iface=veth1\"", "0000:03:00.0",
                ["43: ports[1]: another port has the device `0000:03:00.0`"]
            ),
            ("telemetry: false", "telemetry: 7", ["44: telemetry: expected true or false, found `7`"]),
            (
                "main-core: 4", "cpu: 4",
                [
                    "6: cpu: unknown; known here: circuits, cores, frame-ring-depth, idle, main-core, memory, ports, "
                        + "punt-limits, punt-limits-per-client, punt-shares, punt-shares-per-port, reassembly, reordering, "
                        + "segment, segment-group, sessions, telemetry, tunnels, vlan-blocks"
                ]
            ),
        ] as [(String, String, [String])])
    func refuses(line: String, other: String, expected: [String]) throws {
        let range = try #require(Self.whole.firstRange(of: line))
        let faults = #expect(throws: ConfigurationFaults.self) {
            try DataPlaneSettings.read(Self.whole.replacingCharacters(of: range, with: other))
        }
        #expect(faults?.list.map { $0.description.replacing("dataplane.", with: "") } == expected)
    }

    @Test(arguments: DataPlaneSettings.Dispatch.allCases) func readsEveryDispatch(dispatch: DataPlaneSettings.Dispatch)
        throws
    {
        let settings = try DataPlaneSettings.read(
            "dataplane: {cores: 1-2, ports: [{name: a, device: net_null0, dispatch: \(dispatch.rawValue)}]}")
        #expect(settings.ports[0].dispatch == dispatch)
    }

    @Test func reportsAllFaultsAtOnce() {
        let faults = #expect(throws: ConfigurationFaults.self) {
            try DataPlaneSettings.read("dataplane:\n  sessions: 3\n  tunnels: 3\n  ports: []")
        }
        #expect(
            faults?.list.map(\.field) == [
                "dataplane.cores", "dataplane.sessions", "dataplane.tunnels", "dataplane.ports",
            ])
    }

    @Test(arguments: ["", "pppoe-ac: {}", "dataplane: 1", "dataplane: {}", "[", "dataplane:\n\tx: 1"])
    func refusesAFileWithoutTheSection(text: String) {
        #expect(throws: ConfigurationFaults.self) { try DataPlaneSettings.read(text) }
    }
}

extension String {
    fileprivate func replacingCharacters(of range: Range<String.Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
