import Foundation
import GRDB
import Store
import StoreFixture
import Testing

/// What is done about what lies where the store should be.
@Suite struct StoreFileTests {
    private let folder: Folder
    private let path: String

    init() throws {
        folder = try Folder()
        path = folder.path()
    }

    private func open() throws -> (store: Store, opening: StoreOpening) { try Store.open(path: path) { _ in } }

    /// A store with a hundred records, closed.
    private func makeStore() throws {
        let (store, opening) = try open()
        #expect(opening == .created(path: path))
        #expect(store.accounting.append((1...100).map(entry)).count == 100)
        try store.close()
    }

    @Test func beginsAndOpens() throws {
        try makeStore()
        #expect(folder.names == ["store.sqlite"], "nothing is left beside it")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let database = try DatabaseQueue(path: path)
        let facts = try database.read { db in
            try [
                "PRAGMA application_id", "PRAGMA user_version", "PRAGMA journal_mode",
                "SELECT COUNT(*) FROM accounting_record",
            ].map { try String.fetchOne(db, sql: $0) }
        }
        #expect(facts == ["\(0x434c_5654)", "1", "wal", "100"])
        try database.close()
        let (store, opening) = try open()
        #expect(opening == .opened(path: path))
        #expect(opening.description == "\(path) was opened")
        #expect(store.accounting.statistics.found == 100)
        try store.close()
    }

    /// Begun and killed at once: an empty file, a header alone, a name alone.
    @Test(arguments: ["", "PRAGMA journal_mode = WAL", "PRAGMA journal_mode = WAL; PRAGMA application_id = 1129076308"])
    func goesOnWithWhatWasBegun(sql: String) throws {
        try Data().write(to: URL(filePath: path))
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { db in try db.execute(sql: sql) }
        try database.close()
        let (store, opening) = try open()
        if case .replaced = opening { Issue.record("\(opening)") }
        #expect(store.accounting.append(entry(1)) == JournalRecordID(rawValue: 1))
        try store.close()
        #expect(folder.names == ["store.sqlite"])
    }

    /// The file is renamed as it is, said so, and a new one is there.
    private func expectReplaced(_ fault: (StoreFault) -> Bool, says: String) throws {
        let before = try Data(contentsOf: URL(filePath: path))
        let (store, opening) = try open()
        guard case .replaced(path, let found, let setAside) = opening else {
            Issue.record("\(opening)")
            return
        }
        #expect(fault(found), "\(found)")
        #expect(opening.description.hasPrefix("\(path) cannot be used: \(says)"), "\(opening)")
        let name = URL(filePath: setAside).lastPathComponent
        #expect(name.wholeMatch(of: /store\.sqlite\.bad-\d{8}T\d{6}Z(-\d+)?/) != nil, "\(name)")
        #expect(try Data(contentsOf: URL(filePath: setAside)) == before)
        #expect(store.accounting.statistics.records == 0)
        #expect(store.accounting.append(entry(1)) == JournalRecordID(rawValue: 1))
        try store.close()
        let (again, second) = try open()
        #expect(second == .opened(path: path))
        #expect(again.accounting.statistics.found == 1)
        try again.close()
    }

    @Test func setsAsideWhatIsNoDatabase() throws {
        try Data("Dear diary, this is not a database. ".utf8 + [UInt8](repeating: 7, count: 5_000)).write(
            to: URL(filePath: path))
        try expectReplaced({ $0 == .notADatabase }, says: "it is not an SQLite database.")
        // A second one in the same second has another name.
        try Data("no database either, and long enough to be none".utf8).write(to: URL(filePath: path))
        try expectReplaced({ $0 == .notADatabase }, says: "it is not an SQLite database.")
        #expect(folder.names.count == 3)
    }

    @Test(arguments: [
        ("PRAGMA application_id = 252006674", 0xf05_5112 as Int32), ("PRAGMA user_version = 3", 0), ("", 0),
    ])
    func setsAsideOthersDatabases(sql: String, id: Int32) throws {
        let database = try DatabaseQueue(path: path)
        try database.write { db in try db.execute(sql: "CREATE TABLE songs (title TEXT); \(sql)") }
        try database.close()
        try expectReplaced(
            { $0 == .foreign(applicationID: id) },
            says: "it is another program's database (application id 0x\(String(id, radix: 16)))")
    }

    @Test(arguments: ["PRAGMA user_version = 2", "INSERT INTO grdb_migrations VALUES ('sessions-1')"])
    func setsAsideWhatLaterProgramsWrote(sql: String) throws {
        try makeStore()
        let database = try DatabaseQueue(path: path)
        try database.write { db in try db.execute(sql: sql) }
        try database.close()
        try expectReplaced(
            { if case .newer = $0 { true } else { false } }, says: "a later version of this program wrote it")
    }

    @Test(arguments: ["DROP TABLE accounting_record", "ALTER TABLE accounting_record RENAME COLUMN payload TO octets"])
    func setsAsideWhatLacksATable(sql: String) throws {
        try makeStore()
        let database = try DatabaseQueue(path: path)
        try database.write { db in try db.execute(sql: sql) }
        try database.close()
        try expectReplaced({ if case .damaged = $0 { true } else { false } }, says: "it is damaged: no such")
    }

    @Test(arguments: [0.3, 0.5, 0.9])
    func setsAsideWhatIsTorn(part: Double) throws {
        try makeStore()
        let whole = try Data(contentsOf: URL(filePath: path))
        try whole.prefix(Int(Double(whole.count) * part)).write(to: URL(filePath: path))
        try expectReplaced({ if case .damaged = $0 { true } else { false } }, says: "it is damaged: ")
    }

    /// Any page but the first of zeros or noise.
    @Test(arguments: [0 as UInt8, 0xa5])
    func setsAsideWhatIsSpoilt(octet: UInt8) throws {
        try makeStore()
        var whole = try Data(contentsOf: URL(filePath: path))
        #expect(whole.count > 5 * 4_096)
        for index in 4_096..<3 * 4_096 { whole[index] = octet }
        try whole.write(to: URL(filePath: path))
        try expectReplaced({ if case .damaged = $0 { true } else { false } }, says: "it is damaged: ")
    }

    // MARK: What is not the file's fault

    private func error(_ body: () throws -> Void) -> StoreError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    @Test func turnsASecondOneAway() throws {
        let (store, _) = try open()
        let refused = error { _ = try open() }
        #expect(refused == .inUse(path: path))
        #expect(refused?.description == "\(path) is in use by another process; only one may have it")
        #expect(store.accounting.append(entry(1)) != nil)
        try store.close()
        let (again, opening) = try open()
        #expect(opening == .opened(path: path) && again.accounting.statistics.found == 1)
        try again.close()
    }

    @Test func leavesAloneWhatIsNoFile() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(error { _ = try open() } == .notAFile(path: path))
        let missing = folder.path("missing/store.sqlite")
        let refused = error { _ = try Store.open(path: missing) { _ in } }
        #expect(refused == .system(path: missing, call: "open", code: ENOENT))
        #expect(refused?.description == "\(missing): open: No such file or directory")
        #expect(folder.names == ["store.sqlite"])
    }
}
