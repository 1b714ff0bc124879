/// What has to be reached. Each miss is a line, and makes the program end with a status that is not 0.
struct Targets {
    /// Log-ins a second, at least.
    var rate: Double
    /// Share of a core that culvertd may take while sessions are held, less than.
    var share: Double
    /// Octets of culvertd a session, at most.
    var memory: Double
    /// Seconds until all are back, less than.
    var back: Double
    /// Seconds from the start of a culvertd whose predecessor was killed until a new client is in, less than.
    var restart = 5.0

    /// At full size: 60,000 sessions over 8,000 tunnels.
    static let full = Targets(rate: 2_000, share: 1 / 3, memory: 4_096, back: 60)
    /// In a few seconds, on a machine that has other things to do: the set-up cost is fixed cost for the most part.
    static let short = Targets(rate: 250, share: 1 / 3, memory: 16_384, back: 60)

    private(set) var misses: [String] = []

    init(rate: Double, share: Double, memory: Double, back: Double) {
        (self.rate, self.share, self.memory, self.back) = (rate, share, memory, back)
    }

    /// Notes a miss unless `isReached`.
    mutating func expect(_ isReached: Bool, _ text: String) {
        if !isReached { misses.append(text) }
    }
}
