import ArgumentParser
import Foundation
import Observability
import RPC

/// `culvert static`
struct Static: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "static",
        abstract: "Static tunnels and sessions, which forward without signalling.",
        subcommands: [StaticApply.self, StaticList.self])
}

/// `culvert static apply`
struct StaticApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Add and remove static tunnels and sessions as a file says.",
        discussion: """
            The file is JSON: {"operations": [{"add_tunnel": {...}}, {"add_session": {...}}, {"remove_session": \
            {"reference": 7}}, {"remove_tunnel": {"name": "..."}}]}, the message ApplyStaticRequest of culvert.proto. The \
            operations are carried out in order; one that is refused changes nothing and does not stop the others. The \
            exit status is 1 when any was refused.
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The file, - for standard input.", valueName: "file"))
    var file: String

    func run() async throws {
        let operations: [StaticOperation]
        do {
            let handle = file == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: file))
            operations = try StaticOperation.parse(json: Array(try handle.readToEnd() ?? Data()))
        } catch let error as StaticFileError {
            Output.complain("\(file): \(error)")
            throw ExitCode(1)
        } catch {
            Output.complain("cannot read \(file): \(error.localizedDescription)")
            throw ExitCode(1)
        }
        let json = options.json
        try await options.connected { client in
            let results = try await client.apply(operations)
            var refused = 0
            for (index, result) in results.enumerated() {
                switch result {
                case .refused(let fault):
                    refused += 1
                    if !json { Output.complain("operation \(index + 1): \(fault.reason)") }
                case .sessionsAdded(let added) where !added.refused.isEmpty:
                    refused += 1
                    guard !json else { continue }
                    for refusal in added.refused {
                        Output.complain("operation \(index + 1), session \(refusal.index): \(refusal.fault.reason)")
                    }
                default: continue
                }
            }
            if json {
                let lines = try results.map { try Output.json($0) }
                Output.write(lines.isEmpty ? "[]\n" : "[\n" + lines.joined(separator: ",\n") + "\n]\n")
            } else {
                Output.write("\(results.count - refused) of \(results.count) operations carried out\n")
            }
            if refused > 0 { throw ExitCode(1) }
        }
    }
}

/// `culvert static list`
struct StaticList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Static tunnels and sessions with their counters.")

    @OptionGroup var options: GlobalOptions

    @Option(help: ArgumentHelp("Only this tunnel, by its name, and its sessions.", valueName: "name"))
    var tunnel: String?

    func run() async throws {
        let json = options.json
        let reference = tunnel.map { StaticTunnelReference.name($0) }
        let list = StaticEntries()
        try await options.connected { client in
            try await client.staticEntries(in: reference) {
                await list.add($0)
            } receiveSessions: {
                await list.add($0)
            }
            let content = await list.content
            Output.write(
                json
                    ? try Output.json(content) + "\n"
                    : StaticTunnelStatus.text(of: content.tunnels) + "\n"
                        + StaticSessionStatus.text(of: content.sessions))
        }
    }
}

/// Collects the static tunnels and sessions: their columns are as wide as the widest entry.
private actor StaticEntries {
    struct Content: Encodable {
        var tunnels: [StaticTunnelStatus] = []
        var sessions: [StaticSessionStatus] = []
    }

    private(set) var content = Content()

    func add(_ tunnels: [StaticTunnelStatus]) { content.tunnels += tunnels }
    func add(_ sessions: [StaticSessionStatus]) { content.sessions += sessions }
}
