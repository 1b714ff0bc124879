/// The bytes that a header view stands on: an address and how many bytes may be read from it.
///
/// The views of this module share one contract. Their failable initialiser checks, once and completely, that the fixed part
/// of the header lies within the bytes; after that every accessor is total: it cannot fail, trap or read past the end.
/// What a field *says* (a length, a version) is the caller's to judge, with the property that the view has for it.
/// A view holds no reference and copies nothing: it is an address and a length in two registers.
@frozen
public struct FrameBytes {
    /// The first byte.
    public let start: UnsafeRawPointer
    /// Readable bytes from `start` on, not negative.
    public let count: Int

    /// `count` bytes at `start`, all of them readable.
    @inlinable @inline(__always)
    public init(_ start: UnsafeRawPointer, count: Int) {
        self.start = start
        self.count = count
    }

    /// What follows the first `offset` bytes; nothing when there are fewer.
    @inlinable @inline(__always)
    public func dropping(_ offset: Int) -> FrameBytes {
        offset <= count ? FrameBytes(start + offset, count: count &- offset) : FrameBytes(start + count, count: 0)
    }

    /// At most the first `length` bytes.
    @inlinable @inline(__always)
    public func prefix(_ length: Int) -> FrameBytes { FrameBytes(start, count: length < count ? length : count) }

    /// What follows the first `offset` bytes, where the caller has checked that there are so many. A view that clamps what is
    /// known already makes every later address wait for a comparison.
    @inlinable @inline(__always)
    func after(_ offset: Int) -> FrameBytes { FrameBytes(start + offset, count: count &- offset) }

    // Loads at an offset that the caller has checked.

    @inlinable @inline(__always)
    func uint8(_ offset: Int) -> UInt8 { start.load(fromByteOffset: offset, as: UInt8.self) }

    @inlinable @inline(__always)
    func uint16(_ offset: Int) -> UInt16 { start.loadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian }

    @inlinable @inline(__always)
    func wire16(_ offset: Int) -> UInt16 { start.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }

    @inlinable @inline(__always)
    func wire32(_ offset: Int) -> UInt32 { start.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }

    @inlinable @inline(__always)
    func uint64(_ offset: Int) -> UInt64 { start.loadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian }

    @inlinable @inline(__always)
    func wire64(_ offset: Int) -> UInt64 { start.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }

    @inlinable @inline(__always)
    func wire256(_ offset: Int) -> SIMD4<UInt64> {
        start.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
    }
}
