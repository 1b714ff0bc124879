import Foundation
import Logging
import Metrics
import RPC
import ServiceLifecycle
import Wire

/// The control loop on a thread of its own, from start to the orderly end of all sessions.
struct ControlService: Service {
    let loop: ControlLoop

    func run() async throws {
        let thread = Thread { [loop] in loop.run() }
        thread.name = "control"
        thread.start()
        try? await gracefulShutdown()
        await loop.shutDown()
        loop.executor.stop()
    }
}

/// The RPC on its socket and over TCP. It ends before the control loop does, so that no call finds it gone.
struct RPCService: Service {
    let server: RPCServer
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await server.run { endpoints in
                let tcp = endpoints.isEmpty ? [:] : ["tcp": Logger.MetadataValue(endpoints)]
                logger.info("serving the RPC", metadata: tcp)
            }
        }
    }
}

/// Metrics over HTTP. They too end before the control loop does.
struct MetricsService: Service {
    let server: MetricsServer
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await server.run { logger.info("serving metrics", metadata: ["http": .init($0)]) }
        }
    }
}

extension Logger.MetadataValue {
    fileprivate init(_ endpoints: [SocketEndpoint]) { self = .array(endpoints.map { .string($0.description) }) }
}
