import Wire

/// How a port's frames are spread over workers, raw values as operators see them.
public enum Dispatch: String, Hashable, Sendable, Encodable, CaseIterable {
    /// The worker that polls the port forwards what it finds.
    case singleQueue = "single"
    /// The device spreads sessions over queues.
    case rss = "rss"
    /// The polling workers hand frames to the workers that have their sessions.
    case software = "software"
}

/// Everything that can be seen of a port of the data plane.
public struct PortSnapshot: Hashable, Sendable, Encodable {
    /// The data plane's number for it.
    public var index: UInt16
    /// Name as configured.
    public var name: String
    /// DPDK's name of the device.
    public var device: String
    /// The port's address.
    public var mac: MACAddress
    /// Largest IP packet, octets.
    public var mtu: UInt16
    /// Whether the link is up.
    public var linkUp: Bool
    /// Mbit/s; 0: not known.
    public var linkSpeedMbps: UInt32 = 0
    /// Receive queues.
    public var queues: UInt16 = 1
    /// Memory node that the device is next to.
    public var numaNode: UInt32 = 0
    /// How frames are spread over workers.
    public var dispatch = Dispatch.singleQueue
    /// Whether PPPoE is served here.
    public var access = false
    /// Whether L2TP is served here.
    public var core = false
    /// Addresses of the node on this port.
    public var addresses: [IPv4Address] = []
    /// What is counted for the port, in the order of its table.
    public var counters: [NamedCounter] = []

    /// A port with its identity; the rest is to be filled in.
    public init(index: UInt16, name: String, device: String, mac: MACAddress, mtu: UInt16, linkUp: Bool) {
        self.index = index
        self.name = name
        self.device = device
        self.mac = mac
        self.mtu = mtu
        self.linkUp = linkUp
    }
}

/// A worker of the data plane and what it has counted.
public struct WorkerCounters: Hashable, Sendable, Encodable {
    /// The data plane's number for it.
    public var index: UInt32
    /// The core it runs on.
    public var lcore: UInt32
    /// Memory node of that core.
    public var numaNode: UInt32
    /// Whether it runs.
    public var running: Bool
    /// Rounds of its loop.
    public var loops: UInt64
    /// Rounds that found a frame.
    public var busyLoops: UInt64
    /// Milliseconds since its last sign of life.
    public var heartbeatAgeMilliseconds: UInt64
    /// Its counters, in the order of their table.
    public var counters: [NamedCounter]

    /// A worker with its readings.
    public init(
        index: UInt32, lcore: UInt32, numaNode: UInt32, running: Bool, loops: UInt64, busyLoops: UInt64,
        heartbeatAgeMilliseconds: UInt64, counters: [NamedCounter]
    ) {
        self.index = index
        self.lcore = lcore
        self.numaNode = numaNode
        self.running = running
        self.loops = loops
        self.busyLoops = busyLoops
        self.heartbeatAgeMilliseconds = heartbeatAgeMilliseconds
        self.counters = counters
    }
}

/// The counters of the data plane.
public struct DataPlaneCounters: Hashable, Sendable, Encodable {
    /// Sums over all workers, in the order of their table.
    public var total: [NamedCounter]
    /// Each worker; empty unless it was asked for.
    public var workers: [WorkerCounters]

    /// Sums and, if they were asked for, each worker's part.
    public init(total: [NamedCounter], workers: [WorkerCounters] = []) {
        self.total = total
        self.workers = workers
    }
}
