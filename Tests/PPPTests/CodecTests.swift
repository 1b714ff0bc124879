import PPP
import Testing

/// The octets of `hex`, in which white space means nothing.
func octets(_ hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

@Suite struct CodecTests {
    @Test(arguments: [
        ("c021 01", PPPProtocol.lcp, "01"), ("ff03 c021 01", .lcp, "01"), ("c223", .chap, ""),
        ("0021 45", PPPProtocol(rawValue: 0x21), "45"), ("21 45", PPPProtocol(rawValue: 0x21), "45"),
        ("ff03 21 45", PPPProtocol(rawValue: 0x21), "45"), ("0057", PPPProtocol(rawValue: 0x57), ""),
        ("57", PPPProtocol(rawValue: 0x57), ""), ("ff", PPPProtocol(rawValue: 0xff), ""),
    ])
    func readsFrames(hex: String, proto: PPPProtocol, information: String) throws {
        let frame = try PPPFrame(parsing: octets(hex)[...])
        #expect(frame == PPPFrame(proto, octets(information)))
        #expect(frame.encoded() == [UInt8(proto.rawValue >> 8), UInt8(proto.rawValue & 255)] + octets(information))
        #expect(frame.encoded(addressAndControl: true) == [0xff, 0x03] + frame.encoded())
    }

    @Test(arguments: [
        ("", PPPFrame.DecodeError.truncated), ("c0", .truncated), ("ff03", .truncated), ("ff03c0", .truncated),
        ("c020", .protocolField), ("0000", .protocolField), ("ff030022", .protocolField),
    ])
    func refusesFrames(hex: String, error: PPPFrame.DecodeError) {
        #expect(throws: error) { try PPPFrame(parsing: octets(hex)[...]) }
    }

    @Test(arguments: [
        ("", ControlPacket.DecodeError.truncatedHeader), ("010100", .truncatedHeader), ("01010003", .length),
        ("01010000", .length), ("01010005", .length), ("0101ffff00", .length),
    ])
    func refusesControlPackets(hex: String, error: ControlPacket.DecodeError) {
        #expect(throws: error) { try ControlPacket(parsing: octets(hex)[...]) }
    }

    @Test func ignoresPaddingOfControlPackets() throws {
        let packet = try ControlPacket(parsing: octets("05020010 557365722072657175657374 0000000000")[...])
        #expect(packet == ControlPacket(code: 5, identifier: 2, data: Array("User request".utf8)))
        #expect(packet.encoded() == octets("05020010 557365722072657175657374"))
        #expect(
            ControlPacket(code: 1, identifier: 1, data: Array(repeating: 0, count: 70_000)).encoded().count == 65_535)
    }

    /// Values from captures of pppd and from scapy's PPP_LCP_MRU_Option and its kin.
    static let options: [(hex: String, option: LCPOption)] = [
        ("010405d4", .maximumReceiveUnit(1492)), ("0506a07ef1c8", .magicNumber(0xa07e_f1c8)),
        ("0304c023", .authenticationProtocol(.pap)), ("0305c22305", .authenticationProtocol(.chapMD5)),
        ("0305c22381", .authenticationProtocol(.other(.chap, [0x81]))),
        ("0304c223", .authenticationProtocol(.other(.chap, []))),
        ("0304c227", .authenticationProtocol(.eap)), ("0305c22700", .authenticationProtocol(.other(.eap, [0]))),
        ("0305c02300", .authenticationProtocol(.other(.pap, [0]))),
        ("0408c025000003e8", .qualityProtocol(.lqr, [0, 0, 3, 0xe8])), ("0702", .protocolFieldCompression),
        ("0802", .addressAndControlFieldCompression), ("0206000a0000", .other(type: 2, value: [0, 10, 0, 0])),
        ("0d0306", .other(type: 13, value: [6])),
        // Known types of a wrong length stay as they came.
        ("010305", .other(type: 1, value: [5])), ("01050005d4", .other(type: 1, value: [0, 5, 0xd4])),
        ("0303c0", .other(type: 3, value: [0xc0])), ("0302", .other(type: 3, value: [])),
        ("0403c0", .other(type: 4, value: [0xc0])), ("0505a07ef1", .other(type: 5, value: [0xa0, 0x7e, 0xf1])),
        ("070300", .other(type: 7, value: [0])), ("080300", .other(type: 8, value: [0])),
    ]

    @Test(arguments: options) func readsAndWritesOptions(hex: String, option: LCPOption) throws {
        #expect(try LCPOption.list(parsing: octets(hex)[...]) == [option])
        #expect(option.encoded == octets(hex))
    }

    @Test func readsLists() throws {
        let all = octets(Self.options.map(\.hex).joined())
        #expect(try LCPOption.list(parsing: all[...]) == Self.options.map(\.option))
        #expect(Self.options.map(\.option).encoded == all)
        #expect(try LCPOption.list(parsing: []) == [])
        #expect(LCPOption.other(type: 9, value: Array(repeating: 1, count: 300)).encoded.count == 255)
    }

    @Test(arguments: ["01", "0100", "0101", "0103", "010405", "010405d405", "0506a07ef1", "0702 0800"])
    func refusesLists(hex: String) {
        #expect(throws: LCPOption.DecodeError.length) { try LCPOption.list(parsing: octets(hex)[...]) }
    }

    @Test func readsCredentials() {
        // As captured from pppd.
        let credentials = PAP.Credentials(parsing: octets("0d7573657240697370312e636f6d 06736563726574")[...])
        #expect(credentials?.peerID == Array("user@isp1.com".utf8))
        #expect(credentials?.password == Array("secret".utf8))
        #expect(PAP.Credentials(parsing: [0, 0])?.peerID == [])
        #expect(PAP.Credentials(parsing: octets("0161 0162 ff")[...])?.password == [0x62])
        for hex in ["", "01", "0161", "016101", "ff61", "0161ff62", "00"] {
            #expect(PAP.Credentials(parsing: octets(hex)[...]) == nil, "\(hex)")
        }
    }

    @Test func readsResponses() {
        // As captured from pppd.
        let data = octets("10 139ae19d9066f4787c1bfcad3d5acac0 7573657240697370312e636f6d")
        let response = CHAP.Response(parsing: data[...])
        #expect(response?.value == octets("139ae19d9066f4787c1bfcad3d5acac0"))
        #expect(response?.name == Array("user@isp1.com".utf8))
        #expect(CHAP.Response(parsing: data.prefix(17))?.name == [])
        for count in 0..<17 { #expect(CHAP.Response(parsing: data.prefix(count)) == nil) }
        for size: UInt8 in [0, 1, 15, 17, 0x31, 0xff] {
            #expect(CHAP.Response(parsing: ([size] + data.dropFirst())[...]) == nil, "size \(size)")
        }
    }

    @Test func writesAnswers() {
        // As captured from pppd.
        let value = octets("02fa7b3d353152c3d1abb273c5b1b003fd86")
        #expect(
            CHAP.challenge(identifier: 0x3e, value: value, name: "(none)").encoded()
                == octets("013e001d12 02fa7b3d353152c3d1abb273c5b1b003fd86 286e6f6e6529"))
        // Checked with tshark.
        #expect(CHAP.failure(identifier: 7, message: "no").encoded() == octets("040700066e6f"))
        #expect(PAP.nak(identifier: 7, message: "no").encoded() == octets("03070007026e6f"))
        let long = String(repeating: "x", count: 1000)
        #expect(PAP.nak(identifier: 7, message: long).encoded().count == 4 + 1 + 255)
        #expect(CHAP.failure(identifier: 7, message: long).encoded().count == 4 + 255)
        let challenge = CHAP.challenge(identifier: 1, value: Array(repeating: 1, count: 300), name: long)
        #expect(challenge.encoded().count == 4 + 1 + 255 + 255)
    }
}
