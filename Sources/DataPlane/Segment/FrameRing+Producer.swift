import CSegment

/// The side that puts frames into a ring: the data plane on the punt ring, culvertd on the inject ring. One at a time.
public struct FrameRingProducer: @unchecked Sendable {
    let ring: UnsafeMutablePointer<culvert_frame_ring>
    let mask: UInt64
    /// Our own copy: what the other process writes over the shared word does not move us.
    var index: UInt64

    /// Continues where the ring's last producer stopped. `mask` is this process's own: depth - 1.
    public init(_ ring: UnsafeMutablePointer<culvert_frame_ring>, mask: UInt64) {
        self.ring = ring
        self.mask = mask
        index = culvert_load_relaxed_u64(FrameRing.producerWord(ring))
    }

    /// Whether a frame more would find room.
    public var hasRoom: Bool { index &- culvert_load_acquire_u64(FrameRing.consumerWord(ring)) <= mask }

    /// Copies a captured session's frame in, as long as half of the ring is left to other frames. False, and counted in the
    /// ring, when it is not.
    public mutating func appendCapture(_ descriptor: FrameDescriptor, bytes: UnsafeRawBufferPointer) -> Bool {
        guard index &- culvert_load_acquire_u64(FrameRing.consumerWord(ring)) <= mask / 2 else {
            culvert_add_single_writer_u64(FrameRing.droppedCapturesWord(ring), 1)
            return false
        }
        return append(descriptor, bytes: bytes)
    }

    /// Copies a frame in that is beyond its sender's share, as long as half of the ring is left to other frames. False, and counted in
    /// the ring, when it is not.
    public mutating func appendBeyondShare(_ descriptor: FrameDescriptor, bytes: UnsafeRawBufferPointer) -> Bool {
        guard index &- culvert_load_acquire_u64(FrameRing.consumerWord(ring)) <= mask / 2 else {
            culvert_add_single_writer_u64(FrameRing.droppedWord(ring), 1)
            return false
        }
        return append(descriptor, bytes: bytes)
    }

    /// Copies a frame in and shows it to the consumer. False, and counted in the ring, when the ring is full; false as well
    /// when `bytes` is longer than a slot. `descriptor.length` is taken from `bytes`.
    public mutating func append(_ descriptor: FrameDescriptor, bytes: UnsafeRawBufferPointer) -> Bool {
        let used = index &- culvert_load_acquire_u64(FrameRing.consumerWord(ring))
        guard used <= mask, bytes.count <= FrameRing.capacity else {
            culvert_add_single_writer_u64(FrameRing.droppedWord(ring), 1)
            return false
        }
        let slot = FrameRing.slot(ring, index, mask: mask)
        slot.storeBytes(of: UInt32(truncatingIfNeeded: bytes.count), as: UInt32.self)
        slot.storeBytes(of: descriptor.port, toByteOffset: 4, as: UInt16.self)
        slot.storeBytes(of: descriptor.puntClass, toByteOffset: 6, as: UInt8.self)
        slot.storeBytes(of: descriptor.worker, toByteOffset: 7, as: UInt8.self)
        slot.storeBytes(of: descriptor.upstreamSlot, toByteOffset: 8, as: UInt32.self)
        slot.storeBytes(of: descriptor.detail, toByteOffset: 12, as: UInt32.self)
        slot.storeBytes(of: descriptor.timestamp, toByteOffset: 16, as: UInt64.self)
        slot.storeBytes(of: descriptor.capture.word, toByteOffset: 24, as: UInt64.self)
        if let first = bytes.baseAddress { (slot + 32).copyMemory(from: first, byteCount: bytes.count) }
        index &+= 1
        culvert_store_release_u64(FrameRing.producerWord(ring), index)
        return true
    }

    /// Copies a frame in and shows it to the consumer.
    public mutating func append(_ descriptor: FrameDescriptor, bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { append(descriptor, bytes: $0) }
    }
}
