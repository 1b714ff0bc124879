extension Counter {
    /// The name in metrics and tests, in snake case.
    public var name: String { words.name }

    /// What the counter counts, for operators.
    public var text: String { words.text }

    private var words: (name: String, text: String) {
        switch self {
        case .rxAccessFrames: ("rx_access_frames", "frames received on access ports")
        case .rxAccessOctets: ("rx_access_octets", "octets of frames received on access ports, without FCS")
        case .rxCoreFrames: ("rx_core_frames", "frames received on core ports")
        case .rxCoreOctets: ("rx_core_octets", "octets of frames received on core ports, without FCS")
        case .injectedFrames: ("injected_frames", "frames from culvertd to be sent")
        case .dispatchReceived: ("dispatch_received", "frames handed over by other workers")
        case .reassembledDatagrams: ("reassembled_datagrams", "IP datagrams put together from fragments")
        case .outerFragments: ("outer_fragments", "fragments that encapsulated packets were sent as")
        case .captureCopies: ("capture_copies", "copies of captured sessions' frames that were to be made")
        case .encapsulatedFrames: ("encapsulated_frames", "PPPoE session frames put into L2TP")
        case .encapsulatedOctets: ("encapsulated_octets", "PPP octets put into L2TP, from the protocol field on")
        case .decapsulatedFrames: ("decapsulated_frames", "L2TP data messages turned into PPPoE session frames")
        case .decapsulatedOctets: ("decapsulated_octets", "PPP octets taken from L2TP, from the protocol field on")
        case .mssClamped: ("mss_clamped", "TCP SYNs whose maximum segment size was lowered")
        case .sequenceReordered: ("sequence_reordered", "L2TP data messages that waited for earlier ones")
        case .sequenceMissing: ("sequence_missing", "L2TP data messages that the sequence numbers say were lost")
        case .txAccessFrames: ("tx_access_frames", "frames given to access ports")
        case .txAccessOctets: ("tx_access_octets", "octets of frames given to access ports, without FCS")
        case .txCoreFrames: ("tx_core_frames", "frames given to core ports")
        case .txCoreOctets: ("tx_core_octets", "octets of frames given to core ports, without FCS")
        case .dispatched: ("dispatched", "frames handed over to the worker that has their session")
        case .reassembledFragments: ("reassembled_fragments", "fragments that became part of a datagram")
        case .outerFragmented: ("outer_fragmented", "encapsulated packets that were sent as fragments")
        case .puntedARP: ("punted_arp", "ARP frames given to culvertd")
        case .puntedIPv4: ("punted_ipv4", "IPv4 packets to the node given to culvertd")
        case .puntedIPv6: ("punted_ipv6", "IPv6 packets given to culvertd")
        case .puntedPPPoEDiscovery: ("punted_pppoe_discovery", "PPPoE discovery frames given to culvertd")
        case .puntedPPPControl: ("punted_ppp_control", "frames of sessions in PPP negotiation given to culvertd")
        case .puntedUnknownSession:
            ("punted_unknown_session", "PPPoE session frames that no session owns given to culvertd")
        case .puntedL2TPControl: ("punted_l2tp_control", "L2TP control messages from tunnels' peers given to culvertd")
        case .puntedTooBig:
            ("punted_too_big", "frames too long for their tunnel given to culvertd, which tells the sender")
        case .puntedCapture: ("punted_capture", "copies of captured sessions' frames given to culvertd")
        case .puntedL2TPUnknown:
            ("punted_l2tp_unknown", "L2TP control messages of no tunnel of their sender's given to culvertd")
        case .puntLimitedARP: ("punt_limited_arp", "ARP frames beyond the punt limit")
        case .puntLimitedIPv4: ("punt_limited_ipv4", "IPv4 packets to the node beyond the punt limit")
        case .puntLimitedIPv6: ("punt_limited_ipv6", "IPv6 packets beyond the punt limit")
        case .puntLimitedPPPoEDiscovery:
            ("punt_limited_pppoe_discovery", "PPPoE discovery frames beyond the punt limit")
        case .puntLimitedPPPControl:
            ("punt_limited_ppp_control", "frames of sessions in PPP negotiation beyond the punt limit")
        case .puntLimitedUnknownSession:
            ("punt_limited_unknown_session", "PPPoE session frames that no session owns beyond the punt limit")
        case .puntLimitedL2TPControl:
            ("punt_limited_l2tp_control", "L2TP control messages from tunnels' peers beyond the punt limit")
        case .puntLimitedTooBig: ("punt_limited_too_big", "frames too long for their tunnel beyond the punt limit")
        case .puntLimitedCapture:
            ("punt_limited_capture", "copies of captured sessions' frames beyond the punt limit")
        case .puntLimitedL2TPUnknown:
            ("punt_limited_l2tp_unknown", "L2TP control messages of no tunnel of their sender's beyond the punt limit")
        case .puntClientLimitedARP: ("punt_client_limited_arp", "ARP frames beyond one sender's limit")
        case .puntClientLimitedIPv4: ("punt_client_limited_ipv4", "IPv4 packets to the node beyond one sender's limit")
        case .puntClientLimitedIPv6: ("punt_client_limited_ipv6", "IPv6 packets beyond one sender's limit")
        case .puntClientLimitedPPPoEDiscovery:
            ("punt_client_limited_pppoe_discovery", "PPPoE discovery frames beyond one client's limit")
        case .puntClientLimitedPPPControl:
            ("punt_client_limited_ppp_control", "frames of a session in PPP negotiation beyond its limit")
        case .puntClientLimitedUnknownSession:
            (
                "punt_client_limited_unknown_session",
                "PPPoE session frames that no session owns beyond one client's limit"
            )
        case .puntClientLimitedL2TPControl:
            ("punt_client_limited_l2tp_control", "L2TP control messages from tunnels' peers beyond one tunnel's limit")
        case .puntClientLimitedTooBig:
            ("punt_client_limited_too_big", "frames too long for their tunnel beyond one session's limit")
        case .puntClientLimitedCapture:
            ("punt_client_limited_capture", "copies of a captured session's frames beyond one session's limit")
        case .puntClientLimitedL2TPUnknown:
            (
                "punt_client_limited_l2tp_unknown",
                "L2TP control messages of no tunnel of their sender's beyond one sender's limit"
            )
        case .puntShareLimitedARP:
            (
                "punt_share_limited_arp",
                "ARP frames beyond the punt limit, of a VLAN or port that sends more than its share"
            )
        case .puntShareLimitedIPv4:
            (
                "punt_share_limited_ipv4",
                "IPv4 packets to the node beyond the punt limit, of a VLAN or port that sends more than its share"
            )
        case .puntShareLimitedIPv6:
            (
                "punt_share_limited_ipv6",
                "IPv6 packets beyond the punt limit, of a VLAN or port that sends more than its share"
            )
        case .puntShareLimitedPPPoEDiscovery:
            (
                "punt_share_limited_pppoe_discovery",
                "PPPoE discovery frames beyond the punt limit, of a VLAN or port that sends more than its share"
            )
        case .puntShareLimitedPPPControl:
            (
                "punt_share_limited_ppp_control",
                "frames of sessions in PPP negotiation beyond the punt limit, of a VLAN or port that sends more than its share"
            )
        case .puntShareLimitedUnknownSession:
            (
                "punt_share_limited_unknown_session",
                "PPPoE session frames that no session owns beyond the punt limit, of a VLAN or port that sends more than its share"
            )
        case .puntShareLimitedL2TPControl:
            (
                "punt_share_limited_l2tp_control",
                "L2TP control messages from tunnels' peers beyond the punt limit, of a tunnel or port that sends more than its share"
            )
        case .puntShareLimitedTooBig:
            (
                "punt_share_limited_too_big",
                "frames too long for their tunnel beyond the punt limit, of a VLAN or port that sends more than its share"
            )
        case .puntShareLimitedL2TPUnknown:
            (
                "punt_share_limited_l2tp_unknown",
                "L2TP control messages of no tunnel of their sender's beyond the punt limit, of a VLAN or port that sends more than its share"
            )
        case .puntRingFull: ("punt_ring_full", "frames for culvertd that found the worker's punt ring full")
        case .captureNoRoom:
            ("capture_no_room", "copies of captured sessions' frames for which there was no packet buffer or no room")
        case .puntTooLong: ("punt_too_long", "frames for culvertd longer than a slot of the punt ring")
        case .portIdle: ("port_idle", "frames on a port that culvertd has given no role")
        case .transmitFull: ("transmit_full", "frames that the port's transmit queue had no room for")
        case .egressPortUnknown:
            ("egress_port_unknown", "frames whose session, template or injection names a port that does not exist")
        case .egressChained:
            ("egress_chained", "frames in several packet buffers to a port that sends only frames in one")
        case .dispatchRingFull: ("dispatch_ring_full", "frames for another worker that found its ring full")
        case .headroomShort: ("headroom_short", "frames with too little room in front for the tunnel's headers")
        case .frameShort: ("frame_short", "frames shorter than an Ethernet header with its tags")
        case .frameChained: ("frame_chained", "frames that did not fit one packet buffer")
        case .frameNotForUs: ("frame_not_for_us", "frames whose destination is not the port's MAC address")
        case .etherTypeUnknown: ("ether_type_unknown", "frames of an EtherType that is not served on the port")
        case .pppoeShort: ("pppoe_short", "PPPoE session frames shorter than their header")
        case .pppoeVersion: ("pppoe_version", "PPPoE session frames whose version or type is not 1")
        case .pppoeCode: ("pppoe_code", "PPPoE session frames whose code is not 0")
        case .pppoeLength: ("pppoe_length", "PPPoE session frames whose length field exceeds the frame")
        case .pppoeEmpty: ("pppoe_empty", "PPPoE session frames without a PPP frame")
        case .circuitUnknown:
            ("circuit_unknown", "PPPoE session frames from an attachment circuit that is not in service")
        case .tunnelNotForwarding: ("tunnel_not_forwarding", "frames of sessions whose tunnel is not in service")
        case .templateInvalid: ("template_invalid", "frames of sessions whose tunnel template contradicts itself")
        case .nextHopUnresolved: ("next_hop_unresolved", "frames to tunnels whose next hop has no address yet")
        case .outerMTUExceeded:
            ("outer_mtu_exceeded", "frames that are too long for the tunnel's path once encapsulated")
        case .outerFragmentsTooMany:
            ("outer_fragments_too_many", "encapsulated packets that would have needed more than 32 fragments")
        case .outerFragmentNoBuffer:
            ("outer_fragment_no_buffer", "encapsulated packets for whose fragments no packet buffers were left")
        case .policedUpstream: ("policed_upstream", "frames from clients beyond their session's rate")
        case .policedDownstream: ("policed_downstream", "frames to clients beyond their session's rate")
        case .policerInvalid: ("policer_invalid", "frames of sessions whose policer has no usable rates")
        case .ipv4Malformed: ("ipv4_malformed", "IPv4 packets whose version, header length or total length is wrong")
        case .ipv4Checksum: ("ipv4_checksum", "IPv4 packets with a wrong header checksum")
        case .ipv4NotForUs: ("ipv4_not_for_us", "IPv4 packets to an address that is not the node's")
        case .ipv6Malformed: ("ipv6_malformed", "IPv6 packets whose version or payload length is wrong")
        case .ipv6ExtensionHeader:
            (
                "ipv6_extension_header",
                "IPv6 packets to the node with an extension header other than one fragment header"
            )
        case .ipv6NotForUs: ("ipv6_not_for_us", "IPv6 packets to an address that is not the node's")
        case .udpLength: ("udp_length", "UDP datagrams to the L2TP port whose length field contradicts the packet")
        case .udpChecksum: ("udp_checksum", "UDP datagrams to the L2TP port with a wrong checksum")
        case .udpChecksumMissing:
            (
                "udp_checksum_missing",
                "UDP datagrams over IPv6 to the L2TP port without a checksum where one is required"
            )
        case .fragmentMalformed:
            ("fragment_malformed", "fragments that are empty, or not the last and no multiple of 8 octets long")
        case .fragmentTiny: ("fragment_tiny", "fragments too short for the headers or for a sender with that MTU")
        case .fragmentTooLong: ("fragment_too_long", "fragments that would make a datagram longer than 65,535 octets")
        case .fragmentDuplicate: ("fragment_duplicate", "fragments that were there already")
        case .fragmentOverlap: ("fragment_overlap", "fragments of datagrams in which two fragments overlap")
        case .fragmentTimeout: ("fragment_timeout", "fragments of datagrams that were not complete in time")
        case .fragmentEvicted: ("fragment_evicted", "fragments of datagrams that had to make room for newer ones")
        case .fragmentsTooMany: ("fragments_too_many", "fragments of datagrams in more pieces than are put together")
        case .l2tpShort: ("l2tp_short", "L2TP messages shorter than their header")
        case .l2tpVersion: ("l2tp_version", "L2TP messages whose version is not 2")
        case .l2tpLength: ("l2tp_length", "L2TP data messages whose length field contradicts the datagram")
        case .l2tpOffset: ("l2tp_offset", "L2TP data messages whose offset pad exceeds the message")
        case .l2tpEmpty: ("l2tp_empty", "L2TP data messages without a PPP frame")
        case .l2tpTunnelUnknown: ("l2tp_tunnel_unknown", "L2TP data messages to a tunnel that is not in service")
        case .l2tpPeerMismatch:
            ("l2tp_peer_mismatch", "L2TP data messages whose addresses or ports are not the tunnel's")
        case .l2tpSessionUnknown: ("l2tp_session_unknown", "L2TP data messages to a session that is not in service")
        case .sequenceLate: ("sequence_late", "L2TP data messages that came after later ones, or twice")
        case .sequenceRequired:
            ("sequence_required", "L2TP data messages without sequence numbers to sessions that require them")
        case .sequenceOverflow:
            ("sequence_overflow", "L2TP data messages that came early while no more could wait")
        case .accessHeaderInvalid:
            ("access_header_invalid", "L2TP data messages to sessions whose access header contradicts itself")
        case .accessMTUExceeded: ("access_mtu_exceeded", "PPP frames too long for the access port")
        }
    }
}
