import PPP
import Testing
import Timing

@Suite struct PartialTerminationTests {
    @Test func letsTheClientSpeakFirst() throws {
        var link = Link { $0.startDelay = .milliseconds(500) }
        #expect(link.sent.isEmpty && link.machine.deadline == t0 + .milliseconds(500))
        link.take(link.machine.timerFired(at: t0 + .milliseconds(499)))
        #expect(link.sent.isEmpty)
        var silent = link
        silent.expire()
        #expect(silent.codes() == [1])
        #expect(silent.machine.deadline == t0 + .milliseconds(3500))
        link.receive(.lcp, code: 1, identifier: 1, clientOptions)
        #expect(link.codes() == [1, 2])
        #expect(link.machine.deadline == t0 + .seconds(3))
        var full = Link { $0.startDelay = .milliseconds(500) }
        full.take(full.machine.reject(message: "full", at: t0))
        #expect(full.sent.isEmpty && full.events == [.closed])
    }

    @Test func identifiesByCHAP() throws {
        var link = Link()
        try link.open()
        let (proto, packet) = try #require(link.sent.last)
        #expect(proto == .chap)
        #expect(packet.encoded() == octets("0101001c 10 000102030405060708090a0b0c0d0e0f 63756c76657274"))
        #expect(link.events.isEmpty)
        link.receive(chapResponse)
        let request = try #require(link.request)
        let data = ProxyData(
            authenType: .chap, authenName: user, authenChallenge: challenge, authenID: 1,
            authenResponse: Array(chapResponse[7..<23]), initialReceivedConfigureRequest: clientOptions,
            lastSentConfigureRequest: request.data, lastReceivedConfigureRequest: clientOptions)
        #expect(link.events == [.identified(data)])
        #expect(link.machine.proxyData == data)
        #expect(data.userName == "user@isp1.com")
        #expect(data.authenType.rawValue == 2)
        #expect(request.data.prefix(9) == octets("010405d4 0305c22305")[...])
        #expect(link.machine.deadline == nil)

        // Sent again, and echoes, while the tunnel is set up.
        link.sent.removeAll()
        link.receive(chapResponse)
        #expect(link.sent.isEmpty && link.events.count == 1)
        link.receive(octets("c021 09000008a07ef1c8"))
        #expect(link.codes() == [10])
    }

    @Test func identifiesByPAP() throws {
        var link = Link([.pap, .chapMD5])
        try link.open()
        #expect(link.sent.allSatisfy { $0.proto == .lcp })
        link.receive(papRequest)
        let request = try #require(link.request)
        var data = ProxyData(
            authenType: .pap, authenName: user, authenChallenge: [], authenID: 1, authenResponse: Array("secret".utf8),
            initialReceivedConfigureRequest: clientOptions, lastSentConfigureRequest: request.data,
            lastReceivedConfigureRequest: clientOptions)
        #expect(link.events == [.identified(data)])
        #expect(data.authenType.rawValue == 3)

        // pppd counts the identifier up when it repeats a request; the LNS has to answer the one that is open.
        link.sent.removeAll()
        var again = papRequest
        again[3] = 2
        link.receive(again)
        data.authenID = 2
        #expect(link.machine.proxyData == data)
        #expect(link.sent.isEmpty && link.events.count == 1)
        // Somebody else's name does not take its place.
        again[7] = UInt8(ascii: "x")
        again[3] = 3
        link.receive(again)
        #expect(link.machine.proxyData == data)
    }

    @Test func offersWhatTheClientPrefers() throws {
        var link = Link()
        let first = try #require(link.request)
        link.receive(.lcp, code: 3, identifier: first.identifier, octets("0304c023"))
        try link.open()
        link.receive(papRequest)
        guard case .identified(let data)? = link.events.first else {
            Issue.record("\(link.events)")
            return
        }
        #expect(data.authenType == .pap)
        #expect(try LCPOption.list(parsing: data.lastSentConfigureRequest[...]).contains(.authenticationProtocol(.pap)))
    }

    @Test func proxyDataHoldsTheFirstAndTheLastRequest() throws {
        var link = Link()
        link.receive(.lcp, code: 1, identifier: 1, octets("010405dc 0702"))
        link.receive(.lcp, code: 1, identifier: 2, octets("010405dc"))
        #expect(link.codes() == [1, 4, 3])
        try link.open()
        link.receive(chapResponse)
        #expect(link.machine.proxyData?.initialReceivedConfigureRequest == octets("010405dc 0702"))
        #expect(link.machine.proxyData?.lastReceivedConfigureRequest == clientOptions)
    }

    @Test func identifiesNobodyWhereNothingIsAsked() throws {
        var link = Link([])
        try link.open()
        guard case .identified(let data)? = link.events.first else {
            Issue.record("\(link.events)")
            return
        }
        #expect(data.authenType == .none && data.authenName.isEmpty)
    }

    @Test func challengesAgainInTime() throws {
        var link = Link()
        try link.open()
        let opened = link.now
        var challenges = link.sent.filter { $0.proto == .chap }.map(\.packet)
        for round in 1..<10 {
            link.sent.removeAll()
            link.expire()
            #expect(link.now - opened == .seconds(3 * round))
            challenges += link.sent.map(\.packet)
        }
        #expect(challenges.count == 10)
        #expect(Set(challenges).count == 1, "the same challenge under the same identifier")
        #expect(link.events.isEmpty)
        link.sent.removeAll()
        link.expire()
        #expect(link.events == [.failed(.authenticationTimeout)])
        #expect(link.codes() == [5])
        link.expire()
        link.expire()
        #expect(link.events == [.failed(.authenticationTimeout), .closed])
        #expect(link.machine.deadline == nil)
    }

    @Test func waitsForPAPInTime() throws {
        var link = Link([.pap])
        try link.open()
        link.expire()
        #expect(link.now - t0 == .seconds(30))
        #expect(link.events == [.failed(.authenticationTimeout)])
    }

    @Test func silenceEndsInTime() {
        var link = Link {
            $0.restartInterval = .seconds(1); $0.maxConfigure = 4
        }
        for _ in 0..<10 { link.expire() }
        #expect(link.now - t0 == .seconds(4))
        #expect(link.codes() == [1, 1, 1, 1])
        #expect(link.events == [.failed(.negotiation(.timeout)), .closed])
    }

    @Test func endlessNegotiationEndsInTime() throws {
        var link = Link { $0.establishTimeout = .seconds(20) }
        // LCP starts over and over, each time just in time.
        for _ in 0..<100 where link.events.isEmpty {
            try link.open()
            link.now = link.now + .seconds(1)
            link.take(link.machine.timerFired(at: link.now))
        }
        #expect(link.events == [.failed(.establishTimeout)])
        #expect(link.now - t0 == .seconds(20))
    }

    /// Answers to every Configure-Request, and the reason of the failure.
    @Test(
        arguments: [
            ([.chapMD5, .pap], 4, "0305c22305", LCPEndpoint.Failure.authenticationRefused),
            ([.chapMD5], 3, "0304c023", .authenticationRefused), ([.pap], 3, "0304c227", .authenticationRefused),
            ([.chapMD5], 3, "01040400", .noConvergence),
        ] as [([AuthenticationProtocol], UInt8, String, LCPEndpoint.Failure)])
    func failsByName(
        authentication: [AuthenticationProtocol], code: UInt8, options: String, failure: LCPEndpoint.Failure
    )
        throws
    {
        var link = Link(authentication)
        for _ in 0..<20 where link.events.isEmpty {
            let request = try #require(link.request)
            link.receive(.lcp, code: code, identifier: request.identifier, octets(options))
        }
        #expect(link.events == [.failed(.negotiation(failure))])
        #expect(link.codes().last == 5)
    }

    /// A Terminate-Request of pppd in each phase: acknowledged, reported once, and nothing after the end.
    @Test(arguments: [0, 1, 2]) func clientTerminates(phase: Int) throws {
        var link = Link()
        if phase > 0 { try link.open() }
        if phase > 1 { link.receive(chapResponse) }
        link.sent.removeAll()
        link.receive(octets("c021 05020010 557365722072657175657374"))
        #expect(link.events.suffix(1) == [.failed(.terminatedByClient("User request"))])
        #expect(link.codes().first == 6)
        link.receive(octets("c021 05020010 557365722072657175657374"))
        #expect(link.codes().first == 6)
        for _ in 0..<5 { link.expire() }
        #expect(link.events.suffix(2) == [.failed(.terminatedByClient("User request")), .closed])
        link.sent.removeAll()
        link.receive(.lcp, code: 1, identifier: 1, clientOptions)
        link.take(link.machine.reject(message: "", at: link.now))
        #expect(link.sent.isEmpty)
        #expect(link.events.filter { $0 == .closed }.count == 1)
    }

    /// How the client is told, byte for byte as tshark reads it: CHAP Failure or Authenticate-Nak with the message, then
    /// Terminate-Request.
    @Test(
        arguments: [
            ([.chapMD5], chapResponse, "c223 0401000a 6e6f204c4e53"),
            ([.pap], papRequest, "c023 0301000b 06 6e6f204c4e53"),
        ] as [([AuthenticationProtocol], [UInt8], String)])
    func tellsTheClient(authentication: [AuthenticationProtocol], answer: [UInt8], refusal: String) throws {
        var link = Link(authentication)
        try link.open()
        link.receive(answer)
        link.sent.removeAll()
        link.take(link.machine.reject(message: "no LNS", at: link.now))
        let (proto, packet) = try #require(link.sent.first)
        #expect(PPPFrame(proto, packet.encoded()).encoded() == octets(refusal))
        let terminate = try #require(link.sent.last?.packet)
        #expect(link.codes() == [5])
        link.receive(.lcp, code: 6, identifier: terminate.identifier)
        #expect(link.events.count == 2 && link.events.last == .closed)
        #expect(link.machine.deadline == nil)
    }

    @Test func rejectsBeforeTheClientIsKnown() throws {
        var link = Link()
        link.sent.removeAll()
        link.take(link.machine.reject(message: "full", at: link.now))
        #expect(link.sent.map(\.proto) == [.lcp] && link.codes() == [5])
        link.expire()
        link.expire()
        #expect(link.events == [.closed])
    }

    @Test func aClientThatStartsAnewIsLost() throws {
        var link = Link()
        try link.open()
        link.receive(chapResponse)
        link.receive(.lcp, code: 1, identifier: 9, clientOptions)
        #expect(link.events.last == .failed(.renegotiated))
        #expect(link.sent.last?.packet.code == 5)
    }

    @Test func aClientThatStartsAnewBeforeThatIsChallengedAnew() throws {
        var link = Link()
        try link.open()
        try link.open()
        let challenges = link.sent.filter { $0.proto == .chap }.map(\.packet.identifier)
        #expect(challenges == [1, 2])
        let values = link.sent.filter { $0.proto == .chap }.map { Array($0.packet.data[1..<17]) }
        #expect(values == [challenge, Array(16..<32)], "a new Value for each exchange")
        link.receive(chapResponse)
        #expect(link.events.isEmpty, "an answer to the first challenge")
        var response = chapResponse
        response[3] = 2
        link.receive(response)
        #expect(link.machine.proxyData?.authenID == 2)
        #expect(link.machine.proxyData?.authenChallenge == values.last)
    }

    @Test func aNameIsNeeded() throws {
        var link = Link([.pap])
        try link.open()
        link.sent.removeAll()
        link.receive(octets("c023 01010006 0000"))
        #expect(link.events == [.failed(.userNameMissing)])
        #expect(link.sent.map(\.packet.code) == [3, 5])
        #expect(link.sent.map(\.proto) == [.pap, .lcp])
    }

    @Test func authenticationThatIsRejectedAfterwards() throws {
        var link = Link()
        try link.open()
        link.receive(octets("c021 0805000a c223 01010004"))
        #expect(link.events == [.failed(.authenticationRejected)])
    }

    /// Frames that have no meaning while the client is being challenged, and what is sent for them.
    @Test(
        arguments: [
            ("", []), ("c0", []), ("c021", []), ("c021 010100", []), ("c021 010100ff", []), ("c021 01010003", []),
            ("c223 02010022", []), ("c223 0201000410", []), ("c223 02010005 10", []),
            ("c223 02020022 10 000102030405060708090a0b0c0d0e0f 61", []),
            ("c223 01010015 10 000102030405060708090a0b0c0d0e0f", []),
            ("c223 03010004", []), ("c223 02010006 01 00", []), ("c023 01010006 0161", []),
            ("c023 0101000a 0161 0162 0000", []),
            // Network protocols and their NCPs: silently, so that the client does not take IPCP for refused.
            ("8021 0101000a 030600000000", []), ("8057 01010004", []), ("80fd 01010004", []), ("21 45000014", []),
            ("0021 45000014", []), ("0057 60000000", []),
            // Protocols of the link itself that we do not speak.
            ("c227 01010005 01", [8]), ("c025 01010004", [8]), ("c02d 01010004", [8]), ("c021 63010004", [7]),
        ] as [(String, [UInt8])])
    func ignoresWhatHasNoMeaning(hex: String, answers: [UInt8]) throws {
        var link = Link()
        try link.open()
        link.sent.removeAll()
        let discarded = link.machine.discardedFrames
        link.receive(octets(hex))
        #expect(link.codes() == answers)
        #expect(link.machine.discardedFrames == discarded + (answers == [7] ? 0 : 1))
        link.receive(chapResponse)
        #expect(link.machine.proxyData?.authenName == user, "still at it")
    }

    @Test func authenticationBeforeLCPIsIgnored() throws {
        var link = Link()
        link.sent.removeAll()
        link.receive(chapResponse)
        link.receive(papRequest)
        #expect(link.sent.isEmpty && link.events.isEmpty && link.machine.discardedFrames == 2)
    }

    @Test func readsAddressAndControl() throws {
        var link = Link()
        link.receive([0xff, 0x03] + octets("c021 0101000e") + clientOptions)
        #expect(link.codes() == [1, 2])
    }

    /// RFC 4638: what discovery agreed on is the MRU asked for and the largest taken.
    @Test(
        arguments: [
            (1492, "010405d4", "010405d4", 2), (1500, "", "010405dc", 2), (1496, "010405d8", "010405d8", 2),
            (1496, "010405d8", "010405dc", 3), (8992, "01042320", "01042320", 2), (1392, "01040570", "010405d4", 3),
        ] as [(UInt16, String, String, UInt8)])
    func maxPayloadBoundsTheMRU(maxPayload: UInt16, asked: String, request: String, answer: UInt8) throws {
        var link = Link([], maxPayload: maxPayload)
        #expect(try #require(link.request).data.dropLast(6) == octets(asked)[...])
        link.receive(.lcp, code: 1, identifier: 1, octets(request))
        #expect(link.codes().last == answer)
    }

    @Test func maxFailureIsHeeded() {
        var link = Link { $0.maxFailure = 2 }
        for _ in 0..<3 { link.receive(.lcp, code: 1, identifier: 1, octets("0104ffff")) }
        #expect(link.codes() == [1, 3, 3, 4])
    }
}
