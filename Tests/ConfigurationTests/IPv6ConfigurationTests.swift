import Configuration
import Testing
import Wire

@Suite struct IPv6ConfigurationTests {
    private static let base = """
        dataplane:
          cores: 1
          ports: [{name: eth1, device: net_null0}, {name: eth2, device: net_null1}, {name: eth3, device: net_null2}]
        interfaces:
          - {name: eth1, pppoe-ac-service: ac}
          - {name: eth2, ip-address: [10.99.0.1/24, "2001:db8:99::1/64"]}
        ip-route:
          - {prefix: "2001:db8::/32", next-hop: "2001:db8:99::fe"}
        pppoe-ac:
          - name: ac
            service-name: any
            ppp-mru: computed
            destination: l2tp
            l2tp: {peer-address: "static 2001:db8:2::7", profile: p}
        l2tp-profile: [{name: p, source: "2001:db8:99::1"}]
        """

    @Test func isRead() throws {
        let configuration = try Configuration.read(Self.base, machineName: "m")
        #expect(configuration.interfaces.last?.addresses.map(\.description) == ["10.99.0.1/24", "2001:db8:99::1/64"])
        #expect(configuration.routes.first?.prefix == IPPrefix("2001:db8::/32"))
        #expect(configuration.routes.first?.nextHop == IPAddress("2001:db8:99::fe"))
        #expect(configuration.l2tpProfile("p")?.source == IPAddress("2001:db8:99::1"))
        let ac = try #require(configuration.accessConcentrator("ac"))
        #expect(ac.peerAddress.description == "static 2001:db8:2::7")
        #expect(ac.pppMRU == 1_500 - 40 - 8 - 30, "IPv6's header is 20 octets longer")
    }

    /// A router by its link-local address, where one interface alone has IPv6 addresses.
    @Test func takesALinkLocalRouter() throws {
        let text = Self.base.replacingFirst("next-hop: \"2001:db8:99::fe\"", "next-hop: \"fe80::fe\"")
        let configuration = try Configuration.read(text, machineName: "m")
        #expect(configuration.routes.first?.nextHop == IPAddress("fe80::fe"))
        #expect(configuration.accessConcentrator("ac")?.pppMRU == 1_422)
    }

    /// Every link has link-local addresses of its own.
    @Test func takesTheSameLinkLocalAddressTwice() throws {
        let text = Self.base.replacingFirst("\"2001:db8:99::1/64\"]}", "\"2001:db8:99::1/64\", \"fe80::1/64\"]}")
            .replacingFirst("ip-route", "  - {name: eth3, ip-address: \"fe80::1/64\"}\nip-route")
        #expect(ConfigurationFaultTests.faults(text) == [])
    }

    @Test(arguments: [
        (
            "\"2001:db8:99::1/64\"", "\"2001:db8:99::/64\"",
            [
                "6: interfaces[1].ip-address[1]: `2001:db8:99::/64` is not the address of a host in its network"
            ]
        ),
        (
            "\"2001:db8:99::1/64\"]}", "\"2001:db8:99::1/64\"]}\n  - {name: eth3, ip-address: \"2001:db8:99::9/80\"}",
            [
                "7: interfaces[2].ip-address: the network of `2001:db8:99::9/80` overlaps with `2001:db8:99::1/64` on "
                    + "`eth2`"
            ]
        ),
        (
            "next-hop: \"2001:db8:99::fe\"", "next-hop: 10.99.0.254",
            [
                "8: ip-route[0].next-hop: `2001:db8::/32` and its next hop `10.99.0.254` are not both IPv4 or both IPv6"
            ]
        ),
        (
            "next-hop: \"2001:db8:99::fe\"", "next-hop: \"2001:db8:98::fe\"",
            ["8: ip-route[0].next-hop: `2001:db8:98::fe` is on no interface's network"]
        ),
        (
            "ip-route:\n  - {prefix: \"2001:db8::/32\", next-hop: \"2001:db8:99::fe\"}",
            "  - {name: eth3, ip-address: \"2001:db8:98::1/64\"}\nip-route:\n"
                + "  - {prefix: \"2001:db8::/32\", next-hop: \"fe80::fe\"}",
            [
                "9: ip-route[0].next-hop: `fe80::fe` is link-local: it names a router only where one interface alone has IPv6 "
                    + "addresses"
            ]
        ),
        (
            "prefix: \"2001:db8::/32\"", "prefix: \"2001:db8::1/32\"",
            ["8: ip-route[0].prefix: bits are set behind the prefix; the network is 2001:db8::/32"]
        ),
        (
            "static 2001:db8:2::7", "static 2001:db8:99::1",
            ["14: pppoe-ac[0].l2tp.peer-address: `2001:db8:99::1` is the node's own address"]
        ),
        (
            "static 2001:db8:2::7", "static fe80::7",
            [
                "14: pppoe-ac[0].l2tp.peer-address: expected `static ADDRESS`, `dns-lookup prefix NAME`, "
                    + "`radius-lookup group NAME`, `radius-lookup` or `domain-map`, found `static fe80::7`"
            ]
        ),
        (
            "source: \"2001:db8:99::1\"", "source: 10.99.0.1",
            [
                "14: pppoe-ac[0].l2tp.peer-address: `2001:db8:2::7` is IPv6, but the `source` of l2tp-profile `p` is IPv4"
            ]
        ),
        (
            "source: \"2001:db8:99::1\"", "source: \"fe80::1\"",
            [
                "15: l2tp-profile[0].source: `fe80::1` is link-local; a tunnel needs an address that means something beyond "
                    + "the link"
            ]
        ),
    ])
    func faultsAreReported(old: String, new: String, faults: [String]) {
        let text = Self.base.replacingFirst(old, new)
        #expect(text != Self.base, "nothing was changed")
        #expect(ConfigurationFaultTests.faults(text) == faults)
    }

    @Test func countsEachKind() {
        let many = (2...9).map { "\"2001:db8:\($0)::1/64\"" }.joined(separator: ", ")
        let text = Self.base.replacingFirst("\"2001:db8:99::1/64\"]", "\"2001:db8:99::1/64\", \(many)]")
        #expect(
            ConfigurationFaultTests.faults(text) == [
                "6: interfaces[1].ip-address[9]: `eth2` has more than 8 IPv6 addresses"
            ])
        let eight = text.replacingFirst(", \"2001:db8:9::1/64\"", ", \"fe80::1/64\"")
        #expect(ConfigurationFaultTests.faults(eight) == [], "link-local ones do not count")
    }
}
