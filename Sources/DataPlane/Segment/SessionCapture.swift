import CSegment

/// What the data plane is told of a session's capture.
public struct SessionCapture: Hashable, Sendable {
    /// The most octets of a frame that a copy can have: those that a slot of the punt ring holds.
    public static let longest = UInt16(CULVERT_FRAME_CAPACITY)

    /// culvertd's number of the capture, which comes back with each copy; not 0. A slot may have another session by the time that
    /// a copy is looked at; a number that is not used again soon says whose the copy is.
    public var number: UInt16
    /// Octets of a frame that a copy has at most.
    public var length: UInt16

    /// The capture `number`; 0 is taken as 1. More than `longest` octets are taken as so many.
    public init(number: UInt16, length: UInt16 = SessionCapture.longest) {
        self.number = max(number, 1)
        self.length = min(length, Self.longest)
    }

    /// As it lies in the session's line, a word of 32 bits on a little-endian machine.
    var word: UInt32 { UInt32(number) | UInt32(length) << 16 }

    /// What a session's line says; nil: nothing is captured.
    @inlinable
    public init?(word: UInt32) {
        let number = UInt16(truncatingIfNeeded: word)
        guard number != 0 else { return nil }
        self.number = number
        length = min(UInt16(truncatingIfNeeded: word >> 16), Self.longest)
    }
}

/// Where in its life a captured frame was copied.
@frozen
public enum CapturePoint: UInt8, CaseIterable, Sendable {
    /// As it came in by the port.
    case received = 1
    /// As it leaves by the port.
    case sent = 2
    /// It had come in before, waited for its turn, and has ended now.
    case dropped = 3
}

/// What a copy for a capture says of itself, beside the frame.
@frozen
public struct CaptureMark: Hashable, Sendable {
    /// `SessionCapture.number`; 0: this is no copy.
    public var number: UInt16
    /// `CapturePoint` as a raw value.
    public var point: UInt8
    /// Number of the `Counter` that the frame ended in; 0: it has not ended, or it was sent.
    public var reason: UInt8

    /// The mark of no copy, or of one that was made at `point`.
    @inlinable
    public init(number: UInt16 = 0, point: CapturePoint? = nil, reason: Counter? = nil) {
        self.number = number
        self.point = point?.rawValue ?? 0
        self.reason = UInt8(truncatingIfNeeded: reason?.rawValue ?? 0)
    }

    /// As it lies in a slot of the ring, on a little-endian machine.
    @inlinable
    public var word: UInt64 { UInt64(number) | UInt64(point) << 16 | UInt64(reason) << 24 }

    /// The mark that lies there as `word`.
    @inlinable
    public init(word: UInt64) {
        number = UInt16(truncatingIfNeeded: word)
        point = UInt8(truncatingIfNeeded: word >> 16)
        reason = UInt8(truncatingIfNeeded: word >> 24)
    }
}
