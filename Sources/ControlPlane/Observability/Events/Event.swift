/// Who wanted something to go down.
public enum Initiator: String, Hashable, Sendable, Encodable, CaseIterable {
    /// The L2TP peer said so.
    case peer
    /// The PPPoE client said so.
    case client
    /// `culvert clear` or a controller.
    case `operator`
    /// Nobody answered any more.
    case timeout
    /// Culvert itself, for a reason that the message names.
    case local
}

/// Why a tunnel or session went down.
public struct Cause: Hashable, Sendable, Encodable {
    /// Who wanted it.
    public var initiator: Initiator
    /// Result code of the StopCCN or CDN (RFC 2661 section 4.4.2); 0: none.
    public var resultCode: UInt16
    /// Its error code; 0: none.
    public var errorCode: UInt16
    /// For people.
    public var message: String

    /// A cause with the codes that were sent or received.
    public init(initiator: Initiator, resultCode: UInt16 = 0, errorCode: UInt16 = 0, message: String) {
        self.initiator = initiator
        self.resultCode = resultCode
        self.errorCode = errorCode
        self.message = message
    }
}

/// Something that happened.
public struct Event: Hashable, Sendable {
    /// What can happen.
    public enum Kind: Hashable, Sendable {
        /// The tunnel is established.
        case tunnelUp(TunnelSnapshot)
        /// The tunnel, as it was last, is no more.
        case tunnelDown(TunnelSnapshot, Cause)
        /// The session is established.
        case sessionUp(SessionSnapshot)
        /// The session, as it was last, is no more.
        case sessionDown(SessionSnapshot, Cause)
        /// Everything that was there when the watching began has been told.
        case initialComplete
    }

    /// Goes up by one with each event; that of initial events is the last one before them.
    public var sequence: UInt64
    /// When it happened; for an initial event, when the watching began.
    public var time: Timestamp
    /// Whether it tells what was there when the watching began rather than news.
    public var initial: Bool
    /// What happened.
    public var kind: Kind

    /// An event.
    public init(sequence: UInt64, time: Timestamp, initial: Bool = false, kind: Kind) {
        self.sequence = sequence
        self.time = time
        self.initial = initial
        self.kind = kind
    }
}

extension Event: Encodable {
    private enum Key: CodingKey { case sequence, time, initial, event, tunnel, session, cause }

    /// Encodes flat: `event` names the kind, `tunnel` or `session` and `cause` are there where the kind has them.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(sequence, forKey: .sequence)
        try container.encode(time, forKey: .time)
        try container.encode(initial, forKey: .initial)
        try container.encode(kind.name, forKey: .event)
        switch kind {
        case .tunnelUp(let tunnel):
            try container.encode(tunnel, forKey: .tunnel)
        case .tunnelDown(let tunnel, let cause):
            try container.encode(tunnel, forKey: .tunnel)
            try container.encode(cause, forKey: .cause)
        case .sessionUp(let session):
            try container.encode(session, forKey: .session)
        case .sessionDown(let session, let cause):
            try container.encode(session, forKey: .session)
            try container.encode(cause, forKey: .cause)
        case .initialComplete: break
        }
    }
}

extension Event.Kind {
    /// The kind's stable name: `tunnel_up`, `tunnel_down`, `session_up`, `session_down`, `initial_complete`.
    public var name: String {
        switch self {
        case .tunnelUp: "tunnel_up"
        case .tunnelDown: "tunnel_down"
        case .sessionUp: "session_up"
        case .sessionDown: "session_down"
        case .initialComplete: "initial_complete"
        }
    }
}
