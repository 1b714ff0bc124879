// IPv4 (RFC 791, section 3.1).
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-------+-------+---------------+-------------------------------+
//     |Version|  IHL  | Traffic class |         Total length          |
//     +-------+-------+---------------+-----+-------------------------+
//     |        Identification         |0|D|M|     Fragment offset     |
//     +---------------+---------------+-----+-------------------------+
//     | Time to live  |   Protocol    |        Header checksum        |
//     +---------------+---------------+-------------------------------+
//     |                        Source address                         |
//     +---------------------------------------------------------------+
//     |                      Destination address                      |
//     +---------------------------------------------------------------+
//     |                Options, IHL - 5 words of them                 |
//     +---------------------------------------------------------------+
//
// The view's check covers the version, IHL and total length together: it answers nil unless
// 20 <= 4 * IHL <= total length <= bytes there are. What lies behind the total length is Ethernet padding.

/// A view of an IPv4 header whose lengths are sound.
@frozen
public struct IPv4Header {
    /// Octets of a header without options.
    public static let minimumLength = 20
    /// Protocol number of UDP.
    public static let udp: UInt8 = 17

    @usableFromInline
    let bytes: FrameBytes
    /// Octets of the header with its options, 20 to 60.
    public let length: Int

    /// The header at the front of `bytes`; nil unless version, header length and total length are sound.
    @inlinable @inline(__always)
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= Self.minimumLength else { return nil }
        let versionAndLength = bytes.uint8(0)
        let length = Int(versionAndLength & 15) &* 4
        let total = Int(bytes.uint16(2))
        guard versionAndLength >> 4 == 4, length >= Self.minimumLength, length <= total, total <= bytes.count else {
            return nil
        }
        self.bytes = FrameBytes(bytes.start, count: total)
        self.length = length
    }

    /// Whether the header checksum is right.
    @inlinable @inline(__always)
    public var hasValidChecksum: Bool {
        var sum = UInt64(bytes.wire32(0)) &+ UInt64(bytes.wire32(4)) &+ UInt64(bytes.wire32(8))
        sum &+= UInt64(bytes.wire32(12)) &+ UInt64(bytes.wire32(16))
        if length > Self.minimumLength {
            sum &+= InternetChecksum.sumOutOfLine(
                FrameBytes(bytes.start + Self.minimumLength, count: length &- Self.minimumLength))
        }
        return InternetChecksum.fold(sum) == 0xffff
    }

    /// Whether this is one part of a larger packet: more fragments follow, or it is not the first.
    @inlinable @inline(__always)
    public var isFragment: Bool { bytes.uint16(6) & 0x3fff != 0 }

    /// Protocol of the payload.
    @inlinable @inline(__always)
    public var payloadProtocol: UInt8 { bytes.uint8(9) }

    /// Source address as it lies in memory.
    @inlinable @inline(__always)
    public var sourceInWireOrder: UInt32 { bytes.wire32(12) }

    /// Destination address as it lies in memory.
    @inlinable @inline(__always)
    public var destinationInWireOrder: UInt32 { bytes.wire32(16) }

    /// What follows the header, up to the total length.
    @inlinable @inline(__always)
    public var payload: FrameBytes { bytes.after(length) }
}
