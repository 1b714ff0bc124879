import CDPDK
import CSegment
import Foundation
import Segment
import Testing

/// Small enough that a test makes dozens of them.
let smallGeometry = Geometry(
    sessions: 1_024, tunnels: 64, circuits: 64, vlanBlocks: 16, workers: 4, ports: 4, frameRingDepth: 64)

/// What the data plane hands in: DPDK's own initialisation.
func initialiseQuiescentState(_ variable: UnsafeMutableRawPointer, _ size: Int, _ workers: UInt32) -> Bool {
    culvert_rcu_initialise(variable, UInt64(size), workers) == 0
}

func makeSegment(_ geometry: Geometry = smallGeometry) throws -> SegmentMapping {
    try .inMemory(geometry: geometry, initialiseQuiescentState: initialiseQuiescentState)
}

/// A path for a segment's file, removed when the value goes.
final class TemporaryPath {
    let path = "/dev/shm/culvert-test-\(UUID().uuidString)"
    deinit { unlink(path) }

    func attach(_ geometry: Geometry = smallGeometry, mode: UInt32 = 0o660) throws -> SegmentMapping {
        try .attachDataPlane(
            path: path, geometry: geometry, mode: mode, initialiseQuiescentState: initialiseQuiescentState)
    }

    /// Overwrites bytes of the file.
    func patch(_ bytes: [UInt8], at offset: UInt64) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: bytes)
        try file.close()
    }
}

/// The error that `body` throws; nil when it throws none.
func segmentError(_ body: () throws -> Void) throws -> SegmentError? {
    do {
        try body()
        return nil
    } catch let error as SegmentError {
        return error
    }
}

@Suite struct SegmentMappingTests {
    @Test func quiescentStateTakesWhatTheLibrarySays() {
        for workers in [1, 2, 16, 63, 64] as [UInt32] {
            let size = culvert_rcu_size(workers)
            #expect(size == UInt64(rte_rcu_qsbr_get_memsize(workers)))
        }
    }

    @Test(arguments: [
        smallGeometry, Geometry(),
        Geometry(
            sessions: 1_048_576, tunnels: 65_536, circuits: 1_048_576, vlanBlocks: 65_536, workers: 64, ports: 32,
            frameRingDepth: 65_536),
        Geometry(sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 2, workers: 1, ports: 1, frameRingDepth: 64),
    ])
    func sectionsAreAlignedAndDoNotOverlap(geometry: Geometry) {
        let layout = SegmentLayout(geometry: geometry)
        let sections = [
            (layout.ports, Int(geometry.ports) * 512), (layout.vlanBlocks, Int(geometry.vlanBlocks) * 16_384),
            (layout.circuits, Int(geometry.circuits) * 32), (layout.tunnels, Int(geometry.tunnels) * 64),
            (layout.templates, Int(geometry.tunnels) * 256), (layout.upstream, Int(geometry.sessions) * 64),
            (layout.downstream, Int(geometry.sessions) * 64), (layout.workers, Int(geometry.workers) * 4_096),
            (layout.quiescent, layout.quiescentSize),
            (layout.puntRing, 4_096 + Int(geometry.frameRingDepth) * 2_048),
            (layout.injectRing, 4_096 + Int(geometry.frameRingDepth) * 2_048), (layout.totalSize, 0),
        ]
        var end = 4_096
        for (offset, size) in sections {
            #expect(offset % 4_096 == 0)
            #expect(offset >= end)
            end = offset + size
        }
    }

    @Test func createsAndOpens() throws {
        let place = TemporaryPath()
        let dataPlane = try place.attach()
        #expect(!dataPlane.isAdopted)
        #expect(!dataPlane.isControlPlaneRunning)
        let control = try SegmentMapping.attachControlPlane(path: place.path)
        #expect(control.geometry == smallGeometry)
        #expect(control.layout == dataPlane.layout)
        #expect(control.isDataPlaneRunning)
        #expect(dataPlane.isControlPlaneRunning)
        #expect(control.view.header.pointee.dataplane_epoch == 1)
        #expect(control.view.header.pointee.control_epoch == 1)
        #expect(control.view.ports[3].untagged_circuit == CULVERT_NO_INDEX)
        control.view.upstream[7].reference = 4_711
        #expect(dataPlane.view.upstream[7].reference == 4_711, "both see the same memory")
    }

    @Test func modeHoldsWhateverTheMaskSays() throws {
        let place = TemporaryPath()
        let before = umask(0o077)
        defer { umask(before) }
        _ = try place.attach(mode: 0o660)
        var status = stat()
        #expect(stat(place.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
    }

    @Test func secondOfEachIsRefused() throws {
        let place = TemporaryPath()
        let dataPlane = try place.attach()
        #expect(try segmentError { _ = try place.attach() } == .heldByDataPlane(path: place.path))
        let control = try SegmentMapping.attachControlPlane(path: place.path)
        #expect(
            try segmentError { _ = try SegmentMapping.attachControlPlane(path: place.path) }
                == .heldByControlPlane(path: place.path))
        withExtendedLifetime((dataPlane, control)) {}
    }

    @Test func restartedDataPlaneAdoptsTheTables() throws {
        let place = TemporaryPath()
        var control: SegmentMapping?
        do {
            let first = try place.attach()
            control = try SegmentMapping.attachControlPlane(path: place.path)
            control?.view.upstream[5].reference = 99
            #expect(culvert_rcu_register(first.view.quiescent, 1) == 0)
            culvert_rcu_online(first.view.quiescent, 1)
        }
        #expect(control?.isDataPlaneRunning == false)
        let second = try place.attach()
        #expect(second.isAdopted)
        #expect(control?.isDataPlaneRunning == true)
        #expect(second.view.upstream[5].reference == 99)
        #expect(second.view.header.pointee.dataplane_epoch == 2)
        let token = culvert_rcu_start(second.view.quiescent)
        #expect(culvert_rcu_check(second.view.quiescent, token) == 1, "no reader of the first one is left")
    }

    @Test func otherGeometryIsNotAdopted() throws {
        let place = TemporaryPath()
        _ = try place.attach()
        var other = smallGeometry
        other.sessions = 2_048
        let error = try segmentError { _ = try place.attach(other) }
        #expect(error == .geometryMismatch(path: place.path, found: smallGeometry, expected: other))
        #expect(error?.description.contains("1024 sessions") == true)
        #expect(error?.description.contains("2048 sessions") == true)
        #expect(try place.attach().isAdopted, "the refusal left it as it was")
    }

    @Test func invalidGeometryIsRefused() throws {
        var odd = smallGeometry
        odd.sessions = 1_000
        let place = TemporaryPath()
        #expect(try segmentError { _ = try place.attach(odd) } == .invalidGeometry(odd))
        #expect(try segmentError { _ = try makeSegment(odd) } == .invalidGeometry(odd))
    }

    @Test func unfinishedCreationIsMadeAnew() throws {
        let place = TemporaryPath()
        _ = try place.attach()
        try place.patch([UInt8](repeating: 0, count: 8), at: 0)
        #expect(
            try segmentError { _ = try SegmentMapping.attachControlPlane(path: place.path) }
                == .unfinished(path: place.path))
        #expect(try !place.attach().isAdopted)
        #expect(try SegmentMapping.attachControlPlane(path: place.path).geometry == smallGeometry)
    }

    @Test func missingFileNamesTheCall() throws {
        let error = try segmentError { _ = try SegmentMapping.attachControlPlane(path: "/dev/shm/culvert-none") }
        #expect(error == .system(call: "open", path: "/dev/shm/culvert-none", code: ENOENT))
        #expect(error?.description == "/dev/shm/culvert-none: open failed: No such file or directory")
    }

    /// Bytes at an offset of the header, and a part of the text that refuses them.
    static let spoiled: [(offset: UInt64, bytes: [UInt8], text: String)] = [
        (0, Array("NOTMINE!".utf8), "not a Culvert segment (starts with 0x21454e494d544f4e)"),
        (8, [1, 0, 0, 0], "the segment has layout version 1, this program understands version 5"),
        (8, [9, 0, 0, 0], "the segment has layout version 9, this program understands version 5"),
        (16, [0xff, 0xff], "of different builds"),
        (12, [1, 0, 0, 0], "the header gives 1 for the header's size, its geometry makes that 4096"),
        (24, [0, 0, 0, 0, 1], "for the total size"),
        (32, [0xff, 0xff, 0xff, 0xff], "out of range: 4294967295 sessions"),
        (32, [0, 8, 0, 0], "for the total size"),
        (44, [0, 0, 0, 0], "out of range"),
        (64, [0, 0x20], "for ports"), (72, [1], "for VLAN blocks"), (80, [1], "for circuits"),
        (88, [1], "for tunnels"), (96, [1], "for templates"), (104, [1], "for upstream"), (112, [1], "for downstream"),
        (120, [1], "for workers"), (128, [1], "for quiescent state"), (136, [1], "for quiescent state's size"),
        (144, [1], "for punt ring"), (152, [1], "for inject ring"),
    ]

    @Test(arguments: spoiled.indices)
    func spoiledHeaderIsRefusedByBoth(index: Int) throws {
        let (offset, bytes, text) = Self.spoiled[index]
        let place = TemporaryPath()
        _ = try place.attach()
        try place.patch(bytes, at: offset)
        for attach in [{ try place.attach() }, { try SegmentMapping.attachControlPlane(path: place.path) }] {
            let error = try segmentError { _ = try attach() }
            #expect(error?.description.contains(text) == true, "\(String(describing: error))")
        }
    }

    @Test(arguments: [100, 4_096, 8_192, 100_000])
    func truncatedFileIsRefused(size: Int) throws {
        let place = TemporaryPath()
        let total = try place.attach().layout.totalSize
        #expect(truncate(place.path, size) == 0)
        let expected = SegmentError.truncated(
            path: place.path, found: UInt64(size), expected: UInt64(size < 4_096 ? 4_096 : total))
        #expect(try segmentError { _ = try SegmentMapping.attachControlPlane(path: place.path) } == expected)
        #expect(try segmentError { _ = try place.attach() } == expected)
    }

    @Test func emptyFileIsNoSegmentYet() throws {
        let place = TemporaryPath()
        #expect(FileManager.default.createFile(atPath: place.path, contents: Data()))
        #expect(
            try segmentError { _ = try SegmentMapping.attachControlPlane(path: place.path) }
                == .truncated(path: place.path, found: 0, expected: 4_096))
    }

    @Test func segmentInMemoryIsOpenedByItsPath() throws {
        let dataPlane = try makeSegment()
        let control = try SegmentMapping.attachControlPlane(path: dataPlane.path)
        #expect(control.isDataPlaneRunning)
        control.view.tunnels[3].peer_tunnel_id = 77
        #expect(dataPlane.view.tunnels[3].peer_tunnel_id == 77)
    }

    /// hugetlbfs gives and takes whole huge pages only.
    @Test(.enabled("the system has no free huge page", { freeHugePages() >= 2 }))
    func segmentOnHugePages() throws {
        let dataPlane = try SegmentMapping.inMemory(
            geometry: smallGeometry, hugePages: true, initialiseQuiescentState: initialiseQuiescentState)
        let control = try SegmentMapping.attachControlPlane(path: dataPlane.path)
        #expect(control.layout == dataPlane.layout)
        let writer = TableWriter.recovering(control).writer
        _ = try writer.allocateTunnel(owner: .external)
        #expect(try segmentError { _ = try SegmentMapping.attachControlPlane(path: dataPlane.path) } != nil)
    }
}

/// Huge pages of the default size that nobody has.
private func freeHugePages() -> Int {
    let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("HugePages_Free:") }
    return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
}
