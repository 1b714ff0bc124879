import ArgumentParser
import Observability
import RPC
import Wire

extension CompletionKind {
    /// Names that culvertd knows, and these words.
    static func names(_ kind: NameKind, and words: String...) -> CompletionKind {
        .custom { arguments, _, prefix in
            await Completion.names(kind, prefix: prefix, among: arguments)
                + words.filter { $0.hasPrefix(prefix) }
        }
    }
}

/// What can be completed by asking culvertd.
enum Completion {
    /// Names that begin with `prefix`, from the culvertd that options among `words` tell of; none when it cannot be asked.
    static func names(_ kind: NameKind, prefix: String, among words: [String]) async -> [String] {
        guard let address = address(in: words) else { return [] }
        return (try? await RPCClient.connect(to: address) { try await $0.names(kind, prefix: prefix) }) ?? []
    }

    /// Where culvertd is according to the options among the words that are typed; nil if they make no sense yet.
    static func address(in words: [String]) -> RPCServerAddress? {
        try? GlobalOptions.parse(Grammar.globalOptions(in: words)).address()
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
