import Foundation

/// What a command takes, as ArgumentParser describes it (`--experimental-dump-help`).
struct CommandInfo: Decodable {
    /// An argument, option or flag.
    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String

            /// As it is typed.
            var text: String { kind == "long" ? "--\(name)" : "-\(name)" }
        }

        var kind: String
        var isOptional: Bool
        var isRepeating: Bool
        var names: [Name]?
        var valueName: String?
        var allValues: [String]?
        var abstract: String?

        /// The names that it is typed by, `--long` ones.
        var longNames: [String] { (names ?? []).filter { $0.kind == "long" }.map(\.text) }
    }

    var commandName: String
    var abstract: String?
    var subcommands: [CommandInfo]?
    var arguments: [Argument]?

    private struct Dump: Decodable { var command: CommandInfo }

    /// All commands.
    static let root: CommandInfo? = {
        try? JSONDecoder().decode(Dump.self, from: Data(Culvert._dumpHelp().utf8)).command
    }()

    /// The commands below it, without `help`.
    var children: [CommandInfo] { (subcommands ?? []).filter { $0.commandName != "help" } }
}
