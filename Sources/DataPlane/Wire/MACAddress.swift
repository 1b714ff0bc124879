/// An Ethernet address (IEEE 802 MAC-48).
@frozen
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    /// The six octets as the low 48 bits, first octet on the wire highest.
    public var value: UInt64

    /// The address whose octets are the low 48 bits of `value`, first octet on the wire highest.
    @inlinable
    public init(value: UInt64) { self.value = value & 0xffff_ffff_ffff }

    /// The address in wire order; nil unless there are exactly six octets.
    public init?(_ octets: some Collection<UInt8>) {
        guard octets.count == 6 else { return nil }
        value = octets.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Parses `00:00:5e:00:53:01`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let octets = parts.compactMap { $0.count == 2 ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, octets.count == 6 else { return nil }
        self.init(octets)
    }

    /// ff:ff:ff:ff:ff:ff
    public static let broadcast = MACAddress(value: 0xffff_ffff_ffff)

    /// The six octets in wire order.
    public var octets: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * $0)) } }

    /// Whether the group bit is set (broadcast included).
    @inlinable
    public var isMulticast: Bool { value & 0x0100_0000_0000 != 0 }

    /// Six hexadecimal octets: `00:00:5e:00:53:01`.
    public var description: String {
        octets.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(separator: ":")
    }
}
