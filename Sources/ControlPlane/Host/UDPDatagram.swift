import Wire

/// One end of a UDP exchange.
public struct UDPEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// The end's address.
    public var address: IPAddress
    /// The end's port, host byte order.
    public var port: UInt16

    /// The end at `address` and `port`.
    public init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    /// `192.0.2.1:1701`, `[2001:db8::1]:1701`
    public var description: String { address.text(port: port) }
}

/// A UDP datagram (RFC 768) that came for this node.
///
///     | source port | destination port |
///     | length      | checksum         |
public struct UDPDatagram: Equatable, Sendable {
    /// Who sent it.
    public var source: UDPEndpoint
    /// The node's own address and port that it was sent to.
    public var destination: UDPEndpoint
    /// The segment's port that it came in by.
    public var interface: UInt16
    /// What follows the UDP header, by the UDP length.
    public var payload: ArraySlice<UInt8>

    static let headerLength = 8

    /// Reads the datagram in an IP packet's payload, checking length and checksum. A sender may leave the checksum out over
    /// IPv4 but not over IPv6 (RFC 8200 section 8.1).
    package init(
        parsing bytes: ArraySlice<UInt8>, from source: IPAddress, to destination: IPAddress, interface: UInt16
    ) throws(HostCounter) {
        var reader = ByteReader(bytes)
        guard let sourcePort = reader.readUInt16(), let destinationPort = reader.readUInt16(),
            let length = reader.readUInt16(), let checksum = reader.readUInt16(),
            length >= Self.headerLength, let payload = reader.readBytes(Int(length) - Self.headerLength)
        else { throw .udpMalformed }
        if checksum != 0 {
            var sum = ChecksumAccumulator()
            sum.addPseudoHeader(
                source: source, destination: destination, protocol: IPv4Packet.ProtocolNumber.udp,
                length: UInt32(length))
            sum.add(bytes.prefix(Int(length)))
            guard sum.value == 0 else { throw .udpChecksumWrong }
        } else if source.ipv6 != nil {
            throw .udpChecksumMissing
        }
        self.source = UDPEndpoint(source, sourcePort)
        self.destination = UDPEndpoint(destination, destinationPort)
        self.interface = interface
        self.payload = payload
    }

    /// A datagram with its checksum, which is never sent as 0 (0 means "none", 0xffff is the same sum).
    package static func bytes(from source: UDPEndpoint, to destination: UDPEndpoint, payload: [UInt8]) -> [UInt8] {
        let length = UInt16(clamping: headerLength + payload.count)
        var writer = ByteWriter(capacity: Int(length))
        writer.write(source.port)
        writer.write(destination.port)
        writer.write(length)
        writer.write(0 as UInt16)
        writer.write(payload)
        var checksum = ChecksumAccumulator()
        checksum.addPseudoHeader(
            source: source.address, destination: destination.address, protocol: IPv4Packet.ProtocolNumber.udp,
            length: UInt32(length))
        checksum.add(writer.bytes)
        writer.patch(checksum.value == 0 ? 0xffff : checksum.value, at: 6)
        return writer.bytes
    }
}
