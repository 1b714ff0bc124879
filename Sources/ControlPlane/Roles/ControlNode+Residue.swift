import Observability
import PPPoE
import Wire

/// What the node holds, for those who check that nothing is lost: the simulation of Tests/Simulation.
extension ControlNode {
    /// A client's session that is up, by all the numbers that its ends know it by.
    package struct SessionEnds: Hashable {
        /// Upstream slot.
        package var slot: UInt32
        /// Who it is.
        package var client: MACAddress
        /// PPPoE session id.
        package var sessionID: UInt16
        /// The LNS.
        package var peer: IPAddress
        /// Ids that this node has assigned.
        package var tunnel: UInt16
        package var session: UInt16
        /// Ids that the LNS has assigned.
        package var peerTunnel: UInt16
        package var peerSession: UInt16
    }

    /// Sessions that are up, by slot.
    package var sessionEnds: [SessionEnds] {
        connections.filter { $0.value.phase == .open }.sorted { $0.key < $1.key }.compactMap { slot, connection in
            guard let call = connection.call, let record = tunnels[call.tunnel], let peer = record.machine.peer,
                let session = record.machine.sessions[call.session], session.state == .established,
                let peerID = session.peerID
            else { return nil }
            return SessionEnds(
                slot: slot, client: connection.client, sessionID: connection.upstream.sessionID,
                peer: record.peer.address, tunnel: call.tunnel, session: call.session, peerTunnel: peer.tunnelID,
                peerSession: peerID)
        }
    }

    /// What there is of clients, calls, tunnels, requests and timers, in words; empty when all has ended and nothing is left over.
    /// Timers that go on for ever (neighbours, probes of servers, names that are known) are not among it.
    package var residue: [String] {
        let found: [(String, Int)] = [
            ("connections", connections.count), ("routes", routes.count), ("PADRs", openedBy.count),
            ("session keys", sessions.count), ("limits' scopes that are counted", counts.scopeCount),
            ("half-open sessions", halfOpen.count), ("tunnels", tunnels.count), ("recoveries", recoveries.count),
            ("tunnels that are acted for", outgoing.count), ("destinations", destinations.count),
            ("sessions without final counters", ending.count), ("sessions of ended tunnels", endedIn.count),
            ("clients that wait for RADIUS", authorizing.count), ("clients that wait for names", names.waiterCount),
            ("accounting records", records.count), ("accounting records under way", sentRecords.count),
            ("requests to RADIUS servers", radius.inFlight + radius.waiting),
            ("accounts of tunnels", tunnelAccounts.count), ("captures", captures.count),
            ("neighbours that are held", host.neighbourEntries.reduce(0) { $0 + $1.holders }),
        ]
        let timers = agenda.keys.compactMap { timer -> String? in
            switch timer {
            case .host, .names, .radius, .pathMTU: nil
            default: "timer \(timer)"
            }
        }
        return found.filter { $0.1 != 0 }.map { "\($0.1) \($0.0)" } + timers.sorted()
    }

    /// Where the node's own lists contradict each other, in words; empty at any time between two of its entry points.
    package var contradictions: [String] {
        var found: [String] = []
        func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
            if !condition { found.append(text()) }
        }
        expect(routes.count == connections.count, "\(routes.count) routes, \(connections.count) connections")
        expect(sessions.count == connections.count, "\(sessions.count) keys, \(connections.count) connections")
        expect(openedBy.count <= connections.count, "\(openedBy.count) PADRs, \(connections.count) connections")
        expect(counts.agree(on: connections.count), "the limits' counts are not of \(connections.count) connections")
        let unidentified = connections.values.count { $0.phase == .negotiating }
        expect(halfOpen.count <= connections.count, "\(halfOpen.count) half-open, \(connections.count) connections")
        expect(halfOpen.count >= unidentified, "\(halfOpen.count) half-open, \(unidentified) are not identified")
        expect(outgoing.isEmpty, "messages of tunnels were not sent")
        for (slot, connection) in connections {
            expect(routes[connection.routeID] == slot, "route \(connection.routeID) is not slot \(slot)")
            expect(sessions[connection.key] == slot, "session \(connection.upstream.sessionID) is not slot \(slot)")
            if let id = connection.call {
                expect(tunnels[id.tunnel]?.calls[id.session]?.upstreamSlot == slot, "call \(id) is not slot \(slot)")
            } else {
                expect(connection.phase != .open && connection.phase != .connecting, "slot \(slot) has lost its call")
            }
        }
        for (id, record) in tunnels {
            for (session, call) in record.calls {
                let owner = connections[call.upstreamSlot]?.call
                expect(
                    owner == CallID(tunnel: id, session: session), "call \(id)/\(session) is not its connection's")
                expect(record.machine.sessions[session] != nil, "call \(id)/\(session) is not in its tunnel")
            }
            expect(
                record.machine.sessions.count == record.calls.count,
                "tunnel \(id) has \(record.machine.sessions.count) sessions, \(record.calls.count) calls")
        }
        for (key, destination) in destinations {
            let calls = destination.tunnels.reduce(0) { $0 + (tunnels[$1]?.calls.count ?? 0) }
            expect(destination.calls == calls, "\(key.address) counts \(destination.calls) calls of \(calls)")
            expect(destination.tunnels.allSatisfy { tunnels[$0] != nil }, "\(key.address) counts a tunnel that is gone")
        }
        return found.sorted()
    }
}
