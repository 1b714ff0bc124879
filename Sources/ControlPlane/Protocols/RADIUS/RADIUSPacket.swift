import Wire

/// A RADIUS packet that was received (RFC 2865 section 3).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |     Code      |  Identifier   |            Length             |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                  Authenticator, sixteen octets                |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |  Attributes ...
///     +-+-+-+-+-+-+-+-+-+-+-+-+-
///
/// Length counts all of it, 20 to 4,096 octets; what a datagram holds behind it is padding. A value of this type has been
/// checked: every attribute lies within the length. Who sent it is not known before its authenticators were checked.
public struct RADIUSPacket: Sendable {
    /// Octets before the first attribute.
    public static let headerLength = 20
    /// The longest packet, in octets.
    public static let longest = 4096

    /// Why a datagram is no RADIUS packet; such a one is dropped without an answer.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        /// Fewer octets than the header has.
        case truncated
        /// The Length field is shorter than the header, longer than RADIUS allows, or longer than the datagram.
        case length(UInt16)
        /// An attribute shorter than its own header, or one that runs past the end.
        case attributes
        /// A Message-Authenticator that is not of sixteen octets, or two of them.
        case messageAuthenticator

        /// In words, for logs and `show`.
        public var description: String {
            switch self {
            case .truncated: "header cut short"
            case .length(let length): "length field says \(length) octets"
            case .attributes: "attribute length is wrong"
            case .messageAuthenticator: "Message-Authenticator is malformed or there twice"
            }
        }
    }

    /// What it is.
    public let code: RADIUSCode
    /// Matches an answer with its request.
    public let identifier: UInt8
    /// The field as it came.
    public let authenticator: RADIUSAuthenticator
    /// The attributes, Message-Authenticator among them.
    public let attributes: RADIUSAttributes

    /// The whole packet, without padding.
    let bytes: [UInt8]
    /// Where the value of Message-Authenticator begins in `bytes`.
    let messageAuthenticatorOffset: Int?

    /// Checks and reads a UDP payload.
    public init(decoding datagram: ArraySlice<UInt8>) throws(Fault) {
        var reader = ByteReader(datagram)
        guard let code = reader.readUInt8(), let identifier = reader.readUInt8(), let length = reader.readUInt16(),
            let authenticator = reader.readBytes(16).flatMap({ RADIUSAuthenticator($0) })
        else { throw .truncated }
        guard (Self.headerLength...Self.longest).contains(Int(length)),
            let body = reader.readBytes(Int(length) - Self.headerLength)
        else { throw .length(length) }
        guard let attributes = RADIUSAttributes(decoding: body) else { throw .attributes }
        self.code = RADIUSCode(rawValue: code)
        self.identifier = identifier
        self.authenticator = authenticator
        self.attributes = attributes
        bytes = Array(datagram.prefix(Int(length)))
        guard !attributes.invalid.contains(.messageAuthenticator), attributes.all(.messageAuthenticator).count < 2
        else {
            throw .messageAuthenticator
        }
        messageAuthenticatorOffset = Self.offset(of: .messageAuthenticator, in: bytes)
    }

    /// Where the value of the first attribute of that kind begins, in a packet whose attributes were checked.
    private static func offset(of attribute: RADIUSAttribute, in bytes: [UInt8]) -> Int? {
        var reader = ByteReader(bytes[headerLength...])
        while let number = reader.readUInt8(), let length = reader.readUInt8() {
            if number == attribute.number { return bytes.count - reader.count }
            guard reader.readBytes(Int(length) - 2) != nil else { return nil }
        }
        return nil
    }
}
