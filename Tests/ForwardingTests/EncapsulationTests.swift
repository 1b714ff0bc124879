import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire
import Worker

extension ForwardingTests {
    /// Tunnels over IPv6, offset pads, UDP checksums by ports, and frames that are too long.
    @Suite(.serialized) struct EncapsulationTests {}
}

extension ForwardingTests.EncapsulationTests {
    @Test(arguments: EncapsulationGolden.upstream) func encapsulates(golden: EncapsulationGolden) throws {
        let rig = try Rig(golden.kind.header)
        let sent = rig.pass([golden.input], port: 0)
        #expect(sent == [[], [golden.output]])
        #expect(rig.terminals == [.txCoreFrames: 1])
        #expect(rig.counters[.encapsulatedOctets] == UInt64(golden.input.count - 20))
        #expect(rig.view.upstream[5].packets == 1)
        #expect(rig.view.upstream[5].octets == UInt64(golden.input.count - 20))
    }

    @Test(arguments: EncapsulationGolden.downstream) func decapsulates(golden: EncapsulationGolden) throws {
        let rig = try Rig(golden.kind.header)
        let sent = rig.pass([golden.input], port: 1)
        #expect(sent == [[golden.output], []])
        #expect(rig.terminals == [.txAccessFrames: 1])
        #expect(rig.view.downstream[9].octets == UInt64(golden.output.count - 20))
    }

    @Test(arguments: [(0, HeaderKind.ipv6), (1, .ipv4)]) func writesSequenceNumbersBeforeThePad(
        index: Int, kind: HeaderKind
    ) throws {
        var header = kind.header
        header.offsetPad = 2
        let rig = try Rig(header)
        rig.view.upstream[5].features = UInt8(CULVERT_FEATURE_SEQUENCED)
        rig.view.upstream[5].partner = 9
        rig.view.upstreamFeatures[5].sequence = 0x0102
        rig.view.downstreamFeatures[9].sequence = 0x0304
        #expect(rig.pass([Golden.upstream[0].input], port: 0)[1] == [EncapsulationGolden.withOptions[index]])
        #expect(rig.view.upstreamFeatures[5].sequence == 0x0103)
    }

    @Test(arguments: IPv6Fate.all) func endsWhereItShould(fate: IPv6Fate) throws {
        let rig = try Rig(HeaderKind.ipv6.header)
        #expect(rig.pass([fate.frame], port: 1) == [[], []])
        #expect(rig.terminals == [fate.end: 1])
        let punts = rig.takePunts()
        #expect(punts.map(\.frame) == (fate.end.name.hasPrefix("punted") ? [fate.frame] : []))
        #expect(rig.free == 2_047)
    }

    @Test func refusesASecondFragmentHeader() throws {
        let rig = try Rig(HeaderKind.ipv6.header)
        #expect(rig.pass([IPv6Fate.twoFragmentHeaders], port: 1) == [[], []])
        #expect(rig.terminals == [.reassembledFragments: 1, .ipv6ExtensionHeader: 1])
        #expect(rig.isBalanced)
    }

    @Test func takesBothFamiliesInOneBurst() throws {
        // The tunnel is over IPv6; what comes over IPv4 is of the wrong peer, and neither overwrites the other in the lists.
        let rig = try Rig(HeaderKind.ipv6.header)
        let right = EncapsulationGolden.downstream[0]
        let burst = (0..<32).map { $0 % 2 == 0 ? right.input : Golden.downstream[8].input }
        #expect(rig.pass(burst, port: 1)[0] == [[UInt8]](repeating: right.output, count: 16))
        #expect(rig.terminals == [.txAccessFrames: 16, .l2tpPeerMismatch: 16])
        let six = [[UInt8]](repeating: right.input, count: 32)
        #expect(rig.pass(six, port: 1)[0].count == 32)
    }

    @Test func keepsTheOrderOfASessionOverIPv6() throws {
        let rig = try Rig(HeaderKind.ipv6ZeroChecksum.header)
        let frames = (0..<100).map { number in
            var frame = EncapsulationGolden.withoutChecksum
            frame[frame.count - 1] = UInt8(number)
            return frame
        }
        #expect(rig.pass(frames, port: 1)[0].map(\.last) == (0..<100).map { UInt8($0) })
    }

    // RFC 6935: only where the tunnel says so.
    @Test(arguments: [(HeaderKind.ipv6ZeroChecksum, Counter.txAccessFrames), (.ipv6, .udpChecksumMissing)])
    func goesWithoutAChecksumWhereItMay(kind: HeaderKind, end: Counter) throws {
        let rig = try Rig(kind.header)
        _ = rig.pass([EncapsulationGolden.withoutChecksum], port: 1)
        #expect(rig.terminals == [end: 1])
        rig.view.tunnels[7].state = UInt32(CULVERT_STATE_RETIRED)
        _ = rig.pass([EncapsulationGolden.withoutChecksum], port: 1)
        #expect(rig.counters[.udpChecksumMissing] == (end == .udpChecksumMissing ? 2 : 1))
    }

    @Test func takesAnyOffsetPadThatFits() throws {
        let rig = try Rig()
        let sent = rig.pass(EncapsulationGolden.longPads, port: 1)
        #expect(sent[0] == [Golden.downstream[0].output])
        #expect(rig.terminals == [.txAccessFrames: 1, .l2tpOffset: 1])
    }

    // 58 octets go in front of the PPP frame over IPv6, and 38 over IPv4; 4 of Ns and Nr, 2 and the pad.
    @Test(arguments: [
        (HeaderKind.ipv6, 1_442), (.ipv6OffsetPad(10), 1_430), (.offsetPad(0), 1_460), (.offsetPad(255), 1_205),
        (.ipv4, 1_462),
    ])
    func holdsTheTunnelsMTU(kind: HeaderKind, fits: Int) throws {
        let rig = try Rig(kind.header)
        let sent = rig.pass([patternedFrame(ppp: fits), patternedFrame(ppp: fits + 1)], port: 0)[1]
        #expect(sent.map(\.count) == [1_514])
        #expect(sent.first?.suffix(fits - 2) == patternedFrame(ppp: fits).suffix(fits - 2))
        #expect(rig.terminals == [.txCoreFrames: 1, .outerMTUExceeded: 1])
    }

    @Test(arguments: [(HeaderKind.ipv6, 1_442), (.offsetPad(9), 1_451)] as [(HeaderKind, UInt16)])
    func tellsInside(kind: HeaderKind, largest: UInt16) throws {
        var header = kind.header
        header.tellsInside = true
        let rig = try Rig(header)
        let long = patternedFrame(ppp: Int(largest) + 1)
        #expect(rig.pass([long, patternedFrame(ppp: Int(largest))], port: 0)[1].count == 1)
        #expect(rig.terminals == [.puntedTooBig: 1, .txCoreFrames: 1])
        let punts = rig.takePunts()
        #expect(punts.map(\.frame) == [Array(long.prefix(1_280))])
        #expect(punts.first?.note.punt == .tooBig)
        #expect(punts.first?.note.slot == 5)
        #expect(punts.first?.note.detail == largest)
        #expect(punts.first?.note.port == 0)
        #expect(rig.view.upstream[5].packets == 1, "only what was sent counts")
        rig.view.templates[15].mtu = 30
        _ = rig.pass([patternedFrame(ppp: 4)], port: 0)
        #expect(rig.takePunts().map(\.note.detail) == [0])
    }

    @Test func carriesTheDetailToTheControlPlane() throws {
        var header = HeaderKind.ipv4.header
        header.tellsInside = true
        header.mtu = 138
        let rig = try Rig(header)
        _ = rig.pass([patternedFrame(ppp: 200)], port: 0)
        var exchange = Exchange(view: rig.view, workers: [rig.worker], devices: [])
        defer { exchange.deallocate() }
        #expect(exchange.iterate() == 1)
        var consumer = FrameRingConsumer(rig.view.puntRing, mask: rig.view.frameRingMask)
        let taken: (descriptor: FrameDescriptor, bytes: [UInt8])? = consumer.take()
        let descriptor = try #require(taken?.descriptor)
        #expect(descriptor.detail == 100 && descriptor.upstreamSlot == 5 && descriptor.length == 220)
        #expect(rig.free == 2_047)
    }

    @Test func movesThePayloadForALongPadOrDropsIt() throws {
        var header = HeaderKind.offsetPad(255).header
        header.mtu = 9_000
        let rig = try Rig(header)
        // 148 octets lie before the PPP frame and 349 are wanted; 2,176 octets of buffer leave 201 behind one of 1,827.
        for (ppp, end) in [(1_827, Counter.txCoreFrames), (1_828, .headroomShort)] {
            let before = rig.counters[end] ?? 0
            _ = rig.pass([patternedFrame(ppp: ppp)], port: 0)
            #expect((rig.counters[end] ?? 0) == before + 1, "\(ppp)")
        }
        #expect(rig.free == 2_047)
    }

    /// Upstream through a forwarder whose ports fill in UDP checksums: the frame, offload flags and header lengths.
    private func offloaded(
        _ header: OuterHeader, _ input: [UInt8]
    ) throws -> [(frame: [UInt8], flags: UInt64, l2: UInt32, l3: UInt32)] {
        let rig = try Rig(header)
        let forwarder = try Forwarder(
            view: rig.view,
            ports: [accessMAC, coreMAC].map { ForwardingPort(mac: $0, mtu: 1_500, computesUDPChecksum: true) },
            worker: 0, workers: 1, limits: PuntLimits(all: 0), cyclesPerSecond: 1_000_000_000)
        defer { forwarder.deallocate() }
        rig.send(input, port: 0)
        var mbuf: OpaquePointer?
        #expect(culvert_ring_dequeue(rig.ports.receive[0], &mbuf, 1) == 1)
        forwarder.receive(&mbuf, count: 1, port: 0)
        defer { forwarder.transmit.removeAll(1) }
        return (0..<forwarder.transmit.count(1)).compactMap { forwarder.transmit.frames(1)[$0] }.map { mbuf in
            defer { culvert_mbuf_free(mbuf) }
            return (
                PacketBuffer(mbuf).contents, culvert_mbuf_offload_flags(mbuf), culvert_mbuf_l2_length(mbuf),
                culvert_mbuf_l3_length(mbuf)
            )
        }
    }

    // What is in the checksum's place is the sum over the pseudo header alone.
    @Test(
        arguments: [
            (.ipv4, Golden.upstream[6].output, 40, 0xec7e, 20),
            (.ipv6, EncapsulationGolden.upstream[0].output, 60, 0x5fc2, 40),
        ] as [(HeaderKind, [UInt8], Int, UInt16, UInt32)])
    func leavesUDPChecksumsToThePort(
        kind: HeaderKind, golden: [UInt8], offset: Int, pseudo: UInt16, l3: UInt32
    ) throws {
        var header = kind.header
        header.computesChecksum = true
        let sent = try #require(try offloaded(header, Golden.upstream[0].input).first)
        var expected = golden
        (expected[offset], expected[offset + 1]) = (UInt8(pseudo >> 8), UInt8(pseudo & 255))
        #expect(sent.frame == expected)
        #expect(sent.flags == CULVERT_TX_UDP_CHECKSUM | (l3 == 20 ? CULVERT_TX_IPV4 : CULVERT_TX_IPV6))
        #expect(sent.l2 == 14 && sent.l3 == l3)
        header.computesChecksum = false
        #expect(try offloaded(header, Golden.upstream[0].input).first?.flags == 0)
    }

    @Test(arguments: FragmentsGolden.upstream) func computesChecksumsOfFragmentsHere(golden: FragmentsGolden) throws {
        var header = golden.kind.header
        (header.mtu, header.fragments, header.computesChecksum) = (golden.mtu, true, true)
        let sent = try offloaded(header, golden.input)
        #expect(sent.map(\.flags) == [0, 0, 0])
        #expect(sent.first?.frame.suffix(20) == golden.output.first?.suffix(20))
    }
}
