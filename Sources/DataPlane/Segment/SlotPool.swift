import CSegment

/// The free session slots of one direction, and who uses which region of them.
///
/// A session id is a 2-bit selector and a 14-bit offset; its owner (a circuit or a tunnel) has a page table of four regions
/// of 16,384 slots. Any number of owners share a region. Freed slots go to the back of their region's queue and owners are
/// led to regions with many free slots, so an id stays unused for a long time after its session.
///
/// A selector under which its owner has no session names nothing, and may be led to any region. So:
///
/// - An owner that has sessions in fewer than four regions always gets a slot while one is free anywhere.
/// - An owner that has sessions in four regions is refused when these are full, even though others are not: ids carry
///   slots and sessions cannot be moved. What it can have is what these four had to give, 65,534 at most.
///
/// The second case cannot be ruled out by any rule that gives slots before it knows who will want how many: an owner gets
/// 65,534 ids only if four regions are left to it alone. The rule here keeps that far away. An owner that grows alone (it
/// began without sessions, and nobody else took or gave a slot since) fills a region to the end and goes on in the fullest
/// that still leaves it room to grow. Owners that grow by turns begin to share out the emptiest regions when theirs are at
/// 7/8, and keep their last selector for the end. A table of a million places that 1 to 8,000 owners with as many sessions
/// each fill, one after the other or by turns, or change a fifth of, is full to the last place or lacks fewer than one in a
/// thousand (`SlotPoolTests`). Owners of very different sizes, some near 65,534, may be refused earlier.
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
    /// Owners that have slots.
    private var activeOwners: UInt32 = 0
    /// Who took the latest slot; whether it had none when it began to take them, and nobody gave one back since.
    private var latestOwner: UInt32 = .max
    private var growsAlone = true

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
        let first = 4 * Int(owner)
        var best: Place?
        var unused = 0
        for selector in Self.selectorOrder {
            let isUsed = use[first + selector] > 0
            if !isUsed { unused += 1 }
            let region = culvert_load_relaxed_u32(pages + selector)
            guard region < UInt32(regionCount), hasUsableSlot(Int(region), selector) else { continue }
            // A region from before goes on with ids that have rested, unless it was filled by others meanwhile.
            guard isUsed || freeCount[Int(region)] >= regionSize / 2 else { continue }
            if let found = best, freeCount[Int(region)] <= freeCount[found.region] { continue }
            best = Place(selector: selector, region: Int(region))
        }
        if owner != latestOwner {
            growsAlone = unused == Self.selectorOrder.count
            latestOwner = owner
        }
        // A region that runs low would give the same few ids again and again: widen in time.
        let available = best.map { freeCount[$0.region] } ?? 0
        if available < regionSize / 8, unused > 0,
            let wider = widen(owner: owner, pages: pages, beyond: available, unused: unused)
        {
            best = wider
        }
        guard let place = best else { throw .pages }
        var offset = popFirst(place.region)
        if isReservedID(place.selector, offset) {
            append(offset, place.region)
            offset = popFirst(place.region)
        }
        if unused == Self.selectorOrder.count { activeOwners += 1 }
        use[first + place.selector] += 1
        return (
            UInt32(place.region) << CULVERT_PAGE_SHIFT | UInt32(offset), UInt16(place.selector) << 14 | offset
        )
    }

    /// Takes a slot back that `take` gave for this owner and id.
    mutating func give(slot: UInt32, owner: UInt32, sessionID: UInt16) {
        growsAlone = false
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
        guard index < use.count else { return }
        if slotsInUse(owner: owner) == 0 { activeOwners += 1 }
        use[index] += 1
    }

    /// Undoes `countUp`.
    mutating func countDown(owner: UInt32, sessionID: UInt16) {
        let index = 4 * Int(owner) + Int(sessionID >> 14)
        guard index < use.count, use[index] > 0 else { return }
        use[index] -= 1
        if slotsInUse(owner: owner) == 0 { activeOwners -= 1 }
    }

    /// Turns every region's queue by a random amount: which ids were used last is not known after a start.
    mutating func shuffleStarts(using generator: inout some RandomNumberGenerator) {
        for region in 0..<regionCount where freeCount[region] > 1 {
            for _ in 0..<UInt32.random(in: 0..<freeCount[region], using: &generator) {
                append(popFirst(region), region)
            }
        }
    }

    /// Where an owner can have a slot.
    private struct Place {
        var selector: Int
        var region: Int
    }

    /// Gives the owner another region under a selector that names nothing now, when it should have one.
    /// - Parameter beyond: free slots in the best of its regions, fewer than an eighth.
    /// - Parameter unused: selectors that name nothing now, at least one.
    private func widen(
        owner: UInt32, pages: UnsafeMutablePointer<UInt32>, beyond: UInt32, unused: Int
    ) -> Place? {
        let free = Self.selectorOrder.first { !isInUse(owner: owner, selector: $0) }
        guard let selector = free else { return nil }
        let emptiest = region(for: owner, selector, pages) { free, best in
            best.map { free > self.freeCount[$0] } ?? true
        }
        guard let emptiest else { return nil }
        let most = freeCount[emptiest]
        var choice = emptiest
        if beyond > 0 {
            // The last selector is for when there is no slot left, and a region that is hardly better is not worth one.
            guard !growsAlone, unused > 1, most >= 2 * beyond else { return nil }
        } else if growsAlone, unused > 1, unused < Self.selectorOrder.count || most < regionSize / 2 {
            let least = most >= regionSize / 2 ? regionSize / 64 : 0
            let fullest = region(for: owner, selector, pages) { free, best in
                free > least && best.map { free < self.freeCount[$0] } ?? true
            }
            if let fullest, hasRoomToGrow(owner, freeCount[fullest] + UInt32(unused - 1) * most) { choice = fullest }
        }
        culvert_store_release_u32(pages + selector, UInt32(choice))
        return Place(selector: selector, region: choice)
    }

    /// The region, none of the owner's, that `isBetter`, told its free slots and the best one before it, says last.
    private func region(
        for owner: UInt32, _ selector: Int, _ pages: UnsafeMutablePointer<UInt32>,
        _ isBetter: (_ free: UInt32, _ best: Int?) -> Bool
    ) -> Int? {
        var best: Int?
        for region in 0..<regionCount where freeCount[region] > 0 && isBetter(freeCount[region], best) {
            let isThere = (0..<4).contains {
                isInUse(owner: owner, selector: $0) && culvert_load_relaxed_u32(pages + $0) == UInt32(region)
            }
            if !isThere, hasUsableSlot(region, selector) { best = region }
        }
        return best
    }

    /// Whether an owner that gets so many slots more can have twice its sessions, and more than others have.
    private func hasRoomToGrow(_ owner: UInt32, _ more: UInt32) -> Bool {
        let own = slotsInUse(owner: owner)
        guard own > 0, activeOwners > 1 else { return true }
        let others = (regionSize * UInt32(regionCount) - freeSlots - own) / (activeOwners - 1)
        return own + more >= max(2 * own, others + others / 4)
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
