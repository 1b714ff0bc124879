import SimulationSupport
import Synchronization
import Timing

/// What many lives were like, together.
final class Report: Sendable {
    /// What one thread has seen.
    struct Part: Sendable {
        var lives: UInt64 = 0
        var livedTwice: UInt64 = 0
        var virtualTime: Duration = .zero
        var tally = Tally()
        /// Of all digests, in any order.
        var digest: UInt64 = 0

        mutating func add(_ life: Simulation) {
            lives += 1
            virtualTime += life.now - (.zero + .seconds(1_000))
            tally += life.tally
            digest ^= life.digest
        }
    }

    private struct State {
        var next: UInt64
        var whole = Part()
        var failures: [(seed: UInt64, violations: [String])] = []
    }

    private let range: ClosedRange<UInt64>
    private let failureLimit: Int
    private let plant: String?
    private let state: Mutex<State>

    init(range: ClosedRange<UInt64>, failureLimit: Int, plant: String?) {
        self.range = range
        self.failureLimit = failureLimit
        self.plant = plant
        state = Mutex(State(next: range.lowerBound))
    }

    /// The number of the next life; nil: there is none, or enough have failed.
    func nextSeed() -> UInt64? {
        state.withLock { state in
            guard state.next <= range.upperBound, state.failures.count < failureLimit else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    var failureCount: Int { state.withLock { $0.failures.count } }

    func fail(_ seed: UInt64, _ violations: [String]) { state.withLock { $0.failures.append((seed, violations)) } }

    func add(_ part: Part) {
        state.withLock { state in
            state.whole.lives += part.lives
            state.whole.livedTwice += part.livedTwice
            state.whole.virtualTime += part.virtualTime
            state.whole.tally += part.tally
            state.whole.digest ^= part.digest
        }
    }

    func print(seconds: Double, threads: Int) {
        let (whole, failures) = state.withLock { ($0.whole, $0.failures) }
        for (seed, violations) in failures.sorted(by: { $0.seed < $1.seed }) {
            Swift.print("seed \(seed) fails:")
            for violation in violations.prefix(10) { Swift.print("    \(violation)") }
            let plant = plant.map { " --plant \($0)" } ?? ""
            Swift.print("    to play it again: .build/release/simulate --seed \(seed)\(plant) --trace")
        }
        let hours = Double(whole.virtualTime.components.seconds) / 3_600
        Swift.print(
            "lives \(range.lowerBound) to \(range.upperBound): \(whole.lives) lived, \(whole.livedTwice) of them twice")
        Swift.print("virtual time: \(Self.text(hours)) hours in \(Self.text(seconds)) s on \(threads) threads")
        Swift.print("digest: \(String(whole.digest, radix: 16))")
        for event in Tally.Event.allCases { Swift.print("    \(event.text): \(whole.tally[event])") }
        Swift.print("\(whole.lives) lives, \(failures.count) of them failed")
    }

    private static func text(_ number: Double) -> String { String((number * 10).rounded() / 10) }
}
