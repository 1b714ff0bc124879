import CBaseline
import CDPDK
import CSegment
import Worker

/// How long a lone frame takes from one ring to the other when the worker has had nothing to do before: what resting costs.
struct IdleLatency {
    /// What the worker did when it found nothing.
    let idle: WorkerIdle
    /// Microseconds of each frame.
    private let times: [Double]

    /// Sends `probes` frames through a worker on another core, with pauses in which it comes to rest.
    init(
        _ idle: WorkerIdle, scenario: Scenario, ports: RingPorts, environment: Environment, otherCore: Int, probes: Int
    ) throws(BenchError) {
        self.idle = idle
        let set = try FrameSet(
            scenario: scenario, direction: .encapsulate, bytes: 64, count: 1, pool: environment.pool)
        let worker = try scenario.worker(devices: ports.devices)
        let stop = StopFlag()
        let job = try Job(on: otherCore) {
            worker.start()
            worker.run(until: stop.word, idle: idle)
            worker.stop()
        }
        var times: [Double] = []
        var random = SplitMix(seed: 7)
        for probe in 0..<probes {
            Self.wait(Double.random(in: 200...400, using: &random), environment)
            set.restore(from: probe)
            var frame = set.frames[0]
            let begin = culvert_bench_ticks()
            culvert_ring_enqueue(ports.receive[0], &frame, 1)
            while culvert_ring_dequeue(ports.transmit[1], &frame, 1) == 0 {
                guard Double(culvert_bench_ticks() &- begin) < environment.ticksPerSecond else {
                    stop.isSet = true
                    job.join(otherCore)
                    throw .difference("a frame has not come through an idle worker within a second")
                }
            }
            times.append(Double(culvert_bench_ticks() &- begin) / environment.ticksPerSecond * 1e6)
        }
        stop.isSet = true
        job.join(otherCore)
        worker.deallocate()
        self.times = times.sorted()
    }

    private static func wait(_ microseconds: Double, _ environment: Environment) {
        let end = culvert_bench_ticks() &+ UInt64(microseconds / 1e6 * environment.ticksPerSecond)
        while culvert_bench_ticks() < end { culvert_pause() }
    }

    private var median: Double { times[times.count / 2] }
    private var nearlyWorst: Double { times[times.count * 99 / 100] }

    private var name: String {
        switch idle {
        case .poll: "poll"
        case .yield: "yield"
        case .sleep(let microseconds): "sleep \(microseconds)"
        }
    }

    /// The line of the result.
    var line: String {
        "idle \(name): \(fixed(median, 2)) us from ring to ring, 99 of 100 within \(fixed(nearlyWorst, 2)) us"
    }

    /// The object of the JSON file.
    var json: String {
        """
        {"case": "idle", "idle": "\(name)", "median_microseconds": \(fixed(median, 3)), \
        "p99_microseconds": \(fixed(nearlyWorst, 3))}
        """
    }
}
