/// Where accounting records outlive the daemon. It gives them the store; tests, a list in memory.
public protocol AccountingBacklog: AnyObject {
    /// Keeps a record of an event at `time`, in seconds since 1970; answers its number, which is above all before, and nil where there
    /// is no room.
    func append(_ record: [UInt8], group: String, time: UInt32) -> UInt64?
    /// Forgets records that servers have taken.
    func remove(_ ids: [UInt64])
    /// Records of an earlier run, in the order of their numbers; once, at the start.
    func takeBacklog() -> [(id: UInt64, group: String, record: [UInt8])]
    /// Records that it may hold.
    var capacity: Int { get }
}

/// Keeps nothing beyond the process's life.
public final class VolatileBacklog: AccountingBacklog {
    private var last: UInt64 = 0
    /// Records that it may hold.
    public let capacity: Int

    /// A backlog of `capacity` records.
    public init(capacity: Int = 100_000) { self.capacity = capacity }

    /// Numbers a record.
    public func append(_ record: [UInt8], group: String, time: UInt32) -> UInt64? {
        last += 1
        return last
    }

    /// There is nothing to forget.
    public func remove(_ ids: [UInt64]) {}

    /// There is nothing.
    public func takeBacklog() -> [(id: UInt64, group: String, record: [UInt8])] { [] }
}
