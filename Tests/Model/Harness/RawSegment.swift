import CDPDK
import Segment

/// The segment as octets, for what the model writes there itself: templates, features, policers and addresses, laid out as
/// culvert_segment.h says and not as anybody's code does.
struct RawSegment {
    private let base: UnsafeMutableRawPointer
    private let places: SegmentLayout

    init(_ segment: SegmentMapping) {
        base = UnsafeMutableRawPointer(segment.view.header)
        places = SegmentLayout(geometry: segment.geometry)
    }

    /// `section NAME OFFSET` of each table, and `hertz`, the cycles a second of the workers' clock.
    var layout: [String] {
        [
            ("ports", places.ports), ("circuits", places.circuits), ("tunnels", places.tunnels),
            ("templates", places.templates), ("upstream", places.upstream), ("downstream", places.downstream),
            ("upstream_features", places.upstreamFeatures), ("downstream_features", places.downstreamFeatures),
            ("policers", places.policers),
        ].map { "section \($0) \($1)" } + ["hertz \(culvert_cycles_per_second())"]
    }

    /// Writes octets at an offset.
    func poke(_ octets: [UInt8], at offset: Int) throws {
        guard offset >= 0, octets.count <= places.totalSize - offset else {
            throw Command.Fault(description: "poke: beyond the segment")
        }
        (base + offset).copyMemory(from: octets, byteCount: octets.count)
    }

    /// Octets at an offset.
    func peek(_ offset: Int, count: Int) throws -> UnsafeRawBufferPointer {
        guard offset >= 0, count >= 0, count <= places.totalSize - offset else {
            throw Command.Fault(description: "peek: beyond the segment")
        }
        return UnsafeRawBufferPointer(start: base + offset, count: count)
    }
}
