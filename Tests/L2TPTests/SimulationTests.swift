import L2TP
import Testing
import Timing

/// Both ends agree on what is up, and nothing is left of what is down.
private func expectAgreement(_ pair: Pair, _ label: String) {
    #expect(pair.initiator.isUp == pair.responder.isUp, "\(label)")
    let there = Dictionary(uniqueKeysWithValues: pair.responder.forwarding.map { ($0.value, $0.key) })
    #expect(pair.initiator.forwarding == there, "\(label)")
    for node in [pair.initiator, pair.responder] {
        #expect(Set(node.tunnel.sessions.keys) == node.open, "\(label)")
        #expect(Set(node.forwarding.keys).isSubset(of: node.open), "\(label)")
        #expect(node.strayEnds == 0, "\(label)")
        if !node.isUp { #expect(node.open.isEmpty, "\(label)") }
    }
}

@Test(arguments: [
    PipeFaults(), PipeFaults(loss: 0.1, duplication: 0.1, delay: .milliseconds(200)),
    PipeFaults(loss: 0.3, duplication: 0.3, delay: .milliseconds(900)),
    PipeFaults(loss: 0.6, duplication: 0.2, delay: .seconds(3)), PipeFaults(loss: 0.9),
])
func endsAgreeThroughABadPipe(_ faults: PipeFaults) throws {
    var cameUp = 0
    for seed in 0..<60 {
        var settings = configuration(secret: secret)
        settings.hidesAttributes = seed % 2 == 1
        var pair = try Pair(initiator: settings, responder: settings, seed: UInt64(seed) &* 977)
        pair.faults = faults
        for id in 1...10 { try pair.openSession(UInt16(id)) }
        pair.open()
        pair.run(until: seconds(30))
        // Sessions that come and go while messages of others are on their way.
        for id in 1...5 { pair.closeSession(UInt16(id)) }
        for id in 11...20 { try? pair.openSession(UInt16(id)) }
        pair.run(until: seconds(90))
        pair.faults = PipeFaults()
        pair.run(until: seconds(400))
        expectAgreement(pair, "seed \(seed)")
        if pair.initiator.isUp {
            cameUp += 1
            #expect(pair.initiator.forwarding.keys.contains(20), "seed \(seed)")
            pair.faults = faults
            pair.close()
            pair.run(until: seconds(500))
        }
        #expect(pair.initiator.isReleased, "seed \(seed)")
        // A responder that heard nothing has nothing to release.
        #expect(
            pair.responder.isReleased || pair.responder.tunnel.history.records.isEmpty || faults.loss > 0,
            "seed \(seed)")
        pair.faults = PipeFaults()
        pair.run(until: seconds(1000))
        expectAgreement(pair, "seed \(seed), closed")
        #expect(!pair.responder.isUp, "seed \(seed)")
        #expect(pair.responder.tunnel.deadline == nil && pair.initiator.tunnel.deadline == nil, "seed \(seed)")
    }
    if faults.loss <= 0.1 { #expect(cameUp == 60) }
    if faults.loss >= 0.9 { #expect(cameUp < 60) }
}

@Test func manySessionsComeUpThroughOneTunnel() throws {
    var pair = try Pair(initiator: configuration(), responder: configuration(), seed: 3)
    pair.open()
    for id in 1...5000 { try pair.openSession(UInt16(id)) }
    pair.run(until: seconds(60))
    #expect(pair.initiator.forwarding.count == 5000)
    #expect(pair.initiator.tunnel.statistics.counters.retransmits == 0)
    expectAgreement(pair, "5000")
    pair.close()
    pair.run(until: seconds(120))
    expectAgreement(pair, "closed")
    #expect(pair.initiator.isReleased && pair.responder.isReleased)
}

/// The link dies under an established tunnel: both ends find out by HELLO.
@Test func bothEndsFindOutThatTheLinkDied() throws {
    var pair = try Pair(initiator: configuration(), responder: configuration(), seed: 4)
    pair.open()
    try pair.openSession(1)
    pair.run(until: seconds(10))
    #expect(pair.initiator.isUp && pair.responder.isUp)
    pair.faults.loss = 1
    pair.run(until: seconds(10 + 60 + 31 + 1))
    #expect(pair.initiator.end?.origin == .peerSilent)
    #expect(pair.responder.end?.origin == .peerSilent)
    #expect(pair.initiator.isReleased && pair.responder.isReleased)
    expectAgreement(pair, "dead link")
}

/// Noise among the peer's datagrams, and the peer's datagrams with one octet changed: no trap, and no session is left
/// without its tunnel.
@Test func noiseNeverTraps() throws {
    var random = SeededGenerator(state: 99)
    for round in 0..<300 {
        var tunnel = try makeTunnel(
            round % 2 == 0 ? .initiator : .responder, configuration(secret: round % 3 == 0 ? secret : nil))
        _ = tunnel.open(at: .zero)
        if round % 4 == 0 { tunnel = try establishedTunnel() }
        _ = try? tunnel.openSession(localID: 6781, call: call(), at: .zero)
        for step in 0..<60 {
            let golden = Golden.all.randomElement(using: &random) ?? Golden.all[0]
            let body = (try? golden.message.encode()) ?? []
            let header = ControlHeader(
                tunnelID: step % 7 == 0 ? 0 : localID, sessionID: [0, 6781, 5].randomElement(using: &random) ?? 0,
                ns: tunnel.statistics.nr, nr: tunnel.statistics.ns)
            var bytes = header.encode(body: body) ?? []
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 12..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = tunnel.receive(
                datagram: bytes.prefix(Int.random(in: 0...bytes.count, using: &random)), at: seconds(Double(step)))
            _ = tunnel.receive(datagram: bytes[...], at: seconds(Double(step)))
            if step % 10 == 9 { _ = tunnel.timerFired(at: seconds(Double(step))) }
        }
        if tunnel.end != nil { #expect(tunnel.sessions.isEmpty) }
        #expect(tunnel.statistics.counters.packetsReceived > 0)
    }
}
