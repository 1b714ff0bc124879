import CDPDK
import Glibc

/// DPDK's environment abstraction layer: one a process, started once.
public enum Environment {
    /// The command line that DPDK is given.
    public struct Arguments: Hashable, Sendable {
        /// The arguments without the program's name.
        public var list: [String]

        /// - Parameters:
        ///   - mainCore: core of the main thread, which becomes lcore 0.
        ///   - cores: cores of the workers, which become lcores 1, 2, …; a core may be the main thread's too.
        ///   - hugePages: whether memory comes from huge pages.
        ///   - megabytes: memory that is needed; reserved at once where it does not come from huge pages.
        ///   - devices: the ports' devices; PCI addresses among them are the only ones that DPDK may touch.
        ///   - prefix: tells this process's files from another's.
        ///   - telemetry: whether DPDK's telemetry has its socket.
        public init(
            mainCore: UInt32, cores: [UInt32], hugePages: Bool, megabytes: Int, devices: [String], prefix: String,
            telemetry: Bool = false
        ) {
            let lcores = (["0@\(mainCore)"] + cores.enumerated().map { "\($0 + 1)@\($1)" }).joined(separator: ",")
            list = ["--lcores", lcores, "--main-lcore", "0", "--file-prefix", prefix]
            list += [telemetry ? "--telemetry" : "--no-telemetry", "--log-level", "warning"]
            // Nothing is left in any file system: DPDK 22.11 has one word for it with huge pages and another without.
            list +=
                hugePages ? ["--in-memory"] : ["--no-huge", "--no-shconf", "-m", "\(megabytes)", "--iova-mode", "va"]
            let pci = devices.filter(Environment.isPCIAddress)
            list += pci.isEmpty ? ["--no-pci"] : pci.flatMap { ["-a", $0] }
        }

        /// For tests: one core, no huge pages, no privileges, no devices but those that the test makes.
        public static func test(megabytes: Int = 256, core: UInt32 = 0) -> Arguments {
            Arguments(
                mainCore: core, cores: [], hugePages: false, megabytes: megabytes, devices: [],
                prefix: "culvert-test-\(getpid())")
        }
    }

    /// Starts the environment. Once a process.
    /// - Throws: `DataPlaneError`.
    public static func start(_ arguments: Arguments) throws {
        // DPDK keeps these strings.
        var argv: [UnsafeMutablePointer<CChar>?] = (["culvert-dataplane"] + arguments.list).map { strdup($0) }
        guard culvert_eal_init(Int32(argv.count), &argv) >= 0 else {
            throw DataPlaneError.environment(
                "DPDK could not start (\(arguments.list.joined(separator: " "))): "
                    + DataPlaneError.text(culvert_errno()))
        }
    }

    /// Ends the environment: its memory is gone after this.
    public static func end() { culvert_eal_cleanup() }

    /// Whether `device` names a PCI function, as `0000:03:00.0` or `03:00.0`, with or without arguments behind it.
    public static func isPCIAddress(_ device: String) -> Bool {
        let name = device.prefix { $0 != "," }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, let last = parts.last else { return false }
        let slot = last.split(separator: ".", omittingEmptySubsequences: false)
        return slot.count == 2 && (parts.dropLast() + slot[...]).allSatisfy { UInt32($0, radix: 16) != nil }
    }

    /// Huge pages as /sys/kernel/mm/hugepages counts them.
    public enum HugePages: String, Sendable {
        /// Those that nobody has.
        case free = "free_hugepages"
        /// All that the kernel has set aside.
        case all = "nr_hugepages"
    }

    /// Octets of huge pages of every size.
    public static func hugePageMemory(_ pages: HugePages) -> Int {
        let folder = "/sys/kernel/mm/hugepages"
        guard let directory = opendir(folder) else { return 0 }
        defer { closedir(directory) }
        var octets = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix("hugepages-"), name.hasSuffix("kB"),
                let kilobytes = Int(name.dropFirst(10).dropLast(2))
            else { continue }
            octets += kilobytes * 1_024 * (firstNumber(in: "\(folder)/\(name)/\(pages.rawValue)") ?? 0)
        }
        return octets
    }

    private static func firstNumber(in path: String) -> Int? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, 64, file) != nil else { return nil }
        return Int(String(decoding: line.prefix { $0 > 32 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
