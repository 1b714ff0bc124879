import Testing
import Wire

/// The plain form of an L2TP data message, as scapy writes it; what differs from it in one place is another form, or broken.
@Suite struct PlainDataMessageTests {
    /// IP(src="203.0.113.2", dst="198.51.100.1", id=0x1234)/UDP(sport=1701, dport=1701, chksum=0)/L2TP with length, ids 0x0102 and
    /// 0x0304, ff 03, and PPP 00 21 45; two octets of padding behind it.
    static let packet: [UInt8] = [
        0x45, 0x00, 0x00, 0x29, 0x12, 0x34, 0x00, 0x00, 0x40, 0x11, 0x02, 0x59, 203, 0, 113, 2, 198, 51, 100, 1,
        0x06, 0xa5, 0x06, 0xa5, 0x00, 0x15, 0x00, 0x00, 0x40, 0x02, 0x00, 0x0d, 0x01, 0x02, 0x03, 0x04,
        0xff, 0x03, 0x00, 0x21, 0x45, 0xee, 0xee,
    ]

    private func message<Result>(_ bytes: [UInt8], _ body: (PlainDataMessage?) throws -> Result) rethrows -> Result {
        try (bytes + [0]).withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { fatalError("an array of one octet has an address") }
            return try body(PlainDataMessage(FrameBytes(start, count: bytes.count)))
        }
    }

    @Test func readsEveryField() throws {
        try message(Self.packet) { found in
            let plain = try #require(found)
            #expect(plain.hasValidIPChecksum)
            #expect(!plain.hasUDPChecksum)
            #expect(plain.sourceInWireOrder.littleEndian == 0x0271_00cb)
            #expect(plain.destinationInWireOrder.littleEndian == 0x0164_33c6)
            #expect(plain.portsInWireOrder.littleEndian == 0xa506_a506)
            #expect(plain.tunnelID == 0x0102)
            #expect(plain.sessionID == 0x0304)
            #expect(plain.payloadLength == 3)
        }
    }

    /// Offset, octet there instead, whether the message is still a plain one.
    @Test(
        arguments: [
            (0, 0x46, false), (0, 0x65, false), (1, 0xb8, true), (2, 0x01, false), (3, 0x28, false), (3, 0x2a, false),
            (4, 0xff, true), (6, 0x40, true), (6, 0x20, false), (6, 0x1f, false), (7, 0x01, false), (8, 1, true),
            (9, 6, false), (12, 1, true), (16, 1, true), (20, 0xff, true), (22, 0x07, false), (23, 0, false),
            (24, 1, false), (25, 0x14, false), (25, 0x16, false), (26, 1, true), (28, 0xc0, false), (28, 0x00, false),
            (28, 0x48, false), (28, 0x42, false), (28, 0x41, true), (28, 0x70, true), (29, 0x03, false),
            (29, 0xf2, true),
            (30, 1, false), (31, 0x0c, false), (31, 0x0e, false), (32, 0xff, true), (35, 0xff, true), (36, 0xfe, false),
            (37, 0x02, false), (38, 0xff, true),
        ] as [(Int, UInt8, Bool)])
    func knowsOtherForms(offset: Int, octet: UInt8, isPlain: Bool) {
        var bytes = Self.packet
        bytes[offset] = octet
        message(bytes) { #expect(($0 != nil) == isPlain) }
    }

    @Test func refusesWhatIsCutShort() {
        for count in 0..<41 { message(Array(Self.packet.prefix(count))) { #expect($0 == nil) } }
        for count in 41...43 { message(Array(Self.packet.prefix(count))) { #expect($0?.payloadLength == 3) } }
    }

    /// All three lengths agree, and leave no room for a PPP frame, or not even for their own headers.
    @Test(arguments: [0, 10, 19, 20, 27, 28, 37, 38]) func refusesNoPayload(length: Int) {
        var bytes = Self.packet
        for (offset, value) in [(2, length), (24, length - 20), (30, length - 28)] {
            bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
            bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
        }
        message(bytes) { #expect($0 == nil) }
    }

    @Test func seesABrokenChecksum() {
        var bytes = Self.packet
        bytes[10] ^= 1
        message(bytes) { #expect($0?.hasValidIPChecksum == false) }
    }
}
