import Wire

/// The ICMP messages (RFC 792) that the node sends, and the one that it answers.
enum ICMPMessage {
    private static let echoReply: UInt8 = 0
    private static let destinationUnreachable: UInt8 = 3
    private static let echoRequest: UInt8 = 8

    enum UnreachableCode: UInt8 {
        case `protocol` = 2
        case port = 3
    }

    /// The echo reply to `request`: the same identifier, sequence number and data. Nil when it is another message.
    static func echoReply(to request: ArraySlice<UInt8>) throws(HostCounter) -> [UInt8]? {
        guard request.count >= 8 else { throw .icmpMalformed }
        var sum = ChecksumAccumulator()
        sum.add(request)
        guard sum.value == 0 else { throw .icmpMalformed }
        var reader = ByteReader(request)
        guard reader.readUInt8() == echoRequest, reader.readUInt8() == 0, reader.readUInt16() != nil else { return nil }
        return message(type: echoReply, code: 0, rest: reader.readRemaining())
    }

    /// Destination unreachable with the offending packet's header and as much of its data as fits in a packet of 576
    /// bytes (RFC 1812 section 4.3.2.3).
    static func unreachable(_ code: UnreachableCode, offending packet: IPv4Packet) -> [UInt8] {
        let quota = 576 - IPv4Packet.headerLength - 8
        return message(
            type: destinationUnreachable, code: code.rawValue,
            rest: [0, 0, 0, 0] + packet.header + packet.payload.prefix(max(0, quota - packet.header.count)))
    }

    private static func message(type: UInt8, code: UInt8, rest: some Collection<UInt8>) -> [UInt8] {
        var writer = ByteWriter(capacity: 4 + rest.count)
        writer.write(type)
        writer.write(code)
        writer.write(0 as UInt16)
        writer.write(rest)
        var sum = ChecksumAccumulator()
        sum.add(writer.bytes)
        writer.patch(sum.value, at: 2)
        return writer.bytes
    }
}
