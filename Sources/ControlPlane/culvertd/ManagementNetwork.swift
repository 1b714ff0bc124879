import Configuration
import Logging
import NIOPosix
import Names
import Resolver
import Synchronization
import Wire

/// What the control plane reaches by the kernel's sockets: name servers and RADIUS servers. Answers go to the control loop, which is
/// made later.
final class ManagementNetwork: Sendable {
    let radius: RADIUSSockets
    private let resolver: Resolver
    private let threads: MultiThreadedEventLoopGroup
    private let loop: LoopReference

    /// Opens the sockets that the configuration needs.
    ///
    /// - Throws: `Failure.radius` or `Failure.resolver`.
    init(_ configuration: Configuration, logger: Logger) async throws {
        let loop = LoopReference()
        self.loop = loop
        threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do throws(NameFailure) {
            resolver = try Resolver { logger.warning("\($0)") }
        } catch { throw Failure.resolver("names cannot be looked up: \(error)") }
        radius = try await RADIUSSockets(configuration, group: threads) { arrival in
            guard let loop = loop.value else { return }
            Task { await loop.received(arrival) }
        }
    }

    /// Sends answers to `loop` from now on.
    func deliver(to loop: ControlLoop) { self.loop.value = loop }

    /// Asks name servers; the answer goes to the loop.
    func resolve(_ query: NameQuery) {
        resolver.resolve(query) { [loop] query, result in
            guard let loop = loop.value else { return }
            Task { await loop.resolved(query, result) }
        }
    }

    /// What the resolver has done.
    var resolverStatistics: ResolverStatistics { resolver.statistics }

    /// Closes everything; nothing is delivered afterwards.
    func shutDown() async {
        loop.value = nil
        resolver.shutDown()
        await radius.close()
        try? await threads.shutdownGracefully()
    }
}

/// The control loop, once it is there.
private final class LoopReference: Sendable {
    private let loop = Mutex<ControlLoop?>(nil)

    var value: ControlLoop? {
        get { loop.withLock { $0 } }
        set { loop.withLock { $0 = newValue } }
    }
}
