import ArgumentParser
import Observability
import Wire

/// `culvert clear`
struct Clear: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take down tunnels, sessions or connections, and everything below them.",
        subcommands: [ClearPPPoEAC.self, ClearL2TP.self, ClearInterface.self, ClearAll.self])

    /// Takes down `target` and says what that is.
    static func clear(_ target: ClearTarget, _ options: GlobalOptions) async throws {
        try await options.connected { client in
            let outcome = try await client.clear(target)
            try options.print(
                outcome,
                text: "clearing \(outcome.tunnels) tunnels, \(outcome.sessions) sessions, "
                    + "\(outcome.connections) connections\n")
        }
    }
}

/// `culvert clear pppoe-ac`
struct ClearPPPoEAC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pppoe-ac",
        abstract: "Take down connections of the PPPoE access concentrator, or clear its counters.",
        subcommands: [ClearConnection.self, ClearInstance.self, ClearStatistics.self])
}

/// `culvert clear pppoe-ac connection`
struct ClearConnection: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connection", abstract: "Take down a connection, or all of them.")

    @OptionGroup var options: GlobalOptions

    @Argument(
        help: ArgumentHelp("A route id, or all.", valueName: "id|all"), completion: .names(.route, and: "all"))
    var which: String

    private func target() throws -> ClearTarget {
        if which == "all" { return .allConnections }
        guard let id = UInt32(which), id != 0 else {
            throw ValidationError("'\(which)' is neither a route id (see culvert show pppoe-ac connections) nor all")
        }
        return .connection(id)
    }

    func validate() throws { _ = try target() }
    func run() async throws { try await Clear.clear(target(), options) }
}

/// `culvert clear pppoe-ac instance`
struct ClearInstance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance", abstract: "Take down all connections of a pppoe-ac instance.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The instance's name.", valueName: "instance"), completion: .names(.instance))
    var name: String

    func run() async throws { try await Clear.clear(.instance(name), options) }
}

/// `culvert clear pppoe-ac statistics`
struct ClearStatistics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statistics", abstract: "Let the access concentrator's counters begin at zero again.")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        try await options.connected { client in
            try await client.clearStatistics()
            Output.write(options.json ? "{}\n" : "the access concentrator's counters begin at zero\n")
        }
    }
}

/// `culvert clear interface`
struct ClearInterface: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interface", abstract: "Take down all connections on an access interface.",
        discussion: "A port (access0), or some VLANs of it (access0.100, access0.100.7).")

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The interface.", valueName: "interface"), completion: .names(.interface))
    var name: String

    func run() async throws { try await Clear.clear(.interface(name), options) }
}

/// `culvert clear l2tp`
struct ClearL2TP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "l2tp", abstract: "Take down L2TP destinations, tunnels or sessions.",
        subcommands: [ClearDestination.self, ClearTunnel.self, ClearSession.self])
}

/// `culvert clear l2tp destination`
struct ClearDestination: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destination", abstract: "Take down all tunnels to an LNS.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The LNS's address.", valueName: "destination"), completion: .names(.destination))
    var address: String

    private func target() throws -> ClearTarget {
        guard let address = IPAddress(address) else { throw ValidationError("'\(address)' is not an IP address") }
        return .destination(address)
    }

    func validate() throws { _ = try target() }
    func run() async throws { try await Clear.clear(target(), options) }
}

/// `culvert clear l2tp tunnel`
struct ClearTunnel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tunnel", abstract: "Take down a tunnel with its sessions.")

    @OptionGroup var options: GlobalOptions

    @Argument(
        help: ArgumentHelp("The tunnel's name or local id.", valueName: "name|id"), completion: .names(.tunnel))
    var which: String

    func run() async throws {
        try await Clear.clear(UInt16(which).map { .tunnel($0) } ?? .tunnelNamed(which), options)
    }
}

/// `culvert clear l2tp session`
struct ClearSession: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "Take down an L2TP session.",
        discussion: "A session id is unique within its tunnel only: --tunnel says which tunnel is meant.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The local session id.", valueName: "session"), completion: .names(.session))
    var id: UInt16

    @Option(help: ArgumentHelp("The tunnel's local id.", valueName: "id"), completion: .names(.tunnel))
    var tunnel: UInt16?

    func run() async throws { try await Clear.clear(.session(id, tunnel: tunnel), options) }
}

/// `culvert clear all`
struct ClearAll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all", abstract: "Take down all tunnels, sessions and connections.")

    @OptionGroup var options: GlobalOptions

    func run() async throws { try await Clear.clear(.everything, options) }
}
