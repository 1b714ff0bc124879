import Wire

/// An IPv6 packet that passed every check of RFC 8200 which needs no knowledge of the node.
///
///     | version = 6 | traffic class | flow label      |
///     | payload length              | next | hop limit |
///     | source address (16), destination address (16)  |
///     | extension headers: next header (1), length in units of 8 octets behind the first 8 (1), ... |
struct IPv6Packet {
    static let headerLength = 40
    /// Every link takes packets of this size (RFC 8200 section 5).
    static let minimumMTU = 1_280

    enum NextHeader {
        static let hopByHop: UInt8 = 0
        static let udp: UInt8 = 17
        static let routing: UInt8 = 43
        static let fragment: UInt8 = 44
        static let authentication: UInt8 = 51
        static let icmpv6: UInt8 = 58
        static let none: UInt8 = 59
        static let destinationOptions: UInt8 = 60
    }

    /// What the headers say is to be done.
    enum Content {
        /// Hand `payload` to this protocol. `field` is where the packet says which it is, an offset from the packet's start.
        case payload(protocol: UInt8, payload: ArraySlice<UInt8>, field: UInt32)
        /// Tell the sender that the octet at this offset is at fault (RFC 4443 section 3.4). `evenToGroups`: as well where the
        /// destination is a multicast group.
        case problem(code: UInt8, pointer: UInt32, evenToGroups: Bool)
    }

    var trafficClass: UInt8
    var hopLimit: UInt8
    var source: IPv6Address
    var destination: IPv6Address
    /// The whole packet, as long as the payload length says; Ethernet's padding is not part of it.
    var bytes: ArraySlice<UInt8>
    var content: Content
    /// Whether it is the only fragment of itself (RFC 6946).
    var isAtomicFragment: Bool

    /// Reads a packet from the front of `bytes`, which may be longer than its payload length.
    init(parsing bytes: ArraySlice<UInt8>) throws(HostCounter) {
        var reader = ByteReader(bytes)
        guard let first = reader.readUInt32(), first >> 28 == 6, let length = reader.readUInt16().map(Int.init),
            let next = reader.readUInt8(), let hopLimit = reader.readUInt8(),
            let source = reader.readBytes(16).flatMap({ IPv6Address($0) }),
            let destination = reader.readBytes(16).flatMap({ IPv6Address($0) }), length <= reader.count
        else { throw .ipv6Malformed }
        trafficClass = UInt8(truncatingIfNeeded: first >> 20)
        self.hopLimit = hopLimit
        self.source = source
        self.destination = destination
        self.bytes = bytes.prefix(Self.headerLength + length)
        var headers = IPv6ExtensionHeaders(first: next, bytes: self.bytes.dropFirst(Self.headerLength))
        content = try headers.walk()
        isAtomicFragment = headers.isAtomicFragment
    }

    /// Whether it carries a neighbour solicitation or advertisement, the only messages that another station with one of our
    /// addresses is to be heard by.
    var isNeighbourDiscovery: Bool {
        guard case .payload(NextHeader.icmpv6, let payload, _) = content, let type = payload.first else { return false }
        return type == ICMPv6Message.neighbourSolicitation || type == ICMPv6Message.neighbourAdvertisement
    }

    /// A packet without extension headers. `payload` must leave room in 65,535.
    static func bytes(
        from source: IPv6Address, to destination: IPv6Address, protocol number: UInt8, trafficClass: UInt8,
        hopLimit: UInt8 = 64, payload: [UInt8]
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: headerLength + payload.count)
        writer.write(6 << 28 | UInt32(trafficClass) << 20)
        writer.write(UInt16(clamping: payload.count))
        writer.write(number)
        writer.write(hopLimit)
        writer.write(source.octets)
        writer.write(destination.octets)
        writer.write(payload)
        return writer.bytes
    }
}
