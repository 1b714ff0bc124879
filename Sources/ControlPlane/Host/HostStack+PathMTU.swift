import Wire

// What routers say about the length of our datagrams (RFC 1191, RFC 8201).
extension HostStack {
    /// Takes a sound ICMP destination unreachable message with code 4, "fragmentation needed and DF set".
    ///
    ///     | type = 3 | code = 4 | checksum | unused | next-hop MTU | IP header and at least 8 octets of the packet |
    mutating func learnPathMTU(
        ipv4 message: ArraySlice<UInt8>, to destination: IPv4Address, into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        var reader = ByteReader(message)
        guard reader.readUInt32() != nil, reader.readUInt16() != nil, let said = reader.readUInt16(),
            let quoted = QuotedPacket(parsing: reader.remaining)
        else { throw .icmpQuoteMalformed }
        // A router older than RFC 1191 leaves the MTU 0.
        let mtu = said == 0 ? PathMTUTable.plateau(below: quoted.totalLength) : said
        guard Int(mtu) < quoted.totalLength else { throw .pathMTUInvalid }
        try report(max(mtu, PathMTUTable.minimumIPv4), quoted, to: .v4(destination), into: &outputs)
    }

    /// Takes a sound ICMPv6 packet too big message.
    ///
    ///     | type = 2 | code = 0 | checksum | MTU (4) | as much of the packet as fits |
    mutating func learnPathMTU(
        ipv6 message: ArraySlice<UInt8>, to destination: IPv6Address, into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        var reader = ByteReader(message)
        guard reader.readUInt32() != nil, let mtu = reader.readUInt32(),
            let quoted = QuotedPacket(parsing: reader.remaining)
        else { throw .icmpQuoteMalformed }
        // No link takes less than 1,280 octets, so that who says so is not to be believed (RFC 8201 section 4).
        guard let mtu = UInt16(exactly: mtu), mtu >= PathMTUTable.minimumIPv6, Int(mtu) < quoted.totalLength else {
            throw .pathMTUInvalid
        }
        try report(mtu, quoted, to: .v6(destination), into: &outputs)
    }

    /// Tells the caller, if the quoted packet is a UDP datagram of ours from a port that somebody listens at.
    private mutating func report(
        _ mtu: UInt16, _ quoted: QuotedPacket, to destination: IPAddress, into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        var reader = ByteReader(quoted.payload)
        guard quoted.source == destination, quoted.isFirst, quoted.protocolNumber == IPv4Packet.ProtocolNumber.udp,
            let localPort = reader.readUInt16(), let peerPort = reader.readUInt16(), listeners.contains(localPort)
        else { throw .icmpQuoteForeign }
        counters[.pathMTUReported] += 1
        _ = reader.readUInt32()  // length and checksum
        outputs.append(
            .pathMTU(
                local: quoted.source, peer: quoted.destination, localPort: localPort, peerPort: peerPort,
                quotedTunnelID: Self.tunnelID(inL2TP: reader.remaining), mtu: mtu))
    }

    /// The tunnel id of an L2TPv2 message (RFC 2661 section 3.1), if there is as much of it.
    private static func tunnelID(inL2TP message: ArraySlice<UInt8>) -> UInt16? {
        var reader = ByteReader(message)
        guard let flags = reader.readUInt16(), flags & 15 == 2 else { return nil }
        if flags & 0x4000 != 0 { _ = reader.readUInt16() }
        return reader.readUInt16()
    }
}
