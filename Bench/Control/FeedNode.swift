import CDPDK
import Foundation
import RPC
import Segment
import Wire

/// A segment such as the data plane makes, and a culvertd on it.
final class FeedNode {
    static let localAddress = IPv4Address(value: 0xc000_0201)

    private let segment: SegmentMapping
    private let daemon = Process()
    private let folder: URL
    private let segmentPath: String

    init(culvertd: String) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "culvert-feed-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        segmentPath = "/dev/shm/culvert-feed-\(getpid())"
        let geometry = Geometry(
            sessions: 1_048_576, tunnels: 8_192, circuits: 4_096, vlanBlocks: 64, workers: 1, ports: 2,
            frameRingDepth: 64)
        segment = try SegmentMapping.attachDataPlane(path: segmentPath, geometry: geometry) { memory, size, workers in
            culvert_rcu_initialise(memory, UInt64(size), workers) == 0
        }
        for (index, name) in ["access0", "core0"].enumerated() {
            let port = segment.view.ports + index
            withUnsafeMutableBytes(of: &port.pointee.name) { $0.copyBytes(from: name.utf8) }
            withUnsafeMutableBytes(of: &port.pointee.mac) { $0.copyBytes(from: [2, 0, 0, 0, 0, UInt8(index + 1)]) }
            port.pointee.mtu = 1_500
            port.pointee.present = 1
        }
        let configuration = folder.appending(path: "culvert.yaml")
        try Data(
            """
            dataplane:
              segment: \(segmentPath)
              cores: "1"
              ports:
                - {name: access0, device: "net_null0"}
                - {name: core0, device: "net_null1"}
            control:
              rpc-socket: \(socket)
            interfaces:
              - {name: core0, ip-address: 192.0.2.1/24}
            """.utf8
        ).write(to: configuration)
        daemon.executableURL = URL(filePath: culvertd)
        daemon.arguments = ["--config", configuration.path]
        daemon.standardOutput = FileHandle.nullDevice
        daemon.standardError = FileHandle.nullDevice
        try daemon.run()
    }

    private var socket: String { folder.appending(path: "culvertd.sock").path }

    /// Runs `body` with a client of the daemon, as soon as it answers.
    func connected<Result: Sendable>(_ body: @Sendable (RPCClient) async throws -> Result) async throws -> Result {
        for _ in 0..<200 where !FileManager.default.fileExists(atPath: socket) {
            guard daemon.isRunning else {
                throw BenchError("culvertd has ended with status \(daemon.terminationStatus)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await RPCClient.connect(to: socket, body)
    }

    /// Ends the daemon and takes its files away.
    func end() {
        daemon.terminate()
        daemon.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
        try? FileManager.default.removeItem(atPath: segmentPath)
    }
}
