import Wire

/// A name server that the node asks.
public struct NameServerSnapshot: Hashable, Sendable, Encodable {
    /// Its address.
    public var address: IPAddress
    /// Its port.
    public var port: UInt16
    /// `node`, or the l2tp-profile that asks it.
    public var scope: String
    /// What is counted for it.
    public var counters: [NamedCounter]

    /// A name server.
    public init(address: IPAddress, port: UInt16 = 53, scope: String = "node", counters: [NamedCounter] = []) {
        self.address = address
        self.port = port
        self.scope = scope
        self.counters = counters
    }
}

/// A name that the cache of names holds.
public struct CachedName: Hashable, Sendable, Encodable {
    /// The name.
    public var name: String
    /// Its addresses; none: the name is known not to exist, or to have no address.
    public var addresses: [IPAddress]
    /// When it is forgotten.
    public var expiresAt: Timestamp

    /// A name with its addresses.
    public init(name: String, addresses: [IPAddress], expiresAt: Timestamp) {
        self.name = name
        self.addresses = addresses
        self.expiresAt = expiresAt
    }
}

/// The resolver.
public struct NameServiceSnapshot: Hashable, Sendable, Encodable {
    /// Name servers, in the file's order.
    public var servers: [NameServerSnapshot]
    /// What the cache holds, by name; empty unless it was asked for.
    public var cache: [CachedName]
    /// What is counted for the resolver as a whole.
    public var counters: [NamedCounter]
    /// Names in the cache.
    public var cacheUsed: UInt32
    /// Names that it may hold.
    public var cacheCapacity: UInt32

    /// A resolver; without servers where none is configured.
    public init(
        servers: [NameServerSnapshot] = [], cache: [CachedName] = [], counters: [NamedCounter] = [],
        cacheUsed: UInt32 = 0, cacheCapacity: UInt32 = 0
    ) {
        self.servers = servers
        self.cache = cache
        self.counters = counters
        self.cacheUsed = cacheUsed
        self.cacheCapacity = cacheCapacity
    }
}
