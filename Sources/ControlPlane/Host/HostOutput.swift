import Wire

/// What the host stack asks its caller to do.
public enum HostOutput: Equatable, Sendable {
    /// Send a whole Ethernet frame by a port.
    case transmit(frame: [UInt8], port: UInt16)
    /// A datagram came for a port that somebody listens at.
    case datagram(UDPDatagram)
    /// A neighbour's Ethernet address became known, changed, or (nil) is no longer known because the neighbour does not
    /// answer. Header templates towards this gateway on this port must be rewritten.
    case nextHopChanged(gateway: IPv4Address, port: UInt16, mac: MACAddress?)
    /// Another station claims one of the node's addresses. Said at most every ten seconds an address; the address has
    /// been defended (RFC 5227 section 2.4).
    case addressConflict(IPv4Address, port: UInt16, with: MACAddress)
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
