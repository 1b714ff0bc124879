import ArgumentParser
import Observability
import RPC

/// `culvert show radius`
struct ShowRADIUS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "radius", abstract: "RADIUS servers and what was asked of them.",
        subcommands: [ShowRADIUSServers.self, ShowRADIUSStatistics.self], defaultSubcommand: ShowRADIUSServers.self)
}

/// `culvert show radius servers`
struct ShowRADIUSServers: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "servers", abstract: "Servers with their groups, and whether they answer.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let radius = try await client.radius()
        try options.global.print(radius.servers, text: radius.serversText(in: .local))
    }
}

/// `culvert show radius statistics`
struct ShowRADIUSStatistics: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "statistics", abstract: "Counters of the client and of each server.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let radius = try await client.radius()
        try options.global.print(radius, text: radius.statisticsText)
    }
}

/// `culvert show dns`
struct ShowDNS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns", abstract: "Names of LNSs that were looked up, and who was asked.",
        subcommands: [ShowDNSCache.self, ShowDNSStatistics.self], defaultSubcommand: ShowDNSCache.self)
}

/// `culvert show dns cache`
struct ShowDNSCache: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Names with their addresses, and how long they are kept.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let names = try await client.nameService(cache: true)
        try options.global.print(names.cache, text: names.cacheText(at: .now()))
    }
}

/// `culvert show dns statistics`
struct ShowDNSStatistics: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "statistics", abstract: "Name servers and counters.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let names = try await client.nameService()
        try options.global.print(names, text: names.statisticsText)
    }
}

/// `culvert show accounting`
struct ShowAccounting: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounting", abstract: "Server groups that are told of sessions, and what waits for them.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let accounting = try await client.accounting()
        try options.global.print(accounting, text: accounting.text(in: .local))
    }
}

/// `culvert show host`
struct ShowHost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "The node's own presence on its ports.",
        subcommands: [ShowNeighbours.self, ShowRoutes.self, ShowHostCounters.self],
        defaultSubcommand: ShowNeighbours.self)
}

/// `culvert show host neighbours`
struct ShowNeighbours: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "neighbours", abstract: "Neighbours that ARP and neighbour discovery know.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let host = try await client.host()
        try options.global.print(host.neighbours, text: host.neighboursText)
    }
}

/// `culvert show host routes`
struct ShowRoutes: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes", abstract: "Ways to networks, and what routers have told of the ways to LNSs.")

    @OptionGroup var options: ShowOptions

    func show(_ client: RPCClient) async throws {
        let host = try await client.host()
        try options.global.print(host.routes, text: host.routesText)
    }
}

/// `culvert show host counters`
struct ShowHostCounters: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "counters", abstract: "What the node did with frames to itself.",
        discussion: "As text, counters that are zero are left out unless --zeros is given; as JSON all are there.")

    @OptionGroup var options: ShowOptions

    @Flag(help: "Counters that are zero as well.")
    var zeros = false

    func show(_ client: RPCClient) async throws {
        let host = try await client.host()
        try options.global.print(host.counters, text: host.countersText(zeros: zeros))
    }
}
