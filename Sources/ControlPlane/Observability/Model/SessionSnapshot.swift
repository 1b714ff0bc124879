import Wire

/// State of an L2TP session (RFC 2661 section 7.4), raw values as operators see them.
public enum SessionState: String, Hashable, Sendable, Encodable, CaseIterable {
    /// Nothing sent yet.
    case idle = "IDLE"
    /// The tunnel is not up yet.
    case waitTunnel = "WAITTUNNEL"
    /// ICRQ sent, ICRP awaited.
    case waitReply = "WAITREPLY"
    /// ICRP sent, ICCN awaited.
    case waitConnect = "WAITCONNECT"
    /// PPP frames pass.
    case established = "ESTABLISHED"
    /// CDN sent or received.
    case closing = "CLOSING"
}

/// Kind of call that a session carries, raw values as operators see them.
public enum CallType: String, Hashable, Sendable, Encodable, CaseIterable {
    /// We are the LAC and asked by ICRQ.
    case lacIncoming = "LAC Incoming Call"
    /// We are the LNS and were asked by ICRQ.
    case lnsIncoming = "LNS Incoming Call"
    /// We are the LAC and were asked by OCRQ.
    case lacOutgoing = "LAC Outgoing Call"
    /// We are the LNS and asked by OCRQ.
    case lnsOutgoing = "LNS Outgoing Call"
}

/// Everything that can be seen of an L2TP session.
public struct SessionSnapshot: Hashable, Sendable, Encodable {
    /// Local session id, unique within the tunnel.
    public var id: UInt16
    /// Local tunnel id.
    public var tunnelID: UInt16
    /// Administrative name of the tunnel.
    public var tunnelName: String
    /// State of the call.
    public var state: SessionState
    /// When the session was made.
    public var createdAt: Timestamp
    /// The access interface, with its VLANs: `access0.100`.
    public var interfaceName = ""
    /// Session id that the peer assigned; 0: none yet.
    public var remoteSessionID: UInt16 = 0
    /// Seconds that the session may take to come up.
    public var establishTimeoutSeconds: UInt32 = 0
    /// Kind of call.
    public var type: CallType
    /// Administrative name.
    public var name = ""
    /// Who made it.
    public var owner = Owner.subscriber
    /// Whether it was configured by name rather than opened for a client.
    public var createdByAdmin = false
    /// The l2tp-profile; empty: none.
    public var profile = ""
    /// Whether data messages carry sequence numbers.
    public var dataSequenceNumbers = false
    /// Framing types that we announced for the call.
    public var framing = FramingTypes()
    /// Bearer types that we announced for the call.
    public var bearer = BearerTypes()
    /// Call Serial Number AVP.
    public var callSerialNumber: UInt32 = 0
    /// The name that the client authenticated with; empty: not known.
    public var userName = ""
    /// The client's address; zero for a session without a PPPoE client.
    public var clientMAC = MACAddress(value: 0)
    /// The client's PPPoE session; 0: none.
    public var pppoeSessionID: UInt16 = 0
    /// The access concentrator's route; 0: none.
    public var routeID: UInt32 = 0
    /// Data messages of both directions, octets of PPP frames.
    public var data = Traffic()
    /// Data messages received that were dropped.
    public var dataRxErrors: UInt64 = 0
    /// Framing types that the peer announced for the call.
    public var peerFraming = FramingTypes()
    /// Bearer types that the peer announced for the call.
    public var peerBearer = BearerTypes()
    /// Octets that the session's control state occupies.
    public var memoryOctets: UInt64 = 0
    /// Policers in force.
    public var policers = SessionPolicers()
    /// Frames from the client that the policer dropped.
    public var upstreamPolicedPackets: UInt64 = 0
    /// Frames to the client that the policer dropped.
    public var downstreamPolicedPackets: UInt64 = 0
    /// Largest MSS that TCP SYNs over IPv4 may announce, octets; 0: they pass as they are.
    public var maximumSegmentSize: UInt16 = 0
    /// Data messages received whose sequence numbers say that they were lost.
    public var dataMissing: UInt32 = 0
    /// Data messages received that were dropped because they came after later ones, or twice.
    public var dataLate: UInt32 = 0
    /// Data messages received that waited for earlier ones.
    public var dataReordered: UInt32 = 0
    /// Event history, oldest first; empty unless it was asked for.
    public var events: [StateTransition] = []

    /// A session with its identity; the rest is to be filled in.
    public init(
        id: UInt16, tunnelID: UInt16, tunnelName: String, state: SessionState, createdAt: Timestamp, type: CallType
    ) {
        self.id = id
        self.tunnelID = tunnelID
        self.tunnelName = tunnelName
        self.state = state
        self.createdAt = createdAt
        self.type = type
    }
}
