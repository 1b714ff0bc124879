import Wire

/// An IP packet as far as it is there: one that an ICMP error quotes, or one that was cut. Its header is whole; what follows may
/// be missing.
struct QuotedPacket {
    var source: IPAddress
    var destination: IPAddress
    /// Octets of the whole packet, as its header says.
    var totalLength: Int
    /// Whether it is whole or the first of its fragments.
    var isFirst = true
    /// Whether routers must not fragment it: as IPv4's DF bit says, and always in IPv6.
    var doNotFragment = true
    /// What it carries; nil when the headers that would say so are missing or not to be read.
    var protocolNumber: UInt8?
    /// What is there of that.
    var payload: ArraySlice<UInt8> = []

    /// Reads a packet from the front of `bytes`, which may be shorter or longer than its total length.
    init?(parsing bytes: ArraySlice<UInt8>) {
        switch bytes.first.map({ $0 >> 4 }) {
        case 4: self.init(ipv4: bytes)
        case 6: self.init(ipv6: bytes)
        default: return nil
        }
    }

    private init?(ipv4 bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(bytes)
        guard let first = reader.readUInt8(), reader.readUInt8() != nil,
            let totalLength = reader.readUInt16().map(Int.init), reader.readUInt16() != nil,
            let fragment = reader.readUInt16(), reader.readUInt8() != nil, let number = reader.readUInt8(),
            reader.readUInt16() != nil, let source = reader.readUInt32(), let destination = reader.readUInt32()
        else { return nil }
        let headerLength = Int(first & 15) * 4
        guard headerLength >= IPv4Packet.headerLength, headerLength <= bytes.count, headerLength <= totalLength else {
            return nil
        }
        self.source = .v4(IPv4Address(value: source))
        self.destination = .v4(IPv4Address(value: destination))
        self.totalLength = totalLength
        isFirst = fragment & 0x1fff == 0
        doNotFragment = fragment & 0x4000 != 0
        protocolNumber = number
        payload = bytes.prefix(totalLength).dropFirst(headerLength)
    }

    private init?(ipv6 bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(bytes)
        guard reader.readUInt32() != nil, let length = reader.readUInt16().map(Int.init),
            var next = reader.readUInt8(), reader.readUInt8() != nil,
            let source = reader.readBytes(16).flatMap({ IPv6Address($0) }),
            let destination = reader.readBytes(16).flatMap({ IPv6Address($0) })
        else { return nil }
        self.source = .v6(source)
        self.destination = .v6(destination)
        totalLength = IPv6Packet.headerLength + length
        payload = reader.remaining.prefix(length)
        // As many extension headers as any sender has a use for; behind more, nothing is believed.
        for _ in 0..<8 {
            guard let octets = Self.lengthOfExtensionHeader(next, payload) else {
                protocolNumber = next
                return
            }
            guard let following = payload.first, payload.count >= octets else {
                payload = []
                return
            }
            if next == IPv6Packet.NextHeader.fragment {
                let header = payload.prefix(8)
                isFirst = header[header.startIndex + 2] == 0 && header[header.startIndex + 3] & 0xf8 == 0
            }
            payload = payload.dropFirst(octets)
            next = following
            guard isFirst else { return }
        }
        payload = []
    }

    /// Octets of the extension header of type `next` at the front of `bytes`; nil when that is no extension header.
    private static func lengthOfExtensionHeader(_ next: UInt8, _ bytes: ArraySlice<UInt8>) -> Int? {
        let units = Int(bytes.dropFirst().first ?? 0)
        switch next {
        case IPv6Packet.NextHeader.hopByHop, IPv6Packet.NextHeader.destinationOptions, IPv6Packet.NextHeader.routing:
            return 8 + 8 * units
        case IPv6Packet.NextHeader.fragment: return 8
        case IPv6Packet.NextHeader.authentication: return 8 + 4 * units
        default: return nil
        }
    }

    /// Whether it is an ICMP error, in answer to which no ICMP error may be sent (RFC 1122 section 3.2.2, RFC 4443 section 2.4);
    /// so is taken what might be one.
    var mayBeICMPError: Bool {
        guard let protocolNumber else { return true }
        switch (source, protocolNumber) {
        case (.v4, IPv4Packet.ProtocolNumber.icmp): return payload.first.map(ICMPMessage.isError) ?? true
        case (.v6, IPv6Packet.NextHeader.icmpv6): return payload.first.map(ICMPv6Message.isError) ?? true
        default: return false
        }
    }
}
