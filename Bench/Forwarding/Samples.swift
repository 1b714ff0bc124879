/// Cycles a packet of every round of one case, of one implementation.
struct Samples {
    private var rounds: [Double] = []

    /// Adds a round that took `ticks` for `packets` packets.
    mutating func add(ticks: UInt64, packets: Int) { rounds.append(Double(ticks) / Double(packets)) }

    /// The fastest round: what the code costs when the machine leaves it alone.
    var best: Double { rounds.min() ?? .infinity }

    /// The middle of all rounds.
    var median: Double { rounds.isEmpty ? .infinity : rounds.sorted()[rounds.count / 2] }
}
