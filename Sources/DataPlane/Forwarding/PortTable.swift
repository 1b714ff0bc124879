import CDPDK
import Wire

/// A port as the forwarding loop knows it. It is this process's own copy: what the segment says of a port's name, address
/// and MTU is for others to read.
@frozen
public struct ForwardingPort: Sendable {
    /// The port's Ethernet address.
    public var mac: MACAddress
    /// Largest Ethernet payload that the port sends, in octets; tags not counted.
    public var mtu: UInt16
    /// Whether the port fills in UDP checksums of what it sends.
    public var computesUDPChecksum: Bool
    /// Whether the port sends frames that lie in more than one buffer.
    public var sendsChained: Bool
    /// Whether frames of this port are handed to the workers by the hash of their session, in software.
    public var isDispatched: Bool

    /// A port with this address and MTU.
    public init(
        mac: MACAddress, mtu: UInt16, computesUDPChecksum: Bool = false, sendsChained: Bool = false,
        isDispatched: Bool = false
    ) {
        self.mac = mac
        self.mtu = mtu
        self.computesUDPChecksum = computesUDPChecksum
        self.sendsChained = sendsChained
        self.isDispatched = isDispatched
    }
}
