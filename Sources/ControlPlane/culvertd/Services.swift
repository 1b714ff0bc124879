import Foundation
import Logging
import RPC
import ServiceLifecycle

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

/// The RPC on its socket. It ends before the control loop does, so that no call finds it gone.
struct RPCService: Service {
    let server: RPCServer
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await server.run(whenListening: { logger.info("serving the RPC") })
        }
    }
}
