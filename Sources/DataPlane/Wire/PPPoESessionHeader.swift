// PPPoE session stage (RFC 2516, section 4), EtherType 0x8864.
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-------+-------+---------------+-------------------------------+
//     |  VER  | TYPE  |     CODE      |          SESSION_ID           |   VER 1, TYPE 1, CODE 0
//     +-------+-------+---------------+-------------------------------+
//     |            LENGTH             |  PPP: protocol, information   |   LENGTH: octets of PPP
//     +-------------------------------+-------------------------------+
//
// LENGTH counts what follows the header and nothing else: Ethernet padding lies behind it and is not the client's. PPP
// starts with the protocol field; there is no address and control field here.

/// A view of a PPPoE session header.
@frozen
public struct PPPoESessionHeader {
    /// Octets of the header.
    public static let length = 6

    @usableFromInline
    let bytes: FrameBytes

    /// The header at the front of `bytes`; nil when it does not fit.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= Self.length else { return nil }
        self.bytes = bytes
    }

    /// Whether version and type are both 1, as they must be.
    @inlinable @inline(__always)
    public var hasKnownVersion: Bool { bytes.uint8(0) == 0x11 }

    /// Code; 0 in the session stage.
    @inlinable @inline(__always)
    public var code: UInt8 { bytes.uint8(1) }

    /// Session id, in host byte order.
    @inlinable @inline(__always)
    public var sessionID: UInt16 { bytes.uint16(2) }

    /// Session id as it lies in memory.
    @inlinable @inline(__always)
    public var sessionIDInWireOrder: UInt16 { bytes.wire16(2) }

    /// Octets of PPP, as the header says.
    @inlinable @inline(__always)
    public var payloadLength: Int { Int(bytes.uint16(4)) }

    /// Whether the header says more octets than there are.
    @inlinable @inline(__always)
    public var isTruncated: Bool { payloadLength > bytes.count &- Self.length }

    /// The PPP frame from its protocol field on: as long as the header says, and not longer than the bytes there are.
    @inlinable @inline(__always)
    public var payload: FrameBytes {
        FrameBytes(bytes.start + Self.length, count: isTruncated ? bytes.count &- Self.length : payloadLength)
    }
}
