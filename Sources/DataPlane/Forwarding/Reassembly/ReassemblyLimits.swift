/// What the reassembly of outer fragments may take, per worker.
public struct ReassemblyLimits: Hashable, Sendable {
    /// Two random words that the hash of a datagram's key depends on, so that nobody outside can choose keys that collide.
    /// Workers of one data plane have the same: by this hash they agree on whose a datagram is.
    public struct Seed: Hashable, Sendable {
        let low: UInt64
        let high: UInt64

        /// These words.
        public init(low: UInt64, high: UInt64) {
            self.low = low
            self.high = high
        }

        /// The seed of this process, drawn when it is first asked for.
        public static let process = Seed(low: .random(in: 0 ... .max), high: .random(in: 0 ... .max))
    }

    /// Incomplete datagrams that are remembered, 16 to 65,536.
    public var datagrams: UInt32
    /// Fragments of theirs that are held, 256 to 65,536.
    public var fragments: UInt32
    /// Milliseconds from a datagram's first fragment on until it is given up, 1 to 60,000.
    public var timeoutMilliseconds: UInt32
    /// The hash's seed.
    public var seed: Seed

    /// These limits. Values outside of the ranges are programming errors.
    public init(
        datagrams: UInt32 = 4_096, fragments: UInt32 = 8_192, timeoutMilliseconds: UInt32 = 2_000,
        seed: Seed = .process
    ) {
        precondition((16...65_536).contains(datagrams) && (256...65_536).contains(fragments))
        precondition((1...60_000).contains(timeoutMilliseconds))
        self.datagrams = datagrams
        self.fragments = fragments
        self.timeoutMilliseconds = timeoutMilliseconds
        self.seed = seed
    }
}
