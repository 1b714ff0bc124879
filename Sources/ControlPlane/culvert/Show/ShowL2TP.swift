import ArgumentParser
import Observability

/// `culvert show l2tp`
struct ShowL2TP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "l2tp", abstract: "L2TP tunnels or sessions.",
        subcommands: [ShowL2TPTunnel.self, ShowL2TPSession.self])
}

/// `culvert show l2tp tunnel`
struct ShowL2TPTunnel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tunnel",
        abstract: "L2TP tunnels.",
        usage: """
            culvert show l2tp tunnel
            culvert show l2tp tunnel NAME
            culvert show l2tp tunnel detail
            culvert show l2tp tunnel NAME detail
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("A tunnel's name or local id, and detail.", valueName: "what"))
    var words: [String] = []

    /// Which tunnels the words name, and how much of them is shown.
    private func subject() throws -> (filter: TunnelFilter, detail: Bool) {
        var names = words
        let detail = names.last == "detail"
        if detail { names.removeLast() }
        switch names.count {
        case 0: return (.all, detail)
        case 1: return (UInt16(names[0]).map { .id($0) } ?? .name(names[0]), detail)
        default: throw ValidationError("expected at most NAME and detail")
        }
    }

    func validate() throws { _ = try subject() }

    func run() async throws {
        let (filter, detail) = try subject()
        let json = options.json
        let heading = detail ? TunnelSnapshot.detailHeading : TunnelSnapshot.basicHeading
        let printer = ListPrinter<TunnelSnapshot>(json: json, heading: heading) {
            detail ? $0.detailText(in: .local) : $0.basicText(in: .local)
        }
        try await options.connected { client in
            try await client.tunnels(filter, detail: detail) { try await printer.add($0) }
            await printer.end()
        }
    }
}

/// `culvert show l2tp session`
struct ShowL2TPSession: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "L2TP sessions.",
        usage: """
            culvert show l2tp session [--tunnel ID] [--user NAME]
            culvert show l2tp session detail [--tunnel ID] [--user NAME]
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("detail shows everything.", valueName: "detail"))
    var words: [String] = []

    @Option(help: ArgumentHelp("Only sessions of the tunnel with this local id.", valueName: "id"))
    var tunnel: UInt16?

    @Option(help: ArgumentHelp("Only sessions of this user.", valueName: "name"))
    var user: String?

    func validate() throws {
        guard words.isEmpty || words == ["detail"] else { throw ValidationError("expected nothing or detail") }
    }

    func run() async throws {
        let detail = !words.isEmpty
        let filter = SessionFilter(tunnelID: tunnel, userName: user)
        let heading = detail ? SessionSnapshot.detailHeading : SessionSnapshot.basicHeading
        let printer = ListPrinter<SessionSnapshot>(json: options.json, heading: heading) {
            detail ? $0.detailText(in: .local) : $0.basicText(in: .local)
        }
        try await options.connected { client in
            try await client.sessions(filter, detail: detail) { try await printer.add($0) }
            await printer.end()
        }
    }
}
