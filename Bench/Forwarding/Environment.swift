import CBaseline
import CDPDK

/// DPDK's environment on one core, without devices, with huge pages where the machine has some free.
struct Environment {
    /// Whether memory lies on huge pages.
    let hasHugePages: Bool
    /// Packet buffers.
    let pool: OpaquePointer
    /// Ticks of the time-stamp counter a second.
    let ticksPerSecond: Double

    /// Starts the environment; once in a process.
    init(core: Int) throws(BenchError) {
        hasHugePages = Self.freeHugePages() >= 64
        var words = ["bench-forwarding", "-l", String(core), "--no-pci", "--no-telemetry", "--log-level=lib.*:error"]
        // DPDK 22.11 refuses --no-huge together with --in-memory.
        words += hasHugePages ? ["--in-memory"] : ["--no-huge", "--no-shconf", "-m", "128"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { word in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: word.utf8.count + 1)
            copy.initialize(from: word.utf8CString.map { $0 }, count: word.utf8.count + 1)
            return copy
        }
        guard culvert_eal_init(CInt(arguments.count), &arguments) >= 0 else {
            throw .environment(String(cString: culvert_error_text(culvert_errno())))
        }
        guard let pool = culvert_pool_create("bench", 8191, 0, 2048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0) else {
            throw .noMemory("packet buffers")
        }
        self.pool = pool
        ticksPerSecond = Double(culvert_bench_ticks_per_second())
    }

    /// What the figures depend on, in words.
    var text: String {
        "time-stamp counter \(fixed(ticksPerSecond / 1e9, 3)) GHz, \(hasHugePages ? "2 MB huge pages" : "4 KB pages")"
    }

    /// Free huge pages of 2 MB.
    private static func freeHugePages() -> Int {
        let path = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
        return readSmallFile(path).flatMap { Int($0) } ?? 0
    }
}
