import CDPDK
import CSegment
import Segment

/// Puts the fragments of IP datagrams to the node together again: RFC 791, section 3.2, and RFC 8200, section 4.5.
///
/// ```
///   take --> fault? --> whose datagram? --> find it, or make it known --> its place among the others --> complete? --> join
///              |                              |        |                     |        |
///              v                              v        v                     v        v
///            tiny, malformed, too long      spoilt   evicted             duplicate  overlap, too many: spoilt
/// ```
///
/// Fragments come from strangers, so:
/// - memory is what was allocated at the start, so many datagrams and so many fragments. When it is used up the oldest
///   incomplete datagram gives way; a sender that has more than its share of what is used up gives way itself first. So
///   a flood of fragments that never complete pushes itself out, and datagrams whose fragments come close together get
///   through;
/// - a datagram lives for the time-out from its first fragment on, however many follow;
/// - the hash is seeded, so nobody can make all datagrams meet in one place of the table;
/// - nothing is ever overwritten: an exact duplicate is dropped, which RFC 8200 allows, and any other overlap spoils the
///   datagram (RFC 5722): what was held of it is dropped, and what still comes of it until its time-out. Two ends that
///   contradict each other do the same.
///
/// A datagram lies in its first fragment's buffer when it fits there, else in the buffers of its fragments, one behind the
/// other. It then looks like a frame that came in whole.
///
/// The value is a pointer; what is behind it belongs to one worker.
struct Reassembler: @unchecked Sendable {
    /// The most fragments that one datagram may come in: 65,535 octets in pieces of 1,280 and less are 53.
    static let fragmentLimit: UInt32 = 64
    /// Octets at the front of a frame that lie in its first buffer, or all of them if the frame is shorter: more than Ethernet
    /// with two tags, IP with options, UDP and L2TP have.
    static let headerRoom = 136
    /// Datagrams that one round gives up at most, so that a round stays short.
    private static let expirations = 64
    /// Senders are told apart by so many shares, and may have an eighth of all places before they make room for themselves.
    static let shares = 64
    private static let shareDivisor: UInt32 = 8

    /// No datagram, no fragment.
    static let none = UInt32.max

    /// A datagram that is not complete.
    struct Datagram {
        var key: FragmentKey
        /// Time, in cycles, at which it is given up.
        var deadline: UInt64
        /// The next one in the same place of the table, or of the unused ones.
        var next: UInt32
        /// The place in the table.
        var place: UInt32
        /// Its fragments, by offset: the first and the last one held.
        var first: UInt32
        var last: UInt32
        /// Octets of data held.
        var received: UInt32
        /// Octets of data in all; 0: not known yet.
        var end: UInt32
        /// Fragments held.
        var count: UInt32
        /// Why what still comes is dropped, a `Counter`'s raw value; 0, which is no drop reason: it is not.
        var spoilt: UInt32
        /// The sender's share.
        var share: UInt32
        /// Of the first fragment's frame: octets in front of the IP header, and of the data.
        var ipOffset: UInt16
        var dataOffset: UInt16
    }

    /// A fragment that waits for the others.
    struct HeldFragment {
        /// The first fragment's buffer has its headers in front of the data, the others have data only.
        var mbuf: OpaquePointer?
        /// Where its data belongs, in octets, and how many they are.
        var offset: UInt16
        var length: UInt16
        /// The next one of the datagram, or of the unused ones.
        var next: UInt32

        /// Where its data ends in the datagram's.
        @inline(__always)
        var end: Int { Int(offset) &+ Int(length) }
    }

    /// Places that a sender's share has taken.
    struct Share {
        var datagrams: UInt32
        var fragments: UInt32
    }

    /// Where everything is, and what changes beside the tables. It is behind a pointer of its own so that the reassembler is one
    /// word in the forwarder, which is handed from function to function.
    struct State {
        let hash: FragmentHash
        let limits: ReassemblyLimits
        /// Cycles.
        let timeout: UInt64
        let counters: UnsafeMutablePointer<UInt64>
        /// By the low bits of the hash, the number of places less one.
        let places: UnsafeMutablePointer<UInt32>
        let placeMask: UInt32
        let datagrams: UnsafeMutablePointer<Datagram>
        let fragments: UnsafeMutablePointer<HeldFragment>
        let shares: UnsafeMutablePointer<Share>
        /// All datagrams, and those of each share.
        let byAge: AgeLists
        let byShare: AgeLists
        /// Heads of the lists of unused places.
        var freeDatagram: UInt32 = 0
        var freeFragment: UInt32 = 0
        /// Datagrams that are known.
        var known: UInt32 = 0
        /// Fragments held.
        var held: UInt32 = 0
    }

    let state: UnsafeMutablePointer<State>

    @inline(__always)
    var datagrams: UnsafeMutablePointer<Datagram> { state.pointee.datagrams }
    @inline(__always)
    var fragments: UnsafeMutablePointer<HeldFragment> { state.pointee.fragments }
    @inline(__always)
    private var places: UnsafeMutablePointer<UInt32> { state.pointee.places }
    @inline(__always)
    private var shares: UnsafeMutablePointer<Share> { state.pointee.shares }
    @inline(__always)
    private var byAge: AgeLists { state.pointee.byAge }
    @inline(__always)
    private var byShare: AgeLists { state.pointee.byShare }

    /// A reassembler that counts into a worker's `counters`.
    init(
        _ limits: ReassemblyLimits, cyclesPerSecond: UInt64, counters: UnsafeMutablePointer<UInt64>, socket: Int32
    ) throws(AllocationError) {
        var places: UInt32 = 1
        while places < limits.datagrams { places *= 2 }
        state = try allocate(1, socket: socket)
        state.initialize(
            to: State(
                hash: FragmentHash(limits.seed), limits: limits,
                timeout: UInt64(limits.timeoutMilliseconds) * (cyclesPerSecond / 1_000), counters: counters,
                places: try allocate(Int(places), socket: socket), placeMask: places - 1,
                datagrams: try allocate(Int(limits.datagrams), socket: socket),
                fragments: try allocate(Int(limits.fragments), socket: socket),
                shares: try allocate(Self.shares, socket: socket),
                byAge: try AgeLists(lists: 1, elements: limits.datagrams, socket: socket),
                byShare: try AgeLists(lists: Self.shares, elements: limits.datagrams, socket: socket)))
        for index in 0..<Int(places) { self.places[index] = Self.none }
        for index in 0..<limits.datagrams {
            datagrams[Int(index)].next = index + 1 < limits.datagrams ? index + 1 : Self.none
        }
        for index in 0..<limits.fragments {
            fragments[Int(index)].next = index + 1 < limits.fragments ? index + 1 : Self.none
        }
    }

    /// Frees what is held, and gives the memory back.
    func deallocate() {
        while let datagram = byAge.oldest(0) { release(datagram, .fragmentTimeout) }
        culvert_free(places)
        culvert_free(datagrams)
        culvert_free(fragments)
        culvert_free(shares)
        byAge.deallocate()
        byShare.deallocate()
        culvert_free(state)
    }

    /// The hash that says whose a datagram is, and where it is looked for.
    @inline(__always)
    func hash(of key: FragmentKey) -> UInt64 { state.pointee.hash(key) }

    /// Fragments held.
    var held: Int { Int(state.pointee.held) }

    /// Drops datagrams whose time is over at `now`, in cycles. Cheap when there are none.
    @inline(__always)
    func expire(now: UInt64) {
        if state.pointee.known != 0 { giveUp(now: now) }
    }

    @inline(never)
    private func giveUp(now: UInt64) {
        var left = Self.expirations
        while left != 0, let oldest = byAge.oldest(0), datagrams[Int(oldest)].deadline <= now {
            release(oldest, .fragmentTimeout)
            left &-= 1
        }
    }

    /// Adds to a counter.
    @inline(__always)
    func count(_ counter: Counter, _ amount: UInt64 = 1) {
        culvert_add_single_writer_u64(state.pointee.counters + counter.rawValue, amount)
    }

    @inline(never)
    func drop(_ frame: PacketBuffer, _ reason: Counter) -> PacketBuffer? {
        count(reason)
        frame.free()
        return nil
    }

    // Datagrams.

    /// The datagram with a key; one that is past its time is forgotten now.
    @inline(__always)
    func find(_ key: FragmentKey, hash: UInt64, now: UInt64) -> UInt32? {
        var index = places[Int(UInt32(truncatingIfNeeded: hash) & state.pointee.placeMask)]
        while index != Self.none {
            let datagram = datagrams + Int(index)
            if datagram.pointee.key == key {
                guard datagram.pointee.deadline <= now else { return index }
                release(index, .fragmentTimeout)
                return nil
            }
            index = datagram.pointee.next
        }
        return nil
    }

    /// Makes a datagram known, in the place of an older one when there is no room.
    @inline(__always)
    func insert(_ key: FragmentKey, hash: UInt64, now: UInt64) -> UInt32 {
        let share = state.pointee.hash.share(key, of: Self.shares)
        if state.pointee.freeDatagram == Self.none {
            let isGreedy = shares[share].datagrams >= state.pointee.limits.datagrams / Self.shareDivisor
            evict(share, hasMoreThanItsShare: isGreedy)
        }
        let index = state.pointee.freeDatagram
        let datagram = datagrams + Int(index)
        state.pointee.freeDatagram = datagram.pointee.next
        let place = UInt32(truncatingIfNeeded: hash) & state.pointee.placeMask
        datagram.pointee = Datagram(
            key: key, deadline: now &+ state.pointee.timeout, next: places[Int(place)], place: place, first: Self.none,
            last: Self.none, received: 0, end: 0, count: 0, spoilt: 0, share: UInt32(truncatingIfNeeded: share),
            ipOffset: 0, dataOffset: 0)
        places[Int(place)] = index
        byAge.append(index, to: 0)
        byShare.append(index, to: share)
        shares[share].datagrams &+= 1
        state.pointee.known &+= 1
        return index
    }

    /// Forgets a datagram that holds no fragments.
    @inline(__always)
    func remove(_ index: UInt32) {
        let datagram = datagrams + Int(index)
        let place = Int(datagram.pointee.place)
        var before = places[place]
        if before == index {
            places[place] = datagram.pointee.next
        } else {
            while datagrams[Int(before)].next != index { before = datagrams[Int(before)].next }
            datagrams[Int(before)].next = datagram.pointee.next
        }
        byAge.remove(index)
        byShare.remove(index)
        shares[Int(datagram.pointee.share)].datagrams &-= 1
        state.pointee.known &-= 1
        datagram.pointee.next = state.pointee.freeDatagram
        state.pointee.freeDatagram = index
    }

    /// Drops the fragments of a datagram, and forgets it.
    @inline(never)
    func release(_ index: UInt32, _ reason: Counter) {
        dropFragments(of: index, reason)
        remove(index)
    }

    /// Drops the fragments of a datagram, and from here on what still comes of it.
    @inline(never)
    func spoil(_ index: UInt32, _ reason: Counter) {
        dropFragments(of: index, reason)
        datagrams[Int(index)].spoilt = UInt32(truncatingIfNeeded: reason.rawValue)
    }

    @inline(never)
    private func evict(_ share: Int, hasMoreThanItsShare: Bool) {
        guard let victim = (hasMoreThanItsShare ? byShare.oldest(share) : nil) ?? byAge.oldest(0) else { return }
        release(victim, .fragmentEvicted)
    }

    // Fragments.

    /// A place for one more fragment of a datagram, which is not linked yet. nil: the datagram itself had to give way.
    @inline(__always)
    func claimFragment(for index: UInt32) -> UInt32? {
        if state.pointee.freeFragment == Self.none, !makeRoom(for: index) { return nil }
        let place = state.pointee.freeFragment
        state.pointee.freeFragment = fragments[Int(place)].next
        state.pointee.held &+= 1
        shares[Int(datagrams[Int(index)].share)].fragments &+= 1
        return place
    }

    /// Evicts datagrams until there is a place for a fragment. Each was made known by a fragment of its own, so this is no more
    /// work than has come in.
    @inline(never)
    private func makeRoom(for index: UInt32) -> Bool {
        let share = Int(datagrams[Int(index)].share)
        while state.pointee.freeFragment == Self.none {
            let isGreedy = shares[share].fragments >= state.pointee.limits.fragments / Self.shareDivisor
            guard let victim = (isGreedy ? byShare.oldest(share) : nil) ?? byAge.oldest(0) else { return false }
            release(victim, .fragmentEvicted)
            if victim == index { return false }
        }
        return true
    }

    private func dropFragments(of index: UInt32, _ reason: Counter) {
        freeFragments(of: datagrams + Int(index), reason)
        returnFragments(of: index)
    }

    /// Frees the buffers of a datagram's fragments, and counts why.
    @inline(never)
    func freeFragments(of datagram: UnsafeMutablePointer<Datagram>, _ reason: Counter) {
        var place = datagram.pointee.first
        while place != Self.none {
            if let mbuf = fragments[Int(place)].mbuf { PacketBuffer(mbuf).free() }
            place = fragments[Int(place)].next
        }
        count(reason, UInt64(datagram.pointee.count))
    }

    /// Gives the places of a datagram's fragments back; their buffers have gone elsewhere.
    @inline(__always)
    func returnFragments(of index: UInt32) {
        let datagram = datagrams + Int(index)
        guard datagram.pointee.count != 0 else { return }
        fragments[Int(datagram.pointee.last)].next = state.pointee.freeFragment
        state.pointee.freeFragment = datagram.pointee.first
        state.pointee.held &-= datagram.pointee.count
        shares[Int(datagram.pointee.share)].fragments &-= datagram.pointee.count
        (datagram.pointee.first, datagram.pointee.last, datagram.pointee.count) = (Self.none, Self.none, 0)
    }
}
