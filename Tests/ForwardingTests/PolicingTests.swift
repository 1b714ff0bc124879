import CSegment
import Forwarding
import Segment
import Testing

extension ForwardingTests.FeatureTests {
    @Suite struct PolicingTests {
        private static let red = PolicerRates(rate: 100_000, burst: 3_000)

        private func policed(_ rates: PolicerRates, generation: UInt32 = 2) throws -> FeatureRig {
            let rig = try FeatureRig()
            rig.up.pointee.features = UInt8(CULVERT_FEATURE_POLICED)
            rig.down.pointee.features = UInt8(CULVERT_FEATURE_POLICED)
            rig.upFeatures.pointee.policer = 3
            rig.downFeatures.pointee.policer = 3
            set(rates, generation: generation, rig)
            return rig
        }

        private func set(_ rates: PolicerRates, generation: UInt32, _ rig: FeatureRig) {
            let entry = rig.rig.view.policers + 3
            entry.pointee.committed_rate = rates.committedRate
            entry.pointee.peak_rate = rates.peakRate
            entry.pointee.committed_burst = rates.committedBurst
            entry.pointee.peak_burst = rates.peakBurst
            entry.pointee.generation = generation
        }

        private func up(_ rig: FeatureRig, _ count: Int, ppp: Int = 1_000) -> Int {
            rig.pass(Array(repeating: sessionFrame(5, ppp: ppp), count: count), port: 0).count
        }

        private func down(_ rig: FeatureRig, _ count: Int, ppp: Int = 1_000) -> Int {
            let frame = tunnelFrame(ppp: [0, 0x21] + [UInt8](repeating: 0, count: ppp - 2), sequence: nil)
            return rig.pass(Array(repeating: frame, count: count), port: 1).count
        }

        @Test func letsTheBurstPassAndThenTheRate() throws {
            let rig = try policed(Self.red)
            #expect(up(rig, 5) == 3)
            #expect(down(rig, 4) == 3, "each direction has its own buckets")
            // 1,000 octets in ten milliseconds, of PPP from the protocol field on.
            #expect(rig.wait(milliseconds: 10).isEmpty)
            #expect(up(rig, 2) == 1)
            #expect(up(rig, 1, ppp: 1_001) == 0)
            #expect(rig.wait(milliseconds: 1_000).isEmpty)
            #expect(up(rig, 5) == 3, "a second of silence fills the bucket and no more")
            #expect(
                rig.rig.terminals == [
                    .txCoreFrames: 7, .txAccessFrames: 3, .policedUpstream: 6, .policedDownstream: 1,
                ])
            #expect(rig.upFeatures.pointee.policed_packets == 6)
            #expect(rig.downFeatures.pointee.policed_packets == 1)
            #expect(rig.up.pointee.packets == 7, "what was dropped was not carried")
            #expect(rig.isBalanced)
        }

        @Test func dropsWhatExceedsThePeakOnly() throws {
            let rig = try policed(
                PolicerRates(committedRate: 1_000, peakRate: 100_000, committedBurst: 1, peakBurst: 3_000))
            #expect(up(rig, 4) == 3)
            #expect(rig.wait(milliseconds: 10).isEmpty)
            #expect(up(rig, 2) == 1)
        }

        @Test func keepsTheRateOverTime() throws {
            let rig = try policed(Self.red)
            _ = up(rig, 5)
            var passed = 0
            for _ in 0..<2_000 {
                _ = rig.wait(milliseconds: 1)
                passed += up(rig, 1)
            }
            // Two seconds of 100,000 octets; a meter lets up to a hundredth more pass.
            #expect((199...203).contains(passed))
        }

        @Test func takesNewRatesWithANewGeneration() throws {
            let rig = try policed(Self.red)
            #expect(up(rig, 5) == 3)
            set(PolicerRates(rate: 1_000_000_000, burst: 1_000_000), generation: 3, rig)
            #expect(up(rig, 1) == 0)
            #expect(rig.rig.counters[.policerInvalid] == 1, "it is being written")
            set(PolicerRates(rate: 1_000_000_000, burst: 1_000_000), generation: 4, rig)
            _ = rig.wait(milliseconds: 1)
            #expect(up(rig, 20) == 20)
        }

        @Test(
            arguments: [
                (0, 0, 0, 0), (0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0), (2, 1, 1, 1),
                (.max, .max, .max, .max),
                (1, .max, 1, 1), (1, 1, .max, 1), (1, 1, 1, .max), (PolicerRates.limit, PolicerRates.limit + 1, 1, 1),
                (1 << 57, 1 << 57, 1, 1), (1 << 63, 1 << 63, 1 << 63, 1 << 63),
            ] as [(UInt64, UInt64, UInt64, UInt64)])
        func dropsWhatHasNoUsableRates(rates: (UInt64, UInt64, UInt64, UInt64)) throws {
            let rig = try policed(
                PolicerRates(
                    committedRate: rates.0, peakRate: rates.1, committedBurst: rates.2, peakBurst: rates.3))
            #expect(up(rig, 2) == 0)
            #expect(down(rig, 1) == 0)
            #expect(rig.rig.terminals == [.policerInvalid: 3])
            #expect(rig.upFeatures.pointee.policed_packets == 0)
            #expect(rig.isBalanced)
        }

        @Test(arguments: [0, 1, 7, .max] as [UInt32]) func dropsWhatHasNoRatesNow(generation: UInt32) throws {
            let rig = try policed(Self.red, generation: generation)
            #expect(up(rig, 1) == 0)
            #expect(rig.rig.terminals == [.policerInvalid: 1])
        }

        @Test(arguments: [(1 as UInt64, 0), (PolicerRates.limit, 50)]) func standsTheEndsOfTheRange(
            value: UInt64, passed: Int
        ) throws {
            let rig = try policed(PolicerRates(rate: value, burst: value))
            #expect(up(rig, 50) == passed)
        }

        @Test func standsAnyStateOfTheBuckets() throws {
            let rig = try policed(Self.red)
            for value in [0, 1, UInt64.max, 1 << 63, rig.now, rig.now + 1, rig.now - 1] {
                rig.upFeatures.pointee.meter = (value, value, value, value)
                rig.upFeatures.pointee.policer = UInt16(truncatingIfNeeded: value) & 0xfc00 | 3
                _ = up(rig, 2)
            }
            #expect(rig.isBalanced)
            #expect(rig.rig.counters[.policerInvalid] == nil, "an index beyond the table is another one's")
        }

        @Test func isAskedBeforeTheMTU() throws {
            let rig = try policed(PolicerRates(rate: 1, burst: 1))
            #expect(up(rig, 1, ppp: 1_494) == 0)
            #expect(down(rig, 1, ppp: 1_495) == 0)
            #expect(rig.rig.terminals == [.policedUpstream: 1, .policedDownstream: 1])
        }
    }
}
