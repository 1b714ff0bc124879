import CDPDK
import CSegment
import Segment
import Testing
import Wire

/// A table of a million places, and owners that want them.
private struct Crowd {
    static let capacity = 1_048_576
    /// PPPoE session ids of a circuit, and L2TP session ids of a tunnel: all but 0 and 0xffff.
    static let ids = 65_534

    let bed: Bed
    let tunnels: [TunnelID]
    /// Where the sessions of each owner are.
    var slots: [[UpstreamSlot]]
    var random: SplitMix

    init(owners: Int, seed: UInt64) throws {
        bed = try Bed(
            Geometry(
                sessions: UInt32(Self.capacity), tunnels: 16_384, circuits: 16_384, vlanBlocks: 64, workers: 1,
                ports: 2, frameRingDepth: 64))
        var tunnels: [TunnelID] = []
        for _ in 0..<owners { tunnels.append(try bed.tunnel()) }
        self.tunnels = tunnels
        slots = [[UpstreamSlot]](repeating: [], count: owners)
        random = SplitMix(state: seed)
    }

    var count: Int { Self.capacity - Int(bed.writer.occupancy.freeUpstream) }

    /// As many sessions each, all places together or all ids of everybody.
    func shares() -> [Int] {
        let share = min(Self.ids, Self.capacity / slots.count)
        let rest = share == Self.ids ? 0 : Self.capacity - share * slots.count
        return slots.indices.map { share + ($0 < rest ? 1 : 0) }
    }

    /// Adds one session to each owner that is named, in this order, until one is refused. Answers how many came in.
    mutating func add(_ owners: [Int]) throws -> Int {
        let sessions = owners.map { owner in
            BulkSession(
                reference: UInt64(owner), clientMAC: client(UInt64(owner)), port: 0,
                outerVLAN: UInt16(1 + owner / 4_000), innerVLAN: UInt16(1 + owner % 4_000), tpid: 0x8100,
                tunnel: tunnels[owner], peerSessionID: 1)
        }
        var places = [BulkPlace](repeating: .none, count: sessions.count)
        var refused = 0
        sessions.withUnsafeBufferPointer { sessions in
            places.withUnsafeMutableBufferPointer { places in
                _ = bed.writer.addExternal(sessions, into: places) { _, _ in refused += 1 }
            }
        }
        for (owner, place) in zip(owners, places) where place.isAdded { slots[owner].append(place.upstream) }
        return owners.count - refused
    }

    /// Removes so many sessions, of any owners.
    mutating func remove(_ count: Int) {
        var gone: [UpstreamSlot] = []
        while gone.count < count {
            let owner = Int.random(in: 0..<slots.count, using: &random)
            guard !slots[owner].isEmpty else { continue }
            slots[owner].swapAt(Int.random(in: 0..<slots[owner].count, using: &random), slots[owner].count - 1)
            gone.append(slots[owner].removeLast())
        }
        gone.withUnsafeBufferPointer { _ = bed.writer.remove($0) { _, error in Issue.record(error) } }
        bed.reclaim()
    }

    /// So many owners with ids left, at random.
    mutating func anyOwners(_ count: Int) -> [Int] {
        var taken = slots.map(\.count)
        return (0..<count).map { _ in
            while true {
                let owner = Int.random(in: 0..<slots.count, using: &random)
                if taken[owner] < Self.ids {
                    taken[owner] += 1
                    return owner
                }
            }
        }
    }
}

/// A million places dealt out. One circuit and one tunnel go together here, so both directions' pools see the same.
@Suite(.serialized) struct SlotPoolTests {
    /// Owner after owner: the last place of the table, or the last id of everybody. `missing` may be refused, see `SlotPool`.
    @Test(arguments: [
        (1, 0), (8, 0), (16, 0), (20, 1_048), (50, 0), (64, 0), (100, 0), (250, 0), (1_000, 0), (8_000, 0),
    ])
    func ownerAfterOwner(owners: Int, missing: Int) throws {
        var crowd = try Crowd(owners: owners, seed: 1)
        let order = crowd.shares().enumerated().flatMap { [Int](repeating: $0, count: $1) }
        let added = try crowd.add(order)
        #expect(added >= order.count - missing, "\(order.count - added) of \(order.count) refused")
        if owners > 16, missing == 0 { #expect(crowd.bed.writer.occupancy.freeUpstream == 0) }
    }

    /// All owners by turns, at random. The last places may then be in regions that an owner cannot take any more, which its four
    /// others do not let it; where the writer starts to take places is random, so that this differs from run to run.
    @Test(arguments: [
        (1, 0), (8, 0), (16, 0), (50, 1_048), (100, 1_048), (250, 1_048), (1_000, 1_048), (8_000, 1_048),
    ])
    func allAtOnce(owners: Int, missing: Int) throws {
        var crowd = try Crowd(owners: owners, seed: 2)
        var order = crowd.shares().enumerated().flatMap { [Int](repeating: $0, count: $1) }
        order.shuffle(using: &crowd.random)
        let added = try crowd.add(order)
        #expect(added >= order.count - missing, "\(order.count - added) of \(order.count) refused")
    }

    /// A fifth of the sessions goes, and as many come, with any owner: five times.
    @Test(arguments: [(8, 0), (100, 1_048), (250, 1_048), (1_000, 1_048), (8_000, 1_048)])
    func afterChanges(owners: Int, missing: Int) throws {
        var crowd = try Crowd(owners: owners, seed: 3)
        let order = crowd.shares().enumerated().flatMap { [Int](repeating: $0, count: $1) }
        _ = try crowd.add(order)
        for round in 0..<5 {
            crowd.remove(crowd.count / 5)
            let newcomers = crowd.anyOwners(order.count - crowd.count)
            let added = try crowd.add(newcomers)
            #expect(added >= newcomers.count - missing, "\(newcomers.count - added) refused in round \(round)")
        }
    }
}
