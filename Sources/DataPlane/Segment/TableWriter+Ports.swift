import CSegment
import Wire

/// What is served on a port.
public struct PortRoles: OptionSet, Hashable, Sendable {
    /// `CULVERT_PORT_*`
    public let rawValue: UInt32
    /// The roles with these bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// PPPoE is served here.
    public static let access = PortRoles(rawValue: UInt32(CULVERT_PORT_ACCESS))
    /// L2TP is served here.
    public static let core = PortRoles(rawValue: UInt32(CULVERT_PORT_CORE))
}

extension TableWriter {
    /// Sets what a port serves and the node's own addresses on it, at most `CULVERT_PORT_ADDRESSES` of each kind. Link-local
    /// IPv6 addresses are not among them: workers hand all that is sent to those to culvertd.
    ///
    /// An IPv4 address is one word, an IPv6 address two: while the list changes, a worker may see some of the old ones beside
    /// some of the new. What stays in its place in the list stays in force meanwhile.
    /// - Throws: `noSuchPort`, `tooManyAddresses`.
    public func configurePort(
        _ port: UInt16, roles: PortRoles, addresses: [IPv4Address], ipv6Addresses: [IPv6Address] = []
    ) throws(TableError) {
        guard port < view.portCount else { throw .noSuchPort(port) }
        for count in [addresses.count, ipv6Addresses.count] where count > Int(CULVERT_PORT_ADDRESSES) {
            throw .tooManyAddresses(count)
        }
        let entry = view.ports + Int(port)
        withUnsafeMutablePointer(to: &entry.pointee.local_ipv4) { tuple in
            let list = UnsafeMutableRawPointer(tuple).assumingMemoryBound(to: UInt32.self)
            if addresses.count < entry.pointee.address_count {
                culvert_store_release_u32(&entry.pointee.address_count, UInt32(addresses.count))
            }
            for (index, address) in addresses.enumerated() {
                culvert_store_relaxed_u32(list + index, address.value.bigEndian)
            }
        }
        culvert_store_release_u32(&entry.pointee.address_count, UInt32(addresses.count))
        setIPv6Addresses(ipv6Addresses, of: entry)
        culvert_store_release_u32(&entry.pointee.flags, roles.rawValue)
    }

    /// The list is as long as what stays in its place before an address is written that a worker could read half of.
    private func setIPv6Addresses(_ addresses: [IPv6Address], of entry: UnsafeMutablePointer<culvert_port>) {
        withUnsafeMutableBytes(of: &entry.pointee.local_ipv6) { list in
            let octets = addresses.flatMap(\.octets)
            let kept = zip(list, octets).prefix { $0 == $1 }.count / 16
            if kept < entry.pointee.ipv6_address_count {
                culvert_store_release_u32(&entry.pointee.ipv6_address_count, UInt32(kept))
            }
            list.copyBytes(from: octets)
        }
        culvert_store_release_u32(&entry.pointee.ipv6_address_count, UInt32(addresses.count))
    }

    /// The port's Ethernet address, as the data plane gives it.
    func portMAC(_ port: UInt16) -> MACAddress {
        let octets = UnsafeRawPointer(view.ports + Int(port)) + Self.portMACOffset
        var value: UInt64 = 0
        for index in 0..<6 { value = value << 8 | UInt64(octets.load(fromByteOffset: index, as: UInt8.self)) }
        return MACAddress(value: value)
    }

    /// Offset of `mac` in `culvert_port`.
    private static let portMACOffset = 160
}
