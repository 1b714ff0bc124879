import ArgumentParser
import Observability

/// `culvert show pppoe-ac`
struct ShowPPPoEAC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pppoe-ac",
        abstract: "Connections or statistics of the PPPoE access concentrator.",
        usage: """
            culvert show pppoe-ac connections
            culvert show pppoe-ac NAME connections
            culvert show pppoe-ac statistics
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("connections, NAME connections, or statistics.", valueName: "what"))
    var words: [String]

    /// What the words ask for.
    private enum Subject {
        case connections(instance: String?)
        case statistics
    }

    private func subject() throws -> Subject {
        switch (words.first, words.count) {
        case ("connections", 1): return .connections(instance: nil)
        case ("statistics", 1): return .statistics
        case (let name?, 2) where words.last == "connections": return .connections(instance: name)
        default: throw ValidationError("expected connections, NAME connections, or statistics")
        }
    }

    func validate() throws { _ = try subject() }

    func run() async throws {
        let json = options.json
        switch try subject() {
        case .connections(let instance):
            let printer = ListPrinter<PPPoEConnectionSnapshot>(json: json, heading: PPPoEConnectionSnapshot.heading) {
                $0.text()
            }
            try await options.connected { client in
                try await client.connections(ConnectionFilter(instance: instance)) { try await printer.add($0) }
                await printer.end()
            }
        case .statistics:
            try await options.connected { client in
                let counters = try await client.statistics()
                Output.write(json ? try Output.json(counters) + "\n" : ACStatistics.text(of: counters))
            }
        }
    }
}
