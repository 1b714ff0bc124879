import Glibc

/// `dpdk-testpmd --forward-mode=macswap` on another core: a DPDK program that does next to nothing to a frame.
final class ReferenceForwarder {
    private let commands: UnsafeMutablePointer<FILE>

    /// Where the program is; nil when it is not installed.
    static var path: String? {
        ["/usr/bin/dpdk-testpmd", "/usr/local/bin/dpdk-testpmd"].first { access($0, X_OK) == 0 }
    }

    /// Starts it between the two ports of `link`, not forwarding yet.
    init(path: String, link: MemifLink, environment: Environment, otherCore: Int) throws(BenchError) {
        var words = [path, "-l", "\(environment.core),\(otherCore)", "--main-lcore", "\(environment.core)"]
        words += ["--no-pci", "--no-telemetry", "--log-level=lib.*:error"]
        words += environment.hasHugePages ? ["--in-memory"] : ["--no-huge", "--no-shconf", "-m", "128"]
        words += link.farArguments
        words += ["--", "-i", "--forward-mode=macswap", "--nb-cores=1", "--burst=32", "--total-num-mbufs=8192"]
        // It reads commands from its standard input, and ends with it.
        guard let commands = popen((words + [">/dev/null 2>&1"]).joined(separator: " "), "w") else {
            throw .environment("\(path) does not start")
        }
        self.commands = commands
    }

    /// Forwards from here on.
    func start() { send("start") }

    /// Forwards no more.
    func stop() { send("stop") }

    deinit {
        send("quit")
        pclose(commands)
    }

    private func send(_ command: String) {
        fputs(command + "\n", commands)
        fflush(commands)
    }
}
