import Configuration
import Names
import Settings
import Testing
import Wire

/// DNS, RADIUS, accounting and the domain map.
@Suite struct LookUpConfigurationTests {
    static func file(
        l2tp: String = "peer-address: domain-map, profile: isp1", instance: String = "", profile: String = "",
        rest: String
    ) -> String {
        """
        dataplane:
          cores: "1"
          ports:
            - {name: access0, device: net_null0, mtu: 1508}
            - {name: core0, device: net_null1, mtu: 1500}
        interfaces:
          - {name: access0, pppoe-ac-service: a}
          - {name: core0, ip-address: 198.51.100.1/24}
        l2tp-profile:
          - {name: isp1\(profile)}
        pppoe-ac:
          - {name: a, service-name: any, destination: l2tp, l2tp: {\(l2tp)}\(instance)}
        \(rest)
        """
    }

    static let radius = """
        radius-server:
          - {host: 10.0.0.1, key: one}
          - {host: "2001:db8::1", key: two, auth-port: 1645, acct-port: 0, timeout: 5, retransmit: 0, dead-time: 0,
             status-server: true, message-authenticator: optional}
        aaa-group-server-radius:
          - {name: g, servers: ["2001:db8::1", 10.0.0.1]}
        """

    @Test func everythingIsRead() throws {
        let configuration = try Configuration.read(
            Self.file(
                l2tp: "peer-address: radius-lookup group g, profile: isp1, radius-style: user, radius-password: open",
                instance: ", accounting: {group: g, interim-interval: 600, tunnel: true}",
                profile: ", ip-name-server: 10.0.0.9, server: g, failover-timeout: 9, hold-down: 0",
                rest: Self.radius + """

                    ip-name-server: [10.0.0.53, "10.0.0.54:5353", "2001:db8::53", "[2001:db8::54]:5353"]
                    radius:
                      nas-identifier: nas
                      nas-ip-address: 10.0.0.7
                      source-address: [10.0.0.8, "2001:db8::8"]
                      source-ports: 9
                      dynamic-authorization: {port: 1700, clients: [{address: 10.0.0.1, key: three}]}
                    l2tp-domain:
                      - {domain: ISP1.example, peer-address: dns-lookup prefix LNS, profile: isp1}
                      - {domain: isp2.example, tunnels: [{address: 198.51.100.2, preference: 7, profile: isp1}, {name: Lns.Example}]}
                      - {domain: default, peer-address: static 198.51.100.9}
                      - {domain: none, peer-address: radius-lookup}
                    """), machineName: "lac")
        #expect(
            configuration.nameServers.map(\.description) == [
                "10.0.0.53", "10.0.0.54:5353", "2001:db8::53", "[2001:db8::54]:5353",
            ])
        let (first, second) = (configuration.radiusServers[0], configuration.radiusServers[1])
        #expect(first.authenticationPort == 1812 && first.accountingPort == 1813 && first.timeout == 3)
        #expect(first.retransmit == 2 && first.deadTime == 60 && !first.statusServer)
        #expect(first.messageAuthenticator == .required && first.key.octets == Array("one".utf8))
        #expect(second.authenticationPort == 1645 && second.accountingPort == 0 && second.timeout == 5)
        #expect(second.retransmit == 0 && second.deadTime == 0 && second.statusServer)
        #expect(second.messageAuthenticator == .optional)
        #expect(configuration.warnings.map(\.field) == ["radius-server[1].message-authenticator"])
        #expect(configuration.radiusGroup("g")?.servers == [second.host, first.host])
        #expect(configuration.radius.nasIdentifier == "nas")
        #expect(configuration.radius.nasAddress?.description == "10.0.0.7")
        #expect(configuration.radius.sourceAddresses.map(\.description) == ["10.0.0.8", "2001:db8::8"])
        #expect(configuration.radius.sourcePorts == 9)
        #expect(configuration.radius.dynamicAuthorization?.port == 1700)
        #expect(configuration.radius.dynamicAuthorization?.clients.map(\.address.description) == ["10.0.0.1"])
        let instance = try #require(configuration.accessConcentrator("a"))
        #expect(instance.peerAddress == .radius(group: "g"))
        #expect(instance.radiusStyle == .user)
        #expect(instance.radiusPassword.octets == Array("open".utf8))
        #expect(instance.accounting?.interimInterval == 600 && instance.accounting?.tunnel == true)
        let profile = try #require(configuration.l2tpProfile("isp1"))
        #expect(configuration.nameServers(of: profile).map(\.description) == ["10.0.0.9"])
        #expect(profile.radiusGroup == "g" && profile.failoverTimeout == 9 && profile.holdDown == 0)
        #expect(
            configuration.domainMap.map(\.domain.description) == ["isp1.example", "isp2.example", "default", "none"])
        #expect(configuration.domainMap[0].target == .method(.dns(prefix: "lns")))
        guard case .tunnels(let tunnels) = configuration.domainMap[1].target else {
            Issue.record("no tunnels")
            return
        }
        #expect(tunnels.map(\.peer.description) == ["198.51.100.2", "lns.example"])
        #expect(tunnels.map(\.preference) == [7, 0])
        #expect(tunnels.map(\.profile) == ["isp1", nil])
    }

    @Test func defaults() throws {
        let configuration = try Configuration.read(
            Self.file(l2tp: "peer-address: static 198.51.100.2, profile: isp1", rest: ""), machineName: "lac")
        #expect(configuration.nameServers.isEmpty && configuration.radiusServers.isEmpty)
        #expect(configuration.radius.nasIdentifier == "lac")
        #expect(configuration.radius.sourcePorts == 4)
        #expect(configuration.radius.dynamicAuthorization == nil)
        let instance = try #require(configuration.accessConcentrator("a"))
        #expect(instance.radiusStyle == .domain && instance.radiusPassword.octets == Array("password".utf8))
        #expect(instance.accounting == nil)
        let profile = try #require(configuration.l2tpProfile("isp1"))
        #expect(profile.failoverTimeout == 5 && profile.holdDown == 60)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var l2tp = "peer-address: static 198.51.100.2, profile: isp1"
        var instance = ""
        var profile = ""
        var rest = ""
        var field: String
        var reason: String
        var testDescription: String { "\(field) \(reason)" }
    }

    static let cases = [
        Case(
            l2tp: "peer-address: nonsense, profile: isp1", field: "pppoe-ac[0].l2tp.peer-address",
            reason: "expected `static ADDRESS`"),
        Case(
            l2tp: "peer-address: dns-lookup prefix -x, profile: isp1", field: "pppoe-ac[0].l2tp.peer-address",
            reason: "expected `static ADDRESS`"),
        Case(
            l2tp: "peer-address: dns-lookup prefix lns, profile: isp1", field: "pppoe-ac[0].l2tp.peer-address",
            reason: "there is no `ip-name-server`"),
        Case(
            l2tp: "peer-address: radius-lookup group g, profile: isp1", field: "pppoe-ac[0].l2tp.peer-address",
            reason: "there is no `aaa-group-server-radius` called `g`"),
        Case(
            l2tp: "peer-address: radius-lookup, profile: isp1", field: "pppoe-ac[0].l2tp.peer-address",
            reason: "names no group"),
        Case(
            l2tp: "peer-address: domain-map, profile: isp1", field: "pppoe-ac[0].l2tp.peer-address",
            reason: "there is no `l2tp-domain`"),
        Case(
            instance: ", accounting: {group: g}", field: "pppoe-ac[0].accounting",
            reason: "there is no `aaa-group-server-radius`"),
        Case(
            instance: ", accounting: {group: g, interim-interval: 59}", rest: radius,
            field: "pppoe-ac[0].accounting.interim-interval", reason: "expected 0 or a whole number from 60"),
        Case(instance: ", accounting: {}", field: "pppoe-ac[0].accounting.group", reason: "missing"),
        Case(
            profile: ", server: x", field: "l2tp-profile[0].server",
            reason: "there is no `aaa-group-server-radius` called `x`"),
        Case(
            profile: ", failover-timeout: 0", field: "l2tp-profile[0].failover-timeout",
            reason: "expected a whole number from 1 to 60"),
        Case(rest: "ip-name-server: 10.0.0.1:0", field: "ip-name-server", reason: "expected a name server"),
        Case(rest: "ip-name-server: [10.0.0.1, 10.0.0.1]", field: "ip-name-server[1]", reason: "given twice"),
        Case(rest: "radius-server: [{host: 10.0.0.1}]", field: "radius-server[0].key", reason: "missing"),
        Case(
            rest: "radius-server: [{host: 10.0.0.1, key: a}, {host: 10.0.0.1, key: b}]", field: "radius-server[1].host",
            reason: "there is another server"),
        Case(
            rest: "radius-server: [{host: 10.0.0.1, key: \"\"}]", field: "radius-server[0].key",
            reason: "a secret cannot be empty"),
        Case(
            rest: "radius-server: [{host: 10.0.0.1, key: a, message-authenticator: no}]",
            field: "radius-server[0].message-authenticator", reason: "expected one of `required`, `optional`"),
        Case(
            rest: "aaa-group-server-radius: [{name: g, servers: 10.0.0.5}]",
            field: "aaa-group-server-radius[0].servers", reason: "there is no `radius-server` with host"),
        Case(
            rest:
                "radius-server: [{host: 10.0.0.1, key: a, acct-port: 0}]\naaa-group-server-radius: [{name: g, servers: 10.0.0.1}]",
            field: "pppoe-ac[0].accounting", reason: "their acct-port is 0"),
        Case(
            rest: "radius: {dynamic-authorization: {clients: []}}", field: "radius.dynamic-authorization.clients",
            reason: "expected at least one"),
        Case(
            rest: "radius: {source-address: [10.0.0.1, 10.0.0.2]}", field: "radius.source-address[1]",
            reason: "at most one address of IPv4"),
        Case(
            rest: "l2tp-domain: [{domain: a_b.example, peer-address: static 198.51.100.2}]",
            field: "l2tp-domain[0].domain", reason: "expected a domain"),
        Case(
            rest: "l2tp-domain: [{domain: a.example}]", field: "l2tp-domain[0]",
            reason: "needs either `peer-address` or `tunnels`"),
        Case(
            rest: "l2tp-domain: [{domain: a.example, peer-address: domain-map}]", field: "l2tp-domain[0].peer-address",
            reason: "this is the domain map"),
        Case(
            rest: "l2tp-domain: [{domain: a.example, peer-address: static 192.0.2.1}]",
            field: "l2tp-domain[0].peer-address", reason: "neither an interface's network nor"),
        Case(
            rest: "l2tp-domain: [{domain: a.example, tunnels: [{address: 198.51.100.2, name: x.example}]}]",
            field: "l2tp-domain[0].tunnels[0]", reason: "needs either `address` or `name`"),
        Case(
            rest: "l2tp-domain: [{domain: a.example, tunnels: [{name: x.example}]}]",
            field: "l2tp-domain[0].tunnels[0].name", reason: "there is no `ip-name-server`"),
        Case(
            rest: "l2tp-domain: [{domain: a.example, profile: x, tunnels: [{address: 198.51.100.2}]}]",
            field: "l2tp-domain[0].profile", reason: "there is no `l2tp-profile` called `x`"),
        Case(
            rest:
                "l2tp-domain: [{domain: none, peer-address: static 198.51.100.2}, {domain: none, peer-address: static 198.51.100.2}]",
            field: "l2tp-domain[1].domain", reason: "there is another entry"),
    ]

    @Test(arguments: cases) func faultsAreNamed(fault: Case) {
        let instance = fault.reason.contains("acct-port") ? ", accounting: {group: g}" : fault.instance
        do throws(ConfigurationFaults) {
            _ = try Configuration.read(
                Self.file(l2tp: fault.l2tp, instance: instance, profile: fault.profile, rest: fault.rest),
                machineName: "lac")
            Issue.record("taken")
        } catch {
            #expect(error.list.count == 1, "\(error)")
            #expect(error.list.first?.field == fault.field)
            #expect(error.list.first?.reason.contains(fault.reason) == true, "\(error)")
            #expect((error.list.first?.line ?? 0) > 0)
        }
    }
}
