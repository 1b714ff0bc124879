import GRPCCore
import GRPCNIOTransportHTTP2
import Listening
import Logging
import NIOCore
import NIOPosix
import NIOSSL
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
        let security = try tcp.flatMap { tcp in try keeper.map { try Self.security(of: tcp.files, keeper: $0) } }
        let socket = try SocketFile.listen(on: path, mode: mode)
        defer { socket.unlock() }
        let tcpSockets: [TCPListener]
        do {
            tcpSockets = try TCPListener.listen(on: tcp?.endpoints ?? [])
        } catch {
            socket.abandon()
            throw error
        }
        // One thread: what is said first on it is done first, and that is what the orderly end builds upon.
        let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let stopping = ServerContext.RPCCancellationHandle()
        let service = CulvertService(interface: interface, stopping: stopping)
        var listeners = [Listener(descriptor: socket.descriptor, tls: nil, service: service, self, eventLoop)]
        if let security {
            listeners += tcpSockets.map {
                Listener(descriptor: $0.descriptor, tls: security, service: service, self, eventLoop)
            }
        }
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        // Never cancelled themselves: swift-nio traps on a stream that arrives while its consumer is cancelled.
        let serving = listeners.map { listener in
            Task {
                defer { end.yield() }
                try await listener.server.serve()
            }
        }
        let watching = Task { await keeper?.watch() }
        whenListening(tcpSockets.map(\.endpoint))
        // Until this task is cancelled, or one of them cannot go on.
        for await _ in ends { break }
        let isExpected = Task.isCancelled
        watching.cancel()
        let closing = listeners
        await Task {
            socket.removeName()
            for listener in closing { listener.gate.shut() }
            await closing[0].gate.settle(on: eventLoop.next())
            stopping.cancel()
            await service.longCalls.drained(within: .seconds(1))
            // Their last word is on its way to the one thread that writes: behind it.
            await closing[0].gate.settle(on: eventLoop.next())
            for listener in closing { listener.server.beginGracefulShutdown() }
        }.value
        let cutting = Task {
            try await Task.sleep(for: Self.graceTime + .milliseconds(500))
            for listener in closing { listener.gate.cut() }
        }
        var failure: (any Error)?
        for task in serving {
            if case .failure(let error) = await task.result { failure = failure ?? error }
        }
        cutting.cancel()
        // What the last connections still have to tell each other.
        await closing[0].gate.settle(on: eventLoop.next())
        try? await eventLoop.shutdownGracefully()
        if let failure, !isExpected { throw failure }
    }

    /// How long a connection has for its last calls.
    private static let graceTime = Duration.seconds(2)
    /// How long a TCP connection may take to agree on TLS.
    private static let handshakePatience = Duration.seconds(10)

    private static func security(
        of files: TLSFiles, keeper: CertificateKeeper
    ) throws(TLSFileError) -> HTTP2ServerTransport.Posix.TransportSecurity {
        _ = try files.trusted()
        let authorities = TLSConfig.CertificateSource.file(path: files.authorities, format: .pem)
        // The certificate is the keeper's; the files are named here because there has to be one from the start.
        return .mTLS(
            certificateChain: [.file(path: files.certificate, format: .pem)],
            privateKey: .file(path: files.privateKey, format: .pem)
        ) { tls in
            tls.trustRoots = .certificates([authorities])
            tls.requireALPN = true
            tls.certificateReloader = keeper
        }
    }

    /// A listening socket and what serves it.
    private struct Listener: Sendable {
        let server: GRPCServer<HTTP2ServerTransport.Posix>
        let gate: ConnectionGate

        init(
            descriptor: Int32, tls: HTTP2ServerTransport.Posix.TransportSecurity?, service: CulvertService,
            _ owner: RPCServer, _ eventLoop: MultiThreadedEventLoopGroup
        ) {
            let gate = ConnectionGate(limit: tls == nil ? 4_096 : 256)
            let transport = HTTP2ServerTransport.Posix(
                listeningSocketDescriptor: Int(descriptor), transportSecurity: tls ?? .plaintext,
                config: .defaults { config in
                    // A full message of the feed is about 1 MiB.
                    config.rpc.maxRequestPayloadSize = 4 * 1_024 * 1_024
                    config.connection.maxGraceTime = graceTime
                    config.channelDebuggingCallbacks.onBindTCPListener = { gate.install(on: $0) }
                    if tls != nil {
                        // Whoever has vanished from the network is noticed within 80 s.
                        config.connection.keepalive.time = .seconds(60)
                        config.http2.maxConcurrentStreams = 128
                        config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
                            channel.eventLoop.makeCompletedFuture {
                                let pipeline = channel.pipeline.syncOperations
                                let deadline = HandshakeDeadline(patience: TimeAmount(handshakePatience))
                                let handler = try pipeline.handler(type: NIOSSLServerHandler.self)
                                try pipeline.addHandler(deadline, position: .after(handler))
                            }
                        }
                    }
                }, eventLoopGroup: eventLoop)
            self.gate = gate
            let access = AccessControl(readOnly: owner.tcp?.readOnly ?? [], logger: owner.logger)
            server = GRPCServer(
                transport: transport,
                services: [service, ReflectionService(descriptors: .served, service: service)],
                interceptors: [access])
        }
    }
}
