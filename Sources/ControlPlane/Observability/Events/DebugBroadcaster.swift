import Synchronization

/// Hands lines of debugging to everybody who follows them. What is debugged is decided by whoever writes the lines.
///
/// Publishing never waits for a watcher: one that is `backlog` lines behind misses the next ones, and is told how many.
public final class DebugBroadcaster: Sendable {
    /// A watcher and what it has missed.
    private struct Watcher {
        var continuation: AsyncThrowingStream<DebugLine, any Error>.Continuation
        var missed: UInt64 = 0
    }

    private struct State {
        var lastWatcher: UInt64 = 0
        var watchers: [UInt64: Watcher] = [:]
    }

    private let state = Mutex(State())
    private let backlog: Int

    /// A broadcaster whose watchers may be `backlog` lines behind.
    public init(backlog: Int = 4_096) { self.backlog = max(1, backlog) }

    /// Hands a line to all watchers.
    public func publish(_ line: DebugLine) {
        state.withLock { state in
            for (number, watcher) in state.watchers {
                var line = line
                line.missed = watcher.missed
                if case .dropped = watcher.continuation.yield(line) {
                    state.watchers[number]?.missed &+= 1
                } else {
                    state.watchers[number]?.missed = 0
                }
            }
        }
    }

    /// A stream of the lines that are published from now on.
    public func watch() -> AsyncThrowingStream<DebugLine, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: DebugLine.self, bufferingPolicy: .bufferingOldest(backlog))
        let number = state.withLock { state in
            state.lastWatcher += 1
            state.watchers[state.lastWatcher] = Watcher(continuation: continuation)
            return state.lastWatcher
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
        for watcher in watchers { watcher.continuation.finish() }
    }
}
