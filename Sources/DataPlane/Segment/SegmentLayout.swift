import CDPDK
import CSegment

/// Where the segment's sections lie for a geometry: the one computation that both processes use.
///
/// A process derives every offset from the geometry here and compares the header's offsets with the result; the header's
/// own values are never used to reach memory.
public struct SegmentLayout: Hashable, Sendable {
    /// The geometry that the layout belongs to.
    public let geometry: Geometry

    /// Offset of the ports, in bytes from the segment's first byte, as are all that follow.
    public let ports: Int
    /// Offset of the VLAN blocks.
    public let vlanBlocks: Int
    /// Offset of the attachment circuits.
    public let circuits: Int
    /// Offset of the tunnels.
    public let tunnels: Int
    /// Offset of the tunnels' outer header templates.
    public let templates: Int
    /// Offset of the session lines access -> core.
    public let upstream: Int
    /// Offset of the session lines core -> access.
    public let downstream: Int
    /// Offset of the feature lines access -> core.
    public let upstreamFeatures: Int
    /// Offset of the feature lines core -> access.
    public let downstreamFeatures: Int
    /// Offset of the policers.
    public let policers: Int
    /// Offset of the tunnels' control channels.
    public let controls: Int
    /// Offset of the worker pages.
    public let workers: Int
    /// Offset of the workers' quiescent state.
    public let quiescent: Int
    /// Bytes of the workers' quiescent state.
    public let quiescentSize: Int
    /// Offset of the punt ring.
    public let puntRing: Int
    /// Offset of the inject ring.
    public let injectRing: Int
    /// Bytes of the whole segment, a multiple of 4,096.
    public let totalSize: Int

    /// The layout for `geometry`, which must be valid (`Geometry.isValid`); its ranges keep every sum below 2 GiB.
    public init(geometry: Geometry) {
        precondition(geometry.isValid, "a segment's geometry is checked before it is laid out")
        var end = MemoryLayout<culvert_segment_header>.stride
        // Sections start on a page of their own, so that no two writers share one.
        func section(_ size: Int) -> Int {
            let offset = (end + 4_095) / 4_096 * 4_096
            end = offset + size
            return offset
        }
        let ring = MemoryLayout<culvert_frame_ring>.stride
        let frames = Int(geometry.frameRingDepth) * MemoryLayout<culvert_frame>.stride
        self.geometry = geometry
        ports = section(Int(geometry.ports) * MemoryLayout<culvert_port>.stride)
        vlanBlocks = section(Int(geometry.vlanBlocks) * MemoryLayout<culvert_vlan_block>.stride)
        circuits = section(Int(geometry.circuits) * MemoryLayout<culvert_circuit>.stride)
        tunnels = section(Int(geometry.tunnels) * MemoryLayout<culvert_tunnel>.stride)
        templates = section(Int(geometry.tunnels) * 2 * MemoryLayout<culvert_template>.stride)
        upstream = section(Int(geometry.sessions) * MemoryLayout<culvert_upstream>.stride)
        downstream = section(Int(geometry.sessions) * MemoryLayout<culvert_downstream>.stride)
        upstreamFeatures = section(Int(geometry.sessions) * MemoryLayout<culvert_features>.stride)
        downstreamFeatures = section(Int(geometry.sessions) * MemoryLayout<culvert_features>.stride)
        policers = section(Int(geometry.policers) * MemoryLayout<culvert_policer>.stride)
        controls = section(Int(geometry.tunnels) * MemoryLayout<culvert_control>.stride)
        workers = section(Int(geometry.workers) * MemoryLayout<culvert_worker>.stride)
        quiescentSize = Int(culvert_rcu_size(geometry.workers))
        quiescent = section(quiescentSize)
        puntRing = section(ring + frames)
        injectRing = section(ring + frames)
        totalSize = (end + 4_095) / 4_096 * 4_096
    }

    /// Every offset in the order of the header's fields, with the name that an error message uses.
    var namedOffsets: [(name: String, offset: Int)] {
        [
            ("ports", ports), ("VLAN blocks", vlanBlocks), ("circuits", circuits), ("tunnels", tunnels),
            ("templates", templates), ("upstream", upstream), ("downstream", downstream), ("workers", workers),
            ("quiescent state", quiescent), ("quiescent state's size", quiescentSize), ("punt ring", puntRing),
            ("inject ring", injectRing), ("upstream features", upstreamFeatures),
            ("downstream features", downstreamFeatures), ("policers", policers), ("control channels", controls),
        ]
    }
}
