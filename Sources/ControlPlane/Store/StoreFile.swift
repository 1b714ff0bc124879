import Foundation
import GRDB
import Glibc

/// The store's file: opened, checked, and set aside where it cannot be used.
///
/// Written ahead (WAL), so that a commit is one write and one flush at the end of a file, and a process killed at any moment leaves
/// the last commit. `synchronous` is NORMAL: a commit is with the kernel when it returns, which the death of the process does not
/// undo, and whoever waits for one does not wait for the disk. What must outlive a power cut as well is called durable after
/// `sync`, a flush of the log, which another thread does. The lock
/// is exclusive for as long as the file is open: a second daemon is turned away, and there is no index in shared memory that a full
/// disk could tear from under us.
struct StoreFile {
    let path: String
    let queue: DatabaseQueue

    /// Opens the file at `path`, or begins it.
    /// - Parameter commit: the commit of the state that it must have at least.
    static func open(
        _ path: String, commit: UInt64 = 0, now: Date
    ) throws(StoreError) -> (file: StoreFile, opening: StoreOpening) {
        let isNew = try create(path)
        do throws(Refusal) {
            // A new one has no state to be old.
            return (try StoreFile(path, commit: isNew ? 0 : commit), isNew ? .created(path: path) : .opened(path: path))
        } catch {
            switch error {
            case .error(let error): throw error
            case .fault(let fault):
                let setAside = try setAside(path, now: now)
                _ = try create(path)
                do throws(Refusal) {
                    let file = try StoreFile(path, commit: 0)
                    if case .older = fault { try file.takeRecords(from: setAside) }
                    return (file, .replaced(path: path, fault: fault, setAside: setAside))
                } catch {
                    switch error {
                    case .error(let error): throw error
                    case .fault(let fault):
                        throw .database(path: path, code: ResultCode.SQLITE_CORRUPT.rawValue, message: "\(fault)")
                    }
                }
            }
        }
    }

    /// Why a file cannot be opened: as things are, or because of what is in it.
    private enum Refusal: Error {
        case error(StoreError)
        case fault(StoreFault)
    }

    /// Makes an empty file that only its owner reads, as there are subscribers' names in it; false where there is one already. That
    /// one is not touched: closing a descriptor of a file lets go of SQLite's locks on it.
    private static func create(_ path: String) throws(StoreError) -> Bool {
        let file = Glibc.open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            guard errno == EEXIST else { throw .system(path: path, call: "open", code: errno) }
            var status = stat()
            // A broken link exists too, and has nothing behind it.
            guard stat(path, &status) == 0 else { throw .system(path: path, call: "stat", code: errno) }
            guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
            return status.st_size == 0
        }
        Glibc.close(file)
        return true
    }

    private init(_ path: String, commit: UInt64) throws(Refusal) {
        self.path = path
        var configuration = Configuration()
        configuration.label = "store"
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            try db.execute(
                sql: """
                    PRAGMA locking_mode = EXCLUSIVE;
                    PRAGMA synchronous = NORMAL;
                    PRAGMA journal_size_limit = 16777216;
                    PRAGMA wal_autocheckpoint = 4000;
                    """)
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw Self.refusal(error, path: path)
        }
        let fault: StoreFault?
        do {
            var found = try queue.writeWithoutTransaction(Self.check)
            if found == nil {
                try queue.writeWithoutTransaction(Self.begin)
                try StoreSchema.migrator.migrate(queue)
                let last = try queue.read(StateTables.number)
                if last < commit { found = .older(commit: last, expected: commit) }
            }
            fault = found
        } catch {
            try? queue.close()
            throw Self.refusal(error, path: path)
        }
        guard let fault else { return }
        try? queue.close()
        throw .fault(fault)
    }

    private static func refusal(_ error: any Error, path: String) -> Refusal {
        guard let database = error as? DatabaseError else { return .error(StoreError(error, path: path)) }
        switch database.resultCode {
        case .SQLITE_NOTADB: return .fault(.notADatabase)
        case .SQLITE_CORRUPT: return .fault(.damaged(database.message ?? "\(database.resultCode)"))
        // SQL that does not fit: tables are missing or are others than they should be.
        case .SQLITE_ERROR: return .fault(.damaged(database.message ?? "\(database.resultCode)"))
        default: return .error(StoreError(error, path: path))
        }
    }

    /// Looks at the file without changing it.
    private static func check(_ db: Database) throws -> StoreFault? {
        let id = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let version = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
        // Nothing has been written but the file's own header: ours to begin, or somebody killed while beginning it.
        if id == 0, version == 0, tables == 0 { return nil }
        guard id == StoreSchema.applicationID else { return .foreign(applicationID: id) }
        guard version <= StoreSchema.version else { return .newer(version: version) }
        if try StoreSchema.migrator.hasBeenSuperseded(db) { return .newer(version: version) }
        for statement in StoreSchema.probes where version >= 1 { try db.execute(sql: statement) }
        if try db.tableExists("state_commit") {
            for statement in StoreSchema.stateProbes { try db.execute(sql: statement) }
        }
        let verdict = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? ""
        return verdict == "ok" ? nil : .damaged(verdict)
    }

    /// Puts our name on the file before anything else.
    private static func begin(_ db: Database) throws {
        guard try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL") == "wal" else {
            throw DatabaseError(resultCode: .SQLITE_IOERR, message: "the file system cannot hold a write-ahead log")
        }
        try db.execute(sql: "PRAGMA application_id = \(StoreSchema.applicationID)")
    }

    /// Renames the file and what SQLite keeps beside it; answers the new name.
    private static func setAside(_ path: String, now: Date) throws(StoreError) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
        let stamp = formatter.string(from: now)
        var name = "\(path).bad-\(stamp)"
        var number = 1
        while access(name, F_OK) == 0 {
            number += 1
            name = "\(path).bad-\(stamp)-\(number)"
        }
        // What is beside it first: a new file must not find the old one's log.
        for suffix in ["-wal", "-shm", "-journal", ""] {
            guard rename(path + suffix, name + suffix) == 0 || errno == ENOENT && !suffix.isEmpty else {
                throw .system(path: path + suffix, call: "rename", code: errno)
            }
        }
        return name
    }

    /// Copies the accounting records of another store.
    private func takeRecords(from other: String) throws(Refusal) {
        do {
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "ATTACH ? AS other", arguments: [other])
                try db.execute(sql: "INSERT INTO accounting_record SELECT * FROM other.accounting_record")
                try db.execute(sql: "DETACH other")
            }
        } catch { throw Self.refusal(error, path: other) }
    }

    /// Has the disk write what was committed so far; may be called on any thread.
    static func sync(_ path: String) throws(StoreError) {
        // Locks are on the file itself: to close the log lets go of none.
        let log = Glibc.open(path + "-wal", O_RDONLY | O_CLOEXEC)
        guard log >= 0 else {
            // There is no log before the first commit, and what was in the one before has been written back with a flush.
            guard errno == ENOENT else { throw .system(path: path + "-wal", call: "open", code: errno) }
            return
        }
        defer { Glibc.close(log) }
        guard fdatasync(log) == 0 else { throw .system(path: path + "-wal", call: "fdatasync", code: errno) }
    }

    /// Writes the log back into the file, and closes it.
    func close() throws(StoreError) {
        do {
            try queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            try queue.close()
        } catch {
            try? queue.close()
            throw StoreError(error, path: path)
        }
    }
}
