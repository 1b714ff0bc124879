import Listening
import NIOCore
import NIOHTTP1
import NIOPosix
import Wire

/// Serves metrics to Prometheus: HTTP/1, `/metrics`, text format 0.0.4. Everybody who can connect may read.
public struct MetricsServer: Sendable {
    private let endpoints: [SocketEndpoint]
    private let scraper: Scraper
    private let patience: ScrapeHandler.Patience

    /// Connections at a time; more are closed as they come.
    static let connectionLimit = 64

    /// A server on `endpoints` that asks `source` for what `request` says.
    public init(endpoints: [SocketEndpoint], source: any MetricsSource, request: MetricsRequest) {
        self.init(endpoints: endpoints, source: source, request: request, patience: .init())
    }

    init(
        endpoints: [SocketEndpoint], source: any MetricsSource, request: MetricsRequest,
        patience: ScrapeHandler.Patience
    ) {
        self.endpoints = endpoints
        self.patience = patience
        scraper = Scraper(source: source, request: request)
    }

    /// Serves until the surrounding task is cancelled, then closes all connections.
    ///
    /// `whenListening` is called once, with the endpoints that are served. Throws `ListenError` when one cannot be had.
    public func run(whenListening: @Sendable ([SocketEndpoint]) -> Void = { _ in }) async throws {
        let sockets = try TCPListener.listen(on: endpoints)
        let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let gate = ConnectionGate(limit: Self.connectionLimit)
        let (scraper, patience) = (scraper, patience)
        let bootstrap = ServerBootstrap(group: eventLoop)
            .serverChannelInitializer { gate.install(on: $0) }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    let bound = RequestBound()
                    try pipeline.addHandler(bound)
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(ScrapeHandler(scraper: scraper, bound: bound, patience: patience))
                }
            }
        var listeners: [any Channel] = []
        for socket in sockets {
            listeners.append(try await bootstrap.withBoundSocket(socket.descriptor).get())
        }
        whenListening(sockets.map(\.endpoint))
        let (stopped, stop) = AsyncStream.makeStream(of: Void.self)
        await withTaskCancellationHandler {
            for await _ in stopped {}
        } onCancel: {
            stop.finish()
        }
        gate.shut()
        for listener in listeners { try? await listener.close() }
        gate.cut()
        try? await eventLoop.shutdownGracefully()
    }
}
