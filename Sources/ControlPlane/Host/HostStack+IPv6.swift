import Timing
import Wire

extension HostStack {
    /// Takes the payload of an Ethernet frame of type IPv6, which came from the station `sender`; `isGroup`: to a group of
    /// stations.
    mutating func receiveIPv6(
        _ bytes: ArraySlice<UInt8>, sender: MACAddress, isGroup: Bool, interface: HostInterface, at now: Instant,
        into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        let packet = try IPv6Packet(parsing: bytes)
        guard packet.destination.isMulticast == isGroup, isHeard(packet.destination, on: interface) else {
            throw .ipv6NotForUs
        }
        guard packet.source == .unspecified || packet.source.isUnicast,
            !routes.isConnectedBroadcast(.v6(packet.source)),
            !ownAddresses.contains(.v6(packet.source)) || packet.isNeighbourDiscovery
        else { throw .ipv6SourceInvalid }

        switch packet.content {
        case .problem(let code, let pointer, let evenToGroups):
            counters[.ipv6OptionRefused] += 1
            sendError(
                ICMPv6Message.parameterProblem, code: code, parameter: pointer, about: packet,
                evenToGroups: evenToGroups, interface: interface, at: now, into: &outputs)
        case .payload(IPv6Packet.NextHeader.icmpv6, let payload, _):
            try receiveICMPv6(packet, payload, sender: sender, interface: interface, at: now, into: &outputs)
        case .payload(IPv6Packet.NextHeader.udp, let payload, _):
            guard isInUse(.v6(packet.destination), heardOn: interface), packet.source != .unspecified else {
                throw .ipv6NotForUs
            }
            let datagram = try UDPDatagram(
                parsing: payload, from: .v6(packet.source), to: .v6(packet.destination), interface: interface.port)
            if listeners.contains(datagram.destination.port) {
                outputs.append(.datagram(datagram))
            } else {
                counters[.udpPortClosed] += 1
                sendError(
                    ICMPv6Message.destinationUnreachable, code: ICMPv6Message.portUnreachable, about: packet,
                    interface: interface, at: now, into: &outputs)
            }
        case .payload(IPv6Packet.NextHeader.none, _, _):
            throw .protocolUnknown
        case .payload(_, _, let field):
            counters[.protocolUnknown] += 1
            sendError(
                ICMPv6Message.parameterProblem, code: IPv6ExtensionHeaders.Problem.unknownNextHeader, parameter: field,
                about: packet, interface: interface, at: now, into: &outputs)
        }
    }

    /// Whether packets to `destination` are taken on this port. Of a tentative address only questions and answers about it
    /// are heard, which its solicited-node group is for, and answers that name it (RFC 4862 section 5.4).
    private func isHeard(_ destination: IPv6Address, on interface: HostInterface) -> Bool {
        destination.isMulticast
            ? interface.listens(to: destination) : isInUse(.v6(destination), heardOn: interface)
    }

    private mutating func receiveICMPv6(
        _ packet: IPv6Packet, _ message: ArraySlice<UInt8>, sender: MACAddress, interface: HostInterface,
        at now: Instant, into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        guard ICMPv6Message.isSound(message, from: packet.source, to: packet.destination), let type = message.first
        else { throw .icmpMalformed }
        switch type {
        case ICMPv6Message.neighbourSolicitation, ICMPv6Message.neighbourAdvertisement:
            try receiveND(packet, icmp: message, sender: sender, interface: interface, at: now, into: &outputs)
        case ICMPv6Message.echoRequest:
            try answerEcho(packet, message, interface: interface, at: now, into: &outputs)
        case ICMPv6Message.packetTooBig:
            guard !packet.destination.isMulticast else { throw .icmpIgnored }
            try learnPathMTU(ipv6: message, to: packet.destination, into: &outputs)
        default:
            throw .icmpIgnored
        }
    }

    /// Answers an echo request to one of our addresses or to a group that we are in (RFC 4443 section 4.2).
    private mutating func answerEcho(
        _ packet: IPv6Packet, _ request: ArraySlice<UInt8>, interface: HostInterface, at now: Instant,
        into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        var reader = ByteReader(request)
        guard reader.readUInt8() != nil, reader.readUInt8() == 0, reader.readUInt16() != nil, reader.count >= 4 else {
            throw .icmpMalformed
        }
        guard packet.source != .unspecified,
            let route = routes.route(to: .v6(packet.source), port: interface.port),
            let source = packet.destination.isMulticast ? route.source.ipv6 : packet.destination,
            isInUse(.v6(source), heardOn: interface)
        else { throw .replyUnroutable }
        counters[.echoAnswered] += 1
        let reply = ICMPv6Message.bytes(
            type: ICMPv6Message.echoReply, code: 0, rest: reader.readRemaining(), from: source, to: packet.source)
        let answer = IPv6Packet.bytes(
            from: source, to: packet.source, protocol: IPv6Packet.NextHeader.icmpv6, trafficClass: packet.trafficClass,
            payload: reply)
        // The reply is as long as the request, which may have come in fragments or by a port with a larger MTU.
        guard answer.count <= Int(route.mtu) else { throw .replyUnroutable }
        deliver(answer, route: route, at: now, into: &outputs)
    }

    /// Tells the sender of `packet` what is wrong with it, if RFC 4443 section 2.4 (e) and the rate allow.
    private mutating func sendError(
        _ type: UInt8, code: UInt8, parameter: UInt32 = 0, about packet: IPv6Packet, evenToGroups: Bool = false,
        interface: HostInterface, at now: Instant, into outputs: inout [HostOutput]
    ) {
        guard !packet.destination.isMulticast || evenToGroups, packet.source != .unspecified,
            QuotedPacket(parsing: packet.bytes)?.mayBeICMPError == false,
            let route = routes.route(to: .v6(packet.source), port: interface.port),
            let source = packet.destination.isMulticast ? route.source.ipv6 : packet.destination,
            isInUse(.v6(source), heardOn: interface)
        else {
            counters[.replyUnroutable] += 1
            return
        }
        guard icmpErrorBucket.take(at: now) else {
            counters[.icmpErrorLimited] += 1
            return
        }
        counters[.unreachableSent] += 1
        let error = ICMPv6Message.error(
            type, code: code, parameter: parameter, offending: packet.bytes, from: source, to: packet.source)
        let answer = IPv6Packet.bytes(
            from: source, to: packet.source, protocol: IPv6Packet.NextHeader.icmpv6, trafficClass: 0xc0,
            payload: error)
        deliver(answer, route: route, at: now, into: &outputs)
    }
}
