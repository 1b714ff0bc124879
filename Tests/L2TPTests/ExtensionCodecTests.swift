import L2TP
import Testing
import Wire

/// Messages with AVPs of RFC 3145 and RFC 5515, and with EAP's proxy authentication: written by an independent program, and dissected
/// by tshark without complaint to the values beside them.
extension Golden {
    static var line: AccessLineInformation {
        var line = AccessLineInformation()
        line.agentCircuitID = Array("dslam7 atm 1/2:8.35".utf8)
        line.agentRemoteID = Array("+49301234567".utf8)
        line.figures = [
            .actualDataRateUpstream: 10_000_000, .actualDataRateDownstream: 100_000_000,
            .minimumDataRateUpstream: 64_000, .minimumDataRateDownstream: 128_000,
            .attainableDataRateUpstream: 12_000_000, .attainableDataRateDownstream: 110_000_000,
            .maximumDataRateUpstream: 20_000_000, .maximumDataRateDownstream: 5_000_000_000,
            .minimumDataRateUpstreamLowPower: 32_000, .minimumDataRateDownstreamLowPower: 48_000,
            .maximumInterleavingDelayUpstream: 8, .actualInterleavingDelayUpstream: 5,
            .maximumInterleavingDelayDownstream: 16, .actualInterleavingDelayDownstream: 10, .accessLineType: 5,
        ]
        line.encapsulation = .init(dataLink: 1, first: 2, second: 0)
        line.isInterworked = true
        return line
    }

    private static var icrqOfALine: IncomingCallRequest {
        var request = IncomingCallRequest(assignedSessionID: 6781, callSerialNumber: 1)
        request.accessLine = line
        request.announcesSpeedUpdates = true
        return request
    }

    private static var iccnOfEAP: CallConnected {
        var connected = CallConnected(txConnectSpeed: 100_000_000, framingType: .synchronous)
        connected.rxConnectSpeed = 10_000_000
        connected.proxyAuthentication = ProxyAuthentication(
            kind: .eap, name: Array("user@isp1.com".utf8), id: 1,
            response: hex("02010012017573657240697370312e636f6d"))
        return connected
    }

    static let extensions: [Golden] = [
        Golden(
            name: "ICRQ of a line",
            bytes: """
                c80201288253000000020001800800000000000a80080000000e1a7d800a0000000f0000000100190de9000164736c616d37206174\
                6d20312f323a382e333500120de900022b3439333031323334353637000e0de900810000000000989680000e0de900820000000005\
                f5e100000e0de90083000000000000fa00000e0de90084000000000001f400000e0de900850000000000b71b00000e0de900860000\
                0000068e7780000e0de900870000000001312d00000e0de90088000000012a05f200000e0de900890000000000007d00000e0de900\
                8a000000000000bb80000a0de9008b00000008000a0de9008c00000005000a0de9008d00000010000a0de9008e0000000a00090de9\
                0090010200000a0de9009100000005000a0de900fe00000001000600000062
                """, header: header(33363, 0, 2, 1), message: .incomingCallRequest(icrqOfALine)),
        Golden(
            name: "ICCN of EAP",
            bytes: """
                c802006d82535d0100030002800800000000000c800a0000001805f5e100800a000000130000000100080000001d00070013000000\
                1e7573657240697370312e636f6d000800000020000100180000002102010012017573657240697370312e636f6d000a0000002600\
                989680
                """, header: header(33363, 23809, 3, 2), message: .incomingCallConnected(iccnOfEAP)),
        Golden(
            name: "CDN with PPP's cause",
            bytes: """
                c802004082535d0100040002800800000000000e800d000000010001000062796580080000000e1a7d00170000002e0003c0210155\
                7365722072657175657374
                """, header: header(33363, 23809, 4, 2),
            message: .disconnect(
                CallDisconnect(
                    assignedSessionID: 6781, DisconnectCode(.lossOfCarrier, error: GeneralError.none, message: "bye"),
                    pppCause: PPPDisconnectCause(
                        .normal, controlProtocol: 0xc021, direction: .peer, message: "User request")))),
        Golden(
            name: "CDN with a bare cause",
            bytes: """
                c802002f82535d0100040002800800000000000e800800000001000380080000000e1a7d000b0000002e0001000002
                """, header: header(33363, 23809, 4, 2),
            message: .disconnect(
                CallDisconnect(
                    assignedSessionID: 6781, DisconnectCode(.administrative),
                    pppCause: PPPDisconnectCause(.administrative, direction: .local)))),
        Golden(
            name: "CSUN",
            bytes: """
                c80200388253000000050002000800000000001c00120000006100005d0102faf080004c4b4000120000006100005d0200f4240000\
                0f4240
                """, header: header(33363, 0, 5, 2),
            message: .connectSpeeds([
                ConnectSpeedUpdate(remoteSessionID: 23809, txConnectSpeed: 50_000_000, rxConnectSpeed: 5_000_000),
                ConnectSpeedUpdate(remoteSessionID: 23810, txConnectSpeed: 16_000_000, rxConnectSpeed: 1_000_000),
            ])),
        Golden(
            name: "CSURQ", bytes: "c80200262b00000000050002000800000000001d00120000006100001a7d0000000000000000",
            header: header(11008, 0, 5, 2),
            message: .connectSpeedsRequest([
                ConnectSpeedUpdate(remoteSessionID: 6781, txConnectSpeed: 0, rxConnectSpeed: 0)
            ])),
    ]
}

@Test(arguments: Golden.extensions) func decodesExtensions(_ golden: Golden) throws {
    let (header, body) = try ControlHeader.decode(hex(golden.bytes)[...])
    #expect(header == golden.header)
    let decoded = try ControlMessage.decode(body, secret: nil)
    #expect(decoded.message == golden.message)
    #expect(decoded.ignored.isEmpty)
}

@Test(arguments: Golden.extensions) func encodesExtensions(_ golden: Golden) throws {
    #expect(golden.header.encode(body: try golden.message.encode()) == hex(golden.bytes))
}

@Test(arguments: Golden.extensions) func hidesExtensions(_ golden: Golden) throws {
    let key = HidingKey(secret: secret, randomVector: [1, 2, 3, 4], padding: [UInt8](repeating: 0xee, count: 15))
    let body = try golden.message.encode(hiding: key)
    #expect(try ControlMessage.decode(body[...], secret: secret).message == golden.message)
    // An end that does not know the AVPs passes over them, since none has the M bit; the rest it needs a secret for.
    #expect(throws: (any Error).self) { try ControlMessage.decode(body.dropLast(3)[...], secret: secret) }
}

/// What is malformed in an AVP without the M bit is passed over, and the message stands.
@Test(
    arguments: [
        // RFC 3145: at least five octets.
        (avp(0, [0, 14]) + avp(1, [0, 1]) + avp(14, [0, 9]), 46, 0, [0, 3, 0xc0, 0x21]),
        (avp(0, [0, 14]) + avp(1, [0, 1]) + avp(14, [0, 9]), 46, 0, []),
        // RFC 5515: lengths are fixed but for the identifiers, which have 1 to 63 octets.
        (icrq, 1, 3561, []), (icrq, 1, 3561, [UInt8](repeating: 0x61, count: 64)), (icrq, 129, 3561, [0, 0, 0, 1]),
        (icrq, 139, 3561, [0, 0, 0, 0, 0, 0, 0, 1]), (icrq, 144, 3561, [1, 2]), (icrq, 254, 3561, []),
        (icrq, 98, 0, [1]),
        // Twelve octets: L2TPv3's Connect Speed Update has more.
        (avp(0, [0, 28], flags: 0), 97, 0, [UInt8](repeating: 0, count: 24)),
        (avp(0, [0, 29], flags: 0), 97, 0, [0, 0, 0, 1]),
    ] as [([UInt8], UInt16, UInt16, [UInt8])])
func passesOverMalformedExtensions(_ message: [UInt8], _ type: UInt16, _ vendor: UInt16, _ value: [UInt8]) throws {
    let body = message + avp(type, value, flags: 0, vendor: vendor)
    let decoded = try ControlMessage.decode(body[...], secret: nil)
    #expect(decoded.ignored.map(\.reason) == [.malformed])
    #expect(decoded.ignored.map(\.vendor) == [vendor])
    #expect(decoded.message == (try ControlMessage.decode(message[...], secret: nil)).message)
    // With the M bit, which the standards forbid, it ends what it concerns as any other would.
    #expect(throws: MessageFault.self) {
        try ControlMessage.decode((message + avp(type, value, vendor: vendor))[...], secret: nil)
    }
}

private let icrq = avp(0, [0, 10]) + avp(14, [0, 9]) + avp(15, [0, 0, 0, 1])

/// The same AVP where its message has no use for it, twice, and under the IETF's number, which is another attribute's.
@Test func extensionsHaveTheirPlace() throws {
    let circuit = avp(1, [0x61], flags: 0, vendor: 3561)
    func reasons(_ body: [UInt8]) throws -> [IgnoredAttribute.Reason] {
        try ControlMessage.decode(body[...], secret: nil).ignored.map(\.reason)
    }
    #expect(try reasons(icrq + circuit) == [])
    #expect(try reasons(icrq + circuit + circuit) == [.repeated])
    #expect(try reasons(avp(0, [0, 11]) + avp(14, [0, 9]) + circuit) == [.outOfPlace])
    #expect(try reasons(icrq + avp(46, [0, 0, 0, 0, 0], flags: 0)) == [.outOfPlace])
    #expect(try reasons(icrq + avp(1, [0, 1], flags: 0)) == [.outOfPlace])
    #expect(try reasons(icrq + avp(3, [1], flags: 0, vendor: 3561)) == [.unknown])
}

/// The whole of a vendor's number goes into who an AVP is, not its lower half alone: none of these is one of the IETF's.
@Test func vendorsAreToldApart() throws {
    for vendor: UInt16 in [1, 9, 0x0de8, 0x8000, 0xffff] {
        let decoded = try ControlMessage.decode(
            (icrq + avp(22, [0x31], flags: 0, vendor: vendor))[...], secret: nil)
        #expect(decoded.ignored.map(\.vendor) == [vendor])
        guard case .incomingCallRequest(let request) = decoded.message else { continue }
        #expect(request.callingNumber == nil)
    }
}

// MARK: Causes

@Test func causesSpeak() {
    #expect(PPPDisconnectCause(.none).description == "PPP: no information available (0)")
    #expect(
        PPPDisconnectCause(.authenticationFailed, controlProtocol: 0xc223, direction: .peer, message: "bad password")
            .description
            == "PPP: authentication failed: bad name, password or secret (16), protocol 0xc223, at its peer: bad password"
    )
    let texts = (0...21).map { PPPDisconnectCause.Code(rawValue: UInt16($0)).description }
    #expect(Set(texts).count == 22)
    #expect(texts.last == "disconnect code 21")
    #expect(
        SessionEnd(
            origin: .peer, code: DisconnectCode(.administrative),
            pppCause: PPPDisconnectCause(.init(rawValue: 99), direction: .init(rawValue: 7))
        ).description
            == "closed by peer: disconnected for administrative reasons (3); PPP: disconnect code 99 (99), direction 7")
}

@Test func aCauseThatDoesNotFitLosesItsMessage() throws {
    for (count, isKept) in [(1_010, true), (1_011, false)] {
        let text = String(repeating: "x", count: count)
        let message = ControlMessage.disconnect(
            CallDisconnect(
                assignedSessionID: 1, DisconnectCode(.lossOfCarrier),
                pppCause: PPPDisconnectCause(.normal, message: text)))
        for key in [nil, HidingKey(secret: secret, randomVector: [1])] {
            let body = try message.encode(hiding: key)
            guard case .disconnect(let decoded) = try ControlMessage.decode(body[...], secret: secret).message else {
                Issue.record("no CDN")
                return
            }
            #expect(decoded.pppCause?.message == (isKept ? text : nil))
            #expect(decoded.pppCause?.code == .normal)
        }
    }
}

// MARK: Hiding

/// By an independent program: values padded to whole digests with 0x70, 0x71, …
private let paddedICRQ = hex(
    """
    c80200928253000000020001800800000000000a801600000024404142434445464748494a4b4c4d4e4fc0160000000e651d1cafb3ff32ece583a8\
    c07122865ac0160000000f6eadea38bc02e2d40aec2009a1e1baebc02600000016c15e9967b45bc880a161681756d07aa79114a29c1726cb910312\
    2fbb7e4f2a7940160de90001d9ad3efba0a5b4d1ac70c7d8342714ca
    """)

@Test func padsHiddenAVPs() throws {
    var request = IncomingCallRequest(assignedSessionID: 6781, callSerialNumber: 1)
    request.callingNumber = "0210 555 0100 extension 42"
    request.accessLine.agentCircuitID = Array("dslam7 atm 1/2".utf8)
    let message = ControlMessage.incomingCallRequest(request)
    let key = HidingKey(
        secret: secret, randomVector: (0x40..<0x50).map { UInt8($0) }, padding: (0x70..<0x7f).map { UInt8($0) })
    let header = ControlHeader(tunnelID: 33363, sessionID: 0, ns: 2, nr: 1)
    #expect(header.encode(body: try message.encode(hiding: key)) == paddedICRQ)
    let (_, body) = try ControlHeader.decode(paddedICRQ[...])
    #expect(try ControlMessage.decode(body, secret: secret).message == message)
}

/// Values of 1 to 14 octets look alike, and so do those of 15 to 30; the longest value still fits.
@Test func paddingDisguisesLengths() throws {
    func length(_ count: Int) throws -> Int {
        var request = IncomingCallRequest(assignedSessionID: 1, callSerialNumber: 1)
        request.callingNumber = String(repeating: "1", count: count)
        let key = HidingKey(secret: secret, randomVector: [1], padding: [UInt8](repeating: 0, count: 15))
        let message = ControlMessage.incomingCallRequest(request)
        let body = try message.encode(hiding: key)
        #expect(try ControlMessage.decode(body[...], secret: secret).message == message)
        return body.count
    }
    #expect(Set(try (1...14).map(length)).count == 1)
    #expect(Set(try (15...30).map(length)).count == 1)
    #expect(try length(15) == length(14) + 16)
    #expect(try length(1_015) == length(1_014), "as much as there is room for")
}
