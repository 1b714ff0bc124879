import L2TP
import PPP
import Wire

/// What the LNS is told of a client's line and of the end of its PPP, beside what RFC 2661 has for it.
extension IncomingCall {
    /// Tells what the access node says of the line (RFC 5515). Connect speeds are the line's then, as far as 32 bits can say
    /// them, and no longer the access port's.
    mutating func describe(_ line: AccessLineInformation) {
        accessLine = line
        if let rate = line.downstreamRate { connected.txConnectSpeed = UInt32(clamping: rate) }
        if let rate = line.upstreamRate { connected.rxConnectSpeed = UInt32(clamping: rate) }
    }
}

extension PPPDisconnectCause {
    /// The operator has ended the session.
    static let cleared = PPPDisconnectCause(.administrative, direction: .local)

    /// The client has ended its PPPoE session. What it said to the LNS over PPP before that is not known here.
    static func padt(_ text: String?) -> PPPDisconnectCause {
        PPPDisconnectCause(.none, direction: .peer, message: text.map { "PADT: \($0)" } ?? "PADT")
    }
}

extension PartialTermination.Failure {
    /// RFC 3145's name for it. A cause lies at the peer where the client did it, or failed to.
    var disconnectCause: PPPDisconnectCause {
        switch self {
        case .terminatedByClient(let text):
            PPPDisconnectCause(.normal, direction: .peer, message: text.isEmpty ? nil : text)
        case .negotiation(.timeout), .negotiation(.noConvergence), .establishTimeout: .lcp(.lcpTimeout)
        case .negotiation(.loopedBack): .lcp(.loopedBack)
        case .negotiation(.authenticationRefused), .authenticationRejected:
            PPPDisconnectCause(.authenticationProtocolRefused, direction: .peer)
        case .negotiation(.lcpRejected), .renegotiated: .lcp(.none, message: explanation)
        case .authenticationTimeout: PPPDisconnectCause(.authenticationTimeout, direction: .peer)
        case .userNameMissing: PPPDisconnectCause(.authenticationFailed, direction: .peer, message: explanation)
        }
    }
}

extension PPPDisconnectCause {
    /// A cause that lies in what the client does with LCP.
    fileprivate static func lcp(_ code: Code, message: String? = nil) -> PPPDisconnectCause {
        PPPDisconnectCause(code, controlProtocol: PPPProtocol.lcp.rawValue, direction: .peer, message: message)
    }
}
