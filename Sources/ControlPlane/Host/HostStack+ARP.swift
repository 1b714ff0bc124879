import Timing
import Wire

extension HostStack {
    /// Takes the payload of an Ethernet frame of type ARP.
    mutating func receiveARP(
        _ bytes: ArraySlice<UInt8>, interface: HostInterface, at now: Instant, into outputs: inout [HostOutput]
    ) {
        guard let message = ARPMessage(parsing: bytes), !message.senderMAC.isMulticast, message.senderMAC.value != 0,
            message.senderMAC != interface.mac,
            message.senderAddress.isUnicast || (message.operation == .request && message.senderAddress == .any)
        else {
            counters[.arpMalformed] += 1
            return
        }
        if interface.addresses.contains(where: { $0.address == message.senderAddress }) {
            defend(message.senderAddress, against: message.senderMAC, on: interface, at: now, into: &outputs)
            return
        }
        switch message.operation {
        case .request: answer(message, on: interface, at: now, into: &outputs)
        case .reply: learn(message, on: interface, at: now, into: &outputs)
        }
    }

    private mutating func answer(
        _ request: ARPMessage, on interface: HostInterface, at now: Instant, into outputs: inout [HostOutput]
    ) {
        verifyIfMoved(request, on: interface, at: now, into: &outputs)
        guard interface.addresses.contains(where: { $0.address == request.targetAddress }) else {
            counters[.arpNotForUs] += 1
            return
        }
        counters[.arpAnswered] += 1
        let reply = ARPMessage(
            .reply, senderMAC: interface.mac, senderAddress: request.targetAddress, targetMAC: request.senderMAC,
            targetAddress: request.senderAddress)
        transmit(reply, to: request.senderMAC, on: interface, into: &outputs)
    }

    /// Learns the sender's address if it was asked for, of this neighbour and by this port.
    private mutating func learn(
        _ reply: ARPMessage, on interface: HostInterface, at now: Instant, into outputs: inout [HostOutput]
    ) {
        let key = Neighbour.Key(port: interface.port, address: reply.senderAddress)
        guard var neighbour = neighbours[key], case .asking = neighbour.phase, reply.targetMAC == interface.mac,
            interface.addresses.contains(where: { $0.address == reply.targetAddress })
        else {
            counters[.arpUnsolicited] += 1
            verifyIfMoved(reply, on: interface, at: now, into: &outputs)
            return
        }
        let changed = neighbour.mac != reply.senderMAC
        let waiting = neighbour.queue
        neighbour.mac = reply.senderMAC
        neighbour.phase = .reachable
        neighbour.confirmedAt = now
        neighbour.used = !waiting.isEmpty
        neighbour.queue = []
        neighbour.givenUp = false
        neighbour.deadline = now + limits.refreshInterval
        store(neighbour, for: key)
        if changed {
            outputs.append(
                .nextHopChanged(gateway: key.address, port: key.port, mac: reply.senderMAC))
        }
        for packet in waiting {
            transmit(packet, to: reply.senderMAC, route: neighbour.route, into: &outputs)
        }
    }

    /// Asks again at once when a known neighbour's address speaks from another Ethernet address: a fail-over, or a lie.
    /// Either way only the answer to our own question counts. One second must have passed since the last confirmation.
    private mutating func verifyIfMoved(
        _ message: ARPMessage, on interface: HostInterface, at now: Instant, into outputs: inout [HostOutput]
    ) {
        let key = Neighbour.Key(port: interface.port, address: message.senderAddress)
        guard var neighbour = neighbours[key], let mac = neighbour.mac, mac != message.senderMAC,
            now >= neighbour.confirmedAt + limits.retryInterval
        else { return }
        if case .asking(let sent) = neighbour.phase, sent > limits.unicastRequests { return }
        neighbour.phase = .asking(sent: limits.unicastRequests)
        ask(&neighbour, at: now, into: &outputs)
        store(neighbour, for: key)
    }

    /// Tells everybody that the address is ours, at most every ten seconds (RFC 5227 section 2.4, choice c).
    private mutating func defend(
        _ address: IPv4Address, against mac: MACAddress, on interface: HostInterface, at now: Instant,
        into outputs: inout [HostOutput]
    ) {
        counters[.arpConflict] += 1
        guard now >= defendedUntil[address] ?? .zero else { return }
        defendedUntil[address] = now + .seconds(10)
        outputs.append(.addressConflict(address, port: interface.port, with: mac))
        announce(address, on: interface, into: &outputs)
    }

    /// Sends the announcements that are due and plans the next.
    mutating func announce(at now: Instant, into outputs: inout [HostOutput]) {
        for interface in interfaces.values.sorted(by: { $0.port < $1.port }) {
            for address in interface.addresses { announce(address.address, on: interface, into: &outputs) }
        }
        announcementsLeft -= 1
        announceAt = announcementsLeft > 0 ? now + .seconds(2) : .distantFuture
    }

    private func announce(
        _ address: IPv4Address, on interface: HostInterface, into outputs: inout [HostOutput]
    ) {
        let announcement = ARPMessage(
            .request, senderMAC: interface.mac, senderAddress: address, targetMAC: MACAddress(value: 0),
            targetAddress: address)
        transmit(announcement, to: .broadcast, on: interface, into: &outputs)
    }

    private func transmit(
        _ message: ARPMessage, to destination: MACAddress, on interface: HostInterface,
        into outputs: inout [HostOutput]
    ) {
        let frame = EthernetFrame(
            destination: destination, source: interface.mac, etherType: EthernetFrame.typeARP, payload: message.bytes
        ).bytes
        outputs.append(.transmit(frame: frame, port: interface.port))
    }
}
