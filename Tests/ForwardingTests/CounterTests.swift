import CSegment
import Forwarding
import Segment
import Testing

@Suite struct CounterTests {
    @Test func tableIsWhole() {
        #expect(Counter.allCases.map(\.rawValue) == Array(0..<Counter.allCases.count))
        #expect(Counter.allCases.count <= Int(CULVERT_COUNTER_SLOTS))
        #expect(Set(Counter.allCases.map(\.name)).count == Counter.allCases.count)
        #expect(Counter.allCases.allSatisfy { !$0.text.isEmpty })
        #expect(
            Counter.allCases.allSatisfy {
                $0.name.utf8.allSatisfy { $0 == 0x5f || (0x61...0x7a).contains($0) || $0 < 0x3a }
            })
    }

    @Test(arguments: PuntClass.allCases) func puntClassesHaveTheirCounters(punt: PuntClass) {
        #expect(Counter.punted(punt).rawValue == Counter.puntedARP.rawValue + Int(punt.rawValue))
        #expect(Counter.puntLimited(punt).rawValue == Counter.puntLimitedARP.rawValue + Int(punt.rawValue))
        #expect(!Counter.punted(punt).isDrop)
        #expect(Counter.puntLimited(punt).isDrop)
        #expect(Counter.puntClientLimited(punt).rawValue == Counter.puntClientLimitedARP.rawValue + Int(punt.rawValue))
        #expect(Counter.puntShareLimited(punt).isDrop)
        #expect(Counter.puntShareLimited(punt) != .puntLimited(punt) || punt == .capture)
    }
}

/// The token buckets, through the frames that they let pass.
@Suite struct PuntBucketTests {
    @Test(arguments: [(1_000 as UInt32, 101), (20, 9), (1, 9), (0, 0)])
    func letsABurstPassAndThenTheRate(rate: UInt32, burst: Int) {
        var bucket = PuntBucket(rate: rate, cyclesPerSecond: 1_000_000)
        let start: UInt64 = 5_000_000
        let atOnce = (0..<1_000).count { _ in bucket.take(now: start) }
        #expect(atOnce == burst)
        // A second later the rate's frames may pass, spread over it.
        let passed = (1...1_000).count { step in bucket.take(now: start + UInt64(step) * 1_000) }
        #expect(passed == Int(rate))
    }

    /// A rank finds what those below it have left, and all together have the rate.
    @Test func aHigherRankHasTokensWhenALowerOneHasNone() {
        var bucket = PuntBucket(rate: 1_000, cyclesPerSecond: 1_000_000)
        let start: UInt64 = 5_000_000
        let counts = ([.beyond, .again, .within] as [PuntRank]).map { rank in
            (0..<1_000).count { _ in bucket.take(now: start, rank: rank) }
        }
        #expect(counts == [101, 100, 100])
        var passed: [PuntRank: Int] = [:]
        for step in 1...1_000 as ClosedRange<UInt64> {
            for rank in [.beyond, .again, .within] as [PuntRank]
            where bucket.take(now: start + step * 1_000, rank: rank) {
                passed[rank, default: 0] += 1
            }
        }
        #expect(passed == [.within: 1_000])
    }

    @Test func isNotOverdrawnByTime() {
        var bucket = PuntBucket(rate: 10, cyclesPerSecond: 1_000)
        let late = bucket.take(now: .max / 2)
        let early = bucket.take(now: 0)
        #expect(late)
        #expect(!early, "time that runs backwards fills no bucket")
    }
}
