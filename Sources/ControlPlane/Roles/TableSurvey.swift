import PPPoE
import Wire

/// What this process's own signalling has in the forwarding table when it takes it over from an earlier one. What that one had not
/// finished the table has taken back already.
public struct TableSurvey: Sendable {
    /// A session in service.
    public struct Session: Hashable, Sendable {
        /// Slot and PPPoE session id.
        public var upstream: UpstreamHandle
        /// The client's address.
        public var client: MACAddress
        /// Where it is.
        public var circuit: AttachmentCircuit
        /// Tag protocol identifier of the outer tag, 0 when untagged.
        public var outerTPID: UInt16
        /// What `openUpstream` was told: the route id.
        public var reference: UInt64
        /// The L2TP side; nil while its frames all came to the control plane.
        public var core: Core?

        /// A session of these parts.
        public init(
            upstream: UpstreamHandle, client: MACAddress, circuit: AttachmentCircuit, outerTPID: UInt16,
            reference: UInt64, core: Core?
        ) {
            self.upstream = upstream
            self.client = client
            self.circuit = circuit
            self.outerTPID = outerTPID
            self.reference = reference
            self.core = core
        }
    }

    /// The L2TP side of a session.
    public struct Core: Hashable, Sendable {
        /// Local tunnel id.
        public var tunnel: UInt16
        /// Slot and local session id.
        public var downstream: DownstreamHandle
        /// The session id that the peer assigned.
        public var peerSessionID: UInt16

        /// A side of these parts.
        public init(tunnel: UInt16, downstream: DownstreamHandle, peerSessionID: UInt16) {
            self.tunnel = tunnel
            self.downstream = downstream
            self.peerSessionID = peerSessionID
        }
    }

    /// Sessions in service.
    public var sessions: [Session] = []
    /// Ids that the peers assigned, by local id, of tunnels in service.
    public var tunnels: [UInt16: UInt16] = [:]
    /// Local ids that were taken for tunnels not in service yet.
    public var allocatedTunnels: Set<UInt16> = []
    /// Tunnel and local session id of calls that were being set up.
    public var unfinishedCalls: [(tunnel: UInt16, session: UInt16)] = []
    /// Final counters of sessions that were being removed, by reference.
    public var totals: [UInt64: SessionTraffic] = [:]

    /// An empty table.
    public init() {}
}
