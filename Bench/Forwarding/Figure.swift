/// One line of the result: a case, and what it cost.
struct Figure {
    /// The direction measured.
    var direction: Direction
    /// The case.
    var subject: Case
    /// Best and median round of Swift.
    var swift: Samples
    /// Best round of each build of the C baseline, by its compiler's name.
    var baselines: [(compiler: String, samples: Samples)]

    /// The faster build of the baseline.
    var baseline: (compiler: String, samples: Samples)? {
        baselines.min { $0.samples.best < $1.samples.best }
    }

    /// Swift's best round over the baseline's.
    var ratio: Double { baseline.map { swift.best / $0.samples.best } ?? .nan }

    /// Million packets a second of one core at `cycles` a packet.
    static func megapackets(_ cycles: Double, ticksPerSecond: Double) -> Double { ticksPerSecond / cycles / 1e6 }

    /// The object of `make bench JSON=FILE`.
    var json: String {
        let baselineBest = baseline?.samples.best ?? .nan
        return """
            {"case": "\(direction.rawValue)", "sessions": \(subject.sessions), "bytes": \(subject.bytes), \
            "burst": \(subject.burst), "tags": "\(subject.tags.rawValue)", \
            "best_cycles": \(fixed(swift.best, 2)), "median_cycles": \(fixed(swift.median, 2)), \
            "baseline_cycles": \(fixed(baselineBest, 2)), "ratio": \(fixed(ratio, 3))}
            """
    }
}

/// `value` with `digits` decimals; `null`, as JSON wants it, when it is no number.
func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "null" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((value * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// `text` in a column of `width`, at its right end.
func column(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

extension Figure {
    /// The table's heading.
    static let heading =
        "case         sessions  bytes  burst      tags   best  median  Mpps best  C best (compiler)  C median   ratio"

    /// The table's line.
    func line(ticksPerSecond: Double) -> String {
        let name = direction.rawValue + String(repeating: " ", count: 11 - direction.rawValue.count)
        let base = baseline.map { "\(column(fixed($0.samples.best, 1), 6)) (\($0.compiler))" } ?? "-"
        return name + column(String(subject.sessions), 10) + column(String(subject.bytes), 7)
            + column(String(subject.burst), 7) + column(subject.tags.rawValue, 10) + column(fixed(swift.best, 1), 7)
            + column(fixed(swift.median, 1), 8)
            + column(fixed(Self.megapackets(swift.best, ticksPerSecond: ticksPerSecond), 1), 11)
            + column(base, 19) + column(fixed(baseline?.samples.median ?? .nan, 1), 10) + column(fixed(ratio, 3), 8)
    }
}
