import RADIUS
import Testing
import Timing
import Wire

@Suite struct RateTests {
    private func manySockets() -> RADIUSClient {
        RADIUSClient(
            configuration: configuration((1...3).map { server($0) }) {
                $0.sockets = 16
                $0.groups = (1...3).map { RADIUSServerGroup(name: "g\($0)", servers: [server($0).key]) }
            }, random: SeededGenerator(state: 1), at: .zero)
    }

    /// 10,000 requests under way at once, over 16 sockets and three servers, all end; answers come in another order than
    /// their requests went.
    @Test func tenThousandAtOnce() throws {
        var client = manySockets()
        var sent: [Sent] = []
        var handles: Set<RADIUSRequestHandle> = []
        for index in 0..<10_000 {
            let (handle, outputs) = try client.submit(lookUp("d\(index)"), group: "g\(index % 3 + 1)", at: .zero)
            handles.insert(handle)
            sent += outputs.sent
        }
        #expect(sent.count == 10_000 && handles.count == 10_000)
        #expect(client.inFlight == 10_000)
        #expect(Set(sent.map { "\($0.address) \($0.socket) \($0.bytes[1])" }).count == 10_000)
        var random = SeededGenerator(state: 2)
        sent.shuffle(using: &random)
        for sent in sent {
            let results = client.receive(sent.answer(.accessReject), to: sent, at: seconds(0.5)).results
            for result in results { handles.remove(result.handle) }
        }
        #expect(handles.isEmpty)
        #expect(client.inFlight == 0 && client.deadline == nil)
    }

    /// The cost of one more request does not grow with those under way: 10,000 of them may make it no dearer than twice.
    /// Both are measured in turns, in rounds so short that some of each are left in peace; the best round counts.
    @Test func costDoesNotGrow() throws {
        let clock = ContinuousClock()
        func loaded(with count: Int) throws -> RADIUSClient {
            var client = manySockets()
            for index in 0..<count { _ = try client.submit(lookUp(), group: "g\(index % 3 + 1)", at: .zero) }
            return client
        }
        func cost(_ client: inout RADIUSClient) throws -> Duration {
            try clock.measure {
                for _ in 0..<5 {
                    guard let sent = try client.submit(lookUp(), group: "g1", at: .zero).outputs.sent.first else {
                        continue
                    }
                    _ = client.receive(sent.answer(.accessReject), to: sent, at: .zero)
                }
            }
        }
        var idle = try loaded(with: 10)
        var busy = try loaded(with: 10_000)
        var few = Duration.seconds(10)
        var many = Duration.seconds(10)
        for _ in 0..<200 {
            few = min(few, try cost(&idle))
            many = min(many, try cost(&busy))
        }
        #expect(busy.inFlight == 10_000)
        #expect(many < few * 2, "\(few) with few under way, \(many) with many")
    }
}
