import CEdit
import Foundation
import Observability

/// The line that is being typed: libedit, with completion and help of ours.
///
/// Used from one thread, which it blocks while it reads.
final class Editor {
    private var editor: OpaquePointer?
    private let historyPath: String?
    private let names: (NameQuestion) -> [String]

    /// Kinds of names and what they begin with.
    typealias NameQuestion = (kinds: [NameKind], prefix: String)

    /// An editor that remembers lines in the file `historyPath` and asks `names` for what culvertd knows; nil without a terminal.
    init?(historyPath: String?, names: @escaping (NameQuestion) -> [String]) {
        self.historyPath = historyPath
        self.names = names
        let context = Unmanaged.passUnretained(self).toOpaque()
        editor = culvert_edit_open("culvert", context) { context, editor, line, _ in
            if let line { Editor.of(context)?.complete(String(cString: line), editor) }
        } _: { context, editor, line, _ in
            if let line { Editor.of(context)?.help(String(cString: line), editor) }
        }
        guard editor != nil else { return nil }
        if let historyPath { culvert_edit_load(editor, historyPath) }
    }

    deinit { if let editor { culvert_edit_close(editor) } }

    private static func of(_ context: UnsafeMutableRawPointer?) -> Editor? {
        context.map { Unmanaged<Editor>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The next line, without its end; nil at the end of the input.
    func read(prompt: String) -> String? {
        var length: Int32 = 0
        guard let line = culvert_edit_read(editor, prompt, &length), length > 0 else { return nil }
        let text = String(cString: line).trimmingCharacters(in: .whitespacesAndNewlines)
        if !text.isEmpty { culvert_edit_remember(editor, text, historyPath) }
        return text
    }

    /// The tabulator key: types what all candidates have in common, or lists them.
    private func complete(_ line: String, _ editor: OpaquePointer?) {
        guard let (words, prefix) = ShellLine.typed(line) else { return }
        let suggestions = Suggestions(after: words)
        var texts = suggestions.words.map(\.text).filter {
            // Options come where a dash asks for them.
            $0.hasPrefix(prefix) && (!prefix.isEmpty || !$0.hasPrefix("-"))
        }
        if !suggestions.kinds.isEmpty { texts += names((suggestions.kinds, prefix)) }
        texts = Array(Set(texts)).sorted()
        guard let first = texts.first else { return }
        if texts.count == 1 {
            culvert_edit_insert(editor, first.dropFirst(prefix.count) + " ")
            return
        }
        let common = texts.dropFirst().reduce(first) { $0.commonPrefix(with: $1) }
        if common.count > prefix.count {
            culvert_edit_insert(editor, String(common.dropFirst(prefix.count)))
        } else {
            culvert_edit_redraw(editor)
            Output.writeThrough(Array(("\n" + Self.columns(texts)).utf8))
        }
    }

    /// The question mark: what can come next, a line each.
    private func help(_ line: String, _ editor: OpaquePointer?) {
        culvert_edit_redraw(editor)
        guard let (words, prefix) = ShellLine.typed(line) else { return }
        let suggestions = Suggestions(after: words)
        var lines = suggestions.values + suggestions.words.filter { $0.text.hasPrefix(prefix) }
        if suggestions.isComplete, prefix.isEmpty { lines.append(.init(text: "<cr>", meaning: "")) }
        let width = lines.map(\.text.count).max() ?? 0
        let text = lines.map { line in
            line.meaning.isEmpty ? "  \(line.text)\n" : "  \(line.text.padding(to: width))  \(line.meaning)\n"
        }.joined()
        Output.writeThrough(Array(("?\n" + (text.isEmpty ? "  nothing is known to come here\n" : text)).utf8))
    }

    /// Words side by side, as many as the terminal has room for.
    private static func columns(_ texts: [String]) -> String {
        let width = (texts.map(\.count).max() ?? 0) + 2
        let perRow = max(1, (Terminal.size?.columns ?? 80) / width)
        return stride(from: 0, to: texts.count, by: perRow).map { start in
            let row = texts[start..<min(start + perRow, texts.count)]
            return row.dropLast().map { $0.padding(to: width) }.joined() + (row.last ?? "") + "\n"
        }.joined()
    }
}

extension String {
    /// The string with spaces behind it up to `width`.
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
