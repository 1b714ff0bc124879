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
        return snapshot
    }
}
