/// Packets and octets of both directions, seen from this node: received from the peer, sent to the peer.
public struct Traffic: Hashable, Sendable, Encodable {
    /// Packets received.
    public var rxPackets: UInt64 = 0
    /// Octets received.
    public var rxOctets: UInt64 = 0
    /// Packets sent.
    public var txPackets: UInt64 = 0
    /// Octets sent.
    public var txOctets: UInt64 = 0

    /// Counts of both directions.
    public init(rxPackets: UInt64 = 0, rxOctets: UInt64 = 0, txPackets: UInt64 = 0, txOctets: UInt64 = 0) {
        self.rxPackets = rxPackets
        self.rxOctets = rxOctets
        self.txPackets = txPackets
        self.txOctets = txOctets
    }
}
