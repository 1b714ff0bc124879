import Wire

/// The 16 octets of a packet's Authenticator field (RFC 2865 section 3): random or computed in a request, computed over
/// the request's in an answer. Held as two numbers, so that the thousands that wait cost no allocation.
public struct RADIUSAuthenticator: Hashable, Sendable {
    /// The first eight octets, the first being the most significant.
    public let high: UInt64
    /// The last eight octets.
    public let low: UInt64

    /// The authenticator whose octets are those of `high` and then of `low`.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Sixteen octets that nobody could foresee, as far as `random` cannot be foreseen.
    public init(using random: inout any RandomNumberGenerator & Sendable) {
        self.init(high: random.next(), low: random.next())
    }

    init?(_ octets: some Sequence<UInt8>) {
        var reader = ByteReader(Array(octets))
        guard let high = reader.readUInt64(), let low = reader.readUInt64(), reader.isEmpty else { return nil }
        self.init(high: high, low: low)
    }

    /// What stands in the field while a request's digest is computed.
    public static let zero = RADIUSAuthenticator(high: 0, low: 0)

    /// The octets in wire order.
    public var octets: [UInt8] {
        var writer = ByteWriter(capacity: 16)
        writer.write(high)
        writer.write(low)
        return writer.bytes
    }
}
