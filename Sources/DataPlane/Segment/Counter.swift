import CSegment

/// Every counter of a worker, declared once: its slot in `culvert_worker.counters`, its name and its text.
///
/// The command line, metrics and tests read this table. The flow of a frame and the counters on it:
///
/// ```
///   access port ---> rxAccessFrames -------+                                 +--> txAccessFrames
///   core port -----> rxCoreFrames ---------+                                 +--> txCoreFrames
///   culvertd ------> injectedFrames -------+--> forwarded, punted, dropped --+--> a drop reason, a punt class
///   other worker --> dispatchReceived -----+                                 +--> dispatched, to another worker
///   reassembly ----> reassembledDatagrams -+                                 +--> reassembledFragments
///   fragmenting ---> outerFragments -------+                                 +--> outerFragmented
///   capturing -----> captureCopies --------+                                 +--> puntedCapture, or lost
/// ```
///
/// A port that is both counts as an access port. A frame that is handed to another worker ends here and comes in there; a
/// datagram that was put together comes in when its fragments end; the fragments of an encapsulated packet come in when the
/// packet ends; a copy for a capture comes in when it is made, whatever becomes of the frame that it is of.
///
/// **The invariant:** each frame that came in ends in exactly one terminal counter. Whenever a worker is between two
/// rounds of its loop and its transmit and dispatch buffers are empty, the sum of the counters whose role is `.input` equals
/// the sum of those whose role is `.terminal` plus the frames that the worker holds: fragments of incomplete datagrams,
/// and frames that came before their turn.
@frozen
public enum Counter: Int, CaseIterable, Sendable {
    // In.
    case rxAccessFrames = 0
    case rxAccessOctets
    case rxCoreFrames
    case rxCoreOctets
    case injectedFrames
    case dispatchReceived
    case reassembledDatagrams
    case outerFragments
    case captureCopies
    // On the way.
    case encapsulatedFrames
    case encapsulatedOctets
    case decapsulatedFrames
    case decapsulatedOctets
    case mssClamped
    case sequenceReordered
    case sequenceMissing
    // Out.
    case txAccessFrames
    case txAccessOctets
    case txCoreFrames
    case txCoreOctets
    case dispatched
    case reassembledFragments
    case outerFragmented
    // Given to culvertd, in the order of PuntClass.
    case puntedARP
    case puntedIPv4
    case puntedIPv6
    case puntedPPPoEDiscovery
    case puntedPPPControl
    case puntedUnknownSession
    case puntedL2TPControl
    case puntedTooBig
    case puntedCapture
    case puntedL2TPUnknown
    // Refused by the class's token bucket, although within the shares of VLAN and port, in the order of PuntClass.
    case puntLimitedARP
    case puntLimitedIPv4
    case puntLimitedIPv6
    case puntLimitedPPPoEDiscovery
    case puntLimitedPPPControl
    case puntLimitedUnknownSession
    case puntLimitedL2TPControl
    case puntLimitedTooBig
    case puntLimitedCapture
    case puntLimitedL2TPUnknown
    // Refused by the client's own token bucket, in the order of PuntClass.
    case puntClientLimitedARP
    case puntClientLimitedIPv4
    case puntClientLimitedIPv6
    case puntClientLimitedPPPoEDiscovery
    case puntClientLimitedPPPControl
    case puntClientLimitedUnknownSession
    case puntClientLimitedL2TPControl
    case puntClientLimitedTooBig
    case puntClientLimitedCapture
    case puntClientLimitedL2TPUnknown
    // Refused by the class's token bucket, beyond the share of their VLAN, tunnel or port, in the order of PuntClass. Copies for
    // captures have no shares.
    case puntShareLimitedARP
    case puntShareLimitedIPv4
    case puntShareLimitedIPv6
    case puntShareLimitedPPPoEDiscovery
    case puntShareLimitedPPPControl
    case puntShareLimitedUnknownSession
    case puntShareLimitedL2TPControl
    case puntShareLimitedTooBig
    case puntShareLimitedL2TPUnknown
    // Dropped: punt path and ports.
    case puntRingFull
    case captureNoRoom
    case puntTooLong
    case portIdle
    case transmitFull
    case egressPortUnknown
    case egressChained
    case headroomShort
    case dispatchRingFull
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
    case outerFragmentsTooMany
    case outerFragmentNoBuffer
    // Dropped: a session's policer.
    case policedUpstream
    case policedDownstream
    case policerInvalid
    // Dropped: IP and UDP.
    case ipv4Malformed
    case ipv4Checksum
    case ipv4NotForUs
    case ipv6Malformed
    case ipv6ExtensionHeader
    case ipv6NotForUs
    case udpLength
    case udpChecksum
    case udpChecksumMissing
    // Dropped: fragments.
    case fragmentMalformed
    case fragmentTiny
    case fragmentTooLong
    case fragmentDuplicate
    case fragmentOverlap
    case fragmentTimeout
    case fragmentEvicted
    case fragmentsTooMany
    // Dropped: L2TP.
    case l2tpShort
    case l2tpVersion
    case l2tpLength
    case l2tpOffset
    case l2tpEmpty
    case l2tpTunnelUnknown
    case l2tpPeerMismatch
    case l2tpSessionUnknown
    case sequenceLate
    case sequenceRequired
    case sequenceOverflow
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
        case .rxAccessFrames, .rxCoreFrames, .injectedFrames, .dispatchReceived, .reassembledDatagrams,
            .outerFragments, .captureCopies:
            .input
        case .encapsulatedFrames, .decapsulatedFrames, .mssClamped, .sequenceReordered, .sequenceMissing: .passage
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
        case .tooBig: .puntedTooBig
        case .capture: .puntedCapture
        case .l2tpUnknown: .puntedL2TPUnknown
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
        case .tooBig: .puntLimitedTooBig
        case .capture: .puntLimitedCapture
        case .l2tpUnknown: .puntLimitedL2TPUnknown
        }
    }

    /// Frames of `punt` that the class's token bucket refused because they were beyond the share of their VLAN, tunnel or port.
    @inlinable
    public static func puntShareLimited(_ punt: PuntClass) -> Counter {
        switch punt {
        case .arp: .puntShareLimitedARP
        case .ipv4: .puntShareLimitedIPv4
        case .ipv6: .puntShareLimitedIPv6
        case .pppoeDiscovery: .puntShareLimitedPPPoEDiscovery
        case .pppControl: .puntShareLimitedPPPControl
        case .unknownSession: .puntShareLimitedUnknownSession
        case .l2tpControl: .puntShareLimitedL2TPControl
        case .tooBig: .puntShareLimitedTooBig
        case .l2tpUnknown: .puntShareLimitedL2TPUnknown
        case .capture: .puntLimitedCapture  // which has no shares
        }
    }

    /// Frames of `punt` that the token bucket of the one client or peer that sent them refused.
    @inlinable
    public static func puntClientLimited(_ punt: PuntClass) -> Counter {
        switch punt {
        case .arp: .puntClientLimitedARP
        case .ipv4: .puntClientLimitedIPv4
        case .ipv6: .puntClientLimitedIPv6
        case .pppoeDiscovery: .puntClientLimitedPPPoEDiscovery
        case .pppControl: .puntClientLimitedPPPControl
        case .unknownSession: .puntClientLimitedUnknownSession
        case .l2tpControl: .puntClientLimitedL2TPControl
        case .tooBig: .puntClientLimitedTooBig
        case .capture: .puntClientLimitedCapture
        case .l2tpUnknown: .puntClientLimitedL2TPUnknown
        }
    }
}
