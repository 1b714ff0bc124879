import ArgumentParser
import Configuration
import Observability
import RPC
import Wire

/// `culvert show l2tp`
struct ShowL2TP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "l2tp", abstract: "L2TP destinations, tunnels or sessions.",
        subcommands: [ShowL2TPTunnel.self, ShowL2TPSession.self, ShowL2TPDestination.self])
}

/// The words behind `show l2tp …`: at most one name, and at most one of the views behind it.
struct ListWords {
    /// What is named; nil: everything.
    var name: String?
    /// The last word, if it is one of the views.
    var view: String?

    /// Takes `words` apart; throws where there are too many.
    init(_ words: [String], views: [String]) throws {
        var names = words
        // A word that can only be a view is one, in front of the name as well as behind it.
        if let place = names.lastIndex(where: views.contains) { view = names.remove(at: place) }
        guard names.count <= 1 else {
            throw ValidationError("expected at most a name and \(views.joined(separator: " or "))")
        }
        name = names.first
    }
}

/// `culvert show l2tp tunnel`
struct ShowL2TPTunnel: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "tunnel",
        abstract: "L2TP tunnels.",
        usage: """
            culvert show l2tp tunnel [NAME|ID] [detail]
            culvert show l2tp tunnel [PROFILE] config-check [--file FILE]
            """,
        discussion: """
            config-check judges each l2tp-profile, which tunnels are made from, of a configuration file; it needs no \
            culvertd.
            """)

    @OptionGroup var options: ShowOptions
    @OptionGroup var file: FileOptions

    @Argument(
        help: ArgumentHelp("A tunnel's name or local id; detail, config-check.", valueName: "tunnel"),
        completion: .names(.tunnel, and: "detail", "config-check"))
    var words: [String] = []

    private func subject() throws -> ListWords { try ListWords(words, views: ["detail", "config-check"]) }

    func validate() throws { _ = try subject() }

    func run() async throws {
        let subject = try subject()
        guard subject.view == "config-check" else { return try await runShow() }
        try await file.check(.tunnel, subject.name, options)
    }

    func show(_ client: RPCClient) async throws {
        let subject = try subject()
        let filter = subject.name.map { name in UInt16(name).map { .id($0) } ?? .name(name) } ?? TunnelFilter.all
        let detail = subject.view == "detail"
        let heading = detail ? TunnelSnapshot.detailHeading : TunnelSnapshot.basicHeading
        let printer = ListPrinter<TunnelSnapshot>(json: options.global.json, heading: heading) {
            detail ? $0.detailText(in: .local) : $0.basicText(in: .local)
        }
        try await client.tunnels(filter, detail: detail) { try await printer.add($0) }
        await printer.end()
    }
}

/// `culvert show l2tp session`
struct ShowL2TPSession: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "L2TP sessions.",
        usage: "culvert show l2tp session [NAME|ID] [detail] [--tunnel ID] [--user NAME]")

    @OptionGroup var options: ShowOptions

    @Argument(
        help: ArgumentHelp("A session's name or local id; detail shows everything.", valueName: "session"),
        completion: .names(.session, and: "detail"))
    var words: [String] = []

    @Option(
        help: ArgumentHelp("Only sessions of the tunnel with this local id.", valueName: "id"),
        completion: .names(.tunnel))
    var tunnel: UInt16?

    @Option(help: ArgumentHelp("Only sessions of this user.", valueName: "name"))
    var user: String?

    private func subject() throws -> ListWords { try ListWords(words, views: ["detail"]) }

    func validate() throws { _ = try subject() }

    func show(_ client: RPCClient) async throws {
        let subject = try subject()
        let detail = subject.view == "detail"
        let id = subject.name.flatMap { UInt16($0) }
        let filter = SessionFilter(
            tunnelID: tunnel, sessionID: id, userName: user, name: id == nil ? subject.name : nil)
        let heading = detail ? SessionSnapshot.detailHeading : SessionSnapshot.basicHeading
        let printer = ListPrinter<SessionSnapshot>(json: options.global.json, heading: heading) {
            detail ? $0.detailText(in: .local) : $0.basicText(in: .local)
        }
        try await client.sessions(filter, detail: detail) { try await printer.add($0) }
        await printer.end()
    }
}

/// `culvert show l2tp destination`
struct ShowL2TPDestination: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "destination", abstract: "LNSs, with their tunnels and sessions.",
        usage: "culvert show l2tp destination [ADDRESS] [detail]")

    @OptionGroup var options: ShowOptions

    @Argument(
        help: ArgumentHelp("An LNS's address; detail shows everything.", valueName: "destination"),
        completion: .names(.destination, and: "detail"))
    var words: [String] = []

    private func subject() throws -> (address: IPAddress?, detail: Bool) {
        let subject = try ListWords(words, views: ["detail"])
        let address = try subject.name.map { name in
            guard let address = IPAddress(name) else { throw ValidationError("'\(name)' is not an IP address") }
            return address
        }
        return (address, subject.view == "detail")
    }

    func validate() throws { _ = try subject() }

    func show(_ client: RPCClient) async throws {
        let (address, detail) = try subject()
        let list = Collected<DestinationSnapshot>()
        try await client.destinations(address) { await list.add($0) }
        let printer = ListPrinter<DestinationSnapshot>(json: options.global.json, heading: DestinationSnapshot.heading)
        {
            detail ? $0.detailText(in: .local) : $0.basicText(in: .local)
        }
        try await printer.add(list.elements.sorted { ($0.address, $0.profile) < ($1.address, $1.profile) })
        await printer.end()
    }
}

/// Collects a list that cannot be printed before all of it is there.
actor Collected<Element: Sendable> {
    private(set) var elements: [Element] = []
    func add(_ more: [Element]) { elements += more }
}
