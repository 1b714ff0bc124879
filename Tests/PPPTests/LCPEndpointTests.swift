import PPP
import Testing
import Timing

/// An LCP packet from its hexadecimal octets.
private func packet(_ hex: String) throws -> ControlPacket { try ControlPacket(parsing: octets(hex)[...]) }

private func makeEndpoint(
    _ authentication: [AuthenticationProtocol] = [.chapMD5, .pap], mru: UInt16 = 1492, seed: UInt64 = 7
) -> LCPEndpoint {
    LCPEndpoint(.init(maximumReceiveUnit: mru, authentication: authentication, magicSeed: seed))
}

extension [LCPEndpoint.Output] {
    fileprivate var sent: [ControlPacket] {
        compactMap { if case .send(let packet) = $0 { packet } else { nil } }
    }
}

extension ControlPacket {
    fileprivate var options: [LCPOption] { (try? LCPOption.list(parsing: data[...])) ?? [] }

    fileprivate func answered(_ code: UInt8) -> ControlPacket {
        ControlPacket(code: code, identifier: identifier, data: data)
    }
}

/// pppd's request, as captured.
private let request = ControlPacket(code: 1, identifier: 1, data: octets("010405d4 0506a07ef1c8"))

/// An endpoint that pppd has agreed with, and our request.
private func openedEndpoint(peer: ControlPacket = request) throws -> (LCPEndpoint, ControlPacket) {
    var lcp = makeEndpoint()
    let ours = try #require(lcp.open(at: t0).sent.first)
    _ = lcp.receive(peer, at: t0)
    #expect(lcp.receive(ours.answered(2), at: t0) == [.up])
    #expect(lcp.state == .opened && lcp.deadline == nil)
    return (lcp, ours)
}

@Suite struct LCPEndpointTests {
    @Test func opens() throws {
        var lcp = makeEndpoint()
        let outputs = lcp.open(at: t0)
        #expect(outputs.count == 1)
        let ours = try #require(outputs.sent.first)
        #expect(ours.code == 1)
        guard case .magicNumber(let magic) = ours.options.last, ours.options.count == 3 else {
            Issue.record("\(ours.options)")
            return
        }
        #expect(magic != 0)
        #expect(ours.options.prefix(2) == [.maximumReceiveUnit(1492), .authenticationProtocol(.chapMD5)])
        #expect(lcp.deadline == t0 + .seconds(3))
        #expect(lcp.receive(request, at: t0) == [.send(request.answered(2))])
        #expect(lcp.state == .ackSent)
        #expect(lcp.receive(ours.answered(2), at: t0) == [.up])
        #expect(lcp.agreedAuthentication == .chapMD5)
        #expect(lcp.peerMRU == 1492)
        #expect(lcp.firstReceivedRequest == request.data && lcp.lastReceivedRequest == request.data)
        #expect(lcp.lastSentRequest == ours.data)
        // A duplicate of the acknowledgement does not upset an open link.
        #expect(lcp.receive(ours.answered(2), at: t0) == [])
        #expect(lcp.state == .opened)
    }

    @Test func opensWhenThePeerAcknowledgesFirst() throws {
        var lcp = makeEndpoint()
        let ours = try #require(lcp.open(at: t0).sent.first)
        #expect(lcp.receive(ours.answered(2), at: t0) == [])
        #expect(lcp.state == .ackReceived)
        #expect(lcp.receive(request, at: t0) == [.send(request.answered(2)), .up])
    }

    @Test func retransmitsAndGivesUp() throws {
        var lcp = makeEndpoint()
        var identifiers = lcp.open(at: t0).sent.map(\.identifier)
        var now = t0
        for _ in 1..<10 {
            let deadline = try #require(lcp.deadline)
            #expect(deadline - now == .seconds(3))
            #expect(lcp.timerFired(at: Instant(nanoseconds: deadline.nanoseconds - 1)) == [])
            now = deadline
            identifiers += lcp.timerFired(at: now).sent.map(\.identifier)
        }
        #expect(identifiers.count == 10 && Set(identifiers).count == 10)
        now = try #require(lcp.deadline)
        #expect(lcp.timerFired(at: now) == [.failed(.timeout), .finished])
        #expect(lcp.state == .stopped && lcp.deadline == nil)
        #expect(now == t0 + .seconds(30))
    }

    /// Options of a request, the answer's code and its options. The limit is 1,492.
    @Test(arguments: [
        ("", 2, ""), ("010405d4", 2, "010405d4"), ("01040080", 2, "01040080"), ("010405dc", 3, "010405d4"),
        ("0104ffff", 3, "010405d4"), ("0104007f", 3, "01040080"), ("010305", 3, "010405d4"),
        // The LAC does not authenticate itself, measure quality or compress headers.
        ("0304c023", 4, "0304c023"), ("0305c22305", 4, "0305c22305"), ("0302", 4, "0302"),
        ("0408c025000003e8", 4, "0408c025000003e8"), ("0702", 4, "0702"), ("0802", 4, "0802"),
        ("020600000000", 4, "020600000000"), ("0d0306", 4, "0d0306"), ("1304aabb", 4, "1304aabb"), ("0002", 4, "0002"),
        // What is rejected comes first; what is fine is not mentioned.
        ("010405dc 0702", 4, "0702"), ("010405d4 0506a07ef1c8 0702 0802 0304c023", 4, "0702 0802 0304c023"),
    ])
    func judgesRequests(options: String, code: UInt8, answer: String) {
        var lcp = makeEndpoint()
        _ = lcp.open(at: t0)
        let outputs = lcp.receive(ControlPacket(code: 1, identifier: 0x55, data: octets(options)), at: t0)
        #expect(outputs == [.send(ControlPacket(code: code, identifier: 0x55, data: octets(answer)))])
        #expect(lcp.state == (code == 2 ? .ackSent : .requestSent))
    }

    @Test func proposesAMagicNumberForZero() throws {
        var lcp = makeEndpoint()
        _ = lcp.open(at: t0)
        for hex in ["050600000000", "05040000"] {
            let nak = try #require(lcp.receive(.init(code: 1, identifier: 1, data: octets(hex)), at: t0).sent.first)
            guard nak.code == 3, case .magicNumber(let number) = nak.options.first else {
                Issue.record("\(nak)")
                return
            }
            #expect(number != 0)
        }
    }

    @Test func rejectsAfterMaxFailureNaks() {
        var lcp = makeEndpoint()
        _ = lcp.open(at: t0)
        let large = ControlPacket(code: 1, identifier: 1, data: octets("0104ffff"))
        for _ in 0..<5 { #expect(lcp.receive(large, at: t0).sent.map(\.code) == [3]) }
        #expect(lcp.receive(large, at: t0) == [.send(large.answered(4))])
        // An acknowledgement starts the count anew.
        #expect(lcp.receive(request, at: t0).sent.map(\.code) == [2])
        #expect(lcp.receive(large, at: t0).sent.map(\.code) == [3])
    }

    /// Options of a Configure-Nak (3) or Configure-Reject (4) and, without magic number, of the request that follows it.
    @Test(arguments: [
        (3, "0304c023", "010405d4 0304c023"), (3, "0304c227", "010405d4 0304c023"),
        (3, "0305c22381", "010405d4 0304c023"), (3, "01040400", "01040400 0305c22305"),
        (3, "0104ffff", "010405d4 0305c22305"), (3, "01040001", "010405d4 0305c22305"),
        (3, "0702", "010405d4 0305c22305"), (3, "0305c22305", "010405d4 0305c22305"), (4, "010405d4", "0305c22305"),
    ])
    func takesUpCounterProposals(code: UInt8, options: String, next: String) throws {
        var lcp = makeEndpoint()
        let ours = try #require(lcp.open(at: t0).sent.first)
        let refusal = ControlPacket(code: code, identifier: ours.identifier, data: octets(options))
        let again = try #require(lcp.receive(refusal, at: t0).sent.first)
        #expect(again.code == 1 && again.identifier != ours.identifier)
        #expect(again.options.filter { $0.type != 5 }.encoded == octets(next))
        #expect(again.options.last == ours.options.last, "the magic number stays")
    }

    @Test func changesOrWithdrawsTheMagicNumber() throws {
        var lcp = makeEndpoint()
        let ours = try #require(lcp.open(at: t0).sent.first)
        let magic = try #require(ours.options.last)
        let nak = ControlPacket(code: 3, identifier: ours.identifier, data: octets("050601020304"))
        let second = try #require(lcp.receive(nak, at: t0).sent.first)
        let other = try #require(second.options.last)
        #expect(other != magic && other.type == 5)
        let reject = ControlPacket(code: 4, identifier: second.identifier, data: other.encoded)
        let third = try #require(lcp.receive(reject, at: t0).sent.first)
        #expect(third.options.map(\.type) == [1, 3])
    }

    /// What the client says to CHAP and then to PAP, as code and options, and whether that ends the negotiation.
    @Test(arguments: [
        [(4, "0305c22305")], [(3, "0304c023"), (4, "0304c023")], [(3, "0304c023"), (3, "0305c22305")],
        [(3, "0304c227"), (3, "0304c227")],
    ])
    func failsWhenAllAuthenticationIsRefused(answers: [(UInt8, String)]) throws {
        var lcp = makeEndpoint()
        var outputs = lcp.open(at: t0)
        for (code, options) in answers {
            let ours = try #require(outputs.sent.last)
            #expect(ours.code == 1)
            outputs = lcp.receive(.init(code: code, identifier: ours.identifier, data: octets(options)), at: t0)
        }
        #expect(outputs.first == .failed(.authenticationRefused))
        #expect(outputs.sent.map(\.code) == [5])
        #expect(lcp.state == .closing)
    }

    @Test func endlessNaksEnd() throws {
        var lcp = makeEndpoint()
        var outputs = lcp.open(at: t0)
        var rounds = 0
        while let ours = outputs.sent.last, ours.code == 1, rounds < 100 {
            rounds += 1
            outputs = lcp.receive(.init(code: 3, identifier: ours.identifier, data: octets("0104ffff")), at: t0)
        }
        #expect(rounds == 11)
        #expect(outputs.first == .failed(.noConvergence))
    }

    @Test func detectsALoop() throws {
        var lcp = makeEndpoint()
        var queue = lcp.open(at: t0).sent
        var failure: LCPEndpoint.Output?
        var rounds = 0
        while failure == nil, !queue.isEmpty, rounds < 100 {
            rounds += 1
            let outputs = lcp.receive(queue.removeFirst(), at: t0)
            failure = outputs.first { if case .failed = $0 { true } else { false } }
            queue += outputs.sent
        }
        #expect(failure == .failed(.loopedBack))
    }

    @Test func discardsAnswersThatAreNotToOurRequest() throws {
        var lcp = makeEndpoint()
        let ours = try #require(lcp.open(at: t0).sent.first)
        let wrong: [ControlPacket] = [
            .init(code: 2, identifier: ours.identifier &+ 1, data: ours.data),
            .init(code: 2, identifier: ours.identifier, data: Array(ours.data.dropLast())),
            .init(code: 2, identifier: ours.identifier, data: ours.data + [7, 2]),
            .init(code: 3, identifier: ours.identifier &+ 1, data: octets("0304c023")),
            .init(code: 3, identifier: ours.identifier, data: []),
            .init(code: 3, identifier: ours.identifier, data: octets("0304c0")),
            .init(code: 4, identifier: ours.identifier, data: octets("0304c023")),
            .init(code: 4, identifier: ours.identifier, data: octets("0702")),
            .init(code: 4, identifier: ours.identifier, data: []),
            .init(code: 1, identifier: 1, data: octets("010405")), .init(code: 1, identifier: 1, data: [1, 0]),
            // Echo, and rejects of what is only known in the open state.
            .init(code: 9, identifier: 1, data: [0, 0, 0, 0]), .init(code: 8, identifier: 1, data: octets("c223")),
            .init(code: 7, identifier: 1, data: []), .init(code: 11, identifier: 1), .init(code: 12, identifier: 1),
            .init(code: 13, identifier: 1), .init(code: 10, identifier: 1, data: [0, 0, 0, 0]),
        ]
        for packet in wrong {
            #expect(lcp.receive(packet, at: t0) == [], "\(packet)")
            #expect(lcp.state == .requestSent)
        }
        #expect(lcp.receive(ours.answered(2), at: t0) == [])
        #expect(lcp.state == .ackReceived)
    }

    /// An Echo-Request with our own Magic-Number is ours, come back: it is not answered, and the fifth is one too many.
    @Test func ownEchoesAreALoop() throws {
        var (lcp, ours) = try openedEndpoint()
        let echo = ControlPacket(code: 9, identifier: 1, data: Array(ours.data.suffix(4)) + [1, 2])
        for _ in 0..<4 { #expect(lcp.receive(echo, at: t0) == []) }
        // Somebody else's in between is answered, and does not make up for them.
        #expect(lcp.receive(try packet("09000008a07ef1c8"), at: t0).count == 1)
        let outputs = lcp.receive(echo, at: t0)
        #expect(outputs.first == .failed(.loopedBack))
        #expect(outputs.sent.map(\.code) == [5])
    }

    @Test func answersEchoWithOurMagicNumber() throws {
        var (lcp, ours) = try openedEndpoint()
        let magic = Array(ours.data.suffix(4))
        // As captured from pppd, then with data.
        #expect(
            lcp.receive(try packet("09000008a07ef1c8"), at: t0)
                == [.send(ControlPacket(code: 10, identifier: 0, data: magic))])
        #expect(
            lcp.receive(try packet("0905000ca07ef1c801020304"), at: t0)
                == [.send(ControlPacket(code: 10, identifier: 5, data: magic + [1, 2, 3, 4]))])
        #expect(lcp.receive(try packet("09050007a07ef1"), at: t0) == [])
    }

    @Test(arguments: [128, 576, 1492]) func answersAreNoLargerThanThePeersMRU(mru: Int) throws {
        let peer = ControlPacket(code: 1, identifier: 1, data: [1, 4, UInt8(mru >> 8), UInt8(mru & 255)])
        var (lcp, _) = try openedEndpoint(peer: peer)
        let large = Array(repeating: 1 as UInt8, count: 2000)
        let frame = PPPFrame(PPPProtocol(rawValue: 0xc025), large)
        let answers =
            lcp.receive(.init(code: 9, identifier: 1, data: large), at: t0)
            + lcp.receive(.init(code: 99, identifier: 1, data: large), at: t0) + lcp.reject(frame)
        #expect(answers.sent.map(\.code) == [10, 7, 8])
        #expect(answers.sent.map { $0.encoded().count } == [mru, mru, mru])
    }

    @Test func rejectsUnknownCodesAndProtocols() throws {
        var (lcp, _) = try openedEndpoint()
        let unknown = try packet("0e070006abcd")
        let rejected = try #require(lcp.receive(unknown, at: t0).sent.first)
        #expect(rejected.code == 7 && rejected.data == unknown.encoded())
        let proto = try #require(lcp.reject(PPPFrame(.eap, [1, 2, 3])).sent.first)
        #expect(proto.code == 8 && proto.data == octets("c227 010203"))
        #expect(proto.identifier != rejected.identifier)
        var closed = makeEndpoint()
        #expect(closed.reject(PPPFrame(.eap, [1])) == [])
    }

    @Test func terminatesOnRequest() throws {
        var (lcp, _) = try openedEndpoint()
        // As captured from pppd.
        let outputs = lcp.receive(try packet("05020010 557365722072657175657374"), at: t0)
        #expect(
            outputs == [
                .terminatedByPeer(Array("User request".utf8)), .down, .send(ControlPacket(code: 6, identifier: 2)),
            ])
        #expect(lcp.state == .stopping)
        #expect(lcp.receive(request, at: t0) == [])
        #expect(lcp.deadline == t0 + .seconds(3))
        #expect(lcp.timerFired(at: t0 + .seconds(3)) == [.finished])
        #expect(lcp.state == .stopped)
    }

    @Test func closes() throws {
        var (lcp, _) = try openedEndpoint()
        let outputs = lcp.close(at: t0)
        #expect(outputs.first == .down)
        #expect(outputs.sent.map(\.code) == [5])
        let again = lcp.timerFired(at: t0 + .seconds(3))
        #expect(again.sent.map(\.code) == [5])
        let identifier = try #require(again.sent.first).identifier
        var unanswered = lcp
        #expect(lcp.receive(.init(code: 6, identifier: identifier), at: t0) == [.finished])
        #expect(lcp.state == .closed && lcp.deadline == nil)
        #expect(unanswered.timerFired(at: t0 + .seconds(6)) == [.finished])
    }

    @Test(arguments: [
        (7, "01010004", true), (7, "02", true), (7, "07", true), (7, "08", false), (7, "09", false), (7, "0c", false),
        (8, "c021", true), (8, "c223", false), (8, "8021", false),
    ])
    func judgesRejects(code: UInt8, data: String, isCatastrophic: Bool) throws {
        var (lcp, _) = try openedEndpoint()
        let outputs = lcp.receive(.init(code: code, identifier: 1, data: octets(data)), at: t0)
        #expect(outputs.contains(.failed(.lcpRejected)) == isCatastrophic)
        #expect(outputs.contains(.down) == isCatastrophic)
        #expect(lcp.state == (isCatastrophic ? .stopping : .opened))
        if code == 8, !isCatastrophic {
            let number = octets(data).reduce(0) { $0 << 8 | UInt16($1) }
            #expect(outputs == [.protocolRejected(PPPProtocol(rawValue: number))])
        }
    }

    @Test func renegotiatesWhenThePeerStartsAnew() throws {
        var (lcp, ours) = try openedEndpoint()
        let outputs = lcp.receive(.init(code: 1, identifier: 9, data: octets("01040400")), at: t0)
        #expect(outputs.first == .down)
        #expect(outputs.sent.map(\.code) == [1, 2])
        #expect(lcp.state == .ackSent && lcp.peerMRU == 1024)
        let again = try #require(outputs.sent.first)
        #expect(again.data == ours.data)
        #expect(lcp.receive(again.answered(2), at: t0) == [.up])
        #expect(lcp.firstReceivedRequest == request.data && lcp.lastReceivedRequest == octets("01040400"))
    }

    @Test func leavesOutTheDefaultMRU() throws {
        var lcp = makeEndpoint([], mru: 1500)
        let ours = try #require(lcp.open(at: t0).sent.first)
        #expect(ours.options.map(\.type) == [5])
        #expect(lcp.receive(.init(code: 1, identifier: 1), at: t0).sent.map(\.code) == [2])
        #expect(lcp.peerMRU == 1500)
    }
}
