import Segment

/// The token bucket of a punt class: `rate` frames a second with bursts of a tenth of a second. Frames of a higher rank may take
/// a tenth or two tenths of a second more in advance. So as long as they come, those of a lower rank find the bucket empty,
/// and what the class may have in all stays the same.
public struct PuntBucket {
    private let rate: PuntRate
    /// Cycle count at which the next frame is due.
    private var due: UInt64 = 0

    /// A full bucket of `rate` frames a second.
    public init(rate: UInt32, cyclesPerSecond: UInt64) {
        self.rate = PuntRate(rate: rate, cyclesPerSecond: cyclesPerSecond, burst: cyclesPerSecond / 10)
    }

    /// Takes a token at `now`, in cycles; false when there is none.
    public mutating func take(now: UInt64, rank: PuntRank = .beyond) -> Bool {
        rate.take(&due, now: now, bursts: UInt64(rank.rawValue) &+ 1)
    }
}

/// Frames a second that each punt class may have, per worker.
public struct PuntLimits: Hashable, Sendable {
    private var rates: [UInt32]

    /// The same limit for every class.
    public init(all rate: UInt32) { rates = PuntClass.allCases.map { _ in rate } }

    /// The limit of a class.
    public subscript(punt: PuntClass) -> UInt32 {
        get { rates[Int(punt.rawValue)] }
        set { rates[Int(punt.rawValue)] = newValue }
    }
}
