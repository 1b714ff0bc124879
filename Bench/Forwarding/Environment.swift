import CBaseline
import CDPDK
import CSegment
import Glibc

/// DPDK's environment, without devices of its own, with huge pages where the machine has some free.
struct Environment {
    /// Whether memory lies on huge pages.
    let hasHugePages: Bool
    /// The core of the main thread.
    let core: Int
    /// Another core, for a second thread; nil when the machine has one only.
    let otherCore: Int?
    /// Packet buffers.
    let pool: OpaquePointer
    /// Ticks of the time-stamp counter a second.
    let ticksPerSecond: Double

    /// Megabytes that DPDK's own memory takes: packet buffers above all.
    private static let megabytes = 128
    /// Huge pages for that and for a segment with a million sessions.
    static let hugePages = 288

    /// Starts the environment; once in a process.
    init(core: Int) throws(BenchError) {
        let cores = sysconf(CInt(_SC_NPROCESSORS_ONLN))
        self.core = core
        otherCore = cores > 1 ? (core == 0 ? 1 : 0) : nil
        hasHugePages = HugePages.free >= Self.megabytes / 2
        var words = [
            "bench-forwarding", "--no-pci", "--no-telemetry", "--log-level=lib.*:error", "--log-level=pmd.*:error",
        ]
        words += ["-l", otherCore.map { "\(core),\($0)" } ?? "\(core)", "--main-lcore", "\(core)"]
        // DPDK 22.11 refuses --no-huge together with --in-memory.
        words += hasHugePages ? ["--in-memory"] : ["--no-huge", "--no-shconf", "-m", "\(Self.megabytes)"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        guard culvert_eal_init(CInt(arguments.count), &arguments) >= 0 else {
            throw .environment(String(cString: culvert_error_text(culvert_errno())))
        }
        pool = try Self.pool("bench", count: 8_191, cache: 0)
        ticksPerSecond = Double(culvert_bench_ticks_per_second())
    }

    /// A pool of `count` packet buffers.
    static func pool(_ name: String, count: UInt32, cache: UInt32) throws(BenchError) -> OpaquePointer {
        guard let pool = culvert_pool_create(name, count, cache, 2_048 + UInt16(CULVERT_DEFAULT_HEADROOM), 0) else {
            throw .noMemory("packet buffers")
        }
        return pool
    }

    /// What the figures depend on, in words.
    var text: String {
        "\(processor), time-stamp counter \(fixed(ticksPerSecond / 1e9, 3)) GHz, "
            + (hasHugePages ? "2 MB huge pages" : "4 KB pages")
    }

    private var processor: String {
        guard let file = fopen("/proc/cpuinfo", "r") else { return "unknown processor" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4_096)
        while fgets(&line, CInt(line.count), file) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") {
                return String(text[text.index(after: colon)...].drop { $0 == " " })
            }
        }
        return "unknown processor"
    }
}

/// What a thread of another core does.
final class Job: @unchecked Sendable {
    private let body: () -> Void

    /// Starts `body` on lcore `core`, which has nothing else to do. It ends before this object is let go.
    init(on core: Int, _ body: @escaping () -> Void) throws(BenchError) {
        self.body = body
        let run: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { argument in
            if let argument { Unmanaged<Job>.fromOpaque(argument).takeUnretainedValue().body() }
            return 0
        }
        guard culvert_launch(run, Unmanaged.passUnretained(self).toOpaque(), UInt32(core)) == 0 else {
            throw .environment("core \(core) takes no thread")
        }
    }

    /// Waits until it has ended.
    func join(_ core: Int) { withExtendedLifetime(self) { _ = culvert_join(UInt32(core)) } }
}

/// A word by which one thread tells another to stop.
final class StopFlag: @unchecked Sendable {
    let word: UnsafeMutablePointer<UInt32>

    init() {
        word = .allocate(capacity: 1)
        word.initialize(to: 0)
    }

    deinit { word.deallocate() }

    /// Whether to stop.
    var isSet: Bool {
        get { culvert_load_relaxed_u32(word) != 0 }
        set { culvert_store_release_u32(word, newValue ? 1 : 0) }
    }
}
