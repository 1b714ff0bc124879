import Timing
import Wire

extension HostStack {
    /// The way that a packet for `destination` takes; nil when there is none.
    public func route(to destination: IPv4Address) -> Route? { routes.route(to: destination) }

    /// The way to `destination` with the gateway's Ethernet address; nil when there is no way, or the address is not
    /// known. `hold(_:at:)` makes it known and keeps it so.
    public func resolve(_ destination: IPv4Address) -> NextHop? {
        guard let route = routes.route(to: destination),
            let mac = neighbours[Neighbour.Key(port: route.port, address: route.gateway)]?.mac
        else { return nil }
        return NextHop(route: route, mac: mac)
    }

    /// Whether `address` is one of the node's own.
    public func owns(_ address: IPv4Address) -> Bool { ownAddresses.contains(address) }

    /// Sends a UDP datagram. The frame goes out at once when the next hop is resolved, else after the answer.
    ///
    /// - Parameters:
    ///   - payload: what follows the UDP header.
    ///   - source: the node's address and port; address 0.0.0.0 stands for the address of the outgoing interface.
    ///   - destination: the peer's address and port.
    ///   - typeOfService: the IPv4 header's second octet, DSCP and ECN.
    ///   - now: the time.
    /// - Throws: `HostFault` when the datagram can never be sent this way.
    public mutating func send(
        _ payload: [UInt8], from source: UDPEndpoint, to destination: UDPEndpoint, typeOfService: UInt8 = 0,
        at now: Instant
    ) throws(HostFault) -> [HostOutput] {
        guard let route = routes.route(to: destination.address) else { throw .noRoute }
        guard source.address == .any || ownAddresses.contains(source.address) else { throw .sourceNotOurs }
        guard IPv4Packet.headerLength + UDPDatagram.headerLength + payload.count <= Int(route.mtu) else {
            throw .tooLong(mtu: Int(route.mtu))
        }
        let from = source.address == .any ? UDPEndpoint(route.source, source.port) : source
        var outputs: [HostOutput] = []
        send(
            UDPDatagram.bytes(from: from, to: destination, payload: payload),
            protocol: IPv4Packet.ProtocolNumber.udp, typeOfService: typeOfService, from: from.address,
            to: destination.address, route: route, at: now, into: &outputs)
        return outputs
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
