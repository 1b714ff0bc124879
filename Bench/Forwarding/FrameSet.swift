import CBaseline
import CDPDK

/// The frames of one round: packet buffers that are filled once and put back to "just received" before each round.
///
/// Forwarding writes only in front of the PPP protocol field, so a round is undone by writing the headers again. That, and
/// drawing the sessions, is not part of the measured time.
final class FrameSet {
    /// Packet buffers, `count` of them.
    let frames: UnsafeMutablePointer<OpaquePointer?>
    let count: Int

    private let scenario: Scenario
    private let direction: Direction
    private let bytes: Int

    /// `count` buffers from `pool` with `bytes` octets of inner packet each, the same in every one of them.
    init(scenario: Scenario, direction: Direction, bytes: Int, count: Int, pool: OpaquePointer) throws(BenchError) {
        self.scenario = scenario
        self.direction = direction
        self.bytes = bytes
        self.count = count
        frames = .allocate(capacity: count)
        frames.initialize(repeating: nil, count: count)
        for index in 0..<count {
            guard let frame = culvert_bench_allocate(pool) else { throw .noMemory("packet buffers") }
            culvert_bench_fill(frame, UInt8(truncatingIfNeeded: 0x5a &+ index))
            frames[index] = frame
        }
    }

    deinit {
        for index in 0..<count where frames[index] != nil { culvert_bench_free(frames[index]) }
        frames.deallocate()
    }

    /// Makes frame i one of the session that comes i-th after `start` in the scenario's random order.
    func restore(from start: Int) {
        for index in 0..<count {
            let session = scenario.session(at: start + index)
            scenario.withHeader(direction, session: session, bytes: bytes) { header in
                culvert_bench_restore(
                    frames[index], header.baseAddress, UInt32(header.count), UInt32(header.count + bytes),
                    direction == .encapsulate ? Scenario.accessPort : Scenario.corePort)
            }
        }
    }

    /// The frames as they are now.
    func snapshot() -> [[UInt8]] {
        (0..<count).map { index in
            Array(
                UnsafeBufferPointer(
                    start: culvert_bench_bytes(frames[index]), count: Int(culvert_bench_length(frames[index]))))
        }
    }
}
