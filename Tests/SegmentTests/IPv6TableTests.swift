import CSegment
import Segment
import Testing
import Wire

/// Tunnels and ports over IPv6 as the table's writer writes and lists them.
@Suite struct IPv6TableTests {
    private func six(_ last: UInt64) -> IPv6Address { IPv6Address(high: 0x2001_0db8_0000_0000, low: last) }

    @Test func portsHaveIPv6Addresses() throws {
        let bed = try Bed()
        let port = bed.view.ports + 1
        func list() -> [UInt8] {
            withUnsafeBytes(of: port.pointee.local_ipv6) { Array($0.prefix(16 * Int(port.pointee.ipv6_address_count))) }
        }
        try bed.writer.configurePort(1, roles: .core, addresses: [], ipv6Addresses: [six(1), six(2)])
        #expect(port.pointee.ipv6_address_count == 2)
        #expect(list() == six(1).octets + six(2).octets)
        try bed.writer.configurePort(1, roles: .core, addresses: [], ipv6Addresses: [six(1), six(3), six(4)])
        #expect(list() == six(1).octets + six(3).octets + six(4).octets)
        try bed.writer.configurePort(1, roles: .core, addresses: [address(10, 0, 0, 1)], ipv6Addresses: [six(4)])
        #expect(list() == six(4).octets && port.pointee.address_count == 1)
        try bed.writer.configurePort(1, roles: .core, addresses: [])
        #expect(port.pointee.ipv6_address_count == 0)
        let nine = (0..<9).map { six($0) }
        #expect(
            try tableError { try bed.writer.configurePort(1, roles: [], addresses: [], ipv6Addresses: nine) }
                == .tooManyAddresses(9))
    }

    @Test func tunnelsAreListedAsTheyWerePublished() throws {
        let bed = try Bed()
        var header = OuterHeader(
            endpoints: testEndpointsOverIPv6, egressPort: 1, sourceMAC: testHeader.sourceMAC,
            destinationMAC: testHeader.destinationMAC, mtu: 1_400, typeOfService: 0xb8, fragments: true,
            tellsInside: true, offsetPad: 0, computesChecksum: false, acceptsZeroChecksum: true)
        let id = try bed.writer.allocateTunnel(owner: .external)
        try bed.writer.publishTunnel(id, header: header)
        let entry = bed.view.tunnels + Int(id.rawValue)
        #expect(entry.pointee.family == 6)
        #expect(entry.pointee.flags == UInt8(CULVERT_TUNNEL_ZERO_CHECKSUM))
        let ends = testEndpointsOverIPv6
        #expect(withUnsafeBytes(of: entry.pointee.peer_address) { Array($0) } == ends.peerAddress.octets)
        #expect(withUnsafeBytes(of: entry.pointee.local_address) { Array($0) } == ends.localAddress.octets)
        let record = try #require(bed.writer.tunnel(id))
        #expect(record.endpoints == ends)
        #expect(record.typeOfService == 0xb8)
        #expect(record.acceptsZeroChecksum && !record.computesChecksum)
        #expect(record.fragments && record.tellsInside && !record.doNotFragment)
        #expect(record.offsetPad == 0)
        header.acceptsZeroChecksum = false
        header.offsetPad = nil
        header.fragments = false
        try bed.writer.updateTemplate(id, header: header)
        #expect(entry.pointee.flags == 0)
        let changed = try #require(bed.writer.tunnel(id))
        #expect(!changed.acceptsZeroChecksum && !changed.fragments && changed.offsetPad == nil)
        header.endpoints = testEndpoints
        #expect(try tableError { try bed.writer.updateTemplate(id, header: header) } == .otherEndpoints(id))
    }

    @Test func theDontFragmentBitIsListed() throws {
        let bed = try Bed()
        var header = testHeader
        header.doNotFragment = true
        let id = try bed.writer.allocateTunnel(owner: .external)
        try bed.writer.publishTunnel(id, header: header)
        #expect(bed.writer.tunnel(id)?.doNotFragment == true)
    }
}
