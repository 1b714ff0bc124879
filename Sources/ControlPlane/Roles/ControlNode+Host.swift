import Host
import Observability
import Timing

/// What operators see of the node's own presence on its ports.
extension ControlNode {
    /// Neighbours, routes, what routers have told, and counters.
    public func hostSnapshot(at now: Instant) -> HostSnapshot {
        HostSnapshot(
            neighbours: host.neighbourEntries.map { entry in
                NeighbourSnapshot(
                    interfaceName: portName(entry.port), address: entry.address, mac: entry.mac,
                    state: NeighbourState(entry.state), holders: UInt32(clamping: entry.holders),
                    confirmedSecondsAgo: entry.mac == nil
                        ? 0 : UInt64(clamping: (now - entry.confirmedAt).components.seconds))
            },
            routes: host.routeEntries.map { entry in
                RouteSnapshot(
                    prefix: "\(entry.prefix.network)/\(entry.prefix.length)", nextHop: entry.gateway,
                    interfaceName: portName(entry.port), source: entry.source)
            },
            paths: pathMTUs.listing.map { PathMTUSnapshot(address: $0.peer, mtu: $0.mtu) },
            counters: HostCounter.allCases.map {
                NamedCounter(name: $0.name, text: $0.text, value: host.counters[$0])
            })
    }
}

extension NeighbourState {
    init(_ state: HostStack.NeighbourEntry.State) {
        self =
            switch state {
            case .incomplete: .incomplete
            case .reachable: .reachable
            case .stale: .stale
            case .delay: .delay
            case .probe: .probe
            case .unreachable: .unreachable
            }
    }
}
