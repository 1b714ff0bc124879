import Glibc

/// Huge pages of 2 MB, for the time that the bench runs.
struct HugePages {
    private static let folder = "/sys/kernel/mm/hugepages/hugepages-2048kB/"
    /// What the machine had; nil: nothing has been changed.
    private var before: Int?

    /// Sees to it that `wanted` pages are free. As root it asks the kernel for what is missing, which it may not have; one bench at
    /// a time does, so that none takes another's pages for what the machine had.
    init(wanted: Int) {
        guard geteuid() == 0, Self.isAlone, Self.free < wanted, let total = Self.number("nr_hugepages"),
            Self.memoryAvailable > 4_096
        else { return }
        before = total
        Self.set(total + wanted - Self.free)
    }

    /// Free pages.
    static var free: Int { number("free_hugepages") ?? 0 }

    /// Puts the number back to what it was. Pages in use go when their user ends.
    func restore() {
        if let before { Self.set(before) }
    }

    private static func number(_ name: String) -> Int? { readSmallFile(folder + name).flatMap { Int($0) } }

    /// Memory that could be had, in megabytes: what is asked for must not be missed elsewhere.
    private static var memoryAvailable: Int { (sysconf(CInt(_SC_AVPHYS_PAGES)) * sysconf(CInt(_SC_PAGESIZE))) >> 20 }

    /// Whether no other bench has asked for pages. The lock goes with the process.
    private static var isAlone: Bool {
        let lock = open("/run/culvert-bench.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        return lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0
    }

    private static func set(_ pages: Int) {
        guard let file = fopen(folder + "nr_hugepages", "w") else { return }
        fputs("\(pages)\n", file)
        fclose(file)
    }
}
