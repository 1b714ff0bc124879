import Wire

/// A neighbour solicitation or advertisement (RFC 4861 sections 4.3 and 4.4).
///
///     | type = 135 or 136 | code = 0 | checksum                       |
///     | R S O reserved (0 in a solicitation)                          |
///     | target address (16)                                           |
///     | options: type (1), length in units of 8 octets (1), value ... |
struct NeighbourMessage: Equatable {
    enum Kind: UInt8 {
        case solicitation = 135
        case advertisement = 136
    }

    var kind: Kind
    /// The address that is asked for or advertised.
    var target: IPv6Address
    /// Ethernet address of the sender (solicitation) or of the target (advertisement), if said.
    var linkLayerAddress: MACAddress?
    /// Advertisement: it answers a solicitation (S).
    var isSolicited = false
    /// Advertisement: it is to replace what is known (O).
    var isOverriding = false

    static let hopLimit: UInt8 = 255
    private static let sourceLinkLayerAddress: UInt8 = 1
    private static let targetLinkLayerAddress: UInt8 = 2

    init(
        _ kind: Kind, target: IPv6Address, linkLayerAddress: MACAddress?, isSolicited: Bool = false,
        isOverriding: Bool = false
    ) {
        self.kind = kind
        self.target = target
        self.linkLayerAddress = linkLayerAddress
        self.isSolicited = isSolicited
        self.isOverriding = isOverriding
    }

    /// Reads the message in `packet`, whose ICMPv6 checksum is right, with all the checks of RFC 4861 sections 7.1.1 and
    /// 7.1.2; an option of length 0 or beyond the end spoils the whole message.
    init(parsing packet: IPv6Packet, icmp: ArraySlice<UInt8>) throws(HostCounter) {
        var reader = ByteReader(icmp)
        // A fragmented one is not to be believed (RFC 6980 section 5).
        guard packet.hopLimit == Self.hopLimit, !packet.isAtomicFragment,
            let kind = reader.readUInt8().flatMap(Kind.init), reader.readUInt8() == 0, reader.readUInt16() != nil,
            let flags = reader.readUInt32(), let target = reader.readBytes(16).flatMap({ IPv6Address($0) }),
            !target.isMulticast
        else { throw .ndMalformed }
        let wanted = kind == .solicitation ? Self.sourceLinkLayerAddress : Self.targetLinkLayerAddress
        var found: MACAddress?
        while !reader.isEmpty {
            guard let type = reader.readUInt8(), let units = reader.readUInt8(), units > 0,
                let value = reader.readBytes(Int(units) * 8 - 2)
            else { throw .ndMalformed }
            guard type == wanted, found == nil else { continue }
            // Over Ethernet it is one unit long and holds a station's address (RFC 2464 section 6).
            guard let address = MACAddress(value), !address.isMulticast, address.value != 0 else { throw .ndMalformed }
            found = address
        }
        self.init(
            kind, target: target, linkLayerAddress: found,
            isSolicited: kind == .advertisement && flags & 0x4000_0000 != 0,
            isOverriding: kind == .advertisement && flags & 0x2000_0000 != 0)
        switch kind {
        case .solicitation where packet.source == .unspecified:
            // Who has no address yet asks all that might have it, and has nothing to be answered to.
            guard packet.destination == target.solicitedNode, found == nil else { throw .ndMalformed }
        case .advertisement where packet.destination.isMulticast:
            guard !isSolicited else { throw .ndMalformed }
        default: break
        }
    }

    /// The message with its checksum, in a packet between the given addresses.
    func bytes(from source: IPv6Address, to destination: IPv6Address) -> [UInt8] {
        var writer = ByteWriter(capacity: 28)
        writer.write((isSolicited ? 0x4000_0000 : 0) | (isOverriding ? 0x2000_0000 : 0) as UInt32)
        writer.write(target.octets)
        if let linkLayerAddress {
            writer.write(kind == .solicitation ? Self.sourceLinkLayerAddress : Self.targetLinkLayerAddress)
            writer.write(1 as UInt8)
            writer.write(linkLayerAddress.octets)
        }
        return ICMPv6Message.bytes(
            type: kind.rawValue, code: 0, rest: writer.bytes, from: source, to: destination)
    }
}
