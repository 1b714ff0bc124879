import L2TP
import Observability
import Timing
import Wire

/// `culvert clear …`: what an operator takes down, and everything below it.
extension ControlNode {
    /// Why nothing was cleared.
    public enum ClearFault: Error, Hashable, Sendable {
        /// There is no such thing.
        case notFound(String)
        /// Several sessions have the id; the tunnel must be named.
        case ambiguous(String)
    }

    /// Takes `target` down: StopCCN and CDN to the peers, PADT to the clients. Answers how much that is.
    public func clear(_ target: ClearTarget, at now: Instant) throws(ClearFault) -> ClearOutcome {
        switch target {
        case .destination(let address):
            let ids = liveTunnels { $0.destination.address == address }
            guard !ids.isEmpty || destinations.keys.contains(where: { $0.address == address }) else {
                throw .notFound("no tunnel to \(address)")
            }
            for key in destinations.keys where key.address == address { forget(key) }
            return clearTunnels(ids, at: now)
        case .tunnel(let id):
            guard tunnels[id] != nil else { throw .notFound("no tunnel \(id)") }
            return clearTunnels([id], at: now)
        case .tunnelNamed(let name):
            let ids = liveTunnels { $0.name == name }
            guard !ids.isEmpty else { throw .notFound("no tunnel named '\(name)'") }
            return clearTunnels(ids, at: now)
        case .session(let session, let tunnel):
            let ids = tunnels.values.filter { ($0.id == tunnel || tunnel == nil) && $0.calls[session] != nil }.map(\.id)
            guard let id = ids.first else {
                throw .notFound("no session \(session)" + (tunnel.map { " in tunnel \($0)" } ?? ""))
            }
            guard ids.count == 1 else {
                let list = ids.sorted().map(String.init).joined(separator: ", ")
                throw .ambiguous("session \(session) is in several tunnels (\(list)); name the tunnel too")
            }
            endCall(
                CallID(tunnel: id, session: session), .init(.administrative, message: Self.clearedText),
                ppp: .cleared, initiator: .operator, client: Self.clearedText, at: now)
            return ClearOutcome(sessions: 1, connections: 1)
        case .connection(let route):
            guard let slot = routes[route] else { throw .notFound("no route \(route)") }
            return clearConnections([slot], at: now)
        case .allConnections: return clearConnections(connections.keys.sorted(), at: now)
        case .instance(let name):
            guard instanceNames.contains(name) else { throw .notFound("no pppoe-ac instance named '\(name)'") }
            return clearConnections(slots({ $0.request.instance.name == name }), at: now)
        case .interface(let name):
            let slots = slots { connection in
                let interface = interfaceName(of: connection)
                return interface == name || interface.hasPrefix(name + ".")
            }
            let port = name.split(separator: ".").first.map(String.init) ?? name
            guard !slots.isEmpty || ports.contains(where: { $0.name == name || $0.name == port }) else {
                throw .notFound("no interface named '\(name)'")
            }
            return clearConnections(slots, at: now)
        case .everything:
            for key in destinations.keys { forget(key) }
            // Counted first: connections whose call ends with its tunnel are still there to be cleared.
            let count = connections.count
            var outcome = clearTunnels(liveTunnels { _ in true }, at: now)
            _ = clearConnections(connections.keys.sorted(), at: now)
            outcome.connections = UInt32(clamping: count)
            return outcome
        }
    }

    /// Upstream slots of the connections that are wanted, in order.
    func slots(_ isWanted: (Connection) -> Bool) -> [UInt32] {
        connections.filter { isWanted($0.value) }.keys.sorted()
    }

    private static let clearedText = "cleared by the operator"

    /// Local ids of tunnels that are not ending already.
    func liveTunnels(_ isWanted: (TunnelRecord) -> Bool) -> [UInt16] {
        tunnels.values.filter { $0.machine.end == nil && isWanted($0) }.map(\.id).sorted()
    }

    /// Gives up bringing the tunnels to a destination back.
    func forget(_ key: Destination.Key) {
        destinations[key]?.retryAt = nil
        agenda.cancel(.destination(key))
        if destinations[key]?.tunnels.isEmpty == true { destinations[key] = nil }
    }

    /// Sets the access concentrator's counters to zero.
    public func clearStatistics() { statistics = ACStatistics() }

    private func clearTunnels(_ ids: [UInt16], at now: Instant) -> ClearOutcome {
        var outcome = ClearOutcome()
        for id in ids {
            let calls = tunnels[id]?.calls.count ?? 0
            outcome.tunnels += 1
            outcome.sessions += UInt32(clamping: calls)
            outcome.connections += UInt32(clamping: calls)
            stopTunnel(id, .init(.clear, message: Self.clearedText), at: now)
        }
        return outcome
    }

    private func clearConnections(_ slots: [UInt32], at now: Instant) -> ClearOutcome {
        var outcome = ClearOutcome()
        for slot in slots {
            guard let connection = connections[slot] else { continue }
            outcome.connections += 1
            if let call = connection.call {
                outcome.sessions += 1
                connections[slot]?.call = nil
                closeCall(
                    call, .init(.administrative, message: Self.clearedText), ppp: .cleared, initiator: .operator,
                    at: now)
            }
            removeConnection(slot, telling: Self.clearedText, at: now)
        }
        return outcome
    }
}
