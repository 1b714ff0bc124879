import CSegment
import Segment

/// Frames from the control plane to the data plane: into the inject ring, and one ring of the bell for all of a turn.
///
/// A frame that finds the ring full is lost, as on a wire; every protocol that sends here repeats what matters.
final class Outbox {
    private var ring: FrameRingProducer
    private let header: UnsafeMutablePointer<culvert_segment_header>
    private var hasUnannounced = false

    init(view: SegmentView) {
        ring = FrameRingProducer(view.injectRing, mask: view.frameRingMask)
        header = view.header
    }

    func send(_ frame: [UInt8], port: UInt16) {
        let descriptor = FrameDescriptor(
            length: UInt32(clamping: frame.count), port: port, timestamp: culvert_monotonic_ns())
        if ring.append(descriptor, bytes: frame) { hasUnannounced = true }
    }

    /// Wakes the data plane's exchange if there is anything new.
    func flush() {
        guard hasUnannounced else { return }
        hasUnannounced = false
        culvert_doorbell_ring(culvert_inject_doorbell(header), culvert_inject_sleeping(header))
    }
}
