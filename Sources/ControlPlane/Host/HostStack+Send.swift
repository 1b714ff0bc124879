import Timing
import Wire

extension HostStack {
    /// The way that a packet for `destination` takes; nil when there is none.
    public func route(to destination: IPAddress) -> Route? { routes.route(to: destination) }

    /// The way to `destination` with the gateway's Ethernet address; nil when there is no way, or the address is not
    /// known. `hold(_:at:)` makes it known and keeps it so.
    public func resolve(_ destination: IPAddress) -> NextHop? {
        guard let route = routes.route(to: destination),
            let mac = neighbours[Neighbour.Key(port: route.port, address: route.gateway)]?.mac
        else { return nil }
        return NextHop(route: route, mac: mac)
    }

    /// Whether `address` is one of the node's own, configured or made for a link; even while another station claims it.
    public func owns(_ address: IPAddress) -> Bool { ownAddresses.contains(address) }

    /// Sends a UDP datagram. The frame goes out at once when the next hop is resolved, else after the answer.
    ///
    /// - Parameters:
    ///   - payload: what follows the UDP header.
    ///   - source: the node's address and port; 0.0.0.0 or `::` stands for the address of the outgoing interface.
    ///   - destination: the peer's address and port.
    ///   - typeOfService: the IPv4 header's second octet or IPv6's traffic class, DSCP and ECN.
    ///   - now: the time.
    /// - Throws: `HostFault` when the datagram can never be sent this way.
    public mutating func send(
        _ payload: [UInt8], from source: UDPEndpoint, to destination: UDPEndpoint, typeOfService: UInt8 = 0,
        at now: Instant
    ) throws(HostFault) -> [HostOutput] {
        guard let route = routes.route(to: destination.address) else { throw .noRoute }
        let from = source.address.isUnspecified ? UDPEndpoint(route.source, source.port) : source
        guard canSend(from: from.address, by: route) else { throw .sourceNotOurs }
        let headerLength = from.address.ipv6 == nil ? IPv4Packet.headerLength : IPv6Packet.headerLength
        guard headerLength + UDPDatagram.headerLength + payload.count <= Int(route.mtu) else {
            throw .tooLong(mtu: Int(route.mtu))
        }
        var outputs: [HostOutput] = []
        let datagram = UDPDatagram.bytes(from: from, to: destination, payload: payload)
        switch (from.address, destination.address) {
        case (.v4(let source), .v4(let destination)):
            send(
                datagram, protocol: IPv4Packet.ProtocolNumber.udp, typeOfService: typeOfService, from: source,
                to: destination, route: route, at: now, into: &outputs)
        case (.v6(let source), .v6(let destination)):
            let packet = IPv6Packet.bytes(
                from: source, to: destination, protocol: IPv6Packet.NextHeader.udp, trafficClass: typeOfService,
                payload: datagram)
            deliver(packet, route: route, at: now, into: &outputs)
        default: throw .sourceNotOurs
        }
        return outputs
    }

    /// Whether `source` is the node's, of the route's family, and no other station was found to have it. A tentative one will do:
    /// what is sent waits.
    private func canSend(from source: IPAddress, by route: Route) -> Bool {
        guard ownAddresses.contains(source), (source.ipv6 == nil) == (route.gateway.ipv6 == nil) else { return false }
        return interfaces.values.contains { interface in
            interface.owns(source) && (interface.port == route.port || !source.isLinkLocal)
                && !duplicates.contains(Neighbour.Key(port: interface.port, address: source))
        }
    }

    /// Puts an IPv4 header before `payload` and hands the packet to the route's gateway.
    mutating func send(
        _ payload: [UInt8], protocol number: UInt8, typeOfService: UInt8, from source: IPv4Address,
        to destination: IPv4Address, route: Route, at now: Instant, into outputs: inout [HostOutput]
    ) {
        identification &+= 1  // a counter that wraps
        let packet = IPv4Packet.bytes(
            from: source, to: destination, protocol: number, typeOfService: typeOfService,
            identification: identification, payload: payload)
        deliver(packet, route: route, at: now, into: &outputs)
    }
}
