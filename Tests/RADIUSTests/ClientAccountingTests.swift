import RADIUS
import Testing
import Timing
import Wire

@Suite struct ClientAccountingTests {
    private let record = AccountingRecord.start(fullSession(), nas: nas, at: 1_700_000_000)

    @Test func recordsAreSentAsTheyAre() throws {
        var client = client([server(1)])
        let sent = try #require(
            try client.submit(.accounting(record, age: .seconds(90)), group: "all", at: .zero).outputs.sent.first)
        #expect(sent.port == 1813)
        let packet = try #require(sent.packet)
        #expect(packet.code == .accountingRequest)
        #expect(packet.isAuthenticRequest(secret: secret))
        #expect(packet.messageAuthenticity(secret: secret) == .absent)
        #expect(packet.attributes.integer(.acctDelayTime) == 90)
        #expect(packet.attributes.elements.dropLast() == record.attributes.elements[...])
        let results = client.receive(sent.answer(.accountingResponse, signed: false), to: sent, at: seconds(0.1))
            .results
        #expect(results.first?.result.outcome == .accountingResponse)
        #expect(client.counters(1, .accounting) == [.requests: 1, .accountingResponses: 1])
    }

    /// Each transmission has the delay of its time, and so an identifier of its own.
    @Test func delayGrowsWithEachTransmission() throws {
        var client = client([server(1), server(2)])
        let first = try client.submit(.accounting(record, age: .seconds(5)), group: "all", at: .zero).outputs.sent
        let sent = first + client.run(until: seconds(13.9)).map(\.output).sent
        #expect(sent.map { $0.packet?.attributes.integer(.acctDelayTime) } == [5, 6, 8, 12, 13, 15])
        #expect(sent.prefix(3).map(\.bytes[1]) == [0, 0, 0])
        #expect(sent.prefix(3).map(\.socket) == [0, 1, 2])
        #expect(sent.suffix(3).map(\.address) == [IPAddress](repeating: server(2).key.address, count: 3))
        #expect(sent.allSatisfy { $0.packet?.isAuthenticRequest(secret: secret) == true })
    }

    /// An answer to any of them is an answer.
    @Test(arguments: [0, 1, 2])
    func answersToEarlierTransmissionsCount(index: Int) throws {
        var client = client([server(1)])
        let (handle, outputs) = try client.submit(.accounting(record), group: "all", at: .zero)
        let sent = outputs.sent + client.run(until: seconds(3)).map(\.output).sent
        #expect(sent.count == 3)
        let answer = sent[index].answer(.accountingResponse)
        #expect(client.receive(answer, to: sent[index], at: seconds(3.1)).results.map(\.handle) == [handle])
        // All three identifiers are free again: the others are late.
        for other in sent where other.socket != index {
            #expect(client.receive(other.answer(.accountingResponse), to: other, at: seconds(3.2)).results.isEmpty)
        }
        #expect(client.counters(1, .accounting)[.dropped] == 2)
    }

    /// Without another identifier the same packet goes out again rather than none.
    @Test func noFreeIdentifierMeansTheSamePacket() throws {
        var client = client([server(1)]) { $0.sockets = 1 }
        var first: [[UInt8]] = []
        for _ in 0..<256 {
            first += try client.submit(.accounting(record), group: "all", at: .zero).outputs.sent.map(\.bytes)
        }
        let again = client.run(until: seconds(1)).map(\.output).sent.map(\.bytes)
        #expect(again.sorted { $0[1] < $1[1] } == first)
    }

    @Test func accountingAndAuthenticationDieApart() throws {
        var client = client([server(1), server(2)])
        _ = try client.submit(.accounting(record), group: "all", at: .zero)
        _ = client.run(until: seconds(7))
        #expect(client.status(1, .accounting)?.deadUntil != nil)
        #expect(client.status(1, .authentication)?.deadUntil == nil)
        #expect(
            try client.submit(lookUp(), group: "all", at: seconds(8)).outputs.sent.first?.address
                == server(1).key.address)
    }
}
