extension TextLayout {
    /// The heading of a screen: its title above a line of dashes.
    static func heading(_ title: String) -> String { title + "\n" + rule(68) }

    /// Counters in lines of their own, with what they count; only those that are not zero unless `zeros` says otherwise.
    static func counters(_ counters: [NamedCounter], zeros: Bool = true, indent: Int = 0) -> String {
        let shown = counters.filter { zeros || $0.value != 0 }
        let margin = String(repeating: " ", count: indent)
        return table(["Name", "Value", "Text"], shown.map { [$0.name, String($0.value), $0.text] }, rightAligned: [1])
            .split(separator: "\n").map { margin + $0 + "\n" }.joined()
    }

    /// `3 days 04:05:06`
    static func duration(_ seconds: UInt64) -> String {
        let clock = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(seconds / 86_400) days \(clock.joined(separator: ":"))"
    }
}
