import Crypto

/// The digests that bind a packet to the secret (RFC 2865 section 3, RFC 2866 section 3, RFC 2869 section 5.14). All
/// comparisons take the same time wherever a forgery differs.
enum PacketDigest {
    /// MD5 over the packet, with `authenticator` in its field, and the secret.
    static func authenticator(
        of packet: [UInt8], with authenticator: RADIUSAuthenticator, secret: [UInt8]
    ) -> Insecure.MD5.Digest {
        var hash = Insecure.MD5()
        hash.update(data: packet.prefix(4))
        hash.update(data: authenticator.octets)
        hash.update(data: packet.dropFirst(RADIUSPacket.headerLength))
        hash.update(data: secret)
        return hash.finalize()
    }

    /// HMAC-MD5 over the packet, with `authenticator` in its field and zeros at `offset`, where Message-Authenticator's own
    /// value is; the key is the secret.
    static func messageAuthenticator(
        of packet: [UInt8], at offset: Int, with authenticator: RADIUSAuthenticator, secret: [UInt8]
    ) -> HMAC<Insecure.MD5>.MAC {
        var mac = HMAC<Insecure.MD5>(key: SymmetricKey(data: secret))
        mac.update(data: packet.prefix(4))
        mac.update(data: authenticator.octets)
        mac.update(data: packet.prefix(offset).dropFirst(RADIUSPacket.headerLength))
        mac.update(data: [UInt8](repeating: 0, count: 16))
        mac.update(data: packet.dropFirst(offset + 16))
        return mac.finalize()
    }
}

/// What a packet's Message-Authenticator says.
public enum MessageAuthenticity: Hashable, Sendable {
    /// There is none.
    case absent
    /// It was made by somebody who knows the secret.
    case right
    /// It was not, or the packet was changed.
    case wrong
}

extension RADIUSPacket {
    /// Whether the Response Authenticator answers the request of `request`, by somebody who knows `secret`.
    public func answers(_ request: RADIUSAuthenticator, secret: [UInt8]) -> Bool {
        PacketDigest.authenticator(of: bytes, with: request, secret: secret) == authenticator.octets
    }

    /// Whether the Request Authenticator of an Accounting-, Disconnect- or CoA-Request was made with `secret`.
    public func isAuthenticRequest(secret: [UInt8]) -> Bool {
        PacketDigest.authenticator(of: bytes, with: .zero, secret: secret) == authenticator.octets
    }

    /// Checks Message-Authenticator.
    ///
    /// - Parameter request: In an answer, the authenticator of its request; nil when this is a request.
    public func messageAuthenticity(secret: [UInt8], request: RADIUSAuthenticator? = nil) -> MessageAuthenticity {
        guard let offset = messageAuthenticatorOffset, offset + 16 <= bytes.count else { return .absent }
        let field = request ?? (code.hasComputedAuthenticator ? .zero : authenticator)
        let mac = PacketDigest.messageAuthenticator(of: bytes, at: offset, with: field, secret: secret)
        return mac == bytes[offset..<offset + 16] ? .right : .wrong
    }
}
