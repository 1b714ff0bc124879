import Wire

/// The Internet checksum of RFC 1071: the one's complement of the one's complement sum of 16-bit words.
struct ChecksumAccumulator {
    private var sum: UInt64 = 0

    /// Adds bytes that start at an even offset of the checked data; an odd number of them is padded with a zero, so
    /// that only the last run may be odd.
    mutating func add(_ bytes: some Sequence<UInt8>) {
        var high = true
        for byte in bytes {
            sum &+= high ? UInt64(byte) << 8 : UInt64(byte)
            high.toggle()
        }
    }

    /// Adds one word.
    mutating func add(_ word: UInt16) { sum &+= UInt64(word) }

    /// Adds the pseudo header of RFC 768, or that of RFC 8200 section 8.1: their sums are made of the same fields.
    mutating func addPseudoHeader(source: IPAddress, destination: IPAddress, protocol number: UInt8, length: UInt32) {
        add(source.octets)
        add(destination.octets)
        sum &+= UInt64(number) &+ UInt64(length >> 16) &+ UInt64(length & 0xffff)
    }

    /// The checksum to write. Over data that includes a right checksum it is 0.
    var value: UInt16 {
        var folded = sum
        while folded > 0xffff { folded = (folded >> 16) + (folded & 0xffff) }
        return ~UInt16(truncatingIfNeeded: folded)
    }
}
