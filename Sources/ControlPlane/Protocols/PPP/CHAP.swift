import Wire

/// The authenticator's side of CHAP with MD5 (RFC 1994 section 4), as far as somebody needs it who passes the response on.
public enum CHAP {
    /// Codes of CHAP packets.
    public enum Code: UInt8, Sendable, CaseIterable {
        /// The value to be hashed.
        case challenge = 1
        /// The hash.
        case response = 2
        /// The hash is right.
        case success = 3
        /// It is not.
        case failure = 4
    }

    /// Octets of an MD5 hash.
    public static let responseLength = 16

    /// What a Response says.
    public struct Response: Hashable, Sendable {
        /// MD5 over identifier, secret and challenge: 16 octets.
        public var value: [UInt8]
        /// The user's name.
        public var name: [UInt8]

        /// Checks and reads the data of a Response: an octet with the value's size, which must be 16, value and name.
        public init?(parsing data: ArraySlice<UInt8>) {
            var reader = ByteReader(data)
            guard let size = reader.readUInt8(), size == CHAP.responseLength, let value = reader.readBytes(Int(size))
            else { return nil }
            self.value = Array(value)
            name = Array(reader.readRemaining())
        }
    }

    /// A Challenge; at most 255 octets of `value` and of `name` are sent.
    public static func challenge(identifier: UInt8, value: [UInt8], name: String) -> ControlPacket {
        let value = value.prefix(255)
        return ControlPacket(
            code: Code.challenge.rawValue, identifier: identifier,
            data: [UInt8(truncatingIfNeeded: value.count)] + value + name.utf8.prefix(255))
    }

    /// A Failure for the response with `identifier`; at most 255 octets of `message` are sent.
    public static func failure(identifier: UInt8, message: String) -> ControlPacket {
        ControlPacket(code: Code.failure.rawValue, identifier: identifier, data: Array(message.utf8.prefix(255)))
    }
}
