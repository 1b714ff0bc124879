import Wire

/// An IPv4 packet that passed every check of RFC 791 and RFC 1122 section 3.2.1 which needs no knowledge of the node.
///
///     | version = 4 | IHL | type of service | total length            |
///     | identification                      | flags | fragment offset |
///     | time to live | protocol             | header checksum         |
///     | source address, destination address, options                  |
package struct IPv4Packet {
    static let headerLength = 20

    package var typeOfService: UInt8
    package var protocolNumber: UInt8
    package var source: IPv4Address
    package var destination: IPv4Address
    /// The whole packet, as long as the total length says; Ethernet's padding is not part of it.
    package var bytes: ArraySlice<UInt8>
    /// What follows the header with its options.
    package var payload: ArraySlice<UInt8>

    package enum ProtocolNumber {
        package static let icmp: UInt8 = 1
        package static let udp: UInt8 = 17
    }

    /// Reads a packet from the front of `bytes`, which may be longer than its total length.
    package init(parsing bytes: ArraySlice<UInt8>) throws(HostCounter) {
        var reader = ByteReader(bytes)
        guard let versionAndLength = reader.readUInt8(), versionAndLength >> 4 == 4 else { throw .ipv4Malformed }
        let headerLength = Int(versionAndLength & 15) * 4
        guard headerLength >= Self.headerLength, headerLength <= bytes.count,
            let typeOfService = reader.readUInt8(), let totalLength = reader.readUInt16().map(Int.init),
            totalLength >= headerLength, totalLength <= bytes.count, reader.readUInt16() != nil,
            let fragment = reader.readUInt16(), reader.readUInt8() != nil, let number = reader.readUInt8(),
            reader.readUInt16() != nil, let source = reader.readUInt32(), let destination = reader.readUInt32()
        else { throw .ipv4Malformed }
        var checksum = ChecksumAccumulator()
        checksum.add(bytes.prefix(headerLength))
        guard checksum.value == 0 else { throw .ipv4ChecksumWrong }
        // More-fragments flag or an offset: reassembly is not this stack's business.
        guard fragment & 0x3fff == 0 else { throw .ipv4Fragment }
        self.typeOfService = typeOfService
        protocolNumber = number
        self.source = IPv4Address(value: source)
        self.destination = IPv4Address(value: destination)
        self.bytes = bytes.prefix(totalLength)
        payload = self.bytes.dropFirst(headerLength)
    }

    /// A packet without options, time to live 64, may be fragmented on its way. `payload` must leave room in 65,535.
    package static func bytes(
        from source: IPv4Address, to destination: IPv4Address, protocol number: UInt8, typeOfService: UInt8,
        identification: UInt16, payload: [UInt8]
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: headerLength + payload.count)
        writer.write(0x45 as UInt8)
        writer.write(typeOfService)
        writer.write(UInt16(clamping: headerLength + payload.count))
        writer.write(identification)
        writer.write(0 as UInt16)
        writer.write(64 as UInt8)
        writer.write(number)
        writer.write(0 as UInt16)
        writer.write(source.octets)
        writer.write(destination.octets)
        var checksum = ChecksumAccumulator()
        checksum.add(writer.bytes)
        writer.patch(checksum.value, at: 10)
        writer.write(payload)
        return writer.bytes
    }
}
