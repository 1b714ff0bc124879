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

        /// A tunnel as its controller gave it: which address has to be resolved follows from its next hop.
        init(tunnel: StaticTunnel) {
            self.tunnel = tunnel
            switch tunnel.nextHop {
            case .mac: heldAddress = nil
            case .address(let address): heldAddress = address
            case .peer: heldAddress = tunnel.peerAddress
            }
        }

        /// A tunnel of which the table knows more than its controller said.
        init(tunnel: StaticTunnel, heldAddress: IPAddress?) {
            self.tunnel = tunnel
            self.heldAddress = heldAddress
        }
    }

    /// A session without anything that is counted or copied: a million of them are kept. Its port and its tunnel's name
    /// are found by their numbers.
    struct StaticSessionEntry {
        var clientMAC: MACAddress
        var upstream: UpstreamHandle
        var downstream: DownstreamHandle
        var port: UInt16
        var outerVLAN: UInt16
        var innerVLAN: UInt16
        var outerTPID: UInt16
        var tunnel: UInt16
        var peerSessionID: UInt16
        /// Whether the controller named the tunnel, rather than its id.
        var hasTunnelName: Bool
    }

    /// By local tunnel id.
    var tunnels: [UInt16: StaticTunnelEntry] = [:]
    /// Local tunnel id by name.
    var names: [String: UInt16] = [:]
    /// By the controller's reference.
    private(set) var sessions: [UInt64: StaticSessionEntry] = [:]
    /// References by upstream slot, 0 for none: the order in which sessions are listed, which stays as it is while others
    /// come and go.
    private(set) var references: [UInt64] = []
    /// Sessions that were removed and whose counters are not final yet, and then their counters.
    var removed: [UInt64: SessionTraffic?] = [:]

    /// The tunnel that a controller means.
    func id(_ reference: StaticTunnelReference) -> UInt16? {
        switch reference {
        case .id(let id): tunnels[id] == nil ? nil : id
        case .name(let name): names[name]
        }
    }

    /// Takes a session in that is in the table now.
    mutating func insert(_ entry: StaticSessionEntry, as reference: UInt64) {
        sessions[reference] = entry
        let slot = Int(entry.upstream.slot)
        if slot >= references.count {
            let length = max(slot + 1, 2 * references.count)
            references.append(contentsOf: repeatElement(0, count: length - references.count))
        }
        references[slot] = reference
        tunnels[entry.tunnel]?.references.insert(reference)
    }

    /// Lets go of a session.
    mutating func removeSession(_ reference: UInt64) -> StaticSessionEntry? {
        guard let entry = sessions.removeValue(forKey: reference) else { return nil }
        let slot = Int(entry.upstream.slot)
        if references[slot] == reference { references[slot] = 0 }
        tunnels[entry.tunnel]?.references.remove(reference)
        return entry
    }
}
