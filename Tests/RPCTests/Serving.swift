import Foundation
import RPC
import Testing
import Wire

/// A folder of its own for one test, removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "rpc-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// Serves `interface` on a socket in a folder of its own while `body` runs.
func serving<Result: Sendable>(
    _ interface: FakeControlPlane, _ body: @Sendable (String) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        try await serving(interface, on: folder.appending(path: "s").path(), body)
    }
}

/// Serves `interface` on the socket `path` while `body` runs.
func serving<Result: Sendable>(
    _ interface: FakeControlPlane, on path: String, _ body: @Sendable (String) async throws -> Result
) async throws -> Result {
    try await serving(interface, on: path, tcp: nil) { path, _ in try await body(path) }
}

/// Serves `interface` on the socket `path` and over TCP while `body` runs, which is told where that is.
func serving<Result: Sendable>(
    _ interface: FakeControlPlane, on path: String, tcp: RPCServer.TCP?,
    _ body: @Sendable (String, [SocketEndpoint]) async throws -> Result
) async throws -> Result {
    let (listening, signal) = AsyncStream.makeStream(of: [SocketEndpoint].self)
    let server = Task {
        defer { signal.finish() }
        try await RPCServer(path: path, tcp: tcp, interface: interface).run { signal.yield($0) }
    }
    var endpoints: [SocketEndpoint] = []
    for await found in listening {
        endpoints = found
        break
    }
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await body(path, endpoints))
    } catch {
        result = .failure(error)
    }
    server.cancel()
    try await server.value
    return try result.get()
}

/// Collects what arrives in batches.
actor Collector<Element: Sendable> {
    private(set) var elements: [Element] = []
    private(set) var batches = 0

    func add(_ batch: [Element]) {
        elements += batch
        batches += 1
    }
}
