import Glibc

/// What the system knows of this process, under the names that Prometheus' own libraries use.
public enum ProcessFamilies {
    /// The families; what the system does not tell is left out.
    public static func read() -> [MetricFamily] {
        var families: [MetricFamily] = []
        if let statistics = ProcessStatistics(text(of: "/proc/self/stat")) {
            let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
            let page = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
            families += [
                MetricFamily(
                    "process_cpu_seconds_total", .counter, "processor time of culvertd, user and system",
                    .real(Double(statistics.ticks) / ticks)),
                MetricFamily(
                    "process_resident_memory_bytes", .gauge,
                    "memory of culvertd that is in use, the segment's included",
                    .whole(statistics.residentPages &* page)),
                MetricFamily(
                    "process_virtual_memory_bytes", .gauge, "address space of culvertd",
                    .whole(statistics.virtualBytes)),
                MetricFamily("process_threads", .gauge, "threads of culvertd", .whole(statistics.threads)),
            ]
            if let boot = bootTime(in: text(of: "/proc/stat")) {
                families.append(
                    MetricFamily(
                        "process_start_time_seconds", .gauge, "when culvertd was started, seconds since 1970",
                        .real(Double(boot) + Double(statistics.startTicks) / ticks)))
            }
        }
        if let open = openDescriptors() {
            families.append(MetricFamily("process_open_fds", .gauge, "open files of culvertd", .whole(open)))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            families.append(
                MetricFamily(
                    "process_max_fds", .gauge, "files that culvertd may have open", .whole(UInt64(limit.rlim_cur))))
        }
        return families
    }

    /// Seconds since 1970 at which the machine was started, from the text of /proc/stat.
    static func bootTime(in text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") {
            return UInt64(line.dropFirst(6))
        }
        return nil
    }

    private static func openDescriptors() -> UInt64? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count: UInt64 = 0
        while readdir(folder) != nil { count += 1 }
        // `.`, `..` and the folder itself.
        return count > 3 ? count - 3 : 0
    }

    /// The first 64 KiB of a file; empty when it cannot be read.
    private static func text(of path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

/// The fields of /proc/PID/stat that are of interest (proc(5)).
struct ProcessStatistics: Equatable {
    /// User and system time, clock ticks.
    var ticks: UInt64
    var threads: UInt64
    /// Clock ticks from the machine's start to the process'.
    var startTicks: UInt64
    var virtualBytes: UInt64
    var residentPages: UInt64

    /// Reads the line; nil when it is not one.
    init?(_ line: String) {
        // The name, in parentheses, may hold anything; behind it stand fields from the third one on.
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(whereSeparator: \.isWhitespace)
        func field(_ number: Int) -> UInt64? { number - 3 < fields.count ? UInt64(fields[number - 3]) : nil }
        guard let user = field(14), let system = field(15), let threads = field(20), let start = field(22),
            let size = field(23), let resident = field(24)
        else { return nil }
        (ticks, self.threads, startTicks, virtualBytes, residentPages) = (
            user &+ system, threads, start, size, resident
        )
    }
}
