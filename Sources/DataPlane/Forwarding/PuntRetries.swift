import CDPDK
import Segment

/// Remembers who has asked on a line that is flooded, so that whoever asks again goes before all those who ask for the first time. A
/// client that gets no answer asks again after a second (RFC 2516, section 8, for PADI and PADR; ARP, ND and SCCRQ likewise). A
/// flood with forged addresses does not: and where it does, it has to keep to few addresses, for coming again is worth
/// little, `grants` frames in `longest` seconds.
///
/// It is a table of fixed size in sets of sixteen, a cache line each. A stranger takes the place in its set of whoever has been there
/// for longest. So up to some 300,000 strangers a second, somebody is still remembered a second later. The hash is seeded.
public struct PuntRetries: @unchecked Sendable {
    /// Places, all classes together.
    public static let capacity = 524_288
    /// Strangers that compete for places.
    static let ways = 16
    /// Units of time in a second.
    static let ticksPerSecond: UInt64 = 64
    /// Ticks before which nobody comes again: doubled frames are not a second question.
    static let shortest: UInt32 = 16
    /// Ticks after which somebody is a stranger again.
    static let longest: UInt32 = 640
    /// Frames that go before strangers' meanwhile: a client's PADIs and PADRs with some to spare.
    static let grants: UInt32 = 8

    /// What is remembered: 16 bits of the hash, never 0, over 4 bits of grants, over 12 bits of the tick at which it came.
    private let entries: UnsafeMutablePointer<UInt32>
    private let cyclesPerTick: UInt64
    private let seed: UInt64

    /// An empty table.
    public init(cyclesPerSecond: UInt64, seed: UInt64, socket: Int32) throws(AllocationError) {
        entries = try allocate(Self.capacity, socket: socket)
        cyclesPerTick = max(cyclesPerSecond / Self.ticksPerSecond, 1)
        self.seed = seed
    }

    /// Gives the memory back.
    public func deallocate() { culvert_free(entries) }

    /// Whether a client has asked before, not just now and not too long ago; remembers that it has asked now.
    /// - Parameter now: time in cycles.
    public func comesAgain(_ punt: PuntClass, _ client: PuntClient, now: UInt64) -> Bool {
        let tick = tick(now)
        let (entry, tag, isKnown) = find(punt, client, tick)
        let age = Self.age(entry.pointee, tick)
        guard isKnown, age <= Self.longest else {
            entry.pointee = tag << 16 | tick
            return false
        }
        let granted = entry.pointee >> 12 & 0xf
        guard age >= Self.shortest, granted < Self.grants else { return false }
        entry.pointee &+= 1 << 12
        return true
    }

    /// A client's first question was taken: from now on it comes again.
    public func admit(_ punt: PuntClass, _ client: PuntClient, now: UInt64) {
        let tick = tick(now)
        let (entry, tag, isKnown) = find(punt, client, tick)
        guard !isKnown || entry.pointee >> 12 & 0xf == 0 else { return }
        entry.pointee = tag << 16 | (tick &- Self.shortest) & 0xfff
    }

    private func tick(_ now: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: now / cyclesPerTick) & 0xfff }

    private static func age(_ entry: UInt32, _ tick: UInt32) -> UInt32 { (tick &- entry) & 0xfff }

    /// The client's place, or that of whoever is to give way to it, with its tag.
    private func find(
        _ punt: PuntClass, _ client: PuntClient, _ tick: UInt32
    ) -> (entry: UnsafeMutablePointer<UInt32>, tag: UInt32, isKnown: Bool) {
        let hash = HashSeed.hash(client.first, client.second, seed: seed ^ UInt64(punt.rawValue) << 56)
        let tag = max(UInt32(truncatingIfNeeded: hash) & 0xffff, 1)
        let set = entries + (Int(truncatingIfNeeded: hash >> 32) & (Self.capacity &- Self.ways))
        var (oldest, oldestAge): (Int, UInt32) = (0, 0)
        for way in 0..<Self.ways {
            let entry = set[way]
            if entry >> 16 == tag { return (set + way, tag, true) }
            let age = entry == 0 ? UInt32.max : Self.age(entry, tick)
            if age > oldestAge { (oldest, oldestAge) = (way, age) }
        }
        return (set + oldest, tag, false)
    }
}
