extension ConfigurationChange {
    /// One line of `reload`.
    public var text: String {
        let mark = kind == .added ? "+" : kind == .removed ? "-" : "~"
        let place = section + (element.isEmpty ? "" : " \(element)") + (setting.isEmpty ? "" : ": \(setting)")
        let values =
            switch kind {
            case .added: newValue.isEmpty ? "" : " \(newValue)"
            case .removed: oldValue.isEmpty ? "" : " \(oldValue)"
            case .changed: " \(oldValue) -> \(newValue)"
            }
        return "\(mark) \(place)\(values)" + (effect == .applied ? "" : " (takes a \(effect.rawValue))") + "\n"
    }
}

extension ReloadOutcome {
    /// What `reload` shows of a file without faults.
    public var text: String {
        guard !changes.isEmpty else { return "\(path): nothing has changed\n" }
        let later = changes.filter { $0.effect != .applied }
        let summary =
            if !applied {
                "\(changes.count) changes; nothing was applied"
            } else if later.isEmpty {
                "\(changes.count) changes applied"
            } else {
                "\(changes.count - later.count) of \(changes.count) changes applied; the others take a "
                    + Set(later.map(\.effect.rawValue)).sorted().joined(separator: " and a ")
            }
        return changes.map(\.text).joined() + "\(path): \(summary)\n"
    }
}

extension FileFault {
    /// `FILE:LINE: FIELD: REASON`
    public func text(in path: String) -> String {
        "\(path)" + (line == 0 ? "" : ":\(line)") + (field.isEmpty ? "" : ": \(field)") + ": \(reason)"
    }
}

extension VersionSnapshot {
    /// The view of `show version`.
    public var text: String {
        TextLayout.line("culvert", command)
            + TextLayout.line(
                "culvertd", control + (command == control ? "" : " (use the culvert of the same version)"))
            + TextLayout.line("Control Epoch", controlEpoch)
            + TextLayout.line("Data Plane Epoch", dataPlaneEpoch)
            + TextLayout.line("Layout Version", layoutVersion)
    }
}
