import RADIUS
import Testing
import Timing
import Wire

/// A datagram that is not the answer that a request waits for.
struct FalseAnswer: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var fault: RADIUSAnswerFault
    var counter: RADIUSServerCounter?
    /// The datagram, where it comes from, and the socket that it comes to.
    var make: @Sendable (Sent) -> (bytes: [UInt8], address: IPAddress, port: UInt16, socket: Int)

    private static func row(
        _ name: String, _ fault: RADIUSAnswerFault, _ counter: RADIUSServerCounter?,
        address: IPAddress? = nil, port: UInt16? = nil, socket: Int? = nil,
        _ bytes: @escaping @Sendable (Sent) -> [UInt8]
    ) -> FalseAnswer {
        FalseAnswer(testDescription: name, fault: fault, counter: counter) {
            (bytes($0), address ?? $0.address, port ?? $0.port, socket ?? $0.socket)
        }
    }

    private static func changed(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
        var bytes = bytes
        bytes[index] ^= 0x01
        return bytes
    }

    static let all: [FalseAnswer] = [
        row("another host", .unknownServer, nil, address: IPAddress("192.0.2.99")) { $0.answer(.accessAccept) },
        row("another port of the server's host", .unknownServer, nil, port: 1814) { $0.answer(.accessAccept) },
        row("the server's address in IPv6", .unknownServer, nil, address: IPAddress("::ffff:192.0.2.1")) {
            $0.answer(.accessAccept)
        },
        row("nothing", .malformed(.truncated), .malformed) { _ in [] },
        row("cut short", .malformed(.length(38)), .malformed) { Array($0.answer(.accessAccept).dropLast()) },
        row("attribute past the end", .malformed(.attributes), .malformed) { changed($0.answer(.accessAccept), 21) },
        row("an Access-Request", .unexpectedCode(.accessRequest), .unknownTypes) { $0.bytes },
        row("an Accounting-Response", .unexpectedCode(.accountingResponse), .unknownTypes) {
            $0.answer(.accountingResponse)
        },
        row("code 99", .unexpectedCode(RADIUSCode(rawValue: 99)), .unknownTypes) {
            $0.answer(RADIUSCode(rawValue: 99))
        },
        row("another identifier", .noRequest, .dropped) { changed($0.answer(.accessAccept), 1) },
        row("another socket", .noRequest, .dropped, socket: 1) { $0.answer(.accessAccept) },
        row("a socket that is none", .noRequest, .dropped, socket: 4) { $0.answer(.accessAccept) },
        row("a negative socket", .noRequest, .dropped, socket: -1) { $0.answer(.accessAccept) },
        row("another secret", .authenticator, .badAuthenticators) {
            $0.answer(.accessAccept, secret: octets("testing123-2"))
        },
        row("another secret, unsigned", .authenticator, .badAuthenticators) {
            $0.answer(.accessAccept, secret: octets("testing123-2"), signed: false)
        },
        row("a reject made an accept", .authenticator, .badAuthenticators) {
            var bytes = $0.answer(.accessReject)
            bytes[0] = RADIUSCode.accessAccept.rawValue
            return bytes
        },
        row("an authenticator of zeros", .authenticator, .badAuthenticators) {
            var bytes = $0.answer(.accessAccept)
            bytes.replaceSubrange(4..<20, with: repeatElement(0, count: 16))
            return bytes
        },
        row("no Message-Authenticator", .noMessageAuthenticator, .missingMessageAuthenticators) {
            $0.answer(.accessAccept, signed: false)
        },
        row("an accept to the request before", .authenticator, .badAuthenticators) { sent in
            guard let packet = sent.packet else { return [] }
            let answer = try? RADIUSPacket.answer(
                .accessAccept, to: packet.identifier, authenticator: .zero, attributes: RADIUSAttributes(),
                secret: secret, signed: true)
            return answer ?? []
        },
    ]
}

@Suite struct ClientAnswerTests {
    /// Whatever comes, the request goes on, and its true answer ends it.
    @Test(arguments: FalseAnswer.all)
    func falseAnswersChangeNothing(_ answer: FalseAnswer) throws {
        var client = client([server(1)])
        let (handle, outputs) = try client.submit(lookUp(), group: "all", at: .zero)
        let sent = try #require(outputs.sent.first)
        let deadline = client.deadline
        let (bytes, address, port, socket) = answer.make(sent)
        let result = client.receive(bytes[...], from: address, port: port, socket: socket, at: seconds(0.1))
        #expect(result == [.note(.answerDropped(from: address, port: port, answer.fault))])
        #expect(client.deadline == deadline && client.inFlight == 1)
        var counters: [RADIUSServerCounter: UInt64] = [.requests: 1]
        if let counter = answer.counter { counters[counter] = 1 }
        #expect(client.counters(1) == counters)
        #expect(client.unknownServerDatagrams == (answer.counter == nil ? 1 : 0))
        let done = client.receive(sent.answer(.accessAccept), to: sent, at: seconds(0.2)).results
        #expect(done.map(\.handle) == [handle])
    }

    /// A packet whose Message-Authenticator alone is wrong takes somebody who knows the secret and another request.
    @Test func wrongMessageAuthenticatorIsDropped() throws {
        var client = client([server(1) { $0.requiresMessageAuthenticator = false }])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let packet = try #require(sent.packet)
        // Signed for another request, then put into an unsigned answer as an attribute like any other.
        var list = RADIUSAttributes()
        list.append(RADIUSAttribute(240), octets: [UInt8](repeating: 5, count: 16))
        var answer = try RADIUSPacket.answer(
            .accessAccept, to: packet.identifier, authenticator: packet.authenticator, attributes: list, secret: secret,
            signed: false)
        answer[20] = RADIUSAttribute.messageAuthenticator.number
        let digest = try forgedAuthenticator(of: answer, request: packet.authenticator)
        answer.replaceSubrange(4..<20, with: digest)
        let notes = client.receive(answer, to: sent, at: seconds(0.1)).notes
        #expect(notes == [.answerDropped(from: sent.address, port: sent.port, .messageAuthenticator)])
        #expect(client.counters(1) == [.requests: 1, .badAuthenticators: 1])
    }

    /// The Response Authenticator of `answer`, taken from an Accounting-Request that hashes the same octets.
    private func forgedAuthenticator(of answer: [UInt8], request: RADIUSAuthenticator) throws -> [UInt8] {
        MD5Reference.digest(Array(answer.prefix(4)) + request.octets + answer.dropFirst(20) + secret)
    }

    @Test func unsignedAnswersAreTakenWhereTheServerMay() throws {
        var client = client([server(1) { $0.requiresMessageAuthenticator = false }])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let results = client.receive(sent.answer(.accessAccept, signed: false), to: sent, at: seconds(0.1)).results
        #expect(results.count == 1)
    }

    /// A service that the node does not have counts as a reject (RFC 2865 section 5.6).
    @Test(arguments: [(1, false), (2, true), (5, true), (6, false), (17, false)] as [(UInt32, Bool)])
    func otherServicesAreRejected(type: UInt32, isAccepted: Bool) throws {
        var client = client([server(1)])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let answer = sent.answer(.accessAccept, attributes { $0.append(.serviceType, integer: type) })
        let result = try #require(client.receive(answer, to: sent, at: seconds(0.1)).results.first?.result)
        if isAccepted {
            #expect(result.summary == "accepted by 192.0.2.1:1812")
        } else {
            #expect(
                result.summary
                    == "192.0.2.1:1812: the server's answer counts as a reject: Service-Type \(type) is neither Framed (2) nor "
                    + "Outbound (5)")
        }
    }

    @Test func unsignedEAPIsNeverTaken() throws {
        var client = client([server(1) { $0.requiresMessageAuthenticator = false }])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let eap = attributes { $0.append(eapMessage: [3, 1, 0, 4]) }
        let outputs = client.receive(sent.answer(.accessAccept, eap, signed: false), to: sent, at: seconds(0.1))
        #expect(outputs.notes == [.answerDropped(from: sent.address, port: sent.port, .noMessageAuthenticator)])
    }

    @Test func answersThatComeTwiceAreDroppedOnce() throws {
        var client = client([server(1)])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        _ = client.receive(sent.answer(.accessAccept), to: sent, at: seconds(0.1))
        let again = client.receive(sent.answer(.accessAccept), to: sent, at: seconds(0.2))
        #expect(again.results.isEmpty)
        #expect(client.counters(1) == [.requests: 1, .accepts: 1, .dropped: 1])
    }

    /// The answer of a server that was given up comes too late.
    @Test func lateAnswersAreDropped() throws {
        var client = client([server(1), server(2)])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let second = try #require(client.run(until: seconds(7)).map(\.output).sent.last)
        #expect(client.receive(sent.answer(.accessAccept), to: sent, at: seconds(7.1)).results.isEmpty)
        #expect(client.counters(1)[.dropped] == 1)
        #expect(client.receive(second.answer(.accessAccept), to: second, at: seconds(7.2)).results.count == 1)
    }

    /// An attribute of a length that it cannot have: the answer counts as a reject (RFC 2865 section 5).
    @Test func malformedAttributesRejectTheClient() throws {
        var client = client([server(1)])
        let sent = try #require(try client.submit(lookUp(), group: "all", at: .zero).outputs.sent.first)
        let packet = try #require(sent.packet)
        // Unknown to the table, then renamed.
        var answer = sent.answer(.accessAccept, attributes { $0.append(RADIUSAttribute(240), octets: [1, 2, 3]) })
        answer[38] = RADIUSAttribute.sessionTimeout.number
        let unsigned = Array(answer.prefix(22)) + [UInt8](repeating: 0, count: 16) + answer.dropFirst(38)
        let field = Array(unsigned.prefix(4)) + packet.authenticator.octets + unsigned.dropFirst(20)
        answer.replaceSubrange(22..<38, with: MD5Reference.hmac(field, key: secret))
        answer.replaceSubrange(
            4..<20,
            with: MD5Reference.digest(
                Array(answer.prefix(4)) + packet.authenticator.octets + answer.dropFirst(20) + secret))
        let result = try #require(client.receive(answer, to: sent, at: seconds(0.1)).results.first?.result)
        #expect(
            result.summary
                == "192.0.2.1:1812: the server's answer counts as a reject: Session-Timeout in it is malformed")
        #expect(client.counters(1) == [.requests: 1, .malformed: 1])
    }
}
