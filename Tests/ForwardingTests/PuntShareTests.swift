import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire
import Worker

/// Who goes first when a punt class cannot have all that comes: as a table and through a worker; time is given.
@Suite(.serialized) struct PuntShareTests {
    static let second: UInt64 = 1_000_000

    private func shares(line: UInt32 = 10, port: UInt32 = 100) throws -> PuntShares {
        _ = try Ports.shared.get()  // starts DPDK
        return try PuntShares(
            limits: PuntShareLimits(lines: PuntLimits(all: line), ports: PuntLimits(all: port)),
            cyclesPerSecond: Self.second, seed: 3, socket: -1)
    }

    private func retries() throws -> PuntRetries {
        _ = try Ports.shared.get()
        return try PuntRetries(cyclesPerSecond: Self.second, seed: 3, socket: -1)
    }

    private func sender(_ client: UInt64, line: UInt64 = 1) -> PuntSender {
        PuntSender(client: PuntClient(client), line: PuntClient(line))
    }

    @Test func aLineHasItsShareAndThenGoesLast() throws {
        let shares = try shares()
        defer { shares.deallocate() }
        let ranks = (0..<100).map { shares.rank(.pppoeDiscovery, sender(UInt64($0)), port: 0, now: Self.second) }
        // Eight early and the one that is due; then nobody of them has asked before.
        #expect(ranks == Array(repeating: .within, count: 9) + Array(repeating: .beyond, count: 91))
        #expect(shares.rank(.pppoeDiscovery, sender(1, line: 2), port: 0, now: Self.second) == .within, "another line")
        #expect(shares.rank(.arp, sender(1), port: 0, now: Self.second) == .within, "another class")
    }

    @Test func linesTogetherHaveTheirPortsShare() throws {
        let shares = try shares(line: 10, port: 20)
        defer { shares.deallocate() }
        let ranks = (0..<100).map {
            shares.rank(.pppoeDiscovery, sender(1, line: UInt64($0)), port: 0, now: Self.second)
        }
        #expect(ranks.count { $0 == .within } == 9, "forged VLANs use up the share of their port")
        #expect(shares.rank(.pppoeDiscovery, sender(1, line: 1_000), port: 1, now: Self.second) == .within)
    }

    @Test(arguments: PuntClass.allCases) func withoutASharedLineAllAreAlike(punt: PuntClass) throws {
        let shares = try shares(line: 0)
        defer { shares.deallocate() }
        #expect(!shares.hasRanks(punt))
        let some = try self.shares()
        defer { some.deallocate() }
        #expect(some.hasRanks(punt))
    }

    @Test(arguments: PuntClass.allCases) func comingAgainCountsWhereClientsAskOnceAndWait(punt: PuntClass) throws {
        let shares = try shares()
        defer { shares.deallocate() }
        for _ in 0..<20 { _ = shares.rank(punt, sender(1), port: 0, now: Self.second) }
        #expect(shares.rank(punt, sender(2), port: 0, now: Self.second) == .beyond)
        let later = Self.second + Self.second / 2
        for _ in 0..<20 { _ = shares.rank(punt, sender(1), port: 0, now: later) }
        let asksOnce: Set<PuntClass> = [.arp, .ipv4, .ipv6, .pppoeDiscovery, .l2tpUnknown]
        #expect(shares.rank(punt, sender(2), port: 0, now: later) == (asksOnce.contains(punt) ? .again : .beyond))
    }

    @Test func somebodyComesAgainAfterAQuarterOfASecondAndWithinTen() throws {
        let retries = try retries()
        defer { retries.deallocate() }
        let start = 5 * Self.second
        func asks(_ client: UInt64, after milliseconds: UInt64) -> Bool {
            retries.comesAgain(.pppoeDiscovery, PuntClient(client), now: start + milliseconds * 1_000)
        }
        #expect(!asks(1, after: 0))
        #expect(!asks(1, after: 100), "a doubled frame")
        #expect(asks(1, after: 1_000))
        #expect(asks(1, after: 1_005), "its PADR after its PADI")
        #expect(!retries.comesAgain(.arp, PuntClient(1), now: start + Self.second), "not in another class")
        // Eight in ten seconds.
        let granted = (0..<20).count { _ in asks(1, after: 3_000) }
        #expect(granted == 6)
        #expect(!asks(1, after: 11_000), "too late: the first time again")
        #expect(asks(1, after: 12_000))
    }

    @Test func whoWasTakenGoesOn() throws {
        let retries = try retries()
        defer { retries.deallocate() }
        #expect(!retries.comesAgain(.pppoeDiscovery, PuntClient(1), now: Self.second))
        retries.admit(.pppoeDiscovery, PuntClient(1), now: Self.second)
        #expect(retries.comesAgain(.pppoeDiscovery, PuntClient(1), now: Self.second + 5_000))
        // But that does not make more of it than others have.
        var granted = 1
        for _ in 0..<20 {
            granted += retries.comesAgain(.pppoeDiscovery, PuntClient(1), now: Self.second + 6_000) ? 1 : 0
            retries.admit(.pppoeDiscovery, PuntClient(1), now: Self.second + 6_000)
        }
        #expect(granted == 8)
    }

    /// 200,000 strangers a second, none of whom comes twice, and a client that asks once a second.
    @Test func strangersDoNotPushOutWhoComesAgain() throws {
        let retries = try retries()
        defer { retries.deallocate() }
        var (strangers, granted): (UInt64, Int) = (1 << 40, 0)
        for client in 0..<200 as Range<UInt64> {
            #expect(!retries.comesAgain(.pppoeDiscovery, PuntClient(client), now: Self.second))
        }
        for microsecond in stride(from: 0, to: Self.second, by: 5) {
            strangers += 1
            granted +=
                retries.comesAgain(.pppoeDiscovery, PuntClient(strangers), now: Self.second + microsecond) ? 1 : 0
        }
        let known = (0..<200).count {
            retries.comesAgain(.pppoeDiscovery, PuntClient($0), now: 2 * Self.second)
        }
        #expect(known >= 190, "\(known) of 200 are remembered")
        #expect(granted < 200, "\(granted) of 200,000 strangers were taken for somebody")
    }

    // MARK: Through a worker

    static let discovery = with(Golden.upstream[0].input, [13: 0x63])
    static let discoveryTagged = tagged(discovery, "81000064")

    /// A frame of the class by another client: the last octets of what it is known by are the number.
    private static func numbered(_ frame: [UInt8], at place: Int, _ number: Int) -> [UInt8] {
        with(frame, [place: UInt8(number >> 8 & 255), place + 1: UInt8(number & 255)])
    }

    /// Ten rounds a second for a second, a flood of `flood` frames a round, and what `quiet` sends in each round.
    private func play(
        _ rig: Rig, port: Int = 0, quietPort: Int = 0, flood: Int, frame: (Int) -> [UInt8], quiet: (Int) -> [UInt8]?
    ) -> (flood: Int, quiet: [Int]) {
        let hertz = culvert_cycles_per_second()
        var (sent, taken, heard): (Int, Int, [Int]) = (0, 0, [])
        for tick in 0..<100 as Range<UInt64> {  // a hundredth of a second each
            for _ in 0..<flood {
                rig.send(frame(sent), port: port)
                sent += 1
            }
            let expected = quiet(Int(tick))
            if let expected { rig.send(expected, port: quietPort) }
            rig.worker.iterate(now: 10 * hertz + tick * (hertz / 100))
            for punt in rig.takePunts() {
                if punt.frame == expected { heard.append(Int(tick)) } else { taken += 1 }
            }
        }
        return (taken, heard)
    }

    @Test func aFloodWithForgedAddressesLeavesOtherVLANsTheirShare() throws {
        // 400 a second of the class, 40 of a VLAN before others. Without shares the quiet one is lost.
        for (shares, expected) in [(.none, 0...8), (Self.shares(40, 200), 10...10)] as [(PuntShareLimits, ClosedRange)]
        {
            let rig = try Rig(limits: PuntLimits(all: 400), shares: shares)
            let result = play(
                rig, flood: 20, frame: { Self.numbered(Self.discovery, at: 10, $0) },
                quiet: { $0 % 10 == 9 ? Self.numbered(Self.discoveryTagged, at: 10, 0xffff) : nil })
            #expect(expected.contains(result.quiet.count), "\(result.quiet)")
            #expect(rig.isBalanced)
            if shares != .none {
                #expect(rig.terminals[.puntLimitedPPPoEDiscovery] == nil)
                let refused = try #require(rig.terminals[.puntShareLimitedPPPoEDiscovery])
                #expect(refused == UInt64(2_000 - result.flood), "all that were refused were of the VLAN that floods")
                #expect((400...441).contains(result.flood + result.quiet.count), "the class's limit stands")
            }
        }
    }

    @Test func aFloodWithForgedVLANsLeavesOtherPortsTheirShare() throws {
        let rig = try Rig(limits: PuntLimits(all: 400), shares: Self.shares(40, 40))
        let arp = with(Self.discovery, [12: 8, 13: 6])
        let result = play(
            rig, quietPort: 1, flood: 20,
            frame: { tagged(arp, "8100" + hex($0 / 256 % 16) + hex($0 % 256)) },
            quiet: { $0 % 10 == 9 ? Array(repeating: 0xff, count: 6) + arp[6...] : nil })
        #expect(result.quiet.count == 10, "\(result.quiet)")
        #expect(rig.isBalanced)
    }

    @Test func onTheVLANThatIsFloodedWhoAsksAgainIsHeard() throws {
        let rig = try Rig(limits: PuntLimits(all: 400), shares: Self.shares(40, 200))
        // The client asks at 0.3 s when the flood has used up everything, again at 0.8, and goes on at once.
        let client = Self.numbered(Self.discovery, at: 10, 0xffff)
        let result = play(
            rig, flood: 20, frame: { Self.numbered(Self.discovery, at: 10, $0) },
            quiet: { [30, 80, 81, 82].contains($0) ? client : nil })
        #expect(result.quiet.suffix(3) == [80, 81, 82], "\(result.quiet)")
        #expect(rig.isBalanced)
    }

    @Test func forgedControlMessagesAreInNoTunnelsWay() throws {
        let rig = try Rig(limits: PuntLimits(all: 400), shares: Self.shares(40, 200))
        let control = with(downFrame(9, 0), [42: 0xc8])
        let result = play(
            rig, port: 1, quietPort: 1, flood: 20,
            frame: { ip(Self.numbered(control, at: 28, $0 + 1_000)) }, quiet: { _ in control })
        #expect(result.quiet.count == 100, "every message from the tunnel's peer")
        #expect(rig.terminals[.puntedL2TPControl] == 100)
        #expect(rig.terminals[.puntedL2TPUnknown] == UInt64(result.flood))
        #expect(rig.terminals[.puntShareLimitedL2TPUnknown] == UInt64(2_000 - result.flood))
        #expect(rig.isBalanced)
    }

    /// What tells a tunnel's message from a stranger's.
    @Test(
        arguments: [
            ("the peer's", [:], PuntClass.l2tpControl), ("another address", [29: 9], .l2tpUnknown),
            ("another port", [34: 7], .l2tpUnknown), ("another tunnel", [47: 9], .l2tpUnknown),
            ("no tunnel", [47: 0], .l2tpUnknown), ("beyond the table", [46: 0x40], .l2tpUnknown),
            ("without a number", [42: 0xc0], .l2tpUnknown), ("sent again", [50: 0xff], .l2tpControl),
            ("the next", [50: 0], .l2tpControl), ("at the end of the largest window", [50: 4], .l2tpControl),
            ("too far ahead", [50: 5], .l2tpUnknown), ("too far behind", [50: 0xfe], .l2tpUnknown),
        ] as [(String, [Int: UInt8], PuntClass)])
    func aControlMessageIsOfATunnelIfItIsFromItsPeer(name: String, changes: [Int: UInt8], expected: PuntClass) throws {
        let rig = try Rig()
        _ = rig.pass([ip(with(with(downFrame(9, 0), [42: 0xc8]), changes))], port: 1)
        #expect(rig.takePunts().map(\.note.punt) == [expected], "\(name)")
    }

    @Test func whatIsNearMovesOnWithTheTunnel() throws {
        let rig = try Rig()
        let control = with(downFrame(9, 0), [42: 0xc8])
        func classes(_ octets: [UInt8]) -> [PuntClass] {
            octets.flatMap { octet in
                _ = rig.pass([with(control, [50: octet])], port: 1)
                return rig.takePunts().map(\.note.punt)
            }
        }
        rig.view.tunnels[7].control_window = 0xfe
        #expect(classes([0xfd, 0xfe, 0xff, 0, 1, 2]) == Array(repeating: .l2tpControl, count: 6))
        #expect(classes([0xfc, 3, 0x80]) == Array(repeating: .l2tpUnknown, count: 3))
    }

    @Test func oneTunnelsFloodGoesAfterTheOthersMessages() throws {
        let rig = try Rig(limits: PuntLimits(all: 400), shares: Self.shares(40, 200))
        rig.view.tunnels[8] = rig.view.tunnels[7]
        let control = with(downFrame(9, 0), [42: 0xc8])
        let result = play(
            rig, port: 1, quietPort: 1, flood: 20, frame: { Self.numbered(control, at: 52, $0) },
            quiet: { $0 % 10 == 9 ? with(control, [47: 8]) : nil })
        #expect(result.quiet.count == 10)
        #expect(rig.terminals[.puntShareLimitedL2TPControl] == UInt64(2_000 - result.flood))
    }

    @Test func whatIsBeyondItsShareLeavesHalfOfTheRing() throws {
        // A ring of 1,024; nobody takes anything out of it.
        let rig = try Rig(limits: PuntLimits(all: 1_000_000), shares: Self.shares(1, 1))
        for number in 0..<2_000 {
            rig.send(Self.numbered(Self.discovery, at: 10, number), port: 0)
            if number % 32 == 31 { rig.worker.iterate(now: 1 << 40) }
        }
        while rig.worker.iterate(now: 1 << 40) != 0 {}
        let taken = try #require(rig.terminals[.puntedPPPoEDiscovery])
        #expect((511...521).contains(taken), "\(taken)")
        #expect(rig.terminals[.puntRingFull] == 2_000 - taken)
        _ = rig.pass([Self.discoveryTagged], port: 0)
        #expect(rig.terminals[.puntedPPPoEDiscovery] == taken + 1, "who is within its share has room")
        let notes = rig.takePunts().map(\.note.isBeyondShare)
        #expect(notes.last == false)
        #expect(notes.count { $0 } == Int(taken) - 9)
    }

    @Test func andHalfOfTheRingToCulvertd() throws {
        // A ring of 64, and a port whose share is not used up by one VLAN's.
        let rig = try Rig(limits: PuntLimits(all: 1_000_000), shares: Self.shares(1, 1_000))
        var exchange = Exchange(view: rig.view, workers: [rig.worker], devices: [])
        defer { exchange.deallocate() }
        func pass(_ frame: [UInt8]) {
            rig.send(frame, port: 0)
            rig.worker.iterate(now: 1 << 40)
            exchange.iterate()
        }
        for number in 0..<100 { pass(Self.numbered(Self.discovery, at: 10, number)) }
        let consumer = FrameRingConsumer(rig.view.puntRing, mask: rig.view.frameRingMask)
        #expect(consumer.count == 32)
        #expect(FrameRing.dropped(rig.view.puntRing) == 68)
        pass(Self.discoveryTagged)
        #expect(consumer.count == 33)
        #expect(FrameRing.dropped(rig.view.puntRing) == 68)
    }

    private static func shares(_ line: UInt32, _ port: UInt32) -> PuntShareLimits {
        PuntShareLimits(lines: PuntLimits(all: line), ports: PuntLimits(all: port))
    }
}
