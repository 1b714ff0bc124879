import CAres
import Glibc
import Names
import Synchronization

/// A look-up as it is handed to the resolver's thread.
struct ResolverRequest: Sendable {
    var query: NameQuery
    var patience: Patience
    var completion: @Sendable (NameQuery, NameResult) -> Void
}

/// What the resolver's thread and everybody else share: look-ups on their way there, counts on their way back.
final class ResolverMailbox: Sendable {
    private struct State {
        var requests: [ResolverRequest] = []
        var isClosed = false
        var statistics = ResolverStatistics()
    }

    private let state = Mutex(State())
    private let limit: Int
    /// Readable when there is something to take.
    let wakeFile: Int32

    /// A mailbox that holds `limit` look-ups. Throws `.resources` when there is no file descriptor to be had.
    init(limit: Int) throws(NameFailure) {
        self.limit = max(1, limit)
        wakeFile = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeFile >= 0 else { throw .resources }
    }

    deinit { close(wakeFile) }

    /// Puts a look-up in; says why it is not taken.
    func put(_ request: ResolverRequest) -> NameFailure? {
        let refusal: NameFailure? = state.withLock { state in
            if state.isClosed { return .shutDown }
            guard state.requests.count < limit else {
                state.statistics.refused += 1
                return .overloaded
            }
            state.requests.append(request)
            return nil
        }
        if refusal == nil { wake() }
        return refusal
    }

    /// No more look-ups; the thread ends.
    func shut() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    private func wake() { _ = eventfd_write(wakeFile, 1) }

    /// After this, only what is put in later makes the file readable.
    func clearWake() {
        var count: eventfd_t = 0
        _ = eventfd_read(wakeFile, &count)
    }

    /// Takes all that was put in; nil when the mailbox is closed.
    func take() -> [ResolverRequest]? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            defer { state.requests.removeAll(keepingCapacity: true) }
            return state.requests
        }
    }

    /// Takes what was put in before the mailbox was closed.
    func takeRest() -> [ResolverRequest] {
        state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    /// Adds to the counts, and sets what is the case now.
    func report(_ counts: ResolverStatistics, inFlight: Int, waiting: Int, groups: Int) {
        state.withLock { state in
            state.statistics.add(counts)
            state.statistics.inFlight = inFlight
            state.statistics.waiting = waiting
            state.statistics.serverSets = groups
        }
    }

    /// The counts.
    var statistics: ResolverStatistics { state.withLock { $0.statistics } }
}
