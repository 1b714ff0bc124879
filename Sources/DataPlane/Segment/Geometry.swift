import CSegment

/// How large the shared segment's tables are. Chosen by the data plane when it creates the segment.
public struct Geometry: Hashable, Sendable {
    /// Session lines per direction; a power of two, 64 to 1,048,576.
    public var sessions: UInt32
    /// Tunnels; local tunnel ids are 1 ..< `tunnels`. A power of two, 16 to 65,536.
    public var tunnels: UInt32
    /// Attachment circuits, one per (port, outer VLAN, inner VLAN) in use. A power of two, 16 to 1,048,576.
    public var circuits: UInt32
    /// VLAN blocks: one per port with VLANs, one per outer VLAN with inner VLANs; block 0 stays unused. 2 to 65,536.
    public var vlanBlocks: UInt32
    /// Workers that may run, 1 to 64.
    public var workers: UInt32
    /// Ports, 1 to 32.
    public var ports: UInt32
    /// Slots of the punt ring and of the inject ring; a power of two, 64 to 65,536.
    public var frameRingDepth: UInt32
    /// Policers: sets of rates that any number of sessions may share. A power of two, 16 to 65,536.
    public var policers: UInt32

    /// The default: 65,536 sessions over 8,192 tunnels.
    public init(
        sessions: UInt32 = 65_536, tunnels: UInt32 = 8_192, circuits: UInt32 = 4_096, vlanBlocks: UInt32 = 64,
        workers: UInt32 = 16, ports: UInt32 = 16, frameRingDepth: UInt32 = 2_048,
        policers: UInt32 = 1_024
    ) {
        self.sessions = sessions
        self.tunnels = tunnels
        self.circuits = circuits
        self.vlanBlocks = vlanBlocks
        self.workers = workers
        self.ports = ports
        self.frameRingDepth = frameRingDepth
        self.policers = policers
    }

    /// Whether every capacity lies in its range and is a power of two where it must be.
    public var isValid: Bool {
        func powerOfTwo(_ value: UInt32, _ range: ClosedRange<UInt32>) -> Bool {
            range.contains(value) && value.nonzeroBitCount == 1
        }
        return powerOfTwo(sessions, 64...1_048_576) && powerOfTwo(tunnels, 16...65_536)
            && powerOfTwo(circuits, 16...1_048_576) && (2...65_536).contains(vlanBlocks)
            && (1...64).contains(workers) && (1...32).contains(ports) && powerOfTwo(frameRingDepth, 64...65_536)
            && powerOfTwo(policers, 16...65_536)
    }
}
