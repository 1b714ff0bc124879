/// Draws magic numbers (RFC 1661 section 6.4) from one random seed: unlike each other, and never 0. Not for secrets.
struct MagicNumbers: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// The next number, by SplitMix64.
    mutating func next() -> UInt32 {
        while true {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            let number = UInt32(truncatingIfNeeded: mixed >> 32)
            if number != 0 { return number }
        }
    }
}
