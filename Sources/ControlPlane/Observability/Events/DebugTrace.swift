import Synchronization

/// What is being debugged, and who reads it.
///
/// Whoever has something to tell asks `isOn` first, which reads one word, so debugging costs nothing where it is off:
///
///     if trace.isOn(.l2tp) { trace.write(.l2tp, DebugScope(tunnel: id), at: now, "SCCRP received") }
///
/// Every line goes to the log. Writing never waits for a watcher: one that is `backlog` lines behind misses the next ones, and is
/// told how many.
public final class DebugTrace: Sendable {
    /// A watcher and what it has missed.
    private struct Watcher {
        var continuation: AsyncThrowingStream<DebugLine, any Error>.Continuation
        var missed: UInt64 = 0
    }

    private struct State {
        var rules: [DebugRule] = []
        var nextWatcher: UInt64 = 0
        var watchers: [UInt64: Watcher] = [:]
    }

    private let state = Mutex(State())
    /// A bit for each subsystem that any rule is about.
    private let subsystems = Atomic<UInt32>(0)
    private let backlog: Int
    private let log: @Sendable (DebugLine) -> Void

    /// A trace with nothing on, whose watchers may be `backlog` lines behind. `log` gets every line.
    public init(backlog: Int = 4_096, log: @escaping @Sendable (DebugLine) -> Void = { _ in }) {
        self.backlog = max(1, backlog)
        self.log = log
    }

    /// Whether anything of `subsystem` is being debugged.
    public func isOn(_ subsystem: DebugSubsystem) -> Bool {
        subsystems.load(ordering: .relaxed) & subsystem.bit != 0
    }

    /// Writes a line if a rule is about it.
    public func write(_ subsystem: DebugSubsystem, _ scope: DebugScope, at time: Timestamp, _ text: String) {
        guard isOn(subsystem) else { return }
        var line = DebugLine(time: time, subsystem: subsystem, scope: scope, text: text)
        let isWanted = state.withLock { state in
            guard state.rules.contains(where: { $0.isAbout(subsystem, scope) }) else { return false }
            for (number, watcher) in state.watchers {
                line.missed = watcher.missed
                if case .dropped = watcher.continuation.yield(line) {
                    state.watchers[number]?.missed &+= 1
                } else {
                    state.watchers[number]?.missed = 0
                }
            }
            return true
        }
        guard isWanted else { return }
        line.missed = 0
        log(line)
    }

    /// The rules in force, in the order of their making.
    public var rules: [DebugRule] { state.withLock { $0.rules } }

    /// Changes the rules; nil when a rule that is to be taken away is not there.
    public func change(_ change: DebugChange) -> [DebugRule]? {
        state.withLock { state in
            switch change {
            case .enable(let rule):
                if !state.rules.contains(rule) { state.rules.append(rule) }
            case .disable(let rule):
                let before = state.rules.count
                state.rules.removeAll {
                    $0 == rule
                        || rule.scope == DebugScope() && (rule.subsystem == nil || $0.subsystem == rule.subsystem)
                }
                guard state.rules.count < before else { return nil }
            case .disableAll: state.rules = []
            }
            let bits = state.rules.reduce(UInt32(0)) { $0 | ($1.subsystem?.bit ?? .max) }
            subsystems.store(bits, ordering: .relaxed)
            return state.rules
        }
    }

    /// A stream of the lines that are written from now on.
    public func watch() -> AsyncThrowingStream<DebugLine, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: DebugLine.self, bufferingPolicy: .bufferingOldest(backlog))
        let number = state.withLock { state in
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = Watcher(continuation: continuation)
            return state.nextWatcher
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.watchers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Ends all streams, at shutdown.
    public func finish() {
        let watchers = state.withLock { state in
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.continuation.finish() }
    }
}

extension DebugRule {
    /// Whether a line of `subsystem` with this scope is meant.
    func isAbout(_ subsystem: DebugSubsystem, _ scope: DebugScope) -> Bool {
        (self.subsystem == nil || self.subsystem == subsystem) && self.scope.contains(scope)
    }
}

extension DebugSubsystem {
    /// Its bit in a word.
    fileprivate var bit: UInt32 {
        switch self {
        case .accessConcentrator: 1
        case .l2tp: 2
        case .ppp: 4
        case .radius: 8
        case .dns: 16
        }
    }
}
