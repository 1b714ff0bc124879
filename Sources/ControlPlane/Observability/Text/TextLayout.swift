/// The common parts of the operator's screens.
enum TextLayout {
    /// `LABEL:` and a value in its column.
    static func line(_ label: String, _ value: some CustomStringConvertible, indent: Int = 0) -> String {
        let start = String(repeating: " ", count: indent) + label + ":"
        return start.padded(to: 23) + " " + value.description + "\n"
    }

    /// A line of dashes.
    static func rule(_ length: Int) -> String { String(repeating: "-", count: length) + "\n" }

    /// A table with columns as wide as their longest cell, two spaces between; right-aligned where `rightAligned` says so.
    static func table(_ header: [String], _ rows: [[String]], rightAligned: Set<Int> = []) -> String {
        var widths = header.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() where column < widths.count {
                widths[column] = max(widths[column], cell.count)
            }
        }
        var text = ""
        for row in [header] + rows {
            var line = ""
            for (column, (cell, width)) in zip(row, widths).enumerated() {
                let padding = String(repeating: " ", count: max(0, width - cell.count))
                if column > 0 { line += "  " }
                line += rightAligned.contains(column) ? padding + cell : cell + padding
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }
}

extension String {
    /// The string with spaces behind it up to `width`.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension Bool {
    /// ON or OFF.
    var onOff: String { self ? "ON" : "OFF" }
    /// YES or NO.
    var yesNo: String { self ? "YES" : "NO" }
}

extension FramingTypes {
    /// `SYNC ASYNC`, or NONE.
    var text: String {
        let names = [sync ? "SYNC" : nil, async ? "ASYNC" : nil].compactMap { $0 }
        return names.isEmpty ? "NONE" : names.joined(separator: " ")
    }
}

extension BearerTypes {
    /// `DIGITAL ANALOG`, or NONE.
    var text: String {
        let names = [digital ? "DIGITAL" : nil, analog ? "ANALOG" : nil].compactMap { $0 }
        return names.isEmpty ? "NONE" : names.joined(separator: " ")
    }
}

extension [StateTransition] {
    /// The lines of an event history.
    func text(indent: String, zone: TimeZoneOfText) -> String {
        map { step in
            "\(indent)\(step.time.timeOfDay(in: zone)) \(step.event) in state \(step.state), new state \(step.newState)\n"
        }.joined()
    }
}
