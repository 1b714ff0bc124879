// The IPv6 fragment header (RFC 8200, section 4.5).
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +---------------+---------------+-------------------------+---+-+
//     |  Next header  |   Reserved    |     Fragment offset     |Res|M|   Fragment offset: in units of 8 octets
//     +---------------+---------------+-------------------------+---+-+
//     |                        Identification                         |
//     +---------------------------------------------------------------+
//
// A header with offset 0 and M 0 makes the packet an *atomic fragment* (RFC 6946): it is a whole datagram, whatever other
// fragments have the same identification.

/// A view of an IPv6 fragment header.
@frozen
public struct IPv6FragmentHeader {
    /// Octets of the header.
    public static let length = 8
    /// The next header value that announces it.
    public static let nextHeaderValue: UInt8 = 44

    @usableFromInline
    let bytes: FrameBytes

    /// The header at the front of `bytes`, what follows the IPv6 header; nil when it does not fit.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= Self.length else { return nil }
        self.bytes = bytes
    }

    /// What the datagram's payload starts with.
    @inlinable @inline(__always)
    public var nextHeader: UInt8 { bytes.uint8(0) }

    /// Where the payload belongs in the datagram's, in octets: a multiple of 8, at most 65,528.
    @inlinable @inline(__always)
    public var fragmentOffset: Int { Int(bytes.uint16(2) & 0xfff8) }

    /// Whether this is not the datagram's last fragment (M).
    @inlinable @inline(__always)
    public var hasMoreFragments: Bool { bytes.uint16(2) & 1 != 0 }

    /// Whether the packet is a whole datagram (RFC 6946).
    @inlinable @inline(__always)
    public var isAtomic: Bool { bytes.uint16(2) & 0xfff9 == 0 }

    /// Identification as it lies in memory: what fragments of one datagram have in common.
    @inlinable @inline(__always)
    public var identificationInWireOrder: UInt32 { bytes.wire32(4) }

    /// What follows the header.
    @inlinable @inline(__always)
    public var payload: FrameBytes { bytes.after(Self.length) }
}
