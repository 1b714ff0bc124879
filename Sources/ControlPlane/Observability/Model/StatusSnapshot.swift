/// A table of fixed size and what is used of it.
public struct Capacity: Hashable, Sendable, Encodable {
    /// Short and stable: `sessions`.
    public var name: String
    /// What it holds, for people.
    public var text: String
    /// Entries in use.
    public var used: UInt64
    /// Entries that there are.
    public var capacity: UInt64

    /// A table with its use.
    public init(name: String, text: String, used: UInt64, capacity: UInt64) {
        self.name = name
        self.text = text
        self.used = used
        self.capacity = capacity
    }
}

/// The data plane as culvertd sees it through the segment.
public struct DataPlaneStatus: Hashable, Sendable, Encodable {
    /// Whether its heartbeat is recent.
    public var alive = false
    /// Goes up by one with each start on the same segment; 0: there was none yet.
    public var epoch: UInt64 = 0
    /// Its process id.
    public var pid: UInt64 = 0
    /// Seconds since its start.
    public var uptimeSeconds: UInt64 = 0
    /// Milliseconds since its last sign of life.
    public var heartbeatAgeMilliseconds: UInt64 = 0
    /// Workers that run.
    public var workers: UInt32 = 0
    /// Ports that exist.
    public var ports: UInt32 = 0
    /// Version of the segment's layout.
    public var layoutVersion: UInt32 = 0

    /// No data plane.
    public init() {}
}

/// The node as a whole.
public struct StatusSnapshot: Hashable, Sendable, Encodable {
    /// Culvert's version.
    public var version: String
    /// When culvertd started.
    public var startedAt: Timestamp
    /// Seconds since then.
    public var uptimeSeconds: UInt64
    /// Goes up by one with each start of culvertd on the same segment.
    public var controlEpoch: UInt64
    /// The configuration file in force.
    public var configurationPath: String
    /// The other process.
    public var dataPlane: DataPlaneStatus
    /// Tables and their use.
    public var capacities: [Capacity]
    /// The node's name; empty: not told.
    public var hostName = ""
    /// What takes no new sessions now.
    public var drained: [DrainTarget] = []

    /// The node's state.
    public init(
        version: String, startedAt: Timestamp, uptimeSeconds: UInt64, controlEpoch: UInt64, configurationPath: String,
        dataPlane: DataPlaneStatus, capacities: [Capacity]
    ) {
        self.version = version
        self.startedAt = startedAt
        self.uptimeSeconds = uptimeSeconds
        self.controlEpoch = controlEpoch
        self.configurationPath = configurationPath
        self.dataPlane = dataPlane
        self.capacities = capacities
    }
}
