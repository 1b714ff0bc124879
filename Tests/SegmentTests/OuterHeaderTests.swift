import CSegment
import Segment
import Testing
import Wire

/// A header of the table below. The bytes were made with scapy 2.5 and are patched fields set to 0; the sums are of
/// little-endian words of those bytes.
struct OuterHeaderCase: Sendable {
    let header: OuterHeader
    let bytes: String
    let ipSum: UInt32
    let pseudoSum: UInt32
    let flags: UInt8
}

func address(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> IPv4Address {
    IPv4Address(value: a << 24 | b << 16 | c << 8 | d)
}

let testEndpoints = TunnelEndpoints(
    localAddress: address(192, 0, 2, 1), peerAddress: address(192, 0, 2, 2), peerTunnelID: 0x1234, port: 1)
let testHeader = OuterHeader(
    endpoints: testEndpoints, egressPort: 1, sourceMAC: MACAddress(value: 0x5e00_5301),
    destinationMAC: MACAddress(value: 0x5e00_5302))

let testEndpointsOverIPv6 = TunnelEndpoints(
    addresses: .ipv6(
        local: IPv6Address(high: 0x2001_0db8_0000_0000, low: 1),
        peer: IPv6Address(high: 0x2001_0db8_0006_0000, low: 0x401)), peerTunnelID: 0x1234, port: 1)

@Suite struct OuterHeaderTests {
    @Test func endsAreOfOneFamily() {
        let (four, six) = (IPAddress.v4(address(192, 0, 2, 1)), IPAddress.v6(.unspecified))
        #expect(TunnelEndpoints(localAddress: four, peerAddress: six, peerTunnelID: 1, port: 1) == nil)
        #expect(TunnelEndpoints(localAddress: six, peerAddress: four, peerTunnelID: 1, port: 1) == nil)
        #expect(TunnelEndpoints(localAddress: four, peerAddress: four, peerTunnelID: 1, port: 1)?.isIPv6 == false)
        let ends = TunnelEndpoints(localAddress: six, peerAddress: six, peerTunnelID: 1, port: 1)
        #expect(ends?.isIPv6 == true && ends?.localAddress == six && ends?.peerAddress == six)
    }

    @Test func checksumIsWantedOverIPv6Alone() {
        #expect(testHeader.computesChecksum == false)
        var header = OuterHeader(
            endpoints: testEndpointsOverIPv6, egressPort: 1, sourceMAC: testHeader.sourceMAC, destinationMAC: nil)
        #expect(header.computesChecksum)
        header.computesChecksum = false
        #expect(UInt32(header.template.flags) & UInt32(CULVERT_TEMPLATE_UDP_CHECKSUM) == 0)
    }

    static let cases = [
        OuterHeaderCase(
            header: testHeader,
            bytes: "00005e00530200005e0053010800450000000000000040110000c0000201c0000202"
                + "06a506a5000000004002000012340000ff03",
            ipSum: 0x1609, pseudoSum: 0x1584, flags: 1 | 8),
        OuterHeaderCase(
            header: OuterHeader(
                endpoints: TunnelEndpoints(
                    localAddress: address(10, 1, 2, 3), peerAddress: address(198, 51, 100, 7), peerPort: 40_000,
                    peerTunnelID: 1, port: 1),
                egressPort: 2, sourceMAC: MACAddress(value: 0x5e00_5301),
                destinationMAC: MACAddress(value: 0x5e00_5302), mtu: 9_000, timeToLive: 255, typeOfService: 0xb8,
                doNotFragment: true, hasLengthField: false, computesChecksum: true),
            bytes: "00005e00530200005e005301080045b8000000004000ff1100000a010203c6336407"
                + "06a59c4000000000000200010000ff03",
            ipSum: 0x09bb, pseudoSum: 0x5036, flags: 2 | 8),
        OuterHeaderCase(
            header: OuterHeader(
                endpoints: TunnelEndpoints(
                    localAddress: address(192, 0, 2, 1), peerAddress: address(203, 0, 113, 9), localPort: 1_702,
                    peerTunnelID: 65_535, port: 1),
                egressPort: 1, sourceMAC: MACAddress(value: 0x5e00_5301),
                destinationMAC: MACAddress(value: 0x5e00_5302), tag: 0x6064, inheritsTypeOfService: true,
                doNotFragment: true),
            bytes: "00005e00530200005e005301810060640800450000000000400040110000c0000201cb007109"
                + "06a606a50000000040020000ffff0000ff03",
            ipSum: 0x1dc3, pseudoSum: 0x1cfe, flags: 1 | 4 | 8),
        OuterHeaderCase(
            header: OuterHeader(
                endpoints: testEndpointsOverIPv6, egressPort: 1, sourceMAC: MACAddress(value: 0x0200_0000_0002),
                destinationMAC: MACAddress(value: 0x0200_0000_0e01), timeToLive: 33, typeOfService: 0xb8,
                fragments: true, tellsInside: true, offsetPad: 200),
            bytes: "020000000e0102000000000286dd6b8000000000112120010db800000000000000000000000120010db800060000"
                + "000000000000040106a506a5000000004002000012340000ff03",
            ipSum: 0, pseudoSum: 0x8b5f, flags: 1 | 2 | 8 | 16 | 32 | 64),
    ]

    @Test(arguments: cases)
    func templateIsWhatScapyMakes(_ expected: OuterHeaderCase) {
        let template = expected.header.template
        let length = Int(template.length)
        #expect(length == expected.bytes.count / 2)
        let bytes = withUnsafeBytes(of: template.bytes) { Array($0) }
        #expect(hexText(bytes.suffix(length)) == expected.bytes)
        #expect(bytes.dropLast(length).allSatisfy { $0 == 0 })
        #expect(template.l2_length == (expected.header.tag == nil ? 14 : 18))
        #expect(template.l3_length == (expected.header.endpoints.isIPv6 ? 40 : 20))
        #expect(template.offset_pad == expected.header.offsetPad ?? 0)
        #expect(template.ip_sum == expected.ipSum)
        #expect(template.pseudo_sum == expected.pseudoSum)
        #expect(template.flags == expected.flags)
        #expect(template.port == expected.header.egressPort)
        #expect(template.mtu == expected.header.mtu)
    }

    @Test func unresolvedNextHopIsNotReady() {
        var header = testHeader
        header.destinationMAC = nil
        #expect(UInt32(header.template.flags) & UInt32(CULVERT_TEMPLATE_READY) == 0)
        #expect(header.bytes.prefix(6).allSatisfy { $0 == 0 })
    }
}

/// Bytes as hexadecimal digits.
func hexText(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
