import ArgumentParser
import Settings

/// Starts the command line.
@main
struct Main {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        // Nothing but options for the commands to come: the shell.
        if Grammar.isOnlyGlobalOptions(arguments) {
            await Shell.run(options: Array(arguments))
        } else {
            let words = Grammar.normalised(arguments)
            if let fault = Grammar.fault(words) { Culvert.exit(withError: ValidationError(fault)) }
            await Culvert.main(words)
        }
    }
}

/// The root command.
struct Culvert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "culvert",
        abstract: "Shows and controls the PPPoE access concentrator and L2TP tunnels of a running culvertd.",
        discussion: """
            Without a command it is a shell: TAB completes, ? tells what can come next, exit ends it.

            --socket PATH, or --connect HOST:PORT with what belongs to it, and --json are taken by every command that asks \
            culvertd, and may stand in front of it as well; check reads a file and takes --json alone. Every show command \
            takes --watch [SECONDS]. Words may be abbreviated where that is unambiguous.

            Exit status: 0 done, 1 refused by culvertd or fault in a file, 2 culvertd cannot be reached, 64 wrong usage.
            """,
        version: culvertVersion,
        subcommands: [
            Show.self, Clear.self, Drain.self, Undrain.self, Reload.self, Debug.self, Capture.self, Police.self,
            Watch.self, Monitor.self, Static.self, Check.self,
        ])
}
