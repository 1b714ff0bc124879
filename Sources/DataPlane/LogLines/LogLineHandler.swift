import Glibc
import Logging

/// Writes each event of the log as one line, text or JSON.
///
/// The text is that of swift-log's own handler. JSON has `time` (RFC 3339, UTC, microseconds), `level`, `logger`, `source` and
/// `message` in this order, behind them the metadata by name; a metadata name that is one of the five, or begins with an
/// underscore, gets an underscore in front. A line is written at once, so that lines of several threads do not mix.
public struct LogLineHandler: LogHandler {
    /// Takes a line with its end.
    public typealias Sink = @Sendable (String) -> Void

    /// Least level that is written.
    public var logLevel = Logger.Level.info
    /// Metadata of every line.
    public var metadata = Logger.Metadata()
    /// Metadata that is asked for with every line.
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let priorities: Bool
    private let now: @Sendable () -> timespec
    private let sink: Sink

    /// A handler for standard error; with `priorities`, each line begins with its level as `<0>` to `<7>`.
    public init(label: String, format: LogFormat, priorities: Bool = false) {
        self.init(
            label: label, format: format, priorities: priorities, now: Self.clock, sink: Self.writeToStandardError)
    }

    /// A handler that gives its lines to `sink`, with the time that `now` says.
    public init(
        label: String, format: LogFormat, priorities: Bool, now: @escaping @Sendable () -> timespec,
        sink: @escaping Sink
    ) {
        self.label = label
        self.format = format
        self.priorities = priorities
        self.now = now
        self.sink = sink
    }

    /// One metadata value, by name.
    public subscript(metadataKey name: String) -> Logger.Metadata.Value? {
        get { metadata[name] }
        set { metadata[name] = newValue }
    }

    /// Writes an event.
    public func log(event: LogEvent) {
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { $1 }
        all.merge(event.metadata ?? [:]) { $1 }
        if let error = event.error {
            all["error.message"] = "\(error)"
            all["error.type"] = "\(String(reflecting: type(of: error)))"
        }
        let prefix = priorities ? "<\(event.level.journalPriority)>" : ""
        switch format {
        case .text: sink(prefix + text(event, all))
        case .json: sink(prefix + json(event, all))
        }
    }

    private func text(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        let pairs = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(LogTime.local(now())) \(event.level) \(label):\(pairs) [\(event.source)] \(event.message)\n"
    }

    private func json(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        var object = JSONLine()
        object.add("time", .string(LogTime.utc(now())))
        object.add("level", .string(event.level.rawValue))
        object.add("logger", .string(label))
        object.add("source", .string(event.source))
        object.add("message", .string("\(event.message)"))
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
            object.add(Self.own.contains(name) || name.hasPrefix("_") ? "_\(name)" : name, value)
        }
        return object.text + "\n"
    }

    private static let own: Set<String> = ["time", "level", "logger", "source", "message"]

    private static let clock: @Sendable () -> timespec = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }

    private static let writeToStandardError: Sink = { line in
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                // Nobody is left to tell.
                return
            }
        }
    }
}

/// A JSON object in a line, built member by member.
struct JSONLine {
    private var members: [String] = []

    /// The object.
    var text: String { "{\(members.joined(separator: ","))}" }

    /// Adds a member; the caller sees to it that no name comes twice.
    mutating func add(_ name: String, _ value: Logger.MetadataValue) {
        members.append("\(Self.quoted(name)):\(Self.text(of: value))")
    }

    private static func text(of value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): return quoted(text)
        case .stringConvertible(let value): return quoted(value.description)
        case .array(let values): return "[\(values.map { text(of: $0) }.joined(separator: ","))]"
        case .dictionary(let values):
            let members = values.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(text(of: $0.value))" }
            return "{\(members.joined(separator: ","))}"
        }
    }

    /// A JSON string (RFC 8259 section 7).
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Times of lines.
enum LogTime {
    /// `2026-11-21T06:00:11+0000`, as the zone of the machine has it.
    static func local(_ time: timespec) -> String {
        var seconds = time.tv_sec
        var broken = tm()
        localtime_r(&seconds, &broken)
        return format(&broken, "%Y-%m-%dT%H:%M:%S%z")
    }

    /// `2026-11-21T06:00:11.123456Z` (RFC 3339).
    static func utc(_ time: timespec) -> String {
        var seconds = time.tv_sec
        var broken = tm()
        gmtime_r(&seconds, &broken)
        let digits = String(time.tv_nsec / 1_000)
        let fraction = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        return "\(format(&broken, "%Y-%m-%dT%H:%M:%S")).\(fraction)Z"
    }

    private static func format(_ time: inout tm, _ form: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 64)
        let length = buffer.withUnsafeMutableBytes {
            strftime($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, form, &time)
        }
        return String(decoding: buffer.prefix(length), as: UTF8.self)
    }
}

extension Logger.Level {
    /// The level as syslog numbers it.
    var journalPriority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
