import Wire

/// The ICMP messages (RFC 792) that the node sends, and those that it takes.
enum ICMPMessage {
    static let echoReply: UInt8 = 0
    static let destinationUnreachable: UInt8 = 3
    static let echoRequest: UInt8 = 8

    enum UnreachableCode: UInt8 {
        case `protocol` = 2
        case port = 3
        case fragmentationNeeded = 4
    }

    /// Whether messages of `type` tell of errors: destination unreachable, source quench, redirect, time exceeded, parameter
    /// problem (RFC 1122 section 3.2.2).
    static func isError(_ type: UInt8) -> Bool { [3, 4, 5, 11, 12].contains(type) }

    /// Whether the message is whole and its checksum right.
    static func isSound(_ message: ArraySlice<UInt8>) -> Bool {
        var sum = ChecksumAccumulator()
        sum.add(message)
        return message.count >= 8 && sum.value == 0
    }

    /// The echo reply to `request`, which is sound: the same identifier, sequence number and data. Nil when it is another message.
    static func echoReply(to request: ArraySlice<UInt8>) -> [UInt8]? {
        var reader = ByteReader(request)
        guard reader.readUInt8() == echoRequest, reader.readUInt8() == 0, reader.readUInt16() != nil else { return nil }
        return message(type: echoReply, code: 0, rest: reader.readRemaining())
    }

    /// Destination unreachable with as much of the offending packet as fits in a packet of 576 octets (RFC 1812 section
    /// 4.3.2.3). `mtu` goes with `fragmentationNeeded` (RFC 1191 section 4) and is 0 else.
    static func unreachable(_ code: UnreachableCode, mtu: UInt16 = 0, offending packet: ArraySlice<UInt8>) -> [UInt8] {
        var rest = ByteWriter(capacity: 576)
        rest.write(0 as UInt16)
        rest.write(mtu)
        rest.write(packet.prefix(576 - IPv4Packet.headerLength - 8))
        return message(type: destinationUnreachable, code: code.rawValue, rest: rest.bytes)
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
