import ArgumentParser
import Observability
import Wire

/// What can be drained, and its name.
struct DrainArguments: ParsableArguments {
    /// The levels.
    enum Level: String, ExpressibleByArgument, CaseIterable {
        case system
        case destination
        case tunnel
        case pppoeAC = "pppoe-ac"
        case interface
    }

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("What takes no new sessions.", valueName: "level"))
    var level: Level

    @Argument(
        help: ArgumentHelp("Which one; the system has no name.", valueName: "name"),
        completion: .custom { words, _, prefix in
            let levels: [String: NameKind] = [
                "destination": .destination, "tunnel": .tunnel, "pppoe-ac": .instance, "interface": .interface,
            ]
            guard let kind = words.lazy.compactMap({ levels[$0] }).first else { return [] }
            return await Completion.names(kind, prefix: prefix, among: words)
        })
    var name: String?

    func validate() throws { _ = try target() }

    private func target() throws -> DrainTarget {
        guard let name else {
            guard level == .system else { throw ValidationError("say which \(level.rawValue)") }
            return .system
        }
        switch level {
        case .system: throw ValidationError("the system has no name")
        case .destination:
            guard let address = IPAddress(name) else { throw ValidationError("'\(name)' is not an IP address") }
            return .destination(address)
        case .tunnel: return UInt16(name).map { .tunnel($0) } ?? .tunnelNamed(name)
        case .pppoeAC: return .instance(name)
        case .interface: return .interface(name)
        }
    }

    /// Takes no new sessions, or takes them again, and says what is up there.
    func drain(_ isDrained: Bool) async throws {
        let target = try target()
        try await options.connected { client in
            let outcome = try await client.drain(target, isDrained)
            try options.print(outcome, text: outcome.text(of: target))
        }
    }
}

/// `culvert drain`
struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take no new sessions on a part of the node; what is up stays up.",
        usage: """
            culvert drain system
            culvert drain destination ADDRESS
            culvert drain tunnel NAME|ID
            culvert drain pppoe-ac NAME
            culvert drain interface NAME
            """,
        discussion: "Lasts until undrain, or until culvertd ends. show status lists what is drained.")

    @OptionGroup var arguments: DrainArguments

    func run() async throws { try await arguments.drain(true) }
}

/// `culvert undrain`
struct Undrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take new sessions again where drain has ended that.",
        usage: "culvert undrain LEVEL [NAME], as culvert drain")

    @OptionGroup var arguments: DrainArguments

    func run() async throws { try await arguments.drain(false) }
}
