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
    /// Whether it takes no new calls, and goes with its last one.
    var isDraining = false
    /// Number of its account; nil: nobody is told of it.
    var account: UInt64?
    /// Whether its destination counts it among those with room.
    var isVacant = false
    /// Whether it has been told to be up.
    var isUp = false
    /// Whether the forwarding table knows it.
    var isPublished = false
    /// The machine's revision that the store has been told of.
    var savedRevision: UInt64 = 0
    /// Traffic of its sessions that have ended.
    var endedTraffic = SessionTraffic()
}

extension TunnelRecord {
    /// Whether another call may go in, where at most `limit` do; 0: as many as there are ids.
    func takesCalls(limit: UInt16) -> Bool {
        machine.end == nil && !isDraining && (limit == 0 || calls.count < limit)
    }

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
    /// An LNS's address, the profile that says how to talk to it, and what is special about it.
    struct Key: Hashable, Sendable {
        var address: IPAddress
        var profile: String
        var overrides = TunnelOverrides()

        /// What operators call its tunnels.
        var tunnelName: String {
            "\(profile)-\(address)" + (overrides.assignmentID.map { "-\($0)" } ?? "")
        }
    }

    /// Tunnels to it that take calls, by local id, in the order of their making.
    var tunnels: [UInt16] = []
    /// Those of `tunnels` that may have room for another call; the last one is filled first. A call must not have to look through
    /// thousands of full ones.
    var vacant: [UInt16] = []
    /// Calls in all its tunnels.
    var calls = 0
    /// Preference of the candidate that it was chosen as last.
    var preference: UInt32 = 0
    /// Why a tunnel to it ended that was not asked to; empty: none did.
    var lastFailure = ""
    /// The server group that is told of its tunnels: that of the client who wanted it last.
    var accountingGroup: String?
    /// Attempts to bring a lost tunnel back since it was last up.
    var attempts = 0
    /// When the next of these is due.
    var retryAt: Instant?
}
