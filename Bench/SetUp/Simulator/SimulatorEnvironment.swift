import CDPDK
import Glibc

/// DPDK's environment of the simulator: one thread that runs on any core, small pages, no devices of its own.
enum SimulatorEnvironment {
    /// Packet buffers of a port: what may wait in it, and what is in the queues.
    private static let buffers: UInt32 = 65_535
    private static let megabytes = 384

    /// Starts the environment; once in a process. Answers a pool of packet buffers.
    static func start() throws -> OpaquePointer {
        let processors = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        let words = [
            "bench-setup", "--no-pci", "--no-telemetry", "--no-huge", "--no-shconf", "-m", "\(megabytes)",
            "--iova-mode", "va", "--file-prefix", "bench-setup-\(getpid())", "--log-level=lib.*:error",
            "--log-level=pmd.*:error", "--lcores", processors > 1 ? "0@(0-\(processors - 1))" : "0@0",
        ]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        guard culvert_eal_init(CInt(arguments.count), &arguments) >= 0 else {
            throw SetUpError("DPDK does not start: \(String(cString: culvert_error_text(culvert_errno())))")
        }
        guard
            let pool = culvert_pool_create(
                "bench_setup", buffers, 256, 2_048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0)
        else { throw SetUpError("no memory for packet buffers") }
        return pool
    }
}
