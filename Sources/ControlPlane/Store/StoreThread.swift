import Dispatch
import Foundation
import GRDB
import Synchronization

/// The thread that alone touches the file: it writes what waits, many changes in a transaction, and tries again when the disk fails.
final class StoreThread: Sendable {
    private struct State {
        var jobs: [@Sendable (DatabaseQueue) -> Void] = []
        /// Who waits until all is written, or cannot be.
        var flushers: [@Sendable (StoreError?) -> Void] = []
        var isAwake = false
        var isStopping = false
    }

    let path: String
    private let state = Mutex(State())
    private let bell = DispatchSemaphore(value: 0)
    private let retry: Duration
    private let event: @Sendable (StoreEvent) -> Void

    init(path: String, retry: Duration, event: @escaping @Sendable (StoreEvent) -> Void) {
        self.path = path
        self.retry = retry
        self.event = event
    }

    // MARK: Any thread

    /// There is something to do.
    func wake() {
        let mustRing = state.withLock { state in
            defer { state.isAwake = true }
            return !state.isAwake
        }
        if mustRing { bell.signal() }
    }

    /// Has something done between transactions; false when the thread has ended, or is about to.
    func perform(_ job: @escaping @Sendable (DatabaseQueue) -> Void) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isStopping else { return false }
            state.jobs.append(job)
            return true
        }
        if isTaken { wake() }
        return isTaken
    }

    /// Waits until all that waits now is written; answers why it cannot be.
    func flush(andStop isLast: Bool = false) -> StoreError? {
        let done = DispatchSemaphore(value: 0)
        let answer = AnswerBox()
        let isTaken = state.withLock { state in
            guard !state.isStopping else { return false }
            state.flushers.append {
                answer.set($0)
                done.signal()
            }
            state.isStopping = isLast
            return true
        }
        guard isTaken else { return .closed(path: path) }
        wake()
        done.wait()
        return answer.error
    }

    // MARK: The thread

    /// Works until it is stopped; closes the file then, before the last flush is answered.
    func run(_ file: StoreFile, _ groups: [any TableGroup]) {
        var failure: StoreError?
        var retryAt = ContinuousClock.now
        // Who is being served, and the transactions that takes: what comes later is not waited for.
        var flushers: [@Sendable (StoreError?) -> Void] = []
        var rounds = 0
        while true {
            let (jobs, isStopping) = state.withLock { state in
                defer {
                    state.jobs = []
                    state.isAwake = false
                }
                if flushers.isEmpty {
                    swap(&flushers, &state.flushers)
                    rounds = groups.map(\.transactions).max() ?? 0
                }
                return (state.jobs, state.isStopping)
            }
            for job in jobs { job(file.queue) }
            if groups.contains(where: { $0.transactions > 0 }),
                failure == nil || !flushers.isEmpty || ContinuousClock.now >= retryAt
            {
                failure = write(groups, file, after: failure)
                retryAt = ContinuousClock.now + retry
                rounds -= 1
                // More may be waiting: what was taken was a part, or has been added to.
                if failure == nil, flushers.isEmpty || isStopping || rounds > 0 { continue }
            }
            if !flushers.isEmpty {
                // The last flush may have come behind those that are served now.
                let isLast = isStopping && state.withLock { $0.flushers.isEmpty }
                let error = isLast ? close(file, after: failure) : failure
                for flusher in flushers { flusher(error) }
                flushers = []
                if isLast { return }
                continue
            }
            if failure == nil {
                bell.wait()
            } else {
                let rest = max(.zero, retryAt - ContinuousClock.now)
                _ = bell.wait(timeout: .now() + rest.seconds)
            }
        }
    }

    /// One transaction of all groups; answers why it failed, and tells when that begins and when it is over.
    private func write(_ groups: [any TableGroup], _ file: StoreFile, after failure: StoreError?) -> StoreError? {
        do {
            try file.queue.inTransaction(.immediate) { db in
                for group in groups { try group.write(db) }
                return .commit
            }
        } catch {
            for group in groups { group.rolledBack() }
            let error = StoreError(error, path: path)
            if failure == nil { event(.failing(error)) }
            return error
        }
        for group in groups { group.committed() }
        if failure != nil { event(.recovered(path: path)) }
        return nil
    }

    /// Closes the file; answers what is wrong, first of all that not all has been written.
    private func close(_ file: StoreFile, after failure: StoreError?) -> StoreError? {
        do throws(StoreError) {
            try file.close()
            return failure
        } catch {
            return failure ?? error
        }
    }
}

/// An answer on its way from the store's thread.
private final class AnswerBox: Sendable {
    private let answer = Mutex<StoreError?>(nil)
    func set(_ error: StoreError?) { answer.withLock { $0 = error } }
    var error: StoreError? { answer.withLock { $0 } }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
