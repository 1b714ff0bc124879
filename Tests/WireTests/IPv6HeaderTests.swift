import Glibc
import Testing
import Wire

/// The IPv6 header's view on bytes as scapy has them, and sums over long and awkwardly placed runs.
@Suite struct IPv6HeaderTests {
    /// An L2TP message over UDP over IPv6, from 2001:db8:6::401 to 2001:db8::1, as scapy makes it.
    static let packet: [UInt8] = {
        let text =
            "600000000037114020010db800060000000000000000040120010db800000000000000000000000106a506a500375356"
            + "4002002f00070009ff03002145b80023000100004001661f0a0000020a00000108004e990007000163756c76657274"
        let digits = text.utf8.map { UInt8($0 > 0x39 ? $0 - 0x57 : $0 - 0x30) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }()

    private func view<Result>(_ bytes: [UInt8], _ body: (FrameBytes) throws -> Result) rethrows -> Result {
        try (bytes + [0xee]).withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { fatalError("an array of one octet has an address") }
            return try body(FrameBytes(start, count: bytes.count))
        }
    }

    @Test func readsIPv6AndUDP() throws {
        try view(Self.packet + [0xa5, 0xa5]) { bytes in
            let ip = try #require(IPv6Header(bytes))
            #expect(ip.nextHeader == IPv6Header.udp && !ip.hasExtensionHeader)
            #expect(ip.source.description == "2001:db8:6::401")
            #expect(ip.destination.description == "2001:db8::1")
            #expect(ip.destinationInWireOrder.0.bigEndian == ip.destination.high)
            #expect(ip.destinationInWireOrder.1.bigEndian == ip.destination.low)
            #expect(ip.payload.count == 55, "padding is not payload")
            let udp = try #require(UDPHeader(ip.payload))
            #expect(udp.hasChecksum && udp.hasValidChecksum(pseudoHeaderSum: ip.udpPseudoHeaderSum))
            #expect(!udp.hasValidChecksum(pseudoHeaderSum: ip.udpPseudoHeaderSum + 1))
            let message = try #require(L2TPv2Header(udp.payload))
            #expect(message.tunnelID == 7)
        }
        for count in 0..<Self.packet.count { view(Array(Self.packet.prefix(count))) { #expect(IPv6Header($0) == nil) } }
    }

    @Test(arguments: [(0, 0x45), (0, 0x70), (4, 0x01), (5, 0x38)] as [(Int, UInt8)])
    func refusesUnsoundIPv6(offset: Int, value: UInt8) {
        var bytes = Self.packet
        bytes[offset] = value
        view(bytes) { #expect(IPv6Header($0) == nil) }
    }

    @Test(arguments: 0...255 as ClosedRange<UInt8>) func knowsExtensionHeaders(value: UInt8) {
        var bytes = Self.packet
        bytes[6] = value
        let known: Set<UInt8> = [0, 43, 44, 50, 51, 60, 135, 139, 140]
        view(bytes) { #expect(IPv6Header($0)?.hasExtensionHeader == known.contains(value)) }
    }

    @Test(
        arguments: [
            ([0x40, 2, 0, 8, 1, 2], 0x102), ([0x40, 2, 0, 8, 1], nil), ([0, 2, 1, 2], 0x102), ([0, 2, 1], nil),
        ]
            as [([UInt8], UInt16?)])
    func readsTunnelIDs(bytes: [UInt8], id: UInt16?) throws {
        try view(bytes) {
            let message = try #require(L2TPv2Header($0))
            #expect(message.tunnelID == id)
        }
    }

    /// Bytes that end where a page ends behind which nothing can be read, from every place in a word on.
    @Test func sumsEveryLengthAndReadsNoFurther() throws {
        let page = 4_096
        let room = try #require(
            mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(room, 2 * page) }
        #expect(mprotect(room + page, page, PROT_NONE) == 0)
        for index in 0..<page {
            // All ones here and there, so that carries run through.
            let octet = index / 700 % 2 == 0 ? 0xff : UInt8(truncatingIfNeeded: index &* 151 &+ index >> 5)
            room.storeBytes(of: octet, toByteOffset: index, as: UInt8.self)
        }
        for count in Array(0...300) + [511, 512, 513, 1_399, 1_400, 1_401, 2_047, 4_095, 4_096] {
            let start = room + (page - count)
            var expected: UInt64 = 0
            for index in 0..<count {
                let octet = UInt64(start.load(fromByteOffset: index, as: UInt8.self))
                expected += index % 2 == 0 ? octet << 8 : octet
            }
            while expected > 0xffff { expected = expected >> 16 + expected & 0xffff }
            let bytes = FrameBytes(UnsafeRawPointer(start), count: count)
            #expect(InternetChecksum.fold(InternetChecksum.sum(bytes)).bigEndian == UInt16(expected), "\(count)")
            #expect(InternetChecksum.sumOutOfLine(bytes) == InternetChecksum.sum(bytes))
        }
    }
}
