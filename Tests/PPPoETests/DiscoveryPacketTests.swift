import PPPoE
import Testing

/// The octets of `hex`, in which white space means nothing.
func octets(_ hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

@Suite struct DiscoveryPacketTests {
    /// A dial-in of pppd (rp-pppoe plug-in) to rp-pppoe's pppoe-server, as captured, and packets that scapy built.
    static let golden: [(hex: String, packet: DiscoveryPacket)] = [
        (
            "11090000000c 01010000 01030004c5020000",
            DiscoveryPacket(
                code: .padi, tags: [DiscoveryTag(.serviceName, []), DiscoveryTag(.hostUniq, [0xc5, 2, 0, 0])])
        ),
        (
            """
            11070000002f 01020007746573742d6163 01010000 010400147bc3b89bd1e45c8364b6349a33f24b18c6020000
            01030004c5020000
            """,
            DiscoveryPacket(
                code: .pado,
                tags: [
                    DiscoveryTag(.acName, text: "test-ac"), DiscoveryTag(.serviceName, []),
                    DiscoveryTag(.acCookie, octets("7bc3b89bd1e45c8364b6349a33f24b18c6020000")),
                    DiscoveryTag(.hostUniq, [0xc5, 2, 0, 0]),
                ])
        ),
        (
            "111900000024 01010000 01030004c5020000 010400147bc3b89bd1e45c8364b6349a33f24b18c6020000",
            DiscoveryPacket(
                code: .padr,
                tags: [
                    DiscoveryTag(.serviceName, []), DiscoveryTag(.hostUniq, [0xc5, 2, 0, 0]),
                    DiscoveryTag(.acCookie, octets("7bc3b89bd1e45c8364b6349a33f24b18c6020000")),
                ])
        ),
        (
            "11650001000c 01010000 01030004c5020000",
            DiscoveryPacket(
                code: .pads, sessionID: 1,
                tags: [DiscoveryTag(.serviceName, []), DiscoveryTag(.hostUniq, [0xc5, 2, 0, 0])])
        ),
        (
            """
            11a70001002b 0203002752502d5050506f453a204368696c64207070706420
            70726f63657373207465726d696e61746564
            """,
            DiscoveryPacket(
                code: .padt, sessionID: 1,
                tags: [DiscoveryTag(.genericError, text: "RP-PPPoE: Child pppd process terminated")])
        ),
        (
            "110900000025 010100036f6e65 0103000461626364 0120000205dc 0110000c72656c61792d31322d6f6374",
            DiscoveryPacket(
                code: .padi,
                tags: [
                    DiscoveryTag(.serviceName, text: "one"), DiscoveryTag(.hostUniq, text: "abcd"),
                    DiscoveryTag(.pppMaxPayload, [0x05, 0xdc]), DiscoveryTag(.relaySessionID, text: "relay-12-oct"),
                ])
        ),
        ("11a7ffff0000", DiscoveryPacket(code: .padt, sessionID: 0xffff)),
    ]

    @Test(arguments: golden) func decodesAndEncodes(hex: String, packet: DiscoveryPacket) throws {
        let bytes = octets(hex)
        #expect(try DiscoveryPacket(parsing: bytes[...]) == packet)
        #expect(packet.encoded() == bytes)
        #expect(packet.encodedLength == bytes.count)
    }

    @Test func ignoresPaddingAndWhatFollowsEndOfList() throws {
        let padded = octets("110900000004 01010000") + Array(repeating: 0xee, count: 46)
        #expect(try DiscoveryPacket(parsing: padded[...]).tags == [DiscoveryTag(.serviceName, [])])
        let ended = octets("11090000000e 01010000 00000000 0103ffff0102")
        #expect(try DiscoveryPacket(parsing: ended[...]).tags == [DiscoveryTag(.serviceName, [])])
    }

    @Test func keepsTagsItDoesNotKnow() throws {
        let bytes = octets("11090000000d 01010000 7f7f0005 0102030405")
        let packet = try DiscoveryPacket(parsing: bytes[...])
        #expect(packet.tags.last == DiscoveryTag(.init(rawValue: 0x7f7f), [1, 2, 3, 4, 5]))
        #expect(packet.encoded() == bytes)
    }

    static let malformed: [(hex: String, error: DiscoveryPacket.DecodeError)] = [
        ("", .init(.truncatedHeader)), ("1109000000", .init(.truncatedHeader)),
        ("210900000000", .init(.versionOrType, code: .padi)), ("121900000000", .init(.versionOrType, code: .padr)),
        ("110800000000", .init(.unknownCode)), ("220000000000", .init(.versionOrType)),
        ("110900000001", .init(.length, code: .padi)), ("1109ffffffff", .init(.length, code: .padi)),
        ("110900000005 01010000", .init(.length, code: .padi)),
        ("110900010000", .init(.sessionID, code: .padi)), ("110700010000", .init(.sessionID, code: .pado)),
        ("111900010000", .init(.sessionID, code: .padr)), ("11a700000000", .init(.sessionID, code: .padt)),
        ("110900000001 01", .init(.truncatedTag, code: .padi)),
        ("110900000003 010100", .init(.truncatedTag, code: .padi)),
        ("110900000004 01010001", .init(.truncatedTag, code: .padi)),
        ("111900000008 01010000 0103ffff", .init(.truncatedTag, code: .padr)),
        // The value would lie in the padding.
        ("110900000006 01010003 6f6e 65", .init(.truncatedTag, code: .padi)),
        ("110900000005 00000001 00", .init(.tagLength, code: .padi)),
        ("110900000005 01200001 05", .init(.tagLength, code: .padi)),
        ("110900000007 01200003 05dc00", .init(.tagLength, code: .padi)),
    ]

    @Test(arguments: malformed) func saysWhatIsWrong(hex: String, error: DiscoveryPacket.DecodeError) {
        #expect(throws: error) { try DiscoveryPacket(parsing: octets(hex)[...]) }
    }

    @Test func everyPrefixOfAPacketIsRefused() {
        for (hex, _) in Self.golden {
            let bytes = octets(hex)
            for count in 0..<bytes.count {
                #expect(throws: DiscoveryPacket.DecodeError.self) {
                    try DiscoveryPacket(parsing: bytes.prefix(count))
                }
            }
        }
    }

    @Test func leavesOutWhatTheLengthFieldCannotCount() throws {
        let large = DiscoveryTag(.vendorSpecific, Array(repeating: 1, count: 40_000))
        let packet = DiscoveryPacket(code: .padi, tags: [DiscoveryTag(.serviceName, []), large, large])
        let decoded = try DiscoveryPacket(parsing: packet.encoded()[...])
        #expect(decoded.tags == [DiscoveryTag(.serviceName, []), large])
    }
}
