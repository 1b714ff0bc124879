import GRPCCore
import GRPCNIOTransportHTTP2
import Listening
import Logging
import NIOPosix
import Observability
import Wire

/// Serves a `ControlPlaneInterface` as gRPC, with reflection, on a Unix domain socket and, where it is asked for, over TCP with
/// TLS.
///
/// Who may connect to the socket may do everything: the file's mode and the folder it lies in are the access control. Over
/// TCP it is the client's certificate, see `TCP`.
public struct RPCServer: Sendable {
    /// gRPC over TCP: TLS 1.2 or 1.3, with a certificate of the server and one of each client.
    public struct TCP: Hashable, Sendable {
        /// Where it is served.
        public var endpoints: [SocketEndpoint]
        /// The server's certificate and key, and the authorities of its clients' certificates.
        public var files: TLSFiles
        /// Common names of clients that may only look; the others may do everything.
        public var readOnly: Set<String>

        /// gRPC on `endpoints`.
        public init(endpoints: [SocketEndpoint], files: TLSFiles, readOnly: Set<String> = []) {
            self.endpoints = endpoints
            self.files = files
            self.readOnly = readOnly
        }
    }

    private let path: String
    private let mode: UInt32
    private let tcp: TCP?
    private let interface: any ControlPlaneInterface
    private let logger: Logger

    /// A server for `interface` on the socket `path`, at most 103 octets, whose file gets `mode` (permission bits), and on
    /// `tcp`.
    public init(
        path: String, mode: UInt32 = 0o660, tcp: TCP? = nil, interface: any ControlPlaneInterface,
        logger: Logger = Logger(label: "RPC", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.path = path
        self.mode = mode
        self.tcp = tcp
        self.interface = interface
        self.logger = logger
    }

    /// `run(whenListening:)` for whoever does not care about TCP.
    public func run(whenListening: @Sendable () -> Void = {}) async throws {
        try await run { _ in whenListening() }
    }

    /// Serves until the surrounding task is cancelled, then ends all calls with the status UNAVAILABLE, within three seconds,
    /// and removes the socket.
    ///
    /// `whenListening` is called once, as soon as callers can connect, with the TCP endpoints that are served. Throws
    /// `SocketError` when the path cannot be had: another daemon lives there, or the file system refuses; `ListenError` when
    /// an endpoint cannot be had; `TLSFileError` when a file is not what it should be. A socket that a dead daemon left is
    /// replaced.
    public func run(whenListening: @Sendable ([SocketEndpoint]) -> Void) async throws {
        let keeper: CertificateKeeper? = try tcp.map { try CertificateKeeper(files: $0.files, logger: logger) }
        let security = try keeper.map { try $0.security() }
        let socket = try SocketFile.listen(on: path, mode: mode)
        defer { socket.unlock() }
        let tcpSockets: [TCPListener]
        do {
            tcpSockets = try TCPListener.listen(on: tcp?.endpoints ?? [])
        } catch {
            socket.abandon()
            throw error
        }
        let watching = Task { await keeper?.watch() }
        defer { watching.cancel() }
        // One thread: what is said first on it is done first, and that is what the orderly end builds upon.
        let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let failure = await serve(socket, tcpSockets, security, on: eventLoop, whenListening)
        // The servers are gone; what they left to be done on their way out is done before the thread ends.
        await eventLoop.next().settle()
        try? await eventLoop.shutdownGracefully()
        if let failure { throw failure }
    }

    /// Serves on the sockets as `run` does. Returns when all servers have ended: with an error, where one could not go on.
    private func serve(
        _ socket: SocketFile, _ tcpSockets: [TCPListener], _ security: HTTP2ServerTransport.Posix.TransportSecurity?,
        on eventLoop: MultiThreadedEventLoopGroup, _ whenListening: ([SocketEndpoint]) -> Void
    ) async -> (any Error)? {
        let stopping = ServerContext.RPCCancellationHandle()
        let service = CulvertService(interface: interface, stopping: stopping)
        let access = AccessControl(readOnly: tcp?.readOnly ?? [], logger: logger)
        func listener(
            _ descriptor: Int32, _ security: HTTP2ServerTransport.Posix.TransportSecurity?
        ) -> RPCListener {
            RPCListener(
                descriptor: descriptor, security: security, service: service, access: access, eventLoop: eventLoop)
        }
        let listeners = [listener(socket.descriptor, nil)] + tcpSockets.map { listener($0.descriptor, security) }
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        // Never cancelled themselves: swift-nio traps on a stream that arrives while its consumer is cancelled.
        let serving = listeners.map { listener in
            Task {
                defer { end.yield() }
                try await listener.server.serve()
            }
        }
        whenListening(tcpSockets.map(\.endpoint))
        // Until this task is cancelled, or one of them cannot go on.
        for await _ in ends { break }
        let isExpected = Task.isCancelled
        await Task {
            socket.removeName()
            for listener in listeners { listener.gate.shut() }
            await eventLoop.next().settle()
            stopping.cancel()
            await service.longCalls.drained(within: .seconds(1))
            // Their last word is on its way to the one thread that writes: behind it.
            await eventLoop.next().settle()
            for listener in listeners { listener.server.beginGracefulShutdown() }
        }.value
        let cutting = Task {
            try await Task.sleep(for: RPCListener.graceTime + .milliseconds(500))
            for listener in listeners { listener.gate.cut() }
        }
        var failure: (any Error)?
        for task in serving {
            if case .failure(let error) = await task.result { failure = failure ?? error }
        }
        cutting.cancel()
        // It knows the servers, and these must be gone before their thread is.
        _ = await cutting.result
        return isExpected ? nil : failure
    }
}
