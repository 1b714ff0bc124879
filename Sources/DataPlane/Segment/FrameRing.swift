import CSegment

/// The words that travel with a frame through the punt or inject ring (`culvert_frame` without its bytes).
@frozen
public struct FrameDescriptor: Hashable, Sendable {
    /// Octets of the frame, at most `FrameRing.capacity`; without FCS.
    public var length: UInt32
    /// Index of the port it came in on, or is to leave by.
    public var port: UInt16
    /// `PuntClass` as a raw value; 0 on the inject ring.
    public var puntClass: UInt8
    /// The worker that punted it.
    public var worker: UInt8
    /// `PuntClass.pppControl`, `tooBig` and `capture`: the session's upstream slot, else `CULVERT_NO_INDEX`.
    public var upstreamSlot: UInt32
    /// `PuntClass.tooBig`: octets of the largest PPP frame, from the protocol field on, that would have passed; `capture`: octets of
    /// the whole frame; else 0.
    public var detail: UInt32
    /// CLOCK_MONOTONIC in nanoseconds, when the frame was put into the ring; `capture`: when the worker had it.
    public var timestamp: UInt64
    /// `PuntClass.capture`: what the copy says of itself; else empty.
    public var capture: CaptureMark

    /// A descriptor of a frame of `length` octets.
    @inlinable
    public init(
        length: UInt32, port: UInt16, puntClass: UInt8 = 0, worker: UInt8 = 0,
        upstreamSlot: UInt32 = .max, detail: UInt32 = 0, timestamp: UInt64 = 0,
        capture: CaptureMark = CaptureMark()
    ) {
        self.length = length
        self.port = port
        self.puntClass = puntClass
        self.worker = worker
        self.upstreamSlot = upstreamSlot
        self.detail = detail
        self.timestamp = timestamp
        self.capture = capture
    }
}

/// A ring of frames in the segment between one producer in one process and one consumer in the other.
///
/// Indexes run freely and never wrap in practice; a slot is `index & mask`. Neither side trusts the other: each keeps the
/// mask and its own index to itself, so that a peer that scribbles over the ring's words can at most make it lose or invent
/// frames of its own ring, never reach outside of the slots.
public enum FrameRing {
    /// Octets that a slot holds.
    public static let capacity = Int(CULVERT_FRAME_CAPACITY)

    /// Slot `index & mask` of `ring`.
    @inlinable
    static func slot(
        _ ring: UnsafeMutablePointer<culvert_frame_ring>, _ index: UInt64, mask: UInt64
    ) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(ring) + MemoryLayout<culvert_frame_ring>.size
            + Int(truncatingIfNeeded: index & mask) &* MemoryLayout<culvert_frame>.size
    }

    @inlinable
    static func producerWord(_ ring: UnsafeMutablePointer<culvert_frame_ring>) -> UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(ring).assumingMemoryBound(to: UInt64.self)
    }

    @inlinable
    static func consumerWord(_ ring: UnsafeMutablePointer<culvert_frame_ring>) -> UnsafeMutablePointer<UInt64> {
        (UnsafeMutableRawPointer(ring) + 64).assumingMemoryBound(to: UInt64.self)
    }

    @inlinable
    static func droppedWord(_ ring: UnsafeMutablePointer<culvert_frame_ring>) -> UnsafeMutablePointer<UInt64> {
        (UnsafeMutableRawPointer(ring) + 128).assumingMemoryBound(to: UInt64.self)
    }

    @inlinable
    static func droppedCapturesWord(_ ring: UnsafeMutablePointer<culvert_frame_ring>) -> UnsafeMutablePointer<UInt64> {
        (UnsafeMutableRawPointer(ring) + 136).assumingMemoryBound(to: UInt64.self)
    }

    /// Copies for captures that the ring's producer dropped to leave half of the ring to other frames.
    public static func droppedCaptures(_ ring: UnsafeMutablePointer<culvert_frame_ring>) -> UInt64 {
        culvert_load_relaxed_u64(droppedCapturesWord(ring))
    }

    /// Frames that the ring's producer dropped because the ring was full.
    public static func dropped(_ ring: UnsafeMutablePointer<culvert_frame_ring>) -> UInt64 {
        culvert_load_relaxed_u64(droppedWord(ring))
    }
}
