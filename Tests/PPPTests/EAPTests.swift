import PPP
import Testing
import Timing

/// EAP up to the identity (RFC 3748), which is all of it that a LAC takes part in. tshark dissects all packets here without
/// complaint.
@Suite struct EAPTests {
    /// A Response/Identity to our first request, as wpa_supplicant and pppd write it.
    static let response = octets("c227 02010012 01 7573657240697370312e636f6d")

    @Test func identifies() throws {
        var link = Link([.eap, .chapMD5, .pap])
        #expect(try #require(link.request).data.starts(with: octets("010405d4 0304c227")))
        try link.open()
        let (proto, packet) = try #require(link.sent.last)
        #expect(PPPFrame(proto, packet.encoded()).encoded() == octets("c227 01010005 01"))
        #expect(link.machine.deadline == link.now + .seconds(3))
        link.receive(Self.response)
        let data = ProxyData(
            authenType: .eap, authenName: user, authenChallenge: [], authenID: 1,
            authenResponse: Array(Self.response.dropFirst(2)), initialReceivedConfigureRequest: clientOptions,
            lastSentConfigureRequest: try #require(link.request).data, lastReceivedConfigureRequest: clientOptions)
        #expect(link.events == [.identified(data)])
        #expect(data.authenType.rawValue == 7)
        #expect(link.machine.deadline == nil)

        // Sent again while the tunnel is set up: taken and left to the LNS.
        link.sent.removeAll()
        let discarded = link.machine.discardedFrames
        link.receive(Self.response)
        #expect(link.sent.isEmpty && link.events.count == 1 && link.machine.discardedFrames == discarded)
        // Another identity does not take its place, nor an answer to what we never asked.
        for other in ["c227 02010006 01 78", "c227 02020012 01 7573657240697370312e636f6d", "c227 02010006 04 10"] {
            link.receive(octets(other))
        }
        #expect(link.sent.isEmpty && link.machine.proxyData == data)
        #expect(link.machine.discardedFrames == discarded + 3)
    }

    /// A client that wants something else is offered it, and the LNS is told what it was in the end.
    @Test(
        arguments: [
            ("0305c22305", chapResponse, ProxyAuthenType.chap), ("0304c023", papRequest, .pap),
            // What we do not offer, MS-CHAPv2, moves us on to our next choice.
            ("0305c22381", chapResponse, .chap),
        ] as [(String, [UInt8], ProxyAuthenType)])
    func aClientMayPreferAnother(nak: String, answer: [UInt8], type: ProxyAuthenType) throws {
        var link = Link([.eap, .chapMD5, .pap])
        let first = try #require(link.request)
        link.receive(.lcp, code: 3, identifier: first.identifier, octets(nak))
        try link.open()
        link.receive(answer)
        #expect(link.machine.proxyData?.authenType == type)
    }

    @Test func aClientMayPreferEAP() throws {
        var link = Link([.chapMD5, .eap])
        link.receive(.lcp, code: 3, identifier: try #require(link.request).identifier, octets("0304c227"))
        try link.open()
        link.receive(Self.response)
        #expect(link.machine.proxyData?.authenType == .eap)
    }

    /// The same request under the same identifier, as often as Max-Configure says (RFC 3748 section 4.1).
    @Test func asksAgainInTime() throws {
        var link = Link([.eap]) {
            $0.restartInterval = .seconds(2); $0.maxConfigure = 4
        }
        try link.open()
        let opened = link.now
        for _ in 0..<3 { link.expire() }
        #expect(link.now - opened == .seconds(6))
        #expect(Set(link.sent.filter { $0.proto == .eap }.map(\.packet)).count == 1)
        #expect(link.codes(.eap) == [1, 1, 1, 1])
        link.expire()
        #expect(link.events == [.failed(.authenticationTimeout)])
    }

    @Test func eachExchangeHasANewIdentifier() throws {
        var link = Link([.eap])
        try link.open()
        try link.open()
        #expect(link.sent.filter { $0.proto == .eap }.map(\.packet.identifier) == [1, 2])
        link.receive(Self.response)
        #expect(link.events.isEmpty)
        link.receive(octets("c227 02020006 01 78"))
        #expect(link.machine.proxyData?.authenName == [0x78])
    }

    /// What is no answer to Identity changes nothing and is not answered (RFC 3748 sections 2.1, 4.1, 5.3.1).
    @Test(arguments: [
        "c227 01010006 01 78", "c227 03010004", "c227 04010004", "c227 05010004",  // codes
        "c227 02010006 03 04", "c227 02010005 02", "c227 02010005 fe", "c227 0201000d fe 000000 00000003 04",  // types
        "c227 02010004",  // no type
        "c227 02000006 01 78", "c227 02020006 01 78",  // identifiers
        "c227 02010003", "c227 0201000f 01 78", "c227 02",  // lengths
        "c223 02010022 10 000102030405060708090a0b0c0d0e0f 61", "c023 01010008 01 78 01 78",  // other protocols
    ])
    func ignoresWhatIsNoAnswer(hex: String) throws {
        var link = Link([.eap, .chapMD5, .pap])
        try link.open()
        link.sent.removeAll()
        let discarded = link.machine.discardedFrames
        link.receive(octets(hex))
        #expect(link.sent.isEmpty && link.events.isEmpty)
        #expect(link.machine.discardedFrames == discarded + 1)
        link.receive(Self.response)
        #expect(link.machine.proxyData?.authenName == user, "still at it")
    }

    /// The identity ends where Length says, is no C string, and may be no UTF-8.
    @Test(
        arguments: [
            ("c227 02010008 01 61 00 62", "610062"), ("c227 02010006 01 61 ffff", "61"),
            ("c227 02010007 01 c3 28", "c328"),
        ] as [(String, String)])
    func readsIdentities(hex: String, name: String) throws {
        var link = Link([.eap])
        try link.open()
        link.receive(octets(hex))
        #expect(link.machine.proxyData?.authenName == octets(name))
    }

    @Test func anIdentityIsNeeded() throws {
        var link = Link([.eap])
        try link.open()
        link.sent.removeAll()
        link.receive(octets("c227 02010005 01"))
        #expect(link.events == [.failed(.userNameMissing)])
        #expect(link.sent.map(\.proto) == [.eap, .lcp])
        #expect(link.sent.map(\.packet.code) == [4, 5])
    }

    /// Failure with the response's identifier and nothing else (RFC 3748 section 4.2), then Terminate-Request.
    @Test func tellsTheClient() throws {
        var link = Link([.eap])
        try link.open()
        link.receive(Self.response)
        link.sent.removeAll()
        link.take(link.machine.reject(message: "no LNS", at: link.now))
        let (proto, packet) = try #require(link.sent.first)
        #expect(PPPFrame(proto, packet.encoded()).encoded() == octets("c227 04010004"))
        #expect(link.codes() == [5])
    }

    @Test func aClientThatRejectsEAPAfterwards() throws {
        var link = Link([.eap])
        try link.open()
        link.receive(octets("c021 0805000b c227 01010005 01"))
        #expect(link.events == [.failed(.authenticationRejected)])
    }
}
