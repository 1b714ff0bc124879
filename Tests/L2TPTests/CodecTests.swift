import L2TP
import Testing
import Wire

/// Messages written by an independent program and dissected by tshark without complaint, beside the values that they
/// stand for.
struct Golden: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: String
    var header: ControlHeader
    var message: ControlMessage
    var testDescription: String { name }

    static let challenge = (0..<16).map { UInt8($0) }
    static let response = (0x20..<0x30).map { UInt8($0) }

    static func start(_ edit: (inout StartControlConnection) -> Void) -> StartControlConnection {
        var start = StartControlConnection(hostName: "lac.example", assignedTunnelID: 11008)
        start.framingCapabilities = [.synchronous, .asynchronous]
        start.bearerCapabilities = [.digital, .analog]
        start.firmwareRevision = 385
        start.vendorName = "Culvert"
        start.receiveWindowSize = 10
        start.challenge = challenge
        edit(&start)
        return start
    }

    static func header(_ tunnel: UInt16, _ session: UInt16, _ ns: UInt16, _ nr: UInt16) -> ControlHeader {
        ControlHeader(tunnelID: tunnel, sessionID: session, ns: ns, nr: nr)
    }

    static var icrq: IncomingCallRequest {
        var request = IncomingCallRequest(assignedSessionID: 6781, callSerialNumber: 1)
        request.bearerType = .digital
        request.physicalChannelID = 17
        request.callingNumber = "0210"
        request.calledNumber = "0220"
        request.subAddress = "office1"
        return request
    }

    static var ocrq: OutgoingCallRequest {
        var request = OutgoingCallRequest(
            assignedSessionID: 7, callSerialNumber: 9, minimumBPS: 64000, maximumBPS: 128000, bearerType: .digital,
            framingType: .synchronous, calledNumber: "5551234")
        request.subAddress = "office1"
        return request
    }

    static var iccn: CallConnected {
        var connected = CallConnected(txConnectSpeed: 1_000_000_000, framingType: .synchronous)
        connected.proxyLCP = ProxyLCP(
            initialReceived: hex("010405d40506deadbeef"), lastSent: hex("010405d40305c22305050611223344"),
            lastReceived: hex("010405d40506deadbeef"))
        connected.proxyAuthentication = ProxyAuthentication(
            kind: .chap, name: Array("john@isp1.com".utf8), challenge: challenge, id: 0x21, response: response)
        connected.privateGroupID = Array("blue".utf8)
        connected.rxConnectSpeed = 100_000_000
        connected.sequencingRequired = true
        return connected
    }

    static var occn: CallConnected {
        var connected = CallConnected(txConnectSpeed: 64000, framingType: .synchronous)
        connected.rxConnectSpeed = 32000
        connected.sequencingRequired = true
        return connected
    }

    static var errors: CallErrors {
        var errors = CallErrors()
        errors.crcErrors = 1
        errors.framingErrors = 2
        errors.hardwareOverruns = 3
        errors.bufferOverruns = 4
        errors.timeOutErrors = 5
        errors.alignmentErrors = 6
        return errors
    }

    static let all: [Golden] = [
        Golden(
            name: "SCCRQ",
            bytes: """
                c802008a0000000000000000800800000000000180080000000201008011000000076c61632e6578616d706c65800a0000000300\
                000003800a0000000400000003000e0000000588953914889c44e40008000000060181000d0000000843756c7665727480080000\
                00092b0080080000000a000a80160000000b000102030405060708090a0b0c0d0e0f
                """, header: header(0, 0, 0, 0), message: .startRequest(start { $0.tieBreaker = 0x8895_3914_889c_44e4 })
        ),
        Golden(
            name: "SCCRP",
            bytes: """
                c80200922b00000000000001800800000000000280080000000201008011000000076c61632e6578616d706c65800a0000000300\
                000003800a00000004000000030008000000060181000d0000000843756c766572748008000000092b0080080000000a000a8016\
                0000000b000102030405060708090a0b0c0d0e0f80160000000d202122232425262728292a2b2c2d2e2f
                """, header: header(11008, 0, 0, 1), message: .startReply(start { $0.challengeResponse = response })),
        Golden(
            name: "SCCCN",
            bytes: "c802002a8253000000010001800800000000000380160000000d202122232425262728292a2b2c2d2e2f",
            header: header(33363, 0, 1, 1), message: .startConnected(challengeResponse: response)),
        Golden(
            name: "StopCCN",
            bytes: """
                c8020031825300000002000180080000000000048008000000092b0080150000000100020008756e6b6e6f776e20415650
                """, header: header(33363, 0, 2, 1),
            message: .stop(
                assignedTunnelID: 11008,
                StopCode(.generalError, error: .unknownMandatoryAVP, message: "unknown AVP"))),
        Golden(
            name: "HELLO", bytes: "c802001482530000000200018008000000000006", header: header(33363, 0, 2, 1),
            message: .hello),
        Golden(
            name: "OCRQ",
            bytes: """
                c80200688253000000020001800800000000000780080000000e0007800a0000000f00000009800a000000100000fa00800a0000\
                00110001f400800a0000001200000001800a0000001300000001800d0000001535353531323334800d000000176f666669636531
                """, header: header(33363, 0, 2, 1), message: .outgoingCallRequest(ocrq)),
        Golden(
            name: "OCRP", bytes: "c80200268253000700020002800800000000000880080000000e0008000a0000001900000005",
            header: header(33363, 7, 2, 2), message: .outgoingCallReply(assignedSessionID: 8, physicalChannelID: 5)),
        Golden(
            name: "OCCN",
            bytes: """
                c802003882530007000300028008000000000009800a000000180000fa00800a0000001300000001000a0000002600007d008006\
                00000027
                """, header: header(33363, 7, 3, 2), message: .outgoingCallConnected(occn)),
        Golden(
            name: "ICRQ",
            bytes: """
                c802005b8253000000020001800800000000000a80080000000e1a7d800a0000000f00000001800a0000001200000001000a0000\
                001900000011800a0000001630323130800a0000001530323230800d000000176f666669636531
                """, header: header(33363, 0, 2, 1), message: .incomingCallRequest(icrq)),
        Golden(
            name: "ICRP", bytes: "c802001c2b001a7d00010003800800000000000b80080000000e5d01",
            header: header(11008, 6781, 1, 3), message: .incomingCallReply(assignedSessionID: 23809)),
        Golden(
            name: "ICCN",
            bytes: """
                c80200c682535d0100030002800800000000000c800a000000183b9aca00800a000000130000000100100000001a010405d40506\
                deadbeef00150000001b010405d40305c2230505061122334400100000001c010405d40506deadbeef00080000001d0002001300\
                00001e6a6f686e40697370312e636f6d00160000001f000102030405060708090a0b0c0d0e0f0008000000200021001600000021\
                202122232425262728292a2b2c2d2e2f000a00000025626c7565000a0000002605f5e100800600000027
                """, header: header(33363, 23809, 3, 2), message: .incomingCallConnected(iccn)),
        Golden(
            name: "CDN",
            bytes: """
                c802003f82535d0100040002800800000000000e801700000001000100005041445420726563656976656480080000000e1a7d80\
                0c0000000c001045627965
                """, header: header(33363, 23809, 4, 2),
            message: .disconnect(
                CallDisconnect(
                    assignedSessionID: 6781,
                    DisconnectCode(.lossOfCarrier, error: GeneralError.none, message: "PADT received"),
                    q931Cause: Q931Cause(code: 16, message: 0x45, advisory: "bye")))),
        Golden(
            name: "WEN",
            bytes: """
                c80200342b001a7d00050002800800000000000f8020000000220000000000010000000200000003000000040000000500000006
                """, header: header(11008, 6781, 5, 2), message: .wanError(errors)),
        Golden(
            name: "SLI", bytes: "c802002482535d010005000280080000000000108010000000230000ffffffff000a0000",
            header: header(33363, 23809, 5, 2),
            message: .setLinkInfo(AsyncControlCharacterMap(send: 0xffff_ffff, receive: 0x000a_0000))),
    ]
}

@Test(arguments: Golden.all) func decodesGoldenBytes(_ golden: Golden) throws {
    let (header, body) = try ControlHeader.decode(hex(golden.bytes)[...])
    #expect(header == golden.header)
    let decoded = try ControlMessage.decode(body, secret: nil)
    #expect(decoded.message == golden.message)
    #expect(decoded.ignored.isEmpty)
}

@Test(arguments: Golden.all) func encodesGoldenBytes(_ golden: Golden) throws {
    #expect(golden.header.encode(body: try golden.message.encode()) == hex(golden.bytes))
}

/// Every prefix of a valid message is refused or (where it ends between two AVPs and lacks nothing) accepted; none traps.
@Test(arguments: Golden.all) func refusesTruncatedMessages(_ golden: Golden) throws {
    let bytes = hex(golden.bytes)
    for length in 0..<bytes.count {
        #expect(throws: ControlHeader.Fault.self) { try ControlHeader.decode(bytes[..<length]) }
    }
    let (_, body) = try ControlHeader.decode(bytes[...])
    for cut in 1...7 where cut < body.count {
        // Each golden message ends with an AVP of eight octets or more, or with one of no value.
        if golden.name == "ICCN" || golden.name == "OCCN", cut == 6 { continue }
        #expect(throws: MessageFault.self) { try ControlMessage.decode(body.dropLast(cut), secret: nil) }
    }
}

@Test func decodesZLB() throws {
    let (header, body) = try ControlHeader.decode(hex("c802000c8253000000050003")[...])
    #expect(header == ControlHeader(tunnelID: 33363, sessionID: 0, ns: 5, nr: 3))
    #expect(body.isEmpty)
}

@Test func ignoresOctetsBehindTheMessage() throws {
    let (_, body) = try ControlHeader.decode((hex("c802000c8253000000050003") + [0, 0, 0])[...])
    #expect(body.isEmpty)
}

@Test(arguments: [
    ("", ControlHeader.Fault.truncated), ("c802000c82530000000500", .truncated),
    ("4802000c8253000000050003", .notControl), ("c803000c8253000000050003", .version(3)),
    ("c801000c8253000000050003", .version(1)), ("8802000c8253000000050003", .flags),
    ("c002000c8253000000050003", .flags), ("ca02000c8253000000050003", .flags),
    ("c902000c8253000000050003", .flags), ("c802000b8253000000050003", .length(11)),
    ("c802000d8253000000050003", .length(13)), ("c80200008253000000050003", .length(0)),
    ("c802ffff8253000000050003", .length(0xffff)),
])
func refusesBadHeaders(_ bytes: String, _ fault: ControlHeader.Fault) {
    #expect(throws: fault) { try ControlHeader.decode(hex(bytes)[...]) }
}

@Test func acceptsReservedHeaderBits() throws {
    #expect(try ControlHeader.decode(hex("fcf2000c8253000000050003")[...]).0.ns == 5)
}

// MARK: Hidden AVPs

private let hiddenICRQ = hex(
    """
    c80200628253000000020001800800000000000a801600000024404142434445464748494a4b4c4d4e4fc00a0000000e651d1cafc00c0000\
    000f6eadea38bc02c02200000016c15e9967b45bc880a161681756d07aa79114a29c1726cb9103122fbb
    """)
private let hiddenCall: ControlMessage = {
    var request = IncomingCallRequest(assignedSessionID: 6781, callSerialNumber: 1)
    request.callingNumber = "0210 555 0100 extension 42"
    return .incomingCallRequest(request)
}()

@Test func revealsHiddenAVPs() throws {
    let (_, body) = try ControlHeader.decode(hiddenICRQ[...])
    #expect(try ControlMessage.decode(body, secret: secret).message == hiddenCall)
}

@Test func hidesAVPs() throws {
    let key = HidingKey(secret: secret, randomVector: (0x40..<0x50).map { UInt8($0) })
    let header = ControlHeader(tunnelID: 33363, sessionID: 0, ns: 2, nr: 1)
    #expect(header.encode(body: try hiddenCall.encode(hiding: key)) == hiddenICRQ)
}

@Test(arguments: [nil, Array("another".utf8)]) func cannotRevealWithoutTheSecret(_ wrong: [UInt8]?) throws {
    let (_, body) = try ControlHeader.decode(hiddenICRQ[...])
    #expect { try ControlMessage.decode(body, secret: wrong) } throws: {
        ($0 as? MessageFault)?.kind == .hidden(.assignedSessionID)
    }
}

@Test func cannotRevealWithoutRandomVector() throws {
    let (_, body) = try ControlHeader.decode(hiddenICRQ[...])
    let without = Array(body.prefix(8) + body.dropFirst(8 + 22))
    #expect { try ControlMessage.decode(without[...], secret: secret) } throws: {
        ($0 as? MessageFault)?.kind == .hidden(.assignedSessionID)
    }
}

/// Any octets in a hidden AVP: the inner length is noise, and must never reach past the AVP.
@Test func hiddenNoiseNeverTraps() {
    var random = SeededGenerator(state: 7)
    var revealed = 0
    for round in 0..<4000 {
        let value = (0..<round % 40).map { _ in UInt8.random(in: 0...255, using: &random) }
        let body =
            avp(0, [0, 10]) + avp(36, [1]) + avp(14, [0, 1]) + avp(15, [0, 0, 0, 1]) + avp(22, value, flags: 0xc000)
        if (try? ControlMessage.decode(body[...], secret: secret)) != nil { revealed += 1 }
    }
    // The inner length is 16 random bits and fits about 40 times in 65,536.
    #expect(revealed < 40)
}

@Test func roundTripsEveryMessageHidden() throws {
    let key = HidingKey(secret: secret, randomVector: [1, 2, 3, 4])
    for golden in Golden.all {
        let body = try golden.message.encode(hiding: key)
        let decoded = try ControlMessage.decode(body[...], secret: secret)
        #expect(decoded.message == golden.message, "\(golden.name)")
        #expect(decoded.ignored.isEmpty)
    }
}

// MARK: Limits of what is sent

@Test func refusesValuesThatDoNotFit() throws {
    func connected(_ count: Int) -> ControlMessage {
        var connected = CallConnected(txConnectSpeed: 1, framingType: .synchronous)
        connected.proxyLCP.lastSent = [UInt8](repeating: 1, count: count)
        return .incomingCallConnected(connected)
    }
    let body = try connected(1017).encode()
    #expect(try ControlMessage.decode(body[...], secret: nil).message == connected(1017))
    #expect(throws: EncodingError.length(.lastSentLCPConfReq, 1018)) { try connected(1018).encode() }
    let key = HidingKey(secret: secret, randomVector: [1])
    let hidden = try connected(1015).encode(hiding: key)
    #expect(try ControlMessage.decode(hidden[...], secret: secret).message == connected(1015))
    #expect(throws: EncodingError.length(.lastSentLCPConfReq, 1016)) { try connected(1016).encode(hiding: key) }
    #expect(throws: EncodingError.length(.hostName, 0)) {
        try ControlMessage.startRequest(StartControlConnection(hostName: "", assignedTunnelID: 1)).encode()
    }
    #expect(throws: EncodingError.length(.challengeResponse, 15)) {
        try ControlMessage.startConnected(challengeResponse: [UInt8](repeating: 0, count: 15)).encode()
    }
}

@Test func leavesOutAMessageThatDoesNotFit() throws {
    let longest = String(repeating: "x", count: StopCode.longestMessage)
    for (text, kept) in [(longest, true), (longest + "x", false)] {
        let body = try ControlMessage.stop(assignedTunnelID: 1, StopCode(.clear, error: .tryAnother, message: text))
            .encode()
        guard case .stop(_, let code) = try ControlMessage.decode(body[...], secret: nil).message else {
            Issue.record("not StopCCN")
            continue
        }
        #expect(code.result == .clear)
        #expect(code.error == .tryAnother)
        #expect(code.message == (kept ? text : nil))
    }
}

// MARK: The table

@Test func tableNamesEveryAttributeOnce() {
    #expect(AttributeDefinition.all.map(\.type) == AttributeType.allCases)
    for row in AttributeDefinition.all {
        #expect(row.lengths.upperBound <= AttributeDefinition.longestValue)
        #expect(Set(row.requiredIn).isDisjoint(with: row.optionalIn))
        #expect(row.type.definition == row)
    }
}

/// RFC 2661, section 4.4: "the H bit MUST be 0" and "the M bit MUST be 0"; RFC 3145 and RFC 5515 have no mandatory AVP, and of RFC 4951
/// Tunnel Recovery alone must be understood, and be readable before the tunnel is known.
@Test func tableHasTheStandardsBits() {
    let notHideable: Set<UInt16> = [0, 1, 2, 5, 7, 10, 12, 36, 39, 77]
    let notMandatory: Set<UInt16> = [5, 6, 8, 25, 26, 27, 28, 29, 30, 31, 32, 33, 37, 38, 46, 76, 78, 79, 97, 98]
    for row in AttributeDefinition.all {
        let isStandard = row.type.vendor == 0
        #expect(row.hideable == !(isStandard && notHideable.contains(row.type.number)), "\(row.name)")
        #expect(row.mandatory == (isStandard && !notMandatory.contains(row.type.number)), "\(row.name)")
    }
}
