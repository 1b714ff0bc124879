import Wire

/// The ICMPv6 messages (RFC 4443) that the node sends.
///
///     | type (1) | code (1) | checksum (2) | body ... |
enum ICMPv6Message {
    static let destinationUnreachable: UInt8 = 1
    static let packetTooBig: UInt8 = 2
    static let parameterProblem: UInt8 = 4
    static let echoRequest: UInt8 = 128
    static let echoReply: UInt8 = 129
    static let neighbourSolicitation: UInt8 = 135
    static let neighbourAdvertisement: UInt8 = 136
    static let redirect: UInt8 = 137

    /// Code of destination unreachable: nobody listens at the port.
    static let portUnreachable: UInt8 = 4

    /// Whether messages of `type` tell of errors; none is sent in answer to one (section 2.4 (e)).
    static func isError(_ type: UInt8) -> Bool { type < 128 || type == redirect }

    /// Whether the message in a packet between these addresses is whole and its checksum right.
    static func isSound(_ message: ArraySlice<UInt8>, from source: IPv6Address, to destination: IPv6Address) -> Bool {
        guard message.count >= 4 else { return false }
        var sum = ChecksumAccumulator()
        sum.addPseudoHeader(
            source: .v6(source), destination: .v6(destination), protocol: IPv6Packet.NextHeader.icmpv6,
            length: UInt32(clamping: message.count))
        sum.add(message)
        return sum.value == 0
    }

    /// An error about the packet `offending`, with as much of it as fits in a packet of 1,280 octets (section 2.4 (c)).
    /// `parameter` is the MTU or the pointer.
    static func error(
        _ type: UInt8, code: UInt8, parameter: UInt32 = 0, offending: ArraySlice<UInt8>, from source: IPv6Address,
        to destination: IPv6Address
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: IPv6Packet.minimumMTU)
        writer.write(parameter)
        writer.write(offending.prefix(IPv6Packet.minimumMTU - IPv6Packet.headerLength - 8))
        return bytes(type: type, code: code, rest: writer.bytes, from: source, to: destination)
    }

    /// A message with its checksum.
    static func bytes(
        type: UInt8, code: UInt8, rest: some Collection<UInt8>, from source: IPv6Address, to destination: IPv6Address
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: 4 + rest.count)
        writer.write(type)
        writer.write(code)
        writer.write(0 as UInt16)
        writer.write(rest)
        var sum = ChecksumAccumulator()
        sum.addPseudoHeader(
            source: .v6(source), destination: .v6(destination), protocol: IPv6Packet.NextHeader.icmpv6,
            length: UInt32(clamping: writer.count))
        sum.add(writer.bytes)
        writer.patch(sum.value, at: 2)
        return writer.bytes
    }
}
