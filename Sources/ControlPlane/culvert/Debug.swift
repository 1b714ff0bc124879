import ArgumentParser
import Observability
import RPC
import Wire

/// `culvert debug`
struct Debug: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Switch debugging on or off, or follow it.",
        usage: """
            culvert debug pppoe-ac|l2tp|ppp|radius|dns|all [tunnel ID] [session ID] [mac MAC] [--no]
            culvert debug follow
            """,
        discussion: """
            What is debugged goes to culvertd's log, and to debug follow until Ctrl-C. --no ends it: what was named with a \
            tunnel, session or client the same way, or all of a subsystem. no debug l2tp and undebug all are understood as well. \
            Debugging ends with culvertd.
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(
        help: ArgumentHelp("A subsystem, all or follow; then what it is about.", valueName: "what"),
        completion: .list(DebugSubsystem.allCases.map(\.rawValue) + ["all", "follow"]))
    var words: [String]

    @Flag(help: "Switch it off.")
    var no = false

    /// What the words ask for; nil: to follow.
    private func rule() throws -> DebugRule? {
        guard let first = words.first else { throw ValidationError("say what to debug") }
        if first == "follow" {
            guard words.count == 1, !no else { throw ValidationError("follow stands alone") }
            return nil
        }
        let subsystem = DebugSubsystem(rawValue: first)
        guard subsystem != nil || first == "all" else {
            throw ValidationError(
                "'\(first)' cannot be debugged; what can: "
                    + DebugSubsystem.allCases.map(\.rawValue).joined(separator: ", ") + ", all")
        }
        var scope = DebugScope()
        var rest = words.dropFirst()
        while let key = rest.popFirst() {
            guard let value = rest.popFirst() else { throw ValidationError("say which \(key)") }
            switch key {
            case "tunnel": scope.tunnel = try Self.identifier(value)
            case "session": scope.session = try Self.identifier(value)
            case "mac":
                guard let client = MACAddress(value) else { throw ValidationError("'\(value)' is not a MAC address") }
                scope.client = client
            default: throw ValidationError("expected tunnel ID, session ID or mac MAC, found '\(key)'")
            }
        }
        return DebugRule(subsystem, scope: scope)
    }

    private static func identifier(_ text: String) throws -> UInt16 {
        guard let id = UInt16(text), id != 0 else { throw ValidationError("'\(text)' is not an id from 1 to 65535") }
        return id
    }

    func validate() throws { _ = try rule() }

    func run() async throws {
        let (options, no) = (options, no)
        guard let rule = try rule() else {
            return try await options.connected { client in
                try await client.watchDebugging { line in
                    Output.write(options.json ? try Output.json(line) + "\n" : line.text(in: .local))
                }
            }
        }
        let change: DebugChange = !no ? .enable(rule) : rule == DebugRule() ? .disableAll : .disable(rule)
        try await options.connected { client in
            let rules = try await client.setDebugging(change)
            try options.print(rules, text: DebugRule.text(of: rules, subsystems: DebugSubsystem.allCases))
        }
    }
}
