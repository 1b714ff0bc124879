import CSegment
import Wire

/// What a session carried. Octets are of PPP frames, from the protocol field on.
public struct SessionCounters: Hashable, Sendable {
    /// Frames access -> core.
    public let upstreamPackets: UInt64
    /// Octets access -> core.
    public let upstreamOctets: UInt64
    /// Frames core -> access.
    public let downstreamPackets: UInt64
    /// Octets core -> access.
    public let downstreamOctets: UInt64
    /// Frames access -> core that the session's policer dropped.
    public let upstreamPoliced: UInt64
    /// Frames core -> access that the session's policer dropped.
    public let downstreamPoliced: UInt64
    /// What its sequence numbers say of the messages core -> access.
    public let sequence: SequenceCounters

    /// Counters with these values.
    public init(
        upstreamPackets: UInt64, upstreamOctets: UInt64, downstreamPackets: UInt64, downstreamOctets: UInt64,
        upstreamPoliced: UInt64 = 0, downstreamPoliced: UInt64 = 0, sequence: SequenceCounters = SequenceCounters()
    ) {
        self.upstreamPackets = upstreamPackets
        self.upstreamOctets = upstreamOctets
        self.downstreamPackets = downstreamPackets
        self.downstreamOctets = downstreamOctets
        self.upstreamPoliced = upstreamPoliced
        self.downstreamPoliced = downstreamPoliced
        self.sequence = sequence
    }
}

/// What the sequence numbers of a session's data messages tell (RFC 2661, section 5.4).
public struct SequenceCounters: Hashable, Sendable {
    /// Messages that never came, as far as the numbers tell.
    public let missing: UInt32
    /// Messages that were dropped since later ones had been delivered, or that came again.
    public let late: UInt32
    /// Messages that waited for earlier ones.
    public let reordered: UInt32

    /// Counters with these values, which come round at 2^32.
    public init(missing: UInt32 = 0, late: UInt32 = 0, reordered: UInt32 = 0) {
        self.missing = missing
        self.late = late
        self.reordered = reordered
    }
}

/// The attachment circuit of a session.
public struct CircuitRecord: Hashable, Sendable {
    /// Where it is.
    public let index: CircuitIndex
    /// The access port.
    public let port: UInt16
    /// VLAN id of the first tag; 0 for untagged.
    public let outerVLAN: UInt16
    /// VLAN id of the second tag; 0 for none.
    public let innerVLAN: UInt16
    /// The first tag's protocol id; 0 for untagged.
    public let tpid: UInt16
}

/// A live session as the tables show it.
public struct SessionRecord: Hashable, Sendable {
    /// Where its access side is.
    public let slot: UpstreamSlot
    /// PPPoE session id, host byte order.
    public let sessionID: UInt16
    /// Who made it.
    public let owner: EntryOwner
    /// The caller's name for it.
    public let reference: UInt64
    /// The client's Ethernet address.
    public let clientMAC: MACAddress
    /// Where its client is.
    public let circuit: CircuitRecord
    /// Its L2TP side; nil while all its frames go to culvertd.
    public let core: CoreSide?
    /// What it has beside its addresses; none while all its frames go to culvertd.
    public let features: SessionFeatures
    /// What it carried so far.
    public let counters: SessionCounters

    /// A session's L2TP side.
    public struct CoreSide: Hashable, Sendable {
        /// Where it is.
        public let slot: DownstreamSlot
        /// The tunnel.
        public let tunnel: TunnelID
        /// The L2TP session id that this node assigned, host byte order.
        public let localSessionID: UInt16
        /// The L2TP session id that the peer assigned, host byte order.
        public let peerSessionID: UInt16
    }
}

/// The last word on a session that has ended, exact: no worker counts on it any more.
public struct SessionTotals: Hashable, Sendable {
    /// Where its access side was.
    public let slot: UpstreamSlot
    /// Its PPPoE session id, host byte order.
    public let sessionID: UInt16
    /// Who made it; nil when the entry does not say, which no writer of this kind leaves behind.
    public let owner: EntryOwner?
    /// The caller's name for it.
    public let reference: UInt64
    /// What it carried.
    public let counters: SessionCounters

    /// The totals of a session that was in `slot`.
    public init(
        slot: UpstreamSlot, sessionID: UInt16, owner: EntryOwner?, reference: UInt64, counters: SessionCounters
    ) {
        self.slot = slot
        self.sessionID = sessionID
        self.owner = owner
        self.reference = reference
        self.counters = counters
    }
}

/// The sequence numbers of a tunnel's control channel (RFC 2661, section 5.8), and what its peer has announced of failovers.
public struct ControlNumbers: Hashable, Sendable {
    /// Ns of the next new message.
    public var ns: UInt16
    /// Ns of the message that is expected next.
    public var nr: UInt16
    /// Ns of the oldest message that the peer has not acknowledged; `ns` where it has acknowledged all.
    public var peerNr: UInt16
    /// Bits of the peer's Failover Capability (RFC 4951); 0: it has announced none.
    public var peerFailover: UInt16 = 0
    /// Milliseconds that the peer asks to be waited for.
    public var peerRecoveryTime: UInt32 = 0

    /// These numbers, of a peer that has announced nothing.
    public init(ns: UInt16, nr: UInt16, peerNr: UInt16) {
        self.ns = ns
        self.nr = nr
        self.peerNr = peerNr
    }
}

/// A tunnel as the tables show it.
public struct TunnelRecord: Hashable, Sendable {
    /// The local tunnel id.
    public let id: TunnelID
    /// Who made it.
    public let owner: EntryOwner
    /// Its two ends.
    public let endpoints: TunnelEndpoints
    /// Sessions that were allocated in it and not removed.
    public let sessions: UInt32
    /// The port that packets to the peer leave by.
    public let egressPort: UInt16
    /// The largest IP packet that the way to the peer takes, in bytes.
    public let mtu: UInt16
    /// Whether the next hop is resolved, so that its sessions can send.
    public let isReady: Bool
    /// The next hop's Ethernet address, as far as `isReady`.
    public let nextHopMAC: MACAddress
    /// Whether `nextHopMAC` was given and is not asked for.
    public let isNextHopFixed: Bool
    /// Whether data messages carry the L2TP length field.
    public let hasLengthField: Bool
    /// Whether the UDP checksum is computed.
    public let computesChecksum: Bool
    /// Whether packets over IPv6 without a UDP checksum are taken (RFC 6935).
    public let acceptsZeroChecksum: Bool
    /// Whether the type of service octet is the inner packet's.
    public let inheritsTypeOfService: Bool
    /// The type of service octet, over IPv6 the traffic class, where it is not inherited.
    public let typeOfService: UInt8
    /// Whether packets that are sent whole have the IPv4 don't-fragment bit.
    public let doNotFragment: Bool
    /// Whether what exceeds the MTU is sent as fragments.
    public let fragments: Bool
    /// Whether culvertd tells senders of frames that exceed the MTU.
    public let tellsInside: Bool
    /// Octets of offset pad in data messages; nil: no offset size field.
    public let offsetPad: UInt8?
}
