import ArgumentParser
import Observability

/// `culvert show`
struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what there is.",
        subcommands: [ShowPPPoEAC.self, ShowL2TP.self, ShowPorts.self, ShowCounters.self, ShowStatus.self])
}

/// `culvert show status`
struct ShowStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Versions, uptimes, the data plane, and what is used of each capacity.")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let json = options.json
        try await options.connected { client in
            let status = try await client.status()
            Output.write(json ? try Output.json(status) + "\n" : status.text(in: .local))
        }
    }
}

/// `culvert show ports`
struct ShowPorts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports", abstract: "The data plane's ports with their counters.")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let printer = ListPrinter<PortSnapshot>(json: options.json, heading: PortSnapshot.heading) { $0.text() }
        try await options.connected { client in
            let ports = try await client.ports()
            try await printer.add(ports)
            await printer.end()
        }
    }
}

/// `culvert show counters`
struct ShowCounters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "counters",
        abstract: "The data plane's counters, drop reasons among them.",
        discussion: "As text, counters that are zero are left out unless --zeros is given; as JSON all are there.")

    @OptionGroup var options: GlobalOptions

    @Flag(help: "Each worker's part as well.")
    var perWorker = false

    @Flag(help: "Counters that are zero as well.")
    var zeros = false

    func run() async throws {
        let (json, perWorker, zeros) = (options.json, perWorker, zeros)
        try await options.connected { client in
            let counters = try await client.counters(perWorker: perWorker)
            Output.write(json ? try Output.json(counters) + "\n" : counters.text(zeros: zeros))
        }
    }
}
