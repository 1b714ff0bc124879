import Host
import Observability
import PPPoE
import Wire

/// What an external controller has fed: tunnels and sessions without signalling of ours.
///
/// The forwarding table is the truth for what is forwarded and keeps it when this process goes. What the table does not
/// hold, a tunnel's name and next hop as the controller gave them, is kept here.
struct StaticFeed {
    struct StaticTunnelEntry {
        var tunnel: StaticTunnel
        /// Next hop that the host stack keeps resolved; nil when the controller gave the MAC address.
        var heldAddress: IPAddress?
        /// Its sessions.
        var references: Set<UInt64> = []
    }

    struct StaticSessionEntry {
        var session: StaticSession
        var upstream: UpstreamHandle
        var downstream: DownstreamHandle
        var tunnel: UInt16
    }

    /// By local tunnel id.
    var tunnels: [UInt16: StaticTunnelEntry] = [:]
    /// Local tunnel id by name.
    var names: [String: UInt16] = [:]
    /// By the controller's reference.
    var sessions: [UInt64: StaticSessionEntry] = [:]
    /// Sessions that were removed and whose counters are not final yet, and then their counters.
    var removed: [UInt64: SessionTraffic?] = [:]

    /// The tunnel that a controller means.
    func id(_ reference: StaticTunnelReference) -> UInt16? {
        switch reference {
        case .id(let id): tunnels[id] == nil ? nil : id
        case .name(let name): names[name]
        }
    }
}
