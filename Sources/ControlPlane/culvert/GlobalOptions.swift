import ArgumentParser
import Observability
import RPC

/// Options that every command takes which talks to culvertd.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("culvertd's socket.", valueName: "path"))
    var socket = defaultSocketPath

    @Flag(help: "Print JSON with stable field names.")
    var json = false

    /// Connects to culvertd and runs `body`; what fails ends the program with a message and the exit status for it.
    func connected(_ body: @Sendable (RPCClient) async throws -> Void) async throws {
        do {
            try await RPCClient.connect(to: socket, body)
        } catch let error as RPCClientError {
            Output.complain(error.description)
            switch error {
            case .unreachable: throw ExitCode(2)
            case .refused, .unintelligible: throw ExitCode(1)
            }
        }
    }
}
