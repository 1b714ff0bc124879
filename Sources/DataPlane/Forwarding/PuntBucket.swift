import Segment

/// The token bucket of a punt class: `rate` frames a second with bursts of a tenth of a second.
///
/// It is kept as one point in time (the generic cell rate algorithm, ITU-T I.371): the time at which the next frame would be
/// due if frames came at exactly the rate. A frame may come early by the burst's length.
public struct PuntBucket {
    /// Cycles between two frames at the rate; 0: nothing is punted.
    var interval: UInt64
    /// Cycles that a frame may come early.
    var tolerance: UInt64
    /// Cycle count at which the next frame is due.
    var due: UInt64

    /// A full bucket of `rate` frames a second.
    public init(rate: UInt32, cyclesPerSecond: UInt64) {
        interval = rate == 0 ? 0 : max(cyclesPerSecond / UInt64(rate), 1)
        // At least eight frames at once: ARP and discovery come in small groups however slow the class is.
        tolerance = max(interval &* 8, cyclesPerSecond / 10)
        due = 0
    }

    /// Takes a token at `now`, in cycles; false when there is none.
    public mutating func take(now: UInt64) -> Bool {
        guard interval != 0, due <= now &+ tolerance else { return false }
        due = max(due, now) &+ interval
        return true
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
