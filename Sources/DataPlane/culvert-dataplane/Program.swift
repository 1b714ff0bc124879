import ArgumentParser
import Glibc
import LogLines
import Logging
import Settings
import Synchronization
import Worker

/// culvert-dataplane: forwards PPP frames between PPPoE and L2TP, as the shared segment says.
@main
struct Program: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "culvert-dataplane",
        abstract: "Forwards PPP frames between PPPoE and L2TP, as culvertd has put them into the shared segment.",
        discussion: """
            Reads the `dataplane:` section of the configuration file. Logs to standard error. Ends on SIGTERM and SIGINT; \
            the segment stays, and the next culvert-dataplane goes on with all sessions that are in it.
            """,
        version: culvertVersion)

    @Option(help: "The configuration file.", completion: .file(extensions: ["yaml"]))
    var config: String

    @Flag(help: "Check the file's `dataplane:` section and end.")
    var check = false

    @Option(help: "Least level that is logged: trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level = .info

    @Option(help: "What a line of the log looks like: text or json.")
    var logFormat: LogFormat = .text

    func run() throws {
        logFormat.bootstrap(level: logLevel)
        let log = Logger(label: "culvert-dataplane")
        let settings: DataPlaneSettings
        do {
            settings = try DataPlaneSettings.read(try Self.contents(of: config))
        } catch let faults as ConfigurationFaults {
            for fault in faults.list { log.critical("\(config):\(fault)") }
            throw ExitCode(2)
        } catch {
            log.critical("\(error)")
            throw ExitCode(2)
        }
        guard !check else { return }
        do {
            try forward(settings, log)
        } catch {
            log.critical("\(error)")
            throw ExitCode.failure
        }
    }

    private func forward(_ settings: DataPlaneSettings, _ log: Logger) throws {
        StopSignal.install()
        let dataPlane = try DataPlane(settings)
        let segment = dataPlane.segment
        log.info(
            "segment \(segment.path) \(segment.isAdopted ? "adopted" : "created")",
            metadata: ["epoch": "\(segment.view.header.pointee.dataplane_epoch)", "sessions": "\(settings.sessions)"])
        for device in dataPlane.devices {
            log.info(
                "port \(device.plan.name) started",
                metadata: [
                    "device": "\(device.plan.device)", "mac": "\(device.mac)", "mtu": "\(device.plan.mtu)",
                    "link": "\(device.link.isUp ? "up" : "down")", "dispatch": "\(device.dispatch.text)",
                    "queues": "\(device.dispatch.queues)",
                ])
        }
        log.info(
            "forwarding",
            metadata: [
                "workers": "\(settings.cores.map(String.init).joined(separator: ","))",
                "memory": "\(dataPlane.usesHugePages ? "huge-pages" : "ordinary")",
            ])
        switch dataPlane.telemetry {
        case .off: break
        case .on(let folder): log.info("telemetry", metadata: ["folder": "\(folder)"])
        case .failed(let reason): log.warning("no telemetry: \(reason)")
        }
        try dataPlane.run(until: { StopSignal.isRaised }) { device, isUp in
            log.notice("port \(device.plan.name): link \(isUp ? "up" : "down")")
        }
        log.info("stopping")
        dataPlane.stop()
        log.info("stopped")
    }

    /// The file's text.
    private static func contents(of path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw UnreadableFile(path: path, code: errno) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { break }
            bytes += piece.prefix(count)
        }
        guard ferror(file) == 0 else { throw UnreadableFile(path: path, code: errno) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UnreadableFile(path: path, code: EILSEQ)
        }
        return text
    }
}

/// The configuration file cannot be read.
private struct UnreadableFile: Error, CustomStringConvertible {
    let path: String
    let code: Int32

    var description: String { "\(path): \(strerror(code).map { String(cString: $0) } ?? "error \(code)")" }
}

/// SIGTERM and SIGINT, as a flag that the main loop looks at.
private enum StopSignal {
    private static let flag = Atomic<Bool>(false)

    /// Whether one of them has come.
    static var isRaised: Bool { flag.load(ordering: .relaxed) }

    /// Handles both from here on. Looked at once before, so that the handler does nothing but a store.
    static func install() {
        guard !isRaised else { return }
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in StopSignal.raise() }
        sigaction(SIGTERM, &action, nil)
        sigaction(SIGINT, &action, nil)
    }

    private static func raise() { flag.store(true, ordering: .relaxed) }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
extension LogFormat: ExpressibleByArgument {}
