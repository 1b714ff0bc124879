import CDPDK
import Segment

/// Frames of one worker that wait to be handed to the exchange, with the token buckets that guard them. The worker says how
/// many it can hand on; it empties the buffer after each burst.
///
/// Copies for captures have room of their own in the buffer, and leave half of what it is emptied into to all other frames. So do
/// frames beyond their share.
public struct PuntBuffer: @unchecked Sendable {
    /// Frames that the buffer holds beside copies for captures.
    public static let capacity = 64
    /// Copies for captures that it holds. A burst makes two of each frame, and more where fragments leave or frames have waited;
    /// what is more than this is lost.
    public static let captureCapacity = 448
    /// Both together, a power of two.
    private static let places = capacity + captureCapacity

    /// What changes, behind one pointer.
    private struct State {
        var waiting = 0
        /// Copies for captures among them.
        var captures = 0
        /// What can be handed on.
        var room = PuntBuffer.capacity
        /// How much of it copies for captures, and frames beyond their share, leave to the others.
        var reserve = 0
        let buckets: UnsafeMutablePointer<PuntBucket>
        let frames: UnsafeMutablePointer<OpaquePointer?>
    }

    private let state: UnsafeMutablePointer<State>

    init(limits: PuntLimits, cyclesPerSecond: UInt64, socket: Int32) throws(AllocationError) {
        state = try allocate(1, socket: socket)
        state.pointee = State(
            buckets: try allocate(PuntClass.allCases.count, socket: socket),
            frames: try allocate(Self.places, socket: socket))
        for punt in PuntClass.allCases {
            state.pointee.buckets[Int(punt.rawValue)] = PuntBucket(
                rate: limits[punt], cyclesPerSecond: cyclesPerSecond)
        }
    }

    func deallocate() {
        culvert_free(state.pointee.buckets)
        culvert_free(state.pointee.frames)
        culvert_free(state)
    }

    /// The frames that wait: the first `count` pointers.
    public var frames: UnsafeMutablePointer<OpaquePointer?> { state.pointee.frames }

    /// Frames that wait.
    public var count: Int { state.pointee.waiting }

    /// Forgets the frames that wait: they are the caller's.
    public func removeAll() {
        state.pointee.waiting = 0
        state.pointee.captures = 0
    }

    /// Whether another frame can be handed on.
    var hasRoom: Bool {
        let state = state.pointee
        return state.waiting < state.room && state.waiting &- state.captures < Self.capacity
    }

    /// Whether another frame beyond its share can be handed on.
    var hasRoomBeyondShares: Bool {
        let state = state.pointee
        return state.waiting &+ state.reserve < state.room
    }

    /// Whether another copy for a capture can be handed on.
    var hasRoomForCapture: Bool {
        let state = state.pointee
        return state.waiting &+ state.reserve < state.room && state.captures < Self.captureCapacity
    }

    /// Sets how many frames may wait: those that the exchange's ring has room for.
    public func setRoom(_ frames: Int) { state.pointee.room = frames }

    /// Sets how much of that room copies for captures, and frames beyond their share, have to leave to other frames.
    public func setReserve(_ frames: Int) { state.pointee.reserve = frames }

    /// Takes a token of the class's bucket at `now`, in cycles.
    func take(_ punt: PuntClass, now: UInt64, rank: PuntRank = .beyond) -> Bool {
        state.pointee.buckets[Int(truncatingIfNeeded: punt.rawValue)].take(now: now, rank: rank)
    }

    /// Adds a frame with what the exchange tells culvertd about it.
    func append(
        _ frame: PacketBuffer, _ punt: PuntClass, port: UInt32, slot: UInt32, detail: UInt16,
        isBeyondShare: Bool = false
    ) {
        PuntNote(punt: punt, port: port, slot: slot, detail: detail, isBeyondShare: isBeyondShare).write(to: frame)
        frames[state.pointee.waiting & (Self.places &- 1)] = frame.mbuf
        state.pointee.waiting &+= 1
        if punt == .capture { state.pointee.captures &+= 1 }
    }
}

/// What travels with a punted frame from the worker to the exchange, in the packet buffer itself.
public struct PuntNote: Hashable, Sendable {
    /// Why the frame was punted.
    public var punt: PuntClass
    /// Index of the port that it came in on.
    public var port: UInt16
    /// The session's upstream slot, or `CULVERT_NO_INDEX`.
    public var slot: UInt32
    /// For `tooBig`, octets of the largest PPP frame that would have passed; else 0.
    public var detail: UInt16
    /// Whether it leaves half of the way to culvertd to others.
    public var isBeyondShare: Bool

    init(punt: PuntClass, port: UInt32, slot: UInt32, detail: UInt16, isBeyondShare: Bool) {
        self.punt = punt
        self.port = UInt16(truncatingIfNeeded: port)
        self.slot = slot
        self.detail = detail
        self.isBeyondShare = isBeyondShare
    }

    /// The note of a frame that a `PuntBuffer` held.
    public init(of frame: PacketBuffer) {
        let high = culvert_mbuf_note_high(frame.mbuf)
        punt = PuntClass(rawValue: UInt8(truncatingIfNeeded: high)) ?? .arp
        port = UInt16(truncatingIfNeeded: high >> 8)
        slot = culvert_mbuf_note_low(frame.mbuf)
        detail = culvert_mbuf_note_detail(frame.mbuf)
        isBeyondShare = high & Self.beyondShare != 0
    }

    private static let beyondShare: UInt32 = 1 << 24

    func write(to frame: PacketBuffer) {
        culvert_mbuf_set_note(
            frame.mbuf, slot, UInt32(punt.rawValue) | UInt32(port) << 8 | (isBeyondShare ? Self.beyondShare : 0))
        culvert_mbuf_set_note_detail(frame.mbuf, detail)
    }
}
