import Timing

/// What lies between two parties: it loses, doubles and delays, and is cut now and then.
struct Network {
    /// Who is at the other end of the node's link.
    enum Link: Hashable {
        case client(Int)
        case lns(Int)
        case radius(Int)
        case names
    }

    /// Per thousand.
    struct Faults {
        var loss: UInt64 = 0
        var duplication: UInt64 = 0
        /// Frames that come late, and so after later ones.
        var delay: UInt64 = 0
        /// The longest delay, in milliseconds.
        var longest: UInt64 = 1
    }

    var faults = Faults()
    private var random: SeededGenerator
    private var cutUntil: [Link: Instant] = [:]
    /// While the data plane is being restarted nothing passes it; its process does not carry the node's own sockets.
    private var outageUntil = Instant.zero

    init(seed: UInt64) { random = SeededGenerator(state: seed) }

    mutating func cut(_ link: Link, until end: Instant) { cutUntil[link] = end }
    mutating func fail(until end: Instant) { outageUntil = end }

    /// Everything is well from here on.
    mutating func heal() {
        faults = Faults()
        cutUntil = [:]
        outageUntil = .zero
    }

    /// When the copies of a frame that is sent now arrive; none: it is lost.
    mutating func arrivals(by link: Link, at now: Instant, tally: inout Tally) -> (first: Instant, second: Instant?)? {
        if let end = cutUntil[link], end > now {
            tally[.cut] += 1
            return nil
        }
        switch link {
        case .client, .lns:
            if outageUntil > now {
                tally[.cut] += 1
                return nil
            }
        case .radius, .names: break
        }
        guard !random.chance(faults.loss) else {
            tally[.lost] += 1
            return nil
        }
        let first = arrival(at: now, tally: &tally)
        guard random.chance(faults.duplication) else { return (first, nil) }
        tally[.doubled] += 1
        return (first, arrival(at: now, tally: &tally))
    }

    private mutating func arrival(at now: Instant, tally: inout Tally) -> Instant {
        // A millisecond or so, never the same for two: nobody counts on it.
        var micros = 1_000 + random.below(200)
        if random.chance(faults.delay) {
            tally[.late] += 1
            micros += random.below(faults.longest) * 1_000
        }
        return now + .microseconds(Int64(micros))
    }
}
