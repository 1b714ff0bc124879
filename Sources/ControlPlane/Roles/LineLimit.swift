import Host
import Logging
import Timing

/// How often something that strangers can bring about is said in the log. What is left out is told by the next line.
package struct LineLimit {
    private var bucket: TokenBucket
    private var left: UInt64 = 0

    /// `rate` lines a second, `burst` at once after a quiet time.
    package init(rate: UInt32, burst: UInt32) { bucket = TokenBucket(rate: rate, burst: burst) }

    /// Whether the line may be written now: what is added to it, or nil.
    package mutating func take(at now: Instant) -> Logger.Metadata? {
        guard bucket.take(at: now) else {
            left += 1
            return nil
        }
        defer { left = 0 }
        return left == 0 ? [:] : ["left-out": "\(left)"]
    }
}
