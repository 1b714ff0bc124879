import CBaseline
import CDPDK
import CSegment
import Forwarding
import Segment
import Worker

/// What it costs to hand frames to the worker that has their session: the same frames from a port whose frames are dispatched to
/// two workers, and from one whose only worker forwards what it finds. Both workers run in turn on one core, so all that is done
/// is counted, but not what caches of two cores do to each other.
struct DispatchCost {
    /// The direction.
    let direction: Direction
    /// Cycles a packet, ports made of rings and the worker's loop included.
    private(set) var completed = Samples()
    private(set) var dispatched = Samples()

    /// Cycles a packet more.
    var difference: Double { dispatched.best - completed.best }

    /// Measures in `rounds` rounds of each in turns.
    init(
        _ direction: Direction, scenarios: [Scenario], ports: RingPorts, environment: Environment, rounds: Int
    ) throws(BenchError) {
        self.direction = direction
        let sets = try scenarios.map { (scenario) throws(BenchError) in
            try FrameSet(scenario: scenario, direction: direction, bytes: 64, count: 256, pool: environment.pool)
        }
        // Turns of many rounds: workers' rings have names, so that there is one set of workers at a time.
        let turns = 10
        for turn in 0..<turns {
            for (count, scenario) in zip([UInt32(1), 2], scenarios) {
                let workers = try Self.workers(count, scenario, ports)
                defer { for worker in workers { worker.deallocate() } }
                // The first rounds are for sessions to find their worker.
                let rest = turn == 0 ? scenario.count / 256 + 1 : 0
                for round in 0..<rest + max(rounds / turns, 1) {
                    let place = (turn * rounds / turns + round) * 256
                    let ticks = try Self.run(workers, sets[Int(count) - 1], from: place, direction, ports)
                    guard round >= rest else { continue }
                    if count == 1 {
                        completed.add(ticks: ticks, packets: 256)
                    } else {
                        dispatched.add(ticks: ticks, packets: 256)
                    }
                }
                for worker in workers { worker.stop() }
            }
        }
    }

    private static func workers(_ count: UInt32, _ scenario: Scenario, _ ports: RingPorts) throws(BenchError)
        -> [Worker]
    {
        var workers: [Worker] = []
        for index in 0..<count {
            workers.append(try scenario.worker(index, of: count, devices: ports.devices, isDispatched: count > 1))
        }
        Worker.connect(workers)
        for worker in workers { worker.start() }
        return workers
    }

    /// Cycles from the frames' coming in to the last one's going out.
    private static func run(
        _ workers: [Worker], _ set: FrameSet, from place: Int, _ direction: Direction, _ ports: RingPorts
    ) throws(BenchError) -> UInt64 {
        set.restore(from: place)
        let (input, output) = direction == .encapsulate ? (0, 1) : (1, 0)
        culvert_ring_enqueue(ports.receive[input], set.frames, UInt32(set.count))
        let begin = culvert_bench_ticks()
        var rounds = 0
        while culvert_ring_count(ports.transmit[output]) < UInt32(set.count), rounds < 1_000 {
            for worker in workers { worker.iterate() }
            rounds += 1
        }
        let ticks = culvert_bench_ticks() &- begin
        let count = culvert_ring_dequeue(ports.transmit[output], set.frames, UInt32(set.count))
        guard count == UInt32(set.count) else {
            throw .difference("\(count) of \(set.count) frames came out of \(workers.count) workers")
        }
        return ticks
    }

    /// The line of the result.
    var line: String {
        "dispatch, \(direction.rawValue): \(fixed(dispatched.best, 1)) cycles a packet with two workers, "
            + "\(fixed(completed.best, 1)) run to completion: \(fixed(difference, 1)) more"
    }

    /// The object of the JSON file.
    var json: String {
        """
        {"case": "dispatch", "direction": "\(direction.rawValue)", "dispatched_cycles": \(fixed(dispatched.best, 2)), \
        "completed_cycles": \(fixed(completed.best, 2)), "difference_cycles": \(fixed(difference, 2))}
        """
    }
}
