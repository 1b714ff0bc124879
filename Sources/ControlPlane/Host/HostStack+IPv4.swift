import Timing
import Wire

extension HostStack {
    /// Takes the payload of an Ethernet frame of type IPv4.
    mutating func receiveIPv4(
        _ bytes: ArraySlice<UInt8>, interface: HostInterface, at now: Instant, into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        let packet = try IPv4Packet(parsing: bytes)
        guard ownAddresses.contains(.v4(packet.destination)) else { throw .ipv4NotForUs }
        guard packet.source.isUnicast, !ownAddresses.contains(.v4(packet.source)),
            !routes.isConnectedBroadcast(.v4(packet.source))
        else { throw .ipv4SourceInvalid }

        switch packet.protocolNumber {
        case IPv4Packet.ProtocolNumber.udp:
            let datagram = try UDPDatagram(
                parsing: packet.payload, from: .v4(packet.source), to: .v4(packet.destination),
                interface: interface.port)
            if listeners.contains(datagram.destination.port) {
                outputs.append(.datagram(datagram))
            } else {
                counters[.udpPortClosed] += 1
                sendUnreachable(.port, about: packet, at: now, into: &outputs)
            }
        case IPv4Packet.ProtocolNumber.icmp:
            guard ICMPMessage.isSound(packet.payload) else { throw .icmpMalformed }
            if packet.payload.prefix(2) == [
                ICMPMessage.destinationUnreachable, ICMPMessage.UnreachableCode.fragmentationNeeded.rawValue,
            ] {
                return try learnPathMTU(ipv4: packet.payload, to: packet.destination, into: &outputs)
            }
            guard let reply = ICMPMessage.echoReply(to: packet.payload) else { throw .icmpIgnored }
            guard let route = routes.route(to: .v4(packet.source)) else { throw .replyUnroutable }
            counters[.echoAnswered] += 1
            send(
                reply, protocol: IPv4Packet.ProtocolNumber.icmp, typeOfService: packet.typeOfService,
                from: packet.destination, to: packet.source, route: route, at: now, into: &outputs)
        default:
            counters[.protocolUnknown] += 1
            sendUnreachable(.protocol, about: packet, at: now, into: &outputs)
        }
    }

    /// Tells the sender of `packet` that nobody here takes it, if the rate allows.
    private mutating func sendUnreachable(
        _ code: ICMPMessage.UnreachableCode, about packet: IPv4Packet, at now: Instant,
        into outputs: inout [HostOutput]
    ) {
        guard let route = routes.route(to: .v4(packet.source)) else {
            counters[.replyUnroutable] += 1
            return
        }
        guard icmpErrorBucket.take(at: now) else {
            counters[.icmpErrorLimited] += 1
            return
        }
        counters[.unreachableSent] += 1
        // Internetwork control: the precedence that RFC 1812 section 4.3.2.5 gives to ICMP errors.
        send(
            ICMPMessage.unreachable(code, offending: packet.bytes), protocol: IPv4Packet.ProtocolNumber.icmp,
            typeOfService: 0xc0, from: packet.destination, to: packet.source, route: route, at: now, into: &outputs)
    }
}
