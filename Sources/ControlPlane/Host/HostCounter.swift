/// What the host stack counts: every frame that it did not use, by reason, and what it did of its own accord.
public enum HostCounter: Int, Error, CaseIterable, Sendable {
    // Not used, by reason.
    case frameMalformed
    case frameNotForUs
    case etherTypeUnknown
    case arpMalformed
    case arpNotForUs
    case arpUnsolicited
    case arpConflict
    case ipv4Malformed
    case ipv4ChecksumWrong
    case ipv4Fragment
    case ipv4NotForUs
    case ipv4SourceInvalid
    case ipv6Malformed
    case ipv6Fragment
    case ipv6NotForUs
    case ipv6SourceInvalid
    case ipv6OptionRefused
    case icmpMalformed
    case icmpIgnored
    case icmpQuoteMalformed
    case icmpQuoteForeign
    case pathMTUInvalid
    case ndMalformed
    case ndNotForUs
    case ndUnsolicited
    case ndConflict
    case addressDuplicate
    case udpMalformed
    case udpChecksumWrong
    case udpChecksumMissing
    case udpPortClosed
    case protocolUnknown
    case icmpErrorLimited
    case replyUnroutable
    case resolutionDropped
    // Done.
    case pathMTUReported
    case echoAnswered
    case unreachableSent
    case arpAnswered
    case arpRequested
    case ndAnswered
    case ndSolicited
    // Clients' frames that were too long for their tunnel.
    case tooBigMalformed
    case tooBigNotIP
    case tooBigFits
    case tooBigSourceInvalid
    case tooBigFragmentable
    case tooBigFragment
    case tooBigIsError
    case tooBigBelowMinimum
    case tooBigLimited
    case tooBigAnswered
}

/// One number per `HostCounter`.
public struct HostCounters: Equatable, Sendable {
    private var values = [UInt64](repeating: 0, count: HostCounter.allCases.count)

    /// All zero.
    public init() {}

    /// How often `counter` happened.
    public internal(set) subscript(counter: HostCounter) -> UInt64 {
        get { values[counter.rawValue] }
        set { values[counter.rawValue] = newValue }
    }

    /// The counters that are not zero.
    public var nonzero: [HostCounter: UInt64] {
        Dictionary(uniqueKeysWithValues: HostCounter.allCases.map { ($0, self[$0]) }.filter { $0.1 != 0 })
    }
}
