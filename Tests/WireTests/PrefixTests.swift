import Testing
import Wire

@Suite struct PrefixTests {
    @Test(arguments: [
        ("2001:db8::1/64", "2001:db8::", "2001:db8::ffff", "2001:db8:0:1::"), ("2001:db8::1/0", "::", "ff02::1", nil),
        ("2001:db8::9/128", "2001:db8::9", "2001:db8::9", "2001:db8::8"),
        ("2001:db8::9/127", "2001:db8::8", "2001:db8::8", "2001:db8::a"),
        ("2001:db8:1::/65", "2001:db8:1::", "2001:db8:1::7fff:0:0:0", "2001:db8:1:0:8000::"),
        ("2001:db8:1::/63", "2001:db8:1::", "2001:db8:1:1::", "2001:db8:1:2::"),
    ])
    func containsItsHosts(text: String, network: String, inside: String, outside: String?) throws {
        let prefix = try #require(IPv6Prefix(text))
        #expect(prefix.description == text)
        #expect(prefix.network.description == network)
        #expect(prefix.contains(IPv6Address(inside) ?? .loopback))
        if let outside { #expect(!prefix.contains(IPv6Address(outside) ?? .loopback)) }
        #expect(IPPrefix(text) == .v6(prefix))
        #expect(IPPrefix(text)?.length == prefix.length)
    }

    @Test(arguments: [
        "2001:db8::1", "2001:db8::/129", "2001:db8::/", "2001:db8::/064", "2001:db8::/+1", "/64", "::/1/2",
    ])
    func otherTextIsNoPrefix(text: String) {
        #expect(IPv6Prefix(text) == nil)
        #expect(IPPrefix(text) == nil)
    }

    @Test func familiesDoNotMix() throws {
        let v4 = try #require(IPPrefix("0.0.0.0/0"))
        let v6 = try #require(IPPrefix("::/0"))
        #expect(!v4.contains(.v6(.unspecified)))
        #expect(!v6.contains(.v4(.any)))
        #expect(!v4.overlaps(v6))
        #expect(v6.overlaps(IPPrefix("2001:db8::/32") ?? v4))
    }

    @Test func routersAnycastIsNoHost() throws {
        let prefix = try #require(IPv6Prefix("2001:db8::1/64"))
        #expect(!prefix.isHost(IPv6Address("2001:db8::") ?? .loopback))
        #expect(prefix.isHost(IPv6Address("2001:db8::2") ?? .loopback))
        #expect(IPv6Prefix("2001:db8::/127")?.isHost(IPv6Address("2001:db8::") ?? .loopback) == true)
    }

    @Test(arguments: [
        ("::", false), ("::1", false), ("ff02::1", false), ("::ffff:192.0.2.1", false), ("::192.0.2.1", false),
        ("fe80::1", true), ("2001:db8::1", true), ("fc00::1", true), ("0:0:1::", true),
    ])
    func kindsOfAddresses(text: String, isUnicast: Bool) {
        #expect(IPAddress(text)?.isUnicast == isUnicast)
    }

    /// RFC 4291 section 2.7.1 and appendix A, RFC 2464 section 7: the RFCs' own examples.
    @Test func madeAddresses() throws {
        let address = try #require(IPv6Address("4037::01:800:200e:8c6c"))
        #expect(address.solicitedNode.description == "ff02::1:ff0e:8c6c")
        #expect(MACAddress(group: address.solicitedNode).description == "33:33:ff:0e:8c:6c")
        let mac = try #require(MACAddress("34:56:78:9a:bc:de"))
        #expect(IPv6Address(linkLocal: mac).description == "fe80::3656:78ff:fe9a:bcde")
    }
}
