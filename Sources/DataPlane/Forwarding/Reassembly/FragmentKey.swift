import Wire

/// What the fragments of one datagram have in common: RFC 791, section 3.2 (addresses, protocol, identification), and RFC 8200,
/// section 4.5 (addresses and identification: next headers may differ, the first fragment's counts).
struct FragmentKey: Equatable {
    /// IPv4: source address. IPv6: the source address's first half. As they lie in memory, as is the rest.
    var source: UInt64
    /// IPv4: destination address. IPv6: the source address's second half.
    var middle: UInt64
    /// IPv6: destination address.
    var destinationHigh: UInt64
    var destinationLow: UInt64
    /// Identification, in the low half; then IPv4's protocol, and the version of IP.
    var identity: UInt64

    @inline(__always)
    init(_ ip: IPv4Header) {
        source = UInt64(ip.sourceInWireOrder)
        middle = UInt64(ip.destinationInWireOrder)
        (destinationHigh, destinationLow) = (0, 0)
        identity = UInt64(ip.identificationInWireOrder) | UInt64(ip.payloadProtocol) << 32 | 4 << 40
    }

    /// The key of an IPv6 packet whose 40 octets of header are at `header`.
    @inline(__always)
    init(ipv6 header: UnsafeRawPointer, identification: UInt32) {
        source = header.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        middle = header.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        destinationHigh = header.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        destinationLow = header.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        identity = UInt64(identification) | 6 << 40
    }

    @inline(__always)
    var isIPv6: Bool { identity >> 40 == 6 }
}

/// A hash of keys that depends on two secret words: multiplications of 64 by 64 bits, both halves of the product folded.
struct FragmentHash {
    private let low: UInt64
    private let high: UInt64

    init(_ seed: ReassemblyLimits.Seed) {
        low = seed.low
        high = seed.high
    }

    /// The hash of a key: the high half says which worker's the datagram is, the low one where it is looked for.
    @inline(__always)
    func callAsFunction(_ key: FragmentKey) -> UInt64 {
        var hash = fold(key.source ^ low, key.middle ^ high)
        if key.isIPv6 { hash = fold(key.destinationHigh ^ hash, key.destinationLow ^ low) }
        return fold(key.identity ^ hash, high)
    }

    /// Which of `count` shares, a power of two, the sender's datagrams count against. All addresses of an IPv6 /64 are one
    /// sender's, who could use any of them.
    @inline(__always)
    func share(_ key: FragmentKey, of count: Int) -> Int {
        Int(truncatingIfNeeded: fold(key.source ^ high, low) >> 32) & (count &- 1)
    }

    @inline(__always)
    private func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
