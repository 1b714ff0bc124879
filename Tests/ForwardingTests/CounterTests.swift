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

    @Test func isNotOverdrawnByTime() {
        var bucket = PuntBucket(rate: 10, cyclesPerSecond: 1_000)
        let late = bucket.take(now: .max / 2)
        let early = bucket.take(now: 0)
        #expect(late)
        #expect(!early, "time that runs backwards fills no bucket")
    }
}
