import L2TP
import Observability
import Wire

/// Lines for whoever debugs a part of the node, as `debug` has switched on.
extension ControlNode {
    /// Writes a line about a client, where somebody wants to read it; else `text` is not even made.
    func debug(_ subsystem: DebugSubsystem, _ connection: Connection, _ text: () -> String) {
        guard !debugRules.isEmpty else { return }
        debug(
            subsystem,
            DebugScope(
                tunnel: connection.call?.tunnel, session: connection.call?.session, client: connection.client), text)
    }

    /// Writes a line about whatever `scope` names.
    func debug(_ subsystem: DebugSubsystem, _ scope: @autoclosure () -> DebugScope, _ text: () -> String) {
        guard !debugRules.isEmpty else { return }
        let scope = scope()
        guard debugRules.contains(where: { ($0.subsystem ?? subsystem) == subsystem && $0.scope.contains(scope) })
        else {
            return
        }
        effects.debug(subsystem, scope, text())
    }

    /// Changes what is debugged; false when what is to be taken away is not there.
    public func setDebugging(_ change: DebugChange) -> Bool {
        switch change {
        case .enable(let rule):
            if !debugRules.contains(rule) { debugRules.append(rule) }
            return true
        case .disable(let rule):
            let before = debugRules.count
            let isWhole = rule.scope == DebugScope()
            debugRules.removeAll {
                isWhole ? rule.subsystem == nil || $0.subsystem == rule.subsystem : $0 == rule
            }
            return debugRules.count < before
        case .disableAll:
            debugRules = []
            return true
        }
    }
}
