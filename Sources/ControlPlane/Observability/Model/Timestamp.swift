import Glibc
import Wire

/// A point in time on the wall clock, for people and controllers; protocols use `Timing.Instant` instead.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public var nanoseconds: Int64

    /// The time that lies `nanoseconds` after 1970-01-01T00:00:00Z.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The time that lies `seconds` after 1970-01-01T00:00:00Z, held within the range of the type (the years 1678 to 2262).
    public init(seconds: Int64) {
        let (scaled, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = overflowed ? (seconds < 0 ? .min : .max) : scaled
    }

    /// What the system's wall clock shows.
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    public var seconds: Int64 {
        let quotient = nanoseconds / 1_000_000_000
        return nanoseconds % 1_000_000_000 < 0 ? quotient - 1 : quotient
    }

    /// Nanoseconds since the last whole second, 0 to 999,999,999.
    public var nanosecondsOfSecond: Int32 {
        let remainder = nanoseconds % 1_000_000_000
        return Int32(truncatingIfNeeded: remainder < 0 ? remainder + 1_000_000_000 : remainder)
    }

    /// Whether `a` is the earlier one.
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// Whose clock on the wall text shows.
public enum TimeZoneOfText: Sendable {
    /// Coordinated universal time.
    case utc
    /// The zone of the machine that the text is read on.
    case local
}

extension Timestamp {
    /// Year, month (1 to 12), day, hour, minute and second of the time.
    private func fields(
        in zone: TimeZoneOfText
    ) -> (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        var time = time_t(seconds)
        var broken = tm()
        switch zone {
        case .utc: gmtime_r(&time, &broken)
        case .local: localtime_r(&time, &broken)
        }
        return (
            Int(broken.tm_year) + 1900, Int(broken.tm_mon) + 1, Int(broken.tm_mday), Int(broken.tm_hour),
            Int(broken.tm_min), Int(broken.tm_sec)
        )
    }

    /// `Jun 1 12:25:25 2016`
    public func dateAndTime(in zone: TimeZoneOfText) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let time = fields(in: zone)
        return "\(months[(time.month - 1) % 12]) \(time.day) \(timeOfDay(in: zone)) \(time.year)"
    }

    /// `12:25:25`
    public func timeOfDay(in zone: TimeZoneOfText) -> String {
        let time = fields(in: zone)
        return [time.hour, time.minute, time.second].map { $0.zeroPadded(to: 2) }.joined(separator: ":")
    }

    /// `2016-06-01T12:25:25.000Z` (RFC 3339), to the millisecond.
    public var rfc3339: String {
        let time = fields(in: .utc)
        let milliseconds = Int(nanosecondsOfSecond) / 1_000_000
        let date = "\(time.year.zeroPadded(to: 4))-\(time.month.zeroPadded(to: 2))-\(time.day.zeroPadded(to: 2))"
        return "\(date)T\(timeOfDay(in: .utc)).\(milliseconds.zeroPadded(to: 3))Z"
    }
}

extension Int {
    /// Decimal digits, with zeros in front up to `width`.
    fileprivate func zeroPadded(to width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}

extension Timestamp: Encodable {
    /// Encodes as RFC 3339 text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}

extension IPAddress: Encodable {
    /// Encodes as text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension MACAddress: Encodable {
    /// Encodes as `00:00:5e:00:53:01`; the zero address, which is nobody's, as empty text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value == 0 ? "" : description)
    }
}
