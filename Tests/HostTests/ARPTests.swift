import Host
import Testing
import Timing
import Wire

@Suite struct ARPTests {
    @Test func announcesEveryAddressTwice() {
        var node = Node()
        #expect(node.stack.deadline == .distantFuture)
        #expect(node.stack.start(at: .at(seconds: 1)) == [.sent(Frames.announcement)])
        #expect(node.stack.deadline == .at(seconds: 3))
        #expect(node.stack.timerFired(at: .at(seconds: 2.9)).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 3)) == [.sent(Frames.announcement)])
        #expect(node.stack.deadline == .distantFuture)
    }

    @Test func answersForItsOwnAddress() {
        var node = Node()
        #expect(node.receive(Frames.requestForUs) == [.sent(Frames.replyOfOurs)])
        #expect(node.stack.counters.nonzero == [.arpAnswered: 1])
        #expect(node.stack.resolve(Node.address("10.99.0.2")) == nil, "nothing is learned from a request")
    }

    @Test func answersAProbe() {
        var node = Node()
        let outputs = node.receive(Frames.probe)
        #expect(outputs.count == 1)
        #expect(node.stack.counters.nonzero == [.arpAnswered: 1])
    }

    @Test func learnsOnlyWhatItAskedFor() {
        var node = Node()
        #expect(node.receive(Frames.replyOfRouter).isEmpty)
        #expect(node.stack.resolve(Node.far) == nil)
        #expect(node.stack.counters.nonzero == [.arpUnsolicited: 1])
    }

    @Test func resolvesAHeldNextHop() throws {
        var node = Node()
        #expect(try node.stack.hold(Node.far, at: .zero) == [.sent(Frames.requestForRouter)])
        #expect(
            node.receive(Frames.replyOfRouter) == [
                .nextHopChanged(gateway: Node.router, port: 3, mac: Node.routerMAC)
            ])
        let hop = try #require(node.stack.resolve(Node.far))
        #expect(hop.mac == Node.routerMAC)
        #expect(hop.route.gateway == Node.router)
        #expect(hop.route.source == Node.address("10.99.0.1"))
        #expect(hop.route.port == 3)
        #expect(hop.route.mtu == 1_500)
        #expect(node.receive(Frames.replyOfRouter).isEmpty, "a second answer was not asked for")
        #expect(node.stack.counters[.arpUnsolicited] == 1)
    }

    @Test func refreshesByUnicastThenBroadcastThenGivesUp() throws {
        var node = Node.resolved()
        #expect(node.stack.timerFired(at: .at(seconds: 1)).isEmpty)
        #expect(node.stack.deadline == .at(seconds: 30))
        for second in 30..<33 {
            #expect(
                node.stack.timerFired(at: .at(seconds: Double(second))) == [.sent(Frames.unicastRequestForRouter)])
        }
        for second in 33..<36 {
            #expect(node.stack.timerFired(at: .at(seconds: Double(second))) == [.sent(Frames.requestForRouter)])
            #expect(node.stack.resolve(Node.far)?.mac == Node.routerMAC, "in use while it is asked for")
        }
        #expect(
            node.stack.timerFired(at: .at(seconds: 36)) == [
                .nextHopChanged(gateway: Node.router, port: 3, mac: nil)
            ])
        #expect(node.stack.resolve(Node.far) == nil)
        // Held: asked for again after the hold-down, and again, without being reported lost a second time.
        #expect(node.stack.deadline == .at(seconds: 41))
        #expect(node.stack.timerFired(at: .at(seconds: 41)) == [.sent(Frames.requestForRouter)])
        #expect(node.stack.timerFired(at: .at(seconds: 42)).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 47)) == [.sent(Frames.requestForRouter)])
        #expect(
            node.receive(Frames.replyOfRouter, at: 47.5) == [
                .nextHopChanged(gateway: Node.router, port: 3, mac: Node.routerMAC)
            ])
    }

    @Test func aConfirmedAddressIsNoChange() {
        var node = Node.resolved()
        #expect(node.stack.timerFired(at: .at(seconds: 30)) == [.sent(Frames.unicastRequestForRouter)])
        #expect(node.receive(Frames.replyOfRouter, at: 30.1).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 60)).isEmpty)
        #expect(node.stack.timerFired(at: .at(seconds: 60.1)) == [.sent(Frames.unicastRequestForRouter)])
    }

    @Test func forgetsWhatNobodyHoldsOrUses() {
        var node = Node.resolved()
        node.stack.release(Node.far)
        #expect(node.stack.resolve(Node.far) != nil)
        #expect(node.stack.timerFired(at: .at(seconds: 30)).isEmpty)
        #expect(node.stack.resolve(Node.far) == nil)
        #expect(node.stack.timerFired(at: .at(seconds: 31)).isEmpty)
        #expect(node.stack.deadline == .distantFuture)
    }

    @Test func holdsCount() throws {
        var node = Node.resolved()
        #expect(try node.stack.hold(Node.address("198.51.100.1"), at: .zero).isEmpty)
        node.stack.release(Node.far)
        #expect(node.stack.timerFired(at: .at(seconds: 30)) == [.sent(Frames.unicastRequestForRouter)])
    }

    @Test func asksAgainWhenTheRouterSpeaksFromElsewhere() {
        var node = Node.resolved()
        #expect(node.receive(Frames.routerMoved, at: 0.5).isEmpty, "not within a second of a confirmation")
        #expect(node.receive(Frames.routerMoved, at: 10) == [.sent(Frames.requestForRouter)])
        #expect(node.receive(Frames.routerMoved, at: 10.1).isEmpty, "a question is out already")
        #expect(node.stack.resolve(Node.far)?.mac == Node.routerMAC, "an announcement alone changes nothing")
        #expect(
            node.receive(Frames.replyOfMovedRouter, at: 10.2) == [
                .nextHopChanged(gateway: Node.router, port: 3, mac: Node.neighbourMAC)
            ])
        #expect(node.stack.resolve(Node.far)?.mac == Node.neighbourMAC)
    }

    @Test func defendsItsAddressAtALimitedRate() {
        var node = Node()
        let conflict = HostOutput.addressConflict(Node.address("10.99.0.1"), port: 3, with: Node.neighbourMAC)
        #expect(node.receive(Frames.conflict, at: 5) == [conflict, .sent(Frames.announcement)])
        #expect(node.receive(Frames.conflict, at: 6).isEmpty)
        #expect(node.receive(Frames.conflict, at: 15) == [conflict, .sent(Frames.announcement)])
        #expect(node.stack.counters.nonzero == [.arpConflict: 3])
    }

    @Test(arguments: [
        (3, HostCounter.frameMalformed), (12, .frameMalformed), (30, .arpMalformed), (41, .arpMalformed),
    ])
    func refusesShortMessages(length: Int, reason: HostCounter) {
        var node = Node()
        let frame = Array(Frames.octets(Frames.requestForUs).prefix(length))
        #expect(node.stack.receive(frame: frame, port: 3, at: .zero).isEmpty)
        #expect(node.stack.counters.nonzero == [reason: 1])
    }

    @Test(arguments: [
        // octet, value: hardware type, protocol, lengths, operation, a group sender, our own address as sender's
        (15, 2 as UInt8, HostCounter.arpMalformed), (16, 9, .arpMalformed), (18, 7, .arpMalformed),
        (19, 3, .arpMalformed), (21, 5, .arpMalformed), (22, 0x03, .arpMalformed), (27, 0x01, .arpMalformed),
        (28, 224, .arpMalformed), (41, 9, .arpNotForUs), (0, 0xfd, .frameNotForUs), (6, 0x03, .frameNotForUs),
        (13, 0xdd, .etherTypeUnknown),
    ])
    func refusesWrongFields(offset: Int, value: UInt8, reason: HostCounter) {
        var node = Node()
        var frame = Frames.octets(Frames.requestForUs)
        frame[offset] = value
        #expect(node.stack.receive(frame: frame, port: 3, at: .zero).isEmpty)
        #expect(node.stack.counters.nonzero == [reason: 1])
    }

    @Test func ignoresPortsWithoutAddresses() {
        var node = Node()
        #expect(node.stack.receive(frame: Frames.octets(Frames.requestForUs), port: 4, at: .zero).isEmpty)
        #expect(node.stack.counters.nonzero == [.frameMalformed: 1])
    }
}
