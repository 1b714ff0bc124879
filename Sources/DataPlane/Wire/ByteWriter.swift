/// Builds a message: integers in network byte order, one after the other.
public struct ByteWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8]

    /// An empty writer with room for `capacity` bytes.
    public init(capacity: Int = 128) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Number of bytes written so far.
    public var count: Int { bytes.count }

    /// Appends one octet.
    public mutating func write(_ value: UInt8) { bytes.append(value) }

    /// Appends an integer in network byte order.
    public mutating func write<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    public mutating func write(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

    /// Appends a string's UTF-8.
    public mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Puts `value`, in network byte order, over the two bytes at `offset`, which must have been written before; for
    /// length fields that are known last. Nothing happens when `offset` lies outside.
    public mutating func patch(_ value: UInt16, at offset: Int) {
        guard offset >= 0, offset <= bytes.count - 2 else { return }
        bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
