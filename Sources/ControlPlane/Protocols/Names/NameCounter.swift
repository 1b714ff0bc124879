/// What the cache of names counts. Every look-up ends in exactly one of the first seven.
public enum NameCounter: Int, CaseIterable, Sendable {
    // Look-ups.
    case hit
    case hitAbsent
    case hitFailed
    case miss
    case joined
    case refusedQueries
    case refusedWaiters
    // Answers, by what they said; failures have counters of their own by reason.
    case answeredAddresses
    case answeredIncomplete
    case answeredNoSuchName
    case answeredNoAddress
    // What became of entries and waiters.
    case expired
    case evicted
    case flushed
    case abandoned

    /// The name in `show` and in metrics.
    public var name: String { words.name }

    /// What is counted, in plain words.
    public var text: String { words.text }

    private var words: (name: String, text: String) {
        switch self {
        case .hit: ("dns_hit", "look-ups answered with addresses that were known")
        case .hitAbsent:
            ("dns_hit_absent", "look-ups answered with the knowledge that there is no such name or address")
        case .hitFailed: ("dns_hit_failed", "look-ups refused without asking, moments after the same question failed")
        case .miss: ("dns_miss", "look-ups for which the name servers were asked")
        case .joined: ("dns_joined", "look-ups that waited for an answer already asked for")
        case .refusedQueries: ("dns_refused_queries", "look-ups refused because too many names are being asked for")
        case .refusedWaiters: ("dns_refused_waiters", "look-ups refused because too many callers wait for answers")
        case .answeredAddresses: ("dns_answered_addresses", "answers with addresses")
        case .answeredIncomplete:
            ("dns_answered_incomplete", "answers with addresses of one kind, the other kind could not be asked for")
        case .answeredNoSuchName: ("dns_answered_no_such_name", "answers that there is no such name")
        case .answeredNoAddress: ("dns_answered_no_address", "answers that the name has no address")
        case .expired: ("dns_expired", "answers forgotten at the end of their time")
        case .evicted: ("dns_evicted", "answers forgotten before their time, to make room for others")
        case .flushed: ("dns_flushed", "answers forgotten because an operator said so")
        case .abandoned: ("dns_abandoned", "callers that went away before their answer came")
        }
    }
}

extension NameFailure {
    /// The counter's name in `show` and in metrics.
    public var counterName: String { "dns_failed_\(rawValue)" }

    /// What the counter counts, in plain words.
    public var counterText: String { "questions that failed: \(description)" }
}

/// One number per `NameCounter`, and one per `NameFailure`.
public struct NameCounters: Equatable, Sendable {
    private var values = [UInt64](repeating: 0, count: NameCounter.allCases.count)
    private var failures: [NameFailure: UInt64] = [:]

    /// All zero.
    public init() {}

    /// How often `counter` happened.
    public internal(set) subscript(counter: NameCounter) -> UInt64 {
        get { values[counter.rawValue] }
        set { values[counter.rawValue] = newValue }
    }

    /// How many questions failed for this reason.
    public internal(set) subscript(failure: NameFailure) -> UInt64 {
        get { failures[failure] ?? 0 }
        set { failures[failure] = newValue }
    }

    /// All of them by name, in the order of their declaration.
    public var named: [(name: String, value: UInt64)] {
        NameCounter.allCases.map { ($0.name, self[$0]) } + NameFailure.allCases.map { ($0.counterName, self[$0]) }
    }
}
