import ArgumentParser
import Observability
import RPC
import Wire

extension CompletionKind {
    /// Names that culvertd knows, and these words.
    static func names(_ kind: NameKind, and words: String...) -> CompletionKind {
        .custom { arguments, _, prefix in
            await Completion.names(kind, prefix: prefix, socket: Completion.socket(in: arguments))
                + words.filter { $0.hasPrefix(prefix) }
        }
    }
}

/// What can be completed by asking culvertd.
enum Completion {
    /// Names that begin with `prefix`; none when culvertd cannot be asked.
    static func names(_ kind: NameKind, prefix: String, socket: String) async -> [String] {
        (try? await RPCClient.connect(to: socket) { try await $0.names(kind, prefix: prefix) }) ?? []
    }

    /// culvertd's socket, which may be among the words that are typed.
    static func socket(in words: [String]) -> String {
        for (index, word) in words.enumerated().reversed() {
            if word == "--socket", index + 1 < words.count { return words[index + 1] }
            if word.hasPrefix("--socket=") { return String(word.dropFirst("--socket=".count)) }
        }
        return defaultSocketPath
    }

    /// The names that an argument stands for which its help calls `valueName`.
    static func kind(ofValue valueName: String) -> NameKind? {
        switch valueName {
        case "tunnel", "name|id": .tunnel
        case "id|all", "route": .route
        default: NameKind(rawValue: valueName)
        }
    }
}

/// A client's address on the command line.
struct MACArgument: ExpressibleByArgument, Sendable {
    let address: MACAddress

    init?(argument: String) {
        guard let address = MACAddress(argument) else { return nil }
        self.address = address
    }
}
