// The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words.
//
// The sum is the same in either byte order as long as all of it is taken in one (section 2 (B)), so words are added as
// they lie in memory ("wire order"), and the result is stored as it is, with no swap.

/// Sums for the Internet checksum.
public enum InternetChecksum {
    /// `sum` folded to 16 bits: the end-around carries added.
    @inlinable @inline(__always)
    public static func fold(_ sum: UInt64) -> UInt16 {
        var folded = (sum & 0xffff_ffff) &+ (sum >> 32)
        folded = (folded & 0xffff) &+ (folded >> 16)
        folded = (folded & 0xffff) &+ (folded >> 16)
        folded = (folded & 0xffff) &+ (folded >> 16)
        return UInt16(truncatingIfNeeded: folded)
    }

    /// The sum of `bytes`' words in wire order, not folded. An odd last octet counts as a word whose second octet is 0.
    @inlinable
    public static func sum(_ bytes: FrameBytes) -> UInt64 {
        var sum: UInt64 = 0
        var offset = 0
        while offset &+ 4 <= bytes.count {
            sum &+= UInt64(bytes.wire32(offset))
            offset &+= 4
        }
        if offset &+ 2 <= bytes.count {
            sum &+= UInt64(bytes.wire16(offset))
            offset &+= 2
        }
        if offset < bytes.count { sum &+= UInt64(UInt16(bytes.uint8(offset)).littleEndian) }
        return sum
    }
}
