import GRPCCore
import GRPCNIOTransportHTTP2
import Listening
import NIOCore
import NIOPosix
import NIOSSL

/// A listening socket and what serves it.
struct RPCListener: Sendable {
    /// How long a connection has for its last calls.
    static let graceTime = Duration.seconds(2)
    /// How long a connection may take to agree on TLS.
    private static let handshakePatience = Duration.seconds(10)
    /// Connections at a time: to the socket, which is for programs of this machine, and over TCP.
    private static let connectionLimits = (socket: 4_096, tcp: 256)

    let server: GRPCServer<HTTP2ServerTransport.Posix>
    let gate: ConnectionGate

    /// A server of `service` and of reflection on the listening socket `descriptor`, which it closes at its end; with
    /// `security`, the connections are made by TCP.
    init(
        descriptor: Int32, security: HTTP2ServerTransport.Posix.TransportSecurity?, service: CulvertService,
        access: AccessControl, eventLoop: MultiThreadedEventLoopGroup
    ) {
        let isTCP = security != nil
        let gate = ConnectionGate(limit: isTCP ? Self.connectionLimits.tcp : Self.connectionLimits.socket)
        let transport = HTTP2ServerTransport.Posix(
            listeningSocketDescriptor: Int(descriptor), transportSecurity: security ?? .plaintext,
            config: .defaults { config in
                // A full message of the feed is about 1 MiB.
                config.rpc.maxRequestPayloadSize = 4 * 1_024 * 1_024
                config.connection.maxGraceTime = Self.graceTime
                config.channelDebuggingCallbacks.onBindTCPListener = { gate.install(on: $0) }
                guard isTCP else { return }
                // Whoever has vanished from the network is noticed within 80 s.
                config.connection.keepalive.time = .seconds(60)
                config.http2.maxConcurrentStreams = 128
                config.channelDebuggingCallbacks.onAcceptTCPConnection = Self.limitHandshake
            }, eventLoopGroup: eventLoop)
        self.gate = gate
        server = GRPCServer(
            transport: transport,
            services: [service, ReflectionService(descriptors: .served, service: service)], interceptors: [access])
    }

    /// Gives a new connection so long to agree on TLS, and no longer.
    private static let limitHandshake: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let handler = try pipeline.handler(type: NIOSSLServerHandler.self)
            try pipeline.addHandler(
                HandshakeDeadline(patience: TimeAmount(handshakePatience)), position: .after(handler))
        }
    }
}
