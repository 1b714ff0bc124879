import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire

extension ForwardingTests {
    /// Fragments through a forwarder.
    @Suite(.serialized) struct ReassemblyTests {
        @Test(arguments: FragmentGolden.ipv4) func joinsGoldenFragments(golden: FragmentGolden) throws {
            try join(golden, isOverIPv6: false)
        }

        @Test(arguments: FragmentGolden.ipv6) func joinsGoldenFragmentsOverIPv6(golden: FragmentGolden) throws {
            try join(golden, isOverIPv6: true)
        }

        private func join(_ golden: FragmentGolden, isOverIPv6: Bool) throws {
            let count = golden.fragments.count
            let orders = count <= 5 ? permutations(count) : [Array(0..<count), (0..<count).reversed()]
            for order in orders {
                let fragments = try FragmentRig(isOverIPv6: isOverIPv6)
                fragments.receive(order.map { golden.fragments[$0] })
                let (sent, punts) = (fragments.sent(), fragments.punts())
                var terminals: [Counter: UInt64] = [.reassembledFragments: UInt64(count)]
                switch golden.end {
                case .sent:
                    #expect(sent == [golden.output])
                    terminals[.txAccessFrames] = 1
                case .punted(let punt):
                    #expect(punts.map(\.0) == [punt] && punts.map(\.1) == [golden.output])
                    terminals[.punted(punt)] = 1
                case .dropped(let reason):
                    terminals[reason] = 1
                }
                #expect(fragments.terminals() == terminals)
                #expect(fragments.counters()[.reassembledDatagrams] == 1)
                #expect(fragments.isBalanced() && fragments.buffersOut == 0)
            }
        }

        /// Without what comes before and after: a fragment in, the whole frame out.
        @Test(arguments: FragmentGolden.ipv6) func joinsGoldenIPv6Fragments(golden: FragmentGolden) throws {
            for order in permutations(golden.fragments.count) {
                let fragments = try FragmentRig()
                for (arrived, index) in order.enumerated() {
                    #expect(fragments.forwarders[0].heldFragments == arrived)
                    let whole = fragments.takeIPv6(golden.fragments[index])
                    guard arrived == order.count - 1 else {
                        #expect(whole == nil)
                        continue
                    }
                    #expect(whole == golden.whole)
                }
                #expect(fragments.terminals() == [.reassembledFragments: UInt64(order.count)])
                #expect(fragments.counters()[.reassembledDatagrams] == 1)
                #expect(fragments.buffersOut == 0)
            }
        }

        @Test func judgesIPv6FragmentsByTheirOwnRules() throws {
            // Next headers may differ (RFC 8200, section 4.5), the first one's counts; an atomic fragment meets no others.
            let golden = FragmentGolden.ipv6[0]
            let fragments = try FragmentRig()
            var last = golden.fragments[golden.fragments.count - 1]
            last[54] = 99
            let parts = golden.fragments.dropLast()
            for part in parts { #expect(fragments.takeIPv6(part) == nil) }
            var atomic = golden.fragments[0]
            (atomic[56], atomic[57]) = (0, 0)
            #expect(fragments.takeIPv6(atomic + [1, 2, 3])?.count == atomic.count - 8)
            #expect(fragments.forwarders[0].heldFragments == parts.count)
            #expect(fragments.takeIPv6(last) == golden.whole)
            // The same again with a last one that starts inside of the others.
            for part in parts { #expect(fragments.takeIPv6(part) == nil) }
            let end = golden.fragments[golden.fragments.count - 1]
            var overlapping = end
            let offset = Int(end[56]) << 8 + Int(end[57]) - 8
            (overlapping[56], overlapping[57]) = (UInt8(offset >> 8), UInt8(offset & 255))
            #expect(fragments.takeIPv6(overlapping) == nil)
            #expect(fragments.takeIPv6(end) == nil)
            let total = UInt64(golden.fragments.count)
            #expect(
                fragments.terminals() == [.reassembledFragments: total + 1, .fragmentOverlap: total + 1])
            #expect(fragments.takeIPv6(Array(end.prefix(61))) == nil)
            #expect(fragments.terminals()[.fragmentMalformed] == 1)
            #expect(fragments.forwarders[0].heldFragments == 0 && fragments.buffersOut == 0)
        }

        @Test(arguments: 2...5) func joinsInEveryOrder(count: Int) throws {
            let datagram = Datagram(ppp: 600)
            let parts = datagram.fragments((1..<count).map { $0 * 96 })
            let fragments = try FragmentRig()
            for (number, order) in permutations(count).enumerated() {
                for (arrived, index) in order.enumerated() {
                    #expect(fragments.forwarders[0].heldFragments == arrived)
                    fragments.receive([parts[index]])
                }
                #expect(fragments.sent() == [datagram.output])
                #expect(
                    fragments.terminals() == [
                        .reassembledFragments: UInt64(count * (number + 1)), .txAccessFrames: UInt64(number + 1),
                    ])
                #expect(fragments.isBalanced() && fragments.buffersOut == 0)
            }
        }

        @Test func toleratesDuplicates() throws {
            let datagram = Datagram(ppp: 600)
            let parts = datagram.fragments([96, 192, 288])
            for order in permutations(4) {
                // Each fragment that is there once more, at each time before the datagram is whole.
                for time in 1..<4 {
                    for repeated in order.prefix(time) {
                        let fragments = try FragmentRig()
                        fragments.receive(order.prefix(time).map { parts[$0] })
                        fragments.receive([parts[repeated]])
                        fragments.receive(order.dropFirst(time).map { parts[$0] })
                        #expect(fragments.sent() == [datagram.output])
                        #expect(
                            fragments.terminals() == [
                                .fragmentDuplicate: 1, .reassembledFragments: 4, .txAccessFrames: 1,
                            ])
                        #expect(fragments.buffersOut == 0)
                    }
                }
            }
        }

        /// Two pieces of one datagram that cannot both be right.
        struct Contradiction: CustomTestStringConvertible, Sendable {
            typealias Piece = (offset: Int, length: Int, more: Bool)
            let name: String
            let first: Piece
            let second: Piece
            var testDescription: String { name }

            init(_ name: String, _ first: Piece, _ second: Piece) {
                (self.name, self.first, self.second) = (name, first, second)
            }
        }

        static let contradictions: [Contradiction] = [
            .init("teardrop: inside of the other", (0, 96, true), (24, 8, false)),
            .init("from inside of the other on", (0, 96, true), (88, 96, true)),
            .init("into the other", (96, 96, true), (16, 88, true)),
            .init("around the other", (96, 96, true), (88, 112, true)),
            .init("same start, longer", (96, 96, true), (96, 104, true)),
            .init("same start, shorter", (96, 96, true), (96, 88, true)),
            .init("same end, later start", (96, 96, true), (104, 88, true)),
            .init("all of it in one, not the last", (0, 96, true), (0, 192, true)),
            .init("the same, but the last", (96, 96, true), (96, 96, false)),
            .init("the last, but not the last any more", (96, 96, false), (96, 96, true)),
            .init("another end behind the end", (96, 96, false), (200, 96, false)),
            .init("another end in front of the end", (200, 96, false), (96, 96, false)),
            .init("more behind the end", (96, 96, false), (192, 96, true)),
            .init("end in front of more", (192, 96, true), (96, 96, false)),
            .init("one octet beyond the end", (96, 95, false), (96, 96, true)),
        ]

        @Test(arguments: contradictions) func dropsWhatContradictsItself(pieces: Contradiction) throws {
            let datagram = Datagram(ppp: 600)
            let whole = datagram.fragments([96, 192, 288])
            for (first, second) in [(pieces.first, pieces.second), (pieces.second, pieces.first)] {
                let fragments = try FragmentRig()
                fragments.receive([datagram.fragment(first.offset, first.length, more: first.more)])
                #expect(fragments.forwarders[0].heldFragments == 1)
                fragments.receive([datagram.fragment(second.offset, second.length, more: second.more)])
                #expect(fragments.terminals() == [.fragmentOverlap: 2])
                #expect(fragments.buffersOut == 0)
                // RFC 5722: what still comes of it goes the same way, until its time is over.
                fragments.receive(whole)
                #expect(fragments.terminals() == [.fragmentOverlap: 6])
                fragments.now += 2 * FragmentRig.cyclesPerSecond
                fragments.forwarders[0].expire()
                fragments.receive(whole)
                #expect(fragments.sent() == [datagram.output])
                #expect(
                    fragments.terminals() == [.fragmentOverlap: 6, .reassembledFragments: 4, .txAccessFrames: 1])
                #expect(fragments.isBalanced() && fragments.buffersOut == 0)
            }
        }

        /// A fragment of which nothing can become anything.
        @Test(
            arguments: [
                ("empty and first", 0, 0, true, Counter.fragmentMalformed),
                ("empty and last", 96, 0, false, .fragmentMalformed),
                ("no multiple of 8", 0, 95, true, .fragmentMalformed),
                ("no multiple of 8 and later", 96, 97, true, .fragmentMalformed),
                ("ping of death", 65_528, 1_000, false, .fragmentTooLong),
                ("one octet too long", 65_512, 4, false, .fragmentTooLong),
                ("too long with more to come", 65_512, 8, true, .fragmentTooLong),
                ("first with nothing but ports", 0, 8, true, .fragmentTiny),
                ("second that could be the header", 8, 96, true, .fragmentTiny),
                ("last that could be the header", 8, 5, false, .fragmentTiny),
            ] as [(String, Int, Int, Bool, Counter)])
        func dropsWhatIsWrongInItself(name: String, offset: Int, length: Int, more: Bool, reason: Counter) throws {
            let fragments = try FragmentRig()
            let data = [UInt8](repeating: 7, count: length)
            fragments.receive([ipv4Fragment(data, at: offset, more: more)])
            #expect(fragments.terminals() == [reason: 1])
            #expect(fragments.forwarders[0].heldFragments == 0 && fragments.buffersOut == 0)
        }

        @Test func acceptsTheLongestDatagram() throws {
            let fragments = try FragmentRig()
            fragments.receive([ipv4Fragment([1, 2, 3], at: 65_512, more: false)])
            #expect(fragments.terminals().isEmpty && fragments.forwarders[0].heldFragments == 1)
        }

        @Test func countsTheFirstFragmentsOptions() throws {
            // 65,512 octets fit behind a header of 20 octets, not behind one of 60.
            let data = [UInt8](repeating: 0, count: 65_512)
            for (options, fits) in [(0, true), (40, false)] {
                let fragments = try FragmentRig()
                let cuts = Array(stride(from: 1_400, to: 65_512, by: 1_400)) + [65_512]
                let parts = zip([0] + cuts, cuts).map { start, end in
                    ipv4Fragment(
                        Array(data[start..<end]), at: start, more: end != 65_512, options: start == 0 ? options : 0,
                        payloadProtocol: 1)
                }
                fragments.receive(parts)
                let count = UInt64(parts.count)
                #expect(
                    fragments.terminals()
                        == (fits ? [.reassembledFragments: count, .puntTooLong: 1] : [.fragmentTooLong: count]))
                #expect(fragments.isBalanced() && fragments.buffersOut == 0)
            }
        }

        @Test func boundsTheNumberOfPieces() throws {
            let datagram = Datagram(ppp: 2_000)
            let parts = datagram.fragments((1...64).map { $0 * 16 })
            let fragments = try FragmentRig()
            fragments.receive(Array(parts.prefix(64)))
            #expect(fragments.forwarders[0].heldFragments == 64)
            fragments.receive([parts[64], parts[0]])
            #expect(fragments.terminals() == [.fragmentsTooMany: 66])
            #expect(fragments.isBalanced() && fragments.buffersOut == 0)
        }

        @Test func joinsAsManyPiecesAsItMay() throws {
            let fragments = try FragmentRig(accessMTU: 9_000)
            let datagram = Datagram(ppp: 1_800)
            fragments.receive(datagram.fragments((1...63).map { $0 * 16 }).reversed())
            #expect(fragments.sent() == [datagram.output])
            #expect(fragments.terminals() == [.reassembledFragments: 64, .txAccessFrames: 1])
        }

        @Test func keepsDatagramsApart() throws {
            // Same identification from another sender, to another address, of another protocol; another identification.
            let fragments = try FragmentRig()
            fragments.rig.view.ports[1].address_count = 2
            fragments.rig.view.ports[1].local_ipv4.1 = IPv4Address(value: 0xc000_0202).value.bigEndian
            let datagram = Datagram(ppp: 600)
            let parts = datagram.fragments([96])
            fragments.receive([parts[0]])
            fragments.receive([datagram.fragments([96], source: IPv4Address(value: 0xc633_6402))[1]])
            fragments.receive([datagram.fragments([96], id: 0x4243)[1]])
            fragments.receive([ipv4Fragment(Array(datagram.payload[96...]), at: 96, more: false, payloadProtocol: 1)])
            var other = parts[1]
            other[33] = 2
            let sum = checksum(Array(other[14..<24]) + [0, 0] + Array(other[26..<34]))
            (other[24], other[25]) = (UInt8(sum >> 8), UInt8(sum & 255))
            fragments.receive([other])
            #expect(fragments.terminals().isEmpty && fragments.forwarders[0].heldFragments == 5)
            fragments.receive([parts[1]])
            #expect(fragments.sent() == [datagram.output])
            #expect(fragments.forwarders[0].heldFragments == 4)
        }

        @Test func givesUpInTime() throws {
            let fragments = try FragmentRig()
            let datagram = Datagram(ppp: 600)
            let parts = datagram.fragments([96, 192])
            fragments.receive([parts[0]])
            fragments.now += FragmentRig.cyclesPerSecond
            fragments.receive([parts[1]])
            fragments.now += FragmentRig.cyclesPerSecond - 1
            fragments.forwarders[0].expire()
            #expect(fragments.forwarders[0].heldFragments == 2)
            fragments.now += 1
            fragments.forwarders[0].expire()
            #expect(fragments.terminals() == [.fragmentTimeout: 2])
            #expect(fragments.forwarders[0].heldFragments == 0 && fragments.buffersOut == 0)
            // The rest of it is the start of another; and what is overdue does not count, even before a round has said so.
            fragments.receive([parts[2]])
            fragments.now += 2 * FragmentRig.cyclesPerSecond
            fragments.receive(parts)
            #expect(fragments.sent() == [datagram.output])
            #expect(
                fragments.terminals() == [.fragmentTimeout: 3, .reassembledFragments: 3, .txAccessFrames: 1])
            #expect(fragments.isBalanced() && fragments.buffersOut == 0)
        }

        @Test func givesUpALittleAtATime() throws {
            let fragments = try FragmentRig(datagrams: 200)
            let datagram = Datagram(ppp: 600)
            fragments.receive((0..<150).map { datagram.fragment(0, 96, more: true, id: $0) })
            fragments.now += 2 * FragmentRig.cyclesPerSecond
            for expected in [86, 22, 0] {
                fragments.forwarders[0].expire()
                #expect(fragments.forwarders[0].heldFragments == expected)
            }
        }

        @Test func evictsTheOldestDatagram() throws {
            let fragments = try FragmentRig(datagrams: 16)
            let datagram = Datagram(ppp: 600)
            let sources = (0..<18).map { IPv4Address(value: 0x0a00_0000 + UInt32($0)) }
            for source in sources.prefix(16) {
                fragments.receive([datagram.fragment(0, 96, more: true, source: source)])
            }
            fragments.receive([datagram.fragment(96, 96, more: true, source: sources[0])])
            #expect(fragments.terminals().isEmpty && fragments.forwarders[0].heldFragments == 17)
            fragments.receive([datagram.fragment(0, 96, more: true, source: sources[16])])
            #expect(fragments.terminals() == [.fragmentEvicted: 2])
            fragments.receive([datagram.fragment(0, 96, more: true, source: sources[17])])
            #expect(fragments.terminals() == [.fragmentEvicted: 3])
            #expect(fragments.isBalanced() && fragments.forwarders[0].heldFragments == 16)
        }

        @Test func evictsForRoomForFragments() throws {
            let fragments = try FragmentRig(datagrams: 64, fragments: 256)
            let datagram = Datagram(ppp: 2_000)
            // Five datagrams of four senders: 5 x 50 and then 6 fragments fill it; the next one takes the oldest's 50.
            for number in 0..<5 {
                let source = IPv4Address(value: 0x0a00_0000 + UInt32(number))
                fragments.receive((0..<50).map { datagram.fragment($0 * 16, 16, more: true, source: source) })
            }
            let source = IPv4Address(value: 0x0a00_0009)
            fragments.receive((0..<6).map { datagram.fragment($0 * 16, 16, more: true, source: source) })
            #expect(fragments.terminals().isEmpty && fragments.forwarders[0].heldFragments == 256)
            fragments.receive([datagram.fragment(96, 16, more: true, source: source)])
            #expect(fragments.terminals() == [.fragmentEvicted: 50])
            #expect(fragments.isBalanced() && fragments.forwarders[0].heldFragments == 207)
        }

        @Test func evictsADatagramForItsOwnFragment() throws {
            // One sender has all the room: its oldest datagram gives way, although the fragment is one of that.
            let fragments = try FragmentRig(datagrams: 64, fragments: 256)
            let datagram = Datagram(ppp: 2_000)
            for id in 0..<4 {
                fragments.receive((0..<63).map { datagram.fragment($0 * 16, 16, more: true, id: id) })
            }
            fragments.receive((0..<4).map { datagram.fragment($0 * 16, 16, more: true, id: 4) })
            #expect(fragments.terminals().isEmpty && fragments.forwarders[0].heldFragments == 256)
            fragments.receive([datagram.fragment(63 * 16, 16, more: true, id: 0)])
            #expect(fragments.terminals() == [.fragmentEvicted: 64])
            #expect(fragments.isBalanced() && fragments.forwarders[0].heldFragments == 193)
        }

        @Test(arguments: [1, 8, 64]) func survivesAFloodFromOneSender(pieces: Int) throws {
            // Datagrams of the peer, each 500 fragments of a flood apart in a table for 64: all of them get through.
            let fragments = try FragmentRig(datagrams: 64, fragments: 512)
            let attacker = IPv4Address(value: 0x0a00_0001)
            let junk = Datagram(ppp: 1_400)
            var flooded = 0
            func flood() {
                fragments.receive(
                    (0..<500).map { _ in
                        flooded += 1
                        let (id, piece) = (flooded / pieces, flooded % pieces)
                        return junk.fragment(piece * 16, 16, more: true, id: id & 0xffff, source: attacker)
                    })
            }
            flood()
            for number in 0..<100 {
                let datagram = Datagram(ppp: 1_000, seed: number)
                let parts = datagram.fragments([504], id: number)
                fragments.receive([parts[number & 1]])
                flood()
                fragments.receive([parts[1 - number & 1]])
                #expect(fragments.sent() == [datagram.output])
            }
            let terminals = fragments.terminals()
            #expect(terminals[.txAccessFrames] == 100 && terminals[.reassembledFragments] == 200)
            #expect(terminals[.fragmentEvicted] ?? 0 > 40_000)
            #expect(fragments.isBalanced() && fragments.forwarders[0].heldFragments <= 512)
        }

        @Test func survivesAFloodFromEverywhere() throws {
            // With as many senders as fragments nobody has a share: the oldest go, and what comes close together stays.
            let fragments = try FragmentRig(datagrams: 64)
            let junk = Datagram(ppp: 1_400)
            var sender: UInt32 = 0x0a00_0000
            for number in 0..<200 {
                let datagram = Datagram(ppp: 1_000, seed: number)
                let parts = datagram.fragments([504], id: number)
                fragments.receive([parts[0]])
                fragments.receive(
                    (0..<63).map { _ in
                        sender += 1
                        return junk.fragment(0, 96, more: true, source: IPv4Address(value: sender))
                    })
                fragments.receive([parts[1]])
                #expect(fragments.sent() == [datagram.output])
            }
            #expect(fragments.terminals()[.fragmentEvicted] ?? 0 > 12_000)
            #expect(fragments.isBalanced())
        }

        @Test func freesWhatItHoldsAtTheEnd() throws {
            var fragments: FragmentRig? = try FragmentRig()
            let datagram = Datagram(ppp: 2_000)
            fragments?.receive((0..<60).map { datagram.fragment($0 * 32, 32, more: true) })
            #expect(fragments?.buffersOut == 60)
            fragments = nil
            #expect(try FragmentRig().buffersOut == 0)
        }
    }
}
