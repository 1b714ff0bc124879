import Wire

/// A DNS server of `ip-name-server`: an address, and a port unless it is 53.
public struct NameServer: Hashable, Sendable, CustomStringConvertible {
    /// Where it is.
    public let address: IPAddress
    /// UDP and TCP port, 1 to 65,535.
    public let port: UInt16

    /// The port that DNS servers have unless it is said otherwise (RFC 1035 section 4.2).
    public static let defaultPort: UInt16 = 53

    /// The server at `address` and `port`.
    public init(_ address: IPAddress, port: UInt16 = defaultPort) {
        self.address = address
        self.port = port
    }

    /// Parses `10.1.1.1`, `10.1.1.1:5353`, `2001:db8::53` or `[2001:db8::53]:5353`.
    init?(parsing text: String) {
        if let address = IPAddress(text) {
            self.init(address)
        } else if let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0,
            text[text.index(after: colon)...].utf8.allSatisfy({ (48...57).contains($0) })
        {
            var host = text[..<colon]
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            if isBracketed { host = host.dropFirst().dropLast() }
            // Without brackets nobody knows where an IPv6 address ends.
            guard let address = IPAddress(String(host)), (address.ipv6 != nil) == isBracketed else { return nil }
            self.init(address, port: port)
        } else {
            return nil
        }
        guard address.isUnicast else { return nil }
    }

    /// As the file says it.
    public var description: String {
        if port == Self.defaultPort { return "\(address)" }
        return address.ipv6 == nil ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
