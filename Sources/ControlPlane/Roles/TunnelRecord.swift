import Configuration
import Host
import L2TP
import Timing
import Wire

/// A tunnel of this node, with the calls in it.
struct TunnelRecord {
    /// The local tunnel id.
    let id: UInt16
    /// The LNS and the profile that it is reached by.
    let destination: Destination.Key
    /// What the operator calls it.
    let name: String
    let createdAt: Instant
    /// Control connection and sessions.
    var machine: Tunnel
    var local: UDPEndpoint
    /// Where messages go, and the only place that they are taken from once it has answered.
    var peer: UDPEndpoint
    /// Whether the peer has answered from `peer`: before, it may answer from another port (RFC 2661, section 8.1).
    var isBound = false
    /// Calls by local session id.
    var calls: [UInt16: Call] = [:]
    /// Whether the forwarding table knows it.
    var isPublished = false
    /// Traffic of its sessions that have ended.
    var endedTraffic = SessionTraffic()
}

extension TunnelRecord {
    /// Lets the tunnel do something where it lies; a copy of it would copy all its sessions.
    mutating func run<Failure: Error>(
        _ body: (inout Tunnel) throws(Failure) -> [TunnelAction]
    ) throws(Failure) -> [TunnelAction] { try body(&machine) }
}

/// A session of a tunnel and the connection that it carries.
struct Call {
    let downstream: DownstreamHandle
    /// Upstream slot of the connection.
    let upstreamSlot: UInt32
    /// Whether data flows.
    var isForwarding = false
}

/// An LNS as this node sees it: level two of system, destination, tunnel, session.
struct Destination {
    /// An LNS's address, and the profile that says how to talk to it.
    struct Key: Hashable {
        var address: IPAddress
        var profile: String
    }

    /// Tunnels to it that take calls, by local id, in the order of their making.
    var tunnels: [UInt16] = []
    /// Attempts to bring a lost tunnel back since it was last up.
    var attempts = 0
    /// When the next of these is due.
    var retryAt: Instant?
}
