import Timing

/// Lets `rate` events a second pass, and `burst` at once after a quiet time.
public struct TokenBucket: Sendable {
    private let interval: UInt64
    private let burst: UInt64
    private var tokens: UInt64
    private var filledAt: Instant

    /// A full bucket. `rate` and `burst` are at least 1.
    public init(rate: UInt32, burst: UInt32, at now: Instant = .zero) {
        interval = 1_000_000_000 / UInt64(max(1, rate))
        self.burst = UInt64(max(1, burst))
        tokens = self.burst
        filledAt = now
    }

    /// Takes a token; false when there is none.
    public mutating func take(at now: Instant) -> Bool {
        if now > filledAt {
            let earned = (now.nanoseconds - filledAt.nanoseconds) / interval
            if earned >= burst - tokens {
                tokens = burst
                filledAt = now
            } else {
                tokens += earned
                filledAt = Instant(nanoseconds: filledAt.nanoseconds + earned * interval)
            }
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}
