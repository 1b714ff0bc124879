import Wire

/// State of a tunnel's control connection (RFC 2661 section 7.2.1), raw values as operators see them.
public enum TunnelState: String, Hashable, Sendable, Encodable, CaseIterable {
    /// Nothing sent yet.
    case idle = "IDLE"
    /// SCCRQ sent, SCCRP awaited.
    case waitControlReply = "WAITCTLREPLY"
    /// SCCRP sent, SCCCN awaited.
    case waitControlConnection = "WAITCTLCONN"
    /// Sessions can be opened.
    case established = "ESTABLISHED"
    /// StopCCN sent or received; kept until the last message is acknowledged and late ones have died out.
    case closing = "CLOSING"
}

/// Which side of the tunnel this node is.
public enum TunnelMode: String, Hashable, Sendable, Encodable, CaseIterable {
    /// L2TP access concentrator.
    case lac = "LAC"
    /// L2TP network server.
    case lns = "LNS"
}

/// Whether the ends prove to each other that they know the shared secret (RFC 2661 section 5.1.1).
public enum TunnelAuthorization: String, Hashable, Sendable, Encodable, CaseIterable {
    /// No shared secret.
    case none = "NONE"
    /// Challenge and response.
    case challenge = "CHALLENGE"
}

/// What a tunnel is set to.
public struct TunnelSettings: Hashable, Sendable, Encodable {
    /// Seconds of silence before a HELLO.
    public var helloTimeoutSeconds: UInt32 = 0
    /// Seconds before the first retransmission.
    public var retryTimeoutSeconds: UInt32 = 0
    /// Seconds that a tunnel without sessions stays; 0: it stays.
    public var idleTimeoutSeconds: UInt32 = 0
    /// Seconds that the tunnel may take to come up.
    public var establishTimeoutSeconds: UInt32 = 0
    /// Seconds before a lost persistent tunnel is opened again.
    public var persistPendTimeoutSeconds: UInt32 = 0
    /// Control messages that the peer may have outstanding towards us.
    public var rxWindowSize: UInt16 = 0
    /// Control messages that we may have outstanding at most.
    public var txWindowSize: UInt16 = 0
    /// Retransmissions of a message before the peer counts as dead.
    public var maxRetries: UInt32 = 0
    /// Sessions that the tunnel takes; 0: no limit.
    public var sessionLimit: UInt32 = 0
    /// Whether AVPs are hidden (RFC 2661 section 4.3).
    public var hideAvps = false
    /// Whether outer UDP checksums are computed.
    public var udpChecksums = false
    /// Largest outer IP packet now, octets: the least of the core port's MTU, what is configured and what ICMP has told.
    public var pathMTU: UInt16 = 0
    /// Whether outer IPv4 packets that are sent whole must not be fragmented on their way.
    public var dontFragment = false
    /// What becomes of packets that exceed the path's MTU: `fragment`, `tell` or `drop`.
    public var tooBig = ""
    /// Octets of offset pad that are sent; nil: without the field.
    public var offsetPad: UInt8?
    /// Sequence numbers of data messages: `off`, `on` or `required`.
    public var dataSequenceNumbers = ""
    /// Whether the path's MTU is discovered.
    public var pathMTUDiscovery = false
    /// Largest outer IP packet, octets.
    public var mtu: UInt16 = 0
    /// Whether the inner packet's ToS octet is copied to the outer header; else `tos` is used.
    public var tosInherit = false
    /// ToS octet of the outer header.
    public var tos: UInt8 = 0
    /// Framing capabilities that we announce.
    public var framing = FramingTypes()
    /// Bearer capabilities that we announce.
    public var bearer = BearerTypes()
    /// Whether SCCRQ carries a tie breaker.
    public var useTieBreaker = false
    /// The tie breaker, eight octets; empty without one.
    public var tieBreaker: [UInt8] = []
    /// What becomes of the tunnel when culvertd fails and runs again: `silent`, `rfc4951`, `rfc4951-or-silent` or `off`.
    public var failover = ""
    /// Seconds that the peer is asked to wait for us to recover (RFC 4951).
    public var recoveryTimeSeconds: UInt32 = 0

    /// Settings that are all off or zero, to be filled in.
    public init() {}
}

/// What the peer said of itself in SCCRQ or SCCRP.
public struct TunnelPeer: Hashable, Sendable, Encodable {
    /// Version of L2TP: 1.
    public var protocolVersion: UInt8 = 0
    /// Revision of L2TP: 0.
    public var protocolRevision: UInt8 = 0
    /// The vendor's own number.
    public var firmwareRevision: UInt16 = 0
    /// The peer's framing capabilities.
    public var framing = FramingTypes()
    /// The peer's bearer capabilities.
    public var bearer = BearerTypes()
    /// Control messages that the peer takes without an acknowledgement.
    public var rxWindowSize: UInt16 = 0
    /// Whether the peer has announced RFC 4951 for the control channel.
    public var failoverControl = false
    /// Whether numbers of data messages begin anew when it fails.
    public var failoverData = false
    /// Milliseconds that it asks to wait for it to recover.
    public var recoveryTimeMilliseconds: UInt32 = 0

    /// A peer that has not said anything yet.
    public init() {}
}

/// State and statistics of a tunnel's reliable control channel (RFC 2661 section 5.8 and appendix A).
public struct TunnelTransport: Hashable, Sendable, Encodable {
    /// Sequence number of the next message to send.
    public var ns: UInt16 = 0
    /// Sequence number of the next message expected.
    public var nr: UInt16 = 0
    /// Ns of the peer's last message.
    public var peerNs: UInt16 = 0
    /// Nr of the peer's last message.
    public var peerNr: UInt16 = 0
    /// Congestion window, messages.
    public var congestionWindow: UInt16 = 0
    /// Slow start threshold, messages.
    public var slowStartThreshold: UInt16 = 0
    /// Acknowledgements counted towards the window's next step in congestion avoidance.
    public var congestionAcknowledged: UInt16 = 0
    /// Control messages outside the window.
    public var outOfSequenceControlDiscards: UInt64 = 0
    /// Data messages that came too late.
    public var outOfSequenceDataDiscards: UInt64 = 0
    /// Zero-length body messages sent.
    public var zlbsSent: UInt64 = 0
    /// Zero-length body messages that could not be sent.
    public var zlbsSendFailed: UInt64 = 0
    /// Zero-length body messages received.
    public var zlbsReceived: UInt64 = 0
    /// Control messages sent again.
    public var retransmits: UInt64 = 0
    /// Control messages received again.
    public var duplicateDiscards: UInt64 = 0
    /// Data messages that found no session.
    public var dataDiscards: UInt64 = 0
    /// HELLOs sent.
    public var hellosSent: UInt64 = 0
    /// HELLOs that could not be sent.
    public var hellosSendFailed: UInt64 = 0
    /// HELLOs received.
    public var hellosReceived: UInt64 = 0
    /// Control messages of both directions, octets from the L2TP header on.
    public var control = Traffic()

    /// A control channel on which nothing has happened.
    public init() {}
}

/// Everything that can be seen of an L2TP tunnel.
public struct TunnelSnapshot: Hashable, Sendable, Encodable {
    /// Local tunnel id.
    public var id: UInt16
    /// Administrative name.
    public var name: String
    /// Our address.
    public var localAddress: IPAddress
    /// The peer's address.
    public var remoteAddress: IPAddress
    /// State of the control connection.
    public var state: TunnelState
    /// When the tunnel was made.
    public var createdAt: Timestamp
    /// Our role.
    public var mode: TunnelMode
    /// Tunnel id that the peer assigned; 0: none yet.
    public var remoteTunnelID: UInt16 = 0
    /// The peer's Host Name AVP; empty: not known yet.
    public var remoteHostName = ""
    /// The peer's Vendor Name AVP; empty: not known.
    public var remoteVendorName = ""
    /// Our UDP port.
    public var localUDPPort: UInt16 = 1701
    /// The peer's UDP port.
    public var remoteUDPPort: UInt16 = 1701
    /// Who made it.
    public var owner = Owner.subscriber
    /// Whether it was configured by name rather than opened for a client.
    public var createdByAdmin = false
    /// Whether it is opened again by itself after a loss.
    public var persist = false
    /// Whether it takes no new sessions, because it, its destination or the system is drained.
    public var draining = false
    /// Whether a shared secret is in use.
    public var authorization = TunnelAuthorization.none
    /// Number of sessions.
    public var sessionCount: UInt32 = 0
    /// The l2tp-profile; empty: none.
    public var profile = ""
    /// What it is set to.
    public var settings = TunnelSettings()
    /// What the peer said of itself.
    public var peer = TunnelPeer()
    /// The control channel.
    public var transport = TunnelTransport()
    /// Data messages of both directions, octets of PPP frames.
    public var data = Traffic()
    /// Data messages received that were dropped.
    public var dataRxErrors: UInt64 = 0
    /// Data messages that could not be sent.
    public var dataTxErrors: UInt64 = 0
    /// Octets that the tunnel's control state occupies.
    public var memoryOctets: UInt64 = 0
    /// How often the control channel was recovered after a failure of either end (RFC 4951).
    public var recoveries: UInt32 = 0
    /// Whether it is being recovered after our own failure.
    public var recovering = false
    /// Event history, oldest first; empty unless it was asked for.
    public var events: [StateTransition] = []

    /// A tunnel with its identity; the rest is to be filled in.
    public init(
        id: UInt16, name: String, localAddress: IPAddress, remoteAddress: IPAddress, state: TunnelState,
        createdAt: Timestamp, mode: TunnelMode
    ) {
        self.id = id
        self.name = name
        self.localAddress = localAddress
        self.remoteAddress = remoteAddress
        self.state = state
        self.createdAt = createdAt
        self.mode = mode
    }
}
