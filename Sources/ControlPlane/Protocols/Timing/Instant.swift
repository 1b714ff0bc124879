/// A point in time as protocols see it: nanoseconds of a monotonic clock.
///
/// Protocol machines never read a clock. They are handed an `Instant` with each input and answer with deadlines, so the
/// same code runs against `CLOCK_MONOTONIC` in the daemon and against virtual time in tests.
@frozen
public struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's origin.
    public var nanoseconds: UInt64

    /// The instant that lies `nanoseconds` after the clock's origin.
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The clock's origin.
    public static let zero = Instant(nanoseconds: 0)
    /// Later than any instant that a clock shows; a deadline that never comes.
    public static let distantFuture = Instant(nanoseconds: .max)

    /// Whether `a` comes before `b`.
    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The instant moved by `interval`, held within the clock's range.
    public static func + (instant: Instant, interval: Duration) -> Instant {
        let (seconds, attoseconds) = interval.components
        let (scaled, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflowed else { return seconds > 0 ? .distantFuture : .zero }
        let (delta, overflowedToo) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard !overflowedToo else { return seconds > 0 ? .distantFuture : .zero }
        if delta >= 0 {
            let (sum, past) = instant.nanoseconds.addingReportingOverflow(UInt64(delta))
            return Instant(nanoseconds: past ? .max : sum)
        }
        let (difference, before) = instant.nanoseconds.subtractingReportingOverflow(delta.magnitude)
        return Instant(nanoseconds: before ? 0 : difference)
    }

    /// The time from `b` to `a`; negative when `a` is the earlier one.
    public static func - (a: Instant, b: Instant) -> Duration {
        a >= b
            ? .nanoseconds(Int64(clamping: a.nanoseconds - b.nanoseconds))
            : .zero - .nanoseconds(Int64(clamping: b.nanoseconds - a.nanoseconds))
    }
}
