import Foundation
import Glibc
import RPC
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SocketTests {
    private static func mode(of path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test(arguments: [UInt32(0o600), 0o660, 0o666])
    func fileHasItsModeAndGoesWithTheServer(mode: UInt32) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "s").path()
            let (listening, signal) = AsyncStream.makeStream(of: Void.self)
            let server = Task {
                try await RPCServer(path: path, mode: mode, interface: FakeControlPlane()).run { signal.yield() }
            }
            for await _ in listening { break }
            #expect(try Self.mode(of: path) == Int(mode))
            #expect(!FileManager.default.fileExists(atPath: path + ".new"))
            server.cancel()
            try await server.value
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func deadSocketIsReplaced() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "s").path()
            try Self.bindAndClose(path)
            #expect(FileManager.default.fileExists(atPath: path))
            let status = try await serving(FakeControlPlane(), on: path) { path in
                try await RPCClient.connect(to: path) { try await $0.status() }
            }
            #expect(status.controlEpoch == 2)
        }
    }

    @Test func secondServerIsRefusedAndTheFirstGoesOn() async throws {
        try await serving(FakeControlPlane()) { path in
            let error = await #expect(throws: SocketError.self) {
                try await RPCServer(path: path, interface: FakeControlPlane()).run()
            }
            #expect(error?.description == "another culvertd is running: it serves \(path)")
            let status = try await RPCClient.connect(to: path) { try await $0.status() }
            #expect(status.controlEpoch == 2)
        }
    }

    /// Somebody else's living socket is not taken away, lock or no lock.
    @Test func foreignSocketIsRefused() async throws {
        try await serving(FakeControlPlane()) { path in
            let alias = path + "2"
            #expect(link(path, alias) == 0)
            let error = await #expect(throws: SocketError.self) {
                try await RPCServer(path: alias, interface: FakeControlPlane()).run()
            }
            #expect(error?.description == "\(alias) is in use: another process listens on it")
        }
    }

    @Test func otherFilesAreRefused() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "s").path()
            try Data("precious".utf8).write(to: URL(filePath: path))
            let error = await #expect(throws: SocketError.self) {
                try await RPCServer(path: path, interface: FakeControlPlane()).run()
            }
            #expect(error?.description == "\(path) exists and is not a socket: remove it or choose another path")
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        }
    }

    @Test func pathsThatCannotBe() async throws {
        try await withTemporaryFolder { folder in
            for path in [
                folder.appending(path: String(repeating: "x", count: 120)).path(),
                folder.appending(path: "missing/s").path(),
            ] {
                let error = await #expect(throws: SocketError.self) {
                    try await RPCServer(path: path, interface: FakeControlPlane()).run()
                }
                #expect(error?.description.contains(path) == true)
            }
        }
    }

    /// Stopping amid calls and connections: every call ends, the watch is told why, nothing traps.
    @Test func stopsAmidCalls() async throws {
        for round in 1...20 {
            try await withTemporaryFolder { folder in
                let path = folder.appending(path: "s").path()
                let (listening, signal) = AsyncStream.makeStream(of: Void.self)
                let server = Task {
                    try await RPCServer(path: path, interface: FakeControlPlane()).run { signal.yield() }
                }
                for await _ in listening { break }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 1...4 {
                        group.addTask {
                            while true {
                                do {
                                    try await RPCClient.connect(to: path) { _ = try await $0.status() }
                                } catch is RPCClientError { return }
                            }
                        }
                    }
                    group.addTask {
                        let error = await #expect(throws: RPCClientError.self) {
                            try await RPCClient.connect(to: path) { client in
                                try await client.watch(initial: true) { event in
                                    if event.kind == .initialComplete { server.cancel() }
                                }
                            }
                        }
                        #expect(error == .refused(code: "unavailable", message: "culvertd is stopping"), "\(round)")
                    }
                    try await group.waitForAll()
                }
                try await server.value
                #expect(!FileManager.default.fileExists(atPath: path))
                #expect(!FileManager.default.fileExists(atPath: path + ".end"))
            }
        }
    }

    @Test func clientSaysWhatIsWrong() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "s").path()
            func message() async -> String? {
                await #expect(throws: RPCClientError.self) {
                    try await RPCClient.connect(to: path) { _ = try await $0.status() }
                }?.description
            }
            #expect(
                await message() == "culvertd is not running: no socket at \(path) (--socket PATH names another)")
            try Self.bindAndClose(path)
            #expect(
                await message() == "culvertd is not running: it has left its socket at \(path), start it again")
            unlink(path)
            try Data().write(to: URL(filePath: path))
            #expect(await message() == "\(path) is not a socket: name culvertd's with --socket PATH")
        }
    }

    /// A socket that a process left behind without listening on it any more.
    private static func bindAndClose(_ path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        close(descriptor)
        try #require(result == 0)
    }
}
