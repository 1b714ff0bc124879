import Host
import Testing
import Timing
import Wire

@Suite struct NeighbourDiscoveryTests {
    @Test func resolvesAHeldNextHop() throws {
        var node = Node6()
        #expect(try node.stack.hold(Node6.far, at: .zero) == [.sent(Frames.solicitRouter)])
        #expect(
            node.receive(Frames.adOfRouter) == [.nextHopChanged(gateway: Node6.router, port: 3, mac: Node.routerMAC)])
        let hop = try #require(node.stack.resolve(Node6.far))
        #expect(hop.mac == Node.routerMAC)
        #expect(hop.route.source == Node6.own)
        #expect(node.receive(Frames.adOfRouter).isEmpty, "a second answer was not asked for")
        #expect(node.stack.counters.nonzero == [.ndSolicited: 1, .ndUnsolicited: 1])
    }

    @Test func learnsOnlyWhatItAskedFor() {
        var node = Node6()
        #expect(node.receive(Frames.adOfRouter).isEmpty)
        #expect(node.stack.resolve(Node6.far) == nil)
        #expect(node.stack.counters.nonzero == [.ndUnsolicited: 1])
    }

    /// 30 seconds reachable, 5 of delay since it is held, then probes: alone, then everybody; then it is lost.
    @Test func probesAHeldNeighbour() {
        var node = Node6.resolved()
        node.stack.release(Node.far)
        #expect(node.stack.timerFired(at: .at(seconds: 30)).isEmpty)
        #expect(node.stack.deadline == .at(seconds: 35))
        for second in 35..<38 {
            #expect(node.stack.timerFired(at: .at(seconds: Double(second))) == [.sent(Frames.solicitRouterAlone)])
        }
        for second in 38..<41 {
            #expect(node.stack.timerFired(at: .at(seconds: Double(second))) == [.sent(Frames.solicitRouter)])
            #expect(node.stack.resolve(Node6.far)?.mac == Node.routerMAC, "in use while it is asked for")
        }
        #expect(
            node.stack.timerFired(at: .at(seconds: 41)) == [
                .nextHopChanged(gateway: Node6.router, port: 3, mac: nil)
            ])
        #expect(node.stack.resolve(Node6.far) == nil)
        #expect(node.stack.deadline == .at(seconds: 46))
        #expect(node.stack.timerFired(at: .at(seconds: 46)) == [.sent(Frames.solicitRouter)])
        #expect(
            node.receive(Frames.adOfRouter, at: 46.5) == [
                .nextHopChanged(gateway: Node6.router, port: 3, mac: Node.routerMAC)
            ])
    }

    /// An answer to a probe need not name the Ethernet address (RFC 4861 section 4.4).
    @Test func anAnswerWithoutAddressConfirms() {
        var node = Node6.resolved()
        node.stack.release(Node.far)
        _ = node.stack.timerFired(at: .at(seconds: 30))
        #expect(node.stack.timerFired(at: .at(seconds: 35)) == [.sent(Frames.solicitRouterAlone)])
        #expect(node.receive(Frames.adOfRouterAlone, at: 35.5).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 65)).isEmpty)
        #expect(node.stack.deadline == .at(seconds: 65.5))
        #expect(node.stack.timerFired(at: .at(seconds: 65.5)).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 70.5)) == [.sent(Frames.solicitRouterAlone)])
    }

    @Test func aQuestionWithoutAddressInTheAnswerStaysOpen() throws {
        var node = Node6()
        _ = try node.stack.hold(Node6.far, at: .zero)
        #expect(node.receive(Frames.adOfRouterAlone).isEmpty)
        #expect(node.stack.resolve(Node6.far) == nil)
        #expect(node.stack.counters[.ndUnsolicited] == 1)
    }

    /// An answer without S resolves, but what it says is not known to reach the neighbour: it is probed after 5 seconds.
    @Test func anUnsolicitedAnswerIsStale() throws {
        var node = Node6()
        _ = try node.stack.hold(Node6.far, at: .zero)
        #expect(
            node.receive(Frames.adOfRouterUnsolicited) == [
                .nextHopChanged(gateway: Node6.router, port: 3, mac: Node.routerMAC)
            ])
        #expect(node.stack.timerFired(at: .at(seconds: 4)).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 5)) == [.sent(Frames.solicitRouterAlone)])
    }

    /// A neighbour that nobody holds goes stale, wakes when a packet goes there, and is forgotten when none does.
    @Test func anIdleNeighbourGoesStale() throws {
        var node = Node6.resolved()
        node.stack.release(Node.far)
        node.stack.release(Node6.far)
        #expect(node.stack.timerFired(at: .at(seconds: 30)).isEmpty)
        #expect(node.stack.resolve(Node6.far) != nil)
        let sent = try node.stack.send(
            Array("control message, odd".utf8), from: UDPEndpoint(.v6(.unspecified), 1_701),
            to: UDPEndpoint(Node6.far, 1_701), typeOfService: 0x48, at: .at(seconds: 100))
        #expect(sent == [.sent(Frames.udp6Sent)])
        #expect(node.stack.timerFired(at: .at(seconds: 105)) == [.sent(Frames.solicitRouterAlone)])
        #expect(node.receive(Frames.adOfRouter, at: 105.1).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 135.1)).isEmpty)
        #expect(node.stack.deadline == .at(seconds: 735.1))
        #expect(node.stack.timerFired(at: .at(seconds: 735.1)).isEmpty)
        #expect(node.stack.resolve(Node6.far) == nil)
        _ = node.stack.timerFired(at: .at(seconds: 736))
        #expect(node.stack.deadline == .distantFuture)
    }

    @Test func asksAgainWhenTheRouterSpeaksFromElsewhere() {
        var node = Node6.resolved()
        #expect(node.receive(Frames.adOfRouterMoved, at: 0.5).isEmpty, "not within a second of a confirmation")
        #expect(node.receive(Frames.adOfRouterMoved, at: 10) == [.sent(Frames.solicitRouter)])
        #expect(node.receive(Frames.adOfRouterMoved, at: 10.1).isEmpty, "a question is out already")
        #expect(node.stack.resolve(Node6.far)?.mac == Node.routerMAC, "an advertisement alone changes nothing")
        #expect(node.receive(Frames.adOfMovedRouterWeak, at: 10.2).isEmpty, "it does not override")
        #expect(
            node.receive(Frames.adOfMovedRouter, at: 10.3) == [
                .nextHopChanged(gateway: Node6.router, port: 3, mac: Node.neighbourMAC)
            ])
    }

    @Test(arguments: [Frames.solicitUs, Frames.solicitUsAlone])
    func answersForItsOwnAddress(hex: String) {
        var node = Node6()
        #expect(node.receive(hex) == [.sent(Frames.adOfOurs)])
        #expect(node.stack.counters.nonzero == [.ndAnswered: 1])
        #expect(node.stack.resolve(Node.address("2001:db8:99::2")) == nil, "nothing is learned from a question")
    }

    @Test func answersAnothersDetection() {
        var node = Node6()
        #expect(node.receive(Frames.detectOurs) == [.sent(Frames.advertiseGlobal)])
        #expect(node.stack.counters.nonzero == [.ndAnswered: 1])
    }

    @Test func answersForNoOtherAddress() {
        var node = Node6()
        #expect(node.receive(Frames.solicitAnother).isEmpty)
        #expect(node.stack.counters.nonzero == [.ndNotForUs: 1])
    }

    @Test func defendsItsAddressAtALimitedRate() {
        var node = Node6()
        let conflict = HostOutput.addressConflict(Node6.own, port: 3, with: Node.neighbourMAC)
        #expect(node.receive(Frames.adConflict, at: 5) == [conflict, .sent(Frames.advertiseGlobal)])
        #expect(node.receive(Frames.adConflict, at: 6).isEmpty)
        #expect(node.receive(Frames.adConflict, at: 15) == [conflict, .sent(Frames.advertiseGlobal)])
        #expect(node.stack.counters.nonzero == [.ndConflict: 3])
    }

    /// Questions by another station with our address are a conflict as well; anything else from it is refused.
    @Test func noticesOthersWithItsAddress() {
        var node = Node6()
        var frame = Node6.icmp(Frames.solicitUs) { $0.replaceSubrange(22..<38, with: Node6.own.octets) }
        #expect(
            node.receive(frame) == [
                .addressConflict(Node6.own, port: 3, with: Node.neighbourMAC), .sent(Frames.advertiseGlobal),
            ])
        frame = Node6.icmp(Frames.adOfRouter) { $0.replaceSubrange(22..<38, with: Node6.own.octets) }
        #expect(node.receive(frame).isEmpty)
        #expect(node.stack.counters.nonzero == [.ndConflict: 1, .ipv6SourceInvalid: 1])
    }

    /// One change each to a question that is answered; the checksum is right in all.
    @Test(arguments: [
        // octet of the frame, value: hop limit, code, target a group, option of no length, of a length beyond the end, a group's
        // Ethernet address, the option's address all zeros in the upper half
        (21, 254 as UInt8, HostCounter.ndMalformed), (55, 1, .ndMalformed), (62, 0xff, .ndMalformed),
        (79, 0, .ndMalformed), (79, 2, .ndMalformed), (79, 255, .ndMalformed), (80, 1, .ndMalformed),
        (54, 133, .icmpIgnored), (54, 134, .icmpIgnored), (54, 137, .icmpIgnored), (54, 3, .icmpIgnored),
        (77, 2, .ndNotForUs),
    ])
    func refusesWrongQuestions(offset: Int, value: UInt8, reason: HostCounter) {
        var node = Node6()
        #expect(node.receive(Node6.icmp(Frames.solicitUs) { $0[offset] = value }).isEmpty)
        #expect(node.stack.counters.nonzero == [reason: 1])
    }

    /// A message that ends anywhere is refused or, where whole options are missing, read without them.
    @Test func refusesShortMessages() {
        for length in 0..<32 {
            var node = Node6()
            let frame = Node6.icmp(Frames.solicitUs) { $0[19] = UInt8(length) }
            let outputs = node.receive(frame)
            #expect(outputs.isEmpty == (length != 24), "\(length) octets")
            let reason: HostCounter = length < 4 ? .icmpMalformed : .ndMalformed
            #expect(node.stack.counters.nonzero == [length == 24 ? .ndAnswered : reason: 1], "\(length) octets")
        }
    }

    @Test func refusesImpossibleMessages() {
        var node = Node6()
        // A detection that names an Ethernet address, and one that is sent to us alone.
        var frame = Node6.icmp(Frames.solicitUs) { $0.replaceSubrange(22..<38, with: [UInt8](repeating: 0, count: 16)) }
        #expect(node.receive(frame).isEmpty)
        frame = Node6.icmp(Frames.detectOurs) {
            $0.replaceSubrange(0..<6, with: Node6.mac.octets)
            $0.replaceSubrange(38..<54, with: Node6.own.octets)
        }
        #expect(node.receive(frame).isEmpty)
        // An answer to everybody, a wrong checksum, one of our own come back.
        #expect(node.receive(Node6.icmp(Frames.adOfRouterMoved) { $0[58] |= 0x40 }).isEmpty)
        #expect(node.stack.counters.nonzero == [.ndMalformed: 3])
        frame = Frames.octets(Frames.solicitUs)
        frame[60] ^= 1
        #expect(node.receive(frame).isEmpty)
        #expect(node.stack.counters[.icmpMalformed] == 1)
        #expect(
            node.receive(Node6.icmp(Frames.solicitUs) { $0.replaceSubrange(6..<12, with: Node6.mac.octets) }).isEmpty)
        #expect(node.stack.counters[.ndMalformed] == 4)
    }

    @Test func ignoresRouterAdvertisements() {
        var node = Node6()
        #expect(node.receive(Frames.routerAdvertisement).isEmpty)
        #expect(node.stack.counters.nonzero == [.icmpIgnored: 1])
    }

    @Test func keepsNoEntriesForStrangers() {
        var node = Node6()
        for host in UInt8(2)...250 {
            let frame = Node6.icmp(Frames.solicitUs) { $0[37] = host }
            #expect(node.receive(frame).count == 1)
        }
        #expect(node.stack.deadline == .distantFuture)
    }
}

@Suite struct AddressDetectionTests {
    /// Every IPv6 address is asked for, taken after a second in which nobody claimed it, and announced, once more a second later.
    @Test func takesAddressesThatNobodyClaims() {
        var node = Node6()
        let started = node.stack.start(at: .at(seconds: 1))
        #expect(started.prefix(2) == [.sent(Frames.detectGlobal), .sent(Frames.detectLinkLocal)])
        #expect(started.contains(.sent(Frames.announcement)), "IPv4 does not wait")
        #expect(node.receive(Frames.solicitUs, at: 1.5).isEmpty)
        #expect(node.receive(Frames.echoRequest6, at: 1.5).isEmpty)
        #expect(node.stack.counters.nonzero == [.ndNotForUs: 1, .ipv6NotForUs: 1])
        #expect(node.stack.deadline == .at(seconds: 2))
        #expect(
            node.stack.timerFired(at: .at(seconds: 2)) == [
                .sent(Frames.advertiseGlobal), .sent(Frames.advertiseLinkLocal),
            ])
        #expect(node.receive(Frames.solicitUs, at: 2) == [.sent(Frames.adOfOurs)])
        let again = node.stack.timerFired(at: .at(seconds: 3))
        #expect(again.contains(.sent(Frames.advertiseGlobal)))
        #expect(node.stack.deadline == .distantFuture)
    }

    @Test(arguments: [Frames.detectOurs, Frames.adConflict])
    func leavesAnAddressThatIsAnothers(hex: String) throws {
        var node = Node6()
        _ = node.stack.start(at: .zero)
        #expect(node.receive(hex, at: 0.5) == [.addressConflict(Node6.own, port: 3, with: Node.neighbourMAC)])
        #expect(node.stack.counters[.addressDuplicate] == 1)
        #expect(node.stack.timerFired(at: .at(seconds: 1)) == [.sent(Frames.advertiseLinkLocal)])
        #expect(node.receive(Frames.solicitUs, at: 3).isEmpty)
        #expect(node.receive(Frames.echoRequest6, at: 3).isEmpty)
        #expect(throws: HostFault.sourceNotOurs) {
            try node.stack.send(
                [1], from: UDPEndpoint(Node6.own, 1), to: UDPEndpoint(Node6.far, 1), at: .at(seconds: 3))
        }
        #expect(node.stack.owns(Node6.own), "it is configured all the same")
        // Nothing asks from it either; the caller learns that there is no way.
        #expect(try node.stack.hold(Node6.far, at: .at(seconds: 4)).isEmpty)
        var outputs: [HostOutput] = []
        for second in 5..<9 { outputs += node.stack.timerFired(at: .at(seconds: Double(second))) }
        #expect(outputs.contains(.nextHopChanged(gateway: Node6.router, port: 3, mac: nil)))
        #expect(!outputs.contains(.sent(Frames.solicitRouter)))
        #expect(!outputs.contains(.sent(Frames.advertiseGlobal)))
    }

    /// What is to be sent from a tentative address waits for the end of the detection and then for the answer.
    @Test func asksNobodyFromATentativeAddress() throws {
        var node = Node6()
        _ = node.stack.start(at: .zero)
        #expect(try node.stack.hold(Node6.far, at: .at(seconds: 0.2)).isEmpty)
        let payload = Array("control message, odd".utf8)
        #expect(
            try node.stack.send(
                payload, from: UDPEndpoint(Node6.own, 1_701), to: UDPEndpoint(Node6.far, 1_701), typeOfService: 0x48,
                at: .at(seconds: 0.3)
            ).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 1)).contains(.sent(Frames.solicitRouter)))
        #expect(
            node.receive(Frames.adOfRouter, at: 1.1) == [
                .nextHopChanged(gateway: Node6.router, port: 3, mac: Node.routerMAC), .sent(Frames.udp6Sent),
            ])
    }

    @Test func aQuestionOfANeighbourIsNoClaim() {
        var node = Node6()
        _ = node.stack.start(at: .zero)
        #expect(node.receive(Frames.solicitUs, at: 0.5).isEmpty)
        #expect(node.stack.counters[.addressDuplicate] == 0)
    }
}
