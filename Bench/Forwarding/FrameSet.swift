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
    private let share: (index: Int, of: Int)
    private let header: UnsafeMutableBufferPointer<UInt8>

    /// `count` buffers from `pool` with `bytes` octets of inner packet each, the same in every one of them.
    /// - Parameter share: the frames are of every so many-th session only, from number `index` on in the random order.
    init(
        scenario: Scenario, direction: Direction, bytes: Int, count: Int, pool: OpaquePointer,
        share: (index: Int, of: Int) = (0, 1)
    ) throws(BenchError) {
        self.scenario = scenario
        self.direction = direction
        self.bytes = bytes
        self.count = count
        self.share = share
        frames = .allocate(capacity: count)
        frames.initialize(repeating: nil, count: count)
        header = .allocate(capacity: Scenario.headerCapacity)
        header.initialize(repeating: 0)
        for index in 0..<count {
            guard let frame = culvert_bench_allocate(pool) else { throw .noMemory("packet buffers") }
            culvert_bench_fill(frame, UInt8(truncatingIfNeeded: 0x5a &+ index))
            frames[index] = frame
        }
    }

    deinit {
        for index in 0..<count where frames[index] != nil { culvert_bench_free(frames[index]) }
        frames.deallocate()
        header.deallocate()
    }

    /// Makes frame i one of the session that comes i-th after `start` in the share's random order.
    func restore(from start: Int) {
        let port = direction == .encapsulate ? Scenario.accessPort : Scenario.corePort
        for index in 0..<count {
            let session = scenario.session(at: (start + index) * share.of + share.index)
            let length = scenario.writeHeader(direction, session: session, bytes: bytes, to: header)
            culvert_bench_restore(
                frames[index], header.baseAddress, UInt32(length), UInt32(length - Scenario.innerFront + bytes), port)
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
