import Wire

/// A name server: where it is asked, by UDP and by TCP.
public struct NameServer: Hashable, Sendable, CustomStringConvertible {
    /// The port of DNS (RFC 1035 section 4.2).
    public static let defaultPort: UInt16 = 53

    /// Its address.
    public var address: IPAddress
    /// Its port.
    public var port: UInt16

    /// The server at `address` and `port`.
    public init(address: IPAddress, port: UInt16 = NameServer.defaultPort) {
        self.address = address
        self.port = port
    }

    /// The address, with the port where it is not 53: `10.1.1.1`, `10.1.1.2:5353`, `[2001:db8::1]:5353`.
    public var description: String { port == Self.defaultPort ? "\(address)" : address.text(port: port) }
}

/// One question: the addresses of a name, as these servers know them. Names that differ by their servers are different names, since
/// each L2TP profile may have servers of its own.
public struct NameQuery: Hashable, Sendable {
    /// The host whose addresses are wanted.
    public var name: HostName
    /// The servers, in the order in which they are asked.
    public var servers: [NameServer]

    /// The addresses of `name` from `servers`.
    public init(name: HostName, servers: [NameServer]) {
        self.name = name
        self.servers = servers
    }
}
