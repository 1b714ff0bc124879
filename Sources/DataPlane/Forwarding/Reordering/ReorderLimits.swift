/// What bounds the waiting of messages that came before their turn.
public struct ReorderLimits: Hashable, Sendable {
    /// How far a session's messages are waited for: one whose Ns is so much or more beyond the expected one ends the waiting for
    /// the first of those before it. 2 to 256.
    public var window: UInt16
    /// Messages of all sessions together that may wait at a worker, 1 to 65,536.
    public var frames: UInt32
    /// Milliseconds that a message waits for those before it, 1 to 1,000.
    public var timeout: UInt32

    /// The defaults: 32 messages a session, 4,096 in all, 100 milliseconds.
    public init(window: UInt16 = 32, frames: UInt32 = 4_096, timeout: UInt32 = 100) {
        self.window = window
        self.frames = frames
        self.timeout = timeout
    }

    /// Whether every number lies in its range.
    public var isValid: Bool {
        (2...256).contains(window) && (1...65_536).contains(frames) && (1...1_000).contains(timeout)
    }
}
