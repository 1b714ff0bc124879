import CSegment

/// Where a process sees the segment's sections: one pointer a section and the masks that bound every index.
///
/// Made once, when the segment is mapped, from this process's own copy of the geometry. Nothing in here is read from the
/// segment again, so a value that the other process scribbles there cannot move a section or widen a mask.
/// It is a plain struct of pointers so that the forwarding loop keeps it in registers. So sections that no worker reads are not
/// in here: `TableWriter` has them.
@frozen
public struct SegmentView: @unchecked Sendable {
    /// The segment's first byte.
    public let header: UnsafeMutablePointer<culvert_segment_header>
    /// `portCount` entries.
    public let ports: UnsafeMutablePointer<culvert_port>
    /// 4,096 entries a block, block after block.
    public let vlanEntries: UnsafeMutablePointer<UInt32>
    /// Attachment circuits.
    public let circuits: UnsafeMutablePointer<culvert_circuit>
    /// Tunnels, by local tunnel id.
    public let tunnels: UnsafeMutablePointer<culvert_tunnel>
    /// Two a tunnel: index 2 * tunnel + selector.
    public let templates: UnsafeMutablePointer<culvert_template>
    /// Session lines access -> core.
    public let upstream: UnsafeMutablePointer<culvert_upstream>
    /// Session lines core -> access.
    public let downstream: UnsafeMutablePointer<culvert_downstream>
    /// Feature lines access -> core, by the session line's slot.
    public let upstreamFeatures: UnsafeMutablePointer<culvert_features>
    /// Feature lines core -> access, by the session line's slot.
    public let downstreamFeatures: UnsafeMutablePointer<culvert_features>
    /// Policers.
    public let policers: UnsafeMutablePointer<culvert_policer>
    /// Worker pages.
    public let workers: UnsafeMutablePointer<culvert_worker>
    /// The rte_rcu_qsbr variable, see `culvert_rcu.h`.
    public let quiescent: UnsafeMutableRawPointer
    /// Frames for culvertd.
    public let puntRing: UnsafeMutablePointer<culvert_frame_ring>
    /// Frames from culvertd.
    public let injectRing: UnsafeMutablePointer<culvert_frame_ring>

    /// Session capacity - 1.
    public let sessionMask: UInt32
    /// Tunnel capacity - 1.
    public let tunnelMask: UInt32
    /// Circuit capacity - 1.
    public let circuitMask: UInt32
    /// Number of VLAN blocks; an index must be below it.
    public let vlanBlockCount: UInt32
    /// Number of port entries; an index must be below it.
    public let portCount: UInt32
    /// Number of worker pages.
    public let workerCount: UInt32
    /// Policer capacity - 1.
    public let policerMask: UInt32
    /// Frame ring depth - 1.
    public let frameRingMask: UInt64
}
