import Foundation
import Glibc
import Testing
import Wire

/// An HTTP client that sends what it is given and does not understand more than it must.
enum HTTPExchange {
    static let scrape = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    struct Answer {
        var status: Int
        var headers: [String: String]
        var body: String
    }

    /// A connected socket; the caller closes it.
    static func connected(to endpoint: SocketEndpoint) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = endpoint.port.bigEndian
        address.sin_addr.s_addr = try #require(endpoint.address.ipv4).value.bigEndian
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        return descriptor
    }

    /// Sends `text` on a new connection, and returns what comes back until the server closes it.
    static func octets(_ endpoint: SocketEndpoint, send text: String) async throws -> String {
        let descriptor = try connected(to: endpoint)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let octets = Array(text.utf8)
                send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL))
                var received: [UInt8] = []
                var piece = [UInt8](repeating: 0, count: 65_536)
                while case let count = recv(descriptor, &piece, piece.count, 0), count > 0 {
                    received += piece.prefix(count)
                }
                close(descriptor)
                continuation.resume(returning: String(decoding: received, as: UTF8.self))
            }
        }
    }

    /// One request's answer.
    static func answer(_ endpoint: SocketEndpoint, send text: String) async throws -> Answer {
        let text = try await octets(endpoint, send: text)
        let end = try #require(text.firstRange(of: "\r\n\r\n"), "\(text)")
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let status = try #require(lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) })
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.components(separatedBy: ": ")
            headers[parts[0].lowercased()] = parts.dropFirst().joined(separator: ": ")
        }
        return Answer(status: status, headers: headers, body: String(text[end.upperBound...]))
    }
}

/// Prometheus' own checks (Debian's package prometheus).
enum Promtool {
    struct Outcome: Equatable {
        var status: Int32
        var output: String
    }

    static let isThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")

    static func run(_ arguments: [String], input: String = "") async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let process = Process()
                        process.executableURL = URL(filePath: "/usr/bin/promtool")
                        process.arguments = arguments
                        let (standardInput, output) = (Pipe(), Pipe())
                        process.standardInput = standardInput
                        process.standardOutput = output
                        process.standardError = output
                        try process.run()
                        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
                        try standardInput.fileHandleForWriting.close()
                        let text = String(
                            decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
                        process.waitUntilExit()
                        return Outcome(status: process.terminationStatus, output: text)
                    })
            }
        }
    }
}
