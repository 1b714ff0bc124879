import Configuration
import Settings
import Testing
import Wire

@Suite struct ConfigurationTests {
    static let full = """
        dataplane:
          cores: 1-2
          ports:
            - {name: access0, device: net_null0, mtu: 1508}
            - {name: core0, device: net_null1, mtu: 9000}
        control:
          rpc-socket: /run/lac/rpc.sock
          rpc-socket-mode: "0600"
          log-level: debug
          host-name: lac1
          vendor-name: Ditch Diggers
        interfaces:
          - name: access0
            pppoe-ac-service: [mylittleac, second]
            vlans: "100, 200-299"
            inner-vlans: "1-4094"
          - name: access0
            pppoe-ac-service: second
            vlans: "untagged,300"
          - name: core0
            ip-address: [10.99.0.1/24, 10.98.0.1/31]
        ip-route:
          - {prefix: 0.0.0.0/0, next-hop: 10.99.0.254}
        pppoe-ac:
          - name: mylittleac
            ac-name: ditch
            service-name: remote-office advertised
            ppp-auth-protocols: [pap, chap]
            ppp-mru: 1500
            challenge-name: challenger
            session-limit: 1000
            session-limit-per-mac: 3
            destination: l2tp
            l2tp:
              peer-address: static 192.168.11.2
              profile: my-l2tp-profile1
          - name: second
            ac-name: ditch
            service-name: any
            ppp-auth-protocols: pap
            destination: l2tp
            l2tp: {peer-address: static 10.99.0.7, profile: plain}
            ppp-mru: computed
            tcp-mss: auto
        l2tp-profile:
          - name: my-l2tp-profile1
            version: 2
            shared-secret: oursecret
            hello-timeout: 30
            retry-timeout: 2
            max-retries: 7
            establish-timeout: 90
            idle-timeout: 600
            rx-window-size: 16
            session-limit: 500
            udp-checksums: false
            tos: 184
            l2tp-length-bit: no
            mtu: 1500
            host-name: lac1-isp
            vendor-name: Somebody
            source: 10.98.0.1
            ipv6-zero-checksum: true
            path-mtu: 1480
            path-mtu-discovery: true
            dont-fragment: true
            too-big: tell
            offset-pad: 16
            data-sequence-numbers: required
            reorder: true
          - name: plain
            path-mtu: 1500
        """

    /// Every setting is read: this fails for each one that is ignored.
    @Test func readsEverySetting() throws {
        let configuration = try Configuration.read(Self.full, machineName: "machine")
        #expect(configuration.dataPlane.cores == [1, 2])
        #expect(configuration.dataPlane.ports.map(\.name) == ["access0", "core0"])

        let control = configuration.control
        #expect(control.rpcSocket == "/run/lac/rpc.sock")
        #expect(control.rpcSocketMode == 0o600)
        #expect(control.logLevel == .debug)
        #expect(control.hostName == "lac1")
        #expect(control.vendorName == "Ditch Diggers")

        #expect(configuration.interfaces.map(\.name) == ["access0", "access0", "core0"])
        #expect(configuration.interfaces.map(\.port) == [0, 0, 1])
        #expect(configuration.interfaces.map(\.services) == [["mylittleac", "second"], ["second"], []])
        #expect(configuration.interfaces.map(\.vlans.description) == ["100,200-299", "untagged,300", "untagged"])
        #expect(configuration.interfaces.map(\.innerVLANs?.description) == ["1-4094", nil, nil])
        #expect(
            configuration.interfaces.map { $0.addresses.map(\.description) } == [
                [], [], ["10.99.0.1/24", "10.98.0.1/31"],
            ])

        #expect(configuration.routes.map(\.prefix.description) == ["0.0.0.0/0"])
        #expect(configuration.routes.map(\.nextHop.description) == ["10.99.0.254"])

        let ac = try #require(configuration.accessConcentrator("mylittleac"))
        #expect(ac.acName == "ditch")
        #expect(ac.serviceName == .named("remote-office", advertised: true))
        #expect(ac.authenticationProtocols == [.pap, .chap])
        #expect(ac.pppMRU == 1_500)
        #expect(ac.challengeName == "challenger")
        #expect(ac.sessionLimit == 1_000)
        #expect(ac.sessionLimitPerMAC == 3)
        #expect(ac.destination == .l2tp)
        #expect(ac.peerAddress.description == "static 192.168.11.2")
        #expect(ac.profile == "my-l2tp-profile1")
        #expect(ac.maximumSegmentSize == nil)
        let second = try #require(configuration.accessConcentrator("second"))
        #expect(second.authenticationProtocols == [.pap])
        #expect(second.pppMRU == 1_442, "the seed's figure for an Ethernet")
        #expect(second.segmentSize == .automatic)
        #expect(second.maximumSegmentSize == 1_402)

        let profile = try #require(configuration.l2tpProfile("my-l2tp-profile1"))
        #expect(profile.version == 2)
        #expect(profile.sharedSecret == Secret("oursecret"))
        #expect(profile.helloTimeout == 30)
        #expect(profile.retryTimeout == 2)
        #expect(profile.maxRetries == 7)
        #expect(profile.establishTimeout == 90)
        #expect(profile.idleTimeout == 600)
        #expect(profile.rxWindowSize == 16)
        #expect(profile.sessionLimit == 500)
        #expect(!profile.udpChecksums)
        #expect(profile.typeOfService == .fixed(184))
        #expect(!profile.lengthBit)
        #expect(profile.mtu == 1_500)
        #expect(profile.hostName == "lac1-isp")
        #expect(profile.vendorName == "Somebody")
        #expect(profile.source?.description == "10.98.0.1")
        #expect(profile.ipv6ZeroChecksum)
        #expect(profile.pathMTU == 1_480)
        #expect(profile.pathMTUDiscovery)
        #expect(profile.dontFragment)
        #expect(profile.tooBig == .tell)
        #expect(profile.offsetPad == 16)
        #expect(profile.dataSequencing == .required)
        #expect(profile.reorder)
    }

    @Test func fillsInDefaults() throws {
        let configuration = try Configuration.read(
            """
            dataplane: {cores: 1, ports: [{name: eth1, device: net_null0}]}
            interfaces:
              - {name: eth1, pppoe-ac-service: mylittleac, ip-address: 10.99.0.1/24}
            pppoe-ac:
              - name: mylittleac
                service-name: remote-office
                destination: l2tp
                l2tp: {peer-address: static 10.99.0.2, profile: p}
            l2tp-profile:
              - name: p
            """, machineName: "machine")
        #expect(configuration.control.rpcSocket == "/run/culvert/culvertd.sock")
        #expect(configuration.control.rpcSocketMode == 0o660)
        #expect(configuration.control.logLevel == .info)
        #expect(configuration.control.hostName == "machine")
        #expect(configuration.control.vendorName == "Culvert")
        #expect(configuration.interfaces.first?.vlans == .untaggedOnly)
        #expect(configuration.interfaces.first?.innerVLANs == nil)
        #expect(configuration.routes.isEmpty)

        let ac = try #require(configuration.accessConcentrators.first)
        #expect(ac.serviceName == .named("remote-office", advertised: false))
        #expect(ac.acName == "machine")
        #expect(ac.challengeName == "machine")
        #expect(ac.authenticationProtocols == [.chap, .pap])
        #expect(ac.pppMRU == 1_460, "the profile's mtu")
        #expect(ac.sessionLimit == 0)
        #expect(ac.sessionLimitPerMAC == 0)
        #expect(ac.sessionLimitPerVLAN == 0)
        #expect(ac.sessionLimitPerPort == 0)
        #expect(ac.halfOpenLimit == 20_000)
        #expect(ac.halfOpenLimitPerMAC == 10)
        #expect(ac.halfOpenLimitPerVLAN == 4_000)
        #expect(ac.halfOpenLimitPerPort == 16_000)
        #expect(ac.establishTimeout == 60)

        let profile = try #require(configuration.l2tpProfiles.first)
        #expect(profile.version == 2)
        #expect(profile.sharedSecret == nil)
        #expect(profile.helloTimeout == 60)
        #expect(profile.retryTimeout == 1)
        #expect(profile.maxRetries == 5)
        #expect(profile.establishTimeout == 60)
        #expect(profile.idleTimeout == 0)
        #expect(profile.rxWindowSize == 10)
        #expect(profile.sessionLimit == 0)
        #expect(profile.udpChecksums)
        #expect(profile.typeOfService == .inherit)
        #expect(profile.lengthBit)
        #expect(profile.mtu == 1_460)
        #expect(profile.hostName == "machine")
        #expect(profile.vendorName == "Culvert")
        #expect(profile.source == nil)
        #expect(!profile.ipv6ZeroChecksum)
        #expect(profile.pathMTU == nil)
        #expect(!profile.pathMTUDiscovery)
        #expect(!profile.dontFragment)
        #expect(profile.tooBig == .fragment)
        #expect(profile.offsetPad == nil)
        #expect(profile.dataSequencing == .off)
        #expect(!profile.reorder)
        #expect(ac.segmentSize == .off)
    }

    @Test func givenMRUBeatsTheProfilesDefault() throws {
        let text = Self.full.replacingFirst("    mtu: 1500\n", "")
        #expect(try Configuration.read(text, machineName: "m").accessConcentrator("mylittleac")?.pppMRU == 1_500)
    }

    /// Juniper's arithmetic: the path's MTU less IPv4, UDP, and 30 octets of L2TP and PPP.
    @Test(arguments: [
        ("path-mtu: 1480", 1_422), ("path-mtu: 1500", 1_442), ("path-mtu: 9000", 1_492),
        ("path-mtu: 1500\n    mtu: 1400", 1_400),
        ("path-mtu: 634", 576),
    ])
    func computesTheMRUFromThePath(_ setting: String, _ mru: UInt16) throws {
        let text = Self.full.replacingFirst("    path-mtu: 1500", "    \(setting)")
        #expect(try Configuration.read(text, machineName: "m").accessConcentrator("second")?.pppMRU == mru)
    }

    @Test func discoveryOfThePathsMTUSetsDontFragment() throws {
        let text = Self.full.replacingFirst("  - name: plain", "  - name: plain\n    path-mtu-discovery: true")
        #expect(try Configuration.read(text, machineName: "m").l2tpProfile("plain")?.dontFragment == true)
    }

    @Test func secretsDoNotShow() throws {
        let configuration = try Configuration.read(Self.full, machineName: "machine")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("oursecret"))
        #expect(!String(describing: configuration).contains("oursecret"))
        #expect(!String(reflecting: configuration).contains("oursecret"))
        #expect(configuration.l2tpProfiles.first?.sharedSecret?.octets == Array("oursecret".utf8))
    }

    @Test func loadsFiles() throws {
        #expect(throws: ConfigurationFaults.self) { try Configuration.load(path: "/nonexistent/culvert.yaml") }
        do throws(ConfigurationFaults) {
            _ = try Configuration.load(path: "/nonexistent/culvert.yaml")
        } catch {
            #expect(
                error.description == "0: cannot read /nonexistent/culvert.yaml: No such file or directory")
        }
        #expect(throws: ConfigurationFaults.self) { try Configuration.load(path: "/") }
        #expect(throws: ConfigurationFaults.self) { try Configuration.load(path: "/dev/null") }
    }

    @Test(arguments: [
        ("100", "100", 1), ("1-4094", "1-4094", 4_094), ("untagged", "untagged", 0),
        (" 7 , untagged,3", "untagged,3,7", 2),
        ("10-12,5", "5,10-12", 4),
    ])
    func parsesVLANs(text: String, shown: String, count: Int) throws {
        let text = """
            dataplane: {cores: 1, ports: [{name: eth1, device: net_null0}, {name: eth2, device: net_null1}]}
            interfaces:
              - {name: eth1, pppoe-ac-service: ac, vlans: "\(text)"}
              - {name: eth2, ip-address: 10.99.0.1/24}
            pppoe-ac:
              - {name: ac, service-name: any, destination: l2tp, l2tp: {peer-address: static 10.99.0.2, profile: p}}
            l2tp-profile: [{name: p}]
            """
        let vlans = try Configuration.read(text, machineName: "m").interfaces.first?.vlans
        #expect(vlans?.description == shown)
        #expect(vlans?.count == count)
        #expect(vlans?.contains(4_095) == false)
        #expect(vlans?.contains(0) == shown.contains("untagged"))
    }
}

extension String {
    /// The text with the first `old` replaced; the whole text when it is not there.
    func replacingFirst(_ old: String, _ new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}
