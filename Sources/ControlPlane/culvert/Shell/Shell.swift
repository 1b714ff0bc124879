import ArgumentParser
import Foundation
import Observability
import RPC
import Synchronization

/// `culvert` without a command: a shell on a terminal, else commands from standard input, line by line.
///
/// It lives on the main thread, which it blocks while a line is typed; commands run on the others.
@MainActor
enum Shell {
    /// Runs until `exit` or the end of the input, and ends the program with the last command's status.
    static func run(options: [String]) async -> Never {
        let isInteractive = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
        exit(await isInteractive ? interactive(options) : batch(options))
    }

    /// Commands from standard input, without prompt or pages. Lines that begin with # are remarks.
    private static func batch(_ options: [String]) async -> Int32 {
        var status: Int32 = 0
        while let line = readLine() {
            let text = line.trimmingCharacters(in: .whitespaces)
            guard !text.isEmpty, !text.hasPrefix("#") else { continue }
            guard let command = parse(text) else {
                status = 64
                continue
            }
            if isExit(command) { break }
            status = await perform(command, options, interrupts: nil)
        }
        return status
    }

    private static func interactive(_ options: [String]) async -> Int32 {
        let interrupts = Interrupts()
        let editor = Editor(historyPath: historyPath()) { question in
            blocking {
                var found: [String] = []
                for kind in question.kinds {
                    found += await Completion.names(kind, prefix: question.prefix, among: options)
                }
                return found
            } ?? []
        }
        guard let editor else {
            Output.complain("the terminal cannot be used")
            return 1
        }
        let prompt = (blocking { await hostName(options) } ?? "culvert") + "# "
        var status: Int32 = 0
        while let line = editor.read(prompt: prompt) {
            guard !line.isEmpty else { continue }
            guard let command = parse(line) else {
                status = 64
                continue
            }
            if isExit(command) { return status }
            status = await perform(command, options, interrupts: interrupts)
        }
        Output.writeThrough([UInt8(ascii: "\n")])
        return status
    }

    /// The line taken apart; nil, with the fault told, when that cannot be done.
    private static func parse(_ line: String) -> ShellLine? {
        do throws(ShellLine.Fault) {
            return try ShellLine(line)
        } catch {
            Output.complain(error.description)
            return nil
        }
    }

    private static func isExit(_ command: ShellLine) -> Bool {
        command.words.count == 1 && ["exit", "quit", "logout"].contains(command.words[0])
    }

    // MARK: A command

    /// Runs a command to its end; answers the status that the program would have ended with.
    private static func perform(_ command: ShellLine, _ options: [String], interrupts: Interrupts?) async -> Int32 {
        guard let first = command.words.first else { return 0 }
        let json = command.json ? ["--json"] : []
        // What asks nobody takes no socket.
        let asksNobody = ["help", "check"].contains(Grammar.expanded([first]).first ?? "")
        let words =
            asksNobody
            ? Grammar.normalised(command.words) + json : Grammar.normalised(options + json + command.words)
        let isPaged = interrupts != nil && isScreen(words)
        let task = Task.detached { () -> Int32 in
            let isOver = Flag()
            var sink: (any Output.Sink)?
            if isPaged, let size = Terminal.size {
                sink = Pager(rows: size.rows, columns: size.columns) {
                    isOver.raise()
                    interrupts?.interrupt()
                } isOver: {
                    isOver.isRaised || Task.isCancelled || interrupts?.isInterrupted == true
                }
            }
            var filter: FilteredOutput?
            if !command.filters.isEmpty {
                filter = FilteredOutput(command.filters, into: sink ?? DirectOutput())
                sink = filter
            }
            let status = await Output.$sink.withValue(sink) { await execute(words) }
            filter?.finish()
            return isOver.isRaised ? 0 : status
        }
        interrupts?.watch(task)
        defer { interrupts?.forget() }
        return await task.value
    }

    /// Whether a command prints a screen and ends, rather than going on.
    private nonisolated static func isScreen(_ arguments: [String]) -> Bool {
        guard let first = arguments.first else { return false }
        return ["show", "help", "static", "check"].contains(first)
            && !arguments.contains { $0 == "--watch" || $0.hasPrefix("--watch=") } || arguments.contains("--help")
    }

    /// Parses and runs a command in this process, and tells what went wrong.
    private nonisolated static func execute(_ arguments: [String]) async -> Int32 {
        do {
            if let fault = Grammar.fault(arguments) { throw ValidationError(fault) }
            var command = try Culvert.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return 0
        } catch let code as ExitCode {
            return Task.isCancelled ? 130 : code.rawValue
        } catch {
            guard !Task.isCancelled, !(error is CancellationError) else { return 130 }
            let status = Culvert.exitCode(for: error).rawValue
            let message = Culvert.fullMessage(for: error)
            if status == 0 { Output.write(message + "\n") } else { Output.complainPlainly(message) }
            return status
        }
    }

    // MARK: Surroundings

    /// The node's name, for the prompt.
    private nonisolated static func hostName(_ options: [String]) async -> String? {
        guard let address = Completion.address(in: options) else { return nil }
        let name = try? await RPCClient.connect(to: address) { try await $0.status().hostName }
        return name.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Where lines are remembered; nil when there is no place for it.
    private static func historyPath() -> String? {
        let environment = ProcessInfo.processInfo.environment
        let state = environment["XDG_STATE_HOME"] ?? environment["HOME"].map { $0 + "/.local/state" }
        guard let folder = state.map({ $0 + "/culvert" }), folder.hasPrefix("/") else { return nil }
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { return nil }
        return folder + "/history"
    }

    /// Waits for `body` in a task of its own, and gives it up after a while: a key must not hang where culvertd does.
    private static func blocking<Result: Sendable>(_ body: @escaping @Sendable () async -> Result?) -> Result? {
        let answer = Answer<Result>()
        let done = DispatchSemaphore(value: 0)
        let task = Task.detached {
            answer.set(await body())
            done.signal()
        }
        if done.wait(timeout: .now() + 15) == .timedOut { task.cancel() }
        return answer.value
    }
}

/// What a task has answered so far.
private final class Answer<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)
    var value: Value? { state.withLock { $0 } }
    func set(_ value: Value?) { state.withLock { $0 = value } }
}

/// Something that has happened, or not yet.
private final class Flag: Sendable {
    private let state = Atomic<Bool>(false)
    var isRaised: Bool { state.load(ordering: .relaxed) }
    func raise() { state.store(true, ordering: .relaxed) }
}

/// Standard output.
private struct DirectOutput: Output.Sink {
    func write(_ text: String) { Output.writeThrough(Array(text.utf8)) }
}

/// Where the handler of Ctrl-C writes. Set once, before there is a handler.
private nonisolated(unsafe) var interruptPipe: Int32 = -1

/// Ctrl-C: ends the command that runs, and nothing else.
final class Interrupts: Sendable {
    private struct State {
        var task: Task<Int32, Never>?
        var isInterrupted = false
    }

    private let state = Mutex(State())

    /// Takes Ctrl-C over for the whole program: a thread of its own waits for it.
    init() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        let (reading, writing) = (ends[0], ends[1])
        interruptPipe = writing
        // A handler may do next to nothing; writing is allowed.
        signal(SIGINT) { _ in
            var octet: UInt8 = 0
            _ = Glibc.write(interruptPipe, &octet, 1)
        }
        Thread.detachNewThread { [weak self] in
            var octet: UInt8 = 0
            while read(reading, &octet, 1) == 1 {
                guard let self else { return }
                self.interrupt()
            }
        }
    }

    /// Whether the command that runs has been interrupted.
    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// From now on Ctrl-C is for `task`.
    func watch(_ task: Task<Int32, Never>) {
        state.withLock { state in
            state.task = task
            state.isInterrupted = false
        }
    }

    /// Nothing runs any more.
    func forget() { state.withLock { $0.task = nil } }

    /// Ends what runs.
    func interrupt() {
        let task = state.withLock { state in
            state.isInterrupted = state.task != nil
            return state.task
        }
        task?.cancel()
    }
}
