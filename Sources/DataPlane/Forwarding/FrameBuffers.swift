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

    /// Most destinations.
    public static let destinationLimit = 64

    /// How many frames wait, by destination, in `destinationLimit` words of 32 bits; behind them the frames. One pointer,
    /// since the forwarder's value is copied on the way to each burst.
    @usableFromInline let memory: UnsafeMutableRawPointer

    /// Buffers for `count` destinations, at most `destinationLimit`.
    init(destinations count: UInt32, socket: Int32) throws(AllocationError) {
        precondition(count <= UInt32(Self.destinationLimit))
        let words: UnsafeMutablePointer<UInt64> = try allocate(
            Self.destinationLimit / 2 + max(Int(count), 1) * Self.capacity, socket: socket)
        memory = UnsafeMutableRawPointer(words)
    }

    func deallocate() { culvert_free(memory) }

    @inlinable @inline(__always)
    var counts: UnsafeMutablePointer<UInt32> { memory.assumingMemoryBound(to: UInt32.self) }

    /// Frames that wait for a destination, which is one of its own.
    @inlinable @inline(__always)
    public func count(_ destination: UInt32) -> Int {
        Int(truncatingIfNeeded: counts[Int(truncatingIfNeeded: destination)])
    }

    /// The frames that wait for a destination, which is one of its own: the first `count(_:)` pointers.
    @inlinable @inline(__always)
    public func frames(_ destination: UInt32) -> UnsafeMutablePointer<OpaquePointer?> {
        (memory + 4 &* Self.destinationLimit).assumingMemoryBound(to: OpaquePointer?.self)
            + Int(truncatingIfNeeded: destination) &* Self.capacity
    }

    /// Forgets the frames that wait for a destination: they were handed on, or are the caller's.
    @inlinable @inline(__always)
    public func removeAll(_ destination: UInt32) { counts[Int(truncatingIfNeeded: destination)] = 0 }

    /// Adds a frame for a destination, which is one of its own; false when the buffer is full, and the frame stays the caller's.
    @inlinable @inline(__always)
    func append(_ frame: PacketBuffer, _ destination: UInt32) -> Bool {
        let count = counts[Int(truncatingIfNeeded: destination)]
        guard count < UInt32(Self.capacity) else { return false }
        frames(destination)[Int(truncatingIfNeeded: count)] = frame.mbuf
        counts[Int(truncatingIfNeeded: destination)] = count &+ 1
        return true
    }
}
