import CDPDK
import CSegment

/// The one writer of the segment's tables: ports' configuration, VLAN blocks, circuits, tunnels and sessions.
///
/// It belongs to culvertd, and to one thread of it. An entry is written whole in a free place and published by one release
/// store; a removal unpublishes, waits until every worker has passed a quiescent point, then frees. Waiting is a queue that
/// `reclaim` drains; nothing here blocks. Whatever instruction the process ends at, the workers see the old state or the
/// new one, and the next writer takes back what was left half done (`recovering`).
///
/// What it keeps for itself is compact arrays (free places, numbers of users), a few bytes a session; everything else it
/// reads from the segment.
public final class TableWriter {
    /// The segment that is written.
    public let segment: SegmentMapping

    let view: SegmentView
    /// Control channels, by local tunnel id.
    let controls: UnsafeMutablePointer<culvert_control>
    var upstreamPool: SlotPool
    var downstreamPool: SlotPool
    var freeTunnels: IndexQueue
    var freeCircuits: IndexQueue
    var freeBlocks: IndexQueue
    /// Entries that are not 0, by VLAN block.
    var blockUse: [UInt16]
    /// Sessions that were allocated and not yet removed, by tunnel.
    var tunnelSessions: [UInt32]
    /// Whether a worker may still read the template of the tunnel that is not in force, by tunnel.
    var isTemplateResting: [Bool]
    /// Templates that wait until the one not in force becomes writable, by tunnel.
    var waitingTemplates: [UInt32: culvert_template] = [:]
    var waiting = GraceQueue()
    var policers: PolicerPool

    /// A writer that considers nothing free and nothing used; `recovering` fills it in.
    init(segment: SegmentMapping) {
        let geometry = segment.geometry
        self.segment = segment
        view = segment.view
        controls = (UnsafeMutableRawPointer(view.header) + segment.layout.controls).assumingMemoryBound(
            to: culvert_control.self)
        upstreamPool = SlotPool(slots: geometry.sessions, owners: geometry.circuits)
        downstreamPool = SlotPool(slots: geometry.sessions, owners: geometry.tunnels)
        freeTunnels = IndexQueue(capacity: Int(geometry.tunnels))
        freeCircuits = IndexQueue(capacity: Int(geometry.circuits))
        freeBlocks = IndexQueue(capacity: Int(geometry.vlanBlocks))
        blockUse = [UInt16](repeating: 0, count: Int(geometry.vlanBlocks))
        tunnelSessions = [UInt32](repeating: 0, count: Int(geometry.tunnels))
        policers = PolicerPool(view)
        isTemplateResting = [Bool](repeating: false, count: Int(geometry.tunnels))
    }

    /// How many places of each kind are free, and how many entries wait for a grace period.
    public var occupancy: Occupancy {
        Occupancy(
            freeUpstream: upstreamPool.freeSlots, freeDownstream: downstreamPool.freeSlots,
            freeTunnels: UInt32(freeTunnels.count), freeCircuits: UInt32(freeCircuits.count),
            freeVLANBlocks: UInt32(freeBlocks.count), freePolicers: UInt32(policers.freeCount), waiting: waiting.count)
    }
}

/// What is free in the tables.
public struct Occupancy: Hashable, Sendable {
    /// Session slots access -> core.
    public let freeUpstream: UInt32
    /// Session slots core -> access.
    public let freeDownstream: UInt32
    /// Local tunnel ids, of the geometry's `tunnels` - 1.
    public let freeTunnels: UInt32
    /// Attachment circuits.
    public let freeCircuits: UInt32
    /// VLAN blocks, of the geometry's `vlanBlocks` - 1.
    public let freeVLANBlocks: UInt32
    /// Policers.
    public let freePolicers: UInt32
    /// Entries that were unpublished and wait until every worker has passed a quiescent point.
    public let waiting: Int

    /// What is free, given number by number.
    public init(
        freeUpstream: UInt32, freeDownstream: UInt32, freeTunnels: UInt32, freeCircuits: UInt32,
        freeVLANBlocks: UInt32, freePolicers: UInt32, waiting: Int
    ) {
        self.freeUpstream = freeUpstream
        self.freeDownstream = freeDownstream
        self.freeTunnels = freeTunnels
        self.freeCircuits = freeCircuits
        self.freeVLANBlocks = freeVLANBlocks
        self.freePolicers = freePolicers
        self.waiting = waiting
    }
}
