import RADIUS
import Testing
import Timing
import Wire

/// Identifiers, limits and queues.
@Suite struct ClientQueueTests {
    /// 256 of each socket, one after the other; none twice.
    @Test func identifiersSpreadOverTheSockets() throws {
        var client = client([server(1)]) { $0.sockets = 3 }
        var used: Set<Int> = []
        for index in 0..<768 {
            let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
            #expect(sent.socket == index % 3)
            used.insert(sent.socket << 8 | Int(sent.bytes[1]))
        }
        #expect(used.count == 768)
        #expect(try client.submit(lookUp(), group: "all", at: .zero).outputs.isEmpty)
        #expect(client.inFlight == 768 && client.waiting == 1)
    }

    /// The two services of a server are two spaces of identifiers; so are two servers.
    @Test func identifiersAreThePortsOwn() throws {
        var client = client([server(1), server(2)]) { $0.sockets = 1 }
        let record = AccountingRecord.accountingOn(id: "1", nas: nas, at: 0)
        let access = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let accounting = try #require(
            try client.submit(.accounting(record), group: "all", at: .zero).outputs.sent.first)
        #expect(access.bytes[1] == accounting.bytes[1])
        #expect(access.port == 1812 && accounting.port == 1813)
        #expect(client.receive(accounting.answer(.accountingResponse), to: accounting, at: .zero).results.count == 1)
        #expect(client.inFlight == 1)
    }

    @Test func anIdentifierRestsBeforeItIsUsedAgain() throws {
        var client = client([server(1)]) { $0.sockets = 1 }
        var last: [UInt8] = []
        for _ in 0..<600 {
            let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
            last.append(sent.bytes[1])
            _ = client.receive(sent.answer(.accessAccept), to: sent, at: .zero)
        }
        #expect(last.prefix(256).map(Int.init) == Array(0..<256))
        #expect(last.dropFirst(256).prefix(256).map(Int.init) == Array(0..<256))
    }

    @Test func whatWaitsIsSentInOrderAsAnswersCome() throws {
        var client = client([server(1)]) {
            $0.requestLimit = 2
            $0.queueLimit = 3
        }
        var sent: [Sent] = []
        var handles: [RADIUSRequestHandle] = []
        for index in 0..<5 {
            let (handle, outputs) = try client.submit(lookUp("d\(index)"), group: "all", at: .zero)
            handles.append(handle)
            sent += outputs.sent
        }
        #expect(sent.count == 2 && client.waiting == 3)
        #expect(throws: RADIUSSubmitError.queueFull(3)) { try client.submit(lookUp(), group: "all", at: .zero) }
        var finished: [RADIUSRequestHandle] = []
        while let next = sent.first {
            sent.removeFirst()
            let outputs = client.receive(next.answer(.accessAccept), to: next, at: seconds(0.1))
            finished += outputs.results.map(\.handle)
            sent += outputs.sent
            #expect(client.inFlight <= 2)
        }
        #expect(finished == handles)
    }

    @Test func whoWaitsTooLongIsTold() throws {
        var client = client([server(1) { $0.timeout = .seconds(100) }]) {
            $0.requestLimit = 1
            $0.queueTimeout = .seconds(10)
        }
        _ = try client.submit(lookUp(), group: "all", at: .zero)
        let (handle, _) = try client.submit(lookUp(), group: "all", at: seconds(1))
        let log = client.run(until: seconds(20))
        let result = try #require(log.map(\.output).results.first)
        #expect(result.handle == handle)
        #expect(log.first?.at == seconds(11))
        #expect(result.result.outcome == .timeout)
        #expect(result.result.summary == "waited too long to be sent; all RADIUS servers are busy")
        #expect(client.waiting == 0)
    }

    /// What waits for a server that dies goes to one that lives.
    @Test func queuesLeaveADeadServer() throws {
        var client = client([server(1), server(2)]) { $0.sockets = 1 }
        for _ in 0..<300 { _ = try client.submit(lookUp(), group: "all", at: .zero) }
        #expect(client.status(1)?.pending == 256 && client.status(1)?.waiting == 44)
        let log = client.run(until: seconds(7))
        #expect(client.status(1)?.waiting == 0)
        #expect(log.map(\.output).sent.filter { $0.address == server(2).key.address }.count == 256)
        // No more than its identifiers allow: the others wait for them.
        #expect(client.status(2)?.pending == 256)
        #expect(client.inFlight + client.waiting == 300)
        #expect(client.status(2)?.waiting == 44)
    }

    @Test func cancellingInTheQueueMakesRoom() throws {
        var client = client([server(1)]) {
            $0.requestLimit = 1
            $0.queueLimit = 1
        }
        let first = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let (handle, _) = try client.submit(lookUp(), group: "all", at: .zero)
        _ = client.cancel(handle, at: .zero)
        let (last, _) = try client.submit(lookUp("last"), group: "all", at: .zero)
        let outputs = client.receive(first.answer(.accessAccept), to: first, at: .zero)
        #expect(outputs.sent.first?.packet?.attributes.text(.userName) == "last")
        let sent = try #require(outputs.sent.first)
        #expect(client.receive(sent.answer(.accessAccept), to: sent, at: .zero).results.map(\.handle) == [last])
    }
}
