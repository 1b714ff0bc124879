import GRPCCore
import GRPCNIOTransportHTTP2
import Glibc
import NIOPosix
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

    /// Serves until the surrounding task is cancelled, then ends all calls with the status UNAVAILABLE, within two seconds,
    /// and removes the socket.
    ///
    /// `whenListening` is called once, as soon as callers can connect. Throws `SocketError` when the path cannot be had:
    /// another daemon lives there, or the file system refuses. A socket that a dead daemon left is replaced.
    public func run(whenListening: @Sendable () -> Void = {}) async throws {
        let socket = try SocketFile.listen(on: path, mode: mode)
        defer { socket.unlock() }
        let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let transport = HTTP2ServerTransport.Posix(
            listeningSocketDescriptor: Int(socket.descriptor), transportSecurity: .plaintext,
            config: .defaults { config in
                // A full message of the feed is about 1 MiB.
                config.rpc.maxRequestPayloadSize = 4 * 1_024 * 1_024
                config.connection.maxGraceTime = .seconds(2)
            }, eventLoopGroup: eventLoop)
        let stopping = ServerContext.RPCCancellationHandle()
        let service = CulvertService(interface: interface, stopping: stopping)
        let server = GRPCServer(transport: transport, services: [service])
        // Never cancelled itself: swift-nio traps on a connection or stream that arrives while its consumer is cancelled.
        let serving = Task { try await server.serve() }
        whenListening()
        let result = await withTaskCancellationHandler {
            await serving.result
        } onCancel: {
            Task {
                await Self.closeDoor(socket)
                stopping.cancel()
                await service.longCalls.drained(within: .seconds(1))
                // Their last word is on its way to the one thread that writes: behind it.
                for _ in 0..<3 { _ = try? await eventLoop.next().submit {}.get() }
                server.beginGracefulShutdown()
            }
        }
        socket.removeName()
        try? await eventLoop.shutdownGracefully()
        if case .failure(let error) = result, !Task.isCancelled { throw error }
    }

    /// Takes the socket's name away and returns when all connections that were made by it are with the server: swift-nio
    /// traps as well on one that is being accepted while its listener closes. Connections are accepted in their order, by
    /// one thread, so one more, which only we can make, comes last; an answer on it means that the others are through.
    private static func closeDoor(_ socket: SocketFile) async {
        guard let hidden = socket.hideName() else { return }
        defer { unlink(hidden) }
        guard
            let transport = try? HTTP2ClientTransport.Posix(
                target: .unixDomainSocket(path: hidden), transportSecurity: .plaintext)
        else { return }
        var options = CallOptions.defaults
        options.timeout = .seconds(2)
        let patience = options
        try? await withGRPCClient(transport: transport) { client in
            // A request that names nothing is refused without troubling the control plane.
            _ = try await Culvert_V1_Culvert.Client(wrapping: client).clear(
                Culvert_V1_ClearRequest(), options: patience)
        }
    }
}
