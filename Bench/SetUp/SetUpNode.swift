import Foundation
import Observability
import RPC
import Synchronization
import Wire

/// A real Culvert between two shared-memory ports of this program: its data plane, then its control plane.
final class SetUpNode {
    static let address = IPv4Address(value: 0x0a63_0001)
    static let lnsAddresses = (2..<10).map { IPv4Address(value: 0x0a63_0000 + $0) }
    static let outerVLANs = 100...115
    static let innerVLANs = 1...32

    private let folder: URL
    private let segment: String
    private let programs: String
    private var dataPlane: Process?
    private var daemon: Process?

    /// A folder for the sockets, logs and settings of a node whose programs lie in `programs`.
    init(programs: String) throws {
        self.programs = programs
        folder = FileManager.default.temporaryDirectory.appending(path: "culvert-setup-\(getpid())")
        segment = "/dev/shm/culvert-setup-\(getpid())"
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// DPDK's device strings of this program's two ports, access side and core side.
    var nearDevices: [String] {
        (0..<2).map { "net_memif_near\($0),role=server,id=\($0),socket=\(memif),socket-abstract=no" }
    }

    private var memif: String { folder.appending(path: "memif.sock").path }
    private var socket: String { folder.appending(path: "culvertd.sock").path }
    /// Where the programs' logs are.
    var logs: String { folder.path }
    /// The daemon's process, and the data plane's.
    var daemonID: Int32 { daemon?.processIdentifier ?? 0 }
    var dataPlaneID: Int32 { dataPlane?.processIdentifier ?? 0 }

    /// Starts both. This program's ports must be there.
    func start(_ plan: TunnelPlan, hello: Int, hasDefaultLimits: Bool) throws {
        let configuration = folder.appending(path: "culvert.yaml")
        try Data(text(plan, hello: hello, hasDefaultLimits: hasDefaultLimits).utf8).write(to: configuration)
        dataPlane = try program("culvert-dataplane", configuration)
        daemon = try program("culvertd", configuration)
    }

    /// Kills culvertd wherever it is.
    func killDaemon() {
        guard let daemon else { return }
        kill(daemon.processIdentifier, SIGKILL)
        daemon.waitUntilExit()
        // What its socket's file says of whether it can be asked is of before.
        try? FileManager.default.removeItem(atPath: socket)
    }

    /// Starts culvertd on what the one before has left.
    func startDaemon() throws { daemon = try program("culvertd", folder.appending(path: "culvert.yaml")) }

    private func program(_ name: String, _ configuration: URL) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "\(programs)/\(name)")
        process.arguments = ["--config", configuration.path]
        let log = folder.appending(path: "\(name).log")
        if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
        let output = try FileHandle(forWritingTo: log)
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return process
    }

    /// The settings. Unless they are to be the defaults, the limits of the punt path are well above what is to be measured.
    private func text(_ plan: TunnelPlan, hello: Int, hasDefaultLimits: Bool) -> String {
        let limits = """
              frame-ring-depth: 16384
              punt-limits: {pppoe-discovery: 20000, ppp-control: 50000, l2tp-control: 50000}
            """
        let cores = ProcessInfo.processInfo.processorCount
        func lnss(_ half: Int) -> String {
            Self.lnsAddresses.dropFirst(4 * half).prefix(4).map { "{address: \($0)}" }.joined(separator: ", ")
        }
        return """
            dataplane:
              segment: \(segment)
              main-core: 0
              cores: "\(cores > 1 ? 1 : 0)"
              idle: sleep 50
              sessions: \(Self.powerOfTwo(plan.sessions * 17 / 16))
              # A tunnel that the LNS has ended keeps its id for a while, to acknowledge what the LNS repeats.
              tunnels: \(Self.powerOfTwo(plan.tunnels * 2))
              telemetry: false
              ports:
                - {name: access0, mtu: 1500, device: "net_memif0,mac=02:00:5e:00:00:a0,\(far(0))"}
                - {name: core0, device: "net_memif1,mac=02:00:5e:00:00:c0,\(far(1))"}
            \(hasDefaultLimits ? "" : limits)
            control:
              rpc-socket: \(socket)
              store: \(folder.appending(path: "culvert.sqlite").path)
            interfaces:
              - name: access0
                pppoe-ac-service: bench
                vlans: \(Self.outerVLANs.lowerBound)-\(Self.outerVLANs.upperBound)
                inner-vlans: \(Self.innerVLANs.lowerBound)-\(Self.innerVLANs.upperBound)
              - {name: core0, ip-address: \(Self.address)/24}
            pppoe-ac:
              - name: bench
                service-name: any
                destination: l2tp
                l2tp: {peer-address: domain-map, profile: large}
            l2tp-profile:
              - {name: large, shared-secret: tunsecret, session-limit: \(plan.small + 1), hello-timeout: \(hello), \
            idle-timeout: 5}
              - {name: small, shared-secret: tunsecret, session-limit: \(plan.small), hello-timeout: \(hello), \
            idle-timeout: 5}
            l2tp-domain:
              - {domain: \(TunnelPlan.domains[0]), profile: large, tunnels: [\(lnss(0))]}
              - {domain: \(TunnelPlan.domains[1]), profile: small, tunnels: [\(lnss(1))]}

            """
    }

    private func far(_ id: Int) -> String { "role=client,id=\(id),socket=\(memif),socket-abstract=no,rsize=12" }

    private static func powerOfTwo(_ number: Int) -> Int {
        var power = 64
        while power < number { power *= 2 }
        return power
    }

    /// The tags of client `number`: 512 attachment circuits.
    static func tags(_ number: Int) -> [EthernetFrame.VLANTag] {
        let outer = outerVLANs.lowerBound + number % outerVLANs.count
        let inner = innerVLANs.lowerBound + number / outerVLANs.count % innerVLANs.count
        return [
            EthernetFrame.VLANTag(protocolID: 0x88a8, id: UInt16(outer)), EthernetFrame.VLANTag(id: UInt16(inner)),
        ]
    }

    // MARK: Asking it

    /// Whether it can be asked.
    var answers: Bool { FileManager.default.fileExists(atPath: socket) }

    /// Throws when one of the two has ended.
    func checkRunning() throws {
        for process in [dataPlane, daemon] {
            guard let process, !process.isRunning else { continue }
            throw SetUpError(
                "\(process.executableURL?.lastPathComponent ?? "") has ended with status \(process.terminationStatus), "
                    + "see \(logs)")
        }
    }

    /// Asks the daemon while `network` plays on.
    func ask<Answer: Sendable>(
        _ network: SimulatedNetwork, _ body: @escaping @Sendable (RPCClient) async throws -> Answer
    ) throws -> Answer {
        let answer = AnswerBox<Answer>()
        let socket = socket
        Task {
            let result: Result<Answer, any Error>
            do { result = .success(try await RPCClient.connect(to: socket, body)) } catch { result = .failure(error) }
            answer.result.withLock { $0 = result }
        }
        network.run(patience: .seconds(60)) { _ in answer.result.withLock { $0 != nil } }
        guard let result = answer.result.withLock({ $0 }) else { throw SetUpError("culvertd does not answer") }
        return try result.get()
    }

    /// Entries in use, by the table's name.
    func occupancy(_ network: SimulatedNetwork) throws -> [String: Int] {
        try ask(network) { client in
            Dictionary(uniqueKeysWithValues: try await client.status().capacities.map { ($0.name, Int($0.used)) })
        }
    }

    /// Ends both and takes their files away.
    func end(keepingLogs: Bool) {
        for process in [daemon, dataPlane] {
            process?.terminate()
            process?.waitUntilExit()
        }
        if !keepingLogs { try? FileManager.default.removeItem(at: folder) }
        try? FileManager.default.removeItem(atPath: segment)
    }
}

/// Where a task leaves its answer.
private final class AnswerBox<Answer: Sendable>: Sendable {
    let result = Mutex<Result<Answer, any Error>?>(nil)
}
