import Foundation
import GRDB
import Synchronization

/// One piece of the control plane's state: a row of one of the state's tables.
public struct StateRow: Hashable, Sendable {
    /// The table: one of `StateTables.names`.
    public var table: String
    /// Its number in the table.
    public var id: Int64
    /// Its image, in its owner's form; nil: it is no more.
    public var image: [UInt8]?

    /// Row `id` of `table`.
    public init(table: String, id: Int64, image: [UInt8]?) {
        self.table = table
        self.id = id
        self.image = image
    }
}

/// The control plane's state: what a culvertd that is gone was at.
///
/// Rows are put in and taken out in commits, which are numbered. A commit is written whole, with the accounting records that belong
/// to it; several may be written together, and of a row that changed in more than one the last image counts. A commit that is
/// written outlives the process, and not the machine: what it describes, sessions in a segment of memory, does not either.
final class StateTables: Sendable {
    /// Names of the tables; images are told apart by them.
    static let names = ["node", "tunnel", "session", "tunnel_account", "static_tunnel"]

    private struct Key: Hashable {
        let table: String
        let id: Int64
    }

    private struct State {
        var waiting: [Key: [UInt8]?] = [:]
        var writing: [Key: [UInt8]?] = [:]
        /// The last commit that was given, is being written, is written.
        var number: UInt64
        var writingNumber: UInt64 = 0
        var written: UInt64
    }

    private let state: Mutex<State>
    private let committedNumber: @Sendable (UInt64) -> Void

    /// The tables in `db`.
    /// - Parameter committed: is told the number of the last commit that is written.
    init(_ db: Database, committed: @escaping @Sendable (UInt64) -> Void) throws {
        let number = try Self.number(in: db)
        state = Mutex(State(number: number, written: number))
        committedNumber = committed
    }

    /// The last commit in a file.
    static func number(in db: Database) throws -> UInt64 {
        UInt64(bitPattern: try Int64.fetchOne(db, sql: "SELECT number FROM state_commit") ?? 0)
    }

    /// Everything that the file holds.
    static func rows(in db: Database) throws -> [StateRow] {
        var rows: [StateRow] = []
        for table in names {
            let cursor = try Row.fetchCursor(db, sql: "SELECT id, image FROM \(table)")
            while let row = try cursor.next() {
                let image: Data = row[1]
                rows.append(StateRow(table: table, id: row[0], image: [UInt8](image)))
            }
        }
        return rows
    }

    /// Takes a commit; answers its number.
    func add(_ rows: [StateRow]) -> UInt64 {
        state.withLock { state in
            for row in rows { state.waiting[Key(table: row.table, id: row.id)] = .some(row.image) }
            state.number += 1
            return state.number
        }
    }

    /// Numbers go on behind `number`.
    func raise(to number: UInt64) { state.withLock { $0.number = max($0.number, number) } }

    /// Commits that were given and are not written.
    var unwritten: UInt64 { state.withLock { $0.number - min($0.written, $0.number) } }
}

extension StateTables: TableGroup {
    var isWaiting: Bool { state.withLock { $0.number != $0.written } }

    func gather() {
        state.withLock { state in
            // What a transaction that failed has left is older than what came since.
            state.writing.merge(state.waiting) { _, new in new }
            state.waiting = [:]
            state.writingNumber = state.number
        }
    }

    func write(_ db: Database) throws {
        let (rows, number) = state.withLock { ($0.writing, $0.writingNumber) }
        // In the order of the tables and their numbers: neighbours are on one page.
        for (key, image) in rows.sorted(by: { ($0.key.table, $0.key.id) < ($1.key.table, $1.key.id) }) {
            if let image {
                try db.cachedStatement(sql: "INSERT OR REPLACE INTO \(key.table) (id, image) VALUES (?, ?)")
                    .execute(arguments: [key.id, Data(image)])
            } else {
                try db.cachedStatement(sql: "DELETE FROM \(key.table) WHERE id = ?").execute(arguments: [key.id])
            }
        }
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO state_commit (id, number) VALUES (0, ?)")
            .execute(arguments: [Int64(bitPattern: number)])
    }

    func committed() {
        let number = state.withLock { state in
            state.writing = [:]
            state.written = state.writingNumber
            return state.written
        }
        committedNumber(number)
    }

    /// `writing` stays and is gathered again, with what came since over it.
    func rolledBack() {}
}
