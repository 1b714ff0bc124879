import Foundation
import RPC
import Testing

/// A client made from the .proto by `grpcio-tools`, in Python: what Tests/PythonClient/client.py expects holds.
@Suite(.timeLimit(.minutes(5)))
struct PythonClientTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "PythonClient")

    /// Whether Python, pip and the pinned packages can be had; says why not.
    private static func isPrepared() async throws -> Bool {
        let outcome = try await Child.run(folder.appending(path: "prepare"), [])
        if outcome.status == 77 { print("skipped: the Python client's test: \(outcome.output)") }
        return outcome.status != 77
    }

    @Test(.enabled("Python's venv and the packages of requirements.txt can be had") { try await isPrepared() })
    func clientFromTheProto() async throws {
        try await withTemporaryFolder { folder in
            var tcp: RPCServer.TCP?
            var client: TLSFiles?
            if Authority.isThere {
                let authority = try await Authority("ca", in: folder)
                tcp = RPCServer.TCP(endpoints: [TLSTests.anyPort], files: try await authority.issue("server"))
                client = try await authority.issue("operator")
            }
            let files = client
            let path = folder.appending(path: "s").path()
            try await serving(FakeControlPlane(), on: path, tcp: tcp) { path, endpoints in
                let secure = files.map {
                    ["localhost:\(endpoints[0].port)", $0.authorities, $0.certificate, $0.privateKey]
                }
                let outcome = try await Child.run(Self.folder.appending(path: "run"), [path] + (secure ?? []))
                #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            }
        }
    }
}
