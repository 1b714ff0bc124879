import ArgumentParser
import Observability
import RPC
import Settings

/// `culvert show`
struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what there is.",
        discussion: "Every one of them takes --json, and --watch [SECONDS] to be shown again and again.",
        subcommands: [
            ShowPPPoEAC.self, ShowL2TP.self, ShowInterface.self, ShowRunningConfig.self, ShowDebugging.self,
            ShowRADIUS.self, ShowDNS.self, ShowAccounting.self, ShowHost.self, ShowPorts.self, ShowCounters.self,
            ShowEvents.self, ShowStatus.self, ShowVersion.self,
        ])
}

/// `culvert show status`
struct ShowStatus: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Versions, uptimes, the data plane, and what is used of each capacity.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let status = try await client.status()
        try options.global.print(status, text: status.text(in: .local))
    }
}

/// `culvert show version`
struct ShowVersion: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Versions of this program and of culvertd.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let versions = VersionSnapshot(command: culvertVersion, status: try await client.status())
        try options.global.print(versions, text: versions.text)
    }
}

/// `culvert show ports`
struct ShowPorts: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports", abstract: "The data plane's ports with their counters.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let printer = ListPrinter<PortSnapshot>(json: options.global.json, heading: PortSnapshot.heading) { $0.text() }
        try await printer.add(client.ports())
        await printer.end()
    }
}

/// `culvert show counters`
struct ShowCounters: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "counters",
        abstract: "The data plane's counters, drop reasons among them.",
        discussion: "As text, counters that are zero are left out unless --zeros is given; as JSON all are there.")

    @OptionGroup var options: ShowOptions

    @Flag(help: "Each worker's part as well.")
    var perWorker = false

    @Flag(help: "Counters that are zero as well.")
    var zeros = false

    func show(_ client: RPCClient) async throws {
        let counters = try await client.counters(perWorker: perWorker)
        try options.global.print(counters, text: counters.text(zeros: zeros))
    }
}

/// `culvert show events`
struct ShowEvents: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "The last tunnels and sessions that came up and went down.",
        discussion: "culvertd remembers 1,024; culvert watch tells news. As JSON, one object a line.")

    @OptionGroup var options: ShowOptions

    @Option(help: ArgumentHelp("Only the last so many.", valueName: "number"))
    var last: UInt32?

    func validate() throws {
        guard last != 0 else { throw ValidationError("--last must be at least 1") }
    }

    func show(_ client: RPCClient) async throws {
        let json = options.global.json
        try await client.recentEvents(last ?? 0) { events in
            for event in events { Output.write(json ? try Output.json(event) + "\n" : event.text(in: .local)) }
        }
    }
}
