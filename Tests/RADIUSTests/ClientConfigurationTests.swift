import RADIUS
import Testing
import Timing
import Wire

/// A changed configuration under requests.
@Suite struct ClientConfigurationTests {
    @Test func whatStaysGoesOn() throws {
        var client = client([server(1), server(2)])
        let (handle, outputs) = try client.submit(lookUp(), group: "all", at: .zero)
        let sent = try #require(outputs.sent.first)
        let changed = configuration([server(3), server(1) { $0.retransmit = 0 }])
        #expect(client.apply(changed, at: seconds(0.5)).isEmpty)
        #expect(client.deadline == seconds(1))
        #expect(client.counters(1) == [.requests: 1])
        #expect(client.servers.map(\.server.address).count == 4)
        let results = client.receive(sent.answer(.accessAccept), to: sent, at: seconds(0.6)).results
        #expect(results.map(\.handle) == [handle])
        // The new order counts for what comes.
        #expect(
            try client.submit(lookUp(), group: "all", at: seconds(1)).outputs.sent.first?.address
                == server(3).key.address)
    }

    @Test func requestsLeaveARemovedServer() throws {
        var client = client([server(1), server(2)])
        let (handle, outputs) = try client.submit(lookUp(), group: "all", at: .zero)
        let sent = client.apply(configuration([server(2)]), at: seconds(0.5)).sent
        #expect(sent.map(\.address) == [server(2).key.address])
        let old = try #require(outputs.sent.first)
        #expect(client.receive(old.answer(.accessAccept), to: old, at: seconds(0.6)).notes.count == 1)
        let new = try #require(sent.first)
        let results = client.receive(new.answer(.accessAccept), to: new, at: seconds(0.7)).results
        #expect(results.map(\.handle) == [handle])
        #expect(results.first?.result.servers == [server(1).key, server(2).key])
    }

    @Test func requestsOfARemovedGroupEnd() throws {
        var client = client([server(1)]) { $0.requestLimit = 1 }
        var handles: [RADIUSRequestHandle] = []
        for _ in 0..<2 { handles.append(try client.submit(lookUp(), group: "all", at: .zero).handle) }
        let ended = client.apply(configuration([]) { $0.groups = [] }, at: seconds(1)).results
        #expect(ended.map(\.handle) == handles)
        #expect(ended.allSatisfy { $0.result.outcome == .noServer })
        #expect(client.inFlight == 0 && client.waiting == 0 && client.deadline == nil)
    }

    /// What was signed with the old secret cannot be answered any more: it is asked anew.
    @Test func changedSecretsAskAnew() throws {
        var client = client([server(1)])
        let (handle, outputs) = try client.submit(lookUp(), group: "all", at: .zero)
        let new = octets("another")
        var changed = server(1)
        changed.secret = new
        let sent = try #require(client.apply(configuration([changed]), at: seconds(0.5)).sent.first)
        #expect(sent.bytes != outputs.sent.first?.bytes)
        #expect(sent.packet?.messageAuthenticity(secret: new) == .right)
        let results = client.receive(sent.answer(.accessAccept, secret: new), to: sent, at: seconds(0.6)).results
        #expect(results.map(\.handle) == [handle])
        #expect(results.first?.result.servers == [server(1).key])
    }

    @Test func fewerSocketsAskAnewWhatUsedThem() throws {
        var client = client([server(1)]) { $0.sockets = 2 }
        let first = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let second = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        #expect(first.socket == 0 && second.socket == 1)
        let sent = client.apply(configuration([server(1)]) { $0.sockets = 1 }, at: seconds(0.5)).sent
        #expect(sent.map(\.socket) == [0])
        #expect(client.receive(second.answer(.accessAccept), to: second, at: seconds(0.6)).results.isEmpty)
        #expect(client.receive(first.answer(.accessAccept), to: first, at: seconds(0.6)).results.count == 1)
        let again = try #require(sent.first)
        #expect(client.receive(again.answer(.accessAccept), to: again, at: seconds(0.6)).results.count == 1)
        for _ in 0..<256 { _ = try client.submit(lookUp(), group: "all", at: seconds(1)) }
        #expect(client.inFlight == 256 && client.waiting == 0)
        // More of them are used at once.
        let more = client.apply(configuration([server(1)]) { $0.sockets = 3 }, at: seconds(1))
        #expect(more.isEmpty)
        for _ in 0..<512 { _ = try client.submit(lookUp(), group: "all", at: seconds(1)) }
        #expect(client.inFlight == 768 && client.waiting == 0)
    }

    @Test func queuesSurvive() throws {
        var client = client([server(1)]) { $0.requestLimit = 1 }
        let first = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        for index in 0..<3 { _ = try client.submit(lookUp("d\(index)"), group: "all", at: .zero) }
        #expect(client.apply(configuration([server(1), server(2)]) { $0.requestLimit = 2 }, at: .zero).sent.count == 1)
        #expect(client.waiting == 2)
        let next = client.receive(first.answer(.accessAccept), to: first, at: .zero).sent
        #expect(next.map { $0.packet?.attributes.text(.userName) } == ["d1"])
    }

    @Test func statusServerIsSwitched() throws {
        var client = client([server(1)])
        _ = client.apply(configuration([server(1) { $0.sendsStatusServer = true }]), at: .zero)
        let probe = try #require(client.run(until: seconds(1)).map(\.output).sent.first)
        _ = client.apply(configuration([server(1)]), at: seconds(1))
        #expect(client.deadline == nil)
        #expect(client.receive(probe.answer(.accessAccept), to: probe, at: seconds(1)).notes.count == 1)
    }

    @Test func onePortIsOneServers() throws {
        let key = RADIUSServer.Key(
            address: server(1).key.address, authenticationPort: 1812, accountingPort: 1812)
        var client = client([RADIUSServer(key, secret: secret)])
        #expect(client.servers.map(\.service) == [.authentication])
        let record = AccountingRecord.accountingOn(id: "1", nas: nas, at: 0)
        #expect(throws: RADIUSSubmitError.emptyGroup("all")) {
            try client.submit(.accounting(record), group: "all", at: .zero)
        }
    }
}
