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
        case .encapsulatedFrames: ("encapsulated_frames", "PPPoE session frames put into L2TP")
        case .encapsulatedOctets: ("encapsulated_octets", "PPP octets put into L2TP, from the protocol field on")
        case .decapsulatedFrames: ("decapsulated_frames", "L2TP data messages turned into PPPoE session frames")
        case .decapsulatedOctets: ("decapsulated_octets", "PPP octets taken from L2TP, from the protocol field on")
        case .txAccessFrames: ("tx_access_frames", "frames given to access ports")
        case .txAccessOctets: ("tx_access_octets", "octets of frames given to access ports, without FCS")
        case .txCoreFrames: ("tx_core_frames", "frames given to core ports")
        case .txCoreOctets: ("tx_core_octets", "octets of frames given to core ports, without FCS")
        case .puntedARP: ("punted_arp", "ARP frames given to culvertd")
        case .puntedIPv4: ("punted_ipv4", "IPv4 packets to the node given to culvertd")
        case .puntedIPv6: ("punted_ipv6", "IPv6 packets given to culvertd")
        case .puntedPPPoEDiscovery: ("punted_pppoe_discovery", "PPPoE discovery frames given to culvertd")
        case .puntedPPPControl: ("punted_ppp_control", "frames of sessions in PPP negotiation given to culvertd")
        case .puntedUnknownSession:
            ("punted_unknown_session", "PPPoE session frames that no session owns given to culvertd")
        case .puntedL2TPControl: ("punted_l2tp_control", "L2TP control messages given to culvertd")
        case .puntLimitedARP: ("punt_limited_arp", "ARP frames beyond the punt limit")
        case .puntLimitedIPv4: ("punt_limited_ipv4", "IPv4 packets to the node beyond the punt limit")
        case .puntLimitedIPv6: ("punt_limited_ipv6", "IPv6 packets beyond the punt limit")
        case .puntLimitedPPPoEDiscovery:
            ("punt_limited_pppoe_discovery", "PPPoE discovery frames beyond the punt limit")
        case .puntLimitedPPPControl:
            ("punt_limited_ppp_control", "frames of sessions in PPP negotiation beyond the punt limit")
        case .puntLimitedUnknownSession:
            ("punt_limited_unknown_session", "PPPoE session frames that no session owns beyond the punt limit")
        case .puntLimitedL2TPControl: ("punt_limited_l2tp_control", "L2TP control messages beyond the punt limit")
        case .puntRingFull: ("punt_ring_full", "frames for culvertd that found the worker's punt ring full")
        case .puntTooLong: ("punt_too_long", "frames for culvertd longer than a slot of the punt ring")
        case .portIdle: ("port_idle", "frames on a port that culvertd has given no role")
        case .transmitFull: ("transmit_full", "frames that the port's transmit queue had no room for")
        case .egressPortUnknown:
            ("egress_port_unknown", "frames whose session, template or injection names a port that does not exist")
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
        case .ipv4Malformed: ("ipv4_malformed", "IPv4 packets whose version, header length or total length is wrong")
        case .ipv4Checksum: ("ipv4_checksum", "IPv4 packets with a wrong header checksum")
        case .ipv4Fragment: ("ipv4_fragment", "fragments of IPv4 packets")
        case .ipv4NotForUs: ("ipv4_not_for_us", "IPv4 packets to an address that is not the node's")
        case .udpLength: ("udp_length", "UDP datagrams to the L2TP port whose length field contradicts the packet")
        case .udpChecksum: ("udp_checksum", "UDP datagrams to the L2TP port with a wrong checksum")
        case .l2tpShort: ("l2tp_short", "L2TP messages shorter than their header")
        case .l2tpVersion: ("l2tp_version", "L2TP messages whose version is not 2")
        case .l2tpLength: ("l2tp_length", "L2TP data messages whose length field contradicts the datagram")
        case .l2tpOffset: ("l2tp_offset", "L2TP data messages whose offset pad exceeds the message")
        case .l2tpEmpty: ("l2tp_empty", "L2TP data messages without a PPP frame")
        case .l2tpTunnelUnknown: ("l2tp_tunnel_unknown", "L2TP data messages to a tunnel that is not in service")
        case .l2tpPeerMismatch:
            ("l2tp_peer_mismatch", "L2TP data messages whose addresses or ports are not the tunnel's")
        case .l2tpSessionUnknown: ("l2tp_session_unknown", "L2TP data messages to a session that is not in service")
        case .accessHeaderInvalid:
            ("access_header_invalid", "L2TP data messages to sessions whose access header contradicts itself")
        case .accessMTUExceeded: ("access_mtu_exceeded", "PPP frames too long for the access port")
        }
    }
}
