import CDPDK
import Wire

/// A frame in a DPDK packet buffer: a handle of one pointer, owned by whoever holds it. There is no reference count; who
/// takes a frame passes it on or frees it, exactly once.
@frozen
public struct PacketBuffer {
    /// DPDK's buffer.
    public let mbuf: OpaquePointer

    /// The handle of `mbuf`.
    @inlinable @inline(__always)
    public init(_ mbuf: OpaquePointer) { self.mbuf = mbuf }

    /// The frame's first byte.
    @inlinable @inline(__always)
    public var start: UnsafeMutableRawPointer { culvert_mbuf_data(mbuf) }

    /// Octets of the frame, without FCS.
    @inlinable @inline(__always)
    public var length: UInt32 { culvert_mbuf_length(mbuf) }

    /// The frame's bytes, as far as they lie in the first segment.
    @inlinable @inline(__always)
    public var bytes: FrameBytes {
        FrameBytes(UnsafeRawPointer(start), count: Int(culvert_mbuf_data_length(mbuf)))
    }

    /// Whether the frame goes on in another buffer.
    @inlinable @inline(__always)
    public var isChained: Bool { culvert_mbuf_data_length(mbuf) != culvert_mbuf_length(mbuf) }

    /// Octets of the buffer in front of the frame.
    @inlinable @inline(__always)
    public var headroom: UInt32 { culvert_mbuf_headroom(mbuf) }

    /// Whether the port has found the IPv4 header checksum right.
    @inlinable @inline(__always)
    public var hasVerifiedIPChecksum: Bool {
        culvert_mbuf_offload_flags(mbuf) & CULVERT_RX_IP_CHECKSUM_MASK == CULVERT_RX_IP_CHECKSUM_GOOD
    }

    /// Whether the port has found the UDP checksum right.
    @inlinable @inline(__always)
    public var hasVerifiedUDPChecksum: Bool {
        culvert_mbuf_offload_flags(mbuf) & CULVERT_RX_L4_CHECKSUM_MASK == CULVERT_RX_L4_CHECKSUM_GOOD
    }

    /// Makes the frame the `length` octets that start `shift` octets behind its present first one (before it, when
    /// negative). The caller has made sure that both ends lie in the buffer.
    @inlinable @inline(__always)
    public func reframe(shift: Int32, length: UInt32) {
        culvert_mbuf_set_frame(mbuf, shift, length)
        culvert_mbuf_clear_offload_flags(mbuf)
    }

    /// Gives the buffer back to its pool.
    @inlinable @inline(__always)
    public func free() { culvert_mbuf_free(mbuf) }
}
