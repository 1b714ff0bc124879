import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire

extension ForwardingTests {
    /// Encapsulated packets that leave as fragments.
    @Suite(.serialized) struct OuterFragmentTests {}
}

extension ForwardingTests.OuterFragmentTests {
    /// The identification of an IPv6 fragment behind Ethernet.
    private func identification(_ frame: [UInt8]) -> [UInt8] { Array(frame[58..<62]) }

    private func header(_ kind: HeaderKind, mtu: UInt16) -> OuterHeader {
        var header = kind.header
        header.mtu = mtu
        header.fragments = true
        return header
    }

    @Test(arguments: FragmentsGolden.upstream) func cutsAsScapyDoes(golden: FragmentsGolden) throws {
        var header = header(golden.kind, mtu: golden.mtu)
        header.computesChecksum = true
        header.doNotFragment = true  // that is for whole packets
        let rig = try Rig(header)
        var sent = rig.pass([golden.input], port: 0)[1]
        if header.endpoints.isIPv6 {
            #expect(Set(sent.map(identification)).count == 1)
            sent = sent.map { $0.prefix(58) + [1, 2, 3, 4] + $0.dropFirst(62) }
        }
        #expect(sent == golden.output)
        #expect(rig.terminals == [.txCoreFrames: 3, .outerFragmented: 1])
        #expect(rig.counters[.outerFragments] == 3)
        #expect(rig.counters[.encapsulatedFrames] == 1)
        #expect(rig.view.upstream[5].packets == 1 && rig.view.upstream[5].octets == 300)
        #expect(rig.isBalanced)
        #expect(rig.free == 2_047)
    }

    @Test func givesEachIPv6PacketAnIdentificationOfItsOwn() throws {
        func send() throws -> [[UInt8]] {
            try Rig(header(.ipv6, mtu: 200)).pass((0..<4).map { _ in patternedFrame(ppp: 200) }, port: 0)[1]
        }
        let sent = try send()
        #expect(sent.count == 8)
        #expect(Set(sent.map(identification)).count == 4)
        let others = try send()
        #expect(Set(sent.map(identification)).isDisjoint(with: others.map(identification)), "another start")
    }

    @Test func countsIPv4IdentificationsOncePerPacket() throws {
        let rig = try Rig(header(.ipv4, mtu: 200))
        let sent = rig.pass([patternedFrame(ppp: 300), patternedFrame(ppp: 100), patternedFrame(ppp: 300)], port: 0)[1]
        #expect(sent.map { $0[19] } == [0, 0, 1, 2, 2])
        #expect(sent.map { $0[20] & 0xe0 } == [0x20, 0, 0, 0x20, 0])
    }

    /// Every fragment but the last a multiple of 8 and as long as may be, none longer than the MTU, and together what the packet
    /// is when it is sent whole.
    @Test(arguments: [HeaderKind.ipv4, .ipv6, .offsetPad(255), .ipv6OffsetPad(5), .offsetPadChecksum(1)])
    func cutsEveryLengthAtEveryMTU(kind: HeaderKind) throws {
        var whole = kind.header
        whole.mtu = 9_000
        let isIPv6 = whole.endpoints.isIPv6
        let (ip, start) = (14, isIPv6 ? 62 : 34)
        let lengths = [50, 80, 81, 127, 250, 251, 252, 253, 254, 255, 256, 257, 258, 900, 1_396, 1_499]
        let packets = try Rig(whole).pass(lengths.map { patternedFrame(ppp: $0) }, port: 0)[1]
        #expect(packets.count == lengths.count)
        for mtu in [68, 100, 101, 103, 107, 400, 576, 1_280, 1_281, 1_283, 1_287, 1_400] as [UInt16] {
            let rig = try Rig(header(kind, mtu: mtu))
            for (ppp, expected) in zip(lengths, packets) {
                let sent = rig.pass([patternedFrame(ppp: ppp)], port: 0)[1]
                guard expected.count - 14 > Int(mtu) else {
                    // IPv4 identifications go on alike in both.
                    #expect(sent == [expected], "\(ppp) octets fit \(mtu)")
                    continue
                }
                guard !sent.isEmpty else {
                    let room = Int(mtu) - (isIPv6 ? 48 : 20)
                    let most = 31 * (room & ~7) + room
                    #expect(expected.count - (isIPv6 ? 54 : 34) > most, "\(ppp) octets are too many for \(mtu)")
                    continue
                }
                var data: [UInt8] = []
                for (index, fragment) in sent.enumerated() {
                    let isLast = index == sent.count - 1
                    let word = isIPv6 ? 56 : 20
                    let place = Int(fragment[word]) << 8 | Int(fragment[word + 1])
                    #expect((isIPv6 ? place & ~7 : (place & 0x1fff) * 8) == data.count)
                    #expect((place & (isIPv6 ? 1 : 0x2000) == 0) == isLast)
                    #expect(fragment.count - ip <= Int(mtu))
                    #expect(isLast || fragment.count - ip > Int(mtu) - 8 && (fragment.count - start) % 8 == 0)
                    let length = Int(fragment[isIPv6 ? 18 : 16]) << 8 | Int(fragment[isIPv6 ? 19 : 17])
                    #expect(length == fragment.count - (isIPv6 ? 54 : 14))
                    data += fragment.dropFirst(start)
                }
                #expect(data == Array(expected.dropFirst(isIPv6 ? 54 : 34)), "\(ppp) octets at \(mtu)")
            }
            #expect(rig.isBalanced)
        }
    }

    // 32 fragments of 8 octets hold a UDP datagram of 256 octets, of which 18 stand before the PPP frame.
    @Test(arguments: [(.ipv4, 28, 238), (.ipv6, 56, 238)] as [(HeaderKind, UInt16, Int)])
    func stopsAt32(kind: HeaderKind, mtu: UInt16, ppp: Int) throws {
        let rig = try Rig(header(kind, mtu: mtu))
        #expect(rig.pass([patternedFrame(ppp: ppp)], port: 0)[1].count == 32)
        #expect(rig.pass([patternedFrame(ppp: ppp + 1)], port: 0)[1].isEmpty)
        #expect(rig.terminals == [.txCoreFrames: 32, .outerFragmented: 1, .outerFragmentsTooMany: 1])
        rig.view.templates[15].mtu = mtu - 1
        #expect(rig.pass([patternedFrame(ppp: 40)], port: 0)[1].isEmpty)
        #expect(rig.terminals[.outerFragmentsTooMany] == 2)
        #expect(rig.isBalanced)
    }

    @Test func sendsNothingWhenBuffersAreMissing() throws {
        let rig = try Rig(header(.ipv6, mtu: 300))
        // All but two: the frame's own, and one for the four that it takes beside it.
        var taken = [OpaquePointer?](repeating: nil, count: 2_045)
        #expect(culvert_mbuf_allocate_bulk(rig.ports.pool, &taken, 2_045) == 0)
        #expect(rig.pass([patternedFrame(ppp: 1_100)], port: 0)[1].isEmpty)
        #expect(rig.terminals == [.outerFragmentNoBuffer: 1])
        #expect(rig.free == 2, "none is lost")
        #expect(rig.view.upstream[5].packets == 0 && rig.counters[.encapsulatedFrames] ?? 0 == 0)
        culvert_mbuf_free_bulk(&taken, 2_045)
        #expect(rig.pass([patternedFrame(ppp: 1_100)], port: 0)[1].count == 5)
        #expect(rig.isBalanced)
        #expect(rig.free == 2_047)
    }

    @Test func needsAPortToSendTo() throws {
        var header = header(.ipv4, mtu: 300)
        header.egressPort = 2
        let rig = try Rig(header)
        _ = rig.pass([patternedFrame(ppp: 1_100)], port: 0)
        #expect(rig.terminals == [.egressPortUnknown: 1])
        #expect(rig.free == 2_047)
    }

    @Test func aWholeBurstIsCut() throws {
        let rig = try Rig(header(.ipv4, mtu: 68))
        // Each in 30 fragments of 48 octets; 240 of them fit the ring behind the port.
        let sent = rig.pass((0..<8).map { _ in patternedFrame(ppp: 1_400) }, port: 0)[1]
        #expect(sent.count == 240)
        #expect(rig.counters[.outerFragments] == 240)
        #expect(rig.isBalanced)
        #expect(rig.free == 2_047)
    }
}
