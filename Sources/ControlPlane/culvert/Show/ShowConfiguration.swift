import ArgumentParser
import Observability
import RPC

/// `culvert show running-config`
struct ShowRunningConfig: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "running-config", abstract: "What culvertd runs with, as a configuration file would say it.",
        discussion: """
            Every default is filled in, secrets are masked. A section is named as in the file: pppoe-ac, l2tp-profile, \
            radius-server.
            """)

    @OptionGroup var options: ShowOptions

    @Argument(help: ArgumentHelp("Only this section.", valueName: "section"), completion: .names(.section))
    var section: String?

    func show(_ client: RPCClient) async throws {
        let sections = try await client.runningConfiguration(section)
        try options.global.print(sections, text: sections.map(\.text).joined(separator: "\n"))
    }
}

/// `culvert show debugging`
struct ShowDebugging: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "debugging", abstract: "What is being debugged.",
        usage: "culvert show debugging [pppoe-ac|l2tp|ppp|radius|dns]")

    @OptionGroup var options: ShowOptions

    @Argument(
        help: ArgumentHelp("Only this subsystem.", valueName: "subsystem"),
        completion: .list(DebugSubsystem.allCases.map(\.rawValue)))
    var words: [String] = []

    /// `pppoe ac` is `pppoe-ac`, as the vendors' manuals have it.
    private func subsystems() throws -> [DebugSubsystem] {
        guard !words.isEmpty else { return DebugSubsystem.allCases }
        guard let subsystem = DebugSubsystem(rawValue: words.joined(separator: "-")) else {
            throw ValidationError(
                "'\(words.joined(separator: " "))' cannot be debugged; what can: "
                    + DebugSubsystem.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return [subsystem]
    }

    func validate() throws { _ = try subsystems() }

    func show(_ client: RPCClient) async throws {
        let wanted = try subsystems()
        let rules = try await client.debugRules()
        try options.global.print(
            rules.filter { rule in wanted.contains { rule.subsystem == nil || rule.subsystem == $0 } },
            text: DebugRule.text(of: rules, subsystems: wanted))
    }
}
