import CSegment

extension SegmentView {
    /// A view on `layout.totalSize` bytes that are mapped at `base`, which must be aligned to 4,096.
    public init(base: UnsafeMutableRawPointer, layout: SegmentLayout) {
        func section<Entry>(_ offset: Int, as type: Entry.Type = Entry.self) -> UnsafeMutablePointer<Entry> {
            (base + offset).assumingMemoryBound(to: type)
        }
        let geometry = layout.geometry
        self.init(
            header: section(0), ports: section(layout.ports), vlanEntries: section(layout.vlanBlocks),
            circuits: section(layout.circuits), tunnels: section(layout.tunnels), templates: section(layout.templates),
            upstream: section(layout.upstream), downstream: section(layout.downstream),
            upstreamFeatures: section(layout.upstreamFeatures),
            downstreamFeatures: section(layout.downstreamFeatures), policers: section(layout.policers),
            workers: section(layout.workers), quiescent: base + layout.quiescent, puntRing: section(layout.puntRing),
            injectRing: section(layout.injectRing), sessionMask: geometry.sessions - 1,
            tunnelMask: geometry.tunnels - 1, circuitMask: geometry.circuits - 1, vlanBlockCount: geometry.vlanBlocks,
            portCount: geometry.ports, workerCount: geometry.workers, policerMask: geometry.policers - 1,
            frameRingMask: UInt64(geometry.frameRingDepth - 1)
        )
    }
}
