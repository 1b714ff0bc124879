import Wire

/// The header of an L2TPv2 control message (RFC 2661, section 3.1).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |T|L|x|x|S|x|O|P|x|x|x|x|  Ver  |             Length            |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |           Tunnel ID           |           Session ID          |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |               Ns              |               Nr              |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///
/// A control message has T, L and S set, O and P clear, and version 2; the bits marked x are ignored on receipt. Ids are
/// those that the *receiver* assigned. A message whose body is empty is a ZLB: an acknowledgement and nothing else.
public struct ControlHeader: Hashable, Sendable {
    /// Octets of the header.
    public static let length = 12

    /// The receiver's tunnel id; 0 in SCCRQ, and in StopCCN to a peer whose id is not known.
    public var tunnelID: UInt16
    /// The receiver's session id; 0 where the message concerns the tunnel, or the id is not known.
    public var sessionID: UInt16
    /// Sequence number of this message; in a ZLB, of the next message.
    public var ns: UInt16
    /// Sequence number of the message that the sender expects next: all before it are acknowledged.
    public var nr: UInt16

    /// A header of these ids and sequence numbers.
    public init(tunnelID: UInt16, sessionID: UInt16, ns: UInt16, nr: UInt16) {
        self.tunnelID = tunnelID
        self.sessionID = sessionID
        self.ns = ns
        self.nr = nr
    }

    /// Why a datagram has no usable control header; such a datagram is dropped (RFC 2661, section 7.1).
    public enum Fault: Error, Hashable, Sendable {
        /// Fewer than twelve octets.
        case truncated
        /// The T bit is clear: a data message.
        case notControl
        /// A version other than 2: L2F has 1, L2TPv3 has 3.
        case version(UInt8)
        /// L or S clear, or O or P set.
        case flags
        /// The Length field is shorter than the header, or longer than the datagram.
        case length(UInt16)
    }

    /// Checks the header at the front of a UDP payload and answers it with the body: the octets that Length encloses.
    /// Octets after these are not part of the message.
    public static func decode(_ datagram: ArraySlice<UInt8>) throws(Fault) -> (ControlHeader, body: ArraySlice<UInt8>) {
        var reader = ByteReader(datagram)
        guard let flags = reader.readUInt16(), let length = reader.readUInt16(), let tunnelID = reader.readUInt16(),
            let sessionID = reader.readUInt16(), let ns = reader.readUInt16(), let nr = reader.readUInt16()
        else { throw .truncated }
        guard flags & 0x8000 != 0 else { throw .notControl }
        guard flags & 0x000f == 2 else { throw .version(UInt8(flags & 0x000f)) }
        guard flags & 0x4b00 == 0x4800 else { throw .flags }
        guard let bodyLength = Int(exactly: length).map({ $0 - Self.length }), let body = reader.readBytes(bodyLength)
        else { throw .length(length) }
        return (ControlHeader(tunnelID: tunnelID, sessionID: sessionID, ns: ns, nr: nr), body)
    }

    /// The message of this header and `body`; nil when it is longer than the 65,535 octets that Length can say.
    public func encode(body: some Collection<UInt8>) -> [UInt8]? {
        guard let length = UInt16(exactly: Self.length + body.count) else { return nil }
        var writer = ByteWriter(capacity: Int(length))
        writer.write(UInt16(0xc802))
        for field in [length, tunnelID, sessionID, ns, nr] { writer.write(field) }
        writer.write(body)
        return writer.bytes
    }
}
