import CSegment
import Glibc
import Worker

/// A thread that is a worker's core: it runs the worker's own loop.
final class WorkerThread: @unchecked Sendable {
    private let worker: Worker
    private let stopped = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    private var thread = pthread_t()

    init(_ worker: Worker) {
        self.worker = worker
        stopped.initialize(to: 0)
    }

    deinit { stopped.deallocate() }

    /// Starts the thread. `stop` must follow.
    func start() throws {
        let failed = pthread_create(
            &thread, nil,
            { argument in
                if let argument {
                    let this = Unmanaged<WorkerThread>.fromOpaque(argument).takeUnretainedValue()
                    this.worker.run(until: this.stopped, idle: .sleep(microseconds: 20))
                }
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        guard failed == 0 else { throw Host.Fault(description: "no thread") }
    }

    /// Ends the thread and waits for it.
    func stop() {
        culvert_store_release_u32(stopped, 1)
        pthread_join(thread, nil)
    }
}
