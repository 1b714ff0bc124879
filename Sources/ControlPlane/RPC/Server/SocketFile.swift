import Glibc

/// Why the RPC cannot be served on a path.
public struct SocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// For the operator: what is wrong, with the path, and what to do about it.
    public let description: String
}

/// A listening Unix domain socket with a name in the file system.
///
/// The name appears at once with its final mode and only when callers can connect; what a dead daemon left behind under the
/// name is replaced in the same step. A lock beside it, held as long as the process lives, keeps a second daemon away even
/// when both start at the same time.
struct SocketFile {
    /// The listening socket; whoever takes it also closes it.
    let descriptor: Int32
    private let path: String
    private let lock: Int32
    private let device: UInt64
    private let inode: UInt64

    /// Listens on `path` and gives its file `mode`.
    static func listen(on path: String, mode: UInt32) throws(SocketError) -> SocketFile {
        let temporary = path + ".new"
        guard temporary.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
            throw SocketError(description: "\(path) is too long for a socket: at most 103 octets")
        }
        let lock = try takeLock(beside: path)
        do throws(SocketError) {
            try refuseWhatLives(at: path)
            let descriptor = try makeSocket(on: temporary, mode: mode)
            var status = stat()
            guard stat(temporary, &status) == 0, rename(temporary, path) == 0 else {
                let problem = problem("cannot put the socket at \(path)")
                close(descriptor)
                throw problem
            }
            return SocketFile(
                descriptor: descriptor, path: path, lock: lock, device: UInt64(status.st_dev),
                inode: UInt64(status.st_ino))
        } catch {
            close(lock)
            throw error
        }
    }

    /// Takes the name out of the file system, unless it is gone or somebody else's socket bears it by now.
    func removeName() { if isOurs { unlink(path) } }

    /// Gives the name and the socket up before anybody has taken it.
    func abandon() {
        removeName()
        close(descriptor)
    }

    /// Whether the name leads to this socket.
    private var isOurs: Bool {
        var status = stat()
        return stat(path, &status) == 0 && UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }

    /// Lets another process serve the path; once, at the end.
    func unlock() { close(lock) }

    /// What the last system call complained about, behind `text`.
    private static func problem(_ text: String) -> SocketError {
        SocketError(description: "\(text): \(String(cString: strerror(errno)))")
    }

    private static func takeLock(beside path: String) throws(SocketError) -> Int32 {
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw problem("cannot make \(path).lock") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw SocketError(description: "another culvertd is running: it serves \(path)")
        }
        return lock
    }

    /// Throws unless there is nothing at `path`, or a socket that nobody listens on any more.
    private static func refuseWhatLives(at path: String) throws(SocketError) {
        switch UnixSocket.probe(path) {
        case .absent, .dead: return
        case .live: throw SocketError(description: "\(path) is in use: another process listens on it")
        case .notASocket:
            throw SocketError(description: "\(path) exists and is not a socket: remove it or choose another path")
        case .failed(let code):
            throw SocketError(description: "cannot look at \(path): \(String(cString: strerror(code)))")
        }
    }

    private static func makeSocket(on path: String, mode: UInt32) throws(SocketError) -> Int32 {
        unlink(path)
        let descriptor = UnixSocket.make()
        guard descriptor >= 0 else { throw problem("cannot make a socket") }
        // On Linux the file that bind makes takes over the socket's mode: nobody connects before the mode is right.
        guard fchmod(descriptor, 0o600) == 0, UnixSocket.withAddress(path, { bind(descriptor, $0, $1) }) == 0,
            chmod(path, mode) == 0, Glibc.listen(descriptor, 64) == 0
        else {
            let error = problem("cannot listen on \(path)")
            close(descriptor)
            unlink(path)
            throw error
        }
        return descriptor
    }
}

/// System calls on Unix domain sockets.
enum UnixSocket {
    /// What is found at a path.
    enum State: Equatable {
        /// Nothing.
        case absent
        /// A socket that nobody listens on.
        case dead
        /// A socket that somebody listens on.
        case live
        /// Some other file.
        case notASocket
        /// The system does not let us look, `errno` inside.
        case failed(Int32)
    }

    /// Looks what is at `path`, by connecting to it.
    static func probe(_ path: String) -> State {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno == ENOENT ? .absent : .failed(errno) }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return .notASocket }
        let descriptor = make()
        guard descriptor >= 0 else { return .failed(errno) }
        defer { close(descriptor) }
        if withAddress(path, { connect(descriptor, $0, $1) }) == 0 { return .live }
        switch errno {
        case ECONNREFUSED: return .dead
        case EAGAIN: return .live
        case let code: return .failed(code)
        }
    }

    /// A stream socket that is closed on exec, or -1 with `errno` set.
    static func make() -> Int32 {
        socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    /// Calls `body` with the socket address of `path`; -1 and ENAMETOOLONG when it does not fit.
    static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        guard octets.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: octets) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
