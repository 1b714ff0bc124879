import CSegment

/// The segment's first page: written by the data plane that creates the segment, checked by everybody who maps it.
enum SegmentHeader {
    /// Whether a creation was cut short before its magic was published.
    static func isUnfinished(_ base: UnsafeMutableRawPointer, fileSize: Int) -> Bool {
        fileSize >= MemoryLayout<culvert_segment_header>.size
            && base.assumingMemoryBound(to: culvert_segment_header.self).pointee.magic == 0
    }

    /// Fills in everything but the magic, and the table entries whose empty value is not zero.
    static func write(at base: UnsafeMutableRawPointer, layout: SegmentLayout) {
        let geometry = layout.geometry
        var header = culvert_segment_header()
        header.layout_version = CULVERT_LAYOUT_VERSION
        header.header_size = UInt32(MemoryLayout<culvert_segment_header>.size)
        header.layout_hash = culvert_layout_hash()
        header.total_size = UInt64(layout.totalSize)
        header.session_capacity = geometry.sessions
        header.tunnel_capacity = geometry.tunnels
        header.circuit_capacity = geometry.circuits
        header.vlan_block_capacity = geometry.vlanBlocks
        header.worker_capacity = geometry.workers
        header.port_capacity = geometry.ports
        header.frame_ring_depth = geometry.frameRingDepth
        header.policer_capacity = geometry.policers
        header.ports_offset = UInt64(layout.ports)
        header.vlan_blocks_offset = UInt64(layout.vlanBlocks)
        header.circuits_offset = UInt64(layout.circuits)
        header.tunnels_offset = UInt64(layout.tunnels)
        header.templates_offset = UInt64(layout.templates)
        header.upstream_offset = UInt64(layout.upstream)
        header.downstream_offset = UInt64(layout.downstream)
        header.workers_offset = UInt64(layout.workers)
        header.quiescent_offset = UInt64(layout.quiescent)
        header.quiescent_size = UInt64(layout.quiescentSize)
        header.punt_ring_offset = UInt64(layout.puntRing)
        header.inject_ring_offset = UInt64(layout.injectRing)
        header.upstream_features_offset = UInt64(layout.upstreamFeatures)
        header.downstream_features_offset = UInt64(layout.downstreamFeatures)
        header.policers_offset = UInt64(layout.policers)
        header.controls_offset = UInt64(layout.controls)
        base.assumingMemoryBound(to: culvert_segment_header.self).pointee = header
        let ports = (base + layout.ports).assumingMemoryBound(to: culvert_port.self)
        for port in 0..<Int(geometry.ports) { ports[port].untagged_circuit = CULVERT_NO_INDEX }
    }

    /// Makes the segment one that others accept. Everything written before is visible to whoever sees the magic.
    static func publish(_ header: UnsafeMutablePointer<culvert_segment_header>) {
        culvert_store_release_u64(&header.pointee.magic, CULVERT_SEGMENT_MAGIC)
    }

    /// Checks the whole header against this program's layout and against the file's size, in bytes.
    /// - Throws: `SegmentError`.
    static func validate(
        _ base: UnsafeMutableRawPointer, fileSize: Int, path: String
    ) throws -> SegmentLayout {
        let pointer = base.assumingMemoryBound(to: culvert_segment_header.self)
        let magic = culvert_load_acquire_u64(&pointer.pointee.magic)
        guard magic != 0 else { throw SegmentError.unfinished(path: path) }
        guard magic == CULVERT_SEGMENT_MAGIC else { throw SegmentError.foreignMagic(path: path, found: magic) }
        let header = pointer.pointee
        guard header.layout_version == CULVERT_LAYOUT_VERSION else {
            throw SegmentError.layoutVersion(
                path: path, found: header.layout_version, expected: CULVERT_LAYOUT_VERSION)
        }
        guard header.layout_hash == culvert_layout_hash() else {
            throw SegmentError.layoutHash(path: path, found: header.layout_hash, expected: culvert_layout_hash())
        }
        let geometry = Geometry(
            sessions: header.session_capacity, tunnels: header.tunnel_capacity, circuits: header.circuit_capacity,
            vlanBlocks: header.vlan_block_capacity, workers: header.worker_capacity, ports: header.port_capacity,
            frameRingDepth: header.frame_ring_depth, policers: header.policer_capacity)
        guard geometry.isValid else { throw SegmentError.invalidGeometry(geometry) }
        let layout = SegmentLayout(geometry: geometry)
        func check(_ field: String, _ found: UInt64, _ expected: Int) throws {
            guard found == UInt64(expected) else {
                throw SegmentError.inconsistentHeader(
                    path: path, field: field, found: found, expected: UInt64(expected))
            }
        }
        try check("the header's size", UInt64(header.header_size), MemoryLayout<culvert_segment_header>.size)
        try check("the total size", header.total_size, layout.totalSize)
        let found = [
            header.ports_offset, header.vlan_blocks_offset, header.circuits_offset, header.tunnels_offset,
            header.templates_offset, header.upstream_offset, header.downstream_offset, header.workers_offset,
            header.quiescent_offset, header.quiescent_size, header.punt_ring_offset, header.inject_ring_offset,
            header.upstream_features_offset, header.downstream_features_offset, header.policers_offset,
            header.controls_offset,
        ]
        for (value, (name, offset)) in zip(found, layout.namedOffsets) { try check(name, value, offset) }
        guard fileSize >= layout.totalSize else {
            throw SegmentError.truncated(path: path, found: UInt64(fileSize), expected: UInt64(layout.totalSize))
        }
        return layout
    }
}
