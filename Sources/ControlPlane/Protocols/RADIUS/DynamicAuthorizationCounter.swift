/// What is counted of Disconnect- and CoA-Requests, as in RFC 4673.
public enum DynamicAuthorizationCounter: Int, CaseIterable, Sendable {
    // Taken.
    case disconnectRequests
    case disconnectACKs
    case disconnectNAKs
    case coaRequests
    case coaACKs
    case coaNAKs
    case duplicates
    // Dropped without an answer, by reason.
    case unknownClients
    case malformed
    case unknownTypes
    case badAuthenticators
    case stale

    /// The name in `show` and in metrics.
    public var name: String { words.name }

    /// What is counted, in plain words.
    public var text: String { words.text }

    private var words: (name: String, text: String) {
        switch self {
        case .disconnectRequests: ("das_disconnect_requests", "Disconnect-Requests taken, duplicates not counted")
        case .disconnectACKs: ("das_disconnect_acks", "Disconnect-Requests that were done")
        case .disconnectNAKs: ("das_disconnect_naks", "Disconnect-Requests that were refused")
        case .coaRequests: ("das_coa_requests", "CoA-Requests taken, duplicates not counted")
        case .coaACKs: ("das_coa_acks", "CoA-Requests that were done")
        case .coaNAKs: ("das_coa_naks", "CoA-Requests that were refused")
        case .duplicates:
            ("das_duplicates", "requests that came again; they got the same answer again once there was one")
        case .unknownClients: ("das_unknown_clients", "datagrams from an address that is no configured client's")
        case .malformed: ("das_malformed", "datagrams that are no RADIUS packet")
        case .unknownTypes: ("das_unknown_types", "packets that are neither Disconnect- nor CoA-Request")
        case .badAuthenticators:
            ("das_bad_authenticators", "requests with a wrong authenticator or Message-Authenticator")
        case .stale: ("das_stale", "requests with an Event-Timestamp too far from the node's clock")
        }
    }
}

/// One number per `DynamicAuthorizationCounter`.
public struct DynamicAuthorizationCounters: Equatable, Sendable {
    private var values = [UInt64](repeating: 0, count: DynamicAuthorizationCounter.allCases.count)

    /// All zero.
    public init() {}

    /// How often `counter` happened.
    public internal(set) subscript(counter: DynamicAuthorizationCounter) -> UInt64 {
        get { values[counter.rawValue] }
        set { values[counter.rawValue] = newValue }
    }

    /// The counters that are not zero.
    public var nonzero: [DynamicAuthorizationCounter: UInt64] {
        Dictionary(
            uniqueKeysWithValues: DynamicAuthorizationCounter.allCases.map { ($0, self[$0]) }.filter { $0.1 != 0 })
    }
}
