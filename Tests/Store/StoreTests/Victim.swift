import Foundation
import Glibc

/// A running store-victim, the program beside this test's own.
final class Victim {
    private static let program: URL = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: own).deletingLastPathComponent().appending(path: "store-victim")
    }()

    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    /// Starts it, or with `shell` a shell that runs this text with it and its arguments as "$@".
    init(_ arguments: [String], shell: String? = nil) throws {
        if let shell {
            process.executableURL = URL(filePath: "/usr/bin/unshare")
            process.arguments = ["--mount", "/bin/sh", "-ec", shell, "sh", Self.program.path] + arguments
        } else {
            process.executableURL = Self.program
            process.arguments = arguments
        }
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    /// Reads what it says until `isEnough` of all of it so far, or its end.
    func read(until isEnough: (Int) -> Bool) -> Data {
        var said = Data()
        while !isEnough(said.count) {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { break }
            said += more
        }
        return said
    }

    /// Kills it, whatever it is at; answers what it had still said, and whether that was its end.
    func kill() -> (said: Data, wasKilled: Bool) {
        Glibc.kill(process.processIdentifier, SIGKILL)
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (said, process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL)
    }

    /// Waits for its end; answers its status and everything that it said.
    func wait() -> (status: Int32, said: String, errors: String) {
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let wrong = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: said, as: UTF8.self), String(decoding: wrong, as: UTF8.self)
        )
    }
}
