import CSegment

/// The free session slots of one direction, and who uses which region of them.
///
/// A session id is a 2-bit selector and a 14-bit offset; its owner (a circuit or a tunnel) has a page table of four regions
/// of 16,384 slots. Any number of owners share a region. Freed slots go to the back of their region's queue and owners are
/// led to regions with many free slots, so an id stays unused for a long time after its session.
struct SlotPool {
    /// Why no slot can be had.
    enum Exhaustion: Error {
        /// No slot is free.
        case table
        /// Slots are free, but not in a region that this owner has or may still add.
        case pages
    }

    /// Selectors in the order in which an owner takes them into use: with 1 and 2 no offset makes an id 0 or 0xffff.
    private static let selectorOrder: [Int] = [1, 2, 0, 3]
    private static let offsetMask = UInt32(1) << CULVERT_PAGE_SHIFT - 1

    /// Slots a region; all of them when there are fewer than 16,384.
    private let regionSize: UInt32
    private let regionCount: Int
    /// One ring a region, back to back: offsets of its free slots, oldest first from `head`.
    private var freeOffsets: [UInt16]
    private var head: [UInt32]
    private var freeCount: [UInt32]
    /// Slots in use, those that wait for a grace period included, by 4 * owner + selector.
    private var use: [UInt32]

    /// Number of free slots.
    private(set) var freeSlots: UInt32 = 0

    /// A pool without any free slot; `giveInitially` fills it.
    init(slots: UInt32, owners: UInt32) {
        regionSize = min(slots, 1 << CULVERT_PAGE_SHIFT)
        regionCount = Int(slots / regionSize)
        freeOffsets = [UInt16](repeating: 0, count: Int(slots))
        head = [UInt32](repeating: 0, count: regionCount)
        freeCount = [UInt32](repeating: 0, count: regionCount)
        use = [UInt32](repeating: 0, count: Int(owners) * Int(CULVERT_PAGE_COUNT))
    }

    /// Slots that the owner has, those that wait for a grace period included.
    func slotsInUse(owner: UInt32) -> UInt32 {
        let first = 4 * Int(owner)
        return use[first] &+ use[first + 1] &+ use[first + 2] &+ use[first + 3]
    }

    /// Whether ids with this selector name slots of the owner at present.
    func isInUse(owner: UInt32, selector: Int) -> Bool { use[4 * Int(owner) + selector] > 0 }

    /// Takes the slot that has been free for longest in the owner's best region.
    /// - Parameter pages: the owner's page table in the segment, which may get another region.
    mutating func take(
        owner: UInt32, pages: UnsafeMutablePointer<UInt32>
    ) throws(Exhaustion) -> (slot: UInt32, sessionID: UInt16) {
        guard freeSlots > 0 else { throw .table }
        var best: (selector: Int, region: Int)?
        for selector in Self.selectorOrder {
            let region = culvert_load_relaxed_u32(pages + selector)
            guard region < UInt32(regionCount), hasUsableSlot(Int(region), selector) else { continue }
            if let found = best, freeCount[Int(region)] <= freeCount[found.region] { continue }
            best = (selector, Int(region))
        }
        // A region that runs low would give the same few ids again and again: widen in time.
        let isLow = best.map { freeCount[$0.region] < regionSize / 8 } ?? true
        if isLow, let wider = widen(owner: owner, pages: pages, beyond: best.map { freeCount[$0.region] } ?? 0) {
            best = wider
        }
        guard let (selector, region) = best else { throw .pages }
        var offset = popFirst(region)
        if isReservedID(selector, offset) {
            append(offset, region)
            offset = popFirst(region)
        }
        use[4 * Int(owner) + selector] += 1
        return (UInt32(region) << CULVERT_PAGE_SHIFT | UInt32(offset), UInt16(selector) << 14 | offset)
    }

    /// Takes a slot back that `take` gave for this owner and id.
    mutating func give(slot: UInt32, owner: UInt32, sessionID: UInt16) {
        append(UInt16(truncatingIfNeeded: slot & Self.offsetMask), Int(slot >> CULVERT_PAGE_SHIFT))
        countDown(owner: owner, sessionID: sessionID)
    }

    /// Puts a slot that nobody owns in; for filling the pool.
    mutating func giveInitially(slot: UInt32) {
        append(UInt16(truncatingIfNeeded: slot & Self.offsetMask), Int(slot >> CULVERT_PAGE_SHIFT))
    }

    /// Counts a slot that was found in use; an owner that does not exist is not counted.
    mutating func countUp(owner: UInt32, sessionID: UInt16) {
        let index = 4 * Int(owner) + Int(sessionID >> 14)
        if index < use.count { use[index] += 1 }
    }

    /// Undoes `countUp`.
    mutating func countDown(owner: UInt32, sessionID: UInt16) {
        let index = 4 * Int(owner) + Int(sessionID >> 14)
        if index < use.count, use[index] > 0 { use[index] -= 1 }
    }

    /// Turns every region's queue by a random amount: which ids were used last is not known after a start.
    mutating func shuffleStarts(using generator: inout some RandomNumberGenerator) {
        for region in 0..<regionCount where freeCount[region] > 1 {
            for _ in 0..<UInt32.random(in: 0..<freeCount[region], using: &generator) {
                append(popFirst(region), region)
            }
        }
    }

    /// Gives the owner the region with the most free slots, more than `beyond`, under a selector that names nothing now.
    private func widen(
        owner: UInt32, pages: UnsafeMutablePointer<UInt32>, beyond: UInt32
    ) -> (selector: Int, region: Int)? {
        let unused = Self.selectorOrder.first { !isInUse(owner: owner, selector: $0) }
        guard let selector = unused else { return nil }
        var best: Int?
        for region in 0..<regionCount where freeCount[region] > (best.map { freeCount[$0] } ?? beyond) {
            let isThere = (0..<4).contains { culvert_load_relaxed_u32(pages + $0) == UInt32(region) }
            if !isThere, hasUsableSlot(region, selector) { best = region }
        }
        guard let region = best else { return nil }
        culvert_store_release_u32(pages + selector, UInt32(region))
        return (selector, region)
    }

    /// Whether a free slot of the region makes a permitted id with this selector.
    private func hasUsableSlot(_ region: Int, _ selector: Int) -> Bool {
        guard freeCount[region] < 2 else { return true }
        return freeCount[region] == 1 && !isReservedID(selector, freeOffsets[position(region, head[region])])
    }

    /// 0 and 0xffff are reserved in PPPoE (RFC 2516, 4); the same rule serves L2TP.
    private func isReservedID(_ selector: Int, _ offset: UInt16) -> Bool {
        let id = UInt16(selector) << 14 | offset
        return id == 0 || id == 0xffff
    }

    private func position(_ region: Int, _ index: UInt32) -> Int {
        region * Int(regionSize) + Int(index & (regionSize - 1))
    }

    private mutating func popFirst(_ region: Int) -> UInt16 {
        let offset = freeOffsets[position(region, head[region])]
        head[region] = (head[region] &+ 1) & (regionSize - 1)
        freeCount[region] -= 1
        freeSlots -= 1
        return offset
    }

    private mutating func append(_ offset: UInt16, _ region: Int) {
        freeOffsets[position(region, head[region] &+ freeCount[region])] = offset
        freeCount[region] += 1
        freeSlots += 1
    }
}
