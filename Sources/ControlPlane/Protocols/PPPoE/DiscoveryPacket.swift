import Wire

/// A PPPoE discovery packet (RFC 2516 section 4), from the octet after EtherType 0x8863.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-------+-------+---------------+-------------------------------+
///     | ver 1 | type 1|     code      |          session id           |
///     +-------+-------+---------------+-------------------------------+
///     |            length             |  tags: `length` octets
///     +-------------------------------+-------------------------------+
///
/// Whatever an Ethernet frame holds after `length` octets is padding. A value of this type has been checked: every tag
/// lies within the length, and the fields agree with the code.
public struct DiscoveryPacket: Hashable, Sendable {
    /// What a packet is for (RFC 2516 section 5).
    public enum Code: UInt8, Sendable, CaseIterable {
        /// Initiation: a client looks for access concentrators.
        case padi = 0x09
        /// Offer of an access concentrator.
        case pado = 0x07
        /// Request: a client asks one access concentrator for a session.
        case padr = 0x19
        /// Session-confirmation, or the refusal of one.
        case pads = 0x65
        /// Terminate: the session is gone.
        case padt = 0xa7
    }

    /// EtherType of the discovery stage.
    public static let etherType: UInt16 = 0x8863
    /// Octets before the first tag.
    public static let headerLength = 6

    /// What the packet is for.
    public var code: Code
    /// The session; 0 in PADI, PADO, PADR and a PADS that refuses.
    public var sessionID: UInt16
    /// The tags in order, without End-Of-List and what follows it.
    public var tags: [DiscoveryTag]

    /// A packet with these fields.
    public init(code: Code, sessionID: UInt16 = 0, tags: [DiscoveryTag] = []) {
        self.code = code
        self.sessionID = sessionID
        self.tags = tags
    }

    /// The first tag of type `kind`.
    public func first(_ kind: DiscoveryTag.Kind) -> DiscoveryTag? { tags.first { $0.kind == kind } }

    /// Octets on the wire, header included, padding excluded.
    public var encodedLength: Int { tags.reduce(Self.headerLength) { $0 + $1.encodedLength } }

    /// The packet as octets. Tags that the 16-bit length cannot hold any more are left out, the later ones first.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Swift.min(encodedLength, 1500))
        writer.write(0x11 as UInt8)
        writer.write(code.rawValue)
        writer.write(sessionID)
        writer.write(0 as UInt16)
        for tag in tags {
            guard writer.count - Self.headerLength + tag.encodedLength <= Int(UInt16.max) else { break }
            writer.write(tag.kind.rawValue)
            writer.write(UInt16(truncatingIfNeeded: tag.value.count))
            writer.write(tag.value)
        }
        writer.patch(UInt16(truncatingIfNeeded: writer.count - Self.headerLength), at: 4)
        return writer.bytes
    }
}
