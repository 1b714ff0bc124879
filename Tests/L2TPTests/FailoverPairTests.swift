import L2TP
import Testing
import Timing

/// Which ends fail.
enum Failing: String, CaseIterable, Sendable {
    case lac, lns, both

    var ends: [Int] {
        switch self {
        case .lac: [0]
        case .lns: [1]
        case .both: [0, 1]
        }
    }
}

private func settings(secret: [UInt8]? = secret) -> TunnelConfiguration {
    var settings = configuration(secret: secret)
    settings.failover = FailoverCapability(recoveryTime: 300_000)
    return settings
}

/// A pair whose ends remember sessions 1 to 5; since then 1 and 2 have ended, and 6 to 10 have come up.
private func aged(_ settings: [TunnelConfiguration], seed: UInt64) throws -> (FailoverPair, memory: [FailoverEnd]) {
    var pair = try FailoverPair(settings, seed: seed)
    try pair.openSessions(1...5)
    pair.run(until: seconds(5))
    let memory = pair.ends
    for id in 1...2 as ClosedRange<UInt16> { pair.closeSession(id) }
    try pair.openSessions(6...10)
    pair.run(until: seconds(10))
    try #require(pair.ends.allSatisfy { $0.forwarding.count == 8 })
    return (pair, memory)
}

/// Both ends are up, know the same sessions, and can still talk.
private func expectAgreement(_ pair: inout FailoverPair, sessions: Set<UInt16>, _ label: String) throws {
    #expect(pair.ends.allSatisfy { $0.tunnel.state == .established && !$0.tunnel.isRecovering }, "\(label)")
    let there = Dictionary(uniqueKeysWithValues: pair.ends[1].forwarding.map { ($0.value, $0.key) })
    #expect(pair.ends[0].forwarding == there, "\(label)")
    #expect(Set(pair.ends[0].forwarding.keys) == sessions, "\(label)")
    for end in pair.ends {
        #expect(Set(end.tunnel.sessions.keys) == Set(end.forwarding.keys), "\(label)")
        #expect(end.recoveries.isEmpty, "\(label)")
        #expect(end.tunnel.recoveries == 1, "\(label)")
    }
    pair.faults = PipeFaults()
    try pair.openSessions(50...52)
    pair.run(until: pair.now + .seconds(70))
    #expect(Set(pair.ends[0].forwarding.keys) == sessions.union(50...52), "\(label)")
    #expect(pair.ends[1].forwarding.count == sessions.count + 3, "\(label)")
    #expect(pair.ends[0].tunnel.statistics.ns == pair.ends[1].tunnel.statistics.nr, "\(label)")
    #expect(pair.ends[1].tunnel.statistics.ns == pair.ends[0].tunnel.statistics.nr, "\(label)")
}

@Suite struct FailoverPairTests {
    @Test(
        arguments: Failing.allCases,
        [
            PipeFaults(), PipeFaults(loss: 0.1, duplication: 0.1, delay: .milliseconds(200)),
            PipeFaults(loss: 0.3, duplication: 0.3, delay: .milliseconds(900)),
        ])
    func endsAgreeAfterAFailure(_ failing: Failing, _ faults: PipeFaults) throws {
        // Who has failed alone has lost what has come since; when both have, what has gone since is back at both.
        let common: Set<UInt16> = failing == .both ? [1, 2, 3, 4, 5] : [3, 4, 5]
        for seed in 0..<40 as Range<UInt64> {
            var hiding = settings()
            hiding.hidesAttributes = seed % 2 == 1
            let secretless = seed % 3 == 0
            let configuration = secretless ? settings(secret: nil) : hiding
            var (pair, memory) = try aged([configuration, configuration], seed: seed &* 977)
            pair.faults = faults
            pair.fail(failing.ends, to: memory)
            pair.run(until: seconds(400))
            pair.faults = PipeFaults()
            pair.run(until: seconds(460))
            try expectAgreement(&pair, sessions: common, "\(failing), seed \(seed)")
        }
    }

    /// Messages of before that are late do not pass for new ones, whatever numbers they have.
    @Test(arguments: [Failing.lac, .lns]) func lateMessagesOfBefore(_ failing: Failing) throws {
        for seed in 0..<60 as Range<UInt64> {
            var (pair, memory) = try aged([settings(), settings()], seed: seed)
            // What is under way when it happens comes seconds later, when all is recovered.
            pair.faults = PipeFaults(duplication: 1, delay: .seconds(6))
            try pair.openSessions(20...24)
            pair.run(until: seconds(12))
            pair.faults = PipeFaults()
            pair.fail(failing.ends, to: memory)
            pair.run(until: seconds(100))
            try expectAgreement(&pair, sessions: [3, 4, 5], "\(failing), seed \(seed)")
        }
    }

    /// It fails again in the middle of its recovery.
    @Test(arguments: [Failing.lac, .lns]) func aSecondFailure(_ failing: Failing) throws {
        for milliseconds in stride(from: 0.0, to: 60, by: 1) {
            var (pair, memory) = try aged([settings(), settings()], seed: 5)
            pair.fail(failing.ends, to: memory)
            pair.run(until: seconds(10 + milliseconds / 1000))
            pair.fail(failing.ends, to: memory)
            pair.run(until: seconds(200))
            let label = "after \(milliseconds) ms"
            #expect(pair.ends.allSatisfy { $0.tunnel.state == .established && !$0.tunnel.isRecovering }, "\(label)")
            #expect(Set(pair.ends[0].forwarding.keys) == [3, 4, 5], "\(label)")
            #expect(Set(pair.ends[1].forwarding.values) == [3, 4, 5], "\(label)")
            #expect(pair.ends.allSatisfy { $0.recoveries.isEmpty }, "\(label)")
        }
    }

    /// Someone without the secret, who knows address and ids, changes nothing.
    @Test func strangersCannotRecover() throws {
        var (pair, memory) = try aged([settings(), settings()], seed: 9)
        var forged = try FailoverEnd(.responder, settings(secret: Array("guess".utf8)), seed: 4)
        forged = memory[1]
        let before = pair.ends[0].tunnel.statistics
        var other = configuration(secret: Array("guess".utf8))
        other.failover = FailoverCapability(recoveryTime: 1)
        // The stranger's tunnel has the right ids and another secret.
        let start = StartControlConnection.recovery(of: forged.tunnel, assigned: 999)
        let body = try ControlMessage.startRequest(start).encode()
        let request = try #require(ControlHeader(tunnelID: 0, sessionID: 0, ns: 0, nr: 0).encode(body: body))
        pair.inject(request, to: 0)
        let id = try #require(pair.ends[0].recoveries.keys.first)
        let response = try ControlMessage.startConnected(challengeResponse: [UInt8](repeating: 1, count: 16)).encode()
        let connected = try #require(ControlHeader(tunnelID: id, sessionID: 0, ns: 1, nr: 1).encode(body: response))
        pair.inject(connected, to: 0)
        #expect(pair.ends[0].failures.map(\.origin) == [.authentication])
        #expect(pair.ends[0].tunnel.statistics == before)
        #expect(pair.ends[0].tunnel.recoveries == 0)
        pair.run(until: seconds(200))
        #expect(pair.ends.allSatisfy { $0.forwarding.count == 8 && $0.recoveries.isEmpty })
        #expect(pair.ends.allSatisfy { $0.tunnel.state == .established })
    }

    /// Half-open attempts of a stranger neither keep the peer out nor last.
    @Test func strangersDoNotKeepThePeerOut() throws {
        var (pair, memory) = try aged([settings(), settings()], seed: 9)
        for assigned in 700...701 as ClosedRange<UInt16> {
            let start = StartControlConnection.recovery(of: memory[1].tunnel, assigned: assigned)
            let body = try ControlMessage.startRequest(start).encode()
            let request = try #require(ControlHeader(tunnelID: 0, sessionID: 0, ns: 0, nr: 0).encode(body: body))
            pair.inject(request, to: 0)
        }
        #expect(pair.ends[0].recoveries.count == 2)
        pair.fail([1], to: memory)
        pair.run(until: seconds(100))
        try expectAgreement(&pair, sessions: [3, 4, 5], "strangers")
    }

    /// The peer is not there: after the time is over the tunnel is, at both ends.
    @Test func aRecoveryThatIsNeverAnswered() throws {
        var (pair, memory) = try aged([settings(), settings()], seed: 2)
        pair.faults.loss = 1
        pair.fail([0], to: memory)
        pair.run(until: seconds(900))
        #expect(pair.ends[0].end?.origin == .recovery)
        #expect(pair.ends[1].end?.origin == .peerSilent)
        // A full cycle each, begun anew for 300 s.
        #expect(pair.ends[0].failures.count == 10)
        for end in pair.ends {
            #expect(end.isReleased && end.recoveries.isEmpty && end.forwarding.isEmpty)
            #expect(end.deadline == nil)
        }
    }
}

extension StartControlConnection {
    fileprivate static func recovery(of tunnel: Tunnel, assigned: UInt16) -> StartControlConnection {
        var start = StartControlConnection(hostName: "stranger", assignedTunnelID: assigned)
        start.challenge = [1, 2, 3]
        start.recovery = TunnelRecovery(tunnelID: tunnel.localID, remoteTunnelID: tunnel.peer?.tunnelID ?? 0)
        return start
    }
}
