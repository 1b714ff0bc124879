import Synchronization

/// Calls that may go on for long, and who waits until all of them have ended.
///
/// A connection that is shut down closes as soon as its last stream has ended, and what was written last may be lost then. So
/// the server lets such calls end first, with their status, and shuts down after that.
final class CallCount: Sendable {
    private struct State {
        var calls = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Counts a call for as long as `body` runs.
    func during<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        state.withLock { $0.calls += 1 }
        defer {
            if state.withLock({ state in
                state.calls -= 1
                return state.calls == 0
            }) {
                release()
            }
        }
        return try await body()
    }

    /// Returns when no call is under way, and after `patience` at the latest.
    func drained(within patience: Duration) async {
        let timer = Task {
            try await Task.sleep(for: patience)
            release()
        }
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.calls > 0 { state.waiting.append(continuation) }
                return state.calls == 0
            }
            if isIdle { continuation.resume() }
        }
        timer.cancel()
    }

    /// Lets those who wait go on.
    private func release() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }
}
