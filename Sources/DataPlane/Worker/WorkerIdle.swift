import CDPDK
import Settings

/// What a worker does when it finds nothing to do.
public enum WorkerIdle: Hashable, Sendable {
    /// It looks again at once.
    case poll
    /// It lets another thread run first.
    case yield
    /// It sleeps for so many microseconds.
    case sleep(microseconds: UInt32)

    /// Rounds in a row that must have found nothing before a worker gives its core away.
    public static let patience: UInt32 = 32

    /// As the settings have it.
    public init(_ setting: DataPlaneSettings.Idle) {
        self =
            switch setting {
            case .poll: .poll
            case .yield: .yield
            case .sleep(let microseconds): .sleep(microseconds: microseconds)
            }
    }
}

/// How a worker gives its core away: the system's way, or a test's. C functions, so that the loop holds no closure.
public struct WorkerRest: Sendable {
    /// Lets another thread run.
    public var yield: @convention(c) @Sendable () -> Void
    /// Sleeps for so many nanoseconds.
    public var sleep: @convention(c) @Sendable (UInt64) -> Void

    /// These two.
    public init(
        yield: @convention(c) @Sendable @escaping () -> Void, sleep: @convention(c) @Sendable @escaping (UInt64) -> Void
    ) {
        self.yield = yield
        self.sleep = sleep
    }

    /// sched_yield(2) and nanosleep(2).
    public static let system = WorkerRest(yield: { culvert_yield() }, sleep: { culvert_sleep_ns($0) })
}
