import Host
import L2TP
import Observability

/// What metrics ask for: numbers, without a snapshot of each object.
extension ControlNode {
    /// How many clients, tunnels and sessions there are, by state, in a millisecond or two for 60,000 clients. Plain loops, in
    /// which the compiler sees that nothing but the state is looked at; a closure would be given a copy of each element.
    public var census: Census {
        var phases = Tally<Connection.Phase>()
        for connection in connections.values { phases.add(connection.phase) }
        var tunnelStates = Tally<L2TP.TunnelState>()
        var sessionStates = Tally<L2TP.SessionState>()
        var calls = 0
        for record in tunnels.values {
            tunnelStates.add(record.machine.state)
            for session in record.machine.sessions.values { sessionStates.add(session.state) }
            calls += record.calls.count
        }
        var census = Census(staticTunnels: feed.tunnels.count, staticSessions: feed.sessions.count)
        for (phase, count) in phases.counts { census.connections[Self.state(of: phase), default: 0] += count }
        for (state, count) in tunnelStates.counts { census.tunnels[Self.state(of: state)] = count }
        for (state, count) in sessionStates.counts { census.sessions[Self.state(of: state)] = count }
        // Those that their tunnel has let go of, and whose connection is still being taken down.
        let known = sessionStates.counts.reduce(0) { $0 + $1.count }
        if calls > known { census.sessions[.closing] = calls - known }
        return census
    }

    /// What the node's own ARP, ICMP and UDP have counted, in the order of their table.
    public var hostCounters: [NamedCounter] {
        HostCounter.allCases.map { NamedCounter(name: $0.name, text: $0.text, value: host.counters[$0]) }
    }
}

/// How often each value of a few has come.
private struct Tally<Key: Equatable> {
    private(set) var counts: [(key: Key, count: Int)] = []

    mutating func add(_ key: Key) {
        if let place = counts.firstIndex(where: { $0.key == key }) {
            counts[place].count += 1
        } else {
            counts.append((key, 1))
        }
    }
}
