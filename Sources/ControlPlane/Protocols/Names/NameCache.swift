import DequeModule
import Timing

/// What is known of names' addresses, what is being asked, and who waits for it (RFC 1035 section 7, RFC 2308).
///
/// The cache asks nobody: it says when a question is to be put to the servers, and is told the answer. Callers that want what is
/// already asked for wait for the same answer. Nothing is handed out after its time. A waiter is the caller's own handle; it waits
/// for one name at a time.
public struct NameCache<Waiter: Hashable & Sendable>: Sendable {
    /// What a look-up comes to.
    public enum Outcome: Hashable, Sendable {
        /// This is known.
        case answer(NameResult)
        /// The waiter will be handed out with the answer. When `startQuery` is set, the caller must now ask the servers, and
        /// tell `answered`.
        case waiting(startQuery: Bool)
        /// Too much is going on; the waiter does not wait.
        case refused(Refusal)
    }

    /// Why a look-up was refused.
    public enum Refusal: Hashable, Sendable, CustomStringConvertible {
        /// As many names are being asked for as may be.
        case tooManyQueries
        /// As many callers wait as may.
        case tooManyWaiters

        /// For people.
        public var description: String {
            switch self {
            case .tooManyQueries: "too many names are being looked up"
            case .tooManyWaiters: "too many callers wait for names to be looked up"
            }
        }
    }

    /// A waiter and what it has waited for.
    public typealias Delivery = (waiter: Waiter, result: NameResult)

    private struct Entry: Sendable {
        /// What is known; nil while it is asked for.
        var result: NameResult?
        /// Who waits for it, by ticket, which tells who came first.
        var waiters: [UInt64: Waiter] = [:]
        /// When the answer is no longer good, or no longer waited for.
        var end: Instant
        /// When it was used last, as a number that grows with each use.
        var use: UInt64 = 0
        var hits: UInt64 = 0
    }

    private let settings: NameCacheSettings
    private var entries: [NameQuery: Entry] = [:]
    private var waiting: [Waiter: (query: NameQuery, ticket: UInt64)] = [:]
    /// Uses of known answers, oldest first. One whose number is not its entry's has been followed by a later one.
    private var uses: Deque<(query: NameQuery, use: UInt64)> = []
    private var clock: UInt64 = 0
    private var sweptAt: Instant?

    /// Names that are being asked for.
    public private(set) var queryCount = 0
    /// What has happened.
    public private(set) var counters = NameCounters()
    /// When `expire` may have something to do, a second late at most.
    public private(set) var deadline = Instant.distantFuture

    /// An empty cache. At least one name, question and waiter have room whatever `settings` says.
    public init(settings: NameCacheSettings = .init()) {
        var settings = settings
        settings.entries = max(1, settings.entries)
        settings.queries = min(max(1, settings.queries), settings.entries)
        settings.waiters = max(1, settings.waiters)
        self.settings = settings
    }

    /// Names that are known or asked for.
    public var count: Int { entries.count }
    /// Callers that wait.
    public var waiterCount: Int { waiting.count }

    // MARK: Looking up

    /// What is known of a name now, or a place among those who wait for it. A waiter that still waits for another name gives
    /// that place up.
    public mutating func lookUp(_ query: NameQuery, waiter: Waiter, at now: Instant) -> Outcome {
        if let place = waiting[waiter] {
            guard place.query != query else {
                counters[.joined] += 1
                return .waiting(startQuery: false)
            }
            abandon(waiter)
        }
        if let known = use(query, at: now) { return .answer(known) }
        guard waiting.count < settings.waiters else { return refuse(.tooManyWaiters) }
        clock += 1
        if entries[query] != nil {
            counters[.joined] += 1
            entries[query]?.waiters[clock] = waiter
            waiting[waiter] = (query, clock)
            return .waiting(startQuery: false)
        }
        guard queryCount < settings.queries, makeRoom() else { return refuse(.tooManyQueries) }
        counters[.miss] += 1
        queryCount += 1
        waiting[waiter] = (query, clock)
        insert(query, Entry(waiters: [clock: waiter], end: now + settings.patience), at: now)
        return .waiting(startQuery: true)
    }

    /// The answer that is known and still good.
    private mutating func use(_ query: NameQuery, at now: Instant) -> NameResult? {
        guard let entry = entries[query], let result = entry.result else { return nil }
        guard entry.end > now else {
            counters[.expired] += 1
            entries[query] = nil
            return nil
        }
        switch result {
        case .addresses: counters[.hit] += 1
        case .absent: counters[.hitAbsent] += 1
        case .failed: counters[.hitFailed] += 1
        }
        entries[query]?.hits += 1
        touch(query)
        return result
    }

    private mutating func refuse(_ refusal: Refusal) -> Outcome {
        counters[refusal == .tooManyQueries ? .refusedQueries : .refusedWaiters] += 1
        return .refused(refusal)
    }

    /// The waiter does not want its answer any more. The question goes on: the answer will be good for the next one.
    public mutating func abandon(_ waiter: Waiter) {
        guard let place = waiting.removeValue(forKey: waiter) else { return }
        counters[.abandoned] += 1
        entries[place.query]?.waiters[place.ticket] = nil
    }

    // MARK: Answers

    /// The servers' answer to `query`. Answers the waiters it is for, in the order in which they came.
    public mutating func answered(_ query: NameQuery, _ result: NameResult, at now: Instant) -> [Delivery] {
        count(result)
        let waiters = takeWaiters(of: query)
        let lifetime = lifetime(of: result)
        if lifetime > 0, entries[query] != nil || makeRoom() {
            insert(query, Entry(result: result, end: now + .seconds(lifetime)), at: now)
            touch(query)
        } else {
            entries[query] = nil
        }
        return waiters.sorted { $0.key < $1.key }.map { ($0.value, result) }
    }

    /// Takes those who wait for `query`; it is then not asked for any more.
    private mutating func takeWaiters(of query: NameQuery) -> [UInt64: Waiter] {
        guard let entry = entries[query], entry.result == nil else { return [:] }
        queryCount -= 1
        for waiter in entry.waiters.values { waiting[waiter] = nil }
        return entry.waiters
    }

    private mutating func count(_ result: NameResult) {
        switch result {
        case .addresses(_, let isComplete): counters[isComplete ? .answeredAddresses : .answeredIncomplete] += 1
        case .absent(.noSuchName, _): counters[.answeredNoSuchName] += 1
        case .absent(.noAddress, _): counters[.answeredNoAddress] += 1
        case .failed(let failure): counters[failure] += 1
        }
    }

    /// Seconds for which an answer is good.
    private func lifetime(of result: NameResult) -> UInt32 {
        switch result {
        case .addresses(let addresses, let isComplete):
            // The whole answer ends with its first address: what is left of it is not what the name stands for.
            let ttl = addresses.map(\.ttl).min() ?? 0
            let held = min(max(ttl, settings.minimumTTL), settings.maximumTTL)
            return isComplete ? held : min(held, settings.failureHold)
        case .absent(_, let ttl): return min(ttl ?? settings.failureHold, settings.maximumNegativeTTL)
        case .failed: return settings.failureHold
        }
    }

    // MARK: Room

    private mutating func insert(_ query: NameQuery, _ entry: Entry, at now: Instant) {
        entries[query] = entry
        deadline = min(deadline, max(entry.end, nextSweep(now)))
    }

    /// Sweeps look at every entry, so there is one a second at most.
    private func nextSweep(_ now: Instant) -> Instant { sweptAt.map { $0 + .seconds(1) } ?? now }

    private mutating func touch(_ query: NameQuery) {
        clock += 1
        entries[query]?.use = clock
        uses.append((query, clock))
        // Most of the list is out of date: each entry needs one place in it.
        if uses.count > 2 * entries.count + 64 { uses.removeAll { entries[$0.query]?.use != $0.use } }
    }

    /// Room for one more, at the cost of the known answer that was used longest ago; false when all are being asked for.
    private mutating func makeRoom() -> Bool {
        while entries.count >= settings.entries {
            guard let oldest = uses.popFirst() else { return false }
            guard entries[oldest.query]?.use == oldest.use else { continue }
            entries[oldest.query] = nil
            counters[.evicted] += 1
        }
        return true
    }

    // MARK: Time

    /// Forgets answers whose time is over, and gives up questions whose answer never came: their waiters are handed out in the
    /// order in which they came.
    public mutating func expire(at now: Instant) -> [Delivery] {
        guard deadline <= now else { return [] }
        var overdue: [UInt64: Waiter] = [:]
        for (query, entry) in entries where entry.end <= now {
            if entry.result == nil {
                overdue.merge(takeWaiters(of: query)) { first, _ in first }
                count(.failed(.timedOut))
            } else {
                counters[.expired] += 1
            }
            entries[query] = nil
        }
        sweptAt = now
        deadline = entries.values.lazy.map(\.end).min().map { max($0, nextSweep(now)) } ?? .distantFuture
        return overdue.sorted { $0.key < $1.key }.map { ($0.value, .failed(.timedOut)) }
    }

    /// Forgets everything that is known, of one name or of all. Who waits goes on waiting.
    /// - Returns: the number of answers that were forgotten.
    @discardableResult
    public mutating func flush(_ name: HostName? = nil) -> Int {
        let known = entries.filter { query, entry in entry.result != nil && (name == nil || query.name == name) }
        for query in known.keys { entries[query] = nil }
        counters[.flushed] += UInt64(known.count)
        return known.count
    }

    // MARK: Showing

    /// One name, as `show` lists it.
    public struct Row: Hashable, Sendable {
        /// The question.
        public var query: NameQuery
        /// What is known; nil while it is asked for.
        public var result: NameResult?
        /// How long it is still good, or waited for.
        public var remaining: Duration
        /// Look-ups that it has answered.
        public var hits: UInt64
        /// Callers that wait for it.
        public var waiters: Int
    }

    /// What is known and asked for, by name.
    public func rows(at now: Instant) -> [Row] {
        entries.compactMap { query, entry -> Row? in
            guard entry.end > now else { return nil }
            return Row(
                query: query, result: entry.result, remaining: entry.end - now, hits: entry.hits,
                waiters: entry.waiters.count)
        }
        .sorted { ($0.query.name, $0.query.servers.description) < ($1.query.name, $1.query.servers.description) }
    }
}
