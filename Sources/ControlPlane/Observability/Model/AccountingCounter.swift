/// What is counted of accounting records. This is the one table of them.
public enum AccountingCounter: String, Hashable, Sendable, CaseIterable {
    case made
    case replayed
    case taken
    case unanswered
    case refused
    case lost

    /// The name that operators, scripts and metrics see.
    public var name: String { "accounting_records_\(rawValue)" }

    /// What is counted.
    public var text: String {
        switch self {
        case .made: "accounting records made"
        case .replayed: "accounting records of an earlier run that were taken up again"
        case .taken: "accounting records that a server has taken"
        case .unanswered: "times that a record was sent to all servers of its group and none answered; it is sent again"
        case .refused: "accounting records not made because too many waited already"
        case .lost: "accounting records that can never be sent: damaged, too long, or of a group that is gone"
        }
    }
}

/// The readings of accounting's counters.
public struct AccountingCounters: Hashable, Sendable {
    private var values: [AccountingCounter: UInt64] = [:]

    /// All counters at zero.
    public init() {}

    /// The reading of one counter.
    public subscript(counter: AccountingCounter) -> UInt64 {
        get { values[counter, default: 0] }
        set { values[counter] = newValue }
    }

    /// All counters in the order of their table.
    public var counters: [NamedCounter] {
        AccountingCounter.allCases.map { NamedCounter(name: $0.name, text: $0.text, value: self[$0]) }
    }
}
