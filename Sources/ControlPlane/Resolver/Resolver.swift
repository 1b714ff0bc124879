import Dispatch
import Foundation
import Names
import Synchronization

/// What bounds the resolver.
public struct ResolverSettings: Hashable, Sendable {
    /// Look-ups of one set of servers that are on their way at once. Each is two questions in one datagram each; more at a time
    /// than the kernel's buffers hold would only be lost.
    public var inFlight = 128
    /// Look-ups of one set that wait for their turn.
    public var waiting = 8_192
    /// Sets of servers that are kept ready; the one unused for longest gives way.
    public var groups = 64

    /// The defaults.
    public init() {}
}

/// What the resolver does of its own accord.
public enum ResolverEvent: Hashable, Sendable, CustomStringConvertible {
    /// Several look-ups in a row had no answer of the first server and one of another; for a while it is asked later.
    case serverPassedOver(NameServer, next: NameServer, for: Duration)

    /// For people.
    public var description: String {
        switch self {
        case .serverPassedOver(let silent, let next, let hold):
            "name server \(silent) does not answer; \(next) is asked first for the next \(hold.components.seconds) s"
        }
    }
}

/// What the resolver has done, and is at.
public struct ResolverStatistics: Hashable, Sendable {
    /// Look-ups that ended, whatever came of them.
    public var completed: UInt64 = 0
    /// Look-ups that were refused because too many wait.
    public var refused: UInt64 = 0
    /// Questions put to servers: two a look-up, and more where aliases had to be followed. Repetitions are not counted.
    public var questions: UInt64 = 0
    /// Times that a server was silent until its time was over.
    public var timeouts: UInt64 = 0
    /// Times that a silent server was passed over for a while.
    public var passedOver: UInt64 = 0
    /// Look-ups on their way now.
    public var inFlight = 0
    /// Look-ups that wait for their turn now.
    public var waiting = 0
    /// Sets of servers that are kept ready now.
    public var serverSets = 0

    /// Nothing yet.
    public init() {}

    /// Adds what was counted elsewhere.
    mutating func add(_ other: ResolverStatistics) {
        completed += other.completed
        refused += other.refused
        questions += other.questions
        timeouts += other.timeouts
        passedOver += other.passedOver
    }
}

/// Asks name servers for names' addresses, by c-ares, on a thread of its own.
///
/// A and AAAA are both asked for, over UDP and, where the answer does not fit, over TCP. A server that is silent is followed by
/// the next. Only the servers that a look-up names are asked: neither /etc/resolv.conf nor /etc/hosts is read. Nothing is
/// remembered but which servers are silent; for that there is `NameCache`.
public final class Resolver: Sendable {
    private let mailbox: ResolverMailbox
    private let ended = DispatchSemaphore(value: 0)
    private let isShutDown = Mutex(false)

    /// Starts the thread. Throws `.resources` when there is no file descriptor to be had.
    /// - Parameter event: is told, on the resolver's thread, of what operators should know.
    public init(
        settings: ResolverSettings = .init(), event: @escaping @Sendable (ResolverEvent) -> Void = { _ in }
    ) throws(NameFailure) {
        let mailbox = try ResolverMailbox(limit: settings.waiting)
        self.mailbox = mailbox
        let thread = Thread { [ended] in
            ResolverLoop(mailbox: mailbox, settings: settings, event: event).run()
            ended.signal()
        }
        thread.name = "resolver"
        thread.start()
    }

    deinit { mailbox.shut() }

    /// Looks a name up.
    /// - Parameter completion: is called once, with the query and what came of it: on the resolver's thread, which it must not
    ///   hold up, or at once on this one when the look-up is refused.
    public func resolve(
        _ query: NameQuery, patience: Patience = .init(),
        completion: @escaping @Sendable (NameQuery, NameResult) -> Void
    ) {
        let refusal = mailbox.put(ResolverRequest(query: query, patience: patience, completion: completion))
        if let refusal { completion(query, .failed(refusal)) }
    }

    /// Looks a name up and waits for what comes of it.
    public func resolve(_ query: NameQuery, patience: Patience = .init()) async -> NameResult {
        await withCheckedContinuation { continuation in
            resolve(query, patience: patience) { continuation.resume(returning: $1) }
        }
    }

    /// Ends every look-up that is on its way with `.shutDown`, and the thread; returns when it has ended. Not to be called from a
    /// completion.
    public func shutDown() {
        isShutDown.withLock { isShutDown in
            guard !isShutDown else { return }
            mailbox.shut()
            ended.wait()
            isShutDown = true
        }
    }

    /// What has been done; up to date to the last turn of the thread.
    public var statistics: ResolverStatistics { mailbox.statistics }
}
