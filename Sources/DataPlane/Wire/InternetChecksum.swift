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
    ///
    /// Words of 32 bits are added up in 64: a carry cannot get lost, and folding brings it back. 64 octets at a time, and for
    /// what is left ever smaller steps, each once; so nothing is read past the end. Inlined, so that it is compiled for the
    /// processor that the caller is compiled for; callers are not inlined in turn.
    @inlinable @inline(__always)
    public static func sum(_ bytes: FrameBytes) -> UInt64 {
        let mask = SIMD4<UInt64>(repeating: 0xffff_ffff)
        var (lanes, others) = (SIMD4<UInt64>.zero, SIMD4<UInt64>.zero)
        var offset = 0
        while offset &+ 64 <= bytes.count {
            let first = bytes.wire256(offset)
            let second = bytes.wire256(offset &+ 32)
            lanes &+= (first & mask) &+ (first &>> 32)
            others &+= (second & mask) &+ (second &>> 32)
            offset &+= 64
        }
        if offset &+ 32 <= bytes.count {
            let words = bytes.wire256(offset)
            lanes &+= (words & mask) &+ (words &>> 32)
            offset &+= 32
        }
        lanes &+= others
        var sum = lanes[0] &+ lanes[1] &+ lanes[2] &+ lanes[3]
        if offset &+ 16 <= bytes.count {
            sum &+= halves(bytes.wire64(offset)) &+ halves(bytes.wire64(offset &+ 8))
            offset &+= 16
        }
        if offset &+ 8 <= bytes.count {
            sum &+= halves(bytes.wire64(offset))
            offset &+= 8
        }
        if offset &+ 4 <= bytes.count {
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

    /// Both halves of a word, added.
    @inlinable @inline(__always)
    static func halves(_ word: UInt64) -> UInt64 { (word & 0xffff_ffff) &+ (word >> 32) }

    /// As `sum`, as a call: for what is short and rare.
    @inline(never)
    public static func sumOutOfLine(_ bytes: FrameBytes) -> UInt64 { sum(bytes) }
}
