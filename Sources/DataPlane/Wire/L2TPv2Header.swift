// L2TPv2 (RFC 2661, section 3.1).
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-------+-------------------------------+
//     |T|L|x|x|S|x|O|P|x|x|x|x|  Ver  |          Length (L)           |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-------+-------------------------------+
//     |           Tunnel ID           |          Session ID           |
//     +-------------------------------+-------------------------------+
//     |            Ns (S)             |            Nr (S)             |
//     +-------------------------------+-------------------------------+
//     |        Offset size (O)        |  Offset pad ...               |
//     +-------------------------------+-------------------------------+
//
// T: control message. L, S, O: the fields so marked are there. P: priority, nothing to parse. x: reserved, ignored on
// receipt. Ver is 2. A data message may have any mixture of L, S, O and P; so the header has 6 to 14 octets and then as
// many octets of pad as the offset size says (section 3.1: the pad belongs to the header and its content is undefined).
// Length counts the whole message from the flags on; what lies behind it in the datagram is not part of the message.

/// A view of an L2TPv2 message's header.
@frozen
public struct L2TPv2Header {
    /// Octets of the shortest data header.
    public static let minimumLength = 6

    @usableFromInline
    let bytes: FrameBytes
    /// The flags and the version, in host byte order.
    public let flags: UInt16

    /// The message in `bytes`, a datagram's payload; nil when not even the flags fit.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= 2 else { return nil }
        self.bytes = bytes
        flags = bytes.uint16(0)
    }

    /// Version; 2 for L2TPv2.
    @inlinable @inline(__always)
    public var version: UInt16 { flags & 15 }

    /// Whether this is a control message (T).
    @inlinable @inline(__always)
    public var isControl: Bool { flags & 0x8000 != 0 }

    /// Tunnel id, in host byte order; nil when the message ends before it.
    @inlinable
    public var tunnelID: UInt16? {
        let offset = flags & 0x4000 != 0 ? 4 : 2
        return offset &+ 2 <= bytes.count ? bytes.uint16(offset) : nil
    }

    /// Ns, in host byte order; nil when there is none (S), or the message ends before it.
    @inlinable
    public var sequenceNumber: UInt16? {
        let offset = flags & 0x4000 != 0 ? 8 : 6
        return flags & 0x0800 != 0 && offset &+ 2 <= bytes.count ? bytes.uint16(offset) : nil
    }
}

/// A view of an L2TPv2 data message.
@frozen
public struct L2TPv2DataHeader {
    /// Why a message is no data message.
    @frozen
    public enum Fault {
        /// The header's fields do not fit.
        case short
        /// The length field is less than the header or more than the datagram.
        case length
        /// The offset pad exceeds the message.
        case offset
    }

    /// Tunnel id, in host byte order.
    public let tunnelID: UInt16
    /// Session id, in host byte order.
    public let sessionID: UInt16
    /// Whether the message has sequence numbers (S).
    public let isSequenced: Bool
    /// Ns and Nr, in host byte order, from high to low halves (RFC 2661, section 5.4); 0 unless `isSequenced`.
    public let sequence: UInt32
    /// What follows the header and its pad, up to the message's length.
    public let payload: FrameBytes

    /// The header of `message`, whose T bit is not set. Sets `fault` and answers nil when it does not hold together.
    @inlinable @inline(__always)
    public init?(_ message: L2TPv2Header, fault: inout Fault) {
        // Nearly every message has no field but the ids, or the length alone. With these told apart by a branch, nothing that
        // follows waits for arithmetic on the flags.
        switch message.flags & 0x4a00 {
        case 0x4000: self.init(message, hasLength: true, hasOffset: false, isSequenced: false, fault: &fault)
        case 0: self.init(message, hasLength: false, hasOffset: false, isSequenced: false, fault: &fault)
        default:
            self.init(
                message, hasLength: message.flags & 0x4000 != 0, hasOffset: message.flags & 0x0200 != 0,
                isSequenced: message.flags & 0x0800 != 0, fault: &fault)
        }
    }

    /// The header with these fields.
    @inlinable @inline(__always)
    init?(_ message: L2TPv2Header, hasLength: Bool, hasOffset: Bool, isSequenced: Bool, fault: inout Fault) {
        let bytes = message.bytes
        let idOffset = hasLength ? 4 : 2
        var headerLength = idOffset &+ 4 &+ (isSequenced ? 4 : 0) &+ (hasOffset ? 2 : 0)
        guard bytes.count >= headerLength else {
            fault = .short
            return nil
        }
        var end = bytes.count
        if hasLength {
            let length = Int(bytes.uint16(2))
            guard length >= headerLength, length <= end else {
                fault = .length
                return nil
            }
            end = length
        }
        if hasOffset {
            let pad = Int(bytes.uint16(headerLength &- 2))
            guard pad <= end &- headerLength else {
                fault = .offset
                return nil
            }
            headerLength &+= pad
        }
        tunnelID = bytes.uint16(idOffset)
        sessionID = bytes.uint16(idOffset &+ 2)
        self.isSequenced = isSequenced
        sequence =
            isSequenced ? UInt32(bytes.uint16(idOffset &+ 4)) << 16 | UInt32(bytes.uint16(idOffset &+ 6)) : 0
        payload = FrameBytes(bytes.start + headerLength, count: end &- headerLength)
    }
}
