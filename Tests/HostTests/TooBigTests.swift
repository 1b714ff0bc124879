import Host
import Testing
import Wire

@Suite struct TooBigTests {
    static let ipv6Source = IPv6Address("2001:db8:99::1") ?? .unspecified
    static let reply = TooBigReply(ipv6Source: ipv6Source)

    /// A client's long frames: what follows their headers counts up modulo 251, as far as 1,280 octets of frame.
    static let tooLong4 = long(Frames.tooLong4Head, 1_280)
    static let tooLong6 = long(Frames.tooLong6Head, 1_280)

    static func long(_ head: String, _ length: Int) -> [UInt8] {
        let head = bare(head)
        return head + (0..<length - head.count).map { UInt8($0 % 251) }
    }

    /// Octets without Ethernet's padding.
    static func bare(_ hex: String) -> [UInt8] { Array(Frames.octets(hex).prefix(hex.utf8.count / 2)) }

    private func answer(
        _ frame: [UInt8], largest: UInt32, identification: UInt16 = 0x101
    ) -> Result<[UInt8], HostCounter> {
        do throws(HostCounter) {
            return .success(
                try Self.reply.frame(answering: frame, largestPPPFrame: largest, identification: identification))
        } catch { return .failure(error) }
    }

    @Test(
        arguments: [
            (Frames.tooLong4, 152, Frames.answer4), (Frames.tooLong4Compressed, 152, Frames.answer4Compressed),
        ] as [(String, UInt32, String)])
    func answersAClient(hex: String, largest: UInt32, reply: String) {
        #expect(answer(Self.bare(hex), largest: largest) == .success(Self.bare(reply)))
    }

    /// The quotation ends where the answer is 576 octets long (RFC 1812 section 4.3.2.3), or 1,280 (RFC 4443 section 2.4 (c)).
    @Test func boundsTheQuotation() {
        #expect(
            answer(Self.tooLong4, largest: 1_442) == .success(Self.long(Frames.answer4Head, 14 + 6 + 2 + 576)))
        // The cut frame has fewer octets to quote than would fit: 1,280 - 22.
        let full = Self.long(Frames.tooLong6Head, 14 + 6 + 2 + 1_492)
        #expect(answer(full, largest: 1_442) == .success(Self.long(Frames.answer6Head, 14 + 6 + 2 + 1_280)))
        guard case .success(let cut) = answer(Self.tooLong6, largest: 1_442) else {
            Issue.record("no answer to the cut frame")
            return
        }
        #expect(cut.count == 14 + 6 + 2 + 1_280, "1,258 octets were there, 1,232 are quoted")
        guard case .success(let short) = answer(Array(Self.tooLong6.prefix(500)), largest: 1_442) else {
            Issue.record("no answer to the short frame")
            return
        }
        #expect(short.count == 14 + 6 + 2 + 48 + 500 - 22)
        // PPPoE's and IPv6's lengths say so, and the checksum is right over what is there.
        #expect(short[18..<20] == [UInt8((short.count - 20) >> 8), UInt8((short.count - 20) & 255)])
        let length = short.count - 62
        #expect(short[26..<28] == [UInt8(length >> 8), UInt8(length & 255)])
        let pseudo = Array(short[30..<62]) + [0, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 58]
        #expect(onesComplement(pseudo + short[62...]) == 0xffff)
    }

    /// Changes of the client's IPv4 packet, its header's checksum put right.
    @Test(
        arguments: [
            // octet of the IP header (packet of 1,492 octets), new octets, reason
            (6, [0x00, 0x00], HostCounter.tooBigFragmentable), (6, [0x40, 0x01], .tooBigFragment),
            (9, [1], .tooBigIsError), (12, [224, 0, 0, 1], .tooBigSourceInvalid),
            (12, [255, 255, 255, 255], .tooBigSourceInvalid), (12, [0, 0, 0, 0], .tooBigSourceInvalid),
            (12, [127, 0, 0, 1], .tooBigSourceInvalid), (12, [192, 0, 0, 8], .tooBigSourceInvalid),
            (16, [224, 0, 0, 1], .tooBigSourceInvalid), (16, [255, 255, 255, 255], .tooBigSourceInvalid),
            (0, [0x44], .tooBigMalformed), (0, [0x65], .tooBigNotIP), (2, [0x05, 0xa0], .tooBigFits),
            (2, [0x05, 0xd5], .tooBigMalformed), (2, [0x00, 0x13], .tooBigMalformed),
        ] as [(Int, [UInt8], HostCounter)])
    func refusesIPv4(offset: Int, octets: [UInt8], reason: HostCounter) {
        var frame = Self.tooLong4
        frame.replaceSubrange(22 + offset..<22 + offset + octets.count, with: octets)
        // An ICMP message of type 3 for UDP's source port.
        frame[42] = 3
        frame.replaceSubrange(32..<34, with: [0, 0])
        let sum = onesComplement(Array(frame[22..<42]))
        frame.replaceSubrange(32..<34, with: [UInt8(~sum >> 8 & 0xff), UInt8(~sum & 0xff)])
        #expect(answer(frame, largest: 1_442) == .failure(reason))
    }

    @Test(
        arguments: [
            // octet of the IPv6 header, new octets, reason
            (6, [58, 64], HostCounter.tooBigIsError), (8, [0xff, 0x02], .tooBigSourceInvalid),
            (8, [0x20, 0x01, 0x0d, 0xb8, 0x00, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], .tooBigSourceInvalid),
            (0, [0x45], .tooBigNotIP), (4, [0x05, 0x78], .tooBigFits), (4, [0x05, 0xad], .tooBigMalformed),
            (6, [44], .tooBigFragment), (6, [0], .tooBigIsError),
        ] as [(Int, [UInt8], HostCounter)])
    func refusesIPv6(offset: Int, octets: [UInt8], reason: HostCounter) {
        var frame = Self.tooLong6
        frame.replaceSubrange(22 + offset..<22 + offset + octets.count, with: octets)
        // An ICMPv6 message of type 1, or a fragment header of an offset that is not 0, or a header beyond the end.
        frame[62] = 1
        frame[63] = 255
        #expect(answer(frame, largest: 1_442) == .failure(reason))
    }

    @Test func answersWhoSendsToAnIPv6Group() {
        var frame = Self.tooLong6
        frame.replaceSubrange(46..<48, with: [0xff, 0x0e])
        #expect((try? answer(frame, largest: 1_442).get()) != nil)
    }

    /// A wrong header checksum, and MTUs that no host would believe.
    @Test func refusesWhatHelpsNobody() {
        #expect(answer(Self.tooLong4.patched(32, [0, 0]), largest: 1_442) == .failure(.tooBigMalformed))
        #expect(answer(Self.tooLong4, largest: 69) == .failure(.tooBigBelowMinimum))
        #expect((try? answer(Self.tooLong4, largest: 70).get()) != nil)
        #expect(answer(Self.tooLong4, largest: 0) == .failure(.tooBigBelowMinimum))
        #expect(answer(Self.tooLong4, largest: .max) == .failure(.tooBigFits))
        #expect(answer(Self.tooLong6, largest: 1_281) == .failure(.tooBigBelowMinimum))
        #expect((try? answer(Self.tooLong6, largest: 1_282).get()) != nil)
    }

    @Test(arguments: [
        // octet of the frame, value: group sender, type, PPPoE version, code, length 0, protocols
        (6, 1 as UInt8, HostCounter.tooBigMalformed), (0, 1, .tooBigMalformed), (13, 0x63, .tooBigMalformed),
        (14, 0x12, .tooBigMalformed), (15, 9, .tooBigMalformed), (21, 0x57, .tooBigNotIP), (20, 0xc0, .tooBigNotIP),
        (18, 0, .tooBigMalformed),
    ])
    func refusesOtherFrames(offset: Int, value: UInt8, reason: HostCounter) {
        #expect(answer(Self.tooLong4.patched(offset, [value]), largest: 1_442) == .failure(reason))
    }

    /// Cut after any octet, a frame is answered or refused, and never answered by more than it had.
    @Test func survivesCuts() {
        for frame in [Self.tooLong4, Self.tooLong6, Self.bare(Frames.tooLong4)] {
            for length in 0...frame.count {
                guard case .success(let reply) = answer(Array(frame.prefix(length)), largest: 152 + 1_290) else {
                    continue
                }
                #expect(reply.count <= max(60, length + 48))
            }
        }
        #expect(answer(Array(Self.tooLong4.prefix(42)), largest: 1_442) != .failure(.tooBigMalformed))
        #expect(answer(Array(Self.tooLong4.prefix(41)), largest: 1_442) == .failure(.tooBigMalformed))
        #expect(answer(Array(Self.tooLong6.prefix(62)), largest: 1_442) != .failure(.tooBigMalformed))
        #expect(answer(Array(Self.tooLong6.prefix(61)), largest: 1_442) == .failure(.tooBigMalformed))
    }

    /// The node chooses its own addresses, counts, and keeps a rate.
    @Test func theNodeAnswers() {
        var limits = HostStack.Limits()
        limits.tooBigReplies = 3
        var node = Node6(limits: limits)
        #expect(
            node.stack.answerTooBig(Self.bare(Frames.tooLong4), largestPPPFrame: 152, port: 5, at: .zero).count == 1)
        // Port 0 has no addresses: 192.0.0.8 and the node's global address.
        let full = Self.long(Frames.tooLong6Head, 14 + 6 + 2 + 1_492)
        let expected = HostOutput.transmit(frame: Self.long(Frames.answer6Head, 14 + 6 + 2 + 1_280), port: 0)
        #expect(node.stack.answerTooBig(full, largestPPPFrame: 1_442, port: 0, at: .zero) == [expected])
        #expect(node.stack.answerTooBig([1, 2, 3], largestPPPFrame: 1_442, port: 0, at: .zero).isEmpty)
        #expect(node.stack.answerTooBig(full, largestPPPFrame: 1_442, port: 0, at: .zero).isEmpty)
        #expect(
            node.stack.counters.nonzero == [.tooBigAnswered: 2, .tooBigMalformed: 1, .tooBigLimited: 1])
        #expect(node.stack.answerTooBig(full, largestPPPFrame: 1_442, port: 0, at: .at(seconds: 1)) == [expected])
    }

    @Test func theNodeNamesItsAddressOnThePort() {
        var node = Node6()
        let frame = Self.bare(Frames.tooLong4Compressed)
        for (port, source) in [(0, "192.0.0.8"), (3, "10.99.0.1"), (5, "10.98.0.1")] as [(UInt16, String)] {
            guard
                case .transmit(let reply, port)? = node.stack.answerTooBig(
                    frame, largestPPPFrame: 152, port: port, at: .zero
                ).first
            else {
                Issue.record("no answer by port \(port)")
                continue
            }
            #expect(IPv4Address(reply[34..<38]).map(IPAddress.v4) == Node.address(source))
            #expect(onesComplement(Array(reply[22..<42])) == 0xffff)
        }
        // A node without a global IPv6 address says its link-local one.
        var bare = Node()
        let long = Self.long(Frames.tooLong6Head, 1_280)
        guard
            case .transmit(let reply, 3)? = bare.stack.answerTooBig(
                long, largestPPPFrame: 1_442, port: 3, at: .zero
            ).first
        else {
            Issue.record("no answer")
            return
        }
        #expect(IPv6Address(reply[30..<46])?.description == "fe80::ff:fe00:1")
    }
}
