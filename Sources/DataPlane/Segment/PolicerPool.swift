import CSegment

/// The segment's policers: sessions with the same rates share one, which goes when the last of them has gone.
///
/// The rates of a policer that is in use never change: a session with other rates is given another policer. A place that is
/// given back is the last to be used again, so that a worker which has just read a session's line finds the rates that it
/// looked for; should it not, one frame is metered by another session's rates.
struct PolicerPool {
    private let entries: UnsafeMutablePointer<culvert_policer>
    /// Directions of sessions that refer to a policer.
    private var use: [UInt32]
    private var indexes: [PolicerRates: UInt32] = [:]
    private var free: IndexQueue

    /// The pool of a segment, with every policer free.
    init(_ view: SegmentView) {
        entries = view.policers
        let capacity = Int(view.policerMask) + 1
        use = [UInt32](repeating: 0, count: capacity)
        free = IndexQueue(capacity: capacity)
    }

    /// Policers that are free.
    var freeCount: Int { free.count }

    /// The policer with these rates, which are valid, for one more user.
    /// - Throws: `policersFull`.
    mutating func take(_ rates: PolicerRates) throws(TableError) -> UInt16 {
        if let index = indexes[rates] {
            use[Int(index)] += 1
            return UInt16(truncatingIfNeeded: index)
        }
        guard let index = free.popFirst() else { throw .policersFull(capacity: UInt32(use.count)) }
        write(rates, index)
        indexes[rates] = index
        use[Int(index)] = 1
        return UInt16(truncatingIfNeeded: index)
    }

    /// Gives a policer back that `take` or `countUp` counted.
    mutating func give(_ index: UInt16, view: SegmentView) {
        let place = Int(index)
        guard place < use.count, use[place] > 0 else { return }
        use[place] -= 1
        guard use[place] == 0 else { return }
        if let (_, rates) = view.policerRates(UInt32(index)), indexes[rates] == UInt32(index) { indexes[rates] = nil }
        free.append(UInt32(index))
    }

    /// Counts a user that was found; an index beyond the table is nobody's.
    mutating func countUp(_ index: UInt16) {
        if Int(index) < use.count { use[Int(index)] += 1 }
    }

    /// Works out what is free and what can be shared, when every user was counted. One whose rates are not whole is not shared.
    mutating func finishCounting(view: SegmentView) {
        for index in 0..<UInt32(use.count) {
            if use[Int(index)] == 0 {
                free.append(index)
            } else if let (_, rates) = view.policerRates(index), rates.isValid, indexes[rates] == nil {
                indexes[rates] = index
            }
        }
    }

    /// The generation says that the entry is being written, then that it is another one. It never goes back to one that a worker
    /// may have seen.
    private func write(_ rates: PolicerRates, _ index: UInt32) {
        let entry = entries + Int(index)
        let odd = entry.pointee.generation | 1
        culvert_store_relaxed_u32(&entry.pointee.generation, odd)
        culvert_fence()
        culvert_store_relaxed_u64(&entry.pointee.committed_rate, rates.committedRate)
        culvert_store_relaxed_u64(&entry.pointee.peak_rate, rates.peakRate)
        culvert_store_relaxed_u64(&entry.pointee.committed_burst, rates.committedBurst)
        culvert_store_relaxed_u64(&entry.pointee.peak_burst, rates.peakBurst)
        let even = odd &+ 1
        culvert_store_release_u32(&entry.pointee.generation, even == 0 ? 2 : even)
    }
}
