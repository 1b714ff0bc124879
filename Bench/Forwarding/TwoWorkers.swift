import CBaseline
import CDPDK
import CSegment

/// Two workers on two cores over one segment, each with half of the sessions, against one of them alone: what they cost each
/// other. There are no ports; each forwards its own frames as fast as it can.
struct TwoWorkers {
    /// The direction.
    let direction: Direction
    /// Sessions in the table.
    let sessions: Int
    /// Cycles a packet of the first worker while the second one rests.
    private(set) var alone = Samples()
    /// Cycles a packet of each while both work.
    private(set) var together = [Samples(), Samples()]

    /// Packets that both forward in a time over those that one does.
    var ratio: Double { ratio(\.best) }
    /// The same of the rounds in the middle.
    var medianRatio: Double { ratio(\.median) }

    private func ratio(_ figure: KeyPath<Samples, Double>) -> Double {
        alone[keyPath: figure] * together.reduce(0) { $0 + 1 / $1[keyPath: figure] }
    }

    /// Measures in `blocks` turns of one alone and both together, `rounds` rounds each.
    init(
        scenario: Scenario, direction: Direction, environment: Environment, otherCore: Int, blocks: Int, rounds: Int
    ) throws(BenchError) {
        self.direction = direction
        sessions = scenario.count
        let first = try WorkerBench(scenario, direction, number: 0, environment)
        let second = try WorkerBench(scenario, direction, number: 1, environment)
        for _ in 0..<blocks {
            first.run(rounds: rounds, until: nil, into: &alone)
            let stop = StopFlag()
            let isRunning = StopFlag()
            let job = try Job(on: otherCore) {
                var samples = second.samples
                second.run(rounds: 1, until: nil, into: &samples)
                isRunning.isSet = true
                second.run(rounds: .max, until: stop, into: &samples)
                second.samples = samples
            }
            while !isRunning.isSet { culvert_pause() }
            first.run(rounds: rounds, until: nil, into: &together[0])
            stop.isSet = true
            job.join(otherCore)
        }
        together[1] = second.samples
    }

    /// The line of the result.
    var line: String {
        "two workers, \(direction.rawValue), \(sessions) sessions: \(fixed(alone.best, 1)) cycles alone, "
            + "\(fixed(together[0].best, 1)) and \(fixed(together[1].best, 1)) together: \(fixed(ratio, 2)) times one"
            + " (median \(fixed(medianRatio, 2)))"
    }

    /// The object of the JSON file.
    var json: String {
        """
        {"case": "two-workers", "direction": "\(direction.rawValue)", "sessions": \(sessions), \
        "alone_cycles": \(fixed(alone.best, 2)), "first_cycles": \(fixed(together[0].best, 2)), \
        "second_cycles": \(fixed(together[1].best, 2)), "times_one": \(fixed(ratio, 3)), \
        "median_times_one": \(fixed(medianRatio, 3))}
        """
    }
}

/// A worker and its frames, for one thread at a time.
private final class WorkerBench: @unchecked Sendable {
    var samples = Samples()
    private let forwarder: SwiftForwarder
    private let set: FrameSet
    private let direction: Direction
    private var place = 0

    init(_ scenario: Scenario, _ direction: Direction, number: Int, _ environment: Environment) throws(BenchError) {
        self.direction = direction
        forwarder = try SwiftForwarder(scenario: scenario, worker: UInt32(number), workers: 2)
        set = try FrameSet(
            scenario: scenario, direction: direction, bytes: 64, count: 256, pool: environment.pool,
            share: (number, 2))
        // A session belongs to the worker from its first frame on: what is to be measured is all the others.
        while place < scenario.count / 2 { forward() }
    }

    /// Forwards the next frames; answers the cycles that it took.
    @discardableResult
    private func forward() -> UInt64 {
        set.restore(from: place)
        place += set.count
        let begin = culvert_bench_ticks()
        forwarder.run(direction, set.frames, burst: 32, bursts: set.count / 32)
        return culvert_bench_ticks() &- begin
    }

    func run(rounds: Int, until stop: StopFlag?, into samples: inout Samples) {
        var round = 0
        while round < rounds, stop?.isSet != true {
            samples.add(ticks: forward(), packets: set.count)
            round += 1
        }
    }
}
