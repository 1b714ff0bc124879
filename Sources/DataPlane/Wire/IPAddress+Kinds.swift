// What kind of address it is, and the addresses that follow from others.

extension IPv6Address {
    /// All nodes of the link, ff02::1 (RFC 4291 section 2.7.1).
    public static let allNodes = IPv6Address(high: 0xff02 << 48, low: 1)
    /// All routers of the link, ff02::2 (RFC 4291 section 2.7.1).
    public static let allRouters = IPv6Address(high: 0xff02 << 48, low: 2)

    /// The loopback address, `::1`.
    public static let loopback = IPv6Address(high: 0, low: 1)

    /// Whether the address can be one interface's: not unspecified, loopback or multicast, nor one that stands for an IPv4
    /// address, which is never on a wire (::/96 and ::ffff:0:0/96, RFC 4291 section 2.5.5).
    public var isUnicast: Bool {
        !isMulticast && !(high == 0 && (low >> 32 == 0 || low >> 32 == 0xffff))
    }

    /// The multicast group that a neighbour with this address listens to (RFC 4291 section 2.7.1).
    public var solicitedNode: IPv6Address {
        IPv6Address(high: 0xff02 << 48, low: 0x1_ff00_0000 | low & 0xff_ffff)
    }

    /// The link-local address of an interface with the modified EUI-64 of `mac` as its identifier (RFC 4291 appendix A,
    /// RFC 2464 section 5).
    public init(linkLocal mac: MACAddress) {
        let upper = (mac.value >> 24) ^ 0x02_0000
        self.init(high: 0xfe80 << 48, low: upper << 40 | 0xfffe << 24 | mac.value & 0xff_ffff)
    }
}

extension MACAddress {
    /// The Ethernet address that packets to an IPv6 multicast group carry (RFC 2464 section 7).
    public init(group: IPv6Address) { self.init(value: 0x3333 << 32 | group.low & 0xffff_ffff) }
}

extension IPAddress {
    /// Whether the address can be one interface's.
    public var isUnicast: Bool {
        switch self {
        case .v4(let address): address.isUnicast
        case .v6(let address): address.isUnicast
        }
    }

    /// Whether it stands for no address: 0.0.0.0 or `::`.
    public var isUnspecified: Bool { self == .v4(.any) || self == .v6(.unspecified) }

    /// The address with a UDP port: `192.0.2.1:1701`, `[2001:db8::1]:1701` (RFC 5952 section 6).
    public func text(port: UInt16) -> String { ipv6 == nil ? "\(self):\(port)" : "[\(self)]:\(port)" }

    /// Whether it means something on one link alone: fe80::/10.
    public var isLinkLocal: Bool { ipv6?.isLinkLocal ?? false }
}

extension IPAddress: Comparable {
    /// IPv4 before IPv6, then by value.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        switch (left, right) {
        case (.v4(let left), .v4(let right)): left < right
        case (.v6(let left), .v6(let right)): left < right
        case (.v4, .v6): true
        case (.v6, .v4): false
        }
    }
}
