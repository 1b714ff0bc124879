import Observability
import Roles
import Timing
import Wire

// Both ends agree, or both are down: what has to be so when all has been well for as long as any time-out lasts.
extension Simulation {
    /// Time after which nothing may be undecided: HELLO and a full retransmission cycle on both sides (10 s and 15 s), the time
    /// that they wait for each other to recover (10 s), that clients and LNSs wait for each other (30 s), and what a client that does
    /// not finish is given (4 requests, 3 s apart).
    static let quietTime: Duration = .seconds(75)

    func expectAgreement(_ when: String) {
        let ends = node.sessionEnds
        for index in lnses.indices { expectAgreement(of: index, ends, when) }
        for end in ends { expectAgreement(of: end, when) }
        let connections = Int(node.population.connections)
        if connections != ends.count {
            let states = node.routeIDs.compactMap { node.connectionSnapshot($0).map { "\($0.state)" } }
            violate("\(when): of \(connections) clients \(ends.count) are up: \(states.joined(separator: ", "))")
        }
        for (number, client) in clients.enumerated() {
            switch client.state {
            case .session:
                let isKnown = ends.contains { $0.client == client.mac && $0.sessionID == client.sessionID }
                if !isKnown {
                    violate("\(when): client \(number) believes in session \(client.sessionID), nobody else does")
                }
            case .discovering, .requesting: violate("\(when): client \(number) is still \(client.state)")
            case .idle, .closed: break
            }
        }
    }

    /// What an LNS believes.
    private func expectAgreement(of index: Int, _ ends: [ControlNode.SessionEnds], _ when: String) {
        let lns = lnses[index]
        for (tunnel, sessions) in lns.sessions.sorted(by: { $0.key < $1.key }) {
            guard let machine = lns.tunnels[tunnel] else { continue }
            for session in sessions.keys.sorted() {
                let known = machine.sessions[session]
                let text = "\(when): LNS \(index) believes in session \(tunnel)/\(session)"
                guard
                    let end = ends.first(where: {
                        $0.peer == .v4(lns.address) && $0.peerTunnel == tunnel && $0.peerSession == session
                    })
                else {
                    violate("\(text), the node does not")
                    continue
                }
                if machine.peer?.tunnelID != end.tunnel || known?.peerID != end.session {
                    violate(
                        "\(text) as the node's \(machine.peer?.tunnelID ?? 0)/\(known?.peerID ?? 0), which is \(end)")
                }
                if known?.request.callingNumber != end.client.description {
                    violate("\(text) of \(known?.request.callingNumber ?? "nobody"), which is \(end)")
                }
            }
        }
    }

    /// What the node believes of a session, by what its LNS, its table and its client believe.
    private func expectAgreement(of end: ControlNode.SessionEnds, _ when: String) {
        let text = "\(when): the node has \(end)"
        let lns = lnses.first { .v4($0.address) == end.peer }
        if lns?.sessions[end.peerTunnel]?[end.peerSession] == nil { violate("\(text), the LNS does not") }
        let line = table.upstreams[end.slot]
        let other = line?.downstream.flatMap { table.downstreams[$0] }
        let path = other.flatMap { table.tunnels[$0.tunnel]?.paths.last }
        let isInTable =
            line?.client == end.client && line?.sessionID == end.sessionID && other?.tunnel == end.tunnel
            && other?.sessionID == end.session && other?.peerSessionID == end.peerSession
            && path?.peerTunnelID == end.peerTunnel && path?.peer.address == end.peer
        if !isInTable { violate("\(text), the table has something else") }
        let client = clients.first { $0.mac == end.client }
        if client?.state != .session || client?.sessionID != end.sessionID { violate("\(text), the client does not") }
    }
}
