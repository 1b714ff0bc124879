// An L2TP data message (RFC 2661, section 3.1) in the form in which nearly all of them come: in an IPv4 packet without options
// that is no fragment, with the length and the ids alone in its header, address and control before the PPP protocol field, and
// nothing behind it. Every field then has its fixed place:
//
//       0  IPv4    45 .. total length     identification          0 or DF, offset 0
//       8          .. 11 checksum         source address          destination address
//      20  UDP     source port  06 a5     length (total - 20)     checksum
//      28  L2TP    40 02 or with P        length (total - 28)     tunnel id    session id
//      36          ff 03
//      38  PPP protocol field
//
// All that is the same in every such message is compared at once. What differs from it anywhere is not this view's business:
// it may be a sound message in another form, or none at all, and `IPv4Header`, `UDPHeader` and `L2TPv2Header` tell which.

/// A view of an IPv4 packet that is a plain L2TP data message.
@frozen
public struct PlainDataMessage {
    /// Octets from the IPv4 header's first to the PPP protocol field.
    public static let headerLength = 38

    @usableFromInline
    let bytes: FrameBytes

    /// The message in the packet at the front of `bytes`; nil when it is not in the plain form, or not sound. The IPv4 header
    /// checksum and the UDP checksum are not looked at.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count > Self.headerLength else { return nil }
        let length = Int(bytes.uint16(2))
        var difference = bytes.wire16(6) & UInt16(0x3fff).bigEndian
        difference |= UInt16((bytes.uint8(0) ^ 0x45) | (bytes.uint8(9) ^ IPv4Header.udp))
        difference |= bytes.wire16(22) ^ UDPHeader.l2tpPort.bigEndian
        difference |= (bytes.wire16(28) & UInt16(0xca0f).bigEndian) ^ UInt16(0x4002).bigEndian
        difference |= bytes.wire16(36) ^ UInt16(0xff03).bigEndian
        // Modulo 2^16; but the total length is at least 39, so none of the three is less than its header.
        difference |= bytes.uint16(24) ^ UInt16(truncatingIfNeeded: length &- 20)
        difference |= bytes.uint16(30) ^ UInt16(truncatingIfNeeded: length &- 28)
        guard difference == 0, length > Self.headerLength, length <= bytes.count else { return nil }
        self.bytes = FrameBytes(bytes.start, count: length)
    }

    /// Whether the IPv4 header checksum is right.
    @inlinable @inline(__always)
    public var hasValidIPChecksum: Bool {
        var sum = UInt64(bytes.wire32(0)) &+ UInt64(bytes.wire32(4)) &+ UInt64(bytes.wire32(8))
        sum &+= UInt64(bytes.wire32(12)) &+ UInt64(bytes.wire32(16))
        return InternetChecksum.fold(sum) == 0xffff
    }

    /// Whether the sender computed a UDP checksum.
    @inlinable @inline(__always)
    public var hasUDPChecksum: Bool { bytes.wire16(26) != 0 }

    /// Source address as it lies in memory.
    @inlinable @inline(__always)
    public var sourceInWireOrder: UInt32 { bytes.wire32(12) }

    /// Destination address as it lies in memory.
    @inlinable @inline(__always)
    public var destinationInWireOrder: UInt32 { bytes.wire32(16) }

    /// Source port and destination port as they lie in memory.
    @inlinable @inline(__always)
    public var portsInWireOrder: UInt32 { bytes.wire32(20) }

    /// Tunnel id, in host byte order.
    @inlinable @inline(__always)
    public var tunnelID: UInt16 { bytes.uint16(32) }

    /// Session id, in host byte order.
    @inlinable @inline(__always)
    public var sessionID: UInt16 { bytes.uint16(34) }

    /// Octets of the PPP frame from its protocol field on, at least one.
    @inlinable @inline(__always)
    public var payloadLength: Int { bytes.count &- Self.headerLength }
}
