import CSegment
import Forwarding
import Glibc
import Segment
import Testing
import Wire

extension ForwardingTests.FeatureTests {
    @Suite struct ClampMSSTests {
        @Test(arguments: ClampGolden.all) func lowersUpstream(golden: ClampGolden) throws {
            let rig = try FeatureRig()
            rig.up.pointee.features = UInt8(CULVERT_FEATURE_CLAMPED)
            rig.upFeatures.pointee.mss = golden.mss
            let sent = try #require(rig.pass([sessionFrame(ppp: golden.input)], port: 0).first)
            #expect(Array(sent.dropFirst(52)) == golden.lowered ?? golden.input)
            #expect(rig.rig.counters[.mssClamped] ?? 0 == (golden.lowered == nil ? 0 : 1))
            #expect(rig.rig.terminals == [.txCoreFrames: 1])
            #expect(rig.isBalanced)
        }

        @Test(arguments: ClampGolden.all) func lowersDownstream(golden: ClampGolden) throws {
            let rig = try FeatureRig()
            rig.down.pointee.features = UInt8(CULVERT_FEATURE_CLAMPED)
            rig.downFeatures.pointee.mss = golden.mss
            let sent = try #require(rig.pass([tunnelFrame(ppp: golden.input, sequence: nil)], port: 1).first)
            #expect(Array(sent.dropFirst(20)) == golden.lowered ?? golden.input)
            #expect(rig.rig.counters[.mssClamped] ?? 0 == (golden.lowered == nil ? 0 : 1))
            #expect(rig.rig.terminals == [.txAccessFrames: 1])
        }

        @Test(arguments: ClampGolden.all) func leavesSessionsWithoutItAlone(golden: ClampGolden) throws {
            let rig = try FeatureRig()
            rig.upFeatures.pointee.mss = 1
            rig.downFeatures.pointee.mss = 1
            rig.up.pointee.features = UInt8(CULVERT_FEATURE_SEQUENCED)
            let sent = try #require(rig.pass([sessionFrame(ppp: golden.input)], port: 0).first)
            #expect(Array(sent.dropFirst(56)) == golden.input)
            let back = try #require(rig.pass([tunnelFrame(ppp: golden.input, sequence: 0)], port: 1).first)
            #expect(Array(back.dropFirst(20)) == golden.input)
            #expect(rig.rig.counters[.mssClamped] == nil)
        }

        /// Every checksum that a SYN can have: the incremental one is that of a whole sum.
        @Test(arguments: [false, true]) func keepsTheChecksumRight(odd: Bool) throws {
            let golden = try #require(
                ClampGolden.all.first { $0.name == (odd ? "at an odd place" : "SYN") })
            let rig = try FeatureRig()
            rig.up.pointee.features = UInt8(CULVERT_FEATURE_CLAMPED)
            for number in 0..<2_000 {
                var ppp = golden.input
                // The acknowledgement number takes any value, and the checksum with it.
                let value = UInt32(truncatingIfNeeded: number &* 2_654_435_761)
                for octet in 0..<4 { ppp[30 + octet] = UInt8(truncatingIfNeeded: value >> (8 * octet)) }
                (ppp[38], ppp[39]) = (0, 0)
                let checksum = ~tcpSum(ppp) & 0xffff
                (ppp[38], ppp[39]) = (UInt8(checksum >> 8), UInt8(checksum & 255))
                rig.upFeatures.pointee.mss = UInt16(truncatingIfNeeded: number % 1_459 + 1)
                let sent = try #require(rig.pass([sessionFrame(ppp: ppp)], port: 0).first)
                #expect(tcpSum(Array(sent.dropFirst(52))) == 0xffff)
            }
            #expect(rig.rig.counters[.mssClamped] == 2_000)
        }

        /// Any octets, up to the last one before memory that cannot be touched.
        @Test func readsNothingBehindTheFrame() throws {
            let page = 4_096
            let memory = mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            let pages = try #require(memory == MAP_FAILED ? nil : memory)
            defer { munmap(pages, 2 * page) }
            try #require(mprotect(pages + page, page, PROT_NONE) == 0)
            var random = SystemRandomNumberGenerator()
            var lowered = 0
            for golden in ClampGolden.all {
                for round in 0..<2_000 {
                    var ppp = golden.input
                    for _ in 0..<Int.random(in: 0...4, using: &random) {
                        ppp[Int.random(in: 0..<ppp.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                    }
                    if round % 2 == 0 { ppp.removeLast(Int.random(in: 0...ppp.count, using: &random)) }
                    let start = pages + (page - ppp.count)
                    start.copyMemory(from: ppp, byteCount: ppp.count)
                    guard let tcp = InnerTCPHeader(FrameBytes(start, count: ppp.count)) else { continue }
                    if tcp.header.lowerMaximumSegmentSize(to: 100) { lowered += 1 }
                }
            }
            #expect(lowered > 1_000)
        }

        /// The sum over a TCP segment in IPv4 without options and its pseudo header.
        private func tcpSum(_ ppp: [UInt8]) -> Int {
            let length = ppp.count - 22
            var sum = 6 + length
            for offset in stride(from: 14, to: ppp.count - 1, by: 2) {
                sum += Int(ppp[offset]) << 8 + Int(ppp[offset + 1])
            }
            while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
            return sum
        }
    }
}
