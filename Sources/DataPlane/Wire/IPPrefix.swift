/// An IPv4 or IPv6 prefix: a network, or an interface's address and the network that it lies in.
@frozen
public enum IPPrefix: Hashable, Sendable {
    /// An IPv4 prefix.
    case v4(IPv4Prefix)
    /// An IPv6 prefix.
    case v6(IPv6Prefix)

    /// From text of either kind; nil for anything else.
    public init?(_ text: String) {
        if let prefix = IPv4Prefix(text) {
            self = .v4(prefix)
        } else if let prefix = IPv6Prefix(text) {
            self = .v6(prefix)
        } else {
            return nil
        }
    }

    /// The address as given, bits behind the prefix included.
    public var address: IPAddress {
        switch self {
        case .v4(let prefix): .v4(prefix.address)
        case .v6(let prefix): .v6(prefix.address)
        }
    }

    /// The network's own address: the bits behind the prefix are 0.
    public var network: IPAddress {
        switch self {
        case .v4(let prefix): .v4(prefix.network)
        case .v6(let prefix): .v6(prefix.network)
        }
    }

    /// Number of leading bits that name the network, 0 to 32 or to 128.
    public var length: UInt8 {
        switch self {
        case .v4(let prefix): prefix.length
        case .v6(let prefix): prefix.length
        }
    }

    /// Whether `other` is of the same family and lies in the network.
    public func contains(_ other: IPAddress) -> Bool {
        switch (self, other) {
        case (.v4(let prefix), .v4(let address)): prefix.contains(address)
        case (.v6(let prefix), .v6(let address)): prefix.contains(address)
        default: false
        }
    }

    /// Whether the two networks share an address.
    public func overlaps(_ other: IPPrefix) -> Bool {
        switch (self, other) {
        case (.v4(let prefix), .v4(let other)): prefix.overlaps(other)
        case (.v6(let prefix), .v6(let other)): prefix.overlaps(other)
        default: false
        }
    }

    /// Whether `other` is the address of one host of the network.
    public func isHost(_ other: IPAddress) -> Bool {
        switch (self, other) {
        case (.v4(let prefix), .v4(let address)): prefix.isHost(address)
        case (.v6(let prefix), .v6(let address)): prefix.isHost(address)
        default: false
        }
    }
}

extension IPPrefix: CustomStringConvertible {
    /// `10.99.0.1/24` or `2001:db8::1/64`
    public var description: String {
        switch self {
        case .v4(let prefix): prefix.description
        case .v6(let prefix): prefix.description
        }
    }
}
