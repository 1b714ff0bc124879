import CSegment
import Observability
import Roles

/// The streams of captures that run: from the control loop to whoever asked.
///
/// A reader that is too slow loses records, not the loop its time: so many wait for it and no more, and the next one that reaches
/// it says how many were lost. It belongs to the control loop.
final class CaptureStreams {
    typealias Stream = AsyncThrowingStream<CaptureRecord, any Error>

    /// Records that wait for a reader at most: 8 MB of whole frames.
    static let backlog = 4_096

    private struct Reader {
        let continuation: Stream.Continuation
        /// Wall-clock time of CLOCK_MONOTONIC's zero, as it was when the capture began.
        let epoch: UInt64
        var lost = 0
    }

    private var readers: [CaptureID: Reader] = [:]

    /// The stream of a capture that has just begun.
    func open(_ id: CaptureID) -> (stream: Stream, continuation: Stream.Continuation) {
        let made = Stream.makeStream(of: CaptureRecord.self, bufferingPolicy: .bufferingOldest(Self.backlog))
        let now = UInt64(clamping: Timestamp.now().nanoseconds)
        let epoch = now - min(now, culvert_monotonic_ns())
        readers[id] = Reader(continuation: made.continuation, epoch: epoch)
        return made
    }

    /// What the node tells of a capture.
    func take(_ id: CaptureID, _ output: CaptureOutput) {
        switch output {
        case .frame(let frame): deliver(frame, to: id)
        case .ended: close(id)
        }
    }

    /// Ends a stream, in order.
    func close(_ id: CaptureID) { readers.removeValue(forKey: id)?.continuation.finish() }

    /// Ends all streams.
    func closeAll() { for id in readers.keys { close(id) } }

    private func deliver(_ frame: CapturedFrame, to id: CaptureID) {
        guard let reader = readers[id] else { return }
        let time = reader.epoch.addingReportingOverflow(frame.monotonicNanoseconds ?? culvert_monotonic_ns())
        var comment = frame.comment
        if reader.lost > 0 {
            let lost = "\(reader.lost) records before this one were lost: the reader was too slow"
            comment = comment.isEmpty ? lost : "\(lost); \(comment)"
        }
        let yielded = reader.continuation.yield(
            CaptureRecord(
                timeNanoseconds: time.overflow ? .max : time.partialValue, interface: frame.interface,
                direction: frame.direction, originalLength: frame.originalLength, bytes: frame.bytes,
                comment: comment))
        if case .dropped = yielded { readers[id]?.lost += 1 } else { readers[id]?.lost = 0 }
    }
}
