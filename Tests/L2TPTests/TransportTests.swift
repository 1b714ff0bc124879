import L2TP
import Testing
import Timing

/// Acknowledges all before `nr` with a ZLB.
private func zlb(_ nr: UInt16, ns: UInt16 = 1) -> ArraySlice<UInt8> { datagram(to: localID, ns: ns, nr: nr)[...] }

private func numbers(_ actions: [TunnelAction]) throws -> [UInt16] {
    try actions.sent.map { try ControlHeader.decode($0[...]).0.ns }
}

/// Appendix A: one message, then one more for each acknowledged, up to the peer's window.
@Test func slowStartOpensTheWindow() throws {
    var tunnel = try establishedTunnel(peerWindow: 10)
    // SCCRQ and SCCCN were acknowledged: 1 + 2.
    #expect(tunnel.statistics.congestionWindow == 3)
    #expect(tunnel.statistics.slowStartThreshold == 10)
    var sent: [UInt16] = []
    for id in 1...40 { sent += try numbers(tunnel.openSession(localID: UInt16(id), call: call(), at: seconds(1))) }
    #expect(sent == [2, 3, 4])
    let expected: [(ack: UInt16, sent: ClosedRange<UInt16>, window: Int)] = [
        (3, 5...6, 4), (4, 7...8, 5), (6, 9...12, 7), (9, 13...18, 10), (10, 19...19, 10), (19, 20...28, 10),
    ]
    for step in expected {
        #expect(try numbers(tunnel.receive(datagram: zlb(step.ack), at: seconds(1))) == Array(step.sent))
        #expect(tunnel.statistics.congestionWindow == step.window)
    }
    #expect(tunnel.statistics.counters.retransmits == 0)
}

@Test func peersWindowIsObeyed() throws {
    for window in [UInt8(1), 2, 4] {
        var tunnel = try establishedTunnel(peerWindow: window)
        var sent = 0
        for id in 1...20 {
            sent += try tunnel.openSession(localID: UInt16(id), call: call(), at: seconds(1)).sent.count
        }
        var nr: UInt16 = 2
        var largest = sent
        while sent < 20 {
            nr += 1
            sent += tunnel.receive(datagram: zlb(nr), at: seconds(1)).sent.count
            largest = max(largest, sent - Int(nr - 2))
        }
        #expect(largest == min(Int(window), 4))
    }
}

/// A retransmission halves the threshold, and the window starts at one again; past the threshold it grows by one for
/// each full window.
@Test func congestionIsAvoidedAfterLoss() throws {
    var tunnel = try establishedTunnel(peerWindow: 10)
    for id in 1...100 { _ = try tunnel.openSession(localID: UInt16(id), call: call(), at: seconds(1)) }
    _ = tunnel.receive(datagram: zlb(5), at: seconds(1))
    _ = tunnel.receive(datagram: zlb(11), at: seconds(1))
    #expect(tunnel.statistics.congestionWindow == 10)
    // 11 to 20 are on their way and lost.
    #expect(tunnel.statistics.ns == 21)
    let lost = tunnel.timerFired(at: seconds(2))
    #expect(try numbers(lost) == [11])
    #expect(tunnel.statistics.congestionWindow == 1)
    #expect(tunnel.statistics.slowStartThreshold == 5)
    var window: [Int] = []
    var accumulated: [Int] = []
    for nr in UInt16(12)...25 {
        _ = tunnel.receive(datagram: zlb(nr), at: seconds(2))
        window.append(tunnel.statistics.congestionWindow)
        accumulated.append(tunnel.statistics.congestionAcknowledgements)
    }
    #expect(window == [2, 3, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6])
    #expect(accumulated == [0, 0, 0, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5])
    #expect(tunnel.statistics.counters.retransmits == 10)
}

/// What had arrived before the loss is not sent again.
@Test func retransmissionSkipsWhatArrived() throws {
    var tunnel = try establishedTunnel(peerWindow: 10)
    for id in 1...3 { _ = try tunnel.openSession(localID: UInt16(id), call: call(), at: seconds(1)) }
    #expect(try numbers(tunnel.timerFired(at: seconds(2))) == [2])
    #expect(tunnel.receive(datagram: zlb(5), at: seconds(2.1)).sent.isEmpty)
    #expect(tunnel.statistics.counters.retransmits == 1)
    #expect(tunnel.statistics.peerNr == 5)
}

@Test func retransmissionsCarryTheLatestNr() throws {
    var tunnel = try establishedTunnel()
    let first = try tunnel.openSession(localID: 1, call: call(), at: seconds(1))
    #expect(try ControlHeader.decode(first.sent[0][...]).0.nr == 1)
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 2, .hello)[...], at: seconds(1.5))
    let again = tunnel.timerFired(at: seconds(2))
    #expect(try ControlHeader.decode(again.sent[0][...]).0.nr == 2)
}

@Test func outOfOrderMessagesWaitForTheirTurn() throws {
    var tunnel = try establishedTunnel()
    func hello(_ ns: UInt16) -> ArraySlice<UInt8> { datagram(to: localID, ns: ns, nr: 2, .hello)[...] }
    for ns in [UInt16(3), 10, 2] {
        let actions = tunnel.receive(datagram: hello(ns), at: seconds(1))
        // Each is answered at once with what is still missing.
        #expect(actions.sentTypes == [nil])
        #expect(try ControlHeader.decode(actions.sent[0][...]).0.nr == 1)
    }
    #expect(tunnel.statistics.counters.hellosReceived == 0)
    _ = tunnel.receive(datagram: hello(3), at: seconds(1))
    #expect(tunnel.statistics.counters.duplicates == 1)
    let actions = tunnel.receive(datagram: hello(1), at: seconds(1))
    #expect(try ControlHeader.decode(actions.sent[0][...]).0.nr == 4)
    #expect(tunnel.statistics.counters.hellosReceived == 3)
    // The window has moved on by three.
    #expect(tunnel.receive(datagram: hello(14), at: seconds(1)).notes == [.outOfSequence(ns: 14, nr: 2)])
    #expect(tunnel.receive(datagram: hello(13), at: seconds(1)).notes.isEmpty)
    #expect(tunnel.statistics.counters.outOfSequence == 1)
}

@Test func duplicatesAreAcknowledgedAndNotActedOn() throws {
    var tunnel = try establishedTunnel()
    let call = datagram(to: localID, ns: 1, nr: 2, .incomingCallRequest, avp(14, [0, 9]) + avp(15, [0, 0, 0, 1]))
    func calls(_ actions: [TunnelAction]) -> Int {
        actions.count {
            guard case .incomingCall = $0 else { return false }
            return true
        }
    }
    #expect(calls(tunnel.receive(datagram: call[...], at: seconds(1))) == 1)
    for _ in 0..<3 {
        let again = tunnel.receive(datagram: call[...], at: seconds(1))
        #expect(calls(again) == 0)
        #expect(again.sentTypes == [nil])
    }
    // 32,767 numbers back still counts as old.
    let old = datagram(to: localID, ns: 2 &- 32767, nr: 2, .hello)
    #expect(tunnel.receive(datagram: old[...], at: seconds(1)).sentTypes == [nil])
    #expect(tunnel.statistics.counters.duplicates == 4)
}

@Test func acknowledgementsWaitForAMessageToRideOn() throws {
    var tunnel = try establishedTunnel()
    func hello(_ ns: UInt16) -> ArraySlice<UInt8> { datagram(to: localID, ns: ns, nr: 2, .hello)[...] }
    #expect(tunnel.receive(datagram: hello(1), at: seconds(1)).sent.isEmpty)
    #expect(tunnel.deadline == seconds(1.05))
    let ridden = try tunnel.openSession(localID: 1, call: call(), at: seconds(1.01))
    #expect(try ControlHeader.decode(ridden.sent[0][...]).0.nr == 2)
    #expect(tunnel.deadline == seconds(2.01))
    // The second message that waits is acknowledged at once.
    #expect(tunnel.receive(datagram: hello(2), at: seconds(1.02)).sent.isEmpty)
    #expect(tunnel.receive(datagram: hello(3), at: seconds(1.03)).sentTypes == [nil])
    #expect(tunnel.statistics.counters.zlbsSent == 1)
}

@Test func staleAcknowledgementsAreHarmless() throws {
    var tunnel = try establishedTunnel(peerWindow: 10)
    for id in 1...3 { _ = try tunnel.openSession(localID: UInt16(id), call: call(), at: seconds(1)) }
    _ = tunnel.receive(datagram: zlb(4), at: seconds(1))
    #expect(tunnel.receive(datagram: zlb(3), at: seconds(1)).notes.isEmpty)
    #expect(tunnel.statistics.peerNr == 4)
    #expect(tunnel.receive(datagram: zlb(6), at: seconds(1)).notes.count == 1)
    #expect(tunnel.statistics.peerNr == 4)
}

/// 70,000 messages each way: every number comes round.
@Test func sequenceNumbersWrap() throws {
    var settings = configuration()
    settings.helloInterval = .seconds(10)
    var tunnel = try establishedTunnel(settings)
    var now = Instant.zero
    var ns: UInt16 = 1
    var nr: UInt16 = 2
    var failures = 0
    for _ in 0..<70_000 {
        now = now + .seconds(10)
        let hello = tunnel.timerFired(at: now)
        let header = try ControlHeader.decode(try #require(hello.sent.first)[...]).0
        if header.ns != nr || hello.sentTypes.first != .some(.hello) { failures += 1 }
        nr &+= 1
        let answer = tunnel.receive(datagram: datagram(to: localID, ns: ns, nr: nr, .hello)[...], at: now)
        if !answer.notes.isEmpty { failures += 1 }
        ns &+= 1
    }
    #expect(failures == 0)
    #expect(tunnel.statistics.counters.hellosReceived == 70_000)
    #expect(tunnel.statistics.counters.outOfSequence == 0)
}

@Test func packetsAndBytesAreCounted() throws {
    let tunnel = try establishedTunnel()
    let counters = tunnel.statistics.counters
    // SCCRQ and SCCCN out; SCCRP and a ZLB in.
    #expect(counters.packetsSent == 2)
    #expect(counters.bytesSent == UInt64(12 + 8 + 8 + 17 + 10 + 10 + 14 + 8 + 8) + 20)
    #expect(counters.packetsReceived == 2)
    #expect(counters.bytesReceived == UInt64(12 + 8 + startAVPs.count) + 12)
    #expect(counters.zlbsReceived == 1)
}

/// A peer that sends and never acknowledges cannot make the queue grow without bound.
@Test func queueToADeafPeerIsBounded() throws {
    var settings = configuration()
    settings.acceptsCalls = false
    var tunnel = try establishedTunnel(settings)
    var refused = 0
    for index in 0..<40_000 {
        let id = [UInt8(truncatingIfNeeded: (index % 65535 + 1) >> 8), UInt8(truncatingIfNeeded: index % 65535 + 1)]
        let bytes = datagram(
            to: localID, ns: tunnel.statistics.nr, nr: 2, .incomingCallRequest, avp(14, id) + avp(15, [0, 0, 0, 1]))
        if !tunnel.receive(datagram: bytes[...], at: seconds(1)).notes.isEmpty { refused += 1 }
    }
    #expect(refused == 40_000 - 16_384)
}

@Test func timersAreAsSet() throws {
    var settings = configuration()
    settings.transport.retryTimeout = .milliseconds(500)
    settings.transport.retryCap = .seconds(1)
    settings.transport.acknowledgementDelay = .milliseconds(200)
    var tunnel = try establishedTunnel(settings)
    _ = tunnel.receive(datagram: datagram(to: localID, ns: 1, nr: 2, .hello)[...], at: seconds(1))
    #expect(tunnel.deadline == seconds(1.2))
    _ = try tunnel.openSession(localID: 1, call: call(), at: seconds(1))
    for time in [1.5, 2.5, 3.5] {
        #expect(tunnel.deadline == seconds(time))
        #expect(tunnel.timerFired(at: seconds(time)).sent.count == 1)
    }
    #expect(settings.transport.fullCycle == .milliseconds(5500))
    #expect(ControlChannel.Settings().fullCycle == .seconds(31))
}
