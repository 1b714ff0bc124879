/// Codes of LCP packets (RFC 1661 section 5, RFC 1570 sections 2.1 and 2.2).
public enum LCPCode: UInt8, Sendable, CaseIterable {
    /// The options that the sender wants.
    case configureRequest = 1
    /// All options of a request are taken.
    case configureAck = 2
    /// Options whose values are not acceptable, with acceptable ones.
    case configureNak = 3
    /// Options that are not known or not negotiable.
    case configureReject = 4
    /// The sender wants to close the link.
    case terminateRequest = 5
    /// Answer to a request to close.
    case terminateAck = 6
    /// A packet of unknown code, returned.
    case codeReject = 7
    /// A packet of unknown protocol, returned.
    case protocolReject = 8
    /// Is the link alive?
    case echoRequest = 9
    /// It is.
    case echoReply = 10
    /// To be discarded.
    case discardRequest = 11
    /// Who the sender is, for a log (RFC 1570).
    case identification = 12
    /// Seconds until the sender closes the link (RFC 1570).
    case timeRemaining = 13
}
