import Glibc
import Logging

/// What a line of the log looks like.
public enum LogFormat: String, CaseIterable, Hashable, Sendable {
    /// For people: `2026-11-21T06:00:11+0000 notice culvertd: port=core0 [culvertd] MESSAGE`.
    case text
    /// For machines: one JSON object a line.
    case json
}

extension LogFormat {
    /// Sends what all loggers of the process say to standard error from here on, at `level` unless they have one of their own.
    /// To be called once.
    ///
    /// Where standard error is the journal of systemd, lines of text begin with their priority in the form that the journal
    /// takes off again (sd-daemon(3)).
    public func bootstrap(level: Logger.Level = .info) {
        let priorities = self == .text && JournalStream.isStandardError
        LoggingSystem.bootstrap { label in
            var handler = LogLineHandler(label: label, format: self, priorities: priorities)
            handler.logLevel = level
            return handler
        }
    }
}

/// The journal of systemd as a stream that a service is started with.
public enum JournalStream {
    /// Whether standard error leads to the journal (systemd.exec(5), `$JOURNAL_STREAM`).
    public static var isStandardError: Bool {
        guard let variable = getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        return names(String(cString: variable), device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Whether `variable`, `DEVICE:INODE` in decimal digits, names this file.
    public static func names(_ variable: String, device: UInt64, inode: UInt64) -> Bool {
        variable == "\(device):\(inode)"
    }
}
