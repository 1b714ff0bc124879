import ArgumentParser
import Observability
import RPC

/// `culvert show pppoe-ac`
struct ShowPPPoEAC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pppoe-ac",
        abstract: "Connections, statistics or configuration of the PPPoE access concentrator.",
        discussion: "An instance may be named in front of connections and config-check as well as behind them.",
        subcommands: [ShowConnections.self, ShowStatistics.self, ShowACConfigCheck.self])
}

/// `culvert show pppoe-ac connections`
struct ShowConnections: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections", abstract: "Where each client comes from, and which session it leads into.")

    @OptionGroup var options: ShowOptions

    @Argument(help: ArgumentHelp("Only those of this pppoe-ac.", valueName: "instance"), completion: .names(.instance))
    var instance: String?

    @Option(help: ArgumentHelp("Only those of this user.", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("Only those of the client with this address.", valueName: "mac"))
    var mac: MACArgument?

    func show(_ client: RPCClient) async throws {
        let printer = ListPrinter<PPPoEConnectionSnapshot>(
            json: options.global.json, heading: PPPoEConnectionSnapshot.heading
        ) { $0.text() }
        let filter = ConnectionFilter(instance: instance, clientMAC: mac?.address, userName: user)
        try await client.connections(filter) { try await printer.add($0) }
        await printer.end()
    }
}

/// `culvert show pppoe-ac statistics`
struct ShowStatistics: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "statistics", abstract: "The access concentrator's counters.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let counters = try await client.statistics()
        try options.global.print(counters, text: ACStatistics.text(of: counters))
    }
}

/// `culvert show pppoe-ac config-check`
struct ShowACConfigCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config-check",
        abstract: "Whether each pppoe-ac of a configuration file is complete, or what is missing or wrong.",
        discussion: "Needs no culvertd, and judges each instance alone, in files that culvertd would refuse as well.")

    @OptionGroup var options: ShowOptions
    @OptionGroup var file: FileOptions

    @Argument(help: ArgumentHelp("Only this pppoe-ac.", valueName: "instance"), completion: .names(.instance))
    var instance: String?

    func run() async throws { try await file.check(.accessConcentrator, instance, options) }
}
