import CDPDK

/// Frames that wait to be handed on, by where they go: a port to be sent on, or a worker that has their session.
///
/// One burst can add more frames than it had: fragments, and frames that waited for their turn. So a buffer holds many bursts,
/// is emptied after each, and refuses what does not fit.
@frozen
public struct FrameBuffers: @unchecked Sendable {
    /// Frames that the buffer of one destination holds, a power of two.
    public static let capacity = 2_048
    /// Frames from which on a buffer is to be emptied before the next burst.
    public static let threshold = Forwarder.burst

    /// Number of destinations.
    public let count: UInt32
    @usableFromInline let counts: UnsafeMutablePointer<UInt32>
    @usableFromInline let slots: UnsafeMutablePointer<OpaquePointer?>

    init(destinations count: UInt32, socket: Int32) throws(AllocationError) {
        self.count = count
        counts = try allocate(max(Int(count), 1), socket: socket)
        slots = try allocate(max(Int(count), 1) * Self.capacity, socket: socket)
    }

    func deallocate() {
        culvert_free(counts)
        culvert_free(slots)
    }

    /// Frames that wait for a destination, which is below `count`.
    @inlinable @inline(__always)
    public func count(_ destination: UInt32) -> Int {
        Int(truncatingIfNeeded: counts[Int(truncatingIfNeeded: destination)])
    }

    /// The frames that wait for a destination, which is below `count`: the first `count(_:)` pointers.
    @inlinable @inline(__always)
    public func frames(_ destination: UInt32) -> UnsafeMutablePointer<OpaquePointer?> {
        slots + Int(truncatingIfNeeded: destination) &* Self.capacity
    }

    /// Forgets the frames that wait for a destination: they were handed on, or are the caller's.
    @inlinable @inline(__always)
    public func removeAll(_ destination: UInt32) { counts[Int(truncatingIfNeeded: destination)] = 0 }

    /// Adds a frame for a destination, which is below `count`; false when the buffer is full, and the frame stays the caller's.
    @inlinable @inline(__always)
    func append(_ frame: PacketBuffer, _ destination: UInt32) -> Bool {
        let destination = Int(truncatingIfNeeded: destination)
        let count = counts[destination]
        guard count < UInt32(Self.capacity) else { return false }
        slots[destination &* Self.capacity &+ Int(truncatingIfNeeded: count)] = frame.mbuf
        counts[destination] = count &+ 1
        return true
    }
}
