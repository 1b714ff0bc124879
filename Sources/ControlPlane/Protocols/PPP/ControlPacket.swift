import Wire

/// The packet that LCP, PAP, CHAP and EAP share (RFC 1661 section 5, RFC 1334 section 2.2, RFC 1994 section 4, RFC 3748
/// section 4).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +---------------+---------------+-------------------------------+
///     |     code      |  identifier   |            length             |
///     +---------------+---------------+-------------------------------+
///     |  data: `length` - 4 octets
///     +---------------------------------------------------------------+
///
/// Octets after `length` are padding.
public struct ControlPacket: Hashable, Sendable {
    /// Why octets are not a control packet.
    public enum DecodeError: String, Error, Sendable, CaseIterable {
        /// Fewer octets than the header has.
        case truncatedHeader = "header cut short"
        /// The length field is less than the header or more than the octets at hand.
        case length = "length does not fit the frame"
    }

    /// What the packet is; its meaning depends on the protocol.
    public var code: UInt8
    /// Matches an answer with its request.
    public var identifier: UInt8
    /// What follows the header, at most 65,531 octets.
    public var data: [UInt8]

    /// A packet with these fields.
    public init(code: UInt8, identifier: UInt8, data: [UInt8] = []) {
        self.code = code
        self.identifier = identifier
        self.data = data
    }

    /// Checks and reads a packet at the start of `bytes`.
    public init(parsing bytes: ArraySlice<UInt8>) throws(DecodeError) {
        var reader = ByteReader(bytes)
        guard let code = reader.readUInt8(), let identifier = reader.readUInt8(), let length = reader.readUInt16()
        else { throw .truncatedHeader }
        guard length >= 4, let data = reader.readBytes(Int(length) - 4) else { throw .length }
        self.init(code: code, identifier: identifier, data: Array(data))
    }

    /// The packet as octets; data beyond 65,531 octets is cut off.
    public func encoded() -> [UInt8] {
        let data = data.prefix(Int(UInt16.max) - 4)
        var writer = ByteWriter(capacity: data.count + 4)
        writer.write(code)
        writer.write(identifier)
        writer.write(UInt16(truncatingIfNeeded: data.count + 4))
        writer.write(data)
        return writer.bytes
    }
}
