import Glibc
import Synchronization

/// SIGTERM and SIGINT as something that a loop looks for now and then. Programs that are started do not inherit it.
enum StopSignals {
    private static let count = Atomic<Int>(0)

    /// Has them noted rather than end the program.
    static func note() {
        count.store(0, ordering: .relaxed)
        for number in [SIGTERM, SIGINT] { signal(number) { _ in StopSignals.count.add(1, ordering: .relaxed) } }
    }

    /// Whether one of them has come.
    static var haveCome: Bool { count.load(ordering: .relaxed) > 0 }
}
