import Foundation
import Synchronization

/// What the command line prints.
enum Output {
    /// Takes what is printed instead of standard output.
    protocol Sink: Sendable {
        /// Takes `text`.
        func write(_ text: String)
    }

    /// Keeps what is printed.
    final class Buffer: Sink {
        private let state = Mutex("")

        /// All that was printed.
        var text: String { state.withLock { $0 } }

        func write(_ text: String) { state.withLock { $0 += text } }
    }

    /// Where the task's output goes; nil: standard output.
    @TaskLocal static var sink: (any Sink)?

    /// Prints `text`. When nobody reads it any more (`culvert ... | head`), the program ends quietly.
    static func write(_ text: String) {
        if let sink { sink.write(text) } else { writeThrough(Array(text.utf8)) }
    }

    /// Prints octets to standard output.
    static func writeThrough(_ octets: [UInt8]) {
        var rest = octets[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                exit(errno == EPIPE ? 0 : 1)
            }
        }
    }

    /// Prints an error.
    static func complain(_ text: String) { FileHandle.standardError.write(Data("culvert: \(text)\n".utf8)) }

    /// Prints an error in the words that it comes with.
    static func complainPlainly(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    /// `value` as JSON on one line: snake-case field names in alphabetical order, numbers of 64 bits as numbers.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// A list that is printed as it comes in, batch by batch: as JSON an array with one element a line, as text each element
/// below a heading.
actor ListPrinter<Element: Encodable & Sendable> {
    private let json: Bool
    private let heading: String
    private let text: @Sendable (Element) -> String
    private var count = 0
    private var begun = false

    /// A list under `heading` whose elements look like `text`.
    init(json: Bool, heading: String, text: @escaping @Sendable (Element) -> String) {
        self.json = json
        self.heading = heading
        self.text = text
    }

    /// Prints elements.
    func add(_ elements: [Element]) throws {
        var lines = start()
        for element in elements {
            if json {
                lines += (count == 0 ? "\n" : ",\n") + (try Output.json(element))
            } else {
                lines += (count == 0 ? "" : "\n") + text(element)
            }
            count += 1
        }
        Output.write(lines)
    }

    /// Prints what stands behind the list.
    func end() { Output.write(start() + (json ? (count == 0 ? "]\n" : "\n]\n") : "")) }

    /// What stands in front of the list, once: not before the first answer, so that a refused call prints nothing.
    private func start() -> String {
        defer { begun = true }
        return begun ? "" : json ? "[" : heading
    }
}
