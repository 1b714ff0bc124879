import CSegment

/// The side that takes frames out of a ring: culvertd on the punt ring, the data plane on the inject ring. One at a time.
///
/// A frame is copied out before anybody looks at it, and its length is read once, so a producer that goes on writing
/// changes nothing that has been checked.
public struct FrameRingConsumer: @unchecked Sendable {
    let ring: UnsafeMutablePointer<culvert_frame_ring>
    let mask: UInt64
    /// Our own copy: what the other process writes over the shared word does not move us.
    var index: UInt64

    /// Continues where the ring's last consumer stopped. `mask` is this process's own: depth - 1.
    public init(_ ring: UnsafeMutablePointer<culvert_frame_ring>, mask: UInt64) {
        self.ring = ring
        self.mask = mask
        index = culvert_load_relaxed_u64(FrameRing.consumerWord(ring))
    }

    /// Frames that wait; at most the ring's depth, whatever the producer says.
    public var count: Int {
        Int(truncatingIfNeeded: min(culvert_load_acquire_u64(FrameRing.producerWord(ring)) &- index, mask &+ 1))
    }

    /// Copies the next frame to `buffer` and frees its slot; nil when none waits. A frame that is longer than `buffer` or than
    /// a slot is cut to fit, and its descriptor's length with it.
    public mutating func take(into buffer: UnsafeMutableRawBufferPointer) -> FrameDescriptor? {
        let producer = culvert_load_acquire_u64(FrameRing.producerWord(ring))
        guard producer != index else { return nil }
        // More than `depth` frames cannot be there: the producer is another one than we knew, or lies. Start over with
        // the oldest that can still be.
        if producer &- index > mask &+ 1 { index = producer &- (mask &+ 1) }
        let slot = FrameRing.slot(ring, index, mask: mask)
        let said = culvert_load_relaxed_u32(slot.assumingMemoryBound(to: UInt32.self))
        let length = min(Int(said), FrameRing.capacity, buffer.count)
        if let target = buffer.baseAddress { target.copyMemory(from: slot + 32, byteCount: length) }
        let descriptor = FrameDescriptor(
            length: UInt32(truncatingIfNeeded: length),
            port: slot.load(fromByteOffset: 4, as: UInt16.self),
            puntClass: slot.load(fromByteOffset: 6, as: UInt8.self),
            worker: slot.load(fromByteOffset: 7, as: UInt8.self),
            upstreamSlot: slot.load(fromByteOffset: 8, as: UInt32.self),
            detail: slot.load(fromByteOffset: 12, as: UInt32.self),
            timestamp: slot.load(fromByteOffset: 16, as: UInt64.self),
            capture: CaptureMark(word: slot.load(fromByteOffset: 24, as: UInt64.self)))
        index &+= 1
        culvert_store_release_u64(FrameRing.consumerWord(ring), index)
        return descriptor
    }

    /// The next frame as an array; nil when none waits.
    public mutating func take() -> (descriptor: FrameDescriptor, bytes: [UInt8])? {
        var descriptor: FrameDescriptor?
        let bytes = [UInt8](unsafeUninitializedCapacity: FrameRing.capacity) { buffer, count in
            descriptor = take(into: UnsafeMutableRawBufferPointer(buffer))
            count = Int(descriptor?.length ?? 0)
        }
        return descriptor.map { ($0, bytes) }
    }
}
