import RADIUS
import Testing
import Timing
import Wire

private let peer = IPAddress.v4(IPv4Address(value: 0xc0a8_01c8))
private let now: UInt32 = 1_700_000_000

private func makeServer(_ edit: (inout DynamicAuthorizationServer.Configuration) -> Void = { _ in })
    -> DynamicAuthorizationServer
{
    var configuration = DynamicAuthorizationServer.Configuration(
        clients: [.init(address: peer, secret: secret)], nas: nas)
    edit(&configuration)
    return DynamicAuthorizationServer(configuration: configuration)
}

private func packet(
    _ code: RADIUSCode, identifier: UInt8 = 1, signed: Bool = false, secret: [UInt8] = secret,
    _ build: (inout RADIUSAttributes) -> Void
) throws -> RADIUSPacket.Request {
    try RADIUSPacket.request(
        code, identifier: identifier, attributes: attributes(build), secret: secret, random: .zero, signed: signed)
}

private func session(_ list: inout RADIUSAttributes) { list.append(.acctSessionID, text: "0001-00000011") }

extension DynamicAuthorizationServer {
    fileprivate mutating func receive(_ bytes: [UInt8], at time: Double = 0, clock: UInt32 = now) -> Outcome {
        receive(bytes[...], from: peer, port: 40000, at: seconds(time), time: clock)
    }
}

/// A request that is refused without asking anybody.
struct RefusedRequest: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var code: RADIUSCode
    var cause: ErrorCause
    var build: @Sendable (inout RADIUSAttributes) -> Void

    private static func row(
        _ name: String, _ code: RADIUSCode, _ cause: ErrorCause,
        _ build: @escaping @Sendable (inout RADIUSAttributes) -> Void
    ) -> RefusedRequest { RefusedRequest(testDescription: name, code: code, cause: cause, build: build) }

    static let all: [RefusedRequest] = [
        row("nothing", .disconnectRequest, .missingAttribute) { _ in },
        row("the node alone", .disconnectRequest, .missingAttribute) { $0.append(.nasIdentifier, text: "lac1") },
        row("another node", .disconnectRequest, .nasIdentificationMismatch) {
            session(&$0)
            $0.append(.nasIdentifier, text: "lac2")
        },
        row("another address", .coaRequest, .nasIdentificationMismatch) {
            session(&$0)
            $0.append(.nasIPAddress, address: IPAddress("10.0.0.2"))
        },
        row("an IPv6 address that the node has not", .disconnectRequest, .nasIdentificationMismatch) {
            session(&$0)
            $0.append(.nasIPv6Address, address: IPAddress("2001:db8::1"))
        },
        row("a client's address, which a LAC does not know", .disconnectRequest, .unsupportedAttribute) {
            session(&$0)
            $0.append(.framedIPAddress, address: IPAddress("100.64.0.1"))
        },
        row("a client's prefix", .disconnectRequest, .unsupportedAttribute) {
            $0.append(RADIUSAttribute(97), octets: [0, 64, 0x20, 1])
        },
        row("a change in a Disconnect-Request", .disconnectRequest, .unsupportedAttribute) {
            session(&$0)
            $0.append(.bandwidthMaxUp, integer: 1)
        },
        row("a filter", .coaRequest, .unsupportedAttribute) {
            session(&$0)
            $0.append(.filterID, text: "gold")
        },
        row("another vendor's attribute", .coaRequest, .unsupportedAttribute) {
            session(&$0)
            $0.append(RADIUSAttribute(vendor: 9, 1), octets: octets("x"))
        },
        row("an unknown attribute", .coaRequest, .unsupportedAttribute) {
            session(&$0)
            $0.append(RADIUSAttribute(240), octets: [1])
        },
        row("Authorize Only", .coaRequest, .unsupportedService) {
            session(&$0)
            $0.append(.serviceType, integer: 17)
        },
        row("Service-Type in a Disconnect-Request", .disconnectRequest, .unsupportedAttribute) {
            session(&$0)
            $0.append(.serviceType, integer: 17)
        },
        row("no change", .coaRequest, .missingAttribute) { session(&$0) },
        row("a change of nobody", .coaRequest, .missingAttribute) { $0.append(.bandwidthMaxUp, integer: 1) },
        row("two sessions", .disconnectRequest, .invalidRequest) {
            session(&$0)
            session(&$0)
        },
    ]
}

@Suite struct DynamicAuthorizationTests {
    @Test func disconnects() throws {
        var server = makeServer()
        let request = try packet(.disconnectRequest) {
            session(&$0)
            $0.append(.userName, text: "joe@isp2.com")
            $0.append(.callingStationID, text: "02:00:00:00:00:01")
            $0.append(.nasPort, integer: 17)
            $0.append(.nasPortID, text: "access1:100")
            $0.append(.acctMultiSessionID, text: "0001-00000001")
            $0.append(.nasIdentifier, text: "lac1")
            $0.append(.nasIPAddress, address: IPAddress("10.0.0.1"))
            $0.append(.eventTimestamp, integer: now)
            $0.append(.proxyState, octets: [1, 2])
            $0.append(.replyMessage, text: "unpaid")
            $0.append(.proxyState, octets: [3])
        }
        guard case .request(let handle, let value) = server.receive(request.bytes) else {
            Issue.record("not taken")
            return
        }
        #expect(value.action == .disconnect)
        #expect(value.client == peer)
        #expect(value.replyMessage == "unpaid")
        #expect(value.sessions.match(fullSession()))
        let given = server.answer(handle, .done)
        let answer = try #require(given)
        #expect(answer.address == peer && answer.port == 40000)
        let packet = try RADIUSPacket(decoding: answer.datagram[...])
        #expect(packet.code == .disconnectACK)
        #expect(packet.identifier == 1)
        #expect(packet.answers(request.authenticator, secret: secret))
        #expect(packet.attributes.all(.proxyState) == [[1, 2], [3]])
        #expect(packet.attributes.elements.count == 2)
        #expect(server.answer(handle, .done) == nil)
        #expect(server.counters.nonzero == [.disconnectRequests: 1, .disconnectACKs: 1])
    }

    @Test func changesBandwidth() throws {
        var server = makeServer()
        let request = try packet(.coaRequest, signed: true) {
            session(&$0)
            $0.append(.bandwidthMaxDown, integer: 8_000_000)
        }
        guard case .request(let handle, let value) = server.receive(request.bytes) else {
            Issue.record("not taken")
            return
        }
        #expect(value.action == .change(BandwidthLimits(upstream: nil, downstream: 8_000_000)))
        let given = server.answer(handle, .refused(.sessionContextNotFound))
        let answer = try #require(given)
        let packet = try RADIUSPacket(decoding: answer.datagram[...])
        #expect(packet.code == .coaNAK)
        #expect(packet.attributes.integer(.errorCause) == 503)
        // Who signs gets signed answers.
        #expect(packet.attributes.elements.first?.attribute == .messageAuthenticator)
        #expect(packet.messageAuthenticity(secret: secret, request: request.authenticator) == .right)
        #expect(packet.answers(request.authenticator, secret: secret))
        #expect(server.counters.nonzero == [.coaRequests: 1, .coaNAKs: 1])
    }

    @Test func residualsAreToldOfInDisconnectACKsOnly() throws {
        var server = makeServer()
        for (code, cause) in [(RADIUSCode.disconnectRequest, UInt32?(201)), (.coaRequest, nil)] {
            let request = try packet(code) {
                session(&$0)
                if code == .coaRequest { $0.append(.bandwidthMaxUp, integer: 1) }
            }
            guard case .request(let handle, _) = server.receive(request.bytes) else { continue }
            let given = server.answer(handle, .residualRemoved)
            let answer = try #require(given)
            #expect(try RADIUSPacket(decoding: answer.datagram[...]).attributes.integer(.errorCause) == cause)
        }
        #expect(server.counters.nonzero == [.disconnectRequests: 1, .disconnectACKs: 1, .coaRequests: 1, .coaACKs: 1])
    }

    @Test(arguments: RefusedRequest.all)
    func refusesWhatItCannotDo(_ refused: RefusedRequest) throws {
        var server = makeServer()
        let request = try packet(refused.code) {
            refused.build(&$0)
            $0.append(.proxyState, octets: [7])
        }
        guard case .send(let bytes) = server.receive(request.bytes) else {
            Issue.record("not refused")
            return
        }
        let packet = try RADIUSPacket(decoding: bytes[...])
        let isChange = refused.code == .coaRequest
        #expect(packet.code == (isChange ? .coaNAK : .disconnectNAK))
        #expect(packet.attributes.integer(.errorCause) == refused.cause.rawValue)
        #expect(packet.attributes.all(.proxyState) == [[7]])
        #expect(packet.answers(request.authenticator, secret: secret))
        #expect(
            server.counters.nonzero
                == (isChange ? [.coaRequests: 1, .coaNAKs: 1] : [.disconnectRequests: 1, .disconnectNAKs: 1]))
    }

    /// A value of a length that its attribute cannot have.
    @Test func malformedAttributesAreRefused() throws {
        var server = makeServer()
        var bytes = try packet(.disconnectRequest) {
            session(&$0)
            $0.append(RADIUSAttribute(240), octets: [1, 2])
        }.bytes
        bytes[35] = RADIUSAttribute.nasPort.number
        bytes.replaceSubrange(
            4..<20,
            with: MD5Reference.digest(
                Array(bytes.prefix(4)) + [UInt8](repeating: 0, count: 16) + bytes.dropFirst(20) + secret))
        guard case .send(let answer) = server.receive(bytes) else {
            Issue.record("not refused")
            return
        }
        #expect(try RADIUSPacket(decoding: answer[...]).attributes.integer(.errorCause) == 404)
    }

    /// From whoever does not prove himself nothing is answered, not even no.
    @Test func strangersGetNoAnswer() throws {
        let good = try packet(.disconnectRequest, session).bytes
        let signed = try packet(.disconnectRequest, signed: true, session).bytes
        var changedSignature = signed
        changedSignature[22] ^= 1
        changedSignature.replaceSubrange(
            4..<20,
            with: MD5Reference.digest(
                Array(changedSignature.prefix(4)) + [UInt8](repeating: 0, count: 16) + changedSignature.dropFirst(20)
                    + secret))
        let rows: [(String, [UInt8], DynamicAuthorizationCounter)] = [
            ("nothing", [], .malformed), ("cut short", Array(good.dropLast()), .malformed),
            ("an Access-Request", [1] + good.dropFirst(), .unknownTypes),
            ("a Disconnect-ACK", [41] + good.dropFirst(), .unknownTypes),
            ("another code", [43] + good.dropFirst(), .badAuthenticators),
            ("another secret", try packet(.disconnectRequest, secret: octets("x"), session).bytes, .badAuthenticators),
            ("another session", good.dropLast() + [0x39], .badAuthenticators),
            ("a wrong Message-Authenticator", changedSignature, .badAuthenticators),
        ]
        for (name, bytes, reason) in rows {
            var server = makeServer()
            #expect(server.receive(bytes) == .drop(reason), "\(name)")
            #expect(server.counters.nonzero == [reason: 1], "\(name)")
        }
        var server = makeServer()
        let stranger = server.receive(
            good[...], from: .v4(IPv4Address(value: 0xc0a8_01c9)), port: 3799, at: .zero, time: now)
        #expect(stranger == .drop(.unknownClients))
    }

    @Test(arguments: [(-301, true), (-300, false), (0, false), (300, false), (301, true)])
    func eventTimestampsHaveAWindow(offset: Int, isStale: Bool) throws {
        var server = makeServer()
        let request = try packet(.disconnectRequest) {
            session(&$0)
            $0.append(.eventTimestamp, integer: UInt32(Int(now) + offset))
        }
        #expect((server.receive(request.bytes) == .drop(.stale)) == isStale)
    }

    /// What comes again gets the same answer and does nothing, as long as its stamp could be good.
    @Test func duplicatesGetTheSameAnswer() throws {
        var server = makeServer()
        let request = try packet(.disconnectRequest, session)
        guard case .request(let handle, _) = server.receive(request.bytes) else {
            Issue.record("not taken")
            return
        }
        #expect(server.receive(request.bytes, at: 1) == .drop(.duplicates))
        let given = server.answer(handle, .done)
        let answer = try #require(given).datagram
        #expect(server.receive(request.bytes, at: 2) == .send(answer))
        #expect(server.receive(request.bytes, at: 600) == .send(answer))
        #expect(server.counters.nonzero == [.disconnectRequests: 1, .disconnectACKs: 1, .duplicates: 3])
        // Another identifier, or another port, is another request.
        guard case .request = server.receive(try packet(.disconnectRequest, identifier: 2, session).bytes, at: 3) else {
            Issue.record("taken for a duplicate")
            return
        }
        guard
            case .request = server.receive(request.bytes[...], from: peer, port: 40001, at: seconds(3), time: now)
        else {
            Issue.record("taken for a duplicate")
            return
        }
        // After that it is a new one.
        guard case .request = server.receive(request.bytes, at: 601) else {
            Issue.record("remembered for too long")
            return
        }
    }

    @Test func memoryIsBounded() throws {
        var server = makeServer { $0.memory = 3 }
        var handles: [DynamicAuthorizationServer.Handle] = []
        for identifier: UInt8 in 0..<5 {
            guard
                case .request(let handle, _) = server.receive(
                    try packet(.disconnectRequest, identifier: identifier, session).bytes)
            else { continue }
            handles.append(handle)
        }
        #expect(handles.count == 5)
        #expect(handles.map { server.answer($0, .done) != nil } == [false, false, true, true, true])
    }

    @Test func configurationChanges() throws {
        var server = makeServer()
        let request = try packet(.disconnectRequest, session)
        guard case .request(let handle, _) = server.receive(request.bytes) else {
            Issue.record("not taken")
            return
        }
        server.apply(.init(clients: [], nas: nas))
        #expect(server.receive(request.bytes) == .drop(.unknownClients))
        // What was taken is answered still.
        #expect(server.answer(handle, .done) != nil)
    }

    @Test func sessionsMatchByAllThatIsSaid() throws {
        let rows: [(RADIUSAttribute, String, Bool)] = [
            (.acctSessionID, "0001-00000011", true), (.acctSessionID, "0001-00000012", false),
            (.userName, "joe@isp2.com", true), (.userName, "Joe@isp2.com", false),
            (.callingStationID, "02:00:00:00:00:01", true), (.callingStationID, "02:00:00:00:00:02", false),
            (.nasPortID, "access1:100", true), (.nasPortID, "access1:101", false),
            (.acctMultiSessionID, "0001-00000001", true), (.acctMultiSessionID, "0001-00000002", false),
        ]
        for (index, row) in rows.enumerated() {
            var server = makeServer()
            let request = try packet(.disconnectRequest, identifier: UInt8(index)) {
                $0.append(row.0, text: row.1)
                $0.append(.nasPort, integer: 17)
            }
            guard case .request(_, let value) = server.receive(request.bytes) else {
                Issue.record("\(row.0) not taken")
                continue
            }
            #expect(value.sessions.match(fullSession()) == row.2, "\(row.0) \(row.1)")
            var other = fullSession()
            other.nasPort = 18
            #expect(!value.sessions.match(other))
        }
    }
}
