import Wire

/// What the host stack asks its caller to do.
public enum HostOutput: Equatable, Sendable {
    /// Send a whole Ethernet frame by a port.
    case transmit(frame: [UInt8], port: UInt16)
    /// A datagram came for a port that somebody listens at.
    case datagram(UDPDatagram)
    /// A neighbour's Ethernet address became known, changed, or (nil) is no longer known because the neighbour does not
    /// answer. Header templates towards this gateway on this port must be rewritten.
    case nextHopChanged(gateway: IPAddress, port: UInt16, mac: MACAddress?)
    /// Another station claims one of the node's addresses. Said at most every ten seconds an address and port; the address has
    /// been defended (RFC 5227 section 2.4), or, where duplicate address detection found the other (RFC 4862 section 5.4.5),
    /// is not used on that port.
    case addressConflict(IPAddress, port: UInt16, with: MACAddress)
    /// A router says that a datagram from `local` to `peer` was too long for its way, and that IP packets of `mtu` octets are not.
    /// The router can be anybody: it has seen addresses and ports of such a datagram, or guessed them, so the caller looks
    /// whether a tunnel has them, and whether `quotedTunnelID` is the one that the peer assigned to it; nil when the quoted
    /// datagram was cut before it, or was no L2TP message.
    case pathMTU(
        local: IPAddress, peer: IPAddress, localPort: UInt16, peerPort: UInt16, quotedTunnelID: UInt16?, mtu: UInt16)
}

/// Why a datagram cannot be sent or a destination not be kept resolved.
public enum HostFault: Error, Equatable, Sendable {
    /// No connected network and no route leads there, or the destination is no single other host.
    case noRoute
    /// The source is none of the node's addresses.
    case sourceNotOurs
    /// Headers and payload exceed the interface's MTU, given here in bytes.
    case tooLong(mtu: Int)
}

/// A resolved way: all that a header template needs.
public struct NextHop: Equatable, Sendable {
    /// Port, gateway, source address and MTU.
    public var route: Route
    /// The gateway's Ethernet address.
    public var mac: MACAddress
}
