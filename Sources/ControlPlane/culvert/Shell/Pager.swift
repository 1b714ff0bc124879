import Foundation
import Synchronization

/// Stops a long screen where the terminal is full, until a key is pressed: space for another page, return for another line, q for
/// enough.
final class Pager: Output.Sink {
    private struct State {
        var left: Int
        var hasEnough = false
    }

    private let rows: Int
    private let columns: Int
    private let state: Mutex<State>
    private let enough: @Sendable () -> Void
    private let isOver: @Sendable () -> Bool

    /// A pager for a terminal of this size. `enough` is called when the operator wants no more; waiting ends when `isOver`.
    init(
        rows: Int, columns: Int, enough: @escaping @Sendable () -> Void, isOver: @escaping @Sendable () -> Bool
    ) {
        self.rows = max(2, rows)
        self.columns = max(1, columns)
        self.enough = enough
        self.isOver = isOver
        state = Mutex(State(left: max(2, rows) - 1))
    }

    func write(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(text.hasSuffix("\n") ? 1 : 0)
        {
            let height = max(1, (line.count + columns - 1) / columns)
            let isWanted = state.withLock { state in
                if state.left < height, !state.hasEnough { ask(&state) }
                state.left -= height
                return !state.hasEnough
            }
            guard isWanted else { return }
            Output.writeThrough(Array((line + "\n").utf8))
        }
    }

    /// Waits for a key.
    private func ask(_ state: inout State) {
        let key = Self.key(asking: "--More-- (space, return, q)", unless: isOver)
        switch key {
        case UInt8(ascii: " "): state.left = rows - 1
        case UInt8(ascii: "\r"), UInt8(ascii: "\n"): state.left = 1
        case UInt8(ascii: "q"), UInt8(ascii: "Q"), nil:
            state.hasEnough = true
            enough()
        default: state.left = rows - 1
        }
    }

    /// The next key of the terminal, without waiting for the end of a line; nil at its end, or when `isOver`.
    private static func key(asking question: String, unless isOver: () -> Bool) -> UInt8? {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
        // Asked only now: a key that came before would be shown as it is.
        Output.writeThrough(Array(question.utf8))
        defer { Output.writeThrough(Array("\r\u{1b}[K".utf8)) }
        while !isOver() {
            var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, 100) > 0 else { continue }
            var octet: UInt8 = 0
            return read(STDIN_FILENO, &octet, 1) == 1 ? octet : nil
        }
        return nil
    }
}
