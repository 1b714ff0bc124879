/// The access concentrator's counters. This is the one table of them: raw values are the names that operators, scripts and
/// metrics see, the order is that of the screen.
public enum ACCounter: String, Hashable, Sendable, CaseIterable {
    case lnsLookupSuccessfulRequests
    case lnsLookupFailedRequests
    case lnsLookupDnsFailures
    case lnsLookupRadiusFailures
    case l2tpTunnelsOpened
    case l2tpSessionsOpened
    case l2tpSessionsClosed
    case l2tpDnsFailures
    case pppoePadiReceived
    case pppoeInvalidPadi
    case pppoePadoSent
    case pppoePadsSent
    case pppoePadrReceived
    case pppoeInvalidPadr
    case pppoeResentPadr
    case pppoePadtReceived
    case pppoeInvalidPadt
    case pppoePadtSent
    case routesCreated
    case routesCreateFail
    case routesDeleted
    case routesDeleteFail
    case routesDstOpenFail
    case routesDestCloseFail
    case routesSourceCloseFail
    case routesClosedByDest
    case routesClosedBySource
    case routesOverSessionLimit
    case routesOverSessionLimitPerMac
    case routesOverSessionLimitPerVlan
    case routesOverSessionLimitPerPort
    case routesOverHalfOpenLimit
    case routesOverHalfOpenLimitPerMac
    case routesOverHalfOpenLimitPerVlan
    case routesOverHalfOpenLimitPerPort
    case routesHalfOpenGivenUp
    case l2tpStrangerMessages
    case l2tpTunnelsRecovered
    case l2tpRecoveriesFailed

    /// The name that operators, scripts and metrics see.
    public var name: String { rawValue }

    /// What is counted.
    public var text: String {
        switch self {
        case .lnsLookupSuccessfulRequests: "LNS addresses found, static ones included"
        case .lnsLookupFailedRequests: "LNS addresses not found"
        case .lnsLookupDnsFailures: "LNS addresses not found by DNS"
        case .lnsLookupRadiusFailures: "LNS addresses not found by RADIUS"
        case .l2tpTunnelsOpened: "L2TP tunnels established"
        case .l2tpSessionsOpened: "L2TP sessions established"
        case .l2tpSessionsClosed: "established L2TP sessions that have ended"
        case .l2tpDnsFailures: "L2TP peers whose name DNS did not resolve"
        case .pppoePadiReceived: "PADI received"
        case .pppoeInvalidPadi: "PADI dropped as malformed"
        case .pppoePadoSent: "PADO sent"
        case .pppoePadsSent: "PADS sent"
        case .pppoePadrReceived: "PADR received"
        case .pppoeInvalidPadr: "PADR dropped as malformed, without a valid AC-Cookie, or for a service not offered"
        case .pppoeResentPadr: "PADR received again for a session that is there"
        case .pppoePadtReceived: "PADT received"
        case .pppoeInvalidPadt: "PADT dropped as malformed or for a session that the sender does not have"
        case .pppoePadtSent: "PADT sent"
        case .routesCreated: "routes created"
        case .routesCreateFail: "routes that could not be created"
        case .routesDeleted: "routes deleted"
        case .routesDeleteFail: "routes that could not be deleted"
        case .routesDstOpenFail: "routes whose L2TP session could not be opened"
        case .routesDestCloseFail: "routes whose L2TP session could not be closed in order"
        case .routesSourceCloseFail: "routes whose PPPoE session could not be closed in order"
        case .routesClosedByDest: "routes that the L2TP peer closed"
        case .routesClosedBySource: "routes that the client closed"
        case .routesOverSessionLimit: "clients refused because of session-limit"
        case .routesOverSessionLimitPerMac: "clients refused because of session-limit-per-mac"
        case .routesOverSessionLimitPerVlan: "clients refused because of session-limit-per-vlan"
        case .routesOverSessionLimitPerPort: "clients refused because of session-limit-per-port"
        case .routesOverHalfOpenLimit: "clients refused because of half-open-limit"
        case .routesOverHalfOpenLimitPerMac: "clients refused because of half-open-limit-per-mac"
        case .routesOverHalfOpenLimitPerVlan: "clients refused because of half-open-limit-per-vlan"
        case .routesOverHalfOpenLimitPerPort: "clients refused because of half-open-limit-per-port"
        case .routesHalfOpenGivenUp: "half-open routes that gave way to new ones"
        case .l2tpStrangerMessages: "L2TP control messages of no tunnel, or not from its peer"
        case .l2tpTunnelsRecovered:
            "control channels of L2TP tunnels recovered after a failure of either end (RFC 4951)"
        case .l2tpRecoveriesFailed: "attempts to recover a control channel that came to nothing, the peers' included"
        }
    }
}

/// The readings of the access concentrator's counters.
public struct ACStatistics: Hashable, Sendable {
    private var values: [ACCounter: UInt64] = [:]

    /// All counters at zero.
    public init() {}

    /// The reading of one counter.
    public subscript(counter: ACCounter) -> UInt64 {
        get { values[counter, default: 0] }
        set { values[counter] = newValue }
    }

    /// Counts one event.
    public mutating func count(_ counter: ACCounter) { values[counter, default: 0] &+= 1 }

    /// All counters in the order of their table.
    public var counters: [NamedCounter] {
        ACCounter.allCases.map { NamedCounter(name: $0.name, text: $0.text, value: self[$0]) }
    }
}
