import RADIUS
import Testing
import Timing
import Wire

/// How a network and its servers treat datagrams: chances from 0 to 1.
struct NetworkFaults: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var loss = 0.0
    var duplication = 0.0
    /// Answers with one bit changed come before the true one.
    var forgery = 0.0
    /// The longest time on the way; drawn anew for each datagram, so they overtake each other.
    var delay: Duration = .milliseconds(20)
    /// When servers are silent: their numbers, and from when to when.
    var outages: [UInt32: ClosedRange<Double>] = [:]
}

/// A client and its servers in virtual time.
struct SimulatedNetwork {
    var client: RADIUSClient
    var faults: NetworkFaults
    private(set) var now = Instant.zero
    private(set) var results: [RADIUSRequestHandle: RADIUSResult] = [:]
    private(set) var notes: [RADIUSClientNote] = []
    /// Acct-Session-Ids that servers have recorded.
    private(set) var recorded: Set<String> = []
    private(set) var repeatedResults = 0
    private var random: SeededGenerator
    private var order = 0
    private var way: [(at: Instant, order: Int, toServer: Bool, sent: Sent, bytes: [UInt8])] = []

    init(_ client: RADIUSClient, faults: NetworkFaults, seed: UInt64) {
        self.client = client
        self.faults = faults
        random = SeededGenerator(state: seed)
    }

    mutating func submit(_ request: RADIUSRequest) throws -> RADIUSRequestHandle {
        let (handle, outputs) = try client.submit(request, group: "all", at: now)
        take(outputs)
        return handle
    }

    mutating func run(until end: Instant) {
        while true {
            let next = way.indices.min { (way[$0].at, way[$0].order) < (way[$1].at, way[$1].order) }
            let arrival = next.map { way[$0].at } ?? .distantFuture
            let time = min(arrival, client.deadline ?? .distantFuture)
            guard time <= end else { break }
            now = max(now, time)
            guard let next, arrival <= now else {
                take(client.timerFired(at: now))
                continue
            }
            let item = way.remove(at: next)
            if item.toServer {
                serve(item.sent)
            } else {
                take(client.receive(item.bytes, to: item.sent, at: now))
            }
        }
        now = max(now, end)
    }

    private mutating func take(_ outputs: [RADIUSClientOutput]) {
        notes += outputs.notes
        for (handle, result) in outputs.results {
            if results.updateValue(result, forKey: handle) != nil { repeatedResults += 1 }
        }
        for sent in outputs.sent { put(sent, sent.bytes, toServer: true) }
    }

    private mutating func serve(_ sent: Sent) {
        let number = (sent.address.ipv4?.value ?? 0) & 0xff
        let time = Double(now.nanoseconds) / 1e9
        guard faults.outages[number]?.contains(time) != true, let packet = sent.packet else { return }
        var code = RADIUSCode.accountingResponse
        if sent.port == 1812 {
            code = packet.attributes.text(.userName)?.hasPrefix("bad") == true ? .accessReject : .accessAccept
        } else if let id = packet.attributes.text(.acctSessionID) {
            recorded.insert(id)
        }
        let answer = sent.answer(code, attributes { $0.append(.userName, octets: packet.attributes.octets(.userName)) })
        if chance() < faults.forgery {
            var forged = answer
            forged[Int.random(in: 4..<forged.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            put(sent, forged, toServer: false)
        }
        put(sent, answer, toServer: false)
    }

    private mutating func put(_ sent: Sent, _ bytes: [UInt8], toServer: Bool) {
        for _ in 0..<(chance() < faults.duplication ? 2 : 1) where chance() >= faults.loss {
            order += 1
            let delay = faults.delay * Double.random(in: 0.1..<1, using: &random)
            way.append((now + delay, order, toServer, sent, bytes))
        }
    }

    private mutating func chance() -> Double { Double.random(in: 0..<1, using: &random) }
}

@Suite struct SimulationTests {
    static let networks: [NetworkFaults] = [
        NetworkFaults(testDescription: "a good network"),
        NetworkFaults(testDescription: "loss and duplication", loss: 0.3, duplication: 0.3),
        NetworkFaults(testDescription: "forgeries", duplication: 0.2, forgery: 0.7),
        NetworkFaults(testDescription: "slow answers", delay: .milliseconds(1800)),
        NetworkFaults(testDescription: "the first server dead", outages: [1: 0...1000]),
        NetworkFaults(testDescription: "the first server away for a while", loss: 0.1, outages: [1: 5...40]),
        NetworkFaults(
            testDescription: "all servers away, one after the other", outages: [1: 0...20, 2: 20...60, 3: 30...45]),
    ]

    /// Every request ends once; who is answered is answered rightly; what a server did not record is not said to be.
    @Test(arguments: networks, [1, 2, 3] as [UInt64])
    func everyRequestEndsOnce(faults: NetworkFaults, seed: UInt64) throws {
        let servers = (1...3).map { number in server(number) { $0.sendsStatusServer = number == 1 } }
        let client = RADIUSClient(
            configuration: configuration(servers) { $0.sockets = 2 }, random: SeededGenerator(state: seed), at: .zero)
        var network = SimulatedNetwork(client, faults: faults, seed: seed &+ 100)
        var logins: [RADIUSRequestHandle: Bool] = [:]
        var records: [RADIUSRequestHandle: String] = [:]
        for step in 0..<200 {
            network.run(until: seconds(Double(step) * 0.4))
            let isGood = step % 3 != 0
            logins[try network.submit(lookUp(isGood ? "good\(step)" : "bad\(step)"))] = isGood
            let id = "session-\(step)"
            records[try network.submit(.accounting(.start(RADIUSSession(id: id), nas: nas, at: 0)))] = id
        }
        network.run(until: seconds(400))

        #expect(network.results.count == 400 && network.repeatedResults == 0)
        #expect(network.client.inFlight == 0 && network.client.waiting == 0)
        #expect(network.client.servers.allSatisfy { $0.pending == 0 && $0.waiting == 0 })
        var unanswered = 0
        for (handle, isGood) in logins {
            switch network.results[handle]?.outcome {
            case .accept: #expect(isGood)
            case .reject: #expect(!isGood)
            default: unanswered += 1
            }
        }
        for (handle, id) in records where network.results[handle]?.outcome == .accountingResponse {
            #expect(network.recorded.contains(id))
        }
        // A third of all lost both ways: an exchange fails half the time, nine in a row one time in 250.
        #expect(unanswered <= (faults.loss > 0.2 ? 10 : 2), "\(unanswered) unanswered")
        if !faults.outages.isEmpty {
            #expect(network.notes.contains(.serverDead(server(1).key, .authentication, deadTime: .seconds(60))))
        }
        if faults.outages[1]?.upperBound ?? 0 < 100, !faults.outages.isEmpty {
            #expect(
                network.notes.contains {
                    guard case .serverAlive(server(1).key, .authentication, _) = $0 else { return false }
                    return true
                })
        }
        let forgeries = network.client.servers.reduce(0) {
            $0 + $1.counters[.badAuthenticators] + $1.counters[.malformed]
        }
        #expect((forgeries > 0) == (faults.forgery > 0))
    }
}
