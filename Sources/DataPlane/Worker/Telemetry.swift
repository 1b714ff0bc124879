import CDPDK
import CSegment
import Glibc
import Segment
import Settings
import Synchronization

/// DPDK's telemetry: a socket that answers commands, among them those of the data plane, for `dpdk-telemetry.py` and the exporters
/// that speak to it. It runs on threads of DPDK's beside the main core's, reads what is in the segment, and stops nobody.
public enum Telemetry {
    /// What became of it.
    public enum State: Hashable, Sendable {
        /// The settings want none.
        case off
        /// The socket is in this folder.
        case on(folder: String)
        /// There is none, for this reason.
        case failed(String)

        var isOn: Bool {
            if case .on = self { true } else { false }
        }
    }

    /// The segment that commands are answered from; nil: none.
    private static let segment = Mutex<SegmentMapping?>(nil)
    private static let isRegistered = Atomic<Bool>(false)

    /// What `dpdk-telemetry.py -f` calls this data plane: the name of its segment's file, which no other one has at the same time.
    static func name(_ settings: DataPlaneSettings) -> String {
        let name = settings.segment.split(separator: "/").last.map(String.init) ?? ""
        return name.isEmpty || name == "." || name == ".." ? "culvert" : name
    }

    /// Sees to it that there can be a socket, where the settings want it. DPDK itself would refuse to start without its folder.
    static func prepare(_ settings: DataPlaneSettings) -> State {
        guard settings.telemetry else { return .off }
        let base = "\(runtimeFolder)/dpdk"
        let folder = "\(base)/\(name(settings))"
        // sockaddr_un has 108 octets, some of which DPDK's own name for the socket takes.
        guard folder.utf8.count < 80 else { return .failed("the name of its folder, \(folder), is too long") }
        for path in [base, folder] {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                return .failed("its folder \(path) cannot be made: \(DataPlaneError.text(errno))")
            }
        }
        guard access(folder, W_OK) == 0 else {
            return .failed("its folder \(folder) cannot be written to: \(DataPlaneError.text(errno))")
        }
        return .on(folder: folder)
    }

    /// Where DPDK has its files: it knows systemd's `RuntimeDirectory=`.
    private static var runtimeFolder: String {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        if let given = variable("RUNTIME_DIRECTORY") { return given }
        return getuid() == 0 ? "/var/run" : variable("XDG_RUNTIME_DIR") ?? "/tmp"
    }

    /// Answers commands from this segment from here on. DPDK has been started with telemetry.
    static func start(_ segment: SegmentMapping, _ state: State) -> State {
        self.segment.withLock { $0 = segment }
        // DPDK keeps commands for as long as the process lives.
        guard !isRegistered.exchange(true, ordering: .relaxed) else { return state }
        for command in TelemetryCommand.allCases {
            let failed = culvert_telemetry_register(command.path, command.callback, command.help)
            guard failed == 0 else {
                return .failed("DPDK refuses the command \(command.path): \(DataPlaneError.text(-failed))")
            }
        }
        return state
    }

    /// Answers no more commands; one that is being answered is finished first.
    static func stop() { segment.withLock { $0 = nil } }

    /// Fills in the answer to a command. Negative: there is none, which the asker sees as `null`.
    static func answer(
        _ command: TelemetryCommand, _ parameters: UnsafePointer<CChar>?, _ data: OpaquePointer?
    ) -> Int32 {
        let parameter = parameters.map { String(cString: $0) } ?? ""
        let answer = segment.withLock { segment in
            segment.flatMap { command.answer(parameter, from: $0) }
        }
        guard let answer, let data, culvert_telemetry_start(data) == 0 else { return -EINVAL }
        return fill(data, with: answer) ? 0 : -ENOSPC
    }

    private static func fill(_ data: OpaquePointer, with table: TelemetryTable) -> Bool {
        table.entries.allSatisfy { name, value in
            switch value {
            case .number(let number): return culvert_telemetry_number(data, name, number) == 0
            case .text(let text): return culvert_telemetry_text(data, name, text) == 0
            case .table(let table):
                guard let inner = culvert_telemetry_allocate() else { return false }
                guard culvert_telemetry_start(inner) == 0, fill(inner, with: table),
                    culvert_telemetry_dictionary(data, name, inner) == 0
                else {
                    culvert_telemetry_free(inner)
                    return false
                }
                return true
            }
        }
    }
}
