import Wire

/// One end of a UDP exchange.
public struct UDPEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// The end's address.
    public var address: IPv4Address
    /// The end's port, host byte order.
    public var port: UInt16

    /// The end at `address` and `port`.
    public init(_ address: IPv4Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    /// `192.0.2.1:1701`
    public var description: String { "\(address):\(port)" }
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

    /// Reads the datagram in `packet`, checking length and, unless the sender left it out, checksum.
    init(parsing packet: IPv4Packet, interface: UInt16) throws(HostCounter) {
        var reader = ByteReader(packet.payload)
        guard let sourcePort = reader.readUInt16(), let destinationPort = reader.readUInt16(),
            let length = reader.readUInt16(), let checksum = reader.readUInt16(),
            length >= Self.headerLength, let payload = reader.readBytes(Int(length) - Self.headerLength)
        else { throw .udpMalformed }
        if checksum != 0 {
            var sum = ChecksumAccumulator()
            sum.addPseudoHeader(
                source: packet.source, destination: packet.destination, protocol: IPv4Packet.ProtocolNumber.udp,
                length: length)
            sum.add(packet.payload.prefix(Int(length)))
            guard sum.value == 0 else { throw .udpChecksumWrong }
        }
        source = UDPEndpoint(packet.source, sourcePort)
        destination = UDPEndpoint(packet.destination, destinationPort)
        self.interface = interface
        self.payload = payload
    }

    /// A datagram with its checksum, which is never sent as 0 (0 means "none", 0xffff is the same sum).
    static func bytes(from source: UDPEndpoint, to destination: UDPEndpoint, payload: [UInt8]) -> [UInt8] {
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
            length: length)
        checksum.add(writer.bytes)
        writer.patch(checksum.value == 0 ? 0xffff : checksum.value, at: 6)
        return writer.bytes
    }
}
