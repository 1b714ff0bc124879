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
    /// Whether PPPoE session frames from this port are handed to the workers by the hash of their session, in software.
    public var dispatchesPPPoE: Bool
    /// Whether L2TP data messages from this port are handed to the workers by the hash of their session, in software.
    public var dispatchesL2TP: Bool

    /// Whether frames of this port are handed to the workers in software: all of them, when it is set.
    public var isDispatched: Bool {
        get { dispatchesPPPoE || dispatchesL2TP }
        set { (dispatchesPPPoE, dispatchesL2TP) = (newValue, newValue) }
    }

    /// A port with this address and MTU.
    public init(
        mac: MACAddress, mtu: UInt16, computesUDPChecksum: Bool = false, sendsChained: Bool = false,
        isDispatched: Bool = false
    ) {
        self.mac = mac
        self.mtu = mtu
        self.computesUDPChecksum = computesUDPChecksum
        self.sendsChained = sendsChained
        (dispatchesPPPoE, dispatchesL2TP) = (isDispatched, isDispatched)
    }
}
