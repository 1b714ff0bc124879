/// One line of the result.
struct Figure {
    /// What was measured.
    var name: String
    /// Its best round.
    var value: Double
    /// What `value` counts.
    var unit: String

    /// The table's heading.
    static let heading = "case                                        best  unit"

    /// The table's line.
    var line: String {
        let number = fixed(value, value < 100 ? 3 : 0)
        return name + String(repeating: " ", count: max(1, 48 - name.count - number.count)) + number + "  " + unit
    }

    /// The object of `--json FILE`.
    var json: String { "{\"case\": \"\(name)\", \"best\": \(fixed(value, 3)), \"unit\": \"\(unit)\"}" }
}

/// `value` with `digits` decimals; `null`, as JSON wants it, when it is no number.
func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "null" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((value * Double(scale)).rounded())
    guard digits > 0 else { return String(scaled) }
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
}
