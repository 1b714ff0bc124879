import CSegment
import Glibc

/// The shared segment, mapped into this process.
///
/// The data plane creates the segment or, after a restart, adopts the one that is there; culvertd opens it. Each of them
/// holds a lock on the file for as long as the mapping lives, so a second of either is refused and each can tell whether
/// the other runs. `view` must not be used after the mapping is gone.
public final class SegmentMapping: Sendable {
    /// Makes the workers' quiescent state ready at this address, of this size in bytes, for this many workers; false when
    /// it cannot. Only the data plane links DPDK's libraries, so it hands in `culvert_rcu_initialise` of `CDPDK`.
    public typealias QuiescentInitialiser = (UnsafeMutableRawPointer, Int, UInt32) -> Bool

    /// Where the sections are.
    public let view: SegmentView
    /// Which sizes they have.
    public let layout: SegmentLayout
    /// Where the file is. For a segment in memory a path below /proc that processes of the same user may open.
    public let path: String
    /// Whether the data plane found the segment there and took it over, tables and all.
    public let isAdopted: Bool

    private let file: SegmentFile
    private let base: Int
    private let mappedSize: Int

    /// What the tables can hold.
    public var geometry: Geometry { layout.geometry }

    /// Whether another mapping of this segment holds the data plane's lock: a data plane that may have workers running.
    public var isDataPlaneRunning: Bool { file.isHeldElsewhere(.dataPlane) }
    /// Whether another mapping of this segment holds culvertd's lock.
    public var isControlPlaneRunning: Bool { file.isHeldElsewhere(.controlPlane) }

    /// Whether `path` still leads to this segment; false when the file was removed, or replaced by another.
    public var isStillAtPath: Bool { file.isStillAtPath }

    private init(
        file: SegmentFile, base: UnsafeMutableRawPointer, mappedSize: Int, layout: SegmentLayout, isAdopted: Bool
    ) {
        self.file = file
        self.base = Int(bitPattern: base)
        self.mappedSize = mappedSize
        self.layout = layout
        self.isAdopted = isAdopted
        path = file.path
        view = SegmentView(base: base, layout: layout)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(bitPattern: base), mappedSize)
        file.close()
    }

    /// The data plane's entry: creates the segment at `path` or adopts the one that is there.
    ///
    /// `path` lies on hugetlbfs or on tmpfs (/dev/shm). An adopted segment keeps its tables; its quiescent state is made
    /// anew, for the readers of the data plane before are gone, and `dataplane_epoch` goes up by one after that. A file that
    /// is not a segment, or one of another layout or geometry, is left as it is.
    /// - Parameter mode: permission bits of a file that is created, whatever the umask says.
    /// - Throws: `SegmentError`.
    public static func attachDataPlane(
        path: String, geometry: Geometry, mode: UInt32 = 0o660, initialiseQuiescentState: QuiescentInitialiser
    ) throws -> SegmentMapping {
        guard geometry.isValid else { throw SegmentError.invalidGeometry(geometry) }
        return try closingOnFailure(SegmentFile(path: path, creatingWithMode: mode)) { file in
            guard try file.lock(.dataPlane) else { throw SegmentError.heldByDataPlane(path: path) }
            return try attach(file, SegmentLayout(geometry: geometry), initialiseQuiescentState)
        }
    }

    /// A segment in memory that vanishes with its last mapping: for tests and benches. The caller is its data plane.
    /// - Parameter hugePages: back it by huge pages; throws where the system has none to give.
    /// - Throws: `SegmentError`.
    public static func inMemory(
        geometry: Geometry, hugePages: Bool = false, initialiseQuiescentState: QuiescentInitialiser
    ) throws -> SegmentMapping {
        guard geometry.isValid else { throw SegmentError.invalidGeometry(geometry) }
        return try closingOnFailure(SegmentFile(inMemoryNamed: "culvert-segment", hugePages: hugePages)) { file in
            guard try file.lock(.dataPlane) else { throw SegmentError.heldByDataPlane(path: file.path) }
            return try attach(file, SegmentLayout(geometry: geometry), initialiseQuiescentState)
        }
    }

    /// culvertd's entry: opens the segment at `path` as its one writer, with the geometry that its header gives.
    /// - Throws: `SegmentError`.
    public static func attachControlPlane(path: String) throws -> SegmentMapping {
        try closingOnFailure(SegmentFile(path: path, creatingWithMode: nil)) { file in
            guard try file.lock(.controlPlane) else { throw SegmentError.heldByControlPlane(path: path) }
            let mapping = try map(file, size: try file.size()) { base, size in
                try SegmentHeader.validate(base, fileSize: size, path: path)
            }
            let header = mapping.view.header
            header.pointee.control_pid = UInt64(getpid())
            header.pointee.control_epoch &+= 1
            return mapping
        }
    }

    private static func attach(
        _ file: SegmentFile, _ layout: SegmentLayout, _ initialiseQuiescentState: QuiescentInitialiser
    ) throws -> SegmentMapping {
        let neededSize = try file.roundedUp(layout.totalSize)
        let foundSize = try file.size()
        let isUnfinished = try foundSize == neededSize && hasNoMagic(file, size: foundSize)
        let mapping: SegmentMapping
        if foundSize == 0 || isUnfinished {
            // A creation that was cut short left the right size and no magic: nothing in it can be worth keeping.
            try file.discardContents()
            try file.reserve(neededSize)
            mapping = try map(file, size: neededSize) { base, _ in
                SegmentHeader.write(at: base, layout: layout)
                return layout
            }
        } else {
            mapping = try map(file, size: foundSize, isAdopted: true) { base, size in
                let found = try SegmentHeader.validate(base, fileSize: size, path: file.path)
                guard found.geometry == layout.geometry else {
                    throw SegmentError.geometryMismatch(
                        path: file.path, found: found.geometry, expected: layout.geometry)
                }
                return found
            }
        }
        let view = mapping.view
        guard initialiseQuiescentState(view.quiescent, layout.quiescentSize, layout.geometry.workers) else {
            throw SegmentError.quiescentState(path: file.path)
        }
        view.header.pointee.dataplane_pid = UInt64(getpid())
        view.header.pointee.dataplane_started_ns = culvert_monotonic_ns()
        // The epoch last: a writer that sees the new one sees the new quiescent state. The fence is the data plane's half
        // of an agreement with TableWriter, which unpublishes, fences and reads the epoch: either it reads the new
        // epoch, or no worker of this data plane can still find what it unpublished.
        culvert_store_release_u64(&view.header.pointee.dataplane_epoch, view.header.pointee.dataplane_epoch &+ 1)
        culvert_fence()
        SegmentHeader.publish(view.header)
        return mapping
    }

    private static func hasNoMagic(_ file: SegmentFile, size: Int) throws -> Bool {
        let base = try file.map(size)
        defer { munmap(base, size) }
        return SegmentHeader.isUnfinished(base, fileSize: size)
    }

    private static func map(
        _ file: SegmentFile, size: Int, isAdopted: Bool = false,
        layout: (UnsafeMutableRawPointer, Int) throws -> SegmentLayout
    ) throws -> SegmentMapping {
        let smallest = MemoryLayout<culvert_segment_header>.size
        guard size >= smallest else {
            throw SegmentError.truncated(path: file.path, found: UInt64(size), expected: UInt64(smallest))
        }
        let base = try file.map(size)
        do {
            let layout = try layout(base, size)
            return SegmentMapping(file: file, base: base, mappedSize: size, layout: layout, isAdopted: isAdopted)
        } catch {
            munmap(base, size)
            throw error
        }
    }

    private static func closingOnFailure(
        _ file: SegmentFile, _ body: (SegmentFile) throws -> SegmentMapping
    ) throws -> SegmentMapping {
        do {
            return try body(file)
        } catch {
            file.close()
            throw error
        }
    }
}
