import ArgumentParser
import Observability

/// `culvert reload`
struct Reload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let culvertd read its configuration file again and apply what has changed.",
        discussion: """
            What did not change keeps its sessions. A file with faults changes nothing: each is printed as FILE:LINE: FIELD: \
            REASON, and the exit status is 1.
            """)

    @OptionGroup var options: GlobalOptions

    @Flag(help: "Only tell what would change.")
    var check = false

    func run() async throws {
        let (options, check) = (options, check)
        try await options.connected { client in
            let outcome = try await client.reload(apply: !check)
            if options.json {
                Output.write(try Output.json(outcome) + "\n")
            } else if outcome.faults.isEmpty {
                Output.write(outcome.text)
            } else {
                for fault in outcome.faults { Output.complain(fault.text(in: outcome.path)) }
            }
            if !outcome.faults.isEmpty { throw ExitCode(1) }
        }
    }
}
