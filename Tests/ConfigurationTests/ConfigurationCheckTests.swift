import Configuration
import Settings
import Testing

/// `config-check`: each instance of a file is judged alone, by name of what is missing or wrong.
@Suite struct ConfigurationCheckTests {
    static func text(_ kind: ConfigurationCheck.Kind, _ file: String) throws -> String {
        try ConfigurationCheck.checks(kind, of: file).map(\.text).joined(separator: "\n")
    }

    /// The seed's screen: nothing set, all but the interface set, all set; in a file that culvertd refuses.
    @Test func theSeedsScreen() throws {
        let file = """
            dataplane: {cores: 1, ports: [{name: eth1, device: net_null0}]}
            interfaces:
              - {name: eth1, pppoe-ac-service: pppoeservice1, ip-address: 192.168.11.1/24}
            pppoe-ac:
              - name: ac
              - name: ac1
                service-name: any
                destination: l2tp
                l2tp: {peer-address: static 192.168.11.2, profile: public}
              - name: pppoeservice1
                service-name: any
                destination: l2tp
                l2tp: {peer-address: static 192.168.11.2, profile: public}
            l2tp-profile:
              - name: public
            """
        #expect(
            try Self.text(.accessConcentrator, file) == """
                PPPoE Access Concentrator ac:
                  Incomplete Configuration
                    Required: add pppoe-ac-service to one or more interfaces
                    Required: destination
                    Required: service-name
                    Required: l2tp peer-address
                    Required: l2tp profile

                PPPoE Access Concentrator ac1:
                  Incomplete Configuration
                    Required: add pppoe-ac-service to one or more interfaces

                PPPoE Access Concentrator pppoeservice1:
                  Complete Configuration

                """)
        #expect(try Self.text(.tunnel, file) == "L2TP Tunnel public:\n  Complete Configuration\n")
        #expect(throws: ConfigurationFaults.self) { try Configuration.read(file, machineName: "m") }
    }

    @Test func namesWhatContradicts() throws {
        let file = """
            dataplane: {cores: 1, ports: [{name: eth1, device: net_null0}]}
            interfaces:
              - {name: eth1, pppoe-ac-service: [one, two], ip-address: 192.168.11.1/24}
            pppoe-ac:
              - name: one
                service-name: any
                destination: ppp
                ppp-mru: 9000
                sesion-limit: 7
                l2tp: {peer-address: static 203.0.113.9, profile: nobody}
              - service-name: any
                destination: l2tp
                l2tp: {profile: six}
            l2tp-profile:
              - {name: six, source: "2001:db8::1", mtu: 100}
              - {name: spare}
              - hello-timeout: 5
            """
        #expect(
            try Self.text(.accessConcentrator, file) == """
                PPPoE Access Concentrator one:
                  Incomplete Configuration
                    destination: expected one of `l2tp`, found `ppp`
                    sesion-limit: unknown; did you mean `session-limit`?
                    l2tp peer-address: neither an interface's network nor an `ip-route` leads to `203.0.113.9`
                    the ppp-mru 9000 of `one` needs a port MTU of 9008; `eth1` has 1500

                PPPoE Access Concentrator without a name, line 11:
                  Incomplete Configuration
                    Required: name
                    Required: l2tp peer-address

                """)
        #expect(
            try Self.text(.tunnel, file) == """
                L2TP Tunnel six:
                  Incomplete Configuration
                    mtu: expected a whole number from 576 to 9592, found `100`
                    source: `2001:db8::1` is no `ip-address` of an interface

                L2TP Tunnel spare:
                  Incomplete Configuration
                    Required: name the l2tp-profile in a pppoe-ac or l2tp-domain

                L2TP Tunnel without a name, line 17:
                  Incomplete Configuration
                    Required: name

                """)
    }

    @Test func whatIsNoYAMLIsNoFile() {
        #expect(throws: ConfigurationFaults.self) { try Self.text(.accessConcentrator, "pppoe-ac: [") }
        #expect(throws: ConfigurationFaults.self) {
            try ConfigurationCheck.checks(.tunnel, path: "/nonexistent.yaml")
        }
    }

    @Test(arguments: ["pppoe-ac: 7", "pppoe-ac: {a: b}", "dataplane: {}", "x: 1"])
    func withoutInstancesThereIsNothingToJudge(file: String) throws {
        #expect(try ConfigurationCheck.checks(.accessConcentrator, of: file).isEmpty)
    }
}
