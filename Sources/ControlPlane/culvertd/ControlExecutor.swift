import CSegment
import Glibc
import Synchronization

/// The one thread that owns the control plane's state.
///
/// It sleeps on the punt ring's doorbell, which the data plane rings when it has put frames in; jobs of the control loop
/// ring the same bell. So a frame, an RPC and a timer all wake one and the same thread, and nothing is locked.
final class ControlExecutor: SerialExecutor, @unchecked Sendable {
    private let doorbell: UnsafeMutablePointer<UInt32>
    private let sleeping: UnsafeMutablePointer<UInt32>
    private let jobs = Mutex<[UnownedJob]>([])
    private let thread = Atomic<UInt>(0)
    private let isStopping = Atomic<Bool>(false)

    /// An executor that sleeps on the doorbell of the segment with this header, which must outlive it.
    init(header: UnsafeMutablePointer<culvert_segment_header>) {
        doorbell = culvert_punt_doorbell(header)
        sleeping = culvert_punt_sleeping(header)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        culvert_doorbell_ring(doorbell, sleeping)
    }

    func checkIsolated() {
        precondition(UInt(pthread_self()) == thread.load(ordering: .relaxed), "not on the control loop's thread")
    }

    /// Runs jobs and `turn` until `stop`. `turn` does what there is to do and answers how long it may be left alone, in
    /// nanoseconds.
    func run(turn: () -> UInt64) {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        while !isStopping.load(ordering: .acquiring) {
            // Read before looking for work: what comes after makes the wait return at once.
            let seen = culvert_load_acquire_u32(doorbell)
            let ready = jobs.withLock { jobs in
                defer { jobs.removeAll(keepingCapacity: true) }
                return jobs
            }
            for job in ready { job.runSynchronously(on: asUnownedSerialExecutor()) }
            let rest = turn()
            if rest > 0 { _ = culvert_doorbell_wait(doorbell, sleeping, seen, rest) }
        }
    }

    /// Has `run` look for work, on whatever thread this is called.
    func wake() { culvert_doorbell_ring(doorbell, sleeping) }

    /// Makes `run` return after its current turn.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        culvert_doorbell_ring(doorbell, sleeping)
    }
}
