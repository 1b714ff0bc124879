import CSegment

/// Why a frame is given to culvertd. One token bucket per class and worker guards the punt path.
@frozen
public enum PuntClass: UInt8, CaseIterable, Sendable {
    /// ARP (RFC 826), any operation.
    case arp = 0
    /// IPv4 to one of the node's own addresses that is not L2TP: ICMP, UDP, …
    case ipv4 = 1
    /// IPv6 to the node or to a multicast group.
    case ipv6 = 2
    /// PPPoE discovery (RFC 2516, section 5).
    case pppoeDiscovery = 3
    /// PPP of a session that is not forwarded yet.
    case pppControl = 4
    /// A PPPoE session frame that no session owns; culvertd answers with PADT.
    case unknownSession = 5
    /// An L2TP control message (RFC 2661, section 3.1, T bit) of a tunnel, from the tunnel's peer to its local end.
    case l2tpControl = 6
    /// A session's frame that exceeds its tunnel's MTU, cut to 1,280 octets: culvertd tells its sender (RFC 1191, RFC 8201).
    case tooBig = 7
    /// A copy of a captured session's frame: the frame itself goes its way.
    case capture = 8
    /// An L2TP control message of no tunnel of its sender's: a request for one, the answer to this node's own request, or a
    /// stranger's.
    case l2tpUnknown = 9

    /// The name in settings and in `show`.
    public var name: String {
        switch self {
        case .arp: "arp"
        case .ipv4: "ipv4"
        case .ipv6: "ipv6"
        case .pppoeDiscovery: "pppoe-discovery"
        case .pppControl: "ppp-control"
        case .unknownSession: "unknown-session"
        case .l2tpControl: "l2tp-control"
        case .tooBig: "too-big"
        case .capture: "capture"
        case .l2tpUnknown: "l2tp-unknown"
        }
    }
}
