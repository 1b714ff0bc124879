import Testing
import Wire

/// Runs `body` on a view of `bytes`.
private func view<Result>(_ bytes: [UInt8], _ body: (FrameBytes) throws -> Result) rethrows -> Result {
    // One octet more, so that there is an address even when there are no bytes.
    try (bytes + [0xee]).withUnsafeBytes { buffer in
        guard let start = buffer.baseAddress else { fatalError("an array of one octet has an address") }
        return try body(FrameBytes(start, count: bytes.count))
    }
}

/// Header views on bytes as scapy and the RFCs have them; each cut at every length as well.
@Suite struct HeaderTests {
    static let addresses: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0x0c, 1]

    @Test func readsEthernet() throws {
        try view(Self.addresses + [0x88, 0x64, 9]) { bytes in
            let ethernet = try #require(EthernetHeader(bytes))
            #expect(ethernet.destination.description == "02:00:00:00:00:01")
            #expect(ethernet.source.description == "02:00:00:00:0c:01")
            #expect(ethernet.sourceInWireOrder == 0x010c_0000_0002)
            #expect(ethernet.etherType == EtherType.pppoeSession)
            #expect(ethernet.payload.count == 1)
        }
        for count in 0..<14 { view(Array(Self.addresses.prefix(count))) { #expect(EthernetHeader($0) == nil) } }
    }

    /// What follows the addresses; outer VLAN, inner VLAN, TPID, EtherType and octets left, or nil.
    @Test(
        arguments: [
            ([0x88, 0x64, 1], [0, 0, 0, 0x8864, 1]),
            ([0x81, 0, 0x20, 0x64, 0x88, 0x64], [100, 0, 0x8100, 0x8864, 0]),
            ([0x88, 0xa8, 0xff, 0xff, 0x81, 0, 0, 7, 0x88, 0x63, 1, 2], [4_095, 7, 0x88a8, 0x8863, 2]),
            ([0x81, 0, 0, 1, 0x81, 0, 0, 2, 8, 0], [1, 2, 0x8100, 0x800, 0]),
            ([0x81, 0, 0xe0, 0, 0x88, 0x64], [0, 0, 0, 0x8864, 0]),
            ([0x81, 0, 0xe0, 0, 0x81, 0, 0, 9, 0x88, 0x64], [9, 0, 0x8100, 0x8864, 0]),
            ([0x81, 0, 0, 9, 0x81, 0, 0, 0, 0x88, 0x64], [9, 0, 0x8100, 0x8864, 0]),
            ([0x81, 0, 0, 1, 0x88, 0xa8, 0, 2, 8, 0], [1, 0, 0x8100, 0x88a8, 4]),
            ([0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0], [1, 2, 0x8100, 0x8100, 4]),
            ([0x81, 0, 0, 1, 0x88], nil),
            ([0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x88], nil),
        ] as [([UInt8], [Int]?)])
    func readsTags(bytes: [UInt8], expected: [Int]?) throws {
        try view(Self.addresses + bytes) { bytes in
            let tags = VLANTags(try #require(EthernetHeader(bytes)))
            let found = tags.map {
                [Int($0.outer), Int($0.inner), Int($0.outerTPID), Int($0.etherType), $0.payload.count]
            }
            #expect(found == expected)
        }
    }

    @Test func readsPPPoE() throws {
        try view([0x11, 0, 0x12, 0x34, 0, 3, 0, 0x21, 0x45, 0xa5, 0xa5]) { bytes in
            let pppoe = try #require(PPPoESessionHeader(bytes))
            #expect(pppoe.hasKnownVersion && pppoe.code == 0 && pppoe.sessionID == 0x1234)
            #expect(!pppoe.isTruncated)
            #expect(pppoe.payload.count == 3, "padding is not payload")
        }
        try view([0x12, 9, 0, 0, 0xff, 0xff, 0]) { bytes in
            let pppoe = try #require(PPPoESessionHeader(bytes))
            #expect(!pppoe.hasKnownVersion && pppoe.code == 9 && pppoe.isTruncated)
            #expect(pppoe.payload.count == 1, "never more than there is")
        }
        for count in 0..<6 { view([UInt8](repeating: 0x11, count: count)) { #expect(PPPoESessionHeader($0) == nil) } }
    }

    @Test(
        arguments: [
            ([], nil, nil), ([0], nil, nil), ([0x21], 0x21, nil), ([0, 0x21], 0x21, nil),
            ([0xc0, 0x21, 1], 0xc021, nil),
            ([0, 0x21, 0x45, 0xb8], 0x21, 0xb8), ([0x21, 0x45, 0xb8], 0x21, 0xb8), ([0, 0x21, 0x65, 0xb8], 0x21, nil),
            ([0, 0x57, 0x62, 0x80], 0x57, 0x28), ([0x57, 0x62, 0x80], 0x57, 0x28), ([0, 0x57, 0x45, 0x80], 0x57, nil),
            ([0, 0x21, 0x45], 0x21, nil),
        ] as [([UInt8], UInt16?, UInt8?)])
    func readsPPPProtocol(bytes: [UInt8], value: UInt16?, trafficClass: UInt8?) {
        view(bytes) { bytes in
            let field = PPPProtocolField(bytes)
            #expect(field?.value == value)
            #expect(field?.trafficClass == trafficClass)
        }
    }

    @Test(
        arguments: [([0xff, 3, 0, 0x21], 2), ([0xff], 1), ([0xff, 3], 0), ([0, 0x21], 2), ([], 0)] as [([UInt8], Int)])
    func stripsAddressAndControl(bytes: [UInt8], left: Int) {
        view(bytes) { #expect(PPPProtocolField.strippingAddressAndControl($0).count == left) }
    }

    // scapy: IP(src='198.51.100.1', dst='192.0.2.1', ttl=64, id=0)/UDP(sport=1701, dport=1701)/b'abc'
    static let datagram: [UInt8] = [
        0x45, 0, 0, 0x1f, 0, 0, 0, 0, 0x40, 0x11, 0x8e, 0x98, 0xc6, 0x33, 0x64, 1, 0xc0, 0, 2, 1,
        6, 0xa5, 6, 0xa5, 0, 0x0b, 0x41, 0xf5, 0x61, 0x62, 0x63,
    ]

    @Test func readsIPv4AndUDP() throws {
        try view(Self.datagram + [0xa5, 0xa5]) { bytes in
            let ip = try #require(IPv4Header(bytes))
            #expect(ip.length == 20 && ip.payloadProtocol == 17 && !ip.isFragment && ip.hasValidChecksum)
            #expect(
                ip.sourceInWireOrder == 0xc633_6401.bigEndian32 && ip.destinationInWireOrder == 0xc000_0201.bigEndian32)
            #expect(ip.payload.count == 11, "padding is not payload")
            let udp = try #require(UDPHeader(ip.payload))
            #expect(udp.destinationPort == 1_701 && udp.hasSoundLength && udp.hasChecksum)
            #expect(udp.hasValidChecksum(source: ip.sourceInWireOrder, destination: ip.destinationInWireOrder))
            #expect(!udp.hasValidChecksum(source: ip.sourceInWireOrder, destination: 1))
            #expect(udp.payload.count == 3)
        }
        for count in 0..<31 { view(Array(Self.datagram.prefix(count))) { #expect(IPv4Header($0) == nil) } }
    }

    @Test(arguments: [(0, 0x55), (0, 0x44), (0, 0x48), (3, 0x13), (2, 1)] as [(Int, UInt8)])
    func refusesUnsoundIPv4(offset: Int, value: UInt8) {
        var bytes = Self.datagram
        bytes[offset] = value
        view(bytes) { #expect(IPv4Header($0) == nil) }
    }

    @Test(arguments: 0..<20) func noticesABitInAnyOctetOfIPv4(offset: Int) {
        var bytes = Self.datagram
        bytes[offset] ^= 0x40
        view(bytes) { #expect(IPv4Header($0)?.hasValidChecksum != true) }
    }

    @Test(arguments: 0..<31) func sumsEveryLength(count: Int) {
        let bytes = Array(Self.datagram.prefix(count))
        var expected: UInt32 = 0
        for (index, octet) in bytes.enumerated() { expected += UInt32(octet) << (index % 2 == 0 ? 8 : 0) }
        while expected > 0xffff { expected = expected >> 16 + expected & 0xffff }
        view(bytes) { #expect(InternetChecksum.fold(InternetChecksum.sum($0)).bigEndian == UInt16(expected)) }
    }

    @Test(arguments: [
        (0 as UInt64, 0 as UInt16), (0xffff, 0xffff), (0x1_0000, 1), (.max, 0xffff), (0xffff_ffff_0001, 1),
        (0xfffe_ffff_ffff, 0xfffe),
    ])
    func foldsEveryCarry(sum: UInt64, folded: UInt16) { #expect(InternetChecksum.fold(sum) == folded) }

    /// Flags and what follows them; tunnel id, session id and octets of payload, or the fault.
    @Test(
        arguments: [
            ([0, 2, 0, 7, 0, 9, 1], [7, 9, 1], nil),
            ([0x40, 2, 0, 9, 0, 7, 0, 9, 1, 2], [7, 9, 1], nil),
            ([8, 2, 0, 7, 0, 9, 0, 0, 0, 0, 1], [7, 9, 1], nil),
            ([2, 2, 0, 7, 0, 9, 0, 2, 5, 5, 1], [7, 9, 1], nil),
            ([0x4b, 2, 0, 18, 0, 7, 0, 9, 0, 0, 0, 0, 0, 3, 5, 5, 5, 1, 2], [7, 9, 1], nil),
            ([0x35, 0xf2, 0, 7, 0, 9], [7, 9, 0], nil),
            ([0, 2, 0, 7, 0], nil, .short), ([8, 2, 0, 7, 0, 9, 0, 0, 0], nil, .short), ([0, 2], nil, .short),
            ([0x40, 2, 0, 9, 0, 7, 0, 9], nil, .length), ([0x40, 2, 0, 7, 0, 7, 0, 9], nil, .length),
            ([2, 2, 0, 7, 0, 9, 0, 1], nil, .offset), ([2, 2, 0, 7, 0, 9, 0xff, 0xff, 0], nil, .offset),
            ([0x42, 2, 0, 11, 0, 7, 0, 9, 0, 2, 1, 1], nil, .offset),
        ] as [([UInt8], [Int]?, L2TPv2DataHeader.Fault?)])
    func readsL2TPData(bytes: [UInt8], expected: [Int]?, fault: L2TPv2DataHeader.Fault?) throws {
        try view(bytes) { bytes in
            let message = try #require(L2TPv2Header(bytes))
            #expect(message.version == 2 && !message.isControl)
            var found = L2TPv2DataHeader.Fault.short
            let data = L2TPv2DataHeader(message, fault: &found)
            #expect(data.map { [Int($0.tunnelID), Int($0.sessionID), $0.payload.count] } == expected)
            if let fault { #expect(found == fault) }
        }
    }

    @Test func tellsControlFromData() {
        view([0xc8, 2]) { #expect(L2TPv2Header($0)?.isControl == true) }
        view([0xc8, 3]) { #expect(L2TPv2Header($0)?.version == 3) }
        view([0xc8]) { #expect(L2TPv2Header($0) == nil) }
    }
}

extension Int {
    /// The value in network byte order, as this machine loads it.
    fileprivate var bigEndian32: UInt32 { UInt32(self).bigEndian }
}
