import Configuration
import Settings
import Testing

/// Every kind of fault, with the message that the operator reads. Each row changes one thing in a file without faults, and
/// gets no fault that merely follows from another.
@Suite struct ConfigurationFaultTests {
    static let base = ConfigurationTests.full

    static func faults(_ text: String) -> [String] {
        do throws(ConfigurationFaults) {
            _ = try Configuration.read(text, machineName: "machine")
            return []
        } catch {
            return error.list.map(\.description)
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var old: String
        var new: String
        var faults: [String]
        var testDescription: String { new }
        init(_ old: String, _ new: String, _ faults: String...) {
            self.old = old
            self.new = new
            self.faults = faults
        }
    }

    @Test func theBaseHasNone() { #expect(Self.faults(Self.base).isEmpty) }

    static let typesAndRanges: [Row] = [
        Row(
            "hello-timeout: 30", "hello-timeout: 100000",
            "49: l2tp-profile[0].hello-timeout: expected a whole number from 0 to 3600, found `100000`"),
        Row(
            "retry-timeout: 2", "retry-timeout: 9",
            "50: l2tp-profile[0].retry-timeout: expected a whole number from 1 to 8, found `9`"),
        Row(
            "max-retries: 7", "max-retries: 31",
            "51: l2tp-profile[0].max-retries: expected a whole number from 1 to 30, found `31`"),
        Row(
            "establish-timeout: 90", "establish-timeout: soon",
            "52: l2tp-profile[0].establish-timeout: expected a whole number from 1 to 3600, found `soon`"),
        Row(
            "idle-timeout: 600", "idle-timeout: -1",
            "53: l2tp-profile[0].idle-timeout: expected a whole number from 0 to 86400, found `-1`"),
        Row(
            "rx-window-size: 16", "rx-window-size: 0",
            "54: l2tp-profile[0].rx-window-size: expected a whole number from 1 to 1024, found `0`"),
        Row(
            "session-limit: 500", "session-limit: 65536",
            "55: l2tp-profile[0].session-limit: expected a whole number from 0 to 65535, found `65536`"),
        Row(
            "udp-checksums: false", "udp-checksums: maybe",
            "56: l2tp-profile[0].udp-checksums: expected true or false, found `maybe`"),
        Row(
            "tos: 184", "tos: 256",
            "57: l2tp-profile[0].tos: expected `inherit` or a whole number from 0 to 255, found `256`"),
        Row(
            "tos: 184", "tos: +1",
            "57: l2tp-profile[0].tos: expected `inherit` or a whole number from 0 to 255, found `+1`"),
        Row(
            "l2tp-length-bit: no", "l2tp-length-bit: 1",
            "58: l2tp-profile[0].l2tp-length-bit: expected true or false, found `1`"),
        Row(
            "mtu: 1500\n", "mtu: 575\n",
            "59: l2tp-profile[0].mtu: expected a whole number from 576 to 9592, found `575`"),
        Row(
            "host-name: lac1-isp", "host-name: \"\"",
            "60: l2tp-profile[0].host-name: expected 1 to 255 octets of text, found 0"),
        Row(
            "vendor-name: Somebody", "vendor-name: ~",
            "61: l2tp-profile[0].vendor-name: expected text, found nothing"),
        Row(
            "source: 10.98.0.1", "source: 10.98.0.300",
            "62: l2tp-profile[0].source: expected a host's IP address such as 192.0.2.1 or 2001:db8::1, "
                + "found `10.98.0.300`"),
        Row(
            "ipv6-zero-checksum: true", "ipv6-zero-checksum: 2",
            "63: l2tp-profile[0].ipv6-zero-checksum: expected true or false, found `2`"),
        Row(
            "path-mtu: 1480", "path-mtu: 500",
            "64: l2tp-profile[0].path-mtu: expected a whole number from 576 to 9600, found `500`"),
        Row(
            "path-mtu-discovery: true", "path-mtu-discovery: maybe",
            "65: l2tp-profile[0].path-mtu-discovery: expected true or false, found `maybe`"),
        Row(
            "dont-fragment: true", "dont-fragment: false",
            "66: l2tp-profile[0].dont-fragment: `path-mtu-discovery` learns nothing from packets that may be fragmented on "
                + "their way"),
        Row(
            "too-big: tell", "too-big: shout",
            "67: l2tp-profile[0].too-big: expected one of `fragment`, `tell`, `drop`, found `shout`"),
        Row(
            "offset-pad: 16", "offset-pad: 256",
            "68: l2tp-profile[0].offset-pad: expected a whole number from 0 to 255, found `256`"),
        Row(
            "data-sequence-numbers: required", "data-sequence-numbers: true",
            "69: l2tp-profile[0].data-sequence-numbers: expected one of `off`, `on`, `required`, found `true`"),
        Row(
            "reorder: true", "reorder: 16",
            "70: l2tp-profile[0].reorder: expected true or false, found `16`"),
        Row(
            "tcp-mss: auto", "tcp-mss: 535",
            "44: pppoe-ac[1].tcp-mss: expected `off`, `auto` or a whole number from 536 to 9552, found `535`"),
        Row(
            "ppp-mru: computed", "ppp-mru: seed",
            "43: pppoe-ac[1].ppp-mru: expected `computed` or a whole number from 576 to 9592, found `seed`"),
        Row("version: 2", "version: 3", "47: l2tp-profile[0].version: expected 2, found `3`"),
        Row(
            "shared-secret: oursecret", "shared-secret: ''",
            "48: l2tp-profile[0].shared-secret: a secret cannot be empty; leave it out for tunnels without authentication"
        ),
        Row(
            "shared-secret: oursecret", "shared-secret:",
            "48: l2tp-profile[0].shared-secret: expected text, found nothing"),
        Row(
            "rpc-socket: /run/lac/rpc.sock", "rpc-socket: rpc.sock",
            "7: control.rpc-socket: expected an absolute path of at most 103 octets, found `rpc.sock`"),
        Row(
            "rpc-socket-mode: \"0600\"", "rpc-socket-mode: rw",
            "8: control.rpc-socket-mode: expected three or four octal digits from \"000\" to \"0777\", found `rw`"),
        Row(
            "log-level: debug", "log-level: loud",
            "9: control.log-level: expected one of `trace`, `debug`, `info`, `notice`, `warning`, `error`, `critical`, found `loud`"
        ),
        Row(
            "service-name: remote-office advertised", "service-name: remote office",
            "27: pppoe-ac[0].service-name: expected `any`, `NAME` or `NAME advertised`, found `remote office`"),
        Row(
            "service-name: remote-office advertised", "service-name: any advertised",
            "27: pppoe-ac[0].service-name: expected `any`, `NAME` or `NAME advertised`, found `any advertised`"),
        Row(
            "ppp-auth-protocols: [pap, chap]", "ppp-auth-protocols: [pap, mschap]",
            "28: pppoe-ac[0].ppp-auth-protocols[1]: expected one of `eap`, `chap`, `pap`, found `mschap`"),
        Row(
            "ppp-auth-protocols: [pap, chap]", "ppp-auth-protocols: [pap, pap]",
            "28: pppoe-ac[0].ppp-auth-protocols[1]: `pap` is given twice"),
        Row(
            "ppp-auth-protocols: [pap, chap]", "ppp-auth-protocols: []",
            "28: pppoe-ac[0].ppp-auth-protocols: expected at least one"),
        Row(
            "ppp-mru: 1500", "ppp-mru: 100",
            "29: pppoe-ac[0].ppp-mru: expected `computed` or a whole number from 576 to 9592, found `100`"),
        Row(
            "session-limit: 1000", "session-limit: many",
            "31: pppoe-ac[0].session-limit: expected a whole number from 0 to 1048576, found `many`"),
        Row(
            "session-limit-per-mac: 3", "session-limit-per-mac: 70000",
            "32: pppoe-ac[0].session-limit-per-mac: expected a whole number from 0 to 65535, found `70000`"),
        Row(
            "session-limit-per-mac: 3", "session-limit-per-vlan: 65536",
            "32: pppoe-ac[0].session-limit-per-vlan: expected a whole number from 0 to 65535, found `65536`"),
        Row(
            "session-limit-per-mac: 3", "session-limit-per-port: 1048577",
            "32: pppoe-ac[0].session-limit-per-port: expected a whole number from 0 to 1048576, found `1048577`"),
        Row(
            "session-limit-per-mac: 3", "half-open-limit: 1048577",
            "32: pppoe-ac[0].half-open-limit: expected a whole number from 0 to 1048576, found `1048577`"),
        Row(
            "session-limit-per-mac: 3", "half-open-limit-per-mac: 65536",
            "32: pppoe-ac[0].half-open-limit-per-mac: expected a whole number from 0 to 65535, found `65536`"),
        Row(
            "session-limit-per-mac: 3", "half-open-limit-per-vlan: 65536",
            "32: pppoe-ac[0].half-open-limit-per-vlan: expected a whole number from 0 to 65535, found `65536`"),
        Row(
            "session-limit-per-mac: 3", "half-open-limit-per-port: x",
            "32: pppoe-ac[0].half-open-limit-per-port: expected a whole number from 0 to 1048576, found `x`"),
        Row(
            "session-limit-per-mac: 3", "establish-timeout: 4",
            "32: pppoe-ac[0].establish-timeout: expected a whole number from 5 to 600, found `4`"),
        Row(
            "destination: l2tp", "destination: local",
            "33: pppoe-ac[0].destination: expected one of `l2tp`, found `local`"),
        Row(
            "static 192.168.11.2", "dns-lookup prefix lns",
            "35: pppoe-ac[0].l2tp.peer-address: there is no `ip-name-server` to ask, neither in the file nor in the "
                + "l2tp-profile"),
        Row(
            "static 192.168.11.2", "static 224.0.0.1",
            "35: pppoe-ac[0].l2tp.peer-address: expected `static ADDRESS`, `dns-lookup prefix NAME`, `radius-lookup group NAME`, "
                + "`radius-lookup` or `domain-map`, found `static 224.0.0.1`"),
        Row(
            "prefix: 0.0.0.0/0", "prefix: 0.0.0.0",
            "23: ip-route[0].prefix: expected a network such as 192.0.2.0/24 or 2001:db8::/32, found `0.0.0.0`"),
        Row(
            "prefix: 0.0.0.0/0", "prefix: 192.168.11.7/16",
            "23: ip-route[0].prefix: bits are set behind the prefix; the network is 192.168.0.0/16"),
        Row(
            "10.98.0.1/31]", "10.98.0.1/33]",
            "21: interfaces[2].ip-address[1]: expected an address with prefix length such as 10.99.0.1/24 or "
                + "2001:db8::1/64, found `10.98.0.1/33`"),
        Row(
            "10.98.0.1/31]", "10.98.0.1/31, 10.97.0.255/24]",
            "21: interfaces[2].ip-address[2]: `10.97.0.255/24` is not the address of a host in its network"),
        Row(
            "\"untagged,300\"", "\"300-\"",
            "19: interfaces[1].vlans: expected VLANs such as untagged,100,200-299, found `300-`"),
        Row(
            "\"untagged,300\"", "\"4095\"",
            "19: interfaces[1].vlans: `4095` does not lie in 1 to 4094 in ascending order"),
        Row(
            "\"untagged,300\"", "\"9-8\"",
            "19: interfaces[1].vlans: `9-8` does not lie in 1 to 4094 in ascending order"),
        Row(
            "\"untagged,300\"", "\"300-310,305\"",
            "19: interfaces[1].vlans: `305` overlaps with VLANs before it"),
        Row(
            "control:\n", "control: fast\nother:\n", "6: control: expected a mapping, found text",
            "7: other: unknown; known here: aaa-group-server-radius, control, dataplane, interfaces, ip-name-server, ip-route, "
                + "l2tp-domain, l2tp-profile, pppoe-ac, radius, radius-server"),
        Row(
            "name: mylittleac\n", "name: my ac\n",
            "25: pppoe-ac[0].name: expected a name of 1 to 63 letters, digits, `-`, `_` or `.`, found `my ac`"),
    ]

    static let keysAndReferences: [Row] = [
        Row(
            "hello-timeout", "helo-timeout", "49: l2tp-profile[0].helo-timeout: unknown; did you mean `hello-timeout`?"),
        Row(
            "ac-name: ditch\n    service-name: r", "ac-name: ditch\n    colour: ditch\n    service-name: r",
            "27: pppoe-ac[0].colour: unknown; known here: ac-name, accounting, challenge-name, destination, establish-timeout, "
                + "half-open-limit, half-open-limit-per-mac, half-open-limit-per-port, half-open-limit-per-vlan, l2tp, "
                + "lcp-max-configure, lcp-max-failure, lcp-max-terminate, lcp-restart, name, ppp-auth-protocols, ppp-mru, "
                + "service-name, session-limit, session-limit-per-mac, session-limit-per-port, session-limit-per-vlan, "
                + "tcp-mss"),
        Row("    destination: l2tp\n", "", "25: pppoe-ac[0].destination: missing"),
        Row("      profile: my-l2tp-profile1\n", "", "35: pppoe-ac[0].l2tp.profile: missing"),
        Row("    service-name: any\n", "", "37: pppoe-ac[1].service-name: missing"),
        Row(
            "  - name: plain", "  - version: 2", "71: l2tp-profile[1].name: missing"),
        Row(
            "  - name: core0\n", "  - name: core9\n",
            "20: interfaces[2].name: no port of `dataplane.ports` is called `core9`"),
        Row(
            "pppoe-ac-service: second", "pppoe-ac-service: third",
            "18: interfaces[1].pppoe-ac-service: there is no `pppoe-ac` called `third`"),
        Row(
            "[mylittleac, second]", "[mylittleac, mylittleac]",
            "14: interfaces[0].pppoe-ac-service[1]: `mylittleac` is given twice"),
        Row(
            "profile: my-l2tp-profile1", "profile: mine",
            "36: pppoe-ac[0].l2tp.profile: there is no `l2tp-profile` called `mine`"),
        Row(
            "  - name: plain", "  - name: my-l2tp-profile1",
            "42: pppoe-ac[1].l2tp.profile: there is no `l2tp-profile` called `plain`",
            "71: l2tp-profile[1].name: another profile is called `my-l2tp-profile1`"),
        Row(
            "  - name: second\n", "  - name: mylittleac\n",
            "14: interfaces[0].pppoe-ac-service[1]: there is no `pppoe-ac` called `second`",
            "18: interfaces[1].pppoe-ac-service: there is no `pppoe-ac` called `second`",
            "37: pppoe-ac[1].name: another instance is called `mylittleac`"),
        Row(
            "service-name: remote-office advertised", "service-name: any",
            "14: interfaces[0].pppoe-ac-service[1]: `mylittleac` serves the same service-name `any` on this interface"),
        Row(
            "    ac-name: ditch\n    service-name: any\n", "    service-name: any\n",
            "14: interfaces[0].pppoe-ac-service[1]: the ac-name `lac1` of `second` differs from `ditch` of `mylittleac`; "
                + "an interface has one"),
        Row(
            "vlans: \"untagged,300\"", "vlans: \"250\"",
            "19: interfaces[1].vlans: another entry for `access0` serves PPPoE on some of these VLANs"),
        Row(
            "    inner-vlans: \"1-4094\"\n", "    inner-vlans: \"1-4094,untagged\"\n",
            "16: interfaces[0].inner-vlans: a frame with two tags has an inner VLAN; `untagged` cannot be one"),
        Row(
            "    vlans: \"untagged,300\"\n", "    inner-vlans: \"5\"\n",
            "19: interfaces[1].inner-vlans: needs outer VLANs in `vlans`, and no `untagged` among them"),
        Row(
            "    pppoe-ac-service: second\n", "    ip-address: 10.97.0.1/24\n",
            "19: interfaces[1].vlans: VLANs serve PPPoE, but there is no `pppoe-ac-service`"),
        Row(
            "    ip-address: [10.99.0.1/24, 10.98.0.1/31]\n", "",
            "20: interfaces[2]: needs `pppoe-ac-service` or `ip-address`",
            "22: ip-route[0].next-hop: `10.99.0.254` is on no interface's network",
            "61: l2tp-profile[0].source: `10.98.0.1` is no `ip-address` of an interface"),
        Row(
            "10.98.0.1/31]", "10.98.0.1/31, 10.98.0.1/24]",
            "21: interfaces[2].ip-address[2]: `10.98.0.1` is given twice"),
        Row(
            "    vlans: \"untagged,300\"", "    vlans: \"300\"\n    ip-address: 10.99.0.9/28",
            "22: interfaces[2].ip-address[0]: the network of `10.99.0.1/24` overlaps with `10.99.0.9/28` on `access0`"),
        Row(
            "next-hop: 10.99.0.254", "next-hop: 10.97.0.254",
            "23: ip-route[0].next-hop: `10.97.0.254` is on no interface's network"),
        Row(
            "next-hop: 10.99.0.254", "next-hop: 10.99.0.1",
            "23: ip-route[0].next-hop: `10.99.0.1` is the node's own address"),
        Row(
            "next-hop: 10.99.0.254}", "next-hop: 10.99.0.254}\n  - {prefix: 0.0.0.0/0, next-hop: 10.99.0.253}",
            "24: ip-route[1].prefix: there is another route for `0.0.0.0/0`"),
        Row(
            "0.0.0.0/0", "192.168.0.0/24",
            "35: pppoe-ac[0].l2tp.peer-address: neither an interface's network nor an `ip-route` leads to `192.168.11.2`"
        ),
        Row(
            "static 10.99.0.7", "static 10.99.0.1",
            "42: pppoe-ac[1].l2tp.peer-address: `10.99.0.1` is the node's own address"),
        Row(
            "static 10.99.0.7", "static 10.99.0.255",
            "42: pppoe-ac[1].l2tp.peer-address: `10.99.0.255` is the address of a whole network"),
        Row(
            "source: 10.98.0.1", "source: 10.98.0.2",
            "62: l2tp-profile[0].source: `10.98.0.2` is no `ip-address` of an interface"),
        Row(
            "    mtu: 1500\n", "    mtu: 1400\n",
            "29: pppoe-ac[0].ppp-mru: exceeds the `mtu` of l2tp-profile `my-l2tp-profile1`, which is 1400"),
        Row(
            "device: net_null0, mtu: 1508", "device: net_null0, mtu: 1500",
            "14: interfaces[0].pppoe-ac-service[0]: the ppp-mru 1500 of `mylittleac` needs a port MTU of 1508; "
                + "`access0` has 1500"),
        Row(
            "10.98.0.1/31]",
            "10.98.0.1/31, 10.1.0.1/24, 10.2.0.1/24, 10.3.0.1/24, 10.4.0.1/24, 10.5.0.1/24, 10.6.0.1/24, 10.7.0.1/24]",
            "21: interfaces[2].ip-address[8]: `core0` has more than 8 IPv4 addresses"),
        Row(
            "cores: 1-2\n", "coress: 1-2\n", "2: dataplane.cores: missing",
            "2: dataplane.coress: unknown; did you mean `cores`?"),
        Row(
            "mtu: 9000", "mtu: [1]", "5: dataplane.ports[1].mtu: expected a whole number from 576 to 9600, found a list"
        ),
    ]

    @Test(arguments: typesAndRanges + keysAndReferences)
    func isReported(row: Row) {
        let text = Self.base.replacingFirst(row.old, row.new)
        #expect(text != Self.base, "nothing was changed")
        #expect(Self.faults(text) == row.faults)
    }

    @Test(arguments: [
        ("", ["1: the file is empty"]),
        ("dataplane: {cores: 1\n", ["2: not YAML: did not find expected ',' or '}'"]),
        ("a: 1\na: 2\n", ["1: a: given more than once"]),
        ("- 1\n- 2\n", ["1: expected a mapping, found a list"]),
        ("control: {}\n", ["1: dataplane: missing"]),
    ])
    func refusesOtherDocuments(text: String, faults: [String]) {
        #expect(Self.faults(text) == faults)
    }

    @Test func allFaultsComeAtOnce() {
        let text = Self.base.replacingFirst("hello-timeout: 30", "hello-timeout: x").replacingFirst(
            "log-level: debug", "log-level: loud"
        ).replacingFirst("next-hop: 10.99.0.254", "next-hop: 10.97.0.254").replacingFirst(
            "challenge-name:", "chalenge-name:")
        #expect(
            Self.faults(text).map { $0.prefix { $0 != " " } } == ["9:", "23:", "30:", "49:"])
    }
}
