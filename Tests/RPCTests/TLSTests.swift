import Foundation
import Glibc
import Listening
import RPC
import Testing
import Wire

/// gRPC over TCP, with certificates of openssl's.
@Suite(.timeLimit(.minutes(5)), .enabled("openssl is there") { Authority.isThere })
struct TLSTests {
    static let anyPort = SocketEndpoint(.v4(IPv4Address(value: 0x7f00_0001)), port: 0)
    static let anyPortOfIPv6 = SocketEndpoint(.v6(.loopback), port: 0)

    /// A folder with an authority, and a server of it while `body` runs.
    private static func secure<Result: Sendable>(
        _ interface: FakeControlPlane = FakeControlPlane(), endpoints: [SocketEndpoint] = [anyPort],
        server: String = "DNS:localhost,IP:127.0.0.1,IP:::1", readOnly: Set<String> = [],
        _ body: @escaping @Sendable (Authority, [SocketEndpoint], String) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            let authority = try await Authority("ca", in: folder)
            let files = try await authority.issue("server", alternatives: server)
            let tcp = RPCServer.TCP(endpoints: endpoints, files: files, readOnly: readOnly)
            return try await serving(interface, on: folder.appending(path: "s").path(), tcp: tcp) { path, endpoints in
                try await body(authority, endpoints, path)
            }
        }
    }

    private static func address(
        _ endpoint: SocketEndpoint, _ files: TLSFiles, host: String? = nil, serverName: String? = nil
    ) -> RPCServerAddress {
        .tcp(
            host: host ?? endpoint.address.description, port: endpoint.port, files: files, serverName: serverName)
    }

    private static func message(_ address: RPCServerAddress) async -> String? {
        await #expect(throws: RPCClientError.self) {
            try await RPCClient.connect(to: address) { _ = try await $0.status() }
        }?.description
    }

    @Test func clientsWithACertificateAreServedOnEveryEndpoint() async throws {
        try await Self.secure(endpoints: [Self.anyPort, Self.anyPortOfIPv6]) { authority, endpoints, path in
            #expect(endpoints.count == 2)
            let files = try await authority.issue("operator")
            for (address, host) in [(endpoints[0], nil), (endpoints[1], nil), (endpoints[0], "localhost")] {
                let epoch = try await RPCClient.connect(to: Self.address(address, files, host: host)) {
                    try await $0.status().controlEpoch
                }
                #expect(epoch == 2)
            }
            // The socket is there as ever.
            #expect(try await RPCClient.connect(to: path) { try await $0.status() }.controlEpoch == 2)
        }
    }

    @Test func strangersAreNotServed() async throws {
        try await Self.secure { authority, endpoints, _ in
            let stranger = try await Authority("elsewhere", in: authority.folder)
            var files = try await stranger.issue("stranger")
            // The client does not believe the server.
            #expect(
                await Self.message(Self.address(endpoints[0], files))
                    == "127.0.0.1 port \(endpoints[0].port): the connection to culvertd is lost: its certificate is from "
                    + "none of the authorities in the file of --ca, or has ended")
            // The server does not believe the client.
            files.authorities = authority.file
            #expect(
                await Self.message(Self.address(endpoints[0], files))
                    == "127.0.0.1 port \(endpoints[0].port): the connection to culvertd is lost: it does not know the "
                    + "authority of your certificate (client-ca in its configuration)")
        }
    }

    @Test func theServersNameIsLookedAt() async throws {
        try await Self.secure(server: "DNS:lac1.example") { authority, endpoints, _ in
            let files = try await authority.issue("operator")
            #expect(
                await Self.message(Self.address(endpoints[0], files))
                    == "127.0.0.1 port \(endpoints[0].port): the connection to culvertd is lost: its certificate is for "
                    + "another name: give the right one with --server-name, if you trust it")
            let named = Self.address(endpoints[0], files, serverName: "lac1.example")
            #expect(try await RPCClient.connect(to: named) { try await $0.status() }.controlEpoch == 2)
        }
    }

    @Test func clientsThatMayOnlyLookChangeNothing() async throws {
        let fake = FakeControlPlane()
        try await Self.secure(fake, readOnly: ["viewer"]) { authority, endpoints, path in
            let viewer = try await authority.issue("viewer")
            try await RPCClient.connect(to: Self.address(endpoints[0], viewer)) { client in
                #expect(try await client.status().controlEpoch == 2)
                #expect(try await client.counters().total.isEmpty == false)
                let tunnels = Collector<UInt16>()
                try await client.tunnels { await tunnels.add($0.map(\.id)) }
                #expect(await tunnels.elements == [1, 2])
                for change: @Sendable () async throws -> Void in [
                    { _ = try await client.clear(.everything) },
                    { _ = try await client.apply([.removeSession(1)]) },
                    { _ = try await client.setPolicers(of: .route(1), upstream: .keep, downstream: .remove) },
                ] {
                    let error = await #expect(throws: RPCClientError.self) { try await change() }
                    guard case .refused("permissionDenied", let message)? = error else {
                        Issue.record("\(String(describing: error))")
                        continue
                    }
                    #expect(message.hasPrefix("'viewer' may only look"))
                }
                #expect(await fake.cleared.isEmpty)
            }
            let other = try await authority.issue("operator")
            _ = try await RPCClient.connect(to: Self.address(endpoints[0], other)) { try await $0.clear(.tunnel(1)) }
            _ = try await RPCClient.connect(to: path) { try await $0.clear(.tunnel(2)) }
            #expect(await fake.cleared.count == 2)
        }
    }

    /// What does not speak TLS, or h2 in it, gets nothing, and does not stand in others' way.
    @Test func otherProtocolsGetNothing() async throws {
        try await Self.secure { authority, endpoints, _ in
            let plain = try await Exchange.octets(endpoints[0], send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            #expect(!plain.contains("HTTP"))
            let silent = try (0..<8).map { _ in try Exchange.connected(to: endpoints[0]) }
            defer { for descriptor in silent { close(descriptor) } }
            let files = try await authority.issue("operator")
            #expect(
                try await RPCClient.connect(to: Self.address(endpoints[0], files)) { try await $0.status() }
                    .controlEpoch
                    == 2)
        }
    }

    @Test func aRenewedCertificateIsTakenWithoutARestart() async throws {
        try await Self.secure(server: "DNS:old.example") { authority, endpoints, _ in
            let files = try await authority.issue("operator")
            let old = Self.address(endpoints[0], files, serverName: "old.example")
            let new = Self.address(endpoints[0], files, serverName: "new.example")
            _ = try await RPCClient.connect(to: old) { try await $0.status() }
            // A key without its certificate changes nothing.
            let key = authority.folder.appending(path: "server.key")
            let kept = try Data(contentsOf: key)
            try Data("rubbish".utf8).write(to: key)
            // The server looks once a second.
            try await Task.sleep(for: .milliseconds(2_500))
            for _ in 1...3 { _ = try await RPCClient.connect(to: old) { try await $0.status() } }
            try kept.write(to: key)
            try await authority.issue("server", alternatives: "DNS:new.example")
            for attempt in 1...100 {
                if (try? await RPCClient.connect(to: new) { try await $0.status() }) != nil { break }
                #expect(attempt < 100, "the new certificate is not taken")
                try await Task.sleep(for: .milliseconds(100))
            }
            _ = await Self.message(old)
        }
    }

    @Test func filesThatAreNotWhatTheyShouldBe() async throws {
        try await withTemporaryFolder { folder in
            let authority = try await Authority("ca", in: folder)
            let good = try await authority.issue("server")
            let other = try await authority.issue("other")
            let rubbish = folder.appending(path: "rubbish").path()
            try Data("rubbish".utf8).write(to: URL(filePath: rubbish))
            let nothing = folder.appending(path: "nothing").path()
            func files(_ change: (inout TLSFiles) -> Void) -> TLSFiles {
                var files = good
                change(&files)
                return files
            }
            let cases: [(TLSFiles, String)] = [
                (files { $0.certificate = nothing }, "\(nothing): No such file or directory"),
                (files { $0.privateKey = nothing }, "\(nothing): No such file or directory"),
                (files { $0.authorities = folder.path() }, "\(folder.path()): Is a directory"),
                (files { $0.certificate = rubbish }, "\(rubbish): holds no certificate in PEM form"),
                (files { $0.authorities = good.privateKey }, "\(good.privateKey): holds no certificate in PEM form"),
                (
                    files { $0.privateKey = good.certificate },
                    "\(good.certificate): holds no private key in PEM form, or an encrypted one"
                ),
                (
                    files { $0.privateKey = other.privateKey },
                    "\(other.privateKey): is not the private key of the certificate in \(good.certificate)"
                ),
            ]
            let path = folder.appending(path: "s").path()
            for (files, reason) in cases {
                let tcp = RPCServer.TCP(endpoints: [Self.anyPort], files: files)
                let error = await #expect(throws: TLSFileError.self) {
                    try await RPCServer(path: path, tcp: tcp, interface: FakeControlPlane()).run()
                }
                #expect(error?.description == reason)
                #expect(!FileManager.default.fileExists(atPath: path))
                let address = Self.address(Self.anyPort, files)
                #expect(await Self.message(address) == "127.0.0.1 port 0: \(reason)")
            }
        }
    }

    @Test func anAddressThatIsTakenIsNamed() async throws {
        try await Self.secure { authority, endpoints, path in
            let files = try await authority.issue("server", as: "second")
            let tcp = RPCServer.TCP(endpoints: [Self.anyPort, endpoints[0]], files: files)
            let error = await #expect(throws: ListenError.self) {
                try await RPCServer(path: path + "2", tcp: tcp, interface: FakeControlPlane()).run()
            }
            #expect(error?.description == "cannot listen on \(endpoints[0]): another program listens there")
            #expect(!FileManager.default.fileExists(atPath: path + "2"))
        }
    }

    /// Stopping amid calls, handshakes and connections that say nothing: every call ends, the watch is told why, nothing
    /// traps, and the end is not held up.
    @Test func stopsAmidCalls() async throws {
        try await withTemporaryFolder { folder in
            let authority = try await Authority("ca", in: folder)
            let files = try await authority.issue("server")
            let client = try await authority.issue("operator")
            for round in 1...8 {
                let path = folder.appending(path: "s\(round)").path()
                let tcp = RPCServer.TCP(endpoints: [Self.anyPort], files: files)
                let (listening, signal) = AsyncStream.makeStream(of: [SocketEndpoint].self)
                let server = Task {
                    try await RPCServer(path: path, tcp: tcp, interface: FakeControlPlane()).run { signal.yield($0) }
                }
                var found: [SocketEndpoint] = []
                for await endpoints in listening {
                    found = endpoints
                    break
                }
                let endpoint = found[0]
                let silent = try (0..<4).map { _ in try Exchange.connected(to: endpoint) }
                defer { for descriptor in silent { close(descriptor) } }
                let address = Self.address(endpoint, client)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 1...4 {
                        group.addTask {
                            while true {
                                do {
                                    try await RPCClient.connect(to: address) { _ = try await $0.status() }
                                } catch is RPCClientError { return }
                            }
                        }
                    }
                    group.addTask {
                        let error = await #expect(throws: RPCClientError.self) {
                            try await RPCClient.connect(to: address) { client in
                                try await client.watch(initial: true) { event in
                                    if event.kind == .initialComplete { server.cancel() }
                                }
                            }
                        }
                        #expect(error == .refused(code: "unavailable", message: "culvertd is stopping"), "\(round)")
                    }
                    try await group.waitForAll()
                }
                let start = ContinuousClock.now
                try await server.value
                #expect(ContinuousClock.now - start < .seconds(6), "\(round)")
            }
        }
    }

    /// The command line by TLS, and what it says of options that do not fit.
    @Test func theCommandLineConnects() async throws {
        try await Self.secure(server: "DNS:lac1.example") { authority, endpoints, path in
            let files = try await authority.issue("operator")
            let connect = ["--connect", "\(endpoints[0])"]
            let own = ["--certificate", files.certificate, "--private-key", files.privateKey]
            let ca = ["--ca=\(files.authorities)"]
            let name = ["--server-name", "lac1.example"]
            let show = ["show", "pppoe-ac", "statistics"]
            let byName = try await CommandLineTests.culvert(connect + own + ca + name + show)
            #expect(byName.status == 0, "\(byName.errors)")
            #expect(byName.output == (try await CommandLineTests.culvert(["--socket", path] + show).output))
            let behind = try await CommandLineTests.culvert(show + connect + own + ca + name)
            #expect(behind.output == byName.output)
            let wrongName = try await CommandLineTests.culvert(connect + own + ca + show)
            #expect(wrongName.status == 2)
            #expect(
                wrongName.errors.contains("its certificate is for another name: give the right one with --server-name"))
            for (arguments, complaint) in [
                (connect + show, "--connect needs --ca, --certificate and --private-key"),
                (own + show, "--ca, --certificate, --private-key and --server-name belong to --connect HOST:PORT"),
                (["--connect", "lac1"] + own + ca + show, "--connect wants HOST:PORT, an IPv6 address in brackets"),
                (["--connect", ":1"] + own + ca + show, "--connect wants HOST:PORT, an IPv6 address in brackets"),
                (["--connect", "a:65536"] + own + ca + show, "--connect wants HOST:PORT, an IPv6 address in brackets"),
            ] {
                let outcome = try await CommandLineTests.culvert(arguments)
                #expect(outcome.status == 64, "\(arguments)")
                #expect(outcome.errors.contains(complaint), "\(outcome.errors)")
            }
        }
    }
}
