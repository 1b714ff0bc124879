import Foundation
import Glibc
import Names
import Wire

/// A real name server, unbound, on a loopback port that was free, with the zones below and no way to anywhere else.
final class Unbound: @unchecked Sendable {
    /// Where Debian has it; nil where it is missing.
    static let program: String? = ["/usr/sbin/unbound", "/usr/local/sbin/unbound"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Whether there is one; says so when not.
    static var isInstalled: Bool {
        if program == nil {
            print("skipped: the resolver's tests: unbound is not installed (Tools/install-packages lab)")
        }
        return program != nil
    }

    private let process = Process()
    private let folder: URL
    private let port: UInt16

    /// Starts it, and returns when it answers questions.
    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "culvert-unbound-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = try FreePort.find()
        try Self.zone.write(to: folder.appending(path: "test.zone"), atomically: true, encoding: .utf8)
        // A zone without SOA: what is not in it makes the server fail.
        try "$ORIGIN broken.\nthere 5 IN A 192.0.2.1\n".write(
            to: folder.appending(path: "broken.zone"), atomically: true, encoding: .utf8)
        let file = folder.appending(path: "unbound.conf")
        try Self.configuration(folder: folder.path, port: port).write(to: file, atomically: true, encoding: .utf8)
        process.executableURL = URL(filePath: Self.program ?? "")
        process.arguments = ["-d", "-c", file.path]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        var said = ""
        while !said.contains("start of service") {
            let more = errors.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Failure(text: "unbound ended: \(said)") }
            said += String(decoding: more, as: UTF8.self)
        }
        // Its later words are nobody's business, but must not fill the pipe.
        Thread.detachNewThread { while !errors.fileHandleForReading.availableData.isEmpty {} }
    }

    deinit {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    struct Failure: Error { var text: String }

    /// The server by IPv4 and by IPv6.
    var server: NameServer { NameServer(address: .v4(IPv4Address(value: 0x7f00_0001)), port: port) }
    var server6: NameServer { NameServer(address: .v6(.loopback), port: port) }

    private static let zone = """
        $ORIGIN test.
        $TTL 300
        @         3600 IN SOA   ns.test. admin.test. 1 3600 600 86400 20
        @         3600 IN NS    ns.test.
        ns             IN A     192.0.2.53
        lns.isp1  300  IN A     192.0.2.1
        lns.isp1  120  IN AAAA  2001:db8::1
        four      60   IN A     192.0.2.11
        four      60   IN A     192.0.2.12
        four      60   IN A     192.0.2.13
        four      60   IN A     192.0.2.14
        six       60   IN AAAA  2001:db8::6
        alias1    900  IN CNAME alias2.test.
        alias2    30   IN CNAME lns.isp1.test.
        empty     300  IN TXT   "no address here"
        toempty   7    IN CNAME empty.test.
        localhost 50   IN A     192.0.2.99
        *.many    300  IN A     192.0.2.77
        *.many    300  IN AAAA  2001:db8::77
        delegated      IN NS    ns.delegated.test.
        ns.delegated   IN A     192.0.2.54
        loop1     10   IN CNAME loop2
        loop2     10   IN CNAME loop1

        """ + (1...60).map { "big 200 IN A 198.51.100.\($0)\n" }.joined()

    private static func configuration(folder: String, port: UInt16) -> String {
        """
        server:
          interface: 127.0.0.1@\(port)
          interface: ::1@\(port)
          do-daemonize: no
          username: ""
          chroot: ""
          directory: "\(folder)"
          pidfile: ""
          use-syslog: no
          logfile: ""
          verbosity: 1
          access-control: 127.0.0.0/8 allow
          access-control: ::1 allow
          module-config: "iterator"
          local-zone: "test." nodefault
          local-zone: "localhost." static
          local-data: "localhost. 50 IN A 192.0.2.98"
          local-zone: "chain." static
          local-data: "a.chain. 300 IN CNAME b.chain."
          local-data: "b.chain. 40 IN CNAME c.chain."
          local-data: "c.chain. 70 IN A 192.0.2.50"
          local-data: "l1.chain. 70 IN CNAME l2.chain."
          local-data: "l2.chain. 70 IN CNAME l1.chain."
          local-data: "odd.chain. 70 IN CNAME under_score.chain."
          local-zone: "refused." refuse
          local-zone: "silent." deny
        remote-control:
          control-enable: no
        auth-zone:
          name: "test."
          zonefile: "test.zone"
          for-downstream: yes
          for-upstream: yes
          fallback-enabled: no
        auth-zone:
          name: "broken."
          zonefile: "broken.zone"
          for-downstream: yes
          for-upstream: yes
          fallback-enabled: no
        forward-zone:
          name: "."
          forward-addr: 127.0.0.1@1

        """
    }
}

/// A UDP socket of ours on a loopback port: a name server that never answers, and counts what it is asked.
final class SilentServer: Sendable {
    private let socket: Int32
    let server: NameServer

    init() throws {
        socket = try FreePort.bind(SOCK_DGRAM, port: 0)
        server = NameServer(
            address: .v4(IPv4Address(value: 0x7f00_0001)), port: try FreePort.port(of: socket))
    }

    deinit { close(socket) }

    /// Datagrams that wait.
    func takeCount() -> Int {
        var count = 0
        var buffer = [UInt8](repeating: 0, count: 512)
        while recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 { count += 1 }
        return count
    }
}

/// Ports of the loopback address.
enum FreePort {
    struct Failure: Error { var call: String, code: Int32 }

    /// A port that is free for UDP and TCP.
    static func find() throws -> UInt16 {
        var last = Failure(call: "bind", code: EADDRINUSE)
        for _ in 0..<20 {
            let tcp = try bind(SOCK_STREAM, port: 0)
            defer { close(tcp) }
            let port = try port(of: tcp)
            do {
                close(try bind(SOCK_DGRAM, port: port))
                return port
            } catch let error as Failure {
                last = error
            }
        }
        throw last
    }

    static func bind(_ type: __socket_type, port: UInt16) throws -> Int32 {
        let file = socket(AF_INET, Int32(type.rawValue), 0)
        guard file >= 0 else { throw Failure(call: "socket", code: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let code = errno
            close(file)
            throw Failure(call: "bind", code: code)
        }
        return file
    }

    static func port(of file: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(file, $0, &length) }
        }
        guard status == 0 else { throw Failure(call: "getsockname", code: errno) }
        return UInt16(bigEndian: address.sin_port)
    }
}
