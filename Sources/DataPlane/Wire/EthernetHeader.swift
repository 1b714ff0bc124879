// Ethernet II (IEEE 802.3, clause 3.2.6), without preamble and FCS.
//
//    0                   1
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//   +-------------------------------+
//   |                               |
//   |          destination          |
//   |                               |
//   +-------------------------------+
//   |                               |
//   |            source             |
//   |                               |
//   +-------------------------------+
//   |           EtherType           |   or the first tag's TPID, see VLANTags
//   +-------------------------------+
//
// A frame on the wire has at least 60 bytes here; what is shorter is padded, and the padding looks like payload. So the
// payload's own length field decides where it ends, never the frame's length.

/// EtherTypes that Culvert knows, in host byte order.
public enum EtherType {
    /// IPv4.
    public static let ipv4: UInt16 = 0x0800
    /// ARP (RFC 826).
    public static let arp: UInt16 = 0x0806
    /// IPv6.
    public static let ipv6: UInt16 = 0x86dd
    /// C-TAG (IEEE 802.1Q).
    public static let customerTag: UInt16 = 0x8100
    /// S-TAG (IEEE 802.1ad).
    public static let serviceTag: UInt16 = 0x88a8
    /// PPPoE discovery (RFC 2516).
    public static let pppoeDiscovery: UInt16 = 0x8863
    /// PPPoE session (RFC 2516).
    public static let pppoeSession: UInt16 = 0x8864
}

/// A view of an Ethernet header.
@frozen
public struct EthernetHeader {
    /// Octets of the header without tags.
    public static let length = 14

    @usableFromInline
    let bytes: FrameBytes

    /// The header at the front of `bytes`; nil when it does not fit.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= Self.length else { return nil }
        self.bytes = bytes
    }

    /// Destination address.
    @inlinable @inline(__always)
    public var destination: MACAddress { MACAddress(value: bytes.uint64(0) >> 16) }

    /// Source address.
    @inlinable @inline(__always)
    public var source: MACAddress { MACAddress(value: bytes.uint64(6) >> 16) }

    /// The source address's six octets as they lie in memory, in the low 48 bits; the high 16 bits are 0.
    @inlinable @inline(__always)
    public var sourceInWireOrder: UInt64 { bytes.wire64(6) & 0xffff_ffff_ffff }

    /// EtherType, or the TPID of the first tag.
    @inlinable @inline(__always)
    public var etherType: UInt16 { bytes.uint16(12) }

    /// What follows the EtherType.
    @inlinable @inline(__always)
    public var payload: FrameBytes { bytes.after(Self.length) }
}
