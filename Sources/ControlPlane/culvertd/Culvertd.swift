import ArgumentParser
import Configuration
import Foundation
import Logging
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
        if check {
            print("\(config): no faults found")
            return
        }
        LoggingSystem.bootstrap { label in StreamLogHandler.standardError(label: label) }
        var logger = Logger(label: "culvertd")
        logger.logLevel = Logger.Level(rawValue: configuration.control.logLevel.rawValue) ?? .info
        let segment = try await openSegment(configuration.dataPlane, logger: logger)
        let executor = ControlExecutor(header: segment.view.header)
        let loop = try ControlLoop(
            configuration: configuration, configurationPath: config, segment: segment, executor: executor,
            logger: logger)
        let server = RPCServer(
            path: configuration.control.rpcSocket, mode: UInt32(configuration.control.rpcSocketMode), interface: loop)
        let services = ServiceGroup(
            services: [ControlService(loop: loop), RPCService(server: server, logger: logger)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await services.run()
        logger.info("ended")
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

    var description: String {
        switch self {
        case .configuration(let path, let faults): "\(path) is refused:\n\(faults)"
        case .segment(let text): text
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
