import ArgumentParser
import Foundation
import Observability
import RPC
import Settings

/// `culvert capture`
struct Capture: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the frames of one session, on both of its sides, as pcapng.",
        discussion: """
            Until Ctrl-C, --count or --seconds. tshark, Wireshark and tcpdump read the file; a frame that was dropped says so in \
            its comment.
            """,
        subcommands: [CaptureRoute.self, CaptureSession.self, CaptureStatic.self])
}

/// How much is captured, and where to.
struct CaptureOptions: ParsableArguments {
    @OptionGroup var options: GlobalOptions

    @Option(
        help: ArgumentHelp("The file to write, - for standard output.", valueName: "file"),
        completion: .file(extensions: ["pcapng"]))
    var write = "-"

    @Option(help: ArgumentHelp("Octets of each frame that are kept; 0: all.", valueName: "octets"))
    var snap: UInt32 = 0

    @Flag(help: "L2TP control messages of the session's tunnel as well.")
    var control = false

    @Option(help: ArgumentHelp("End after so many frames.", valueName: "frames"))
    var count: Int?

    @Option(help: ArgumentHelp("End after so many seconds.", valueName: "seconds"))
    var seconds: Double?

    func validate() throws {
        guard count.map({ $0 > 0 }) ?? true else { throw ValidationError("--count must be at least 1") }
        guard seconds.map({ $0 > 0 && $0 <= 86_400 * 365 }) ?? true else {
            throw ValidationError("--seconds must be more than 0")
        }
        guard write != "-" || isatty(STDOUT_FILENO) == 0 else {
            throw ValidationError(
                "frames are not for a terminal: name a file with --write, or pipe them into tshark -r -")
        }
    }

    /// Captures `session` until there is enough.
    func capture(_ session: SessionName) async throws {
        let file = try CaptureSink(path: write, limit: count, snapLength: snap)
        let (snap, control, seconds) = (snap, control, seconds)
        try await options.connected { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await client.capture(session, snapLength: snap, control: control) { records in
                            try await file.add(records)
                        }
                    } catch is CaptureSink.HasEnough {
                    } catch let error as RPCClientError {
                        // gRPC wraps what ends the stream from this side.
                        guard await file.hasEnough else { throw error }
                    }
                }
                if let seconds { group.addTask { try await Task.sleep(for: .seconds(seconds)) } }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
        if write != "-" { Output.complain("\(await file.frames) frames written to \(write)") }
    }
}

/// The file that a capture goes into.
actor CaptureSink {
    /// As many frames are there as were wanted.
    struct HasEnough: Error {}

    private let handle: FileHandle
    private let limit: Int?
    private var file: CaptureFile
    private var hasBegun = false
    private(set) var frames = 0

    /// Whether as many frames are there as were wanted.
    var hasEnough: Bool { limit.map { frames >= $0 } ?? false }

    /// A file at `path`, made anew, or standard output for `-`.
    init(path: String, limit: Int?, snapLength: UInt32) throws {
        self.limit = limit
        file = CaptureFile(snapLength: snapLength)
        guard path != "-" else {
            handle = .standardOutput
            return
        }
        // What subscribers send is nobody else's business. Opened in place: what replaces a file would replace a pipe or a device as well.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            Output.complain("cannot write \(path): \(String(cString: strerror(errno)))")
            throw ExitCode(1)
        }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG { fchmod(descriptor, 0o600) }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Writes records; throws `HasEnough` when the last one wanted is among them.
    func add(_ records: [CaptureRecord]) throws {
        var octets = hasBegun ? [] : file.header(application: "culvert \(culvertVersion)")
        hasBegun = true
        for record in records where !hasEnough {
            octets += file.blocks(of: record)
            frames += 1
        }
        if !octets.isEmpty { try handle.write(contentsOf: Data(octets)) }
        if hasEnough { throw HasEnough() }
    }
}

/// `culvert capture route`
struct CaptureRoute: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "A client's session, by its route of the access concentrator.")

    @OptionGroup var capture: CaptureOptions

    @Argument(help: ArgumentHelp("The route's id.", valueName: "route"), completion: .names(.route))
    var id: UInt32

    func run() async throws { try await capture.capture(.route(id)) }
}

/// `culvert capture session`
struct CaptureSession: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "An L2TP session.",
        discussion: "A session id is unique within its tunnel only: --tunnel says which tunnel is meant.")

    @OptionGroup var capture: CaptureOptions

    @Argument(help: ArgumentHelp("The local session id.", valueName: "session"), completion: .names(.session))
    var id: UInt16

    @Option(help: ArgumentHelp("The tunnel's local id.", valueName: "id"), completion: .names(.tunnel))
    var tunnel: UInt16?

    func run() async throws { try await capture.capture(.l2tp(id, tunnel: tunnel)) }
}

/// `culvert capture static`
struct CaptureStatic: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "static", abstract: "A static session.")

    @OptionGroup var capture: CaptureOptions

    @Argument(help: "The controller's number for it.")
    var reference: UInt64

    func run() async throws { try await capture.capture(.staticSession(reference)) }
}
