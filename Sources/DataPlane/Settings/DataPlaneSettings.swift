/// The `dataplane:` section of the configuration file: what culvert-dataplane needs to know. The rest of the file is
/// culvertd's and is not looked at here.
public struct DataPlaneSettings: Hashable, Sendable {
    /// Where memory comes from.
    public enum Memory: String, CaseIterable, Sendable {
        /// Huge pages, or not at all.
        case hugePages = "huge-pages"
        /// Ordinary pages; needs no privilege.
        case ordinary
        /// Huge pages if enough are free, else ordinary ones.
        case automatic = "auto"
    }

    /// What a worker does when it finds nothing to do.
    public enum Idle: Hashable, Sendable {
        /// It looks again at once, and keeps its core to itself.
        case poll
        /// It lets another thread run first.
        case yield
        /// It sleeps for so many microseconds, 1 to 10,000.
        case sleep(microseconds: UInt32)
    }

    /// How a port's frames come to the worker that has their session.
    public enum Dispatch: String, CaseIterable, Sendable {
        /// By the device where it can hash sessions, else in software.
        case automatic = "auto"
        /// One worker polls the port and forwards what it finds.
        case single
        /// The device hashes sessions to queues, a worker a queue.
        case rss
        /// The worker that polls hands frames to the workers that have their sessions.
        case software
    }

    /// Frames a second that each class may have from each worker; 0: none.
    public struct PuntLimits: Hashable, Sendable {
        /// ARP.
        public var arp: UInt32 = 200
        /// IPv4 to the node that is not L2TP.
        public var ipv4: UInt32 = 500
        /// IPv6.
        public var ipv6: UInt32 = 200
        /// PPPoE discovery.
        public var pppoeDiscovery: UInt32 = 5_000
        /// PPP of sessions that are being negotiated.
        public var pppControl: UInt32 = 20_000
        /// PPPoE session frames that no session owns.
        public var unknownSession: UInt32 = 200
        /// L2TP control messages from tunnels' peers.
        public var l2tpControl: UInt32 = 20_000
        /// L2TP control messages of no tunnel of their sender's.
        public var l2tpUnknown: UInt32 = 5_000
        /// Frames that exceed their tunnel's MTU, whose senders are told.
        public var tooBig: UInt32 = 200
        /// Copies of captured sessions' frames.
        public var capture: UInt32 = 20_000

        /// The defaults.
        public init() {}

        /// The defaults of one client's or peer's limits, of which 0 is none of its own: more than any of them needs that is
        /// well, and little of what its class may have.
        public static var perClient: PuntLimits {
            var limits = PuntLimits()
            limits.arp = 10
            limits.ipv4 = 100
            limits.ipv6 = 50
            limits.pppoeDiscovery = 50
            limits.pppControl = 30
            limits.unknownSession = 10
            limits.l2tpControl = 5_000
            limits.l2tpUnknown = 1_000
            limits.tooBig = 10
            limits.capture = 0
            return limits
        }

        /// The defaults of what one VLAN, or tunnel, has before those that send more: about a tenth of what its class may have.
        public static var shares: PuntLimits {
            var limits = PuntLimits()
            limits.arp = 20
            limits.ipv4 = 50
            limits.ipv6 = 20
            limits.pppoeDiscovery = 500
            limits.pppControl = 2_000
            limits.unknownSession = 20
            limits.l2tpControl = 1_000
            limits.l2tpUnknown = 500
            limits.tooBig = 20
            limits.capture = 0
            return limits
        }

        /// The defaults of what one port has before those that send more: half of what its class may have.
        public static var portShares: PuntLimits {
            var limits = PuntLimits()
            limits.arp = 100
            limits.ipv4 = 250
            limits.ipv6 = 100
            limits.pppoeDiscovery = 2_500
            limits.pppControl = 10_000
            limits.unknownSession = 100
            limits.l2tpControl = 10_000
            limits.l2tpUnknown = 2_500
            limits.tooBig = 100
            limits.capture = 0
            return limits
        }
    }

    /// What the reassembly of IP fragments may take from each worker.
    public struct Reassembly: Hashable, Sendable {
        /// Incomplete datagrams that are remembered, 16 to 65,536.
        public var datagrams: UInt32 = 2_048
        /// Fragments of theirs that are held, 256 to 65,536.
        public var fragments: UInt32 = 4_096
        /// Milliseconds from a datagram's first fragment on until it is given up, 1 to 60,000.
        public var timeoutMilliseconds: UInt32 = 2_000

        /// The defaults.
        public init() {}
    }

    /// What bounds the waiting of data messages that came before their turn, in sessions that reorder.
    public struct Reordering: Hashable, Sendable {
        /// How far a session's messages are waited for, in sequence numbers.
        public var window: UInt16 = 32
        /// Messages of all sessions that may wait at a worker.
        public var frames: UInt32 = 2_048
        /// Milliseconds that a message waits.
        public var timeout: UInt32 = 100

        /// The defaults.
        public init() {}
    }

    /// A port.
    public struct Port: Hashable, Sendable {
        /// The name that the configuration calls it by, 1 to 31 octets.
        public var name: String
        /// DPDK's device: a PCI address, or a driver's name with its arguments, as in `net_af_packet0,iface=eth1`.
        public var device: String
        /// Largest Ethernet payload in octets, tags not counted.
        public var mtu: UInt16
        /// Receive queues; nil: as many as the way of dispatch takes.
        public var queues: UInt16?
        /// How its frames come to the workers.
        public var dispatch: Dispatch

        /// A port with an MTU of 1,500 that chooses by itself how it is dispatched.
        public init(
            name: String, device: String, mtu: UInt16 = 1_500, queues: UInt16? = nil, dispatch: Dispatch = .automatic
        ) {
            self.name = name
            self.device = device
            self.mtu = mtu
            self.queues = queues
            self.dispatch = dispatch
        }
    }

    /// Path of the shared segment, on hugetlbfs or tmpfs.
    public var segment = "/dev/shm/culvert"
    /// Group that may open the segment beside the owner: culvertd's.
    public var segmentGroup: String?
    /// Where packet buffers come from.
    public var memory = Memory.automatic
    /// Cores of the workers, one each.
    public var cores: [UInt32]
    /// Core of everything else.
    public var mainCore: UInt32 = 0
    /// Sessions that the table holds, a power of two.
    public var sessions: UInt32 = 65_536
    /// Tunnels that the table holds, a power of two.
    public var tunnels: UInt32 = 8_192
    /// Attachment circuits that the table holds, a power of two.
    public var circuits: UInt32 = 4_096
    /// VLAN tables: one for each port with VLANs, one for each outer VLAN with inner ones, and one.
    public var vlanBlocks: UInt32 = 64
    /// Frames that wait for culvertd, or from it, at most; a power of two.
    public var frameRingDepth: UInt32 = 2_048
    /// What a worker does when it finds nothing to do.
    public var idle = Idle.poll
    /// What guards culvertd from floods.
    public var puntLimits = PuntLimits()
    /// What guards the others from one client or peer that floods: frames a second of it and worker; 0: its class has no limit
    /// of its clients' own.
    public var puntLimitsPerClient = PuntLimits.perClient
    /// Frames a second of each class and worker that one VLAN of one port has before those that send more than that; of L2TP control
    /// messages, one tunnel. 0: nobody goes before others.
    public var puntShares = PuntLimits.shares
    /// The same of one port.
    public var puntSharesPerPort = PuntLimits.portShares
    /// What guards memory from fragments that never become datagrams.
    public var reassembly = Reassembly()
    /// What bounds the waiting of data messages that came before their turn.
    public var reordering = Reordering()
    /// Whether DPDK's telemetry answers questions about the data plane, on a socket of its own.
    public var telemetry = true
    /// The ports; their indexes are the segment's.
    public var ports: [Port]

    /// The defaults for these cores and ports.
    public init(cores: [UInt32], ports: [Port]) {
        self.cores = cores
        self.ports = ports
    }
}
