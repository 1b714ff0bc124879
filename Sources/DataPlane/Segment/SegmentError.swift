/// Why a segment could not be created, adopted or opened. The description names what was found and what was expected.
public enum SegmentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A capacity lies outside its range or is not a power of two where it must be.
    case invalidGeometry(Geometry)
    /// A system call on the file failed; `code` is its errno.
    case system(call: String, path: String, code: Int32)
    /// Another data plane runs on this segment.
    case heldByDataPlane(path: String)
    /// Another culvertd writes this segment.
    case heldByControlPlane(path: String)
    /// The file does not start with the segment's magic; it is somebody else's and stays as it is.
    case foreignMagic(path: String, found: UInt64)
    /// The data plane that creates the segment has not finished.
    case unfinished(path: String)
    /// The segment was laid out by another version of the program.
    case layoutVersion(path: String, found: UInt32, expected: UInt32)
    /// Same version number, other sizes and offsets: the two programs come from different builds.
    case layoutHash(path: String, found: UInt64, expected: UInt64)
    /// The file is shorter than the segment that it should hold; sizes in bytes.
    case truncated(path: String, found: UInt64, expected: UInt64)
    /// A field of the header contradicts the geometry that the header itself gives.
    case inconsistentHeader(path: String, field: String, found: UInt64, expected: UInt64)
    /// The segment that is there has another geometry than the settings ask for.
    case geometryMismatch(path: String, found: Geometry, expected: Geometry)
    /// The workers' quiescent state could not be initialised.
    case quiescentState(path: String)

    /// One line for an operator: where, what was found, what was expected.
    public var description: String {
        switch self {
        case .invalidGeometry(let geometry):
            "the segment's geometry is out of range: \(geometry.summary)"
        case .system(let call, let path, let code):
            "\(path): \(call) failed: \(systemErrorText(code))"
        case .heldByDataPlane(let path):
            "\(path): another culvert-dataplane runs on this segment"
        case .heldByControlPlane(let path):
            "\(path): another culvertd writes this segment"
        case .foreignMagic(let path, let found):
            "\(path): not a Culvert segment (starts with 0x\(hex(found)))"
        case .unfinished(let path):
            "\(path): the segment is not finished; culvert-dataplane is starting, or ended before it was done"
        case .layoutVersion(let path, let found, let expected):
            "\(path): the segment has layout version \(found), this program understands version \(expected)"
        case .layoutHash(let path, let found, let expected):
            "\(path): the segment's layout hash is 0x\(hex(found)), this program's is 0x\(hex(expected)): "
                + "culvert-dataplane and culvertd are of different builds"
        case .truncated(let path, let found, let expected):
            "\(path): the file has \(found) bytes, the segment takes \(expected)"
        case .inconsistentHeader(let path, let field, let found, let expected):
            "\(path): the header gives \(found) for \(field), its geometry makes that \(expected)"
        case .geometryMismatch(let path, let found, let expected):
            "\(path): the segment was made for \(found.summary); the settings ask for \(expected.summary)"
        case .quiescentState(let path):
            "\(path): the workers' quiescent state could not be initialised"
        }
    }
}

/// `value` as 16 hexadecimal digits.
private func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

extension Geometry {
    /// The capacities as an error message lists them.
    var summary: String {
        "\(sessions) sessions, \(tunnels) tunnels, \(circuits) circuits, \(vlanBlocks) VLAN blocks, "
            + "\(workers) workers, \(ports) ports, \(frameRingDepth) frames a ring"
    }
}
