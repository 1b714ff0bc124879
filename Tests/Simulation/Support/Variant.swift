import Configuration

/// Configurations that lives run with, read once: a life has neither time nor need to read YAML.
package struct Variant: Sendable {
    /// How LNSs are found.
    package enum Choice: CaseIterable, Sendable { case fixed, map, radius, names }

    package let choice: Choice
    /// What the node starts with and ends with.
    package let base: Configuration
    /// What operators reload it with meanwhile.
    package let others: [Configuration]
    package let sessionLimitPerTunnel: Int
    /// Whether tunnels are recovered by RFC 4951.
    package let recovers: Bool

    /// One for each way to find LNSs, with and without a limit of sessions in a tunnel, with and without RFC 4951.
    package static func all() throws -> [Variant] {
        try Choice.allCases.flatMap { choice in
            try [(0, false), (2, false), (0, true), (2, true)].map { limit, recovers in
                let text = Text(choice: choice, limit: limit, recovers: recovers)
                return Variant(
                    choice: choice, base: try text.configuration(),
                    others: [
                        try text.configuration(hello: 12), try text.configuration(interim: 90, clients: 2),
                        try text.configuration(isServed: false), try text.configuration(hello: 9, interim: 0),
                    ], sessionLimitPerTunnel: limit, recovers: recovers)
            }
        }
    }

    private struct Text {
        let choice: Choice
        let limit: Int
        let recovers: Bool

        func configuration(
            hello: Int = 10, interim: Int = 60, clients: Int = 100, isServed: Bool = true
        ) throws -> Configuration {
            let peer =
                switch choice {
                case .fixed: "static 198.51.100.2"
                case .map: "domain-map"
                case .radius: "radius-lookup group isps"
                case .names: "dns-lookup prefix lns"
                }
            let accounting = interim == 0 ? "" : "interim-interval: \(interim), "
            return try Configuration.read(
                """
                dataplane:
                  cores: "1"
                  ports:
                    - {name: access0, device: net_ring0, mtu: 1508}
                    - {name: core0, device: net_ring1, mtu: 1500}
                interfaces:
                  - \(isServed ? "{name: access0, pppoe-ac-service: residential}" : "{name: access0, ip-address: 192.0.2.1/24}")
                  - {name: core0, ip-address: 198.51.100.1/24}
                ip-name-server: 10.0.0.53
                pppoe-ac:
                  - name: residential
                    service-name: any
                    destination: l2tp
                    session-limit: \(clients)
                    session-limit-per-mac: 2
                    ppp-auth-protocols: [chap, pap, eap]
                    lcp-max-configure: 4
                    accounting: {group: isps, \(accounting)tunnel: true}
                    l2tp: {peer-address: \(peer), profile: isp1, radius-style: user}
                l2tp-domain:
                  - {domain: default, tunnels: [{address: 198.51.100.2, preference: 10}, {address: 198.51.100.3, preference: 20}]}
                l2tp-profile:
                  - name: isp1
                    shared-secret: s3cret
                    hello-timeout: \(hello)
                    retry-timeout: 1
                    max-retries: 3
                    establish-timeout: 15
                    session-establish-timeout: 20
                    persist-pend-timeout: 8
                    failover-timeout: 4
                    hold-down: 10
                    session-limit: \(limit)
                    failover: \(recovers ? "rfc4951-or-silent" : "silent")
                    recovery-time: \(Simulation.recoveryTime)
                radius-server:
                  - {host: 10.0.0.1, key: radius-secret, timeout: 1, retransmit: 1, dead-time: 5}
                  - {host: 10.0.0.2, key: radius-secret, timeout: 1, retransmit: 1, dead-time: 5}
                aaa-group-server-radius:
                  - {name: isps, servers: [10.0.0.1, 10.0.0.2]}
                """, machineName: "lac")
        }
    }
}
