import CBaseline
import Segment

/// One case: Swift and the builds of the C baseline over the same segment and the same frames, in turns.
final class Contest {
    private let scenario: Scenario
    private let direction: Direction
    private let subject: Case
    private let burst: Int
    private let bursts: Int
    private let set: FrameSet
    private let swift: SwiftForwarder
    private let baselines: [Baseline]

    init(
        scenario: Scenario, direction: Direction, subject: Case, frames: Int, gccBaseline: String?,
        pool: OpaquePointer
    ) throws(BenchError) {
        self.scenario = scenario
        self.direction = direction
        self.subject = subject
        burst = subject.burst
        bursts = frames / burst
        set = try FrameSet(
            scenario: scenario, direction: direction, bytes: subject.bytes, count: bursts * burst, pool: pool)
        swift = try SwiftForwarder(scenario: scenario)
        var baselines = [try Baseline(path: nil, view: scenario.view, ports: scenario.ports)]
        if let gccBaseline {
            baselines.append(try Baseline(path: gccBaseline, view: scenario.view, ports: scenario.ports))
        }
        self.baselines = baselines
    }

    /// Runs the same frames through every implementation once and compares every byte that comes out.
    func verify() throws(BenchError) {
        set.restore(from: 0)
        let forwarded = swift.forwarded
        swift.run(direction, set.frames, burst: burst, bursts: bursts)
        guard swift.forwarded - forwarded == UInt64(set.count) else {
            throw .difference("Swift forwarded \(swift.forwarded - forwarded) of \(set.count) frames")
        }
        let expected = set.snapshot()
        for baseline in baselines {
            set.restore(from: 0)
            if direction == .encapsulate, let first = expected.first {
                // The same IP identifications: the first one is in the frame (Ethernet 14, IPv4's third word).
                baseline.identification = UInt32(first[18]) << 8 | UInt32(first[19])
            }
            let before = baseline.forwarded
            baseline.run(direction, set.frames, burst: burst, bursts: bursts)
            guard baseline.forwarded - before == UInt64(set.count) else {
                throw .difference(
                    "\(baseline.compiler) forwarded \(baseline.forwarded - before) of \(set.count) frames")
            }
            for (index, pair) in zip(expected, set.snapshot()).enumerated() where pair.0 != pair.1 {
                throw .difference("frame \(index) of \(direction.rawValue)\n\(hex(pair.0))\n\(hex(pair.1))")
            }
        }
    }

    /// Forwards a frame of every session once: a session belongs to the worker from its first frame on, and what is to be
    /// measured is all the others.
    func claimSessions() {
        for start in stride(from: 0, to: scenario.count, by: set.count) {
            set.restore(from: start)
            swift.run(direction, set.frames, burst: burst, bursts: bursts)
        }
    }

    /// Many short rounds. Each implementation walks the same random order of sessions, far from where the others are, so
    /// that none finds in the cache what another, or `verify`, has just brought there.
    func measure(rounds: Int) -> Figure {
        var samples = Samples()
        var others = baselines.map { (compiler: $0.compiler, samples: Samples()) }
        let distance = max(1, scenario.count / (1 + baselines.count))
        for round in 0..<rounds {
            for turn in 0...baselines.count {
                let place = (turn + round) % (baselines.count + 1)
                set.restore(from: (round + 1) * set.count + place * distance)
                let begin = culvert_bench_ticks()
                if place == 0 {
                    swift.run(direction, set.frames, burst: burst, bursts: bursts)
                } else {
                    baselines[place - 1].run(direction, set.frames, burst: burst, bursts: bursts)
                }
                let ticks = culvert_bench_ticks() &- begin
                if place == 0 {
                    samples.add(ticks: ticks, packets: set.count)
                } else {
                    others[place - 1].samples.add(ticks: ticks, packets: set.count)
                }
            }
        }
        return Figure(direction: direction, subject: subject, swift: samples, baselines: others)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.prefix(96).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
