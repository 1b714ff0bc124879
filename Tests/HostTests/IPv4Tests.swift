import Host
import Testing
import Timing
import Wire

@Suite struct IPv4Tests {
    @Test func answersEcho() {
        var node = Node.resolved()
        #expect(node.receive(Frames.echoRequest) == [.sent(Frames.echoReply)])
        #expect(node.stack.counters[.echoAnswered] == 1)
    }

    @Test func answersEchoAfterResolving() {
        var node = Node()
        #expect(node.receive(Frames.echoRequest) == [.sent(Frames.requestForRouter)])
        #expect(
            node.receive(Frames.replyOfRouter) == [
                .nextHopChanged(gateway: Node.router, port: 3, mac: Node.routerMAC), .sent(Frames.echoReply),
            ])
    }

    @Test func tellsThatAPortIsClosed() {
        var node = Node.resolved()
        #expect(node.receive(Frames.udpToClosedPort) == [.sent(Frames.portUnreachable)])
        #expect(node.stack.counters[.udpPortClosed] == 1)
        #expect(node.stack.counters[.unreachableSent] == 1)
    }

    @Test func tellsThatAProtocolIsUnknown() {
        var node = Node.resolved()
        #expect(node.receive(Frames.tcp) == [.sent(Frames.protocolUnreachable)])
    }

    @Test func limitsErrors() {
        var limits = HostStack.Limits()
        limits.icmpErrors = 2
        var node = Node.resolved(limits: limits)
        let sent = (0..<5).map { _ in node.receive(Frames.udpToClosedPort, at: 1).count }
        #expect(sent == [1, 1, 0, 0, 0])
        #expect(node.stack.counters[.icmpErrorLimited] == 3)
        #expect(node.receive(Frames.udpToClosedPort, at: 1.5).count == 1)
        #expect(node.receive(Frames.udpToClosedPort, at: 1.6).isEmpty)
    }

    @Test(arguments: [Frames.udp, Frames.udpWithOptions, Frames.udpWithoutChecksum])
    func handsOutDatagrams(hex: String) throws {
        var node = Node()
        node.stack.listen(on: 1_701)
        let outputs = node.receive(hex)
        guard case .datagram(let datagram)? = outputs.first else {
            Issue.record("no datagram in \(outputs)")
            return
        }
        #expect(outputs.count == 1)
        #expect(datagram.source == UDPEndpoint(Node.far, 1_701))
        #expect(datagram.destination == UDPEndpoint(Node.address("10.99.0.1"), 1_701))
        #expect(datagram.interface == 3)
        #expect(Array(datagram.payload) == Array("l2tp!".utf8), "Ethernet's padding is not part of it")
        node.stack.close(1_701)
        #expect(node.receive(hex) == [.sent(Frames.requestForRouter)], "port unreachable, as soon as it can be sent")
    }

    @Test func sendsDatagrams() throws {
        var node = Node.resolved()
        let outputs = try node.stack.send(
            Array("control message, odd".utf8), from: UDPEndpoint(.v4(.any), 1_701), to: UDPEndpoint(Node.far, 1_701),
            typeOfService: 0x48, at: .zero)
        #expect(outputs == [.sent(Frames.udpSent)])
    }

    @Test func neverSendsChecksumZero() throws {
        var node = Node.resolved()
        let outputs = try node.stack.send(
            [0x26, 0x25], from: UDPEndpoint(Node.address("10.99.0.1"), 1_701), to: UDPEndpoint(Node.far, 1_701),
            at: .zero)
        #expect(outputs == [.sent(Frames.udpSentWithZeroSum)])
    }

    @Test func identificationsDiffer() throws {
        var node = Node.resolved()
        var seen: Set<[UInt8]> = []
        for _ in 0..<300 {
            let outputs = try node.stack.send(
                [1], from: UDPEndpoint(.v4(.any), 1_701), to: UDPEndpoint(Node.far, 1_701), at: .zero)
            guard case .transmit(let frame, _)? = outputs.first else { continue }
            seen.insert(Array(frame[18..<20]))
        }
        #expect(seen.count == 300)
    }

    @Test func queuesWhileResolvingAndDropsTheOldest() throws {
        var limits = HostStack.Limits()
        limits.queuedPackets = 2
        var node = Node(limits: limits)
        for octet in UInt8(1)...4 {
            let outputs = try node.stack.send(
                [octet], from: UDPEndpoint(.v4(.any), 1_701), to: UDPEndpoint(Node.far, 1_701), at: .zero)
            #expect(outputs.count == (octet == 1 ? 1 : 0))
        }
        let payloads = node.receive(Frames.replyOfRouter).compactMap { output -> UInt8? in
            if case .transmit(let frame, _) = output { frame[42] } else { nil }
        }
        #expect(payloads == [3, 4])
        #expect(node.stack.counters[.resolutionDropped] == 2)
    }

    @Test func dropsWhatWaitsForASilentNeighbour() throws {
        var node = Node()
        _ = try node.stack.send([1], from: UDPEndpoint(.v4(.any), 1), to: UDPEndpoint(Node.far, 2), at: .zero)
        #expect(node.stack.timerFired(at: .at(seconds: 1)) == [.sent(Frames.requestForRouter)])
        #expect(node.stack.timerFired(at: .at(seconds: 2)) == [.sent(Frames.requestForRouter)])
        #expect(
            node.stack.timerFired(at: .at(seconds: 3)) == [.nextHopChanged(gateway: Node.router, port: 3, mac: nil)])
        #expect(node.stack.counters[.resolutionDropped] == 1)
        #expect(
            try node.stack.send([1], from: UDPEndpoint(.v4(.any), 1), to: UDPEndpoint(Node.far, 2), at: .at(seconds: 4))
                .isEmpty)
        #expect(node.stack.counters[.resolutionDropped] == 2, "left alone during the hold-down")
        #expect(node.stack.timerFired(at: .at(seconds: 8)).isEmpty)
        #expect(
            try node.stack.send([1], from: UDPEndpoint(.v4(.any), 1), to: UDPEndpoint(Node.far, 2), at: .at(seconds: 9))
                == [.sent(Frames.requestForRouter)])
    }

    @Test func newestWaitsForAHeldNeighbourThatIsSilent() throws {
        var node = Node()
        _ = try node.stack.hold(Node.far, at: .zero)
        for second in 1...3 { _ = node.stack.timerFired(at: .at(seconds: Double(second))) }
        for octet in UInt8(1)...3 {
            let outputs = try node.stack.send(
                [octet], from: UDPEndpoint(.v4(.any), 1), to: UDPEndpoint(Node.far, 2), at: .at(seconds: 4))
            #expect(outputs.isEmpty)
        }
        #expect(node.stack.counters[.resolutionDropped] == 2)
        #expect(node.stack.timerFired(at: .at(seconds: 8)) == [.sent(Frames.requestForRouter)])
        let payloads = node.receive(Frames.replyOfRouter, at: 8.1).compactMap { output -> UInt8? in
            if case .transmit(let frame, _) = output { frame[42] } else { nil }
        }
        #expect(payloads == [3])
    }

    @Test func keepsFewNeighboursForStrangers() throws {
        var limits = HostStack.Limits()
        limits.neighbours = 4
        var node = Node(limits: limits)
        _ = try node.stack.hold(Node.far, at: .zero)
        for host in 10..<60 {
            _ = try node.stack.send(
                [1], from: UDPEndpoint(.v4(.any), 1), to: UDPEndpoint(Node.address("10.99.0.\(host)"), 1),
                at: .at(seconds: Double(host) / 1_000))
        }
        #expect(node.stack.counters[.resolutionDropped] == 46)
        let asked = node.stack.timerFired(at: .at(seconds: 1.5))
        #expect(asked.count == 5, "four, and the one that is held")
    }

    @Test(arguments: [
        // octet, value, reason: version, header length, total lengths, checksum
        (14, 0x65 as UInt8, HostCounter.ipv4Malformed), (14, 0x44, .ipv4Malformed), (14, 0x4f, .ipv4Malformed),
        (16, 1, .ipv4Malformed), (17, 19, .ipv4Malformed), (24, 0xff, .ipv4ChecksumWrong),
        (46, 0x6d, .udpChecksumWrong), (0, 0xff, .frameNotForUs), (39, 7, .udpMalformed), (39, 14, .udpMalformed),
    ])
    func refusesWrongFields(offset: Int, value: UInt8, reason: HostCounter) {
        var node = Node()
        node.stack.listen(on: 1_701)
        var frame = Frames.octets(Frames.udp)
        frame[offset] = value
        #expect(node.stack.receive(frame: frame, port: 3, at: .zero).isEmpty)
        #expect(node.stack.counters.nonzero == [reason: 1])
    }

    /// Source and destination addresses that no frame for this node can carry, with the header checksum put right.
    @Test(arguments: [
        ("192.0.2.7", "10.99.0.2", HostCounter.ipv4NotForUs), ("192.0.2.7", "10.99.0.255", .ipv4NotForUs),
        ("192.0.2.7", "255.255.255.255", .ipv4NotForUs), ("192.0.2.7", "224.0.0.1", .ipv4NotForUs),
        ("0.0.0.0", "10.99.0.1", .ipv4SourceInvalid), ("127.0.0.1", "10.99.0.1", .ipv4SourceInvalid),
        ("224.0.0.1", "10.99.0.1", .ipv4SourceInvalid), ("255.255.255.255", "10.99.0.1", .ipv4SourceInvalid),
        ("10.99.0.255", "10.99.0.1", .ipv4SourceInvalid), ("10.99.0.0", "10.99.0.1", .ipv4SourceInvalid),
        ("10.99.0.1", "10.99.0.1", .ipv4SourceInvalid),
    ])
    func refusesAddresses(source: String, destination: String, reason: HostCounter) {
        var node = Node()
        var frame = Frames.octets(Frames.udpToClosedPort)
        frame.replaceSubrange(26..<30, with: Node.address(source).octets)
        frame.replaceSubrange(30..<34, with: Node.address(destination).octets)
        frame.replaceSubrange(24..<26, with: [0, 0])
        var sum = stride(from: 14, to: 34, by: 2).reduce(0) { $0 + Int(frame[$1]) << 8 + Int(frame[$1 + 1]) }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        frame.replaceSubrange(24..<26, with: [UInt8(~sum >> 8 & 0xff), UInt8(~sum & 0xff)])
        #expect(node.stack.receive(frame: frame, port: 3, at: .zero).isEmpty)
        #expect(node.stack.counters.nonzero == [reason: 1])
    }

    @Test(arguments: [Frames.firstFragment, Frames.laterFragment])
    func refusesFragments(hex: String) {
        var node = Node()
        node.stack.listen(on: 1_701)
        #expect(node.receive(hex).isEmpty)
        #expect(node.stack.counters.nonzero == [.ipv4Fragment: 1])
    }

    @Test(arguments: [
        ("10.99.0.1", HostFault.noRoute), ("10.99.0.255", .noRoute), ("10.99.0.0", .noRoute), ("224.0.0.5", .noRoute),
        ("127.0.0.1", .noRoute), ("0.0.0.0", .noRoute), ("255.255.255.255", .noRoute),
    ])
    func refusesDestinations(destination: String, fault: HostFault) {
        var node = Node()
        #expect(throws: fault) {
            try node.stack.send(
                [], from: UDPEndpoint(.v4(.any), 1), to: UDPEndpoint(Node.address(destination), 1), at: .zero)
        }
        #expect(throws: fault) { try node.stack.hold(Node.address(destination), at: .zero) }
    }

    @Test func refusesStrangeSourcesAndLongDatagrams() throws {
        var node = Node.resolved()
        let far = UDPEndpoint(Node.far, 1)
        #expect(throws: HostFault.sourceNotOurs) {
            try node.stack.send([], from: UDPEndpoint(Node.address("10.99.0.9"), 1), to: far, at: .zero)
        }
        #expect(throws: HostFault.tooLong(mtu: 1_500)) {
            try node.stack.send(
                [UInt8](repeating: 0, count: 1_473), from: UDPEndpoint(.v4(.any), 1), to: far, at: .zero)
        }
        let longest = try node.stack.send(
            [UInt8](repeating: 0, count: 1_472), from: UDPEndpoint(.v4(.any), 1), to: far, at: .zero)
        guard case .transmit(let frame, _)? = longest.first else {
            Issue.record("nothing sent")
            return
        }
        #expect(frame.count == 1_514)
    }

    @Test func longestPrefixWins() {
        let stack = HostStack(
            interfaces: [
                HostInterface(
                    port: 1, mac: MACAddress(value: 1), mtu: 1_500,
                    addresses: [Node.prefix("10.0.0.1/24"), Node.prefix("10.0.1.1/31")]),
                HostInterface(port: 2, mac: MACAddress(value: 2), mtu: 9_000, addresses: [Node.prefix("10.2.0.1/16")]),
            ],
            routes: [
                StaticRoute(prefix: Node.prefix("0.0.0.0/0"), nextHop: Node.address("10.0.0.254")),
                StaticRoute(prefix: Node.prefix("192.0.2.0/24"), nextHop: Node.address("10.2.9.9")),
                StaticRoute(prefix: Node.prefix("10.2.0.0/16"), nextHop: Node.address("10.0.0.254")),
                StaticRoute(prefix: Node.prefix("192.0.2.128/25"), nextHop: Node.address("10.0.1.0")),
                StaticRoute(prefix: Node.prefix("203.0.113.0/24"), nextHop: Node.address("172.16.0.1")),
            ],
            identification: 0)
        let table: [(String, String, UInt16, String)] = [
            ("8.8.8.8", "10.0.0.254", 1, "10.0.0.1"), ("192.0.2.1", "10.2.9.9", 2, "10.2.0.1"),
            ("192.0.2.200", "10.0.1.0", 1, "10.0.1.1"), ("10.2.3.4", "10.2.3.4", 2, "10.2.0.1"),
            ("10.0.0.7", "10.0.0.7", 1, "10.0.0.1"), ("203.0.113.1", "10.0.0.254", 1, "10.0.0.1"),
        ]
        for (destination, gateway, port, source) in table {
            let route = stack.route(to: Node.address(destination))
            #expect(route?.gateway == Node.address(gateway), "\(destination)")
            #expect(route?.port == port, "\(destination)")
            #expect(route?.source == Node.address(source), "\(destination)")
        }
    }

    /// No content of a frame traps, and none makes it deliver what was not sent.
    @Test func survivesDamage() {
        var generator = SystemRandomNumberGenerator()
        let seeds = [
            Frames.udp, Frames.udpWithOptions, Frames.echoRequest, Frames.tcp, Frames.replyOfRouter,
            Frames.requestForUs,
        ].map(Frames.octets)
        var node = Node()
        node.stack.listen(on: 1_701)
        for round in 0..<50_000 {
            var frame = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                frame[Int.random(in: 12..<frame.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if round % 3 == 0 { frame.removeLast(Int.random(in: 0..<frame.count, using: &generator)) }
            let now = Instant(nanoseconds: UInt64(round) * 1_000_000)
            for case .datagram(let datagram) in node.stack.receive(frame: frame, port: 3, at: now) {
                #expect(datagram.payload.count <= frame.count - 42)
            }
            _ = node.stack.timerFired(at: now)
        }
        #expect(node.stack.counters[.ipv4ChecksumWrong] > 0)
    }
}
