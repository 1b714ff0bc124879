import Configuration
import Host
import Observability
import PPPoE
import Segment
import Wire

/// What the control plane asks of the forwarding table. The daemon gives it the shared segment's writer; tests and the
/// simulation give it a table in memory that forwards nothing.
///
/// Not thread-safe: all calls come from the control loop.
public protocol ForwardingTable: AnyObject {
    /// Finds or makes the attachment circuit of frames with these tags on an access port. `outerTPID` is the tag protocol
    /// identifier of the outer tag, 0 when untagged.
    func circuit(_ circuit: AttachmentCircuit, outerTPID: UInt16) throws -> UInt32

    /// Takes an upstream slot for a client and publishes it so that its PPP frames come to the control plane. `reference`
    /// is the session's name in the table, for whoever reads it.
    /// Throws when the table or the circuit is full; sessions that exist are not touched.
    func openUpstream(circuit: UInt32, client: MACAddress, reference: UInt64) throws -> UpstreamHandle

    /// Takes a local tunnel id. Nothing is published yet.
    func allocateTunnel() throws -> UInt16

    /// Publishes where a tunnel's data comes from and how data toward it looks. Called again when the path changes.
    func publishTunnel(_ id: UInt16, _ path: TunnelPath) throws

    /// Unpublishes a tunnel, whose sessions have been removed; its id is free after the grace period.
    func removeTunnel(_ id: UInt16) throws

    /// Takes a downstream slot, and with it a local L2TP session id. Nothing is published yet.
    func allocateDownstream(tunnel: UInt16) throws -> DownstreamHandle

    /// Lets data flow in both directions between a client and a session of a tunnel.
    func forward(upstream: UInt32, downstream: UInt32, peerSessionID: UInt16, features: SessionSettings) throws

    /// Gives a session that forwards these policers, or takes them away. Throws when the table of policers is full; nothing
    /// has changed then.
    func setPolicers(_ policers: SessionPolicers, upstream: UInt32) throws

    /// Copies a session's frames to the control plane from here on, or no more. A session that does not forward yet is captured
    /// from its first forwarded frame on. Throws when there is no such session.
    func setCapture(_ capture: SessionCapture?, upstream: UInt32) throws

    /// What a session's features have done so far.
    func details(upstream: UInt32) -> SessionDetails

    /// Packets and octets of a session so far.
    func traffic(upstream: UInt32) -> SessionTraffic

    /// Unpublishes a session: the upstream slot, and the downstream slot that `forward` joined to it. The final counters
    /// come by `finished` once no worker can count any more.
    func remove(upstream: UInt32) throws

    /// Gives back a downstream slot that was allocated and never joined.
    func release(downstream: UInt32) throws

    /// Sessions that were removed and whose counters are final now, by upstream slot. Never waits; to be called again
    /// while `isReclaiming`.
    func finished() -> [(upstream: UInt32, traffic: SessionTraffic)]

    /// Whether something waits for a grace period.
    var isReclaiming: Bool { get }

    // MARK: Taking over

    /// What an earlier process left, once, at the start.
    func takeSurvey() -> TableSurvey

    /// Takes these very ids, as far as they are free, for tunnels that the table has lost and whose peers have not. Answers those
    /// that it took.
    func claimTunnels(_ ids: Set<UInt16>) -> Set<UInt16>

    /// Counters of a session that was removed and whose slot has been freed since, and not been used again; nil where it has.
    func lastTraffic(upstream: UInt32, reference: UInt64) -> SessionTraffic?

    // MARK: What controllers feed

    /// Takes a local tunnel id for a controller's tunnel; it outlives this process.
    func allocateExternalTunnel() throws -> UInt16

    /// Adds a whole session for a controller, in one step; it outlives this process.
    func addExternal(_ session: ExternalSession) throws -> (upstream: UpstreamHandle, downstream: DownstreamHandle)

    /// Adds many sessions; one answer for each, nil where it was refused, which `refuse` is told with the index.
    func addExternal(
        _ sessions: [ExternalSession], refuse: (_ index: Int, _ error: any Error) -> Void
    ) -> [ExternalHandle?]

    /// Final counters of controllers' sessions that were removed, by reference, since the last call.
    func finishedExternal() -> [(reference: UInt64, traffic: SessionTraffic)]
}

/// An upstream slot and the PPPoE session id that carries it.
public struct UpstreamHandle: Hashable, Sendable {
    /// Index of the upstream line.
    public var slot: UInt32
    /// PPPoE session id, 1 to 65,534.
    public var sessionID: UInt16

    /// A handle of the given parts.
    public init(slot: UInt32, sessionID: UInt16) {
        self.slot = slot
        self.sessionID = sessionID
    }
}

/// A downstream slot and the local L2TP session id that carries it.
public struct DownstreamHandle: Hashable, Sendable {
    /// Index of the downstream line.
    public var slot: UInt32
    /// Local L2TP session id, 1 to 65,534.
    public var sessionID: UInt16

    /// A handle of the given parts.
    public init(slot: UInt32, sessionID: UInt16) {
        self.slot = slot
        self.sessionID = sessionID
    }
}

/// Both slots of a controller's session.
public struct ExternalHandle: Hashable, Sendable {
    /// The access side.
    public var upstream: UpstreamHandle
    /// The core side.
    public var downstream: DownstreamHandle

    /// A handle of the given parts.
    public init(upstream: UpstreamHandle, downstream: DownstreamHandle) {
        self.upstream = upstream
        self.downstream = downstream
    }
}

extension ForwardingTable {
    /// One by one, for tables that know no better.
    public func addExternal(
        _ sessions: [ExternalSession], refuse: (_ index: Int, _ error: any Error) -> Void
    ) -> [ExternalHandle?] {
        sessions.enumerated().map { index, session in
            do {
                let added = try addExternal(session)
                return ExternalHandle(upstream: added.upstream, downstream: added.downstream)
            } catch {
                refuse(index, error)
                return nil
            }
        }
    }
}

/// Both ends of a tunnel, and the way to the peer.
public struct TunnelPath: Hashable, Sendable {
    /// Core port.
    public var port: UInt16
    /// Our address and UDP port.
    public var local: UDPEndpoint
    /// The peer's address and UDP port.
    public var peer: UDPEndpoint
    /// The tunnel id that the peer assigned.
    public var peerTunnelID: UInt16
    /// The core port's own MAC address.
    public var source: MACAddress
    /// MAC address of the next hop; nil while it is not resolved.
    public var nextHop: MACAddress?
    /// Largest IP packet, octets.
    public var mtu: UInt16
    /// Whether data messages carry the L2TP length field.
    public var lengthBit: Bool
    /// Whether the UDP checksum is computed, else 0 is sent.
    public var udpChecksum: Bool
    /// Type-of-service octet; nil inherits the inner packet's.
    public var typeOfService: UInt8?
    /// Whether IPv4 packets that are sent whole have the don't-fragment bit.
    public var dontFragment = false
    /// What becomes of packets that exceed `mtu`.
    public var tooBig = L2TPProfile.TooBig.fragment
    /// Octets of offset pad; nil: without the field.
    public var offsetPad: UInt8?
    /// Whether packets over IPv6 with a UDP checksum of 0 are taken.
    public var acceptsZeroChecksum = false
    /// Whether `nextHop` was given by a controller: it outlives culvertd.
    public var isNextHopFixed = false
}

/// Packets and octets of a session in both directions; octets are PPP frames from the protocol field on.
public struct SessionTraffic: Hashable, Sendable {
    /// From the client toward the LNS.
    public var upstreamPackets: UInt64 = 0
    /// From the client toward the LNS.
    public var upstreamOctets: UInt64 = 0
    /// From the LNS toward the client.
    public var downstreamPackets: UInt64 = 0
    /// From the LNS toward the client.
    public var downstreamOctets: UInt64 = 0

    /// No traffic.
    public init() {}

    /// Both figures together.
    public static func += (total: inout SessionTraffic, more: SessionTraffic) {
        total.upstreamPackets &+= more.upstreamPackets
        total.upstreamOctets &+= more.upstreamOctets
        total.downstreamPackets &+= more.downstreamPackets
        total.downstreamOctets &+= more.downstreamOctets
    }
}

/// A session as a controller feeds it.
public struct ExternalSession: Hashable, Sendable {
    /// Where the client is.
    public var circuit: AttachmentCircuit
    /// Tag protocol identifier of the outer tag, 0 when untagged.
    public var outerTPID: UInt16
    /// The client's address.
    public var client: MACAddress
    /// Local tunnel id.
    public var tunnel: UInt16
    /// The L2TP session id that the peer assigned.
    public var peerSessionID: UInt16
    /// The controller's name for it.
    public var reference: UInt64
}
