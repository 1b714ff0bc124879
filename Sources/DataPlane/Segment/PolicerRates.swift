import CSegment

/// What a policer lets pass: a two rate three colour marker (RFC 2698), colour-blind, that drops what is red.
///
/// A frame is red when the peak bucket has fewer octets than it; what is within the peak rate passes whether it is within
/// the committed rate or not. The data plane's meter rounds the time between two octets down to whole cycles of its clock, so
/// it may let up to a hundredth more pass.
public struct PolicerRates: Hashable, Sendable {
    /// Largest rate and largest burst: 8 Tbit/s. The meter's arithmetic has room for them.
    public static let limit: UInt64 = 1_000_000_000_000

    /// Octets a second, 1 to `limit`.
    public var committedRate: UInt64
    /// Octets a second, from the committed rate to `limit`.
    public var peakRate: UInt64
    /// Octets that the committed bucket holds, 1 to `limit`.
    public var committedBurst: UInt64
    /// Octets that the peak bucket holds, 1 to `limit`.
    public var peakBurst: UInt64

    /// A policer of two rates. Octets are those of PPP frames from the protocol field on.
    public init(committedRate: UInt64, peakRate: UInt64, committedBurst: UInt64, peakBurst: UInt64) {
        self.committedRate = committedRate
        self.peakRate = peakRate
        self.committedBurst = committedBurst
        self.peakBurst = peakBurst
    }

    /// A policer of one rate.
    public init(rate: UInt64, burst: UInt64) {
        self.init(committedRate: rate, peakRate: rate, committedBurst: burst, peakBurst: burst)
    }

    /// Whether every number lies in its range.
    @inlinable
    public var isValid: Bool {
        let range = 1...Self.limit
        return range.contains(committedRate) && range.contains(committedBurst) && range.contains(peakBurst)
            && (committedRate...Self.limit).contains(peakRate)
    }
}

extension SegmentView {
    /// The rates of a policer, whose index is at most `policerMask`, and the generation that they belong to; nil when it has none
    /// or culvertd is writing it just now.
    public func policerRates(_ index: UInt32) -> (generation: UInt32, rates: PolicerRates)? {
        let entry = policers + Int(truncatingIfNeeded: index & policerMask)
        let generation = culvert_load_acquire_u32(&entry.pointee.generation)
        guard generation != 0, generation & 1 == 0 else { return nil }
        let rates = PolicerRates(
            committedRate: culvert_load_relaxed_u64(&entry.pointee.committed_rate),
            peakRate: culvert_load_relaxed_u64(&entry.pointee.peak_rate),
            committedBurst: culvert_load_relaxed_u64(&entry.pointee.committed_burst),
            peakBurst: culvert_load_relaxed_u64(&entry.pointee.peak_burst))
        culvert_fence()
        guard culvert_load_relaxed_u32(&entry.pointee.generation) == generation else { return nil }
        return (generation, rates)
    }
}
