/// An IPv4 or IPv6 address.
@frozen
public enum IPAddress: Hashable, Sendable {
    /// An IPv4 address.
    case v4(IPv4Address)
    /// An IPv6 address.
    case v6(IPv6Address)

    /// From text of either kind; nil for anything else.
    public init?(_ text: String) {
        if let address = IPv4Address(text) {
            self = .v4(address)
        } else if let address = IPv6Address(text) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    /// The address's octets in wire order, 4 or 16.
    public var octets: [UInt8] {
        switch self {
        case .v4(let address): address.octets
        case .v6(let address): address.octets
        }
    }

    /// The IPv4 address; nil when it is an IPv6 one.
    public var ipv4: IPv4Address? {
        guard case .v4(let address) = self else { return nil }
        return address
    }

    /// The IPv6 address; nil when it is an IPv4 one.
    public var ipv6: IPv6Address? {
        guard case .v6(let address) = self else { return nil }
        return address
    }
}

extension IPAddress: CustomStringConvertible {
    /// The usual text of the address.
    public var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }
}
