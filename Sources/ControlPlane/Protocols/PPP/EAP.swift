import Wire

/// The authenticator's side of EAP (RFC 3748 section 4), as far as somebody needs it who asks for the identity and passes the
/// exchange on.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +---------------+---------------+-------------------------------+
///     |     code      |  identifier   |            length             |
///     +---------------+---------------+-------------------------------+
///     |     type      |  type-data: `length` - 5 octets
///     +---------------+-----------------------------------------------+
///
/// Success and Failure end before the type.
public enum EAP {
    /// Codes of EAP packets.
    public enum Code: UInt8, Sendable, CaseIterable {
        /// From the authenticator.
        case request = 1
        /// From the client, with the request's identifier and, but for Nak, its type.
        case response = 2
        /// The client is who it says.
        case success = 3
        /// It is not, or cannot be served.
        case failure = 4
    }

    /// Types of requests and responses that mean something before the method is chosen; 4 and above are methods.
    public enum Kind {
        /// Who the client is.
        public static let identity: UInt8 = 1
        /// A message for the client's user.
        public static let notification: UInt8 = 2
        /// The client wants another method; not an answer to Identity (RFC 3748 section 5.3.1).
        public static let nak: UInt8 = 3
    }

    /// The identity that a Response/Identity gives, which may be empty; nil for a response of another type, and for one
    /// without a type. It is no C string: what follows a NUL belongs to it.
    public static func identity(in data: ArraySlice<UInt8>) -> [UInt8]? {
        data.first == Kind.identity ? Array(data.dropFirst()) : nil
    }

    /// A Request/Identity that shows nothing to the user.
    public static func identityRequest(identifier: UInt8) -> ControlPacket {
        ControlPacket(code: Code.request.rawValue, identifier: identifier, data: [Kind.identity])
    }

    /// A Failure for the response with `identifier`; it has no room for a reason.
    public static func failure(identifier: UInt8) -> ControlPacket {
        ControlPacket(code: Code.failure.rawValue, identifier: identifier)
    }
}
