// IPv6 (RFC 8200, section 3).
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-------+---------------+---------------------------------------+
//     |Version| Traffic class |              Flow label               |
//     +-------+---------------+-------+---------------+---------------+
//     |        Payload length         |  Next header  |   Hop limit   |
//     +-------------------------------+---------------+---------------+
//     |                    Source address, 16 octets                  |
//     +---------------------------------------------------------------+
//     |                  Destination address, 16 octets               |
//     +---------------------------------------------------------------+
//
// The payload length counts what follows these 40 octets, extension headers included. The view's check covers the version and
// the payload length: it answers nil unless 40 + payload length <= bytes there are. What lies behind is Ethernet padding.

/// A view of an IPv6 header whose payload length is sound.
@frozen
public struct IPv6Header {
    /// Octets of the header.
    public static let length = 40
    /// Next header value of UDP.
    public static let udp: UInt8 = 17
    /// Next header value of the fragment header (RFC 8200, section 4.5).
    public static let fragment: UInt8 = 44
    /// Next header value of ICMPv6 (RFC 4443).
    public static let icmpv6: UInt8 = 58

    @usableFromInline
    let bytes: FrameBytes

    /// The header at the front of `bytes`; nil unless version and payload length are sound.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= Self.length else { return nil }
        let length = Self.length &+ Int(bytes.uint16(4))
        guard bytes.uint8(0) >> 4 == 6, length <= bytes.count else { return nil }
        self.bytes = FrameBytes(bytes.start, count: length)
    }

    /// What the payload starts with: a protocol, or an extension header.
    @inlinable @inline(__always)
    public var nextHeader: UInt8 { bytes.uint8(6) }

    /// Whether the payload starts with an extension header: hop-by-hop options, routing, fragment, encapsulating security payload,
    /// authentication, destination options (RFC 8200, section 4), mobility, host identity or shim6 (IANA's registry of IPv6
    /// extension header types).
    @inlinable
    public var hasExtensionHeader: Bool {
        switch nextHeader {
        case 0, 43, 44, 50, 51, 60, 135, 139, 140: true
        default: false
        }
    }

    /// Source address.
    @inlinable
    public var source: IPv6Address { IPv6Address(high: bytes.uint64(8), low: bytes.uint64(16)) }

    /// Destination address.
    @inlinable
    public var destination: IPv6Address { IPv6Address(high: bytes.uint64(24), low: bytes.uint64(32)) }

    /// The destination address's two halves as they lie in memory.
    @inlinable @inline(__always)
    public var destinationInWireOrder: (UInt64, UInt64) { (bytes.wire64(24), bytes.wire64(32)) }

    /// The sum over both addresses and the protocol number of UDP in wire order, not folded: the pseudo header (RFC 8200, section
    /// 8.1) without the length.
    @inlinable
    public var udpPseudoHeaderSum: UInt64 {
        InternetChecksum.sum(FrameBytes(bytes.start + 8, count: 32)) &+ UInt64(UInt16(Self.udp).bigEndian)
    }

    /// What follows the header, as long as the payload length says.
    @inlinable @inline(__always)
    public var payload: FrameBytes { bytes.after(Self.length) }
}
