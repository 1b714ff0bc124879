// The front of a PPP frame (RFC 1661, section 2) on the two sides of Culvert.
//
//   PPPoE:                  +----------+-------------+------------------
//                           | Protocol 8/16 bits     |  Information ...
//                           +----------+-------------+------------------
//   L2TP:       +-----------+----------+-------------+------------------
//               | ff 03     | Protocol 8/16 bits     |  Information ...
//               +-----------+----------+-------------+------------------
//
// - Address and control (ff 03) may be left out of what a peer sends through a tunnel (address and control field
//   compression, section 6.6). It never is a protocol: 0xff03 is odd only in its second octet, but its first octet is odd,
//   which the protocol numbering forbids.
// - The protocol field is one octet when it was compressed (section 6.5): an odd first octet is the whole field.
//   Whether the client and the LNS use that is their business; the octets cross as they are.

/// A view of the front of a PPP frame.
@frozen
public struct PPPProtocolField {
    /// 0x0021, IPv4.
    public static let ipv4: UInt16 = 0x0021
    /// 0x0057, IPv6.
    public static let ipv6: UInt16 = 0x0057

    /// The protocol, in host byte order.
    public let value: UInt16
    /// What follows the field.
    public let information: FrameBytes

    /// The field at the front of `bytes`; nil when it does not fit.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= 1 else { return nil }
        let first = bytes.uint8(0)
        if first & 1 == 1 {
            value = UInt16(first)
            information = bytes.after(1)
        } else {
            guard bytes.count >= 2 else { return nil }
            value = bytes.uint16(0)
            information = bytes.after(2)
        }
    }

    /// `bytes` without an address and control field at their front.
    @inlinable @inline(__always)
    public static func strippingAddressAndControl(_ bytes: FrameBytes) -> FrameBytes {
        bytes.count >= 2 && bytes.uint16(0) == 0xff03 ? bytes.after(2) : bytes
    }

    /// The octet of the IP packet behind the field that carries DSCP and ECN; nil when it is not an IP packet.
    @inlinable
    public var trafficClass: UInt8? {
        guard information.count >= 2 else { return nil }
        let (first, second) = (information.uint8(0), information.uint8(1))
        if value == Self.ipv4, first >> 4 == 4 { return second }
        if value == Self.ipv6, first >> 4 == 6 { return first << 4 | second >> 4 }
        return nil
    }
}
