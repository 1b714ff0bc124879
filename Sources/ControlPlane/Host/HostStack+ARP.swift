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
        if interface.owns(.v4(message.senderAddress)) {
            counters[.arpConflict] += 1
            defend(.v4(message.senderAddress), against: message.senderMAC, on: interface, at: now, into: &outputs)
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
        verifyIfMoved(
            .v4(request.senderAddress), mac: request.senderMAC, on: interface, at: now, into: &outputs)
        guard interface.owns(.v4(request.targetAddress)) else {
            counters[.arpNotForUs] += 1
            return
        }
        counters[.arpAnswered] += 1
        let reply = ARPMessage(
            .reply, senderMAC: interface.mac, senderAddress: request.targetAddress, targetMAC: request.senderMAC,
            targetAddress: request.senderAddress)
        transmit(reply, to: request.senderMAC, from: interface.mac, port: interface.port, into: &outputs)
    }

    /// Learns the sender's address if it was asked for, of this neighbour and by this port.
    private mutating func learn(
        _ reply: ARPMessage, on interface: HostInterface, at now: Instant, into outputs: inout [HostOutput]
    ) {
        let key = Neighbour.Key(port: interface.port, address: .v4(reply.senderAddress))
        guard let neighbour = neighbours[key], neighbour.isAsking, reply.targetMAC == interface.mac,
            interface.owns(.v4(reply.targetAddress))
        else {
            counters[.arpUnsolicited] += 1
            verifyIfMoved(key.address, mac: reply.senderMAC, on: interface, at: now, into: &outputs)
            return
        }
        confirm(key, neighbour, mac: reply.senderMAC, isSolicited: true, at: now, into: &outputs)
    }

    /// Asks for `address`: everybody, or the station `known` alone.
    mutating func requestARP(
        of address: IPv4Address, at known: MACAddress?, from source: IPv4Address, route: Route,
        into outputs: inout [HostOutput]
    ) {
        let request = ARPMessage(
            .request, senderMAC: route.sourceMAC, senderAddress: source, targetMAC: MACAddress(value: 0),
            targetAddress: address)
        transmit(request, to: known ?? .broadcast, from: route.sourceMAC, port: route.port, into: &outputs)
        counters[.arpRequested] += 1
    }

    /// Tells everybody that the address is ours.
    func announceARP(_ address: IPv4Address, on interface: HostInterface, into outputs: inout [HostOutput]) {
        let announcement = ARPMessage(
            .request, senderMAC: interface.mac, senderAddress: address, targetMAC: MACAddress(value: 0),
            targetAddress: address)
        transmit(announcement, to: .broadcast, from: interface.mac, port: interface.port, into: &outputs)
    }

    private func transmit(
        _ message: ARPMessage, to destination: MACAddress, from source: MACAddress, port: UInt16,
        into outputs: inout [HostOutput]
    ) {
        let frame = EthernetFrame(
            destination: destination, source: source, etherType: EthernetFrame.typeARP, payload: message.bytes)
        outputs.append(.transmit(frame: frame.bytes, port: port))
    }
}
