import GRPCCore
import GRPCNIOTransportHTTP2
import Observability

/// Serves a `ControlPlaneInterface` as gRPC on a Unix domain socket.
///
/// Who may connect may do everything: the file's mode and the folder it lies in are the access control.
public struct RPCServer: Sendable {
    private let path: String
    private let mode: UInt32
    private let interface: any ControlPlaneInterface

    /// A server for `interface` on the socket `path`, at most 103 octets, whose file gets `mode` (permission bits).
    public init(path: String, mode: UInt32 = 0o660, interface: any ControlPlaneInterface) {
        self.path = path
        self.mode = mode
        self.interface = interface
    }

    /// Serves until the surrounding task is cancelled, then ends all calls and removes the socket.
    ///
    /// `whenListening` is called once, as soon as callers can connect. Throws `SocketError` when the path cannot be had:
    /// another daemon lives there, or the file system refuses. A socket that a dead daemon left is replaced.
    public func run(whenListening: @Sendable () -> Void = {}) async throws {
        let socket = try SocketFile.listen(on: path, mode: mode)
        let transport = HTTP2ServerTransport.Posix(
            listeningSocketDescriptor: Int(socket.descriptor), transportSecurity: .plaintext,
            config: .defaults { config in
                // A full message of the feed is about 1 MiB.
                config.rpc.maxRequestPayloadSize = 4 * 1_024 * 1_024
                // Ended calls must not keep the daemon from ending.
                config.connection.maxGraceTime = .seconds(2)
            })
        let server = GRPCServer(transport: transport, services: [CulvertService(interface: interface)])
        whenListening()
        let serving = Task { try await server.serve() }
        let result = await withTaskCancellationHandler {
            await serving.result
        } onCancel: {
            // Without the name nobody connects any more. A connection that is being accepted at that moment must be through
            // before the server stops: swift-nio traps on one that is dropped half-way.
            socket.removeName()
            Task {
                try await Task.sleep(for: .milliseconds(100))
                serving.cancel()
            }
        }
        socket.removeName()
        socket.unlock()
        if case .failure(let error) = result, !Task.isCancelled { throw error }
    }
}
