import GRDB

/// A group of the store's tables, with what waits to be written into them. Everything here is called on the store's thread.
protocol TableGroup: Sendable {
    /// Transactions that it takes to write what waits; 0 when nothing does.
    var transactions: Int { get }
    /// Writes what has waited longest into the open transaction: all, or as much as is good for one.
    func write(_ db: Database) throws
    /// The transaction was committed: what was written last is on the disk.
    func committed()
    /// It was not: what was written last waits again.
    func rolledBack()
}
