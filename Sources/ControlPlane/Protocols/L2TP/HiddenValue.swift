import Crypto
import Wire

/// Hiding of AVP values (RFC 2661, section 4.3): the value, with its length before it, is XORed with a chain of MD5
/// digests over the attribute's number, the tunnel's shared secret and the message's Random Vector.
enum HiddenValue {
    /// Octets that hiding adds: the Original Length field.
    static let overhead = 2

    /// Hidden values with padding are a multiple of so many octets long: a block of the digest.
    static let grain = 16

    /// Octets of `padding` behind a value of `count` octets that make its hidden form a multiple of `grain`, as far as an AVP has
    /// room for them.
    static func paddingLength(for count: Int, of padding: Int) -> Int {
        let missing = (grain - (count + overhead) % grain) % grain
        return max(0, min(missing, padding, AttributeDefinition.longestValue - overhead - count))
    }

    /// The hidden form of `value`; nil when `value` is longer than a 16-bit length can say. Some of `padding` follows the value,
    /// so that the length of what is hidden does not give it away.
    static func hide(
        _ value: [UInt8], type: AttributeType, secret: [UInt8], randomVector: [UInt8], padding: [UInt8] = []
    ) -> [UInt8]? {
        guard let length = UInt16(exactly: value.count) else { return nil }
        var writer = ByteWriter(capacity: value.count + overhead)
        writer.write(length)
        writer.write(value)
        writer.write(padding.prefix(paddingLength(for: value.count, of: padding.count)))
        return chain(writer.bytes, type: type, secret: secret, randomVector: randomVector, revealing: false)
    }

    /// The value inside `hidden`; nil when it is too short for its length field, or that length says more than is there.
    /// The inner length is what a stranger wrote, or noise when the secrets differ: it is never trusted.
    static func reveal(
        _ hidden: ArraySlice<UInt8>, type: AttributeType, secret: [UInt8], randomVector: ArraySlice<UInt8>
    ) -> [UInt8]? {
        let plain = chain(
            Array(hidden), type: type, secret: secret, randomVector: Array(randomVector), revealing: true)
        var reader = ByteReader(plain)
        guard let length = reader.readUInt16(), let value = reader.readBytes(Int(length)) else { return nil }
        return Array(value)
    }

    private static func chain(
        _ input: [UInt8], type: AttributeType, secret: [UInt8], randomVector: [UInt8], revealing: Bool
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(input.count)
        var seed = [UInt8(type.number >> 8), UInt8(type.number & 0xff)] + secret + randomVector
        var rest = input[...]
        while !rest.isEmpty {
            let block = rest.prefix(16)
            let mixed = zip(block, Insecure.MD5.hash(data: seed)).map { $0 ^ $1 }
            seed = secret + (revealing ? Array(block) : mixed)
            output += mixed
            rest = rest.dropFirst(16)
        }
        return output
    }
}
