import Timing
import Wire

/// What is known of the ways to peers: the longest IP packet that each takes, where a router has told of one (RFC 1191, RFC 8201).
///
/// A value only ever falls by what routers say; it ends ten minutes after it last fell, and the way is tried with the link's own
/// MTU again (RFC 1191 section 6.3, RFC 8201 section 4). The table trusts its caller to ask only for peers that it talks
/// to; beyond `capacity` the value that ends first gives way all the same.
public struct PathMTUTable: Sendable {
    /// No IPv4 path is taken to be smaller. RFC 791 would allow 68 octets, which only serves who wants a tunnel to fragment.
    public static let minimumIPv4: UInt16 = 576
    /// No IPv6 path is smaller (RFC 8200 section 5).
    public static let minimumIPv6: UInt16 = 1_280
    /// How long a value is believed that has not fallen since.
    public static let lifetime: Duration = .seconds(600)

    struct Entry {
        var mtu: UInt16
        var end: Instant
    }

    private let capacity: Int
    private(set) var entries: [IPAddress: Entry] = [:]
    /// No entry ends before it.
    public private(set) var deadline = Instant.distantFuture

    /// An empty table for at most `capacity` peers, which is at least 1.
    public init(capacity: Int = 8_192) { self.capacity = max(1, capacity) }

    /// Number of peers that a value is known of.
    public var count: Int { entries.count }

    /// A router said that the way to `peer` takes `mtu` octets. True when this is less than what was known, and `mtu(to:link:)`
    /// may answer less than before.
    public mutating func learn(_ mtu: UInt16, to peer: IPAddress, at now: Instant) -> Bool {
        let mtu = max(mtu, peer.ipv6 == nil ? Self.minimumIPv4 : Self.minimumIPv6)
        guard mtu < entries[peer]?.mtu ?? .max else { return false }
        if entries[peer] == nil, entries.count >= capacity,
            let first = entries.min(by: { ($0.value.end, $0.key) < ($1.value.end, $1.key) })
        {
            entries[first.key] = nil
        }
        let end = now + Self.lifetime
        entries[peer] = Entry(mtu: mtu, end: end)
        deadline = min(deadline, end)
        return true
    }

    /// Longest IP packet to send to `peer`, by a link that takes `link` octets.
    public func mtu(to peer: IPAddress, link: UInt16) -> UInt16 { min(entries[peer]?.mtu ?? link, link) }

    /// Forgets values that have ended, and names the peers whose ways may be longer now, in order.
    public mutating func expire(at now: Instant) -> [IPAddress] {
        guard deadline <= now else { return [] }
        let ended = entries.filter { $0.value.end <= now }.keys.sorted()
        for peer in ended { entries[peer] = nil }
        deadline = entries.values.lazy.map(\.end).min() ?? .distantFuture
        return ended
    }

    /// Forgets what is known of the way to `peer`, to whom nothing is sent any more.
    public mutating func forget(_ peer: IPAddress) { entries[peer] = nil }

    /// The next smaller of the MTUs that links usually have, for a router that does not say its own (RFC 1191 section 7).
    static func plateau(below length: Int) -> UInt16 {
        [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, minimumIPv4].first { Int($0) < length } ?? minimumIPv4
    }
}
