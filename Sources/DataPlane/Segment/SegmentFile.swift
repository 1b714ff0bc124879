import CSegment
import Glibc

/// The file behind a segment and this process's locks on it: every system call of this module.
///
/// Byte 0 is locked by the data plane that runs on the segment, byte 1 by the culvertd that writes it. A lock goes with the
/// process that held it, however that ended, so a lock that nobody holds means that nobody runs.
struct SegmentFile {
    /// What holds a lock.
    enum Role: UInt64 {
        case dataPlane = 0
        case controlPlane = 1
    }

    let path: String
    private let descriptor: Int32

    /// Opens the file that is there, or makes an empty one when `creatingWithMode` gives its permission bits.
    init(path: String, creatingWithMode mode: UInt32?) throws {
        self.path = path
        if let mode {
            descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_NOFOLLOW, mode)
            guard descriptor >= 0 else { throw SegmentError.system(call: "open", path: path, code: errno) }
            // The process's umask must not take the group's permission away. Somebody else's file keeps its mode.
            var status = stat()
            if fstat(descriptor, &status) == 0, status.st_size == 0 { _ = fchmod(descriptor, mode) }
        } else {
            descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { throw SegmentError.system(call: "open", path: path, code: errno) }
        }
    }

    /// A file in memory. Other processes of this user reach it by its `path` as long as this one lives.
    init(inMemoryNamed name: String, hugePages: Bool) throws {
        descriptor = culvert_memory_file(name, hugePages ? 1 : 0)
        guard descriptor >= 0 else { throw SegmentError.system(call: "memfd_create", path: name, code: errno) }
        path = "/proc/\(getpid())/fd/\(descriptor)"
    }

    func close() { _ = Glibc.close(descriptor) }

    /// The file's size in bytes.
    func size() throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("fstat") }
        return Int(status.st_size)
    }

    /// `size` rounded up to what the file system can allocate.
    func roundedUp(_ size: Int) throws -> Int {
        let unit = culvert_allocation_unit(descriptor)
        guard unit > 0 else { throw failure("fstatfs") }
        return (size + Int(unit) - 1) / Int(unit) * Int(unit)
    }

    /// Empties the file.
    func discardContents() throws {
        guard ftruncate(descriptor, 0) == 0 else { throw failure("ftruncate") }
    }

    /// Gives the empty file `size` bytes of zeros, all of them reserved now.
    func reserve(_ size: Int) throws {
        guard culvert_reserve(descriptor, UInt64(size)) == 0 else { throw failure("fallocate") }
    }

    /// Maps `size` bytes of the file, shared and writable.
    func map(_ size: Int) throws -> UnsafeMutableRawPointer {
        guard let base = culvert_map(descriptor, UInt64(size)) else { throw failure("mmap") }
        return base
    }

    /// Takes the role's lock; false when another holds it.
    func lock(_ role: Role) throws -> Bool {
        if culvert_lock(descriptor, role.rawValue) == 0 { return true }
        guard errno == EAGAIN || errno == EACCES else { throw failure("fcntl(F_OFD_SETLK)") }
        return false
    }

    /// Whether somebody else holds the role's lock. True when the kernel does not say, for a reader that is wrongly
    /// thought dead would lose the memory under its feet.
    func isHeldElsewhere(_ role: Role) -> Bool { culvert_lock_is_held_elsewhere(descriptor, role.rawValue) != 0 }

    /// Whether `path` still leads to the open file.
    var isStillAtPath: Bool {
        var opened = stat()
        var named = stat()
        guard fstat(descriptor, &opened) == 0, stat(path, &named) == 0 else { return false }
        return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
    }

    private func failure(_ call: String) -> SegmentError { .system(call: call, path: path, code: errno) }
}

/// The system's text for an errno.
func systemErrorText(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
}
