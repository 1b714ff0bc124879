// UDP (RFC 768).
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-------------------------------+-------------------------------+
//     |          Source port          |       Destination port        |
//     +-------------------------------+-------------------------------+
//     |            Length             |           Checksum            |   Length: header and data
//     +-------------------------------+-------------------------------+
//
// A checksum of 0 says that the sender computed none; a computed 0 is sent as 0xffff. Over IPv6 there has to be one (RFC 8200,
// section 8.1), except between ends of a tunnel that were both set to go without (RFC 6935).

/// A view of a UDP header.
@frozen
public struct UDPHeader {
    /// Octets of the header.
    public static let length = 8
    /// The port that L2TP is served on (RFC 2661, section 8.1).
    public static let l2tpPort: UInt16 = 1701

    @usableFromInline
    let bytes: FrameBytes

    /// The header at the front of `bytes`, an IP packet's payload; nil when it does not fit.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= Self.length else { return nil }
        self.bytes = bytes
    }

    /// Destination port, in host byte order.
    @inlinable @inline(__always)
    public var destinationPort: UInt16 { bytes.uint16(2) }

    /// Source port and destination port as they lie in memory.
    @inlinable @inline(__always)
    public var portsInWireOrder: UInt32 { bytes.wire32(0) }

    /// Octets of header and data, as the header says.
    @inlinable @inline(__always)
    public var datagramLength: Int { Int(bytes.uint16(4)) }

    /// Whether the length field covers the header and no more than the bytes there are.
    @inlinable @inline(__always)
    public var hasSoundLength: Bool { datagramLength >= Self.length && datagramLength <= bytes.count }

    /// Whether the sender computed a checksum.
    @inlinable @inline(__always)
    public var hasChecksum: Bool { bytes.wire16(6) != 0 }

    /// Whether the checksum over IPv4 is right; only where there is one. Addresses as they lie in memory.
    @inlinable @inline(__always)
    public func hasValidChecksum(source: UInt32, destination: UInt32) -> Bool {
        hasValidChecksum(
            pseudoHeaderSum: UInt64(source) &+ UInt64(destination) &+ UInt64(UInt16(IPv4Header.udp).bigEndian))
    }

    /// Whether the checksum is right; only where there is one.
    /// - Parameter pseudoHeaderSum: the sum over the pseudo header's addresses and protocol in wire order, not folded; below 2^48.
    @inlinable @inline(__always)
    public func hasValidChecksum(pseudoHeaderSum: UInt64) -> Bool {
        let datagram = bytes.prefix(datagramLength)
        let length = UInt64(UInt16(truncatingIfNeeded: datagramLength).bigEndian)
        return InternetChecksum.fold(InternetChecksum.sum(datagram) &+ pseudoHeaderSum &+ length) == 0xffff
    }

    /// The data, as long as the header says; all that there is, when the length is not sound.
    @inlinable @inline(__always)
    public var payload: FrameBytes {
        FrameBytes(bytes.start + Self.length, count: (hasSoundLength ? datagramLength : bytes.count) &- Self.length)
    }
}
