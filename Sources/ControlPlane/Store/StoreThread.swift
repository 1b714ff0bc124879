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
    /// Held while something is put in that belongs together, and while what waits is taken.
    private let gate = Mutex<Void>(())
    /// Whether another thread is at a sync, and whether the last one failed.
    private let syncing = Mutex<(isBusy: Bool, hasFailed: Bool)>((false, false))
    private let syncer = DispatchQueue(label: "store-sync")

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

    /// Puts things in that are to be written together or not at all.
    func exclude<Result>(_ body: () -> Result) -> Result { gate.withLock { _ in body() } }

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
        while true {
            let (jobs, isStopping) = state.withLock { state in
                defer {
                    state.jobs = []
                    state.isAwake = false
                }
                if flushers.isEmpty { swap(&flushers, &state.flushers) }
                return (state.jobs, state.isStopping)
            }
            for job in jobs { job(file.queue) }
            if groups.contains(where: \.isWaiting),
                failure == nil || !flushers.isEmpty || ContinuousClock.now >= retryAt
            {
                failure = write(groups, file, after: failure)
                retryAt = ContinuousClock.now + retry
                // More may have come meanwhile.
                if failure == nil, flushers.isEmpty || isStopping { continue }
            }
            if failure == nil, flushers.isEmpty { syncLater(groups) }
            if !flushers.isEmpty {
                // The last flush may have come behind those that are served now.
                let isLast = isStopping && state.withLock { $0.flushers.isEmpty }
                var error = failure
                if error == nil { error = sync(groups) }
                if isLast { error = close(file, after: error) }
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
        gate.withLock { _ in for group in groups { group.gather() } }
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

    /// Has the disk write what is committed, and tells the groups.
    private func sync(_ groups: [any TableGroup]) -> StoreError? {
        guard groups.contains(where: \.wantsSync) else { return nil }
        do throws(StoreError) { try StoreFile.sync(path) } catch { return error }
        for group in groups { group.synced(upTo: group.syncMark) }
        return nil
    }

    /// The same on another thread: nobody whose commit comes meanwhile waits for the disk. What is committed while that one is at
    /// work has its turn afterwards.
    private func syncLater(_ groups: [any TableGroup]) {
        guard groups.contains(where: \.wantsSync) else { return }
        let isIdle = syncing.withLock { syncing in
            defer { syncing.isBusy = true }
            return !syncing.isBusy
        }
        guard isIdle else { return }
        let marks = groups.map(\.syncMark)
        syncer.async { [self] in
            var failure: StoreError?
            do throws(StoreError) { try StoreFile.sync(path) } catch { failure = error }
            let error = failure
            // A disk that fails is asked again no sooner than for a write.
            syncer.asyncAfter(deadline: .now() + (error == nil ? 0 : retry.seconds)) { [self] in
                _ = perform { [self] _ in finishSync(groups, marks, error) }
            }
        }
    }

    private func finishSync(_ groups: [any TableGroup], _ marks: [UInt64], _ error: StoreError?) {
        let hadFailed = syncing.withLock { syncing in
            defer { syncing = (false, error != nil) }
            return syncing.hasFailed
        }
        if let error {
            if !hadFailed { event(.failing(error)) }
            return
        }
        for (group, mark) in zip(groups, marks) { group.synced(upTo: mark) }
        if hadFailed { event(.recovered(path: path)) }
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
