import Metrics
import Observability
import Roles
import Segment

/// What a scrape asks, answered in one turn.
extension ControlLoop: MetricsSource {
    func metrics(_ request: MetricsRequest) async throws -> MetricsSnapshot {
        var snapshot = MetricsSnapshot(
            status: try await status(), census: node.census, statistics: node.statistics,
            counters: try await counters(perWorker: request.perWorker),
            drops: Set(Counter.allCases.filter(\.isDrop).map(\.name)), ports: try await ports())
        if request.tunnels > 0 {
            snapshot.tunnels = node.tunnelIDs.prefix(request.tunnels).compactMap {
                node.tunnelSnapshot($0, detail: false)
            }
        }
        snapshot.groups = [MetricGroup("", node.hostCounters)]
        snapshot.groups += try await radiusGroups + nameGroups + accountingGroups
        return snapshot
    }

    private var radiusGroups: [MetricGroup] {
        get async throws {
            let radius = try await radius()
            let servers = radius.servers.flatMap { server in
                let labels = [MetricFamily.Label("server", server.address.description)]
                let isDead = NamedCounter(
                    name: "dead", text: "1 while the server is passed over because it did not answer",
                    value: server.state == .dead ? 1 : 0)
                let inFlight = NamedCounter(
                    name: "in_flight", text: "requests that wait for the server's answer",
                    value: UInt64(server.inFlight))
                return [
                    MetricGroup("radius_server", kind: .gauge, labels: labels, [isDead, inFlight]),
                    MetricGroup("", labels: labels, server.counters),
                ]
            }
            // Two of the screen's figures go up and down.
            let gauges: Set = ["radius_in_flight", "radius_waiting"]
            return servers + [
                MetricGroup("", kind: .gauge, radius.counters.filter { gauges.contains($0.name) }),
                MetricGroup("", radius.counters.filter { !gauges.contains($0.name) }),
            ]
        }
    }

    private var nameGroups: [MetricGroup] {
        get async throws {
            let names = try await nameService(cache: false)
            let cached = NamedCounter(
                name: "cached_names", text: "names in the cache", value: UInt64(names.cacheUsed))
            return [MetricGroup("dns", kind: .gauge, [cached]), MetricGroup("", names.counters)]
        }
    }

    private var accountingGroups: [MetricGroup] {
        get async throws {
            let accounting = try await accounting()
            let stored = NamedCounter(
                name: "stored", text: "accounting records on disk until a server has confirmed them",
                value: accounting.stored)
            let groups = accounting.groups.map { group in
                MetricGroup(
                    "accounting_group", kind: .gauge, labels: [.init("group", group.name)],
                    [
                        NamedCounter(
                            name: "waiting", text: "accounting records that wait for a server of the group",
                            value: group.waiting),
                        NamedCounter(
                            name: "reachable", text: "1 while a server of the group is not passed over",
                            value: group.reachable ? 1 : 0),
                    ])
            }
            return [MetricGroup("accounting", kind: .gauge, [stored])] + groups + [MetricGroup("", accounting.counters)]
        }
    }
}
