import CDPDK

/// The messages of one worker's sessions that came before their turn: a fixed number of places, allocated once.
///
/// ```
///   bucket of the slot -> first message of a session -> its next one in the order of Ns -> ...
///                           |
///                           +-> first message of another session in the bucket -> ...
///
///   oldest <-> ... <-> newest      all messages in the order of arrival, which is that of their deadlines
///   free -> ...                    places without a message
/// ```
///
/// A session has no more messages here than the window, so a search is short. It is a value of pointers, as `Forwarder`.
struct ReorderBuffer {
    /// No place.
    static let none = UInt32.max

    /// What became of a message that was given to `insert`.
    enum Insertion {
        case held
        /// One with this Ns waits already.
        case repeated
        /// Every place is taken.
        case full
    }

    private struct State {
        var count: UInt32 = 0
        var free: UInt32 = 0
        var oldest = ReorderBuffer.none
        var newest = ReorderBuffer.none
    }

    private let messages: UnsafeMutablePointer<HeldMessage>
    private let buckets: UnsafeMutablePointer<UInt32>
    private let bucketMask: UInt32
    private let state: UnsafeMutablePointer<State>

    /// An empty buffer with `capacity` places.
    init(capacity: UInt32, socket: Int32) throws(AllocationError) {
        messages = try allocate(Int(capacity), socket: socket)
        var bucketCount: UInt32 = 1
        while bucketCount < capacity { bucketCount *= 2 }
        bucketMask = bucketCount - 1
        buckets = try allocate(Int(bucketCount), socket: socket)
        state = try allocate(1, socket: socket)
        state.pointee = State()
        for index in 0..<Int(bucketCount) { buckets[index] = Self.none }
        for index in 0..<capacity {
            messages[Int(index)].nextInSession = index + 1 < capacity ? index + 1 : Self.none
        }
    }

    /// Frees the messages that wait, and the memory.
    func deallocate() {
        while let message = popFirst(of: oldestSlot) { culvert_mbuf_free(message.mbuf) }
        culvert_free(messages)
        culvert_free(buckets)
        culvert_free(state)
    }

    /// Messages that wait.
    @inline(__always)
    var count: UInt32 { state.pointee.count }

    /// Deadline of the message that has waited for longest; the end of time when none waits.
    @inline(__always)
    var due: UInt64 {
        let oldest = state.pointee.oldest
        return oldest == Self.none ? .max : self[oldest].pointee.deadline
    }

    /// Slot of the message that has waited for longest; `none` when none waits.
    var oldestSlot: UInt32 {
        let oldest = state.pointee.oldest
        return oldest == Self.none ? Self.none : self[oldest].pointee.slot
    }

    /// Ns of the message that has waited for longest; of no meaning when none waits.
    var oldestSequence: UInt16 {
        let oldest = state.pointee.oldest
        return oldest == Self.none ? 0 : self[oldest].pointee.sequence
    }

    /// Ns and fingerprint of the first message of a session in the order of Ns; nil when it has none.
    func first(of slot: UInt32) -> (sequence: UInt16, identity: UInt64)? {
        let index = find(slot).head
        return index == Self.none ? nil : (self[index].pointee.sequence, self[index].pointee.identity)
    }

    /// Takes a message in. Unless it is held, the frame stays the caller's.
    func insert(_ message: HeldMessage) -> Insertion {
        let (head, previous) = find(message.slot)
        var before = Self.none
        var after = head
        while after != Self.none {
            let distance = message.sequence &- self[after].pointee.sequence
            if distance == 0 { return .repeated }
            if distance >= 0x8000 { break }
            before = after
            after = self[after].pointee.nextInSession
        }
        let index = state.pointee.free
        guard index != Self.none else { return .full }
        state.pointee.free = self[index].pointee.nextInSession
        state.pointee.count &+= 1
        var message = message
        message.nextInSession = after
        message.older = state.pointee.newest
        message.newer = Self.none
        if before == Self.none {
            message.nextSession = head == Self.none ? Self.none : self[head].pointee.nextSession
            setLink(message.slot, previous, index)
        } else {
            self[before].pointee.nextInSession = index
        }
        self[index].pointee = message
        if state.pointee.newest == Self.none {
            state.pointee.oldest = index
        } else {
            self[state.pointee.newest].pointee.newer = index
        }
        state.pointee.newest = index
        return .held
    }

    /// Takes the first message of a session out, in the order of Ns; nil when it has none.
    func popFirst(of slot: UInt32) -> HeldMessage? {
        let (index, previous) = find(slot)
        guard index != Self.none else { return nil }
        let message = self[index].pointee
        if message.nextInSession == Self.none {
            setLink(slot, previous, message.nextSession)
        } else {
            self[message.nextInSession].pointee.nextSession = message.nextSession
            setLink(slot, previous, message.nextInSession)
        }
        if message.older == Self.none {
            state.pointee.oldest = message.newer
        } else {
            self[message.older].pointee.newer = message.newer
        }
        if message.newer == Self.none {
            state.pointee.newest = message.older
        } else {
            self[message.newer].pointee.older = message.older
        }
        self[index].pointee.nextInSession = state.pointee.free
        state.pointee.free = index
        state.pointee.count &-= 1
        return message
    }

    /// A session's first message, `none` when it has none; and the first message of the session before it in the bucket, `none`
    /// when the bucket itself leads there.
    private func find(_ slot: UInt32) -> (head: UInt32, previous: UInt32) {
        var head = buckets[Int(truncatingIfNeeded: slot & bucketMask)]
        var previous = Self.none
        while head != Self.none, self[head].pointee.slot != slot {
            previous = head
            head = self[head].pointee.nextSession
        }
        return (head, previous)
    }

    /// Makes what `find` went through lead to another first message.
    private func setLink(_ slot: UInt32, _ previous: UInt32, _ index: UInt32) {
        if previous == Self.none {
            buckets[Int(truncatingIfNeeded: slot & bucketMask)] = index
        } else {
            self[previous].pointee.nextSession = index
        }
    }

    @inline(__always)
    private subscript(index: UInt32) -> UnsafeMutablePointer<HeldMessage> { messages + Int(truncatingIfNeeded: index) }
}
