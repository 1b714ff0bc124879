/// What the host stack counts: every frame that it did not use, by reason, and what it did of its own accord.
public enum HostCounter: Int, Error, CaseIterable, Sendable {
    /// The frame is shorter than an Ethernet header or came by a port that is not configured.
    case frameMalformed
    /// The frame is addressed to another station.
    case frameNotForUs
    /// The frame is neither ARP nor IPv4.
    case etherTypeUnknown
    /// The ARP message is short, not IPv4 over Ethernet, or names an impossible sender.
    case arpMalformed
    /// The ARP message asks for an address that is not ours on that port.
    case arpNotForUs
    /// The ARP reply was not asked for; nothing was learned from it.
    case arpUnsolicited
    /// Another station uses one of our addresses.
    case arpConflict
    /// Header or lengths of the IPv4 packet are wrong.
    case ipv4Malformed
    /// The IPv4 header's checksum is wrong.
    case ipv4ChecksumWrong
    /// The IPv4 packet is a fragment.
    case ipv4Fragment
    /// The IPv4 packet is for an address that is not ours.
    case ipv4NotForUs
    /// The IPv4 packet's source cannot be a host's address.
    case ipv4SourceInvalid
    /// The ICMP message is short or its checksum is wrong.
    case icmpMalformed
    /// The ICMP message is of a type that the node does not answer.
    case icmpIgnored
    /// The UDP length is wrong.
    case udpMalformed
    /// The UDP checksum is wrong.
    case udpChecksumWrong
    /// No one listens at the UDP port.
    case udpPortClosed
    /// The IPv4 packet carries a protocol that the node does not speak.
    case protocolUnknown
    /// An ICMP error was not sent because of the rate limit.
    case icmpErrorLimited
    /// A packet of our own had no route back to its destination.
    case replyUnroutable
    /// A packet of our own waited for a next hop and was dropped, because too many wait or the next hop never answered.
    case resolutionDropped
    /// An ICMP echo request was answered.
    case echoAnswered
    /// An ICMP destination unreachable message was sent.
    case unreachableSent
    /// An ARP request was answered.
    case arpAnswered
    /// An ARP request was sent.
    case arpRequested

    /// The counter's name for metrics and the command line.
    public var name: String {
        switch self {
        case .frameMalformed: "host_frame_malformed"
        case .frameNotForUs: "host_frame_not_for_us"
        case .etherTypeUnknown: "host_ether_type_unknown"
        case .arpMalformed: "host_arp_malformed"
        case .arpNotForUs: "host_arp_not_for_us"
        case .arpUnsolicited: "host_arp_unsolicited"
        case .arpConflict: "host_arp_conflict"
        case .ipv4Malformed: "host_ipv4_malformed"
        case .ipv4ChecksumWrong: "host_ipv4_checksum_wrong"
        case .ipv4Fragment: "host_ipv4_fragment"
        case .ipv4NotForUs: "host_ipv4_not_for_us"
        case .ipv4SourceInvalid: "host_ipv4_source_invalid"
        case .icmpMalformed: "host_icmp_malformed"
        case .icmpIgnored: "host_icmp_ignored"
        case .udpMalformed: "host_udp_malformed"
        case .udpChecksumWrong: "host_udp_checksum_wrong"
        case .udpPortClosed: "host_udp_port_closed"
        case .protocolUnknown: "host_protocol_unknown"
        case .icmpErrorLimited: "host_icmp_error_limited"
        case .replyUnroutable: "host_reply_unroutable"
        case .resolutionDropped: "host_resolution_dropped"
        case .echoAnswered: "host_echo_answered"
        case .unreachableSent: "host_unreachable_sent"
        case .arpAnswered: "host_arp_answered"
        case .arpRequested: "host_arp_requested"
        }
    }
}

/// One number per `HostCounter`.
public struct HostCounters: Equatable, Sendable {
    private var values = [UInt64](repeating: 0, count: HostCounter.allCases.count)

    /// All zero.
    public init() {}

    /// How often `counter` happened.
    public internal(set) subscript(counter: HostCounter) -> UInt64 {
        get { values[counter.rawValue] }
        set { values[counter.rawValue] = newValue }
    }

    /// The counters that are not zero.
    public var nonzero: [HostCounter: UInt64] {
        Dictionary(uniqueKeysWithValues: HostCounter.allCases.map { ($0, self[$0]) }.filter { $0.1 != 0 })
    }
}
