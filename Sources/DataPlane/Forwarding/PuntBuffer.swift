import CDPDK
import Segment

/// Frames of one worker that wait to be handed to the exchange, with the token buckets that guard them. The worker says how
/// many it can hand on; it empties the buffer after each burst.
public struct PuntBuffer: @unchecked Sendable {
    /// Frames that the buffer holds.
    public static let capacity = 64

    /// What changes, behind one pointer.
    private struct State {
        var waiting = 0
        var limit = PuntBuffer.capacity
        let buckets: UnsafeMutablePointer<PuntBucket>
        let frames: UnsafeMutablePointer<OpaquePointer?>
    }

    private let state: UnsafeMutablePointer<State>

    init(limits: PuntLimits, cyclesPerSecond: UInt64, socket: Int32) throws(AllocationError) {
        state = try allocate(1, socket: socket)
        state.pointee = State(
            buckets: try allocate(PuntClass.allCases.count, socket: socket),
            frames: try allocate(Self.capacity, socket: socket))
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
    public func removeAll() { state.pointee.waiting = 0 }

    /// Whether another frame can be handed on.
    var hasRoom: Bool { state.pointee.waiting < state.pointee.limit }

    /// Sets how many frames may wait: those that the exchange's ring has room for.
    public func setRoom(_ frames: Int) { state.pointee.limit = min(frames, Self.capacity) }

    /// Takes a token of the class's bucket at `now`, in cycles.
    func take(_ punt: PuntClass, now: UInt64) -> Bool {
        state.pointee.buckets[Int(truncatingIfNeeded: punt.rawValue)].take(now: now)
    }

    /// Adds a frame with what the exchange tells culvertd about it.
    func append(_ frame: PacketBuffer, _ punt: PuntClass, port: UInt32, slot: UInt32, detail: UInt16) {
        PuntNote(punt: punt, port: port, slot: slot, detail: detail).write(to: frame)
        frames[state.pointee.waiting & (Self.capacity &- 1)] = frame.mbuf
        state.pointee.waiting &+= 1
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

    init(punt: PuntClass, port: UInt32, slot: UInt32, detail: UInt16) {
        self.punt = punt
        self.port = UInt16(truncatingIfNeeded: port)
        self.slot = slot
        self.detail = detail
    }

    /// The note of a frame that a `PuntBuffer` held.
    public init(of frame: PacketBuffer) {
        let high = culvert_mbuf_note_high(frame.mbuf)
        punt = PuntClass(rawValue: UInt8(truncatingIfNeeded: high)) ?? .arp
        port = UInt16(truncatingIfNeeded: high >> 8)
        slot = culvert_mbuf_note_low(frame.mbuf)
        detail = culvert_mbuf_note_detail(frame.mbuf)
    }

    func write(to frame: PacketBuffer) {
        culvert_mbuf_set_note(frame.mbuf, slot, UInt32(punt.rawValue) | UInt32(port) << 8)
        culvert_mbuf_set_note_detail(frame.mbuf, detail)
    }
}
