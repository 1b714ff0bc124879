import Foundation

/// A program run to its end. Waiting takes threads of its own, never those of Swift's tasks: the server that the program
/// talks to runs on them.
struct Child: Sendable {
    var status: Int32
    var output: String
    var errors: String

    /// Runs `program` in UTC, with `input` as its standard input.
    static func run(_ program: URL, _ arguments: [String], input: String = "") async throws -> Child {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["TZ": "UTC"]) { $1 }
        let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        async let outputText = text(of: output.fileHandleForReading)
        async let errorText = text(of: errors.fileHandleForReading)
        let (outputResult, errorResult) = try await (outputText, errorText)
        // Both pipes have ended: so has the program, or it is about to.
        process.waitUntilExit()
        return Child(status: process.terminationStatus, output: outputResult, errors: errorResult)
    }

    /// What comes out of `handle` until `text` has come so many times, or it ends.
    static func text(of handle: FileHandle, until text: String, times: Int) async throws -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var read = ""
                while read.components(separatedBy: text).count <= times {
                    let data = handle.availableData
                    if data.isEmpty { break }
                    read += String(decoding: data, as: UTF8.self)
                }
                continuation.resume(returning: read)
            }
        }
    }

    /// Everything that comes out of `handle`.
    private static func text(of handle: FileHandle) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result { String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self) })
            }
        }
    }
}
