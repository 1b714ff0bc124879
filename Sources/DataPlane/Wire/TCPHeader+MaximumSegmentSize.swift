// Lowering the maximum segment size that a SYN offers: a router that knows of a narrower way than the ends do tells them so
// (RFC 2923 calls the need by its name; RFC 6691 says what the number means).

extension TCPHeader {
    private static var endOfOptions: UInt8 { 0 }
    private static var noOperation: UInt8 { 1 }
    private static var maximumSegmentSize: UInt8 { 2 }

    /// Lowers each maximum segment size option above `limit` to it, and mends the checksum for that (RFC 1624, equation 3). The
    /// header must lie in memory that may be written. Options that do not hold together end the walk, and stay as they are.
    /// - Returns: whether there was one.
    public func lowerMaximumSegmentSize(to limit: UInt16) -> Bool {
        var isLowered = false
        var offset = Self.minimumLength
        while offset < bytes.count {
            let kind = bytes.uint8(offset)
            if kind == Self.endOfOptions { break }
            if kind == Self.noOperation {
                offset &+= 1
                continue
            }
            guard offset &+ 2 <= bytes.count else { break }
            let length = Int(bytes.uint8(offset &+ 1))
            guard length >= 2, length <= bytes.count &- offset else { break }
            if kind == Self.maximumSegmentSize, length == 4, bytes.uint16(offset &+ 2) > limit {
                replace(offset &+ 2, limit)
                isLowered = true
            }
            offset &+= length
        }
        return isLowered
    }

    /// Writes a 16-bit field at `offset`, and the checksum that goes with it.
    private func replace(_ offset: Int, _ value: UInt16) {
        let header = UnsafeMutableRawPointer(mutating: bytes.start)
        var (old, new) = (bytes.wire16(offset), value.bigEndian)
        header.storeBytes(of: new, toByteOffset: offset, as: UInt16.self)
        // At an odd place the field's first octet is the second one of a word, and its second octet the first one of the next:
        // in the sum of words the field stands with its octets changed over (RFC 1071, section 2 (B)).
        if offset & 1 != 0 { (old, new) = (old.byteSwapped, new.byteSwapped) }
        let sum = UInt64(~bytes.wire16(16)) &+ UInt64(~old) &+ UInt64(new)
        header.storeBytes(of: ~InternetChecksum.fold(sum), toByteOffset: 16, as: UInt16.self)
    }
}
