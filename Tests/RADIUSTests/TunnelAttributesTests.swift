import RADIUS
import Testing
import Wire

/// Attributes of an Access-Accept, and the tunnels that they mean.
struct Offered: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var build: @Sendable (inout RADIUSAttributes) -> Void
    /// Tag, preference and server endpoints of each tunnel, in order.
    var tunnels: [String]
    /// Why the others are left out.
    var refused: [String] = []

    private static func tunnel(
        _ list: inout RADIUSAttributes, _ tag: UInt8, _ server: String?, preference: UInt32? = nil, type: UInt32? = 3,
        medium: UInt32? = 1
    ) {
        list.append(.tunnelType, integer: type, tag: tag)
        list.append(.tunnelMediumType, integer: medium, tag: tag)
        list.append(.tunnelServerEndpoint, text: server, tag: tag)
        list.append(.tunnelPreference, integer: preference, tag: tag)
    }

    static let all: [Offered] = [
        Offered(testDescription: "nothing", build: { _ in }, tunnels: []),
        Offered(
            testDescription: "one without tag", build: { tunnel(&$0, 0, "203.0.113.3") }, tunnels: ["0 - 203.0.113.3"]),
        Offered(
            testDescription: "text without tag octet",
            build: {
                tunnel(&$0, 0, nil)
                $0.append(.tunnelServerEndpoint, text: "203.0.113.3")
            }, tunnels: ["0 - 203.0.113.3"]),
        Offered(
            testDescription: "preference orders, equal ones by tag, none last",
            build: {
                tunnel(&$0, 5, "203.0.113.5")
                tunnel(&$0, 4, "203.0.113.4", preference: 20)
                tunnel(&$0, 3, "203.0.113.3", preference: 10)
                tunnel(&$0, 2, "203.0.113.2", preference: 20)
                tunnel(&$0, 1, "203.0.113.1")
            },
            tunnels: ["3 10 203.0.113.3", "2 20 203.0.113.2", "4 20 203.0.113.4", "1 - 203.0.113.1", "5 - 203.0.113.5"]),
        Offered(
            testDescription: "untagged ones fill in",
            build: {
                $0.append(.tunnelType, integer: 3, tag: 0)
                $0.append(.tunnelMediumType, integer: 1, tag: 0)
                $0.append(.tunnelPreference, integer: 7, tag: 0)
                $0.append(.tunnelServerEndpoint, text: "203.0.113.1", tag: 1)
                $0.append(.tunnelServerEndpoint, text: "203.0.113.2", tag: 2)
                $0.append(.tunnelPreference, integer: 1, tag: 2)
            }, tunnels: ["2 1 203.0.113.2", "1 7 203.0.113.1"]),
        Offered(
            testDescription: "a tag above 0x1f is the text's own first octet, and none in a number",
            build: {
                $0.append(.tunnelType, octets: [0x20, 0, 0, 3])
                $0.append(.tunnelServerEndpoint, octets: octets(" 203.0.113.1"))
            }, tunnels: ["0 - 203.0.113.1"]),
        Offered(
            testDescription: "the highest tag",
            build: {
                $0.append(.tunnelType, octets: [0x1f, 0, 0, 3])
                $0.append(.tunnelServerEndpoint, octets: [0x1f] + octets("lns.isp.com"))
            }, tunnels: ["31 - lns.isp.com"]),
        Offered(
            testDescription: "the first of two counts",
            build: {
                tunnel(&$0, 1, "203.0.113.1", preference: 3)
                tunnel(&$0, 1, "203.0.113.2", preference: 4)
            }, tunnels: ["1 3 203.0.113.1"]),
        Offered(
            testDescription: "several endpoints",
            build: { tunnel(&$0, 1, "203.0.113.1, 203.0.113.2 lns.isp.com.") },
            tunnels: ["1 - 203.0.113.1 203.0.113.2 lns.isp.com"]),
        Offered(
            testDescription: "IPv6 by medium and by address",
            build: {
                tunnel(&$0, 1, "2001:db8::1", medium: 2)
                tunnel(&$0, 2, "2001:db8::2", medium: nil)
            }, tunnels: ["1 - 2001:db8::1", "2 - 2001:db8::2"]),
        Offered(
            testDescription: "other types and media",
            build: {
                tunnel(&$0, 1, "203.0.113.1", type: 1)
                tunnel(&$0, 2, "203.0.113.2", medium: 6)
                tunnel(&$0, 3, "203.0.113.3")
                tunnel(&$0, 4, "203.0.113.4", type: nil)
            }, tunnels: ["3 - 203.0.113.3"],
            refused: [
                "tunnel with tag 1 left out: its type is 1, not L2TP (3)",
                "tunnel with tag 2 left out: its medium is 6, neither IPv4 (1) nor IPv6 (2)",
                "tunnel with tag 4 left out: it has no Tunnel-Type",
            ]),
        Offered(
            testDescription: "endpoints that are none",
            build: {
                tunnel(&$0, 1, nil)
                tunnel(&$0, 2, "lns isp_com!")
                tunnel(&$0, 3, "203.0.113.300")
                tunnel(&$0, 4, "2001:db8::1")
                tunnel(&$0, 5, "203.0.113.1 2001:db8::1", medium: nil)
                tunnel(&$0, 6, "203.0.113.1", medium: 2)
                tunnel(&$0, 7, String(repeating: "a", count: 64) + ".com")
                tunnel(&$0, 8, " ,")
            }, tunnels: [],
            refused: [
                "tunnel with tag 1 left out: it has no Tunnel-Server-Endpoint",
                "tunnel with tag 2 left out: its server endpoint \"lns isp_com!\" is neither an address nor a name",
                "tunnel with tag 3 left out: its server endpoint \"203.0.113.300\" is neither an address nor a name",
                "tunnel with tag 4 left out: its server endpoint is no IPv4 address, as its medium demands",
                "tunnel with tag 5 left out: its server endpoint is no IPv4 address, as its medium demands",
                "tunnel with tag 6 left out: its server endpoint is no IPv6 address, as its medium demands",
                "tunnel with tag 7 left out: its server endpoint \"\(String(repeating: "a", count: 64)).com\" is neither an "
                    + "address nor a name",
                "tunnel with tag 8 left out: it has no Tunnel-Server-Endpoint",
            ]),
        Offered(
            testDescription: "a password that cannot be revealed",
            build: {
                tunnel(&$0, 1, "203.0.113.1")
                $0.append(.tunnelPassword, octets: [1] + [UInt8](repeating: 0x80, count: 18))
                tunnel(&$0, 2, "203.0.113.2")
            }, tunnels: ["2 - 203.0.113.2"],
            refused: ["tunnel with tag 1 left out: its Tunnel-Password cannot be revealed"]),
    ]
}

@Suite struct TunnelAttributesTests {
    private let authenticator = RADIUSAuthenticator(high: 0x1122_3344_5566_7788, low: 0x99aa_bbcc_ddee_ff00)

    @Test(arguments: Offered.all)
    func readsTunnels(_ offered: Offered) {
        let tunnels = TunnelAttributes(attributes(offered.build), secret: secret, authenticator: authenticator)
        let texts = tunnels.tunnels.map { tunnel in
            let servers = tunnel.serverEndpoints.map(\.description).joined(separator: " ")
            return "\(tunnel.tag) \(tunnel.preference.map { "\($0)" } ?? "-") \(servers)"
        }
        #expect(texts == offered.tunnels)
        #expect(tunnels.refused.map(\.description) == offered.refused)
    }

    /// Passwords of every length, each with the salt and the tag that it came with.
    @Test func revealsPasswordsOfEveryLength() throws {
        for count in 0...TunnelPassword.longest {
            let password = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
            let request = try RADIUSPacket.request(
                .accessRequest, identifier: 3, attributes: RADIUSAttributes(), secret: secret, random: authenticator)
            let sent = Sent(bytes: request.bytes, socket: 0, address: .v4(.any), port: 0)
            let answer = sent.answer(
                .accessAccept,
                attributes {
                    $0.append(.tunnelType, integer: 3, tag: 9)
                    $0.append(.tunnelServerEndpoint, text: "203.0.113.1", tag: 9)
                    $0.append(.tunnelPassword, octets: [9] + password)
                    $0.append(.tunnelPassword, octets: [8] + password)
                })
            let read = try RADIUSPacket(decoding: answer[...]).attributes
            let tunnel = try #require(
                TunnelAttributes(read, secret: secret, authenticator: authenticator).tunnels.first)
            #expect(tunnel.password == password)
            // The same password twice does not look the same: each has a salt of its own.
            let hidden = read.all(.tunnelPassword)
            #expect(hidden.count == 2)
            #expect(hidden[0].dropFirst() != hidden[1].dropFirst())
            #expect(hidden.allSatisfy { $0[1] & 0x80 != 0 })
        }
    }

    /// The length inside is noise when the secrets differ; whatever it says, no octet is read that is not there.
    @Test func noiseRevealsNothingThatIsNotThere() {
        var random = SeededGenerator(state: 3)
        var refused = 0
        for _ in 0..<2000 {
            let value = (0..<35).map { _ in UInt8.random(in: 0...255, using: &random) }
            guard let revealed = TunnelPassword.reveal(value, secret: secret, authenticator: authenticator) else {
                refused += 1
                continue
            }
            #expect(revealed.password.count < 32)
            #expect(revealed.tag <= 0x1f)
        }
        #expect(refused > 1500)
        for count in 0..<60 where count < 19 || (count - 3) % 16 != 0 {
            #expect(
                TunnelPassword.reveal([UInt8](repeating: 1, count: count), secret: secret, authenticator: authenticator)
                    == nil)
        }
    }

    @Test func framedAddressesThatStandForAChoiceAreNone() {
        func address(_ value: UInt32) -> IPAddress? {
            let list = attributes { $0.append(.framedIPAddress, integer: value) }
            return AccessAccept(list, secret: secret, authenticator: authenticator).framedAddress
        }
        #expect(address(0xffff_ffff) == nil)
        #expect(address(0xffff_fffe) == nil)
        #expect(address(0xc0a8_0b02) == IPAddress("192.168.11.2"))
    }

    @Test func interimIntervalIsNeverBelowAMinute() {
        let list = attributes { $0.append(.acctInterimInterval, integer: 5) }
        #expect(AccessAccept(list, secret: secret, authenticator: authenticator).interimInterval == .seconds(60))
    }

    @Test func bandwidthOfOneDirection() {
        let list = attributes { $0.append(.bandwidthMaxDown, integer: 0) }
        let limits = AccessAccept(list, secret: secret, authenticator: authenticator).bandwidth
        #expect(limits == BandwidthLimits(upstream: nil, downstream: 0))
        #expect(!limits.isEmpty)
    }
}
