import Wire

extension RADIUSPacket {
    /// A request as it goes out.
    public struct Request: Hashable, Sendable {
        /// The UDP payload.
        public var bytes: [UInt8]
        /// Its Request Authenticator, which answers refer to.
        public var authenticator: RADIUSAuthenticator
    }

    /// Where the value of Message-Authenticator begins when it is the first attribute.
    private static let messageAuthenticatorFirst = headerLength + 2

    /// Writes a request. Access-Request and Status-Server carry Message-Authenticator, always as the first attribute: behind
    /// others, a forger could make use of what stands in front of it.
    ///
    /// - Parameters:
    ///   - random: Octets that nobody could foresee, the authenticator of the codes that do not compute theirs.
    ///   - signed: Whether a request that computes its authenticator has Message-Authenticator too.
    public static func request(
        _ code: RADIUSCode, identifier: UInt8, attributes: RADIUSAttributes, secret: [UInt8],
        random: RADIUSAuthenticator, signed: Bool = false
    ) throws(RADIUSEncodingError) -> Request {
        let computed = code.hasComputedAuthenticator
        let field = computed ? .zero : random
        let isSigned = signed || code.carriesMessageAuthenticator
        var bytes = try unsigned(
            code, identifier: identifier, authenticator: field, attributes: attributes,
            signed: isSigned, hiding: PasswordHiding(secret: secret, authenticator: field))
        if isSigned { sign(&bytes, with: field, secret: secret) }
        guard computed else { return Request(bytes: bytes, authenticator: field) }
        let digest = Array(PacketDigest.authenticator(of: bytes, with: .zero, secret: secret))
        bytes.replaceSubrange(4..<headerLength, with: digest)
        return Request(bytes: bytes, authenticator: RADIUSAuthenticator(digest) ?? .zero)
    }

    /// Writes the answer to the request with `identifier` and `authenticator`.
    ///
    /// - Parameters:
    ///   - signed: Whether it carries Message-Authenticator, as the first attribute.
    ///   - salt: The salt of its first Tunnel-Password; each further one takes the next number.
    public static func answer(
        _ code: RADIUSCode, to identifier: UInt8, authenticator: RADIUSAuthenticator, attributes: RADIUSAttributes,
        secret: [UInt8], signed: Bool, salt: UInt16 = 0
    ) throws(RADIUSEncodingError) -> [UInt8] {
        var bytes = try unsigned(
            code, identifier: identifier, authenticator: authenticator, attributes: attributes, signed: signed,
            hiding: PasswordHiding(secret: secret, authenticator: authenticator, salt: salt))
        if signed { sign(&bytes, with: authenticator, secret: secret) }
        let digest = PacketDigest.authenticator(of: bytes, with: authenticator, secret: secret)
        bytes.replaceSubrange(4..<headerLength, with: Array(digest))
        return bytes
    }

    private static func unsigned(
        _ code: RADIUSCode, identifier: UInt8, authenticator: RADIUSAuthenticator, attributes: RADIUSAttributes,
        signed: Bool, hiding: PasswordHiding
    ) throws(RADIUSEncodingError) -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.write(code.rawValue)
        writer.write(identifier)
        writer.write(UInt16(0))
        writer.write(authenticator.octets)
        if signed {
            writer.write(RADIUSAttribute.messageAuthenticator.number)
            writer.write(18 as UInt8)
            writer.write(repeatElement(0, count: 16))
        }
        try attributes.write(to: &writer, hiding: hiding)
        guard let length = UInt16(exactly: writer.count), length <= longest else { throw .packetTooLong(writer.count) }
        writer.patch(length, at: 2)
        return writer.bytes
    }

    private static func sign(_ bytes: inout [UInt8], with authenticator: RADIUSAuthenticator, secret: [UInt8]) {
        let offset = messageAuthenticatorFirst
        let mac = PacketDigest.messageAuthenticator(of: bytes, at: offset, with: authenticator, secret: secret)
        bytes.replaceSubrange(offset..<offset + 16, with: Array(mac))
    }
}
