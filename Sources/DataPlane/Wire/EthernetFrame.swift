/// A whole Ethernet frame as the control plane handles it: addresses, up to two VLAN tags, EtherType and payload.
///
///     +-----------------+-----------------+-- 802.1Q/802.1ad, 0 to 2 --+-----------+---------+
///     | destination (6) | source (6)      | TPID (2)  TCI (2)          | type (2)  | payload |
///     +-----------------+-----------------+----------------------------+-----------+---------+
///
/// The forwarding path does not use it: it reads headers in place.
public struct EthernetFrame: Hashable, Sendable {
    /// A tag in front of the EtherType (IEEE 802.1Q-2018, 9.3).
    public struct VLANTag: Hashable, Sendable {
        /// Tag protocol identifier: 0x8100 (C-tag) or 0x88a8 (S-tag).
        public var protocolID: UInt16
        /// VLAN identifier, 0 to 4,095.
        public var id: UInt16
        /// Priority code point and drop eligibility, the upper four bits of the TCI shifted down.
        public var priority: UInt8

        /// A tag with VLAN identifier `id` (its low 12 bits count).
        public init(protocolID: UInt16 = 0x8100, id: UInt16, priority: UInt8 = 0) {
            self.protocolID = protocolID
            self.id = id & 0x0fff
            self.priority = priority & 0x0f
        }
    }

    /// EtherType of IPv4 (RFC 894).
    public static let typeIPv4: UInt16 = 0x0800
    /// EtherType of ARP (RFC 826).
    public static let typeARP: UInt16 = 0x0806
    /// EtherType of IPv6 (RFC 2464).
    public static let typeIPv6: UInt16 = 0x86dd

    /// Destination address.
    public var destination: MACAddress
    /// Source address.
    public var source: MACAddress
    /// Outer tag first; at most two.
    public var tags: [VLANTag]
    /// EtherType of the payload.
    public var etherType: UInt16
    /// What follows the EtherType, padding of short frames included.
    public var payload: ArraySlice<UInt8>

    /// A frame of the given parts.
    public init(
        destination: MACAddress, source: MACAddress, tags: [VLANTag] = [], etherType: UInt16,
        payload: some Sequence<UInt8>
    ) {
        self.destination = destination
        self.source = source
        self.tags = tags
        self.etherType = etherType
        self.payload = ArraySlice(payload)
    }

    /// Takes a received frame apart; nil when it ends before the EtherType. A third tag is left in the payload, with its
    /// TPID as the EtherType.
    public init?(_ bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(bytes)
        guard let destination = reader.readBytes(6).flatMap({ MACAddress($0) }),
            let source = reader.readBytes(6).flatMap({ MACAddress($0) }), var type = reader.readUInt16()
        else { return nil }
        var tags: [VLANTag] = []
        while tags.count < 2, type == 0x8100 || type == 0x88a8 {
            guard let control = reader.readUInt16(), let next = reader.readUInt16() else { return nil }
            tags.append(VLANTag(protocolID: type, id: control, priority: UInt8(control >> 12)))
            type = next
        }
        self.destination = destination
        self.source = source
        self.tags = tags
        etherType = type
        payload = reader.readRemaining()
    }

    /// The frame's bytes, padded with zeros to Ethernet's minimum of 60 (without FCS).
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: max(60, 22 + payload.count))
        writer.write(destination.octets)
        writer.write(source.octets)
        for tag in tags {
            writer.write(tag.protocolID)
            writer.write(UInt16(tag.priority) << 12 | tag.id)
        }
        writer.write(etherType)
        writer.write(payload)
        if writer.count < 60 { writer.write(repeatElement(0, count: 60 - writer.count)) }
        return writer.bytes
    }
}
