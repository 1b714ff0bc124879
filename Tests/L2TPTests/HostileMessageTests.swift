import L2TP
import Testing

/// A body that cannot be accepted, or only in part.
struct HostileBody: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var body: [UInt8]
    var fault: MessageFault.Kind?
    var error: GeneralError?
    var ignored: [IgnoredAttribute.Reason] = []

    private static let icrq = avp(0, [0, 10])
    private static let required = avp(14, [0, 1]) + avp(15, [0, 0, 0, 1])

    static let all: [HostileBody] = [
        HostileBody(testDescription: "one octet", body: [0x80], fault: .noMessageType, error: .vendorSpecific),
        HostileBody(
            testDescription: "first AVP is another", body: avp(14, [0, 1]) + icrq, fault: .noMessageType,
            error: .vendorSpecific),
        HostileBody(
            testDescription: "message type hidden", body: avp(0, [0, 10], flags: 0xc000) + required,
            fault: .noMessageType, error: .vendorSpecific),
        HostileBody(
            testDescription: "message type of one octet", body: avp(0, [10]), fault: .noMessageType,
            error: .vendorSpecific),
        HostileBody(
            testDescription: "message type of a vendor", body: avp(0, [0, 10], vendor: 9), fault: .noMessageType,
            error: .vendorSpecific),
        HostileBody(
            testDescription: "unknown message, M", body: avp(0, [0, 99]), fault: .unknownMessage(99),
            error: .unknownMandatoryAVP),
        HostileBody(
            testDescription: "reserved message type 5, M", body: avp(0, [0, 5]), fault: .unknownMessage(5),
            error: .unknownMandatoryAVP),
        HostileBody(testDescription: "unknown message, no M", body: avp(0, [0, 99], flags: 0)),
        HostileBody(
            testDescription: "AVP of length 0", body: icrq + required + avp(22, [], length: 0), fault: .structure,
            error: .wrongLength),
        HostileBody(
            testDescription: "AVP of length 5", body: icrq + required + avp(22, [], length: 5), fault: .structure,
            error: .wrongLength),
        HostileBody(
            testDescription: "AVP of length 5, no M",
            body: icrq + required + avp(25, [1, 2, 3, 4], flags: 0, length: 5),
            fault: .structure, error: .wrongLength),
        HostileBody(
            testDescription: "AVP past the end", body: icrq + required + avp(22, [1, 2, 3], length: 10),
            fault: .structure, error: .wrongLength),
        HostileBody(
            testDescription: "AVP of 1023 past the end", body: icrq + required + avp(22, [1, 2, 3], length: 1023),
            fault: .structure, error: .wrongLength),
        HostileBody(
            testDescription: "header cut", body: icrq + required + [0x80, 0x08, 0, 0, 0], fault: .structure,
            error: .wrongLength),
        HostileBody(
            testDescription: "unknown AVP, M", body: icrq + required + avp(200, [1]),
            fault: .unknownMandatory(vendor: 0, type: 200), error: .unknownMandatoryAVP),
        HostileBody(
            testDescription: "attribute 20 is no attribute, M", body: icrq + required + avp(20, [1]),
            fault: .unknownMandatory(vendor: 0, type: 20), error: .unknownMandatoryAVP),
        HostileBody(
            testDescription: "unknown AVP, no M", body: icrq + avp(200, [1], flags: 0) + required, ignored: [.unknown]),
        HostileBody(
            testDescription: "vendor's AVP, M", body: icrq + required + avp(14, [1], vendor: 9),
            fault: .unknownMandatory(vendor: 9, type: 14), error: .unknownMandatoryAVP),
        HostileBody(
            testDescription: "vendor's AVP, no M", body: icrq + required + avp(14, [1], flags: 0, vendor: 9),
            ignored: [.unknown]),
        HostileBody(
            testDescription: "reserved bit, M", body: icrq + required + avp(22, [1], flags: 0x8400),
            fault: .unknownMandatory(vendor: 0, type: 22), error: .unknownMandatoryAVP),
        HostileBody(
            testDescription: "reserved bit, no M", body: icrq + required + avp(22, [1], flags: 0x2000),
            ignored: [.unknown]),
        HostileBody(
            testDescription: "value too short, M", body: icrq + avp(14, [1]) + avp(15, [0, 0, 0, 1]),
            fault: .length(.assignedSessionID), error: .wrongLength),
        HostileBody(
            testDescription: "value too long, M", body: icrq + required + avp(18, [0, 0, 0, 0, 1]),
            fault: .length(.bearerType), error: .wrongLength),
        HostileBody(
            testDescription: "value too long, no M", body: icrq + required + avp(25, [0, 0, 0, 0, 1], flags: 0),
            ignored: [.malformed]),
        HostileBody(
            testDescription: "required AVP malformed, no M",
            body: icrq + avp(14, [1], flags: 0) + avp(15, [0, 0, 0, 1]), fault: .missing(.assignedSessionID),
            error: .vendorSpecific),
        HostileBody(
            testDescription: "required AVP missing", body: icrq + avp(14, [0, 1]), fault: .missing(.callSerialNumber),
            error: .vendorSpecific),
        HostileBody(
            testDescription: "session id 0", body: icrq + avp(14, [0, 0]) + avp(15, [0, 0, 0, 1]),
            fault: .value(.assignedSessionID), error: .valueOutOfRange),
        HostileBody(
            testDescription: "tunnel id 0 in SCCRQ",
            body: avp(0, [0, 1]) + avp(2, [1, 0]) + avp(7, [65]) + avp(3, [0, 0, 0, 1]) + avp(9, [0, 0]),
            fault: .value(.assignedTunnelID), error: .valueOutOfRange),
        HostileBody(
            testDescription: "window 0", body: avp(0, [0, 1]) + startAVPs + avp(10, [0, 0]),
            fault: .value(.receiveWindowSize), error: .valueOutOfRange),
        HostileBody(
            testDescription: "empty host name",
            body: avp(0, [0, 1]) + avp(2, [1, 0]) + avp(7, []) + avp(3, [0, 0, 0, 1]) + avp(9, [0, 1]),
            fault: .length(.hostName), error: .wrongLength),
        HostileBody(
            testDescription: "response of 15 octets",
            body: avp(0, [0, 3]) + avp(13, [UInt8](repeating: 0, count: 15)), fault: .length(.challengeResponse),
            error: .wrongLength),
        HostileBody(
            testDescription: "hidden without secret",
            body: icrq + required + avp(36, [1]) + avp(22, [1, 2, 3], flags: 0xc000),
            fault: .hidden(.callingNumber), error: .vendorSpecific),
        HostileBody(
            testDescription: "hidden without secret, no M",
            body: icrq + required + avp(36, [1]) + avp(25, [1, 2, 3], flags: 0x4000), ignored: [.malformed]),
        HostileBody(
            testDescription: "not hideable but hidden",
            body: avp(0, [0, 14]) + avp(14, [0, 1]) + avp(36, [1]) + avp(1, [0, 1], flags: 0xc000),
            fault: .hidden(.resultCode), error: .vendorSpecific),
        HostileBody(
            testDescription: "AVP of another message", body: icrq + required + avp(7, [65]), ignored: [.outOfPlace]),
        HostileBody(
            testDescription: "second message type", body: icrq + avp(0, [0, 1]) + required, ignored: [.outOfPlace]),
        HostileBody(
            testDescription: "AVP twice", body: icrq + required + avp(14, [0, 2]), ignored: [.repeated]),
        HostileBody(
            testDescription: "ids of a faulty message are found",
            body: icrq + avp(200, [1]) + required, fault: .unknownMandatory(vendor: 0, type: 200),
            error: .unknownMandatoryAVP),
    ]
}

@Test(arguments: HostileBody.all) func judgesHostileBodies(_ hostile: HostileBody) {
    do {
        let decoded = try ControlMessage.decode(hostile.body[...], secret: nil)
        #expect(hostile.fault == nil)
        #expect(decoded.ignored.map(\.reason) == hostile.ignored)
    } catch {
        #expect(error.kind == hostile.fault)
        #expect(error.error == hostile.error)
    }
}

@Test func faultsNameTheSession() {
    let body = avp(0, [0, 10]) + avp(200, [1]) + avp(14, [0, 5]) + avp(15, [0, 0, 0, 1])
    #expect { try ControlMessage.decode(body[...], secret: nil) } throws: {
        ($0 as? MessageFault)?.assignedSessionID == 5
    }
}

@Test func resultCodesDecodeInEveryLength() throws {
    let cases: [([UInt8], StopCode)] = [
        ([0, 1], StopCode(.clear)), ([0, 2, 0, 4], StopCode(.generalError, error: .insufficientResources)),
        ([0, 2, 0, 6, 104, 105], StopCode(.generalError, error: .vendorSpecific, message: "hi")),
        ([0, 2, 0], StopCode(.generalError)),
        ([0, 99, 0, 98], StopCode(StopResult(rawValue: 99), error: GeneralError(rawValue: 98))),
    ]
    for (value, code) in cases {
        let body = avp(0, [0, 4]) + avp(9, [0, 1]) + avp(1, value)
        #expect(
            try ControlMessage.decode(body[...], secret: nil).message == .stop(assignedTunnelID: 1, code))
    }
}

// MARK: Datagrams for tunnel id 0

@Test func initialMessagesAreCheckedWithoutState() throws {
    let request = datagram(to: 0, ns: 0, nr: 0, .startControlConnectionRequest, startAVPs)
    guard case .request(let start) = try InitialMessage.decode(request[...]) else {
        Issue.record("not a request")
        return
    }
    #expect(start.hostName == "lns.example")
    #expect(start.assignedTunnelID == peerID)
    let stop = datagram(to: 0, ns: 1, nr: 0, .stopControlConnectionNotification, avp(9, [0, 9]) + avp(1, [0, 1]))
    guard case .stop(assignedTunnelID: 9, let code) = try InitialMessage.decode(stop[...]) else {
        Issue.record("not a stop")
        return
    }
    #expect(code.result == .clear)
}

@Test(arguments: [
    [UInt8](), [1, 2, 3], datagram(to: 0, ns: 0, nr: 0), datagram(to: 5, ns: 0, nr: 0, .hello),
    datagram(to: 0, ns: 0, nr: 0, .hello), datagram(to: 0, ns: 0, nr: 0, .startControlConnectionRequest),
    datagram(to: 0, ns: 1, nr: 0, .startControlConnectionRequest, startAVPs),
    datagram(to: 0, session: 1, ns: 0, nr: 0, .startControlConnectionRequest, startAVPs),
    datagram(to: 0, ns: 0, nr: 0, .startControlConnectionReply, startAVPs),
    datagram(to: 0, ns: 0, nr: 0, .startControlConnectionRequest, startAVPs + avp(200, [])),
])
func refusesOtherInitialDatagrams(_ bytes: [UInt8]) {
    #expect(throws: InitialMessage.Fault.self) { try InitialMessage.decode(bytes[...]) }
}
