import CDPDK
import Glibc
import Timing

/// One run: fill, hold, cut off and back, hang up; with what is to be said of each.
final class SetUpRun {
    let options: Measure
    let node: SetUpNode
    let network: SimulatedNetwork
    let fleet: ClientFleet
    let farm: LNSFarm
    let plan: TunnelPlan
    var targets: Targets
    var milestones: [Milestone] = []
    var json: [String] = []
    /// The daemon before its first session.
    private var before: ProcessFigures?

    init(_ options: Measure) throws {
        self.options = options
        targets = options.short ? .short : .full
        let plan = TunnelPlan(sessions: options.sessions, tunnels: options.tunnels)
        self.plan = plan
        node = try SetUpNode(programs: options.programs)
        let pool = try SimulatorEnvironment.start()
        let ports = try node.nearDevices.map { try PacketPort(device: $0, pool: pool) }
        // One more, who comes while culvertd is away.
        var clients = ClientSettings(count: options.sessions + 1)
        clients.userName = plan.userName
        clients.tags = SetUpNode.tags
        clients.echoInterval = .seconds(options.echo)
        fleet = ClientFleet(clients, port: ports[0])
        var lns = LNSSettings(addresses: SetUpNode.lnsAddresses, secret: Array("tunsecret".utf8))
        lns.helloInterval = .seconds(options.hello)
        lns.echoInterval = .seconds(options.echo)
        farm = LNSFarm(lns, port: ports[1])
        network = SimulatedNetwork(fleet: fleet, farm: farm)
    }

    func play() throws {
        try start()
        try fill()
        try hold()
        try restarts()
        for number in 0..<options.cuts { try cut(number + 1) }
        try hangUp()
    }

    private func start() throws {
        try node.start(plan, hello: options.hello, hasDefaultLimits: options.defaultLimits)
        let isReady = network.run(patience: .seconds(60)) { _ in
            node.answers && fleet.port.isUp && farm.port.isUp
        }
        try node.checkRunning()
        guard isReady else { throw SetUpError("culvertd does not come up") }
        _ = try node.occupancy(network)  // so that the RPC server has what it takes for itself
        network.run(for: .seconds(1))
        before = try ProcessFigures(pid: node.daemonID)
        say(
            "\(options.sessions) sessions over \(options.tunnels) tunnels, \(options.window) log-ins under way at a time"
        )
    }

    // MARK: Fill

    private func fill() throws {
        let marks = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 40_000, 50_000].filter { $0 < options.sessions }
        var next = 0
        let begin = Instant.now
        for mark in marks + [options.sessions] {
            let (start, startCount) = (Instant.now, fleet.upCount)
            let figures = try ProcessFigures(pid: node.daemonID)
            let isFull = network.run(patience: .seconds(120)) { now in
                while fleet.diallingCount < options.window, next < options.sessions {
                    fleet.dial(next, at: now)
                    next += 1
                }
                return fleet.upCount >= mark
            }
            try node.checkRunning()
            guard isFull else {
                throw SetUpError("only \(fleet.upCount) sessions after two minutes; \(fleet.counts), \(farm.counts)")
            }
            let after = try ProcessFigures(pid: node.daemonID)
            let milestone = Milestone(
                sessions: fleet.upCount, added: fleet.upCount - startCount, seconds: (Instant.now - start).seconds,
                processorSeconds: after.processorSeconds - figures.processorSeconds,
                grown: after.resident - (before?.resident ?? 0),
                grownAnonymous: after.anonymous - (before?.anonymous ?? 0))
            milestones.append(milestone)
            json.append(milestone.json)
            say(milestone.line)
        }
        let rate = Double(options.sessions) / (Instant.now - begin).seconds
        let times = fleet.times.sorted()
        let (median, nearlyWorst) = (times[times.count / 2], times[times.count * 99 / 100])
        say(
            "log-ins: \(fixed(rate, 0)) a second; PADI to echo \(fixed(median * 1e3, 1)) ms in the median, 99 of 100 "
                + "within \(fixed(nearlyWorst * 1e3, 1)) ms; \(fleet.counts.discoveryRepeats + fleet.counts.requestRepeats) "
                + "requests sent again")
        json.append(
            """
            {"case": "log-ins", "per_second": \(fixed(rate, 1)), "median_seconds": \(fixed(median, 4)), \
            "p99_seconds": \(fixed(nearlyWorst, 4))}
            """)
        targets.expect(rate >= targets.rate, "\(fixed(rate, 0)) log-ins a second, \(fixed(targets.rate, 0)) are wanted")
        let memory = milestones.last?.memory ?? .infinity
        targets.expect(
            memory <= targets.memory,
            "\(fixed(memory, 0)) octets a session, at most \(fixed(targets.memory, 0)) are wanted")
        try checkTables(sessions: options.sessions, "after the log-ins")
        let used = farm.tunnels.count
        targets.expect(
            abs(used - options.tunnels) <= options.tunnels / 50, "\(used) tunnels were opened, not \(options.tunnels)")
    }

    // MARK: Hold

    private func hold() throws {
        let (begin, clients, lns, hellos) = (Instant.now, fleet.counts, farm.counts, farm.hellos)
        let processes = [node.daemonID, node.dataPlaneID, getpid()]
        let figures = try processes.map { try ProcessFigures(pid: $0) }
        network.run(for: .seconds(options.hold))
        let seconds = (Instant.now - begin).seconds
        let after = try processes.map { try ProcessFigures(pid: $0) }
        let shares = zip(figures, after).map { ($1.processorSeconds - $0.processorSeconds) / seconds }
        let said = farm.hellos
        let answered = fleet.counts.echoesAnswered - clients.echoesAnswered
        let returned = farm.counts.echoesAnswered - lns.echoesAnswered
        say(
            "held \(options.sessions) sessions over \(farm.tunnels.count) tunnels for \(fixed(seconds, 0)) s, echoes every "
                + "\(options.echo) s both ways, HELLO after \(options.hello) s: culvertd takes \(fixed(shares[0] * 100, 2)) % of a "
                + "core, the data plane \(fixed(shares[1] * 100, 1)) %, the simulator \(fixed(shares[2] * 100, 1)) %; "
                + "\(answered) echoes of clients and \(returned) of LNSs answered, \(said.sent - hellos.sent) HELLOs sent and "
                + "\(said.received - hellos.received) received by the LNSs")
        json.append(
            """
            {"case": "hold", "sessions": \(options.sessions), "tunnels": \(farm.tunnels.count), "culvertd_share": \
            \(fixed(shares[0], 4)), "dataplane_share": \(fixed(shares[1], 4))}
            """)
        targets.expect(
            shares[0] < targets.share,
            "culvertd takes \(fixed(shares[0], 3)) of a core to hold the sessions, less than \(fixed(targets.share, 3)) is wanted"
        )
        let expected = Int(Double(options.sessions) * seconds / Double(options.echo) * 0.8)
        let isLong = options.hold >= 2 * options.echo  // else not all clients have had their turn
        targets.expect(
            !isLong || answered >= expected,
            "only \(answered) echoes of clients were answered, of about \(expected * 5 / 4)")
        targets.expect(
            fleet.upCount == options.sessions,
            "\(options.sessions - fleet.upCount) sessions were lost while they were held")
    }

    // MARK: Cut off

    private func cut(_ number: Int) throws {
        let (clients, lns) = (fleet.counts, farm.counts)
        let figures = try ProcessFigures(pid: node.daemonID)
        fleet.times = []
        let begin = Instant.now
        farm.stop(at: begin)
        var firstBack: Double?
        let areBack = network.run(patience: .seconds(180)) { now in
            if firstBack == nil, !fleet.times.isEmpty { firstBack = (now - begin).seconds }
            return fleet.upCount == options.sessions && fleet.counts.dials - clients.dials >= options.sessions
        }
        try node.checkRunning()
        let seconds = (Instant.now - begin).seconds
        let after = try ProcessFigures(pid: node.daemonID)
        let repeats =
            fleet.counts.discoveryRepeats + fleet.counts.requestRepeats - clients.discoveryRepeats
            - clients.requestRepeats
        say(
            "cut \(number): all \(options.sessions) were cut off and dialled at once; \(fleet.upCount) are back after "
                + "\(fixed(seconds, 1)) s, the first after \(fixed(firstBack ?? .nan, 1)) s; \(fleet.counts.dials - clients.dials) "
                + "dials, \(farm.counts.callsTaken - lns.callsTaken) calls, \(repeats) requests sent again; culvertd took "
                + "\(fixed(after.processorSeconds - figures.processorSeconds, 1)) s and has "
                + "\(fixed(Double(after.resident - (before?.resident ?? 0)) / Double(options.sessions), 0)) octets a session"
        )
        json.append(
            """
            {"case": "cut", "sessions": \(options.sessions), "seconds": \(fixed(seconds, 2)), "culvertd_seconds": \
            \(fixed(after.processorSeconds - figures.processorSeconds, 2)), "dials": \
            \(fleet.counts.dials - clients.dials)}
            """)
        targets.expect(
            areBack && seconds < targets.back,
            "all were back after \(fixed(seconds, 1)) s, less than \(fixed(targets.back, 0)) is wanted")
        try checkTables(sessions: options.sessions, "after cut \(number)")
    }

    // MARK: The end

    private func hangUp() throws {
        let begin = Instant.now
        // As fast as the access port takes it: what a flood of them would cost is not the question here.
        var next = 0
        network.run(patience: .seconds(120)) { now in
            while next < options.sessions, fleet.terminatingCount < 1_000 {
                fleet.hangUp(next, at: now)
                next += 1
            }
            return next == options.sessions && fleet.terminatingCount == 0
        }
        let seconds = (Instant.now - begin).seconds
        // Tunnels without calls are closed by Culvert after 5 s; those that the LNS closed are kept for 31 s at most.
        var left: [String: Int] = [:]
        for _ in 0..<60 {
            network.run(for: .seconds(1))
            left = try node.occupancy(network)
            if left["sessions"] == 0, left["tunnels"] == 0 { break }
        }
        let after = try ProcessFigures(pid: node.daemonID)
        say(
            "all hung up in \(fixed(seconds, 1)) s; culvertd has \((after.resident - (before?.resident ?? 0)) / 1_024) KB more "
                + "than at its start; tables: \(left.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
        )
        try checkTables(sessions: 0, "after all have hung up")
        targets.expect(left["tunnels"] == 0, "\(left["tunnels"] ?? -1) tunnels are left after all have hung up")
        targets.expect(farm.lineCount == 0, "the LNSs still have \(farm.lineCount) sessions after all have hung up")
        targets.expect(fleet.counts.unexpected == 0, "\(fleet.counts.unexpected) packets came that no client expects")
        targets.expect(farm.counts.badResponses == 0, "\(farm.counts.badResponses) wrong proofs came to the LNSs")
    }

    /// The daemon's lists and the segment's tables have exactly so many sessions, or will in a moment.
    func checkTables(sessions: Int, _ when: String) throws {
        var (used, listed, connections) = (-1, -1, -1)
        for _ in 0..<20 {
            used = try node.occupancy(network)["sessions"] ?? -1
            (listed, connections) = try node.ask(network) { client in
                let (sessions, connections) = (Counter(), Counter())
                try await client.sessions { await sessions.add($0.count { $0.state == .established }) }
                try await client.connections { await connections.add($0.count) }
                return (await sessions.count, await connections.count)
            }
            if (used, listed, connections) == (sessions, sessions, sessions) { return }
            network.run(for: .milliseconds(500))
        }
        targets.expect(
            false,
            "\(when) the table has \(used) sessions, culvertd lists \(listed) and \(connections) connections, not \(sessions)"
        )
    }
}

/// Prints a line at once, whoever reads it.
func say(_ text: String) {
    print(text)
    fflush(nil)
}

/// Counts what several tasks tell it.
private actor Counter {
    private(set) var count = 0

    func add(_ more: Int) { count += more }
}
