import L2TP
import Testing
import Wire

/// Messages of RFC 4951, written by an independent program. tshark dissects them without complaint, and knows messages and AVPs by these
/// numbers; what is in the AVPs it does not look at.
extension Golden {
    private static var recoveryRequest: StartControlConnection {
        var start = StartControlConnection(hostName: "lac.example", assignedTunnelID: 11009)
        start.framingCapabilities = [.synchronous, .asynchronous]
        start.tieBreaker = 0x8895_3914_889c_44e4
        start.receiveWindowSize = 10
        start.failover = FailoverCapability(recoveryTime: 120_000)
        start.recovery = TunnelRecovery(tunnelID: 11008, remoteTunnelID: 33363)
        return start
    }

    private static var recoveryReply: StartControlConnection {
        var start = StartControlConnection(hostName: "lns.example", assignedTunnelID: 33364)
        start.framingCapabilities = [.synchronous, .asynchronous]
        start.failover = FailoverCapability(dataChannel: true, recoveryTime: 30_000)
        start.suggestedSequence = ControlSequence(ns: 0x4000, nr: 0x4000)
        return start
    }

    static let failover: [Golden] = [
        Golden(
            name: "SCCRQ of a recovery tunnel",
            bytes: """
                c80200710000000000000000800800000000000180080000000201008011000000076c61632e6578616d706c65800a0000000300\
                000003000e0000000588953914889c44e48008000000092b0180080000000a000a000c0000004c00010001d4c080100000004d00\
                0000002b0000008253
                """, header: header(0, 0, 0, 0), message: .startRequest(recoveryRequest)),
        Golden(
            name: "SCCRP of a recovery tunnel",
            bytes: """
                c802005b2b01000000000001800800000000000280080000000201008011000000076c6e732e6578616d706c65800a0000000300\
                0000038008000000098254000c0000004c00030000753000100000004e00000000400000004000
                """, header: header(11009, 0, 0, 1), message: .startReply(recoveryReply)),
        Golden(
            name: "FSQ",
            bytes: """
                c80200348253000000000000800800000000001500100000004f000000001a7d00005d0100100000004f000000001a7e00005d02
                """, header: header(33363, 0, 0, 0),
            message: .failoverQuery([
                FailoverSession(sessionID: 6781, remoteSessionID: 23809),
                FailoverSession(sessionID: 6782, remoteSessionID: 23810),
            ])),
        Golden(
            name: "FSR",
            bytes: """
                c80200342b00000000000001800800000000001600100000004f000000005d0100001a7d00100000004f00000000000000001a7e
                """, header: header(11008, 0, 0, 1),
            message: .failoverResponse([
                FailoverSession(sessionID: 23809, remoteSessionID: 6781),
                FailoverSession(sessionID: 0, remoteSessionID: 6782),
            ])),
    ]
}

@Suite struct FailoverCodecTests {
    @Test(arguments: Golden.failover) func decodes(_ golden: Golden) throws {
        let (header, body) = try ControlHeader.decode(hex(golden.bytes)[...])
        #expect(header == golden.header)
        let decoded = try ControlMessage.decode(body, secret: nil)
        #expect(decoded.message == golden.message)
        #expect(decoded.ignored.isEmpty)
    }

    @Test(arguments: Golden.failover) func encodes(_ golden: Golden) throws {
        #expect(golden.header.encode(body: try golden.message.encode()) == hex(golden.bytes))
    }

    @Test(arguments: Golden.failover) func hides(_ golden: Golden) throws {
        let key = HidingKey(secret: secret, randomVector: [1, 2, 3, 4], padding: [UInt8](repeating: 0xee, count: 15))
        let body = try golden.message.encode(hiding: key)
        #expect(try ControlMessage.decode(body[...], secret: secret).message == golden.message)
    }

    @Test func messagesHaveNames() {
        let names = Golden.failover.map { MessageSummary.text(of: hex($0.bytes)[...]) }
        #expect(names.suffix(2) == ["FSQ ns 0 nr 0, 52 octets", "FSR ns 0 nr 1, 52 octets"])
    }

    /// Wrong values of AVPs without the M bit are passed over; Tunnel Recovery, which has it, makes the message useless.
    @Test(arguments: [
        (76, "0001", nil as MessageFault.Kind?), (76, "000100000000ff", nil), (78, "0000000100000000", nil),
        (78, "00000001000000000000", nil), (77, "00000000000000000001", .value(.tunnelRecovery)),
        (77, "00000000000100000000", .value(.tunnelRecovery)), (77, "00000001000000000001", .value(.tunnelRecovery)),
        (77, "0000000000010000000100", .length(.tunnelRecovery)), (77, "", .length(.tunnelRecovery)),
    ])
    func judgesValues(_ type: UInt16, _ value: String, _ fault: MessageFault.Kind?) {
        let reply = type == 78
        let body =
            avp(0, [0, reply ? 2 : 1]) + startAVPs + avp(type, hex(value), flags: fault == nil ? 0 : 0x8000)
        do {
            let decoded = try ControlMessage.decode(body[...], secret: nil)
            #expect(fault == nil)
            #expect(decoded.ignored.map(\.reason) == [.malformed])
        } catch { #expect(error.kind == fault) }
    }

    @Test func reservedBitsAreIgnored() throws {
        let body =
            avp(0, [0, 1]) + startAVPs + avp(76, hex("fffd00000007"), flags: 0)
            + avp(77, hex("ffff00000001 00000002"))
        guard case .startRequest(let start) = try ControlMessage.decode(body[...], secret: nil).message else {
            Issue.record("not SCCRQ")
            return
        }
        #expect(start.failover == FailoverCapability(controlChannel: true, dataChannel: false, recoveryTime: 7))
        #expect(start.recovery == TunnelRecovery(tunnelID: 1, remoteTunnelID: 2))
    }

    /// A query with a session that cannot be one asks about the others.
    @Test func badSessionsArePassedOver() throws {
        let body =
            avp(0, [0, 21]) + avp(79, hex("0000000100000000 0001"), flags: 0)
            + avp(79, hex("000000000002 00000003"), flags: 0)
            + avp(79, [1], flags: 0)
        let decoded = try ControlMessage.decode(body[...], secret: nil)
        #expect(decoded.message == .failoverQuery([FailoverSession(sessionID: 2, remoteSessionID: 3)]))
        #expect(decoded.ignored.map(\.reason) == [.malformed, .malformed])
    }

    /// AVPs of recovery are taken where they belong and nowhere else.
    @Test func outOfPlace() throws {
        let body = avp(0, [0, 2]) + startAVPs + avp(77, hex("000000000001 00000002"))
        #expect(try ControlMessage.decode(body[...], secret: nil).ignored.map(\.reason) == [.outOfPlace])
    }
}
