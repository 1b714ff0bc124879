import Synchronization

/// A watcher took its events so slowly that some would have been lost; its stream has ended instead.
public struct WatcherFellBehind: Error, Hashable, Sendable {
    /// Events that wait for a watcher at most.
    public let backlog: Int

    /// A watcher was more than `backlog` events behind.
    public init(backlog: Int) { self.backlog = backlog }
}

/// Hands each event to everybody who watches.
///
/// The owner of the state publishes; watchers come and go from anywhere. Publishing never waits for a watcher: one that is
/// more than `backlog` events behind loses its stream, not single events.
public final class EventBroadcaster: Sendable {
    private struct State {
        var sequence: UInt64 = 0
        var nextWatcher: UInt64 = 0
        var watchers: [UInt64: AsyncThrowingStream<Event, any Error>.Continuation] = [:]
        /// The last events, a ring: the oldest lies at `oldest` once it is full.
        var history: [Event] = []
        var oldest = 0
    }

    private let state = Mutex(State())
    private let backlog: Int
    private let memory: Int

    /// A broadcaster whose watchers may be `backlog` events behind, on top of their initial events, and which remembers the last
    /// `memory` events.
    public init(backlog: Int = 16_384, memory: Int = 1_024) {
        self.backlog = max(1, backlog)
        self.memory = max(1, memory)
    }

    /// The last events, at most `limit`, oldest first.
    public func recent(_ limit: Int = .max) -> [Event] {
        let all = state.withLock { Array($0.history[$0.oldest...] + $0.history[..<$0.oldest]) }
        return Array(all.suffix(max(0, limit)))
    }

    /// Number of watchers, so that the owner can spare itself the snapshot for an event that nobody sees.
    public var watcherCount: Int { state.withLock { $0.watchers.count } }

    /// Hands `kind` to all watchers, with the next sequence number.
    public func publish(_ kind: Event.Kind, at time: Timestamp) {
        let fallenBehind = state.withLock { state in
            state.sequence += 1
            let event = Event(sequence: state.sequence, time: time, kind: kind)
            if state.history.count < memory {
                state.history.append(event)
            } else {
                state.history[state.oldest] = event
                state.oldest = (state.oldest + 1) % memory
            }
            var fallenBehind: [AsyncThrowingStream<Event, any Error>.Continuation] = []
            for (number, watcher) in state.watchers {
                if case .dropped = watcher.yield(event) {
                    fallenBehind.append(watcher)
                    state.watchers[number] = nil
                }
            }
            return fallenBehind
        }
        // Outside of the lock: finishing runs the termination handler, which takes it.
        for watcher in fallenBehind { watcher.finish(throwing: WatcherFellBehind(backlog: backlog)) }
    }

    /// A stream of what is published from now on. `initial`, when given, comes first: what is there now, then
    /// `initialComplete`. The owner of the state must call this in one step with taking the snapshot, so that no event
    /// falls between the two.
    public func watch(initial: [Event.Kind]? = nil, at time: Timestamp) -> AsyncThrowingStream<Event, any Error> {
        let initialKinds = initial.map { $0 + [.initialComplete] } ?? []
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingOldest(initialKinds.count + backlog))
        let number = state.withLock { state in
            let number = state.nextWatcher
            state.nextWatcher += 1
            for kind in initialKinds {
                continuation.yield(Event(sequence: state.sequence, time: time, initial: true, kind: kind))
            }
            state.watchers[number] = continuation
            return number
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.watchers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Ends all streams, at shutdown.
    public func finish() {
        let watchers = state.withLock { state in
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.finish() }
    }
}
