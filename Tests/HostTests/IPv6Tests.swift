import Host
import Testing
import Timing
import Wire

@Suite struct IPv6Tests {
    @Test func answersEcho() {
        var node = Node6.resolved()
        #expect(node.receive(Frames.echoRequest6) == [.sent(Frames.echoReply6)])
        #expect(node.stack.counters[.echoAnswered] == 1)
    }

    @Test func answersEchoToAllNodes() {
        var node = Node6()
        #expect(node.receive(Frames.echoToAll) == [.sent(Frames.solicitLinkLocal)])
        #expect(
            node.receive(Frames.adOfLinkLocal) == [
                .nextHopChanged(gateway: Node.address("fe80::2"), port: 3, mac: Node.neighbourMAC),
                .sent(Frames.echoReplyToAll),
            ])
    }

    @Test(arguments: [Frames.udp6, Frames.udp6WithHeaders])
    func handsOutDatagrams(hex: String) {
        var node = Node6()
        let outputs = node.receive(hex)
        guard case .datagram(let datagram)? = outputs.first else {
            Issue.record("no datagram in \(outputs), \(node.stack.counters.nonzero)")
            return
        }
        #expect(outputs.count == 1)
        #expect(datagram.source == UDPEndpoint(Node6.far, 1_701))
        #expect(datagram.source.description == "[2001:db8:2::7]:1701")
        #expect(datagram.destination == UDPEndpoint(Node6.own, 1_701))
        #expect(Array(datagram.payload) == Array("l2tp!".utf8), "Ethernet's padding is not part of it")
    }

    @Test(arguments: [
        (Frames.udp6ToClosedPort, Frames.portUnreachable6), (Frames.tcp6, Frames.nextHeaderUnknown),
        (Frames.udp6WithOption, Frames.optionUnknown), (Frames.udp6WithRouting, Frames.routingRefused),
    ])
    func tellsWhatItCannotTake(hex: String, answer: String) {
        var node = Node6.resolved()
        #expect(node.receive(hex) == [.sent(answer)])
        #expect(node.stack.counters[.unreachableSent] == 1)
    }

    @Test func limitsErrors() {
        var limits = HostStack.Limits()
        limits.icmpErrors = 2
        var node = Node6.resolved(limits: limits)
        #expect((0..<5).map { _ in node.receive(Frames.udp6ToClosedPort, at: 1).count } == [1, 1, 0, 0, 0])
        #expect(node.stack.counters[.icmpErrorLimited] == 3)
    }

    /// No error in answer to what might be one (RFC 4443 section 2.4 (e)): the port unreachable of the node itself, sent to it.
    @Test func answersNoErrors() {
        var node = Node6.resolved()
        var frame = Frames.octets(Frames.udp6WithOption)
        // Behind the option a message of ICMPv6 type 1 instead of UDP.
        frame[54] = 58
        frame[62] = 1
        #expect(node.receive(frame).isEmpty)
        #expect(node.stack.counters[.replyUnroutable] == 1)
        // With type 128 there it is no error.
        frame[62] = 128
        #expect(node.receive(frame).count == 1)
    }

    @Test(arguments: [
        (Frames.udp6WithoutChecksum, HostCounter.udpChecksumMissing), (Frames.udp6Fragment, .ipv6Fragment),
    ])
    func refuses(hex: String, reason: HostCounter) {
        var node = Node6()
        #expect(node.receive(hex).isEmpty)
        #expect(node.stack.counters.nonzero == [reason: 1])
    }

    @Test(arguments: [
        // octet, value: version, payload length, destination, UDP length, UDP data
        (14, 0x40 as UInt8, HostCounter.ipv6Malformed), (18, 1, .ipv6Malformed), (19, 14, .ipv6Malformed),
        (53, 2, .ipv6NotForUs), (59, 7, .udpMalformed), (59, 14, .udpMalformed), (62, 0, .udpChecksumWrong),
        (0, 0xfd, .frameNotForUs),
    ])
    func refusesWrongFields(offset: Int, value: UInt8, reason: HostCounter) {
        var node = Node6()
        var frame = Frames.octets(Frames.udp6)
        frame[offset] = value
        #expect(node.receive(frame).isEmpty)
        #expect(node.stack.counters.nonzero == [reason: 1])
    }

    @Test(arguments: [
        // octet of the headers of udp6WithHeaders, value, reason
        (15 + 40, 40 as UInt8, HostCounter.ipv6Malformed),  // hop-by-hop options beyond the end
        (14 + 43, 9, .ipv6Malformed),  // an option beyond its header
        (14 + 42, 0x45, .ipv6OptionRefused),  // Router Alert made one to be dropped for
        (14 + 48, 0, .ipv6OptionRefused),  // a second hop-by-hop header behind destination options
    ])
    func refusesWrongExtensionHeaders(offset: Int, value: UInt8, reason: HostCounter) {
        var node = Node6.resolved()
        let before = node.stack.counters[reason]
        var frame = Frames.octets(Frames.udp6WithHeaders)
        frame[offset] = value
        let outputs = node.receive(frame)
        #expect(!outputs.contains { if case .datagram = $0 { true } else { false } })
        #expect(node.stack.counters[reason] == before + 1, "\(node.stack.counters.nonzero)")
    }

    /// Source addresses that no packet for this node can carry.
    @Test(arguments: ["ff02::1", "::1", "::ffff:10.0.0.1", "2001:db8:99::", "2001:db8:99::1"])
    func refusesSources(source: String) {
        var node = Node6.resolved()
        let frame = Node6.icmp(Frames.echoRequest6) { $0.replaceSubrange(22..<38, with: Node.address(source).octets) }
        #expect(node.receive(frame).isEmpty)
        #expect(node.stack.counters[.ipv6SourceInvalid] == 1)
    }

    /// A packet to one station in a frame to a group, a group that nobody joined, and a port without IPv6.
    @Test func refusesGroups() {
        var node = Node6()
        var frame = Frames.octets(Frames.echoRequest6)
        frame.replaceSubrange(0..<6, with: MACAddress(group: .allNodes).octets)
        #expect(node.receive(frame).isEmpty)
        #expect(node.stack.counters.nonzero == [.ipv6NotForUs: 1])
        frame = Frames.octets(Frames.echoToAll)
        frame[5] = 2
        #expect(node.receive(frame).isEmpty)
        #expect(node.stack.counters.nonzero == [.ipv6NotForUs: 1, .frameNotForUs: 1])
        #expect(node.stack.receive(frame: Frames.octets(Frames.echoToAll), port: 5, at: .zero).isEmpty)
        #expect(node.stack.counters[.frameNotForUs] == 2)
    }

    @Test func neverSendsChecksumZero() throws {
        var node = Node6.resolved()
        let octets = Array(Frames.octets(Frames.udp6SentWithZeroSum)[62..<64])
        let outputs = try node.stack.send(
            octets, from: UDPEndpoint(Node6.own, 1_701), to: UDPEndpoint(Node6.far, 1_701), at: .zero)
        #expect(outputs == [.sent(Frames.udp6SentWithZeroSum)])
    }

    @Test func refusesStrangeSourcesAndLongDatagrams() throws {
        var node = Node6.resolved()
        let far = UDPEndpoint(Node6.far, 1)
        for source in ["2001:db8:99::9", "10.99.0.1"] {
            #expect(throws: HostFault.sourceNotOurs) {
                try node.stack.send([], from: UDPEndpoint(Node.address(source), 1), to: far, at: .zero)
            }
        }
        let any = UDPEndpoint(.v6(.unspecified), 1)
        #expect(throws: HostFault.tooLong(mtu: 1_500)) {
            try node.stack.send([UInt8](repeating: 0, count: 1_453), from: any, to: far, at: .zero)
        }
        #expect(try node.stack.send([UInt8](repeating: 0, count: 1_452), from: any, to: far, at: .zero).count == 1)
    }

    @Test(arguments: ["2001:db8:99::1", "2001:db8:99::", "ff02::1", "::", "::1", "fe80::ff:fe00:1"])
    func refusesDestinations(destination: String) {
        var node = Node6()
        #expect(throws: HostFault.noRoute) { try node.stack.hold(Node.address(destination), at: .zero) }
    }

    @Test func longestPrefixWins() {
        let stack = HostStack(
            interfaces: [
                HostInterface(
                    port: 1, mac: MACAddress(value: 1), mtu: 1_500,
                    addresses: [Node.prefix("2001:db8:1::1/64"), Node.prefix("2001:db8:f::/127")]),
                HostInterface(
                    port: 2, mac: MACAddress(value: 2), mtu: 9_000,
                    addresses: [Node.prefix("2001:db8:2::1/48"), Node.prefix("fe80::2/64")]),
            ],
            routes: [
                StaticRoute(prefix: Node.prefix("::/0"), nextHop: Node.address("2001:db8:1::fe")),
                StaticRoute(prefix: Node.prefix("2001:db8:a::/48"), nextHop: Node.address("2001:db8:2:9::9")),
                StaticRoute(prefix: Node.prefix("2001:db8:a:8::/61"), nextHop: Node.address("2001:db8:f::1")),
                StaticRoute(prefix: Node.prefix("2001:db8:b::/48"), nextHop: Node.address("fe80::9"), port: 2),
                StaticRoute(prefix: Node.prefix("2001:db8:c::/48"), nextHop: Node.address("fe80::9")),
            ],
            identification: 0)
        let table: [(String, String?, UInt16, String)] = [
            ("2001:4860::8", "2001:db8:1::fe", 1, "2001:db8:1::1"),
            ("2001:db8:a::1", "2001:db8:2:9::9", 2, "2001:db8:2::1"),
            ("2001:db8:a:f::1", "2001:db8:f::1", 1, "2001:db8:f::"),
            ("2001:db8:1::7", "2001:db8:1::7", 1, "2001:db8:1::1"),
            ("2001:db8:b::1", "fe80::9", 2, "2001:db8:2::1"),
            ("2001:db8:c::1", "2001:db8:1::fe", 1, "2001:db8:1::1"),
            ("fe80::7", nil, 0, ""),
        ]
        for (destination, gateway, port, source) in table {
            let route = stack.route(to: Node.address(destination))
            #expect(route?.gateway == gateway.map(Node.address), "\(destination)")
            #expect(route == nil || route?.port == port, "\(destination)")
            #expect(route == nil || route?.source == Node.address(source), "\(destination)")
        }
        #expect(stack.owns(Node.address("fe80::201")) == false)
        #expect(stack.owns(Node.address("fe80::200:ff:fe00:1")), "made from the port's Ethernet address")
    }

    /// No content of a frame traps, and none makes it deliver what was not sent.
    @Test func survivesDamage() {
        var generator = SystemRandomNumberGenerator()
        let seeds = [
            Frames.udp6, Frames.udp6WithHeaders, Frames.echoRequest6, Frames.tcp6, Frames.adOfRouter, Frames.solicitUs,
            Frames.packetTooBig, Frames.packetTooBigFragmented, Frames.fragmentationNeeded, Frames.udp6WithOption,
        ].map(Frames.octets)
        var node = Node6.resolved()
        for round in 0..<50_000 {
            var frame = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                frame[Int.random(in: 12..<frame.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if round % 3 == 0 { frame.removeLast(Int.random(in: 0..<frame.count, using: &generator)) }
            if round % 2 == 0, frame.count >= 58 { frame = Node6.icmp(frame) }
            let now = Instant(nanoseconds: UInt64(round) * 1_000_000)
            for case .datagram(let datagram) in node.stack.receive(frame: frame, port: 3, at: now) {
                #expect(datagram.payload.count <= frame.count - 42)
            }
            _ = node.stack.timerFired(at: now)
            _ = node.stack.answerTooBig(frame, largestPPPFrame: 100, port: 3, at: now)
        }
        #expect(node.stack.counters[.ndMalformed] > 0)
        #expect(node.stack.counters[.ipv6Malformed] > 0)
    }
}
