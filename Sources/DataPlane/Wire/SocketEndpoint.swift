/// An address and a port of the machine's own network, as servers listen on: `127.0.0.1:9464`, `[::1]:9464`.
public struct SocketEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// The address; an unspecified one stands for all of the machine's.
    public var address: IPAddress
    /// The port, in host byte order; 0: any that is free.
    public var port: UInt16

    /// An endpoint.
    public init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// From `ADDRESS:PORT`, an IPv6 address in brackets, the port 1 to 65535; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let (host, digits) = (text[..<colon], text[text.index(after: colon)...])
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let port = UInt16(digits), port > 0
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard let address = IPv6Address(String(host.dropFirst().dropLast())) else { return nil }
            self.init(.v6(address), port: port)
        } else {
            guard let address = IPv4Address(String(host)) else { return nil }
            self.init(.v4(address), port: port)
        }
    }

    /// The text that the endpoint can be made of.
    public var description: String { address.text(port: port) }
}
