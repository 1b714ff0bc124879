import GRDB

/// A group of the store's tables, with what waits to be written into them. Everything here is called on the store's thread.
protocol TableGroup: Sendable {
    /// Whether something waits.
    var isWaiting: Bool { get }
    /// Takes what waits now for the next transaction. That of all groups is taken at one moment, between two commits of the caller's
    /// thread.
    func gather()
    /// Writes what was gathered into the open transaction.
    func write(_ db: Database) throws
    /// The transaction was committed: what was written outlives the process.
    func committed()
    /// It was not: what was written waits again.
    func rolledBack()
    /// How much has been committed that is to outlive the machine's end too; grows.
    var syncMark: UInt64 { get }
    /// What was committed up to `mark` is on the disk.
    func synced(upTo mark: UInt64)
    /// Whether some of it is not.
    var wantsSync: Bool { get }
}

extension TableGroup {
    var syncMark: UInt64 { 0 }
    func synced(upTo mark: UInt64) {}
    var wantsSync: Bool { false }
}
