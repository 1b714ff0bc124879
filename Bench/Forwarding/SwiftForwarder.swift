import CBaseline
import CDPDK
import Forwarding
import Segment
import Wire

/// The product's own forwarding path, with one worker's state over the scenario's segment.
final class SwiftForwarder {
    private let forwarder: Forwarder
    private let view: SegmentView

    /// Worker `worker` of `workers`.
    init(scenario: Scenario, worker: UInt32 = 0, workers: UInt32 = 1) throws(BenchError) {
        view = scenario.view
        do {
            forwarder = try Forwarder(
                view: scenario.view, ports: scenario.ports, worker: worker, workers: workers,
                limits: PuntLimits(all: 0),
                cyclesPerSecond: culvert_bench_ticks_per_second())
        } catch {
            throw .noMemory("\(error)")
        }
    }

    deinit { forwarder.deallocate() }

    /// Frames that were forwarded in either direction.
    var forwarded: UInt64 {
        withUnsafeBytes(of: view.workers.pointee.counters) { words in
            let counters = words.bindMemory(to: UInt64.self)
            return counters[Counter.encapsulatedFrames.rawValue] + counters[Counter.decapsulatedFrames.rawValue]
        }
    }

    /// Forwards `bursts` bursts of `burst` frames each and forgets where they went.
    func run(_ direction: Direction, _ frames: UnsafeMutablePointer<OpaquePointer?>, burst: Int, bursts: Int) {
        let encapsulates = direction == .encapsulate
        let port = UInt32(encapsulates ? Scenario.accessPort : Scenario.corePort)
        let egress = UInt32(encapsulates ? Scenario.corePort : Scenario.accessPort)
        for index in 0..<bursts {
            forwarder.receive(frames + index * burst, count: burst, port: port)
            forwarder.transmit.removeAll(egress)
        }
    }

    /// Forwards `count` frames in bursts of 32; what comes out waits for `freeTransmitted`.
    func receive(_ direction: Direction, _ frames: UnsafeMutablePointer<OpaquePointer?>, count: Int) {
        let port = UInt32(direction == .encapsulate ? Scenario.accessPort : Scenario.corePort)
        for start in stride(from: 0, to: count, by: 32) {
            forwarder.receive(frames + start, count: min(32, count - start), port: port)
        }
    }

    /// Frees what came out.
    func freeTransmitted(_ direction: Direction) {
        let egress = UInt32(direction == .encapsulate ? Scenario.corePort : Scenario.accessPort)
        culvert_mbuf_free_bulk(forwarder.transmit.frames(egress), UInt32(forwarder.transmit.count(egress)))
        forwarder.transmit.removeAll(egress)
    }
}
