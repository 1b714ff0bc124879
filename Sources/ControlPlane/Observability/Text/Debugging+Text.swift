extension DebugRule {
    /// `l2tp tunnel 7`
    public var text: String {
        let scope = scope.text
        return (subsystem?.rawValue ?? "all") + (scope.isEmpty ? "" : " \(scope)")
    }

    /// The view of `show debugging`: each of `subsystems`, with what is debugged of it.
    public static func text(of rules: [DebugRule], subsystems: [DebugSubsystem]) -> String {
        subsystems.map { subsystem in
            let mine = rules.filter { $0.subsystem == nil || $0.subsystem == subsystem }
            let scopes = mine.map { $0.scope == DebugScope() ? "all" : $0.scope.text }
            return TextLayout.line(
                subsystem.title + " debugging",
                mine.isEmpty ? "disabled" : "enabled (\(scopes.joined(separator: "; ")))")
        }.joined()
    }
}

extension DebugSubsystem {
    /// As a screen names it.
    var title: String {
        switch self {
        case .accessConcentrator: "PPPoE AC"
        case .l2tp: "L2TP"
        case .ppp: "PPP"
        case .radius: "RADIUS"
        case .dns: "DNS"
        }
    }
}

extension DebugLine {
    /// One line of `debug follow`.
    public func text(in zone: TimeZoneOfText) -> String {
        let scope = scope.text
        return (missed == 0 ? "" : "(\(missed) lines missed)\n")
            + "\(time.timeOfDay(in: zone)) \(subsystem.rawValue)\(scope.isEmpty ? "" : " \(scope)"): \(text)\n"
    }
}
