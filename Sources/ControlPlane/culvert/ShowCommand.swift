import ArgumentParser
import Foundation
import RPC

/// Options of every show command.
struct ShowOptions: ParsableArguments {
    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("Show it again every so many seconds, 1 unless given.", valueName: "seconds"))
    var watch: Double?

    func validate() throws {
        guard watch.map({ $0 >= 0.1 && $0 <= 86_400 }) ?? true else {
            throw ValidationError("--watch must be 0.1 to 86400 seconds")
        }
    }
}

/// A command that shows something: it says once what that is, and can be watched.
protocol ShowCommand: AsyncParsableCommand, Sendable {
    /// Where from, how, and how often.
    var options: ShowOptions { get }

    /// Prints what there is now by `Output.write`.
    func show(_ client: RPCClient) async throws
}

extension ShowCommand {
    func run() async throws { try await runShow() }

    /// Shows it once, or again and again.
    func runShow() async throws {
        guard let seconds = options.watch else { return try await options.global.connected { try await show($0) } }
        try await options.global.connected { client in
            try await Frames.run(every: .seconds(seconds)) { try await show(client) }
        }
    }
}

/// A screen that is shown again and again.
enum Frames {
    /// Runs `body` every `interval` until it throws or the task is cancelled. On a terminal each frame takes the place of the one
    /// before, as much of it as the terminal has room for; elsewhere frames follow each other.
    static func run(every interval: Duration, _ body: @Sendable () async throws -> Void) async throws {
        let clock = ContinuousClock()
        var next = clock.now
        var isFirst = true
        while true {
            let buffer = Output.Buffer()
            try await Output.$sink.withValue(buffer) { try await body() }
            let frame = buffer.text
            if let size = Terminal.size {
                Output.write((isFirst ? "\u{1b}[2J" : "") + placed(frame, rows: size.rows))
            } else {
                Output.write((isFirst ? "" : "\n") + frame)
            }
            isFirst = false
            next = max(next.advanced(by: interval), clock.now)
            try await clock.sleep(until: next)
        }
    }

    /// A frame from the terminal's first line on, and nothing of an older one behind it.
    static func placed(_ frame: String, rows: Int) -> String {
        var lines = frame.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        if lines.count > max(2, rows - 1) {
            let shown = max(1, rows - 2)
            lines = lines.prefix(shown) + ["(\(lines.count - shown) more lines)"]
        }
        return "\u{1b}[H" + lines.map { "\($0)\u{1b}[K\n" }.joined() + "\u{1b}[J"
    }
}
