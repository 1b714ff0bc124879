import Timing
import Wire

/// What operators see of the stack.
extension HostStack {
    /// An entry of the neighbour cache.
    public struct NeighbourEntry: Hashable, Sendable {
        /// State of the entry (RFC 4861 section 7.3.2), for ARP as well.
        public enum State: Hashable, Sendable {
            case incomplete, reachable, stale, delay, probe, unreachable
        }

        /// The port that it is on.
        public var port: UInt16
        /// Its address.
        public var address: IPAddress
        /// Its Ethernet address; nil: not known.
        public var mac: MACAddress?
        /// State of the entry.
        public var state: State
        /// How often it is held.
        public var holders: Int
        /// When `mac` was last confirmed.
        public var confirmedAt: Instant
    }

    /// A way to a network.
    public struct RouteEntry: Hashable, Sendable {
        /// The network.
        public var prefix: IPPrefix
        /// The router; nil: it is connected.
        public var gateway: IPAddress?
        /// The port that packets leave by.
        public var port: UInt16
        /// The node's address that they leave with unless they have one.
        public var source: IPAddress
    }

    /// The neighbour cache, by port and address.
    public var neighbourEntries: [NeighbourEntry] {
        neighbours.sorted { $0.key < $1.key }.map { key, neighbour in
            let state: NeighbourEntry.State =
                switch neighbour.phase {
                case .incomplete: .incomplete
                case .reachable: .reachable
                case .stale: .stale
                case .delay: .delay
                case .probe: .probe
                case .unreachable: .unreachable
                }
            return NeighbourEntry(
                port: key.port, address: key.address, mac: neighbour.mac, state: state, holders: neighbour.holders,
                confirmedAt: neighbour.confirmedAt)
        }
    }

    /// Ways to networks that are in force, longest prefix first.
    public var routeEntries: [RouteEntry] { routes.listing }
}

extension PathMTUTable {
    /// What is known, by address.
    public var listing: [(peer: IPAddress, mtu: UInt16)] {
        entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value.mtu) }
    }
}
