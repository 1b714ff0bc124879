import Crypto

/// The chain of MD5 digests that hides a password (RFC 2865 section 5.2, RFC 2868 section 3.5): each block of sixteen
/// octets is XORed with a digest over the secret and the hidden block before it, the first with one over the secret and
/// the request's authenticator, to which Tunnel-Password adds its salt.
private func chain(
    _ input: [UInt8], secret: [UInt8], seed: [UInt8], revealing: Bool
) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(input.count)
    var before = seed
    var rest = input[...]
    while !rest.isEmpty {
        let block = Array(rest.prefix(16))
        var hash = Insecure.MD5()
        hash.update(data: secret)
        hash.update(data: before)
        let mixed = zip(block, hash.finalize()).map { $0 ^ $1 }
        before = revealing ? block : mixed
        output += mixed
        rest = rest.dropFirst(16)
    }
    return output
}

private func padded(_ octets: [UInt8]) -> [UInt8] {
    octets + repeatElement(0, count: (16 - octets.count % 16) % 16)
}

/// User-Password, hidden by the secret and the Request Authenticator (RFC 2865 section 5.2).
public enum UserPassword {
    /// The longest password, in octets.
    public static let longest = 128

    /// The hidden form, a multiple of sixteen octets; nil when the password is too long.
    static func hide(_ password: [UInt8], with key: PasswordHiding) -> [UInt8]? {
        guard password.count <= longest else { return nil }
        let plain = password.isEmpty ? [UInt8](repeating: 0, count: 16) : padded(password)
        return chain(plain, secret: key.secret, seed: key.authenticator.octets, revealing: false)
    }

    /// The password in `hidden`, without the zeros that fill its last block; nil when the length is no whole number of
    /// blocks. A wrong secret reveals noise.
    public static func reveal(
        _ hidden: [UInt8], secret: [UInt8], authenticator: RADIUSAuthenticator
    ) -> [UInt8]? {
        guard !hidden.isEmpty, hidden.count <= longest, hidden.count % 16 == 0 else { return nil }
        let plain = chain(hidden, secret: secret, seed: authenticator.octets, revealing: true)
        return Array(plain[..<((plain.lastIndex { $0 != 0 } ?? -1) + 1)])
    }
}

/// Tunnel-Password (RFC 2868 section 3.5), hidden by the secret, the request's authenticator and a salt:
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |     Tag       |             Salt              |   String ...
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///
/// The string, once revealed, is one octet with the password's length, the password, and what fills the last block.
public enum TunnelPassword {
    /// The longest password, in octets: fifteen blocks without the length.
    public static let longest = 239

    /// The value on the wire for `tagged`, a tag and the password behind it; nil when there is no tag, or the password is
    /// too long. The salt's first bit is always set.
    static func hide(_ tagged: [UInt8], salt: UInt16, with key: PasswordHiding) -> [UInt8]? {
        guard let tag = tagged.first, let length = UInt8(exactly: tagged.count - 1), length <= longest
        else { return nil }
        let salt = salt | 0x8000
        let saltOctets = [UInt8(salt >> 8), UInt8(salt & 0xff)]
        let plain = padded([length] + tagged.dropFirst())
        return [tag] + saltOctets
            + chain(plain, secret: key.secret, seed: key.authenticator.octets + saltOctets, revealing: false)
    }

    /// The password in a value from the wire, and its tag (0 when it has none that is valid); nil when the value is no tag,
    /// salt and whole number of blocks, or the length inside says more than is there. That length is noise when the secrets
    /// differ: it is never trusted.
    public static func reveal(
        _ value: [UInt8], secret: [UInt8], authenticator: RADIUSAuthenticator
    ) -> (tag: UInt8, password: [UInt8])? {
        guard value.count >= 19, (value.count - 3) % 16 == 0, let tag = value.first else { return nil }
        let salt = value.dropFirst().prefix(2)
        let plain = chain(
            Array(value.dropFirst(3)), secret: secret, seed: authenticator.octets + salt, revealing: true)
        guard let length = plain.first.map(Int.init), length < plain.count else { return nil }
        return (tag <= RADIUSAttributes.lastTag ? tag : 0, Array(plain.dropFirst().prefix(length)))
    }
}
