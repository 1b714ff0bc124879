/// Seeded hashing of what strangers choose: without the seed they cannot choose what meets in one place of a table.
public enum HashSeed {
    /// Chosen when it is first asked for, then the same for the whole life of the process.
    public static let ofProcess = UInt64.random(in: .min ... .max)

    /// Both halves of the product of the keyed words, folded (the mixing step of wyhash). Not for cryptography.
    @inline(__always)
    static func hash(_ first: UInt64, _ second: UInt64, seed: UInt64) -> UInt64 {
        let product = (first ^ seed ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(
            by: second ^ (seed << 32 | seed >> 32) ^ 0xe703_7ed1_a0b4_28db)
        let folded = product.high ^ product.low
        let again = (folded ^ seed).multipliedFullWidth(by: 0x8ebc_6af0_9c88_c6e3)
        return again.high ^ again.low
    }
}
