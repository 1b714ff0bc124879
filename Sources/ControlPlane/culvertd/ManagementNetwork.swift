import Configuration
import Logging
import NIOPosix
import Names
import Observability
import class Resolver.Resolver
import Synchronization
import Wire

/// What the control plane reaches by the kernel's sockets: name servers and RADIUS servers. Answers go to the control loop, which is
/// made later.
final class ManagementNetwork: Sendable {
    private let sockets: Mutex<(needs: RADIUSSockets.Needs, sockets: RADIUSSockets)>
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
        let needs = RADIUSSockets.Needs(configuration)
        let opened = try await RADIUSSockets(needs, group: threads) { loop.receive($0) }
        sockets = Mutex((needs, opened))
    }

    /// The sockets for RADIUS.
    var radius: RADIUSSockets { sockets.withLock { $0.sockets } }

    /// Opens other sockets for RADIUS where a changed configuration wants others. Requests that were sent from the old ones get their
    /// answers when they are sent again.
    ///
    /// - Throws: `Failure.radius`; the old configuration's sockets are open again then, as far as they can be.
    func apply(_ configuration: Configuration) async throws {
        let new = RADIUSSockets.Needs(configuration)
        let (needs, old) = sockets.withLock { ($0.needs, $0.sockets) }
        guard new != needs else { return }
        await old.close()
        do {
            let opened = try await RADIUSSockets(new, group: threads) { [loop] in loop.receive($0) }
            sockets.withLock { $0 = (new, opened) }
        } catch {
            let reopened = try await RADIUSSockets(needs, group: threads) { [loop] in loop.receive($0) }
            sockets.withLock { $0 = (needs, reopened) }
            throw error
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
    var resolverCounters: [NamedCounter] {
        let statistics = resolver.statistics
        return [
            NamedCounter(name: "resolver_completed", text: "look-ups that ended", value: statistics.completed),
            NamedCounter(
                name: "resolver_refused", text: "look-ups refused because too many waited", value: statistics.refused),
            NamedCounter(
                name: "resolver_questions", text: "questions put to name servers, repetitions not counted",
                value: statistics.questions),
            NamedCounter(
                name: "resolver_timeouts", text: "times that a name server was silent", value: statistics.timeouts),
            NamedCounter(
                name: "resolver_passed_over", text: "times that a silent name server was passed over for a while",
                value: statistics.passedOver),
        ]
    }

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

    func receive(_ arrival: RADIUSSockets.Arrival) {
        guard let loop = value else { return }
        Task { await loop.received(arrival) }
    }

    var value: ControlLoop? {
        get { loop.withLock { $0 } }
        set { loop.withLock { $0 = newValue } }
    }
}
