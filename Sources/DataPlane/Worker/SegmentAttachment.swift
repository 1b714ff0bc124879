import CDPDK
import CSegment
import Glibc
import Segment
import Settings

/// The segment, attached on a thread of its own, beside what else a start takes.
///
/// A data plane that was killed holds its segment for as long as the kernel takes to free its memory: tenths of a second, in
/// which DPDK can start. So that restarting takes the longer of the two and not both, the segment is asked for here until it
/// is free, for two seconds at most.
final class SegmentAttachment {
    /// What the thread is given and what it leaves behind. Only one of the two threads looks at it at a time.
    private final class Work: @unchecked Sendable {
        let settings: DataPlaneSettings
        var result: Result<SegmentMapping, any Error>?

        init(_ settings: DataPlaneSettings) { self.settings = settings }
    }

    private let work: Work
    private var thread: pthread_t?

    /// Starts to attach the segment.
    /// - Throws: `DataPlaneError`, when there can be no thread.
    init(_ settings: DataPlaneSettings) throws {
        work = Work(settings)
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(work)
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                work.result = Result { try SegmentAttachment.attach(work.settings) }
                return nil
            }, argument.toOpaque())
        guard failed == 0 else {
            argument.release()
            throw DataPlaneError.environment("no thread to attach the segment: \(DataPlaneError.text(failed))")
        }
        self.thread = thread
    }

    /// Waits until the segment is there, or is refused.
    /// - Throws: `SegmentError`.
    func wait() throws -> SegmentMapping {
        if let thread { pthread_join(thread, nil) }
        thread = nil
        guard let result = work.result else { throw DataPlaneError.environment("the segment was not attached") }
        return try result.get()
    }

    /// Creates the segment, or adopts the one that is there.
    private static func attach(_ settings: DataPlaneSettings) throws -> SegmentMapping {
        let deadline = culvert_monotonic_ns() + 2_000_000_000
        while true {
            do {
                return try SegmentMapping.attachDataPlane(
                    path: settings.segment, geometry: DataPlane.geometry(settings),
                    initialiseQuiescentState: { culvert_rcu_initialise($0, UInt64($1), $2) == 0 })
            } catch SegmentError.heldByDataPlane where culvert_monotonic_ns() < deadline {
                culvert_sleep_ns(1_000_000)
            }
        }
    }
}
