/// Reads integers and byte runs from the front of received bytes; every read that would pass the end answers nil.
///
/// For the control plane, where a message is parsed once and off the hot path. The data plane reads frames through the
/// header views of this module instead.
public struct ByteReader: Sendable {
    /// What has not been read yet.
    public private(set) var remaining: ArraySlice<UInt8>

    /// A reader at the start of `bytes`.
    public init(_ bytes: ArraySlice<UInt8>) { remaining = bytes }
    /// A reader at the start of `bytes`.
    public init(_ bytes: [UInt8]) { remaining = bytes[...] }

    /// Number of bytes not read yet.
    public var count: Int { remaining.count }
    /// Whether everything has been read.
    public var isEmpty: Bool { remaining.isEmpty }

    /// The next octet.
    public mutating func readUInt8() -> UInt8? { remaining.popFirst() }

    /// The next two octets in network byte order.
    public mutating func readUInt16() -> UInt16? {
        guard let bytes = readBytes(2) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt16($1) }
    }

    /// The next four octets in network byte order.
    public mutating func readUInt32() -> UInt32? {
        guard let bytes = readBytes(4) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The next eight octets in network byte order.
    public mutating func readUInt64() -> UInt64? {
        guard let bytes = readBytes(8) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The next `count` octets; nil, with nothing consumed, when fewer are left or `count` is negative.
    public mutating func readBytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= remaining.count else { return nil }
        let bytes = remaining.prefix(count)
        remaining = remaining.dropFirst(count)
        return bytes
    }

    /// Everything that is left.
    public mutating func readRemaining() -> ArraySlice<UInt8> {
        defer { remaining = remaining.dropFirst(remaining.count) }
        return remaining
    }
}
