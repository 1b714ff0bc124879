import Foundation
import Testing

/// A client made from the .proto by `grpcio-tools`, in Python: what Tests/PythonClient/client.py expects holds.
@Suite(.timeLimit(.minutes(5)))
struct PythonClientTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "PythonClient")

    /// Runs a script of Tests/PythonClient to its end.
    private static func run(_ script: String, _ arguments: [String] = []) async throws -> (status: Int32, text: String)
    {
        let process = Process()
        process.executableURL = folder.appending(path: script)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try await Task.detached { try output.fileHandleForReading.readToEnd() ?? Data() }.value
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    /// Whether Python, pip and the pinned packages can be had; says why not.
    private static func isPrepared() async throws -> Bool {
        let outcome = try await run("prepare")
        if outcome.status == 77 { print("skipped: the Python client's test: \(outcome.text)") }
        return outcome.status != 77
    }

    @Test(.enabled("Python's venv and the packages of requirements.txt can be had") { try await isPrepared() })
    func clientFromTheProto() async throws {
        try await serving(FakeControlPlane()) { path in
            let outcome = try await Self.run("run", [path])
            #expect(outcome.status == 0, "\(outcome.text)")
        }
    }
}
