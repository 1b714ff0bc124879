/// A frame that a capture of a session has seen, or word of frames that it could not see.
public struct CaptureRecord: Hashable, Sendable {
    /// Which way a frame went at its interface.
    public enum Direction: UInt8, CaseIterable, Sendable {
        /// It came in by the interface.
        case inbound = 1
        /// It left by the interface, or was meant to.
        case outbound = 2
    }

    /// When the frame was seen, nanoseconds since 1970-01-01T00:00:00Z.
    public var timeNanoseconds: UInt64
    /// Name of the port, as configured.
    public var interface: String
    /// Which way the frame went at the port.
    public var direction: Direction
    /// Octets of the whole frame, without FCS.
    public var originalLength: UInt32
    /// The frame from its destination address on, cut to the capture's snap length; never longer than `originalLength`.
    public var bytes: [UInt8]
    /// What there is to say of the frame beyond its octets: why it was dropped, for instance. Empty: nothing.
    public var comment: String

    /// A record of the given parts.
    public init(
        timeNanoseconds: UInt64, interface: String, direction: Direction, originalLength: UInt32, bytes: [UInt8],
        comment: String = ""
    ) {
        self.timeNanoseconds = timeNanoseconds
        self.interface = interface
        self.direction = direction
        self.originalLength = originalLength
        self.bytes = bytes
        self.comment = comment
    }
}
