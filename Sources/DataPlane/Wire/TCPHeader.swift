// TCP (RFC 9293, section 3.1).
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-------------------------------+-------------------------------+
//     |          Source port          |       Destination port        |
//     +-------------------------------+-------------------------------+
//     |                        Sequence number                        |
//     +---------------------------------------------------------------+
//     |                     Acknowledgment number                     |
//     +-------+-------+-+-+-+-+-+-+-+-+-------------------------------+
//     | Offset|  Rsv  |C|E|U|A|P|R|S|F|            Window             |
//     +-------+-------+-+-+-+-+-+-+-+-+-------------------------------+
//     |           Checksum            |        Urgent pointer         |
//     +-------------------------------+-------------------------------+
//     |                Options, Offset - 5 words of them              |
//     +---------------------------------------------------------------+
//
// An option is one octet (0: end of the list, 1: no operation), or kind, length and data, the length counting all three.
// Kind 2 is the maximum segment size, of length 4; it belongs into segments with SYN only.

/// A view of a TCP header whose length is sound: 20 <= 4 * Offset <= bytes there are.
@frozen
public struct TCPHeader {
    /// Octets of a header without options.
    public static let minimumLength = 20
    /// Protocol number of TCP.
    public static let protocolNumber: UInt8 = 6

    /// The header with its options, and nothing behind it.
    @usableFromInline
    let bytes: FrameBytes

    /// The header at the front of `bytes`; nil unless its length is sound.
    @inlinable
    public init?(_ bytes: FrameBytes) {
        guard bytes.count >= Self.minimumLength else { return nil }
        let length = Int(bytes.uint8(12) >> 4) &* 4
        guard length >= Self.minimumLength, length <= bytes.count else { return nil }
        self.bytes = bytes.prefix(length)
    }

    /// Whether the segment opens a connection or answers one that does (SYN).
    @inlinable
    public var isSYN: Bool { bytes.uint8(13) & 2 != 0 }
}
