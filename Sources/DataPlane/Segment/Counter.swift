import CSegment

/// Every counter of a worker, declared once: its slot in `culvert_worker.counters`, its name and its text.
///
/// The command line, metrics and tests read this table. The flow of a frame and the counters on it:
///
/// ```
///   access port --> rxAccessFrames --+                                 +--> txAccessFrames
///   core port ----> rxCoreFrames ----+--> forwarded, punted, dropped --+--> txCoreFrames
///   culvertd -----> injectedFrames --+                                 +--> a drop reason, a punt class
/// ```
///
/// A port that is both counts as an access port.
///
/// **The invariant:** each frame that came in ends in exactly one terminal counter. Whenever a worker is between two
/// rounds of its loop and its transmit buffers are empty,
/// `rxAccessFrames + rxCoreFrames + injectedFrames` equals the sum of all counters whose role is `.terminal`.
@frozen
public enum Counter: Int, CaseIterable, Sendable {
    // In.
    case rxAccessFrames = 0
    case rxAccessOctets
    case rxCoreFrames
    case rxCoreOctets
    case injectedFrames
    // On the way.
    case encapsulatedFrames
    case encapsulatedOctets
    case decapsulatedFrames
    case decapsulatedOctets
    // Out.
    case txAccessFrames
    case txAccessOctets
    case txCoreFrames
    case txCoreOctets
    // Given to culvertd, in the order of PuntClass.
    case puntedARP
    case puntedIPv4
    case puntedIPv6
    case puntedPPPoEDiscovery
    case puntedPPPControl
    case puntedUnknownSession
    case puntedL2TPControl
    // Refused by the class's token bucket, in the order of PuntClass.
    case puntLimitedARP
    case puntLimitedIPv4
    case puntLimitedIPv6
    case puntLimitedPPPoEDiscovery
    case puntLimitedPPPControl
    case puntLimitedUnknownSession
    case puntLimitedL2TPControl
    // Dropped: punt path and ports.
    case puntRingFull
    case puntTooLong
    case portIdle
    case transmitFull
    case egressPortUnknown
    case headroomShort
    // Dropped: frame.
    case frameShort
    case frameChained
    case frameNotForUs
    case etherTypeUnknown
    // Dropped: PPPoE.
    case pppoeShort
    case pppoeVersion
    case pppoeCode
    case pppoeLength
    case pppoeEmpty
    case circuitUnknown
    case tunnelNotForwarding
    case templateInvalid
    case nextHopUnresolved
    case outerMTUExceeded
    // Dropped: IPv4 and UDP.
    case ipv4Malformed
    case ipv4Checksum
    case ipv4Fragment
    case ipv4NotForUs
    case udpLength
    case udpChecksum
    // Dropped: L2TP.
    case l2tpShort
    case l2tpVersion
    case l2tpLength
    case l2tpOffset
    case l2tpEmpty
    case l2tpTunnelUnknown
    case l2tpPeerMismatch
    case l2tpSessionUnknown
    case accessHeaderInvalid
    case accessMTUExceeded

    /// What a counter says about the frame.
    public enum Role: Sendable {
        /// The frame came in.
        case input
        /// The frame passed here on its way.
        case passage
        /// The frame ended here.
        case terminal
        /// Octets, not frames.
        case octets
    }

    /// Where in a frame's life the counter stands.
    public var role: Role {
        switch self {
        case .rxAccessFrames, .rxCoreFrames, .injectedFrames: .input
        case .encapsulatedFrames, .decapsulatedFrames: .passage
        case .rxAccessOctets, .rxCoreOctets, .encapsulatedOctets, .decapsulatedOctets, .txAccessOctets, .txCoreOctets:
            .octets
        default: .terminal
        }
    }

    /// Whether the counter is a reason for which frames are dropped.
    public var isDrop: Bool { rawValue >= Counter.puntLimitedARP.rawValue }

    /// Frames of `punt` that were given to culvertd.
    @inlinable
    public static func punted(_ punt: PuntClass) -> Counter {
        switch punt {
        case .arp: .puntedARP
        case .ipv4: .puntedIPv4
        case .ipv6: .puntedIPv6
        case .pppoeDiscovery: .puntedPPPoEDiscovery
        case .pppControl: .puntedPPPControl
        case .unknownSession: .puntedUnknownSession
        case .l2tpControl: .puntedL2TPControl
        }
    }

    /// Frames of `punt` that the class's token bucket refused.
    @inlinable
    public static func puntLimited(_ punt: PuntClass) -> Counter {
        switch punt {
        case .arp: .puntLimitedARP
        case .ipv4: .puntLimitedIPv4
        case .ipv6: .puntLimitedIPv6
        case .pppoeDiscovery: .puntLimitedPPPoEDiscovery
        case .pppControl: .puntLimitedPPPControl
        case .unknownSession: .puntLimitedUnknownSession
        case .l2tpControl: .puntLimitedL2TPControl
        }
    }
}
