import GRDB
import Glibc

/// Why the store cannot do what is asked.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process has the file.
    case inUse(path: String)
    /// What stands there is a folder, a device or the like.
    case notAFile(path: String)
    /// A system call failed: which, and errno.
    case system(path: String, call: String, code: Int32)
    /// SQLite failed: its code, and what it says.
    case database(path: String, code: Int32, message: String)
    /// The store has been closed.
    case closed(path: String)

    /// For people.
    public var description: String {
        switch self {
        case .inUse(let path): "\(path) is in use by another process; only one may have it"
        case .notAFile(let path): "\(path) is not a file"
        case .system(let path, let call, let code): "\(path): \(call): \(String(cString: strerror(code)))"
        case .database(let path, _, let message): "\(path): \(message)"
        case .closed(let path): "\(path) has been closed"
        }
    }

    /// What GRDB throws.
    init(_ error: any Error, path: String) {
        guard let error = error as? DatabaseError else {
            self = .database(path: path, code: ResultCode.SQLITE_ERROR.rawValue, message: "\(error)")
            return
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .inUse(path: path)
        default:
            self = .database(
                path: path, code: error.extendedResultCode.rawValue,
                message: error.message ?? error.resultCode.description)
        }
    }
}

/// Why a file is not used as the store.
public enum StoreFault: Hashable, Sendable, CustomStringConvertible {
    /// It is no SQLite database.
    case notADatabase
    /// It is another program's database; its application id.
    case foreign(applicationID: Int32)
    /// A later version of this program wrote it, in this format.
    case newer(version: Int32)
    /// It is torn or spoilt; what SQLite says.
    case damaged(String)
    /// It is a copy from before: its last commit, and the one that peers have seen the effect of.
    case older(commit: UInt64, expected: UInt64)

    /// For people.
    public var description: String {
        switch self {
        case .notADatabase: "it is not an SQLite database"
        case .foreign(let id):
            "it is another program's database (application id 0x\(String(UInt32(bitPattern: id), radix: 16)))"
        case .newer(let version):
            "a later version of this program wrote it (format \(version), this one knows up to \(StoreSchema.version))"
        case .damaged(let text): "it is damaged: \(text)"
        case .older(let commit, let expected):
            "it is older than the sessions that are up (it ends with commit \(commit), they are at \(expected))"
        }
    }
}

/// What was found where the store was opened.
public enum StoreOpening: Hashable, Sendable, CustomStringConvertible {
    /// There was nothing; a new store was begun.
    case created(path: String)
    /// The store was there.
    case opened(path: String)
    /// What was there cannot be used: it was renamed, and a new store was begun.
    case replaced(path: String, fault: StoreFault, setAside: String)

    /// For people.
    public var description: String {
        switch self {
        case .created(let path): "\(path) was begun"
        case .opened(let path): "\(path) was opened"
        case .replaced(let path, let fault, let setAside):
            switch fault {
            case .older:
                "\(path) cannot be used for sessions: \(fault). It was renamed to \(setAside), and a new store was begun with its "
                    + "accounting records"
            default:
                "\(path) cannot be used: \(fault). It was renamed to \(setAside), and a new store was begun; records that were in "
                    + "it are not sent"
            }
        }
    }
}
