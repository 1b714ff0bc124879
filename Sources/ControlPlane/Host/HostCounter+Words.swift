// Names and texts of the host stack's counters.
extension HostCounter {
    /// The name in `show` and in metrics.
    public var name: String { words.name }

    /// What is counted, in plain words.
    public var text: String { words.text }

    private var words: (name: String, text: String) {
        switch self {
        case .frameMalformed:
            ("host_frame_malformed", "frames shorter than an Ethernet header, or by a port without addresses")
        case .frameNotForUs: ("host_frame_not_for_us", "frames to another station, or with a packet in them that is")
        case .etherTypeUnknown: ("host_ether_type_unknown", "frames that are neither ARP, IPv4 nor IPv6")
        case .arpMalformed:
            ("host_arp_malformed", "ARP messages that are short, not IPv4 over Ethernet, or of an impossible sender")
        case .arpNotForUs: ("host_arp_not_for_us", "ARP requests for an address that is not the node's on that port")
        case .arpUnsolicited:
            ("host_arp_unsolicited", "ARP replies that were not asked for; nothing was learned from them")
        case .arpConflict:
            ("host_arp_conflict", "ARP messages of another station that uses one of the node's addresses")
        case .ipv4Malformed: ("host_ipv4_malformed", "IPv4 packets with wrong header or lengths")
        case .ipv4ChecksumWrong: ("host_ipv4_checksum_wrong", "IPv4 packets with a wrong header checksum")
        case .ipv4Fragment: ("host_ipv4_fragment", "IPv4 packets that are fragments")
        case .ipv4NotForUs: ("host_ipv4_not_for_us", "IPv4 packets to an address that is not the node's")
        case .ipv4SourceInvalid:
            ("host_ipv4_source_invalid", "IPv4 packets from what cannot be another host's address")
        case .ipv6Malformed:
            ("host_ipv6_malformed", "IPv6 packets with wrong header or lengths, extension headers included")
        case .ipv6Fragment: ("host_ipv6_fragment", "IPv6 packets that are fragments")
        case .ipv6NotForUs: ("host_ipv6_not_for_us", "IPv6 packets to an address or group that is not the node's")
        case .ipv6SourceInvalid:
            ("host_ipv6_source_invalid", "IPv6 packets from what cannot be another host's address")
        case .ipv6OptionRefused:
            (
                "host_ipv6_option_refused",
                "IPv6 packets with an option or routing header that the node must not pass over"
            )
        case .icmpMalformed: ("host_icmp_malformed", "ICMP messages that are short or have a wrong checksum")
        case .icmpIgnored:
            (
                "host_icmp_ignored",
                "ICMP messages of a type that the node does not answer, router advertisements among them"
            )
        case .icmpQuoteMalformed:
            ("host_icmp_quote_malformed", "ICMP messages about a packet's length without the packet's header")
        case .icmpQuoteForeign:
            (
                "host_icmp_quote_foreign",
                "ICMP messages about the length of packets that are no UDP datagrams of the node"
            )
        case .pathMTUInvalid:
            ("host_path_mtu_invalid", "ICMP messages with an MTU that the packet had not exceeded, or that no path has")
        case .pathMTUReported: ("host_path_mtu_reported", "ICMP messages with a path's MTU that were taken")
        case .ndMalformed: ("host_nd_malformed", "neighbour discovery messages that fail the checks of RFC 4861")
        case .ndNotForUs:
            ("host_nd_not_for_us", "neighbour solicitations for an address that is not the node's on that port")
        case .ndUnsolicited:
            ("host_nd_unsolicited", "neighbour advertisements that were not asked for; nothing was learned from them")
        case .ndConflict:
            ("host_nd_conflict", "neighbour advertisements of another station for one of the node's addresses")
        case .addressDuplicate:
            (
                "host_address_duplicate",
                "IPv6 addresses of the node that another station was found to use; they are out of use"
            )
        case .udpMalformed: ("host_udp_malformed", "UDP datagrams with a wrong length")
        case .udpChecksumWrong: ("host_udp_checksum_wrong", "UDP datagrams with a wrong checksum")
        case .udpChecksumMissing: ("host_udp_checksum_missing", "UDP datagrams over IPv6 without a checksum")
        case .udpPortClosed: ("host_udp_port_closed", "UDP datagrams to a port that no one listens at")
        case .protocolUnknown: ("host_protocol_unknown", "IP packets with a protocol that the node does not speak")
        case .icmpErrorLimited: ("host_icmp_error_limited", "ICMP errors that were not sent because of the rate limit")
        case .replyUnroutable:
            (
                "host_reply_unroutable",
                "packets that could not be answered for want of a way, an address, or the right to answer"
            )
        case .resolutionDropped:
            (
                "host_resolution_dropped",
                "packets of the node that waited too long, or too many, for a next hop's address"
            )
        case .echoAnswered: ("host_echo_answered", "ICMP echo requests that were answered")
        case .unreachableSent: ("host_unreachable_sent", "ICMP errors that were sent")
        case .arpAnswered: ("host_arp_answered", "ARP requests that were answered")
        case .arpRequested: ("host_arp_requested", "ARP requests that were sent")
        case .ndAnswered: ("host_nd_answered", "neighbour solicitations that were answered")
        case .ndSolicited: ("host_nd_solicited", "neighbour solicitations that were sent")
        case .tooBigMalformed:
            (
                "host_too_big_malformed",
                "clients' frames too long for their tunnel that are no PPPoE session frames or whose packet's header is wrong"
            )
        case .tooBigNotIP:
            ("host_too_big_not_ip", "clients' frames too long for their tunnel that hold neither IPv4 nor IPv6")
        case .tooBigFits:
            ("host_too_big_fits", "clients' frames too long for their tunnel though the IP packet in them is not")
        case .tooBigSourceInvalid:
            (
                "host_too_big_source_invalid",
                "clients' packets too long for their tunnel from or to an address that must not be answered"
            )
        case .tooBigFragmentable:
            (
                "host_too_big_fragmentable",
                "clients' IPv4 packets too long for their tunnel that may be fragmented: there is nothing to say"
            )
        case .tooBigFragment:
            ("host_too_big_fragment", "clients' packets too long for their tunnel that are fragments but not the first")
        case .tooBigIsError:
            ("host_too_big_is_error", "clients' packets too long for their tunnel that are ICMP errors, or might be")
        case .tooBigBelowMinimum:
            (
                "host_too_big_below_minimum",
                "clients' packets too long for a tunnel that takes less than hosts can be told"
            )
        case .tooBigLimited:
            (
                "host_too_big_limited",
                "clients' frames too long for their tunnel that were not answered because of the rate limit"
            )
        case .tooBigAnswered:
            ("host_too_big_answered", "clients that were told that their packet is too long for their tunnel")
        }
    }
}
