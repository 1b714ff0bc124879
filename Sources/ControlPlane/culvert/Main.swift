import ArgumentParser

/// Starts the command line.
@main
struct Main {
    static func main() async {
        await Culvert.main(hoistingGlobalOptions(CommandLine.arguments.dropFirst()))
    }

    /// Global options that have a value.
    private static let valued = ["--socket", "--connect", "--ca", "--certificate", "--private-key", "--server-name"]

    /// The options that every command takes may stand in front of the command as well; here they are put behind it, where
    /// the command's own parser finds them.
    static func hoistingGlobalOptions(_ arguments: ArraySlice<String>) -> [String] {
        var rest = arguments
        var hoisted: [String] = []
        while let first = rest.first {
            if valued.contains(first), rest.count > 1 {
                hoisted += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if first == "--json" || valued.contains(where: { first.hasPrefix($0 + "=") }) {
                hoisted.append(first)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        guard !rest.isEmpty else { return hoisted }
        // Behind `--` everything is an argument: the options belong in front of it.
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return Array(rest[..<end]) + hoisted + Array(rest[end...])
    }
}

/// The root command.
struct Culvert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "culvert",
        abstract: "Shows and controls the PPPoE access concentrator and L2TP tunnels of a running culvertd.",
        discussion: """
            --socket PATH, or --connect HOST:PORT with what belongs to it, and --json are taken by every command that asks \
            culvertd, and may stand in front of it as well; check reads a file and takes --json alone.

            Exit status: 0 done, 1 refused by culvertd or fault in a file, 2 culvertd cannot be reached, 64 wrong usage.
            """,
        subcommands: [Show.self, Clear.self, Police.self, Watch.self, Monitor.self, Static.self, Check.self])
}
