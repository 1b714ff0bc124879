/// A server group that gets accounting records.
public struct AccountingGroupSnapshot: Hashable, Sendable, Encodable {
    /// Its name.
    public var name: String
    /// Seconds between interim records; 0: none.
    public var interimIntervalSeconds: UInt32
    /// Sessions that are accounted now.
    public var sessions: UInt32
    /// Records that wait for a server.
    public var waiting: UInt64
    /// Whether a server of it takes requests.
    public var reachable: Bool
    /// What is counted for it.
    public var counters: [NamedCounter]

    /// A group.
    public init(
        name: String, interimIntervalSeconds: UInt32, sessions: UInt32, waiting: UInt64, reachable: Bool,
        counters: [NamedCounter] = []
    ) {
        self.name = name
        self.interimIntervalSeconds = interimIntervalSeconds
        self.sessions = sessions
        self.waiting = waiting
        self.reachable = reachable
        self.counters = counters
    }
}

/// Accounting as a whole.
public struct AccountingSnapshot: Hashable, Sendable, Encodable {
    /// Groups that an instance accounts to, in the file's order.
    public var groups: [AccountingGroupSnapshot]
    /// What is counted for all of them.
    public var counters: [NamedCounter]
    /// Records that the store holds until a server has taken them.
    public var stored: UInt64
    /// Records that it may hold.
    public var storeCapacity: UInt64
    /// When the oldest of them was made; nil: there is none.
    public var oldestStored: Timestamp?

    /// Accounting; without groups where none is configured.
    public init(
        groups: [AccountingGroupSnapshot] = [], counters: [NamedCounter] = [], stored: UInt64 = 0,
        storeCapacity: UInt64 = 0, oldestStored: Timestamp? = nil
    ) {
        self.groups = groups
        self.counters = counters
        self.stored = stored
        self.storeCapacity = storeCapacity
        self.oldestStored = oldestStored
    }
}
