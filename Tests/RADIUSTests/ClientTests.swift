import RADIUS
import Testing
import Timing
import Wire

@Suite struct ClientTests {
    private func times(_ log: [(at: Instant, output: RADIUSClientOutput)]) -> [(Double, Sent)] {
        log.flatMap { entry in [entry.output].sent.map { (Double(entry.at.nanoseconds) / 1e9, $0) } }
    }

    @Test func acceptEndsARequest() throws {
        var client = client([server(1)])
        let (handle, outputs) = try client.submit(lookUp(), group: "all", at: .zero)
        let sent = try #require(outputs.sent.first)
        #expect(sent.address == server(1).key.address)
        #expect(sent.port == 1812)
        #expect(client.inFlight == 1)
        let answer = sent.answer(
            .accessAccept, attributes { $0.append(.framedIPAddress, address: IPAddress("192.168.11.2")) })
        let done = client.receive(answer, to: sent, at: seconds(0.25))
        #expect(done.count == 1)
        let result = try #require(done.results.first)
        #expect(result.handle == handle)
        guard case .accept(let accept) = result.result.outcome else {
            Issue.record("\(result.result.outcome)")
            return
        }
        #expect(accept.framedAddress == IPAddress("192.168.11.2"))
        #expect(result.result.servers == [server(1).key])
        #expect(result.result.duration == .milliseconds(250))
        #expect(client.counters(1) == [.requests: 1, .accepts: 1])
        #expect(client.status(1)?.roundTripTime == .milliseconds(250))
        #expect(client.inFlight == 0 && client.deadline == nil)
    }

    @Test func rejectAndChallengeEndARequest() throws {
        var client = client([server(1)])
        let first = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let text = attributes {
            $0.append(.replyMessage, text: "no ")
            $0.append(.replyMessage, text: "line")
        }
        let rejected = client.receive(first.answer(.accessReject, text), to: first, at: seconds(1)).results
        #expect(rejected.first?.result.summary == "192.0.2.1:1812: rejected: no line")
        let second = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let challenge = attributes {
            $0.append(.state, octets: [9, 9])
            $0.append(eapMessage: [UInt8](repeating: 3, count: 300))
            $0.append(.sessionTimeout, integer: 30)
        }
        let challenged = client.receive(second.answer(.accessChallenge, challenge), to: second, at: seconds(1)).results
        guard case .challenge(let value) = challenged.first?.result.outcome else {
            Issue.record("\(challenged)")
            return
        }
        #expect(value.state == [9, 9])
        #expect(value.eapMessage == [UInt8](repeating: 3, count: 300))
        #expect(value.timeout == .seconds(30))
        #expect(client.counters(1) == [.requests: 2, .rejects: 1, .challenges: 1])
    }

    /// The same packet at 0, 1 and 3 s, then the next server; the time-outs double.
    @Test func retransmitsThenFailsOver() throws {
        var client = client([server(1), server(2)])
        let (handle, outputs) = try client.submit(lookUp(), group: "all", at: .zero)
        let log = client.run(until: seconds(100))
        let sent = times(log)
        #expect(sent.map(\.0) == [1, 3, 7, 8, 10])
        #expect(sent.map(\.1.address) == [1, 1, 2, 2, 2].map { server($0).key.address })
        #expect(
            sent.prefix(2).allSatisfy {
                $0.1.bytes == outputs.sent.first?.bytes && $0.1.socket == outputs.sent.first?.socket
            })
        #expect(sent[2].1.packet?.authenticator != outputs.sent.first?.packet?.authenticator)
        #expect(sent[3].1.bytes == sent[2].1.bytes)
        let end = try #require(log.map(\.output).results.first)
        #expect(end.handle == handle)
        #expect(end.result.outcome == .timeout)
        #expect(end.result.servers == [server(1).key, server(2).key])
        #expect(end.result.duration == .seconds(14))
        #expect(end.result.summary == "no answer from 192.0.2.1:1812, 192.0.2.2:1812")
        for number: UInt32 in [1, 2] {
            #expect(
                client.counters(number) == [.requests: 1, .retransmissions: 2, .timeouts: 3, .failures: 1, .deaths: 1])
        }
        #expect(
            log.map(\.output).notes.map(\.description)
                == [1, 2].map {
                    "RADIUS server 192.0.2.\($0):1812 does not answer authentication requests; others are asked before it for 60 s"
                })
    }

    /// Each setting of a server is obeyed.
    @Test func timesAreAsSet() throws {
        var client = client([
            server(1) {
                $0.timeout = .seconds(5)
                $0.retransmit = 4
            }
        ])
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        // Doubling ends at 16 s.
        #expect(times(client.run(until: seconds(100))).map(\.0) == [5, 15, 31, 47])
    }

    @Test func chanceMovesTimesByATenthAtMost() throws {
        var client = RADIUSClient(
            configuration: configuration([server(1)]) { $0.requestLimit = 1000 }, random: SeededGenerator(state: 5),
            at: .zero)
        for _ in 0..<1000 { _ = try client.submit(lookUp(), group: "all", at: .zero) }
        let first = times(client.run(until: seconds(1.5))).map(\.0)
        #expect(first.count == 1000)
        #expect(first.allSatisfy { (0.9...1.1).contains($0) })
        #expect(Set(first).count > 900)
        let mean = first.reduce(0, +) / 1000
        #expect((0.98...1.02).contains(mean))
    }

    @Test func deadServersAreAskedLast() throws {
        var client = client([server(1), server(2)])
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        _ = client.run(until: seconds(7))
        #expect(client.status(1)?.deadUntil == seconds(67))
        let next = try client.submit(lookUp(), group: "all", at: seconds(8)).outputs.sent
        #expect(next.map(\.address) == [server(2).key.address])
        // Both dead: the first is tried all the same.
        _ = client.run(until: seconds(30))
        #expect(client.status(2)?.deadUntil != nil)
        let anyway = try client.submit(lookUp(), group: "all", at: seconds(31)).outputs.sent
        #expect(anyway.map(\.address) == [server(1).key.address])
    }

    @Test func zeroDeadTimeKeepsTheOrder() throws {
        var client = client([server(1) { $0.deadTime = .zero }, server(2)])
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        let log = client.run(until: seconds(7))
        #expect(log.map(\.output).notes.isEmpty)
        #expect(
            try client.submit(lookUp(), group: "all", at: seconds(8)).outputs.sent.first?.address
                == server(1).key.address)
    }

    /// After its dead time a server gets one request as its trial; the others still go elsewhere.
    @Test func oneRequestTriesAServerWhoseTimeIsOver() throws {
        var client = client([server(1), server(2)])
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        var second = client.run(until: seconds(7)).map(\.output).sent
        _ = client.receive(
            try #require(second.last).answer(.accessAccept), to: try #require(second.last), at: seconds(7))
        let trial = try client.submit(lookUp(), group: "all", at: seconds(70)).outputs.sent
        #expect(trial.map(\.address) == [server(1).key.address])
        second = try client.submit(lookUp(), group: "all", at: seconds(70)).outputs.sent
        #expect(second.map(\.address) == [server(2).key.address])
        let sent = try #require(trial.first)
        let outputs = client.receive(sent.answer(.accessReject), to: sent, at: seconds(70.5))
        #expect(
            outputs.notes.map(\.description) == ["RADIUS server 192.0.2.1:1812 answers authentication requests again"])
        #expect(
            try client.submit(lookUp(), group: "all", at: seconds(71)).outputs.sent.first?.address
                == server(1).key.address)
    }

    @Test func aTrialThatFailsCostsOneRequestOnly() throws {
        var client = client([server(1), server(2)])
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        _ = client.run(until: seconds(69))
        #expect(client.status(1)?.deadUntil == seconds(67))
        _ = try client.submit(lookUp(), group: "all", at: seconds(70))
        #expect(client.run(until: seconds(77)).map(\.output).sent.last?.address == server(2).key.address)
        #expect(client.status(1)?.deadUntil == seconds(137))
        #expect(client.counters(1)[.deaths] == 1)
    }

    /// A server that answers others has its reasons; it is not dead.
    @Test func silenceToOneRequestIsNoDeath() throws {
        var client = client([server(1), server(2)])
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        let other = try #require(try client.submit(lookUp(), group: "all", at: seconds(2)).outputs.sent.first)
        _ = client.receive(other.answer(.accessAccept), to: other, at: seconds(2.1))
        let log = client.run(until: seconds(7))
        #expect(log.map(\.output).notes.isEmpty)
        #expect(client.status(1)?.deadUntil == nil)
        #expect(log.map(\.output).sent.last?.address == server(2).key.address)
    }

    /// Requests under way to a server found dead meanwhile do not wait for their last time-out.
    @Test func othersLeaveADeadServerAtTheirNextTimeOut() throws {
        var client = client([server(1), server(2)])
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        _ = try client.submit(lookUp(), group: "all", at: seconds(6.5))
        let sent = times(client.run(until: seconds(7.6))).filter { $0.1.address == server(2).key.address }
        #expect(sent.map(\.0) == [7, 7.5])
    }

    @Test func stateGoesBackToItsServer() throws {
        var client = client([server(1), server(2)])
        var session = RADIUSSession(id: "1")
        session.userName = octets("joe")
        let request = AccessRequest(
            session: session, nas: nas, credentials: .eap([2, 1, 0, 5, 1]), state: [1], server: server(2).key)
        let sent = try client.submit(.access(request), group: "all", at: .zero).outputs.sent
        #expect(sent.map(\.address) == [server(2).key.address])
    }

    @Test func serversOverIPv6() throws {
        let address = try #require(IPAddress("2001:db8::1812"))
        var client = client([RADIUSServer(RADIUSServer.Key(address: address), secret: secret), server(1)])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        #expect(sent.address == address && sent.port == 1812)
        let outputs = client.receive(sent.answer(.accessAccept), to: sent, at: seconds(0.1))
        #expect(outputs.results.first?.result.summary == "accepted by [2001:db8::1812]:1812")
        #expect(client.receive(sent.answer(.accessAccept), to: sent, at: seconds(0.1)).results.isEmpty)
    }

    @Test func requestsThatCannotBeTakenAreRefused() throws {
        var client = client([server(1)]) { $0.groups.append(RADIUSServerGroup(name: "none", servers: [server(9).key])) }
        func refusal(_ request: RADIUSRequest, _ group: String) -> RADIUSSubmitError? {
            do throws(RADIUSSubmitError) {
                _ = try client.submit(request, group: group, at: .zero)
                return nil
            } catch { return error }
        }
        #expect(refusal(lookUp(), "other") == .unknownGroup("other"))
        #expect(refusal(lookUp(), "none") == .emptyGroup("none"))
        let long = String(repeating: "a", count: 254)
        #expect(refusal(lookUp(long), "all") == .encoding(.length(.userName, 254)))
        #expect(client.inFlight == 0 && client.waiting == 0 && client.deadline == nil)
        // The identifier that it had is free again.
        for _ in 0..<1024 { #expect(refusal(lookUp(), "all") == nil) }
        #expect(client.inFlight == 1024)
    }

    @Test func cancelledRequestsAreForgotten() throws {
        var client = client([server(1)])
        let (handle, outputs) = try client.submit(lookUp(), group: "all", at: .zero)
        #expect(client.cancel(handle, at: seconds(0.1)).isEmpty)
        #expect(client.inFlight == 0 && client.deadline == nil)
        let sent = try #require(outputs.sent.first)
        let late = client.receive(sent.answer(.accessAccept), to: sent, at: seconds(0.2))
        #expect(late.notes == [.answerDropped(from: sent.address, port: 1812, .noRequest)])
        #expect(client.cancel(handle, at: seconds(0.3)).isEmpty)
    }
}
