import CBaseline
import CDPDK
import CSegment
import Glibc
import Worker

/// The whole path, ports and all: frames that this thread puts into one shared-memory port and takes out of another, with the
/// product's worker between them on another core; and the same with DPDK's own `testpmd` swapping addresses in its place.
struct WholePath {
    /// Million packets a second of the best turn.
    private(set) var encapsulate = 0.0
    private(set) var decapsulate = 0.0
    /// The same of `testpmd`; nil when it is not installed.
    private(set) var reference: Double?

    /// Measures in `blocks` turns, each for `seconds`.
    init(
        scenario: Scenario, environment: Environment, otherCore: Int, blocks: Int, seconds: Double
    ) throws(BenchError) {
        var template = Array("/tmp/culvert-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .file("/tmp/culvert-bench-XXXXXX") }
        let folder = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in [Self.productLink, Self.referenceLink] { unlink(MemifLink.path(name, in: folder)) }
            rmdir(folder)
        }
        let pool = try Environment.pool("bench_near", count: 8_191, cache: 256)
        let farPool = try Environment.pool("bench_far", count: 8_191, cache: 256)
        let link = try MemifLink(Self.productLink, folder: folder, pool: pool)
        let worker = try scenario.worker(devices: link.farEnd("culvert", pool: farPool))
        guard link.isConnected(within: 5) else { throw .environment("the worker's ports do not connect") }
        let upstream = try TrafficGenerator(
            scenario, .encapsulate, environment.pool, from: link.devices[0], to: link.devices[1])
        let downstream = try TrafficGenerator(
            scenario, .decapsulate, environment.pool, from: link.devices[1], to: link.devices[0])
        var testpmd: (forwarder: ReferenceForwarder, traffic: TrafficGenerator)?
        if let path = ReferenceForwarder.path {
            let link = try MemifLink(Self.referenceLink, folder: folder, pool: pool)
            let forwarder = try ReferenceForwarder(
                path: path, link: link, environment: environment, otherCore: otherCore)
            guard link.isConnected(within: 15) else { throw .environment("the ports of \(path) do not connect") }
            let traffic = try TrafficGenerator(
                scenario, .encapsulate, environment.pool, from: link.devices[0], to: link.devices[1])
            testpmd = (forwarder, traffic)
        }
        for _ in 0..<blocks {
            let stop = StopFlag()
            let job = try Job(on: otherCore) {
                worker.start()
                worker.run(until: stop.word, idle: .poll)
                worker.stop()
            }
            encapsulate = max(encapsulate, upstream.run(seconds: seconds, environment))
            decapsulate = max(decapsulate, downstream.run(seconds: seconds, environment))
            stop.isSet = true
            job.join(otherCore)
            if let testpmd {
                testpmd.forwarder.start()
                reference = max(reference ?? 0, testpmd.traffic.run(seconds: seconds, environment))
                testpmd.forwarder.stop()
                culvert_sleep_ns(50_000_000)
            }
        }
        worker.deallocate()
    }

    private static let productLink = "culvert"
    private static let referenceLink = "testpmd"

    private func ratio(_ rate: Double) -> Double { reference.map { rate / $0 } ?? .nan }

    /// The lines of the result.
    var lines: [String] {
        var lines = [("encapsulate", encapsulate), ("decapsulate", decapsulate)].map { name, rate in
            "whole path over memif, \(name): \(fixed(rate, 2)) million packets/s"
                + (reference == nil ? "" : ", \(fixed(ratio(rate), 2)) of testpmd")
        }
        lines.append(
            reference.map { "whole path over memif, dpdk-testpmd macswap: \(fixed($0, 2)) million packets/s" }
                ?? "whole path over memif: dpdk-testpmd is not installed (package dpdk-dev), nothing to compare with")
        return lines
    }

    /// The object of the JSON file.
    var json: String {
        """
        {"case": "whole-path", "ports": "net_memif", "encapsulate_mpps": \(fixed(encapsulate, 3)), \
        "decapsulate_mpps": \(fixed(decapsulate, 3)), "testpmd_mpps": \(fixed(reference ?? .nan, 3)), \
        "encapsulate_ratio": \(fixed(ratio(encapsulate), 3)), "decapsulate_ratio": \(fixed(ratio(decapsulate), 3))}
        """
    }
}

/// Sends the frames of many sessions into one port over and over, and takes what comes out of another.
private final class TrafficGenerator {
    private let set: FrameSet
    private let burst: UnsafeMutablePointer<OpaquePointer?>
    private let input: UInt16
    private let output: UInt16

    init(
        _ scenario: Scenario, _ direction: Direction, _ pool: OpaquePointer, from input: UInt16, to output: UInt16
    ) throws(BenchError) {
        set = try FrameSet(scenario: scenario, direction: direction, bytes: 64, count: 1_024, pool: pool)
        set.restore(from: 0)
        burst = .allocate(capacity: 32)
        burst.initialize(repeating: nil, count: 32)
        (self.input, self.output) = (input, output)
    }

    deinit { burst.deallocate() }

    /// Million packets a second that came out during `seconds`, after a tenth of them to get going.
    func run(seconds: Double, _ environment: Environment) -> Double {
        _ = move(ticks: UInt64(environment.ticksPerSecond * seconds / 10))
        let begin = culvert_bench_ticks()
        let count = move(ticks: UInt64(environment.ticksPerSecond * seconds))
        return Double(count) / Double(culvert_bench_ticks() &- begin) * environment.ticksPerSecond / 1e6
    }

    private func move(ticks: UInt64) -> Int {
        let begin = culvert_bench_ticks()
        var (place, count) = (0, 0)
        while culvert_bench_ticks() &- begin < ticks {
            // The port copies what it takes and frees it: once more than it owns it.
            culvert_bench_share(set.frames + place, 32)
            place += Int(culvert_tx_burst(input, 0, set.frames + place, 32))
            if place + 32 > set.count { place = 0 }
            let received = culvert_rx_burst(output, 0, burst, 32)
            culvert_mbuf_free_bulk(burst, UInt32(received))
            count += Int(received)
        }
        return count
    }
}
