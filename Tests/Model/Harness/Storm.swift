import CDPDK
import CHarness
import CSegment
import Forwarding
import Segment

/// Millions of random and spoilt frames through the workers' whole path, from the receive queues to the transmit queues and the
/// exchange. Nobody checks what becomes of a single one: the node must not crash, hang or read beyond a buffer, the counters must
/// add up at any time, and at the end every packet buffer must be back in its pool.
final class Storm {
    private static let portCount = StormPlan.ports.count
    private let segment: SegmentMapping
    private let host: Host
    private var plan: StormPlan
    private var frames: StormFrames
    private var random: SplitMix
    private let hertz = culvert_cycles_per_second()
    private var burst = [OpaquePointer?](repeating: nil, count: 64)

    private(set) var injected: UInt64 = 0
    private(set) var sent: UInt64 = 0
    private(set) var punted: UInt64 = 0
    /// What was found wrong.
    private(set) var failures: [String] = []

    init(seed: UInt64, workers: Int, isDispatched: Bool) throws {
        random = SplitMix(seed: seed)
        let geometry = Geometry(
            sessions: 65_536, tunnels: 64, circuits: 16, vlanBlocks: 16, workers: 4, ports: 8, frameRingDepth: 1_024)
        segment = try SegmentMapping.inMemory(geometry: geometry) { memory, size, workers in
            culvert_rcu_initialise(memory, UInt64(size), workers) == 0
        }
        host = try Host(segment, workers: workers)
        for var port in StormPlan.ports {
            port.isDispatched = isDispatched
            try host.addPort(port)
        }
        plan = try StormPlan(segment, sessions: 2_048, using: &random)
        frames = StormFrames(seed: random.next())
        try host.start(
            limits: PuntLimits(all: 100_000), clientLimits: PuntLimits(all: 1_000),
            shares: PuntShareLimits(lines: PuntLimits(all: 10_000), ports: PuntLimits(all: 50_000)))
    }

    deinit { frames.deallocate() }

    /// Sends `count` frames through, then waits, in the workers' time, until nothing can be held any more.
    func run(_ count: UInt64) {
        var round = 0
        while injected < count, failures.count < 20 {
            frames.isFlood = round >> 11 & 3 == 3
            inject()
            // Mostly microseconds; now and then time enough for what waits to be given up.
            let step = random.next() & 1_023
            host.now &+=
                frames.isFlood || step >= 8 ? random.next() % (hertz / 20_000) : step == 0 ? hertz * 3 : hertz / 20
            host.round()
            drain()
            round += 1
            if round & 63 == 0 { change() }
            if round & 1_023 == 0 { checkBalance(isEnd: false) }
        }
        for _ in 0..<1_000 {
            host.now &+= hertz
            host.round()
            drain()
        }
        checkBalance(isEnd: true)
    }

    /// Some frames into every queue.
    private func inject() {
        for _ in 0..<8 * Self.portCount {
            guard let frame = frames.next(&plan, pool: host.pool) else {
                failures.append("no packet buffer left after \(injected) frames")
                return
            }
            let queues = host.ports[Int(frame.port)].queuesToNode
            let queue = Int(random.next() % UInt64(queues.count))
            var mbuf: OpaquePointer? = frame.mbuf
            guard culvert_ring_enqueue(queues[queue], &mbuf, 1) == 1 else {
                culvert_mbuf_free(frame.mbuf)
                continue
            }
            injected += 1
        }
    }

    /// Tunnels, policers and sessions change under way.
    private func change() {
        plan.changeTunnel(Int(random.next() & 31), using: &random)
        plan.changePolicer(Int(random.next() & 15), using: &random)
        for _ in 0..<8 { plan.changeSession(Int(random.next() % UInt64(plan.sessions.count)) | 1, using: &random) }
    }

    private func drain() {
        for (index, port) in host.ports.enumerated() {
            for ring in port.queuesFromNode {
                while true {
                    let count = Int(culvert_ring_dequeue(ring, &burst, UInt32(burst.count)))
                    guard count > 0 else { break }
                    for case let mbuf? in burst.prefix(count) {
                        if culvert_harness_is_sound(mbuf) == 0 {
                            failures.append("port \(index): a frame lies beyond its buffer")
                        }
                        culvert_mbuf_free(mbuf)
                    }
                    sent += UInt64(count)
                }
            }
        }
        while host.punts.take() != nil { punted += 1 }
    }

    /// What came in went out, or is held; at the end nothing is.
    private func checkBalance(isEnd: Bool) {
        var held: Int64 = 0
        for worker in host.workers.indices {
            let balance = withUnsafeBytes(of: (segment.view.workers + worker).pointee.counters) { words in
                Counter.allCases.reduce(Int64(0)) { sum, counter in
                    let value = Int64(bitPattern: words.load(fromByteOffset: 8 * counter.rawValue, as: UInt64.self))
                    return switch counter.role {
                    case .input: sum + value
                    case .terminal: sum - value
                    case .passage, .octets: sum
                    }
                }
            }
            if balance < 0 { failures.append("worker \(worker): \(-balance) frames more went out than came in") }
            held += balance
        }
        let waiting = host.ports.reduce(0) { $0 + $1.queuesToNode.reduce(0) { $0 + Int(culvert_ring_count($1)) } }
        let inUse = host.buffersInUse - waiting
        if isEnd ? held != 0 || inUse != 0 : held > Int64(inUse) {
            failures.append(
                "after \(injected) frames the workers hold \(held) by their counters, and \(inUse) packet buffers")
        }
    }

    /// Frames by counter, of all workers.
    var outcomes: [(name: String, count: UInt64)] {
        Counter.allCases.map { counter in
            let sum = host.workers.indices.reduce(UInt64(0)) { sum, worker in
                withUnsafeBytes(of: (segment.view.workers + worker).pointee.counters) {
                    sum &+ $0.load(fromByteOffset: 8 * counter.rawValue, as: UInt64.self)
                }
            }
            return (counter.name, sum)
        }
    }
}
