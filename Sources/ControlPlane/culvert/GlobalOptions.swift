import ArgumentParser
import Observability
import RPC

/// Options that every command takes which talks to culvertd.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("culvertd's socket.", valueName: "path"), completion: .file())
    var socket = defaultSocketPath

    @Option(
        help: ArgumentHelp(
            "Another machine's culvertd, by TLS; needs --ca, --certificate and --private-key.", valueName: "host:port"))
    var connect: String?

    @Option(help: ArgumentHelp("Authorities of culvertd's certificate, PEM.", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("Your certificate, PEM.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("Your certificate's private key, PEM.", valueName: "file"))
    var privateKey: String?

    @Option(help: ArgumentHelp("Name in culvertd's certificate, if not the host of --connect.", valueName: "name"))
    var serverName: String?

    @Flag(help: "Print JSON with stable field names.")
    var json = false

    /// Where culvertd is.
    func address() throws -> RPCServerAddress {
        let others = [ca, certificate, privateKey, serverName]
        guard let connect else {
            guard others.allSatisfy({ $0 == nil }) else {
                throw ValidationError(
                    "--ca, --certificate, --private-key and --server-name belong to --connect HOST:PORT")
            }
            return .socket(socket)
        }
        guard let colon = connect.lastIndex(of: ":"), colon != connect.startIndex,
            let port = UInt16(connect[connect.index(after: colon)...]), port > 0
        else { throw ValidationError("--connect wants HOST:PORT, an IPv6 address in brackets") }
        guard let ca, let certificate, let privateKey else {
            throw ValidationError("--connect needs --ca, --certificate and --private-key")
        }
        var host = String(connect[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return .tcp(
            host: host, port: port,
            files: TLSFiles(certificate: certificate, privateKey: privateKey, authorities: ca), serverName: serverName)
    }

    func validate() throws { _ = try address() }

    /// Connects to culvertd and runs `body`; what fails ends the program with a message and the exit status for it.
    func connected(_ body: @Sendable (RPCClient) async throws -> Void) async throws {
        do {
            try await RPCClient.connect(to: address(), body)
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
