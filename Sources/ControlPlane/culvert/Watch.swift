import ArgumentParser
import Observability

/// `culvert watch`
struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print tunnels and sessions as they come up and go down, until Ctrl-C.",
        discussion: "As JSON, one object a line.")

    @OptionGroup var options: GlobalOptions

    @Flag(help: "First print what is up now.")
    var initial = false

    func run() async throws {
        let (json, initial) = (options.json, initial)
        try await options.connected { client in
            try await client.watch(initial: initial) { event in
                Output.write(json ? try Output.json(event) + "\n" : event.text(in: .local))
            }
        }
    }
}
