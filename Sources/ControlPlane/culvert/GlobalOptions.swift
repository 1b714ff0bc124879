import ArgumentParser
import Observability
import RPC

/// Options that every command takes which talks to culvertd.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("culvertd's socket.", valueName: "path"), completion: .file())
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

    /// Prints `value`, as text or as JSON.
    func print(_ value: some Encodable, text: @autoclosure () -> String) throws {
        Output.write(json ? try Output.json(value) + "\n" : text())
    }
}
