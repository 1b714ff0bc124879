import Observability
import Wire

/// What is asked for in one scrape.
public struct MetricsRequest: Hashable, Sendable {
    /// Each worker's counters instead of their sums.
    public var perWorker: Bool
    /// Tunnels that are told of one by one, at most.
    public var tunnels: Int

    /// A request.
    public init(perWorker: Bool = false, tunnels: Int = 0) {
        self.perWorker = perWorker
        self.tunnels = tunnels
    }
}

/// Whoever knows all the numbers. Asked once a scrape, and not again before it has answered.
public protocol MetricsSource: Sendable {
    /// All numbers of one moment.
    func metrics(_ request: MetricsRequest) async throws -> MetricsSnapshot
}

/// Numbers of one part of the program, as its own table names and explains them.
public struct MetricGroup: Hashable, Sendable {
    /// What stands between `culvert_` and a number's own name; empty for numbers whose names say where they belong.
    public var subsystem: String
    /// Whether they count or go up and down.
    public var kind: MetricFamily.Kind
    /// Labels of all of them.
    public var labels: [MetricFamily.Label]
    /// The numbers.
    public var values: [NamedCounter]

    /// A group of numbers. Groups of one subsystem have different labels.
    public init(
        _ subsystem: String, kind: MetricFamily.Kind = .counter, labels: [MetricFamily.Label] = [],
        _ values: [NamedCounter]
    ) {
        self.subsystem = subsystem
        self.kind = kind
        self.labels = labels
        self.values = values
    }
}

/// All numbers of one moment.
public struct MetricsSnapshot: Hashable, Sendable {
    /// Versions, uptimes, capacities.
    public var status: StatusSnapshot
    /// Clients, tunnels and sessions by state.
    public var census: Census
    /// The access concentrator's counters.
    public var statistics: ACStatistics
    /// The data plane's counters, with its workers if they were asked for.
    public var counters: DataPlaneCounters
    /// Names of those among the data plane's counters that are reasons for which frames are dropped.
    public var drops: Set<String>
    /// The data plane's ports.
    public var ports: [PortSnapshot]
    /// Tunnels, as many as were asked for, without histories.
    public var tunnels: [TunnelSnapshot] = []
    /// Everything else that is counted.
    public var groups: [MetricGroup] = []

    /// The numbers that there always are.
    public init(
        status: StatusSnapshot, census: Census, statistics: ACStatistics, counters: DataPlaneCounters,
        drops: Set<String>, ports: [PortSnapshot]
    ) {
        self.status = status
        self.census = census
        self.statistics = statistics
        self.counters = counters
        self.drops = drops
        self.ports = ports
    }
}
