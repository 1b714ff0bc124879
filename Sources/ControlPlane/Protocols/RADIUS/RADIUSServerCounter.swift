import Timing

/// What is counted of each port of each server: the counters of the RADIUS client MIBs (RFC 4668, RFC 4670), and more.
public enum RADIUSServerCounter: Int, CaseIterable, Sendable {
    case requests
    case retransmissions
    case accepts
    case rejects
    case challenges
    case accountingResponses
    case malformed
    case badAuthenticators
    case missingMessageAuthenticators
    case timeouts
    case unknownTypes
    case dropped
    case failures
    case deaths
    case probes
    case probeAnswers

    /// The name in `show` and in metrics.
    public var name: String { words.name }

    /// What is counted, in plain words.
    public var text: String { words.text }

    /// The object of RFC 4668 (authentication) and of RFC 4670 (accounting) that it is; nil where the MIB has none.
    public var objects: (authentication: String?, accounting: String?) {
        func object(_ name: String?, _ prefix: String) -> String? { name.map { prefix + $0 } }
        return (object(words.authentication, "radiusAuthClient"), object(words.accounting, "radiusAccClient"))
    }

    private var words: (name: String, text: String, authentication: String?, accounting: String?) {
        switch self {
        case .requests:
            ("radius_requests", "requests sent, retransmissions not counted", "AccessRequests", "Requests")
        case .retransmissions:
            ("radius_retransmissions", "requests sent again", "AccessRetransmissions", "Retransmissions")
        case .accepts: ("radius_accepts", "Access-Accepts received", "AccessAccepts", nil)
        case .rejects: ("radius_rejects", "Access-Rejects received", "AccessRejects", nil)
        case .challenges: ("radius_challenges", "Access-Challenges received", "AccessChallenges", nil)
        case .accountingResponses:
            ("radius_accounting_responses", "Accounting-Responses received", nil, "Responses")
        case .malformed:
            (
                "radius_malformed", "answers that are no RADIUS packet, or hold an attribute of a wrong length",
                "MalformedAccessResponses", "MalformedResponses"
            )
        case .badAuthenticators:
            (
                "radius_bad_authenticators", "answers with a wrong authenticator or Message-Authenticator",
                "BadAuthenticators", "BadAuthenticators"
            )
        case .missingMessageAuthenticators:
            (
                "radius_missing_message_authenticators", "answers without the Message-Authenticator that is required",
                nil,
                nil
            )
        case .timeouts: ("radius_timeouts", "waits for an answer that ended without one", "Timeouts", "Timeouts")
        case .unknownTypes:
            ("radius_unknown_types", "packets of a kind that the port does not send", "UnknownTypes", "UnknownTypes")
        case .dropped:
            (
                "radius_dropped", "answers that no request waited for: late or repeated", "PacketsDropped",
                "PacketsDropped"
            )
        case .failures: ("radius_failures", "requests that the server left unanswered to the last", nil, nil)
        case .deaths: ("radius_deaths", "times that the server was given up for its dead time", nil, nil)
        case .probes: ("radius_probes", "Status-Server packets sent", nil, nil)
        case .probeAnswers: ("radius_probe_answers", "Status-Server packets answered", nil, nil)
        }
    }
}

/// One number per `RADIUSServerCounter`.
public struct RADIUSServerCounters: Equatable, Sendable {
    private var values = [UInt64](repeating: 0, count: RADIUSServerCounter.allCases.count)

    /// All zero.
    public init() {}

    /// How often `counter` happened.
    public internal(set) subscript(counter: RADIUSServerCounter) -> UInt64 {
        get { values[counter.rawValue] }
        set { values[counter.rawValue] = newValue }
    }

    /// The counters that are not zero.
    public var nonzero: [RADIUSServerCounter: UInt64] {
        Dictionary(uniqueKeysWithValues: RADIUSServerCounter.allCases.map { ($0, self[$0]) }.filter { $0.1 != 0 })
    }
}

/// One port of one server as `show` shows it.
public struct RADIUSServerStatus: Sendable {
    /// The server.
    public var server: RADIUSServer.Key
    /// Which of its ports.
    public var service: RADIUSService
    /// Until when other servers are asked before it; nil while it is in its turn.
    public var deadUntil: Instant?
    /// When it last answered anything that proved to come from it.
    public var lastAnswer: Instant?
    /// From the last request to its answer.
    public var roundTripTime: Duration?
    /// Requests that wait for its answer.
    public var pending: Int
    /// Requests that wait to be sent to it.
    public var waiting: Int
    /// What was counted.
    public var counters: RADIUSServerCounters
}
