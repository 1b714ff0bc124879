import Names
import Testing

@Suite struct HostNameTests {
    @Test(arguments: [
        ("lns.isp1.com", "lns.isp1.com"), ("LNS.Isp1.COM", "lns.isp1.com"), ("a", "a"), ("3com.com", "3com.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("a-b.c--d.e1", "a-b.c--d.e1"),
        ("1.2.3.4.in", "1.2.3.4.in"),
        (String(repeating: "x", count: 63) + ".example", String(repeating: "x", count: 63) + ".example"),
    ])
    func takesHostNames(text: String, name: String) throws {
        #expect(try HostName(text).text == name)
    }

    @Test(arguments: [
        ("", HostNameFault.empty), (".", .emptyLabel), ("a..b", .emptyLabel), (".a", .emptyLabel), ("a.", .emptyLabel),
        ("a b", .octet(0x20)), ("a\u{0}b.com", .octet(0)), ("a\n", .octet(0x0a)), ("lns_1.isp.com", .octet(0x5f)),
        ("isp.com;rm", .octet(0x3b)), ("user@isp.com", .octet(0x40)), ("b\u{fc}cher.example", .octet(0xc3)),
        ("a\u{ff0e}b", .octet(0xef)), ("isp.com/24", .octet(0x2f)), ("*.isp.com", .octet(0x2a)),
        ("a\\.b", .octet(0x5c)), ("2001:db8::1", .octet(0x3a)), ("-a.com", .hyphenAtEdge), ("a-.com", .hyphenAtEdge),
        ("a.-", .hyphenAtEdge), ("192.0.2.1", .numeric), ("lns.192.0.2.1", .numeric), ("isp.com.7", .numeric),
        ("1-2", .numeric), (String(repeating: "x", count: 64) + ".com", .labelTooLong(64)),
        (String(repeating: "a.", count: 127), .tooLong(254)),
        (String(repeating: "a", count: 100_000), .tooLong(100_000)),
    ])
    func refusesEverythingElse(text: String, fault: HostNameFault) {
        #expect(throws: fault) { try HostName(text) }
    }

    @Test func takesTheLongestName() throws {
        let longest = String(repeating: "a.", count: 126) + "b"
        #expect(longest.utf8.count == 253)
        #expect(try HostName(longest).text == longest)
    }

    @Test(arguments: [
        (HostNameFault.octet(0x5f), "the name has a '_' in it; host names have letters, digits and hyphens"),
        (.octet(0x0a), "the name has an octet 0xa in it; host names have letters, digits and hyphens"),
        (.tooLong(300), "the name has 300 octets, 253 are the most that DNS takes"),
    ])
    func saysWhatIsWrong(fault: HostNameFault, text: String) {
        #expect(fault.description == text)
    }
}
