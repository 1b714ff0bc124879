import CDPDK
import Segment

/// What a copy for a capture takes along in its buffer's headroom, right before the octets of the frame.
public struct CaptureNote: Hashable, Sendable {
    /// Octets that it takes there.
    static let length = 24

    /// When the copy was made, in TSC cycles.
    public var cycles: UInt64
    /// What the copy says of itself.
    public var mark: CaptureMark
    /// Octets of the whole frame.
    public var frameLength: UInt32

    init(cycles: UInt64, mark: CaptureMark, frameLength: UInt32) {
        self.cycles = cycles
        self.mark = mark
        self.frameLength = frameLength
    }

    /// The note of a copy that a `PuntBuffer` held.
    public init(of copy: PacketBuffer) {
        let place = UnsafeRawPointer(copy.start - Self.length)
        cycles = place.loadUnaligned(as: UInt64.self)
        mark = CaptureMark(word: place.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        frameLength = place.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
    }

    func write(to copy: PacketBuffer) {
        let place = copy.start - Self.length
        place.storeBytes(of: cycles, as: UInt64.self)
        place.storeBytes(of: mark.word, toByteOffset: 8, as: UInt64.self)
        place.storeBytes(of: frameLength, toByteOffset: 16, as: UInt32.self)
    }
}
