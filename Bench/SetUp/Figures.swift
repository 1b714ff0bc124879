/// What setting up a block of sessions cost, and what the daemon was like at its end.
struct Milestone {
    /// Sessions that were up at its end, and that came up in it.
    var sessions: Int
    var added: Int
    /// Seconds that it took.
    var seconds: Double
    /// Seconds of culvertd's threads.
    var processorSeconds: Double
    /// Octets that culvertd has more than before the first session: all, and without shared memory.
    var grown: Int
    var grownAnonymous: Int

    /// Log-ins a second.
    var rate: Double { Double(added) / seconds }
    /// Microseconds of culvertd for a log-in.
    var cost: Double { processorSeconds / Double(added) * 1e6 }
    /// Octets of culvertd a session.
    var memory: Double { Double(grown) / Double(sessions) }

    var line: String {
        "  \(column("\(sessions)", 6)) sessions: \(column(fixed(rate, 0), 6)) log-ins/s, "
            + "\(column(fixed(cost, 0), 5)) us of culvertd each, \(column(fixed(memory, 0), 6)) octets a session "
            + "(\(fixed(Double(grownAnonymous) / Double(sessions), 0)) without the segment)"
    }

    var json: String {
        """
        {"case": "set-up", "sessions": \(sessions), "log_ins_per_second": \(fixed(rate, 1)), \
        "culvertd_microseconds": \(fixed(cost, 1)), "culvertd_octets_per_session": \(fixed(memory, 1)), \
        "culvertd_private_octets_per_session": \(fixed(Double(grownAnonymous) / Double(sessions), 1))}
        """
    }
}

/// `value` with `digits` decimals; `null`, as JSON wants it, when it is no number.
func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "null" }
    guard digits > 0 else { return "\(Int(value.rounded()))" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((value.magnitude * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    return (value < 0 ? "-" : "") + "\(scaled / scale)."
        + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// `text` in a column of `width`, at its right end.
func column(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
