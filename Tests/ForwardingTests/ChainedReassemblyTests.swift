import CDPDK
import CSegment
import Forwarding
import Segment
import Testing
import Wire

extension ForwardingTests {
    /// Datagrams that do not fit one packet buffer.
    @Suite(.serialized) struct ChainedReassemblyTests {
        @Test(arguments: [1_900, 1_940, 1_980, 2_000, 2_001, 3_000, 9_000, 40_001, 65_496])
        func joinsLongDatagrams(ppp: Int) throws {
            // In pieces of several sizes, in order, in reverse, and the middle last; with and without a UDP checksum.
            for piece in [1_480, 1_232, 1_104] {
                let fragments = try FragmentRig(accessMTU: 65_535, sendsChained: true)
                for isChecked in [true, false] {
                    let datagram = Datagram(ppp: ppp, isChecked: isChecked)
                    let parts = datagram.fragments(Array(stride(from: piece, to: datagram.payload.count, by: piece)))
                    for parts in [parts, parts.reversed(), parts.filter { $0 != parts[1] } + [parts[1]]] {
                        fragments.receive(parts)
                        #expect(fragments.sent() == [datagram.output])
                        #expect(fragments.buffersOut == 0)
                    }
                }
                #expect(fragments.terminals()[.txAccessFrames] == 6)
                #expect(fragments.isBalanced())
                #expect(fragments.rig.view.downstream[9].packets == 6)
                #expect(fragments.rig.view.downstream[9].octets == UInt64(6 * ppp))
            }
        }

        @Test(arguments: [1_000, 2_001, 40_001, 65_400]) func joinsLongDatagramsOverIPv6(ppp: Int) throws {
            let fragments = try FragmentRig(accessMTU: 65_535, sendsChained: true, isOverIPv6: true)
            let datagram = Datagram(ppp: ppp, isOverIPv6: true)
            let parts = datagram.ipv6Fragments(1_448)
            fragments.receive(parts)
            fragments.receive(parts.reversed())
            #expect(fragments.sent() == [datagram.output, datagram.output])
            #expect(fragments.isBalanced() && fragments.buffersOut == 0)
            var broken = parts
            broken[parts.count - 1][62] ^= 1
            fragments.receive(broken)
            #expect(fragments.terminals()[.udpChecksum] == 1)
            #expect(fragments.isBalanced() && fragments.buffersOut == 0)
        }

        @Test func waitsForItsTurnInSeveralBuffers() throws {
            let fragments = try FragmentRig(accessMTU: 9_000, sendsChained: true)
            fragments.rig.view.downstream[9].features = UInt8(CULVERT_FEATURE_REORDERED)
            let datagrams = (0..<3).map { Datagram(ppp: 3_000, seed: $0, sequence: $0) }
            for index in [2, 1] { fragments.receive(datagrams[index].fragments([1_400, 2_800], id: index)) }
            #expect(fragments.sent().isEmpty && fragments.buffersOut == 6)
            fragments.receive(datagrams[0].fragments([1_400, 2_800], id: 0))
            #expect(fragments.sent() == datagrams.map(\.output))
            #expect(fragments.isBalanced() && fragments.buffersOut == 0)
        }

        @Test func findsTheFrameInAnyBuffer() throws {
            // First fragments as short as can be, offset pads that end in any buffer and at any place of it.
            for pad in [0, 1, 4, 5, 6, 7, 8, 100, 1_480, 1_484, 1_486, 1_487, 1_488, 1_490, 2_500, 4_000] {
                for first in [16, 64, 1_480] {
                    let fragments = try FragmentRig(accessMTU: 9_000, sendsChained: true)
                    let datagram = Datagram(ppp: 3_001, pad: pad)
                    let cuts = Array(stride(from: first, to: datagram.payload.count, by: 1_480))
                    fragments.receive(datagram.fragments(cuts))
                    #expect(fragments.sent() == [datagram.output], "pad \(pad), first \(first)")
                    #expect(fragments.isBalanced() && fragments.buffersOut == 0)
                }
            }
        }

        @Test(arguments: [1, 1_000, 3_000, 20_000]) func leavesBehindWhatFollowsTheMessage(trailer: Int) throws {
            for ppp in [100, 1_430, 1_480, 2_900] {
                let fragments = try FragmentRig(accessMTU: 9_000, sendsChained: true)
                let datagram = Datagram(ppp: ppp, trailer: trailer)
                let cuts = Array(stride(from: 1_400, to: datagram.payload.count, by: 1_400))
                guard !cuts.isEmpty else { continue }
                fragments.receive(datagram.fragments(cuts))
                #expect(fragments.sent() == [datagram.output])
                #expect(fragments.isBalanced() && fragments.buffersOut == 0)
            }
        }

        @Test func sendsInOneBufferWhatFitsOne() throws {
            // The datagram lies in three buffers, its PPP frame in one of them: a port that cannot chain sends it.
            let fragments = try FragmentRig(accessMTU: 1_500, sendsChained: false)
            let datagram = Datagram(ppp: 1_000, trailer: 3_000)
            fragments.receive(datagram.fragments([1_400, 2_800]))
            #expect(fragments.sent() == [datagram.output])
        }

        @Test func refusesAWrongUDPChecksumInAnyBuffer() throws {
            let datagram = Datagram(ppp: 4_000)
            for octet in [9, 50, 1_399, 1_400, 2_805, datagram.payload.count - 1] {
                let fragments = try FragmentRig(accessMTU: 9_000, sendsChained: true)
                var parts = datagram.fragments([1_400, 2_800])
                parts[octet / 1_400][34 + octet % 1_400] ^= 4
                fragments.receive(parts)
                #expect(fragments.terminals() == [.reassembledFragments: 3, .udpChecksum: 1])
                #expect(fragments.buffersOut == 0)
            }
        }

        /// What is not sent.
        @Test(
            arguments: [
                (1_500, true, Counter.accessMTUExceeded), (1_500, false, .accessMTUExceeded),
                (9_000, false, .egressChained),
            ] as [(UInt16, Bool, Counter)])
        func endsWhereItShould(mtu: UInt16, sendsChained: Bool, reason: Counter) throws {
            let fragments = try FragmentRig(accessMTU: mtu, sendsChained: sendsChained)
            fragments.receive(Datagram(ppp: 3_000).fragments([1_400, 2_800]))
            #expect(fragments.terminals() == [.reassembledFragments: 3, reason: 1])
            #expect(fragments.isBalanced() && fragments.buffersOut == 0)
            #expect(fragments.rig.view.downstream[9].packets == 0)
        }

        @Test(arguments: [
            (49, UInt8(8), Counter.l2tpSessionUnknown), (47, 8, .l2tpTunnelUnknown), (43, 3, .l2tpVersion),
        ])
        func judgesTheHeaders(octet: Int, value: UInt8, reason: Counter) throws {
            let fragments = try FragmentRig(accessMTU: 9_000, sendsChained: true)
            var parts = Datagram(ppp: 3_000, isChecked: false).fragments([1_400, 2_800])
            parts[0][octet] = value
            fragments.receive(parts)
            #expect(fragments.terminals() == [.reassembledFragments: 3, reason: 1])
            #expect(fragments.buffersOut == 0)
        }

        @Test func dropsLongDatagramsToCulvertd() throws {
            let fragments = try FragmentRig()
            var datagram = Datagram(ppp: 3_000, isChecked: false).fragments([1_400, 2_800])
            datagram[0][42] = 0xc8
            fragments.receive(datagram)
            #expect(fragments.terminals() == [.reassembledFragments: 3, .puntTooLong: 1])
            #expect(fragments.buffersOut == 0)
        }

        @Test func stillDropsFramesThatComeInSeveralBuffers() throws {
            let fragments = try FragmentRig()
            let frame = tunnelFrame(ppp: 1_000)
            var burst: [OpaquePointer?] = [frame.prefix(600), frame.dropFirst(600)].map { part in
                let mbuf = culvert_mbuf_allocate(fragments.pool)
                guard let mbuf else { return nil }
                part.withUnsafeBytes { source in
                    if let first = source.baseAddress {
                        PacketBuffer(mbuf).start.copyMemory(from: first, byteCount: source.count)
                    }
                }
                PacketBuffer(mbuf).reframe(shift: 0, length: UInt32(part.count))
                return mbuf
            }
            let (first, second) = (try #require(burst[0]), try #require(burst[1]))
            culvert_mbuf_set_next(first, second)
            culvert_mbuf_set_chain(first, 2, UInt32(frame.count))
            fragments.forwarders[0].receive(&burst, count: 1, port: 1)
            #expect(fragments.terminals() == [.frameChained: 1])
            #expect(fragments.buffersOut == 0)
        }

        @Test func fragmentsOfADatagramMeetOnOneWorker() throws {
            let fragments = try FragmentRig(workers: 2)
            var owners: Set<Int> = []
            for id in 0..<16 {
                let datagram = Datagram(ppp: 600, seed: id)
                let parts = datagram.fragments([96], id: id)
                // Either half comes in on another worker; one of them hands its half over.
                for worker in 0..<2 { fragments.receive([parts[worker]], worker: worker) }
                let owner = fragments.forwarders[0].heldFragments == 1 ? 0 : 1
                owners.insert(owner)
                var moved = fragments.dispatch(from: 1 - owner, to: owner)
                #expect(moved.count == 1)
                #expect(fragments.dispatch(from: owner, to: 1 - owner).isEmpty)
                #expect(moved.compactMap { $0.map { culvert_mbuf_port($0) } } == [1])
                fragments.rig.view.downstream[9].claim = 0
                fragments.forwarders[owner].receive(&moved, count: 1, port: 1)
                #expect(fragments.sent(worker: owner) == [datagram.output])
            }
            #expect(owners == [0, 1], "each worker has some")
            #expect(fragments.buffersOut == 0)
        }
    }
}
