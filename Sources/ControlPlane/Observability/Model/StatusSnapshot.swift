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

/// The store, where what the next culvertd must know is written before anybody hears of it.
public struct StoreStatus: Hashable, Sendable, Encodable {
    /// Whether a restart would find everything.
    public enum State: String, Hashable, Sendable, CaseIterable, Encodable {
        /// It could not be opened: what the segment does not have ends with culvertd.
        case closed
        /// Everything is written.
        case written
        /// The disk fails: what has changed since is kept in memory alone.
        case failing
    }

    /// Whether a restart would find everything.
    public var state = State.closed
    /// Commits that were written since culvertd's start.
    public var commits: UInt64 = 0
    /// Images of tunnels, sessions and the rest that were handed to it since then.
    public var changes: UInt64 = 0
    /// Commits that wait for the disk.
    public var waiting: UInt64 = 0
    /// Milliseconds for which messages to clients and peers have waited for a commit.
    public var waitMilliseconds: UInt64 = 0
    /// How often messages went out before their commit was written, since peers would not have waited longer.
    public var early: UInt64 = 0

    /// No store.
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
    /// What the next culvertd will find.
    public var store = StoreStatus()
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
