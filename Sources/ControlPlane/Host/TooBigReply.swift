import Wire

/// The answer to a PPPoE client whose packet does not fit in its tunnel: ICMP destination unreachable, fragmentation needed
/// (RFC 792, RFC 1191 section 4, RFC 1812 section 4.3.2), or ICMPv6 packet too big (RFC 4443 section 3.2), in a PPPoE session frame.
///
///     Ethernet [tags] PPPoE PPP | IP  node -> client | ICMP: MTU, the client's packet as far as it may be quoted
public struct TooBigReply: Sendable {
    /// The source of IPv4 answers from a node that has no address to give: RFC 7600 section 4.8, IANA's "IPv4 dummy address".
    public static let dummyIPv4Address = IPv4Address(value: 0xc000_0008)

    /// Source of IPv4 answers.
    public var ipv4Source: IPv4Address
    /// Source of IPv6 answers; a link-local one reaches no host behind the client.
    public var ipv6Source: IPv6Address

    /// Answers from these addresses.
    public init(ipv4Source: IPv4Address = TooBigReply.dummyIPv4Address, ipv6Source: IPv6Address) {
        self.ipv4Source = ipv4Source
        self.ipv6Source = ipv6Source
    }

    /// The frame to send back by the port that `frame` came by.
    ///
    /// - Parameters:
    ///   - frame: a PPPoE session frame from a client: Ethernet, tags, PPPoE, PPP; of any content, and cut after any octet.
    ///   - largestPPPFrame: octets of the longest PPP frame, from the protocol field on, that would have passed.
    ///   - identification: of an IPv4 answer, host byte order.
    /// - Throws: why nothing is to be said, to be counted.
    public func frame(
        answering frame: [UInt8], largestPPPFrame: UInt32, identification: UInt16
    ) throws(HostCounter) -> [UInt8] {
        guard let ethernet = EthernetFrame(frame[...]), ethernet.etherType == EtherType.pppoeSession,
            !ethernet.source.isMulticast, !ethernet.destination.isMulticast
        else { throw .tooBigMalformed }
        var reader = ByteReader(ethernet.payload)
        guard reader.readUInt16() == 0x1100, let session = reader.readUInt16(),
            let length = reader.readUInt16().map(Int.init), let (ppp, protocolLength) = Self.protocolField(&reader),
            length >= protocolLength
        else { throw .tooBigMalformed }
        let information = reader.remaining.prefix(length - protocolLength)
        let version = information.first.map { $0 >> 4 }
        guard (ppp == PPPProtocolField.ipv4 && version == 4) || (ppp == PPPProtocolField.ipv6 && version == 6) else {
            throw .tooBigNotIP
        }
        guard let packet = QuotedPacket(parsing: information), packet.totalLength <= length - protocolLength else {
            throw .tooBigMalformed
        }
        let mtu = Int(clamping: largestPPPFrame) - protocolLength
        try judge(packet, mtu: mtu)
        let answer = try answer(
            to: packet, information.prefix(packet.totalLength), mtu: mtu, identification: identification)

        var writer = ByteWriter(capacity: answer.count + 8)
        writer.write(0x1100 as UInt16)
        writer.write(session)
        writer.write(UInt16(clamping: answer.count + 2))
        writer.write(ppp)
        writer.write(answer)
        return EthernetFrame(
            destination: ethernet.source, source: ethernet.destination, tags: ethernet.tags,
            etherType: EtherType.pppoeSession, payload: writer.bytes
        ).bytes
    }

    /// The PPP protocol field, one octet long where it was compressed (RFC 1661 section 6.5), and its length.
    private static func protocolField(_ reader: inout ByteReader) -> (UInt16, Int)? {
        guard let first = reader.readUInt8() else { return nil }
        guard first & 1 == 0 else { return (UInt16(first), 1) }
        return reader.readUInt8().map { (UInt16(first) << 8 | UInt16($0), 2) }
    }

    /// Refuses what no answer is due to (RFC 1812 section 4.3.2.7, RFC 4443 section 2.4 (e)).
    private func judge(_ packet: QuotedPacket, mtu: Int) throws(HostCounter) {
        guard packet.totalLength > mtu else { throw .tooBigFits }
        guard packet.source.isUnicast, packet.source != .v4(ipv4Source), packet.source != .v6(ipv6Source) else {
            throw .tooBigSourceInvalid
        }
        guard packet.doNotFragment else { throw .tooBigFragmentable }
        guard packet.isFirst else { throw .tooBigFragment }
        guard !packet.mayBeICMPError else { throw .tooBigIsError }
        // Who sends to an IPv6 group is told all the same (RFC 4443 section 2.4 (e.3)).
        guard packet.destination.isUnicast || packet.destination.ipv6?.isMulticast == true else {
            throw .tooBigSourceInvalid
        }
    }

    private func answer(
        to packet: QuotedPacket, _ bytes: ArraySlice<UInt8>, mtu: Int, identification: UInt16
    ) throws(HostCounter) -> [UInt8] {
        switch packet.source {
        case .v4(let client):
            // A header with a wrong checksum says nothing (RFC 1812 section 5.2.2).
            var sum = ChecksumAccumulator()
            sum.add(bytes.prefix(Int((bytes.first ?? 0) & 15) * 4))
            guard sum.value == 0 else { throw .tooBigMalformed }
            // No link is smaller (RFC 791 section 3.2), and no host would do what it is told.
            guard let mtu = UInt16(exactly: mtu), mtu >= 68 else { throw .tooBigBelowMinimum }
            return IPv4Packet.bytes(
                from: ipv4Source, to: client, protocol: IPv4Packet.ProtocolNumber.icmp, typeOfService: 0xc0,
                identification: identification,
                payload: ICMPMessage.unreachable(.fragmentationNeeded, mtu: mtu, offending: bytes))
        case .v6(let client):
            // A host takes no less for true (RFC 8201 section 4): the tunnel has to fragment.
            guard mtu >= IPv6Packet.minimumMTU else { throw .tooBigBelowMinimum }
            return IPv6Packet.bytes(
                from: ipv6Source, to: client, protocol: IPv6Packet.NextHeader.icmpv6, trafficClass: 0xc0,
                payload: ICMPv6Message.error(
                    ICMPv6Message.packetTooBig, code: 0, parameter: UInt32(clamping: mtu), offending: bytes,
                    from: ipv6Source, to: client))
        }
    }
}
