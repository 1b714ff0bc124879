/// What a control channel has counted since its tunnel began. Packets and bytes are those of control messages, ZLBs and
/// retransmissions included; bytes are UDP payload.
public struct TransportCounters: Hashable, Sendable {
    /// Messages dropped for Ns outside of the receive window, or Nr of what was never sent.
    public internal(set) var outOfSequence: UInt64 = 0
    /// ZLB acknowledgements sent.
    public internal(set) var zlbsSent: UInt64 = 0
    /// ZLB acknowledgements that the host could not send.
    public internal(set) var zlbSendFailures: UInt64 = 0
    /// ZLB acknowledgements received.
    public internal(set) var zlbsReceived: UInt64 = 0
    /// Messages sent again.
    public internal(set) var retransmits: UInt64 = 0
    /// Messages received again.
    public internal(set) var duplicates: UInt64 = 0
    /// HELLOs sent, retransmissions not counted.
    public internal(set) var hellosSent: UInt64 = 0
    /// HELLOs that the host could not send.
    public internal(set) var helloSendFailures: UInt64 = 0
    /// HELLOs received.
    public internal(set) var hellosReceived: UInt64 = 0
    /// Control packets received.
    public internal(set) var packetsReceived: UInt64 = 0
    /// Octets of these.
    public internal(set) var bytesReceived: UInt64 = 0
    /// Control packets sent.
    public internal(set) var packetsSent: UInt64 = 0
    /// Octets of these.
    public internal(set) var bytesSent: UInt64 = 0
}

/// A control channel as `show l2tp tunnel detail` shows it.
public struct TransportStatistics: Hashable, Sendable {
    /// Ns of our next message.
    public var ns: UInt16
    /// Ns of the message that we expect next.
    public var nr: UInt16
    /// Ns that the peer sent last.
    public var peerNs: UInt16
    /// Nr that the peer sent last.
    public var peerNr: UInt16
    /// Congestion window, in messages.
    public var congestionWindow: Int
    /// Slow start threshold, in messages.
    public var slowStartThreshold: Int
    /// Acknowledgements counted towards the next step of congestion avoidance ("congpkt_acc").
    public var congestionAcknowledgements: Int
    /// The receive window that we tell.
    public var receiveWindow: UInt16
    /// The receive window that the peer told.
    public var peerWindow: Int
    /// What was counted.
    public var counters: TransportCounters
}

extension ControlChannel {
    /// The channel as it stands.
    var statistics: TransportStatistics {
        TransportStatistics(
            ns: ns, nr: nr, peerNs: peerNs, peerNr: peerNr, congestionWindow: congestionWindow,
            slowStartThreshold: slowStartThreshold, congestionAcknowledgements: congestionAcknowledgements,
            receiveWindow: settings.receiveWindow, peerWindow: peerWindow, counters: counters)
    }
}
