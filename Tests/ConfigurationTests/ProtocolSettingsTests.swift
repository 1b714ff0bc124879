import Configuration
import Settings
import Testing

/// Settings of what PPP and L2TP say and how patiently.
@Suite struct ProtocolSettingsTests {
    static func text(instance: String = "", profile: String = "") -> String {
        """
        dataplane: {cores: 1, ports: [{name: eth1, device: net_null0}]}
        interfaces:
          - {name: eth1, pppoe-ac-service: a, ip-address: 10.99.0.1/24}
        pppoe-ac:
          - {name: a, service-name: any, destination: l2tp, l2tp: {peer-address: static 10.99.0.2, profile: p}\(instance)}
        l2tp-profile:
          - {name: p\(profile)}
        """
    }

    static func read(instance: String = "", profile: String = "") throws -> (AccessConcentrator, L2TPProfile) {
        let configuration = try Configuration.read(
            text(instance: instance, profile: profile), machineName: "m")
        return (try #require(configuration.accessConcentrators.first), try #require(configuration.l2tpProfiles.first))
    }

    @Test func areRead() throws {
        let (instance, profile) = try Self.read(
            instance: """
                , ppp-auth-protocols: [eap, chap, pap], lcp-restart: 1, lcp-max-configure: 20, lcp-max-terminate: 3, \
                lcp-max-failure: 7
                """,
            profile: """
                , shared-secret: s, hide-avps: true, framing-capability: sync, bearer-capability: [analog], \
                tie-breaker: true, firmware-revision: 385, session-establish-timeout: 31, persist-pend-timeout: 5, \
                access-line-avps: true, failover: rfc4951-or-silent, recovery-time: 300
                """)
        #expect(instance.authenticationProtocols == [.eap, .chap, .pap])
        #expect(instance.lcpRestart == 1)
        #expect(instance.lcpMaxConfigure == 20)
        #expect(instance.lcpMaxTerminate == 3)
        #expect(instance.lcpMaxFailure == 7)
        #expect(profile.hidesAttributes)
        #expect(profile.framingCapability == [.sync])
        #expect(profile.bearerCapability == [.analog])
        #expect(profile.tieBreaker)
        #expect(profile.firmwareRevision == 385)
        #expect(profile.sessionEstablishTimeout == 31)
        #expect(profile.persistPendTimeout == 5)
        #expect(profile.accessLineAVPs)
        #expect(profile.failover == .rfc4951OrSilent)
        #expect(profile.recoveryTime == 300)
    }

    @Test func haveDefaults() throws {
        let (instance, profile) = try Self.read()
        #expect(instance.lcpRestart == 3)
        #expect(instance.lcpMaxConfigure == 10)
        #expect(instance.lcpMaxTerminate == 2)
        #expect(instance.lcpMaxFailure == 5)
        #expect(!profile.hidesAttributes)
        #expect(profile.framingCapability == [.sync, .async])
        #expect(profile.bearerCapability == [.digital, .analog])
        #expect(!profile.tieBreaker)
        #expect(profile.firmwareRevision == nil)
        #expect(profile.sessionEstablishTimeout == 120)
        #expect(profile.persistPendTimeout == 60)
        #expect(!profile.accessLineAVPs)
        #expect(profile.failover == .silent)
        #expect(profile.recoveryTime == 120)
    }

    @Test(
        arguments: [
            (
                "", ", hide-avps: true",
                "7: l2tp-profile[0].hide-avps: AVPs are hidden with the `shared-secret`; there is none"
            ),
            (
                "", ", framing-capability: [sync, hdlc]",
                "7: l2tp-profile[0].framing-capability[1]: expected one of `sync`, `async`, found `hdlc`"
            ),
            ("", ", framing-capability: []", "7: l2tp-profile[0].framing-capability: expected at least one"),
            (
                "", ", bearer-capability: [analog, analog]",
                "7: l2tp-profile[0].bearer-capability[1]: `analog` is given twice"
            ),
            (
                "", ", failover: true",
                """
                7: l2tp-profile[0].failover: expected one of `silent`, `rfc4951`, `rfc4951-or-silent`, `off`, found `true`
                """
            ),
            (
                "", ", recovery-time: 3601",
                "7: l2tp-profile[0].recovery-time: expected a whole number from 0 to 3600, found `3601`"
            ),
            ("", ", tie-breaker: maybe", "7: l2tp-profile[0].tie-breaker: expected true or false, found `maybe`"),
            (
                "", ", firmware-revision: 65536",
                "7: l2tp-profile[0].firmware-revision: expected a whole number from 0 to 65535, found `65536`"
            ),
            (
                "", ", session-establish-timeout: 0",
                "7: l2tp-profile[0].session-establish-timeout: expected a whole number from 1 to 3600, found `0`"
            ),
            (
                "", ", persist-pend-timeout: 3601",
                "7: l2tp-profile[0].persist-pend-timeout: expected a whole number from 1 to 3600, found `3601`"
            ),
            ("", ", access-line-avps: 1", "7: l2tp-profile[0].access-line-avps: expected true or false, found `1`"),
            (", lcp-restart: 0", "", "5: pppoe-ac[0].lcp-restart: expected a whole number from 1 to 30, found `0`"),
            (
                ", lcp-max-configure: 101", "",
                "5: pppoe-ac[0].lcp-max-configure: expected a whole number from 1 to 100, found `101`"
            ),
            (
                ", lcp-max-terminate: 11", "",
                "5: pppoe-ac[0].lcp-max-terminate: expected a whole number from 1 to 10, found `11`"
            ),
            (
                ", lcp-max-failure: 0", "",
                "5: pppoe-ac[0].lcp-max-failure: expected a whole number from 1 to 20, found `0`"
            ),
        ])
    func areChecked(instance: String, profile: String, fault: String) {
        #expect(ConfigurationFaultTests.faults(Self.text(instance: instance, profile: profile)) == [fault])
    }
}
