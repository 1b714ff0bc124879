import CSegment
import CDPDK
import Timing

/// Clients on one side, LNSs on the other; either may be missing.
final class SimulatedNetwork {
    let fleet: ClientFleet?
    let farm: LNSFarm?
    /// What is done when the program is told to end; nil: nothing, whoever runs it looks by itself.
    var interrupted: (() -> Never)?

    init(fleet: ClientFleet?, farm: LNSFarm?) {
        self.fleet = fleet
        self.farm = farm
    }

    /// How long it rests when there is nothing to do.
    private static let rest: UInt64 = 50_000

    /// Plays until `isDone`, which is asked after each turn; false when that takes longer than `patience`.
    @discardableResult
    func run(patience: Duration, until isDone: (Instant) -> Bool) -> Bool {
        let end = Instant.now + patience
        while true {
            let now = Instant.now
            var taken = 0
            if let farm { taken += farm.port.receive { farm.receive($0, at: now) } }
            if let fleet { taken += fleet.port.receive { fleet.receive($0, at: now) } }
            farm?.timersFired(at: now)
            fleet?.timersFired(at: now)
            let done = isDone(now)
            farm?.port.flush()
            fleet?.port.flush()
            if done { return true }
            if let interrupted, StopSignals.haveCome { interrupted() }
            if now >= end { return false }
            if taken == 0 { culvert_sleep_ns(Self.rest) }
        }
    }

    /// Plays for as long as `duration`.
    func run(for duration: Duration) { run(patience: duration) { _ in false } }
}

extension Instant {
    /// CLOCK_MONOTONIC.
    static var now: Instant { Instant(nanoseconds: culvert_monotonic_ns()) }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double { self / .seconds(1) }
}
