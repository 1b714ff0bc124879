import RADIUS
import Testing
import Timing
import Wire

/// Status-Server (RFC 5997).
@Suite struct ClientProbingTests {
    private func probing(_ number: UInt32) -> RADIUSServer { server(number) { $0.sendsStatusServer = true } }

    private func probes(_ log: [(at: Instant, output: RADIUSClientOutput)]) -> [(at: Double, sent: Sent)] {
        log.flatMap { entry in
            [entry.output].sent.filter { $0.packet?.code == .statusServer }.map {
                (Double(entry.at.nanoseconds) / 1e9, $0)
            }
        }
    }

    @Test func offMeansNone() {
        var client = client([server(1)])
        #expect(client.deadline == nil)
        #expect(client.run(until: seconds(1000)).isEmpty)
    }

    @Test func probesAreAsTheRFCWants() throws {
        var client = client([probing(1)])
        let sent = probes(client.run(until: seconds(1))).map(\.sent)
        #expect(sent.map(\.port) == [1812, 1813])
        for probe in sent {
            let packet = try #require(probe.packet)
            #expect(packet.attributes.elements.first?.attribute == .messageAuthenticator)
            #expect(packet.messageAuthenticity(secret: secret) == .right)
            #expect(packet.attributes.text(.nasIdentifier) == "lac1")
            #expect(packet.attributes.elements.count == 3)
        }
        #expect(client.inFlight == 0 && client.servers.allSatisfy { $0.pending == 0 })
    }

    /// A server that answers is asked every 30 s, and not while requests are answered.
    @Test func livingServersAreAskedWhenTheyAreSilent() throws {
        var client = client([probing(1)])
        var asked: [Double] = []
        func answerProbes(until end: Double) {
            while let deadline = client.deadline, deadline <= seconds(end) {
                for sent in client.timerFired(at: deadline).sent where sent.port == 1812 {
                    asked.append(Double(deadline.nanoseconds) / 1e9)
                    _ = client.receive(sent.answer(.accessAccept, signed: false), to: sent, at: deadline)
                }
            }
        }
        answerProbes(until: 70)
        #expect(asked == [1, 31, 61])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: seconds(80)).outputs.sent.first)
        _ = client.receive(sent.answer(.accessAccept), to: sent, at: seconds(80))
        answerProbes(until: 130)
        // 91 is put off to 30 s, and up to 4 s more, after the answer at 80 s.
        #expect(asked == [1, 31, 61, 112])
        #expect(client.counters(1)[.probes] == 4)
        #expect(client.counters(1)[.probeAnswers] == 4)
    }

    /// A server that knew Status-Server and leaves three unanswered is dead before a client has to wait for it.
    @Test func watchingFindsADeadServer() throws {
        var client = client([probing(1)])
        let first = try #require(probes(client.run(until: seconds(1))).first?.sent)
        _ = client.receive(first.answer(.accessAccept, signed: false), to: first, at: seconds(1))
        let log = client.run(until: seconds(46)).filter { entry in
            [entry.output].sent.first?.port == 1812 || [entry.output].notes.first?.description.contains("1812") == true
        }
        #expect(probes(log).map(\.at) == [31, 38, 45])
        let death = try #require(log.last)
        #expect(death.at == seconds(46))
        #expect(
            [death.output].notes.first
                == .serverDead(server(1).key, .authentication, deadTime: .seconds(60)))
        #expect(Set(probes(log).map(\.sent.bytes[1])).count == 3 || Set(probes(log).map(\.sent.socket)).count == 3)
    }

    /// A server that never answered one may not know it: nothing follows from its silence, but the operator is told once.
    @Test func silenceOfAServerThatMayNotKnowStatusServer() {
        var client = client([probing(1)])
        let log = client.run(until: seconds(300))
        let notes = log.map(\.output).notes
        #expect(
            notes == [
                .statusServerIgnored(server(1).key, .authentication), .statusServerIgnored(server(1).key, .accounting),
            ])
        #expect(client.status(1)?.deadUntil == nil)
        // 1, 8, 15 s, and then every 30 s.
        #expect(
            probes(log).filter { $0.sent.port == 1812 }.map(\.at) == [
                1, 8, 15, 45, 75, 105, 135, 165, 195, 225, 255, 285,
            ])
    }

    /// Three answers in a row bring a dead server back before its time; one that is lost begins the count anew.
    @Test func answersBringADeadServerBack() throws {
        var client = client([
            server(1) {
                $0.sendsStatusServer = true; $0.deadTime = .seconds(600)
            }, server(2),
        ])
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        var alive: [Instant] = []
        var asked: [Double] = []
        while alive.isEmpty, let deadline = client.deadline, deadline <= seconds(100) {
            let outputs = client.timerFired(at: deadline)
            for sent in outputs.sent where sent.packet?.code == .statusServer && sent.port == 1812 {
                asked.append(Double(deadline.nanoseconds) / 1e9)
                // Left unanswered: those before the death, and the fourth.
                guard client.status(1)?.deadUntil != nil, asked.count != 4 else { continue }
                let notes = client.receive(sent.answer(.accessAccept, signed: false), to: sent, at: deadline).notes
                if notes.contains(.serverAlive(server(1).key, .authentication, byStatusServer: true)) {
                    alive.append(deadline)
                }
            }
        }
        #expect(alive.count == 1)
        let first = try #require(alive.first)
        // Dead at 7 s: whatever was answered before the fourth does not count, the next three bring it back.
        let index = try #require(asked.firstIndex(of: Double(first.nanoseconds) / 1e9))
        #expect(index == 6)
        #expect(zip(asked, asked.dropFirst()).prefix(index).allSatisfy { $1 - $0 >= 6 })
        #expect(client.status(1)?.deadUntil == nil)
    }

    /// Answers to probes prove themselves as all others do.
    @Test func forgedSignsOfLifeAreNone() throws {
        var client = client([probing(1)])
        let probe = try #require(probes(client.run(until: seconds(1))).first?.sent)
        for forged in [
            probe.answer(.accessAccept, secret: octets("other")), probe.answer(.accountingResponse),
        ] {
            #expect(client.receive(forged, to: probe, at: seconds(1.1)).notes.count == 1)
        }
        #expect(client.counters(1)[.probeAnswers] == nil)
        #expect(client.status(1)?.lastAnswer == nil)
        _ = client.receive(probe.answer(.accessAccept, signed: false), to: probe, at: seconds(1.2))
        #expect(client.status(1)?.lastAnswer == seconds(1.2))
    }
}
