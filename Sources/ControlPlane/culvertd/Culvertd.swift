import ArgumentParser
import Configuration
import Foundation
import LogLines
import Logging
import Metrics
import RPC
import Roles
import Segment
import ServiceLifecycle
import Settings

@main
struct Culvertd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "culvertd",
        abstract: "Culvert's control plane: PPPoE access concentrator and L2TP access concentrator.",
        discussion: """
            Reads one configuration file, opens the shared segment of a running culvert-dataplane, and serves clients until \
            SIGTERM or SIGINT. Ends with status 0 then, and with another after any failure.
            """,
        version: culvertVersion)

    @Option(name: [.short, .long], help: "The configuration file.", completion: .file(extensions: ["yaml"]))
    var config = "/etc/culvert/culvert.yaml"

    @Flag(help: "Read the configuration, say what is wrong with it, and end.")
    var check = false

    @Option(help: "Seconds to wait for the data plane to make its segment.")
    var wait = 30

    func run() async throws {
        let configuration: Configuration
        do throws(ConfigurationFaults) {
            configuration = try Configuration.load(path: config)
        } catch {
            throw Failure.configuration(config, error)
        }
        do throws(TLSFileError) {
            try configuration.control.secureRPC?.files.check()
        } catch {
            throw Failure.files(error)
        }
        if check {
            print("\(config): no faults found")
            return
        }
        (LogFormat(rawValue: configuration.control.logFormat.rawValue) ?? .text).bootstrap()
        var logger = Logger(label: "culvertd")
        logger.logLevel = Logger.Level(rawValue: configuration.control.logLevel.rawValue) ?? .info
        let segment = try await openSegment(configuration.dataPlane, logger: logger)
        let executor = ControlExecutor(header: segment.view.header)
        let network = try await ManagementNetwork(configuration, logger: logger)
        let loop = try ControlLoop(
            configuration: configuration, configurationPath: config, segment: segment, executor: executor,
            network: network, logger: logger)
        network.deliver(to: loop)
        let services = ServiceGroup(
            services: [ControlService(loop: loop)]
                + Self.servers(of: configuration.control, for: loop, logger: logger),
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await services.run()
        await network.shutDown()
        logger.info("ended")
    }

    /// What other programs reach culvertd by.
    private static func servers(of control: Control, for loop: ControlLoop, logger: Logger) -> [any Service] {
        let rpc = RPCServer(
            path: control.rpcSocket, mode: UInt32(control.rpcSocketMode), tcp: control.secureRPC, interface: loop,
            logger: logger)
        var services: [any Service] = [RPCService(server: rpc, logger: logger)]
        if let metrics = control.metrics {
            let request = MetricsRequest(
                perWorker: metrics.perWorker, tunnels: metrics.perTunnel ? Control.Metrics.tunnelLimit : 0)
            let server = MetricsServer(endpoints: metrics.endpoints, source: loop, request: request)
            services.append(MetricsService(server: server, logger: logger))
        }
        return services
    }

    /// Opens the data plane's segment, which may be a moment behind when both programs are started together: there must be
    /// a segment, and in it the ports.
    private func openSegment(_ settings: DataPlaneSettings, logger: Logger) async throws -> SegmentMapping {
        let patience = ContinuousClock.now + .seconds(wait)
        var segment: SegmentMapping?
        var isTold = false
        while true {
            let reason: String
            do {
                let opened = try segment ?? SegmentMapping.attachControlPlane(path: settings.segment)
                let ports = NodePort.all(in: opened.view)
                if ports.map(\.name) == settings.ports.map(\.name) { return opened }
                segment = opened
                reason = "it has no ports yet, or others than the configuration"
            } catch let error as SegmentError where error.mayPass {
                reason = "\(error)"
            } catch {
                throw Failure.segment("\(error)")
            }
            guard ContinuousClock.now < patience else {
                throw Failure.segment("no data plane to work with after \(wait) s: \(reason)")
            }
            if !isTold { logger.notice("waiting for the data plane: \(reason)") }
            isTold = true
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// Why the program ends, for people.
enum Failure: Error, CustomStringConvertible {
    case configuration(String, ConfigurationFaults)
    case segment(String)
    case radius(String)
    case resolver(String)
    case files(TLSFileError)

    var description: String {
        switch self {
        case .files(let error): "control.rpc-tcp: \(error)"
        case .configuration(let path, let faults): "\(path) is refused:\n\(faults)"
        case .segment(let text), .radius(let text), .resolver(let text): text
        }
    }
}

extension SegmentError {
    /// Whether the data plane may be about to put it right: it has not made the segment yet, or is at it. The file is there a moment
    /// before it belongs to `segment-group`.
    fileprivate var mayPass: Bool {
        switch self {
        case .system(_, _, let code): code == ENOENT || code == EACCES
        case .unfinished, .truncated: true
        default: false
        }
    }
}

extension Control {
    /// `rpc-tcp` in the RPC's terms.
    fileprivate var secureRPC: RPCServer.TCP? {
        rpcTCP.map {
            RPCServer.TCP(
                endpoints: $0.endpoints,
                files: TLSFiles(
                    certificate: $0.certificate, privateKey: $0.privateKey, authorities: $0.clientAuthorities),
                readOnly: $0.readOnly)
        }
    }
}
