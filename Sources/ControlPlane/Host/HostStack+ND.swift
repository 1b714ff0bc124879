import Timing
import Wire

// Neighbour discovery (RFC 4861): solicitations and advertisements. The cache itself is in `+Neighbours`.
extension HostStack {
    /// Takes a neighbour solicitation or advertisement that came from the station `sender`.
    mutating func receiveND(
        _ packet: IPv6Packet, icmp: ArraySlice<UInt8>, sender: MACAddress, interface: HostInterface, at now: Instant,
        into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        let message = try NeighbourMessage(parsing: packet, icmp: icmp)
        // What we sent ourselves and a loop brought back says nothing.
        guard sender != interface.mac else { throw .ndMalformed }
        if ownAddresses.contains(.v6(packet.source)) {
            // Another station has this address: with an advertisement it says so itself, below.
            guard interface.owns(.v6(packet.source)),
                message.kind == .solicitation || message.target == packet.source
            else { throw .ipv6SourceInvalid }
            guard message.kind == .advertisement else {
                dispute(packet.source, with: message.linkLayerAddress ?? sender, on: interface, at: now, into: &outputs)
                return
            }
        }
        switch message.kind {
        case .solicitation:
            try answer(message, in: packet, sender: sender, on: interface, at: now, into: &outputs)
        case .advertisement:
            try learn(message, sender: sender, on: interface, at: now, into: &outputs)
        }
    }

    /// Answers a question for one of our addresses (section 7.2.4), to where it came from: like ARP's, the answer needs no
    /// cache entry, so that strangers' questions make none.
    private mutating func answer(
        _ question: NeighbourMessage, in packet: IPv6Packet, sender: MACAddress, on interface: HostInterface,
        at now: Instant, into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        let mac = question.linkLayerAddress ?? sender
        let key = Neighbour.Key(port: interface.port, address: .v6(question.target))
        if tentative[key] != nil {
            // A question from no address is another's detection for the same address (RFC 4862 section 5.4.3).
            guard packet.source == .unspecified else { throw .ndNotForUs }
            giveUp(question.target, with: mac, on: interface, into: &outputs)
            return
        }
        guard packet.source != .unspecified else {
            guard isInUse(key.address, on: interface) else { throw .ndNotForUs }
            advertise(question.target, on: interface, into: &outputs)
            counters[.ndAnswered] += 1
            return
        }
        verifyIfMoved(.v6(packet.source), mac: mac, on: interface, at: now, into: &outputs)
        guard isInUse(key.address, on: interface) else { throw .ndNotForUs }
        let reply = NeighbourMessage(
            .advertisement, target: question.target, linkLayerAddress: interface.mac, isSolicited: true,
            isOverriding: true)
        transmit(
            reply, from: question.target, to: packet.source, at: mac, by: interface.mac, port: interface.port,
            into: &outputs)
        counters[.ndAnswered] += 1
    }

    /// Learns from an answer to a question of ours (section 7.2.5). What nobody asked for changes nothing by itself: where it
    /// contradicts what is known, the neighbour is asked.
    private mutating func learn(
        _ answer: NeighbourMessage, sender: MACAddress, on interface: HostInterface, at now: Instant,
        into outputs: inout [HostOutput]
    ) throws(HostCounter) {
        let key = Neighbour.Key(port: interface.port, address: .v6(answer.target))
        let mac = answer.linkLayerAddress
        if tentative[key] != nil {
            giveUp(answer.target, with: mac ?? sender, on: interface, into: &outputs)
            return
        }
        guard !interface.owns(key.address) else {
            dispute(answer.target, with: mac ?? sender, on: interface, at: now, into: &outputs)
            return
        }
        guard let neighbour = neighbours[key] else { throw .ndUnsolicited }
        switch (neighbour.phase, neighbour.mac, mac) {
        case (.incomplete, _, let mac?):
            confirm(key, neighbour, mac: mac, isSolicited: answer.isSolicited, at: now, into: &outputs)
        case (.probe, let known?, _) where answer.isSolicited:
            // Another address counts only where the answer claims to override what is known.
            guard mac == nil || mac == known || answer.isOverriding else { throw .ndUnsolicited }
            confirm(key, neighbour, mac: mac ?? known, isSolicited: true, at: now, into: &outputs)
        case (.incomplete, _, nil): throw .ndUnsolicited
        default:
            if let mac { verifyIfMoved(key.address, mac: mac, on: interface, at: now, into: &outputs) }
            throw .ndUnsolicited
        }
    }

    /// Another station speaks as if one of our addresses were its own. Where we gave way to it, it may.
    private mutating func dispute(
        _ address: IPv6Address, with mac: MACAddress, on interface: HostInterface, at now: Instant,
        into outputs: inout [HostOutput]
    ) {
        counters[.ndConflict] += 1
        guard isInUse(.v6(address), on: interface), mac != interface.mac else { return }
        defend(.v6(address), against: mac, on: interface, at: now, into: &outputs)
    }

    /// Asks for `address`: everybody who may have it, or the station `known` alone (section 7.2.2).
    mutating func solicit(
        _ address: IPv6Address, at known: MACAddress?, from source: IPv6Address, route: Route,
        into outputs: inout [HostOutput]
    ) {
        let question = NeighbourMessage(.solicitation, target: address, linkLayerAddress: route.sourceMAC)
        transmit(
            question, from: source, to: known == nil ? address.solicitedNode : address,
            at: known ?? MACAddress(group: address.solicitedNode), by: route.sourceMAC, port: route.port, into: &outputs
        )
        counters[.ndSolicited] += 1
    }

    /// Tells all nodes that the address is ours (section 7.2.6).
    func advertise(_ address: IPv6Address, on interface: HostInterface, into outputs: inout [HostOutput]) {
        let advertisement = NeighbourMessage(
            .advertisement, target: address, linkLayerAddress: interface.mac, isOverriding: true)
        transmit(
            advertisement, from: address, to: .allNodes, at: MACAddress(group: .allNodes), by: interface.mac,
            port: interface.port, into: &outputs)
    }

    func transmit(
        _ message: NeighbourMessage, from source: IPv6Address, to destination: IPv6Address, at mac: MACAddress,
        by sourceMAC: MACAddress, port: UInt16, into outputs: inout [HostOutput]
    ) {
        let packet = IPv6Packet.bytes(
            from: source, to: destination, protocol: IPv6Packet.NextHeader.icmpv6, trafficClass: 0xc0,
            hopLimit: NeighbourMessage.hopLimit, payload: message.bytes(from: source, to: destination))
        let frame = EthernetFrame(
            destination: mac, source: sourceMAC, etherType: EthernetFrame.typeIPv6, payload: packet)
        outputs.append(.transmit(frame: frame.bytes, port: port))
    }
}
