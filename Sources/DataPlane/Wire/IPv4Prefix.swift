/// An IPv4 address with a prefix length: a network (`10.99.0.0/24`), or an interface's address and the network that it
/// lies in (`10.99.0.1/24`).
public struct IPv4Prefix: Hashable, Sendable, CustomStringConvertible {
    /// The address as given, bits behind the prefix included.
    public let address: IPv4Address
    /// Number of leading bits that name the network, 0 to 32.
    public let length: UInt8

    /// The prefix of `length` bits at `address`; nil when `length` is above 32.
    public init?(_ address: IPv4Address, length: UInt8) {
        guard length <= 32 else { return nil }
        self.address = address
        self.length = length
    }

    /// Parses `10.99.0.1/24`; nil for anything else, a missing length included.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])),
            !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            parts[1].count == 1 || parts[1].first != "0", let length = UInt8(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    /// The network mask in host byte order: 0xffffff00 for a length of 24.
    public var mask: UInt32 { length == 0 ? 0 : UInt32.max << (32 - UInt32(length)) }

    /// The network's own address: the bits behind the prefix are 0.
    public var network: IPv4Address { IPv4Address(value: address.value & mask) }

    /// The directed broadcast address: the bits behind the prefix are 1. Prefixes of 31 and 32 bits have none (RFC 3021).
    public var broadcast: IPv4Address? { length < 31 ? IPv4Address(value: address.value | ~mask) : nil }

    /// Whether `other` lies in the network.
    public func contains(_ other: IPv4Address) -> Bool { other.value & mask == address.value & mask }

    /// Whether the two networks share an address.
    public func overlaps(_ other: IPv4Prefix) -> Bool {
        length <= other.length ? contains(other.address) : other.contains(address)
    }

    /// Whether `other` is the address of one host of the network: in it, and neither its own nor its broadcast address.
    public func isHost(_ other: IPv4Address) -> Bool {
        contains(other) && (length >= 31 || (other != network && other != broadcast))
    }

    /// `10.99.0.1/24`
    public var description: String { "\(address)/\(length)" }
}

extension IPv4Address {
    /// Whether the address can be one host's: not 0.0.0.0/8, loopback, multicast, reserved or broadcast
    /// (RFC 1122 section 3.2.1.3).
    public var isUnicast: Bool {
        let first = value >> 24
        return first != 0 && first != 127 && first < 224
    }
}
