import CDPDK
import Segment

/// Token buckets of single clients and peers, by punt class: what guards all others from the one that floods. A client may
/// send what its rate allows in a second at once.
///
/// It is a table of fixed size in sets of eight, each class in sets of its own. There is no room for everybody who may come: a
/// stranger takes the place in its set of the one whose bucket is the fullest, for forgetting that one changes the least. Who
/// floods has an empty bucket and keeps its place, while strangers who come once, be they ever so many, push out each other;
/// and nobody is refused because the table is full. The hash is seeded, so strangers cannot choose their set.
///
/// What this cannot do is tell one flooder with many addresses from many clients: that flood ends at the class's own bucket, where
/// `PuntShares` say who goes first.
public struct PuntClients: @unchecked Sendable {
    /// Clients that a class remembers.
    public static let capacity = 4_096
    /// Clients that compete for places.
    static let ways = 8

    /// What is remembered of a client.
    private struct Entry {
        /// Hash of what the client is known by; 0: nobody.
        var key: UInt64
        /// Cycle count at which its next frame is due.
        var due: UInt64
    }

    private let entries: UnsafeMutablePointer<Entry>
    private let rates: UnsafeMutablePointer<PuntRate>
    private let seed: UInt64

    /// - Parameters:
    ///   - limits: frames a second that a client may have of each class; 0: the class has no limit of its clients' own.
    ///   - burst: cycles whose frames it may send at once; nil: a second.
    public init(
        limits: PuntLimits, cyclesPerSecond: UInt64, burst: UInt64? = nil, seed: UInt64, socket: Int32
    ) throws(AllocationError) {
        entries = try allocate(PuntClass.allCases.count * Self.capacity, socket: socket)
        rates = try allocate(PuntClass.allCases.count, socket: socket)
        self.seed = seed
        for punt in PuntClass.allCases {
            rates[Int(punt.rawValue)] = PuntRate(
                rate: limits[punt], cyclesPerSecond: cyclesPerSecond, burst: burst ?? cyclesPerSecond)
        }
    }

    /// Gives the memory back.
    public func deallocate() {
        culvert_free(entries)
        culvert_free(rates)
    }

    /// Whether a class has a limit of its clients' own.
    func isLimited(_ punt: PuntClass) -> Bool { rates[Int(truncatingIfNeeded: punt.rawValue)].interval != 0 }

    /// Takes a token of a client's bucket at `now`, in cycles; false when there is none.
    public func take(_ punt: PuntClass, _ client: PuntClient, now: UInt64) -> Bool {
        let rate = rates[Int(truncatingIfNeeded: punt.rawValue)]
        guard rate.interval != 0 else { return true }
        let hash = HashSeed.hash(client.first, client.second, seed: seed)
        let key = max(hash, 1)
        let place = Int(truncatingIfNeeded: hash >> 32) & (Self.capacity &- Self.ways)
        let set = entries + (Int(truncatingIfNeeded: punt.rawValue) &* Self.capacity &+ place)
        var stalest = 0
        for way in 0..<Self.ways {
            if set[way].key == key { return rate.take(&set[way].due, now: now) }
            if set[way].due < set[stalest].due { stalest = way }
        }
        set[stalest].key = key
        set[stalest].due = now &+ rate.interval
        return true
    }
}

/// What a client or peer is known by in its punt class.
public struct PuntClient: Hashable, Sendable {
    let first: UInt64
    let second: UInt64

    /// The client that these words tell from others of its class.
    public init(_ first: UInt64, _ second: UInt64 = 0) {
        self.first = first
        self.second = second
    }
}
