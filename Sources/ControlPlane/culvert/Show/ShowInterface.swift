import ArgumentParser
import Observability
import RPC

/// `culvert show interface`
struct ShowInterface: ShowCommand {
    static let configuration = CommandConfiguration(
        commandName: "interface", abstract: "Ports, or the PPP interface of a client.",
        discussion: "Without a name, all ports. pppoe7 is the interface of the client whose route has the id 7.")

    @OptionGroup var options: ShowOptions

    @Argument(
        help: ArgumentHelp("A port, or pppoe and a route's id.", valueName: "interface"), completion: .names(.interface)
    )
    var name: String?

    func show(_ client: RPCClient) async throws {
        let interfaces: [InterfaceSnapshot]
        if let route = name.flatMap(InterfaceSnapshot.route) {
            interfaces = [try await subscriber(route, client)]
        } else {
            let drained = try await client.status().drained
            interfaces = try await client.ports().filter { name == nil || $0.name == name }.map { port in
                InterfaceSnapshot(
                    port, isDrained: drained.contains(.interface(port.name)) || drained.contains(.system))
            }
            if let name, interfaces.isEmpty {
                throw RPCClientError.refused(code: "notFound", message: "no interface named '\(name)'")
            }
        }
        try options.global.print(interfaces, text: interfaces.map { $0.text(at: .now()) }.joined(separator: "\n"))
    }

    /// The client's connection, and its session if there is one by now.
    private func subscriber(_ route: UInt32, _ client: RPCClient) async throws -> InterfaceSnapshot {
        let connections = Collected<PPPoEConnectionSnapshot>()
        try await client.connections(ConnectionFilter(routeID: route)) { await connections.add($0) }
        guard let connection = await connections.elements.first else {
            throw RPCClientError.refused(code: "notFound", message: "no route \(route)")
        }
        guard connection.sessionID != 0 else { return InterfaceSnapshot(connection, session: nil) }
        let sessions = Collected<SessionSnapshot>()
        do {
            let filter = SessionFilter(tunnelID: connection.tunnelID, sessionID: connection.sessionID)
            try await client.sessions(filter) { await sessions.add($0) }
        } catch RPCClientError.refused(code: "notFound", _) {
            // It ended between the two questions.
        }
        return InterfaceSnapshot(connection, session: await sessions.elements.first)
    }
}
