/// The number of a record in the journal: later ones are higher.
public struct JournalRecordID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, from 1.
    public var rawValue: Int64

    /// The record of this number.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Whether `a` was appended before `b`.
    public static func < (a: JournalRecordID, b: JournalRecordID) -> Bool { a.rawValue < b.rawValue }

    /// The number.
    public var description: String { "\(rawValue)" }
}

/// What is to be kept until a server has it.
public struct JournalEntry: Hashable, Sendable {
    /// Name of the server group that it is for; without NUL, where SQLite's text ends.
    public var group: String
    /// When what it tells happened: nanoseconds since 1970, UTC.
    public var eventTime: Int64
    /// The record, in its owner's form.
    public var payload: [UInt8]

    /// `payload`, about `eventTime`, for the servers of `group`.
    public init(group: String, eventTime: Int64, payload: [UInt8]) {
        self.group = group
        self.eventTime = eventTime
        self.payload = payload
    }
}

/// A record of the journal.
public struct JournalRecord: Hashable, Sendable {
    /// Its number.
    public var id: JournalRecordID
    /// What it says.
    public var entry: JournalEntry

    /// The record `id`.
    public init(id: JournalRecordID, entry: JournalEntry) {
        self.id = id
        self.entry = entry
    }
}

/// How much the journal holds, on disk and in memory together.
public struct JournalLimits: Hashable, Sendable {
    /// Records.
    public var records: Int
    /// Octets of their payloads.
    public var octets: Int

    /// At most so much.
    public init(records: Int = 1_000_000, octets: Int = 512 << 20) {
        self.records = records
        self.octets = octets
    }
}

/// What the journal holds, and what became of what it was given.
public struct JournalStatistics: Hashable, Sendable {
    /// Records that it holds now.
    public var records = 0
    /// Octets of their payloads.
    public var octets = 0
    /// Of the records, those that are not on disk yet.
    public var unwritten = 0
    /// Records that were found at the start.
    public var found: UInt64 = 0
    /// Records that were taken.
    public var appended: UInt64 = 0
    /// Records that were refused because the journal was full, or closed.
    public var refused: UInt64 = 0
    /// Records that were removed.
    public var removed: UInt64 = 0
    /// Records that were written to disk.
    public var written: UInt64 = 0
    /// Records that were removed before they had been written.
    public var spared: UInt64 = 0

    /// Nothing yet.
    public init() {}
}
