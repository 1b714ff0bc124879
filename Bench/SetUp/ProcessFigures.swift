import Glibc

/// What the kernel says of a process.
struct ProcessFigures {
    /// Seconds that its threads have run.
    var processorSeconds = 0.0
    /// Octets of its memory that are in use: all of it, and without files and shared memory, such as the segment.
    var resident = 0
    var anonymous = 0

    /// The figures of process `pid` now.
    init(pid: Int32) throws {
        // The threads that have ended are counted as well.
        var (clock, time) = (clockid_t(), timespec())
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw SetUpError("process \(pid) is gone")
        }
        processorSeconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        for line in try Self.text("/proc/\(pid)/status").split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
            guard words.count > 1, let kilobytes = Int(words[1]) else { continue }
            switch words[0] {
            case "VmRSS": resident = kilobytes * 1_024
            case "RssAnon": anonymous = kilobytes * 1_024
            default: break
            }
        }
    }

    private static func text(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw SetUpError("cannot read \(path)") }
        defer { fclose(file) }
        var (bytes, chunk): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 4_096))
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk.prefix(count) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
