/// An IPv6 address with a prefix length: a network (`2001:db8::/64`), or an interface's address and the network that it
/// lies in (`2001:db8::1/64`).
public struct IPv6Prefix: Hashable, Sendable, CustomStringConvertible {
    /// The address as given, bits behind the prefix included.
    public let address: IPv6Address
    /// Number of leading bits that name the network, 0 to 128.
    public let length: UInt8

    /// The prefix of `length` bits at `address`; nil when `length` is above 128.
    public init?(_ address: IPv6Address, length: UInt8) {
        guard length <= 128 else { return nil }
        self.address = address
        self.length = length
    }

    /// Parses `2001:db8::1/64`; nil for anything else, a missing length included.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv6Address(String(parts[0])),
            !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            parts[1].count == 1 || parts[1].first != "0", let length = UInt8(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    /// fe80::/64, the network of every link's own addresses, with `address` in it (RFC 4291 section 2.5.6).
    public init(linkLocal address: IPv6Address) {
        self.address = address
        length = 64
    }

    /// The network's own address, that of any router on it (Subnet-Router anycast, RFC 4291 section 2.6.1): the bits behind
    /// the prefix are 0.
    public var network: IPv6Address {
        IPv6Address(high: address.high & mask.high, low: address.low & mask.low)
    }

    private var mask: (high: UInt64, low: UInt64) {
        // A shift by the whole width or more answers 0.
        (UInt64.max << (64 - min(Int(length), 64)), UInt64.max << (128 - max(Int(length), 64)))
    }

    /// Whether `other` lies in the network.
    public func contains(_ other: IPv6Address) -> Bool {
        (other.high ^ address.high) & mask.high == 0 && (other.low ^ address.low) & mask.low == 0
    }

    /// Whether the two networks share an address.
    public func overlaps(_ other: IPv6Prefix) -> Bool {
        length <= other.length ? contains(other.address) : other.contains(address)
    }

    /// Whether `other` is the address of one host of the network: in it, and not the address of all its routers. Networks of
    /// 127 and 128 bits have none such (RFC 6164).
    public func isHost(_ other: IPv6Address) -> Bool { contains(other) && (length >= 127 || other != network) }

    /// `2001:db8::1/64`
    public var description: String { "\(address)/\(length)" }
}
