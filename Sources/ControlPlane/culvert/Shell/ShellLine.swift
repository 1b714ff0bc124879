import Foundation
import Synchronization

/// A line of the shell, taken apart: words, and what its output goes through.
struct ShellLine: Equatable {
    /// What output goes through on its way, line by line.
    enum Filter: Equatable {
        /// Only lines with the text, whatever its case.
        case include(String)
        /// Only lines without it.
        case exclude(String)
        /// Lines from the first one with it on.
        case begin(String)
        /// The number of lines.
        case count
    }

    /// Why a line means nothing.
    struct Fault: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    /// A word and whether it was quoted, so that a quoted `|` is a word.
    private struct Word {
        var text = ""
        var isQuoted = false
    }

    var words: [String] = []
    var filters: [Filter] = []
    var json = false

    /// Takes `text` apart: words between spaces, quotes of both kinds, a backslash in front of what is meant as it is.
    init(_ text: String) throws(Fault) {
        var parts: [[String]] = [[]]
        for word in try Self.split(text) {
            if word.text == "|", !word.isQuoted { parts.append([]) } else { parts[parts.count - 1].append(word.text) }
        }
        words = parts[0]
        guard parts.count == 1 || !words.isEmpty else { throw Fault(description: "there is no command in front of |") }
        for part in parts.dropFirst() { try add(part) }
    }

    private mutating func add(_ part: [String]) throws(Fault) {
        let kinds = ["include", "exclude", "begin", "count", "json"]
        let fitting = kinds.filter { $0.hasPrefix(part.first ?? "-") }
        let rest = part.dropFirst().joined(separator: " ")
        switch (fitting.count == 1 ? fitting[0] : "", rest.isEmpty) {
        case ("include", false): filters.append(.include(rest))
        case ("exclude", false): filters.append(.exclude(rest))
        case ("begin", false): filters.append(.begin(rest))
        case ("count", true): filters.append(.count)
        case ("json", true): json = true
        default: throw Fault(description: "behind | stands include TEXT, exclude TEXT, begin TEXT, count or json")
        }
    }

    private static func split(_ text: String) throws(Fault) -> [Word] {
        var words: [Word] = []
        var word: Word?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                word = word ?? Word()
                word?.text.append(character)
                word?.isQuoted = true
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word?.text.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? Word()
                word?.isQuoted = true
            } else if character.isWhitespace {
                if let complete = word { words.append(complete) }
                word = nil
            } else if character == "|", word == nil {
                words.append(Word(text: "|"))
            } else {
                word = word ?? Word()
                word?.text.append(character)
            }
        }
        if quote != nil { throw Fault(description: "a quotation mark is missing") }
        if let word { words.append(word) }
        return words
    }

    /// The words in front of the cursor, and the beginning of the one that is being typed; nil where a file name or text stands
    /// that nothing is known about.
    static func typed(_ text: String) -> (words: [String], prefix: String)? {
        guard !text.contains("|"), let words = try? split(text) else { return nil }
        guard let last = text.last, !last.isWhitespace else { return (words.map(\.text), "") }
        return (words.dropLast().map(\.text), words.last?.text ?? "")
    }
}

/// Passes on what its filters let through.
final class FilteredOutput: Output.Sink {
    private struct State {
        var rest = ""
        var hasBegun: [Bool]
        var counts: [Int]
    }

    private let filters: [ShellLine.Filter]
    private let next: any Output.Sink
    private let state: Mutex<State>

    init(_ filters: [ShellLine.Filter], into next: any Output.Sink) {
        self.filters = filters
        self.next = next
        state = Mutex(
            State(
                hasBegun: Array(repeating: false, count: filters.count),
                counts: Array(repeating: 0, count: filters.count)))
    }

    func write(_ text: String) {
        let passed = state.withLock { state in
            state.rest += text
            var lines = state.rest.split(separator: "\n", omittingEmptySubsequences: false)
            state.rest = lines.popLast().map(String.init) ?? ""
            return lines.map(String.init).filter { passes($0, &state) }
        }
        if !passed.isEmpty { next.write(passed.map { $0 + "\n" }.joined()) }
    }

    /// Passes on what waits for the end of the output.
    func finish() {
        let last = state.withLock { state in
            var last = ""
            if !state.rest.isEmpty, passes(state.rest, &state) { last = state.rest + "\n" }
            for (filter, count) in zip(filters, state.counts) where filter == .count { last += "\(count) lines\n" }
            return last
        }
        if !last.isEmpty { next.write(last) }
    }

    private func passes(_ line: String, _ state: inout State) -> Bool {
        for (index, filter) in filters.enumerated() {
            switch filter {
            case .include(let text): if !line.localizedCaseInsensitiveContains(text) { return false }
            case .exclude(let text): if line.localizedCaseInsensitiveContains(text) { return false }
            case .begin(let text):
                if line.localizedCaseInsensitiveContains(text) { state.hasBegun[index] = true }
                if !state.hasBegun[index] { return false }
            case .count:
                state.counts[index] += 1
                return false
            }
        }
        return true
    }
}
