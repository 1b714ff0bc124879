/// The type of a control message: the value of its Message Type AVP (RFC 2661, section 3.2; RFC 4951; RFC 5515, section 4).
public enum MessageType: UInt16, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    case startControlConnectionRequest = 1
    case startControlConnectionReply = 2
    case startControlConnectionConnected = 3
    case stopControlConnectionNotification = 4
    case hello = 6
    case outgoingCallRequest = 7
    case outgoingCallReply = 8
    case outgoingCallConnected = 9
    case incomingCallRequest = 10
    case incomingCallReply = 11
    case incomingCallConnected = 12
    case callDisconnectNotify = 14
    case wanErrorNotify = 15
    case setLinkInfo = 16
    case failoverSessionQuery = 21
    case failoverSessionResponse = 22
    case connectSpeedUpdateNotification = 28
    case connectSpeedUpdateRequest = 29

    /// Whether a fault in such a message ends a session (CDN) and not the whole tunnel (StopCCN).
    public var concernsSession: Bool {
        (Self.outgoingCallRequest.rawValue...Self.setLinkInfo.rawValue).contains(rawValue)
    }

    /// Whether a receiver that does not know the type has to end the tunnel: the M bit of the Message Type AVP.
    public var isMandatory: Bool { rawValue <= Self.failoverSessionResponse.rawValue }

    /// The standard's abbreviation.
    public var description: String {
        switch self {
        case .startControlConnectionRequest: "SCCRQ"
        case .startControlConnectionReply: "SCCRP"
        case .startControlConnectionConnected: "SCCCN"
        case .stopControlConnectionNotification: "StopCCN"
        case .hello: "HELLO"
        case .outgoingCallRequest: "OCRQ"
        case .outgoingCallReply: "OCRP"
        case .outgoingCallConnected: "OCCN"
        case .incomingCallRequest: "ICRQ"
        case .incomingCallReply: "ICRP"
        case .incomingCallConnected: "ICCN"
        case .callDisconnectNotify: "CDN"
        case .wanErrorNotify: "WEN"
        case .setLinkInfo: "SLI"
        case .failoverSessionQuery: "FSQ"
        case .failoverSessionResponse: "FSR"
        case .connectSpeedUpdateNotification: "CSUN"
        case .connectSpeedUpdateRequest: "CSURQ"
        }
    }
}
