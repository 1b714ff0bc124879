import Timing

/// culvertd is killed while all sessions are up, and nobody notices.
extension SetUpRun {
    /// Kills it again and again; not an echo of any client is lost.
    func restarts() throws {
        guard options.kills > 0 else { return }
        let before = fleet.counts
        for number in 0..<options.kills { try restart(number + 1) }
        // Until each client has looked for the answer to its last echo.
        network.run(for: .seconds(options.echo + 1))
        let answered = fleet.counts.echoesAnswered - before.echoesAnswered
        let missed = fleet.counts.echoesMissed - before.echoesMissed
        say("over \(options.kills) kills \(answered) echoes of clients were answered, \(missed) were not")
        targets.expect(missed == 0, "\(missed) echoes were lost while culvertd was killed and started again")
        targets.expect(answered >= options.sessions, "only \(answered) echoes were answered over the kills")
    }

    /// Kills it at some moment, lets echoes go on without it for a second, and starts it again; one client who dials meanwhile is in soon,
    /// all others keep what they have.
    private func restart(_ number: Int) throws {
        let newcomer = options.sessions
        let (clients, lns, tunnels) = (fleet.counts, farm.counts, farm.tunnels.count)
        network.run(for: .milliseconds(Int64.random(in: 0...500)))
        node.killDaemon()
        network.run(for: .seconds(1))
        let begin = Instant.now
        try node.startDaemon()
        fleet.dial(newcomer, at: begin)
        var serves: Double?
        let isIn = network.run(patience: .seconds(30)) { now in
            if serves == nil, node.answers { serves = (now - begin).seconds }
            return serves != nil && fleet.upCount == options.sessions + 1
        }
        let seconds = (Instant.now - begin).seconds
        try node.checkRunning()
        // Long enough for the keepalive of every tunnel, and for whoever was to notice.
        network.run(for: .seconds(2 * options.hello > 30 ? 10 : 2 * options.hello))
        say(
            "kill \(number): culvertd serves \(fixed(serves ?? .nan, 2)) s after its start, a new client is in after "
                + "\(fixed(seconds, 2)) s; \(fleet.upCount - 1) of \(options.sessions) sessions and \(farm.tunnels.count) of "
                + "\(tunnels) tunnels are there")
        json.append(
            """
            {"case": "kill", "sessions": \(options.sessions), "serves_seconds": \(fixed(serves ?? .nan, 3)), \
            "log_in_seconds": \(fixed(seconds, 3))}
            """)
        targets.expect(
            isIn && seconds < targets.restart,
            "a new client was in \(fixed(seconds, 2)) s after culvertd's start, less than \(fixed(targets.restart, 0)) is wanted"
        )
        targets.expect(
            fleet.upCount == options.sessions + 1 && fleet.counts.dials - clients.dials == 1,
            "\(options.sessions + 1 - fleet.upCount) sessions were lost with culvertd")
        targets.expect(
            // The newcomer may need a tunnel of his own.
            (tunnels...tunnels + 1).contains(farm.tunnels.count) && farm.counts.callsTaken - lns.callsTaken == 1,
            "the LNSs have \(farm.tunnels.count) tunnels and took \(farm.counts.callsTaken - lns.callsTaken) calls, not \(tunnels) and 1"
        )
        fleet.hangUp(newcomer, at: .now)
        network.run(patience: .seconds(10)) { _ in fleet.upCount == options.sessions && fleet.terminatingCount == 0 }
        try checkTables(sessions: options.sessions, "after kill \(number)")
    }
}
