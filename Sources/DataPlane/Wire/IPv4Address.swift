/// An IPv4 address (RFC 791).
@frozen
public struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The address in host byte order: 192.0.2.1 is 0xc0000201.
    public var value: UInt32

    /// The address whose host-order value is `value`.
    @inlinable
    public init(value: UInt32) { self.value = value }

    /// The address in wire order; nil unless there are exactly four octets.
    public init?(_ octets: some Collection<UInt8>) {
        guard octets.count == 4 else { return nil }
        value = octets.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Parses dotted decimal; nil for anything else. Octets with leading zeros are refused, since some read them as octal.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let octets = parts.compactMap { part -> UInt8? in
            guard !part.isEmpty, part.allSatisfy({ $0.isASCII && $0.isNumber }), part.count == 1 || part.first != "0"
            else { return nil }
            return UInt8(part)
        }
        guard parts.count == 4, octets.count == 4 else { return nil }
        self.init(octets)
    }

    /// 0.0.0.0
    public static let any = IPv4Address(value: 0)

    /// The four octets in wire order.
    public var octets: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    /// Numeric order.
    public static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.value < b.value }

    /// Dotted decimal.
    public var description: String { octets.map(String.init).joined(separator: ".") }
}
