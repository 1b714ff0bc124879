"""What the node does with a frame, written from RFC 2516, RFC 2661, RFC 791, RFC 768 and the counters' own texts.

The model keeps sessions in dictionaries by their whole key, checks everything in the order in which the headers lie in the
frame, and lets scapy build what goes out.
"""

import socket
import struct
from collections import Counter

from scapy.all import IP, UDP, Dot1Q, Ether, Raw

from frames import internet_checksum

L2TP_PORT = 1701
ACCESS_MTU = 1500
PUNT_LIMIT = 2016  # octets of a frame that the punt ring holds


def text(mac):
    return ":".join("%02x" % octet for octet in mac)


class Sent:
    """A frame that leaves through `port`."""

    def __init__(self, port, frame):
        self.port, self.frame = port, frame

    def __repr__(self):
        return "sent to port %d: %s" % (self.port, self.frame.hex())


class Punted:
    """A frame given to the control plane."""

    def __init__(self, reason, port, slot, frame):
        self.reason, self.port, self.slot, self.frame = reason, port, slot, frame

    def __repr__(self):
        return "punted as %s from port %d, slot %s: %s" % (self.reason, self.port, self.slot, self.frame.hex())


class Dropped:
    """A frame that goes nowhere, and the counter that says why."""

    def __init__(self, reason):
        self.reason = reason

    def __repr__(self):
        return "dropped as %s" % self.reason


class Drop(Exception):
    pass


class Punt(Exception):
    def __init__(self, reason, slot=-1):
        super().__init__(reason)
        self.reason, self.slot = reason, slot


class Model:
    def __init__(self, topology):
        self.topology = topology
        self.counters = Counter()
        self.identification = 0  # of the next IPv4 packet
        self.by_circuit = {}
        for circuit_index, circuit in enumerate(topology.circuits):
            self.by_circuit[circuit.port, circuit.outer, circuit.inner, circuit.tpid] = circuit_index
        self.by_pppoe = {(s.circuit, s.session_id): s for s in topology.sessions}
        self.by_tunnel = {t.id: i for i, t in enumerate(topology.tunnels)}
        self.by_l2tp = {(s.tunnel, s.local_session_id): s for s in topology.sessions if not s.punt}

    def receive(self, port, frame):
        """What becomes of `frame`, counted."""
        side = "access" if self.topology.ports[port].access else "core"
        self.counters["rx_%s_frames" % side] += 1
        self.counters["rx_%s_octets" % side] += len(frame)
        try:
            outcome = self.decide(self.topology.ports[port], frame)
        except Drop as drop:
            outcome = Dropped(str(drop))
            self.counters[outcome.reason] += 1
        except Punt as punt:
            if len(frame) > PUNT_LIMIT:
                outcome = Dropped("punt_too_long")
                self.counters[outcome.reason] += 1
            else:
                outcome = Punted(punt.reason, port, punt.slot, frame)
                self.counters["punted_" + punt.reason.replace("-", "_")] += 1
        if isinstance(outcome, Sent):
            self.count_sent(outcome)
        return outcome

    def transmit(self, port, frame):
        """What becomes of a frame that the control plane sends."""
        self.counters["injected_frames"] += 1
        if port >= len(self.topology.ports):
            self.counters["egress_port_unknown"] += 1
            return Dropped("egress_port_unknown")
        outcome = Sent(port, frame)
        self.count_sent(outcome)
        return outcome

    def count_sent(self, outcome):
        side = "access" if self.topology.ports[outcome.port].access else "core"
        self.counters["tx_%s_frames" % side] += 1
        self.counters["tx_%s_octets" % side] += len(outcome.frame)

    # Ethernet (IEEE 802.3, 802.1Q)

    def decide(self, port, frame):
        if len(frame) < 14:
            raise Drop("frame_short")
        destination, at, tags = frame[:6], 12, []
        (ethertype,) = struct.unpack_from("!H", frame, at)
        while ethertype == 0x8100 and len(tags) < 2 or ethertype == 0x88A8 and not tags:
            if len(frame) < at + 6:
                raise Drop("frame_short")
            control, following = struct.unpack_from("!HH", frame, at + 2)
            tags.append((ethertype, control & 0xFFF))
            ethertype, at = following, at + 4
        body = frame[at + 2 :]
        mine = destination == port.mac
        if not port.access and not port.core:
            raise Drop("port_idle")
        if not mine and not destination[0] & 1:
            raise Drop("frame_not_for_us")
        if ethertype == 0x8864:
            return self.pppoe_session(port, frame, body, tags, mine)
        if ethertype == 0x8863:
            if not port.access:
                raise Drop("ether_type_unknown")
            self.only_to_me_or_all(destination, mine)
            raise Punt("pppoe-discovery")
        if ethertype == 0x0806:
            self.only_to_me_or_all(destination, mine)
            raise Punt("arp")
        if ethertype == 0x0800:
            return self.ipv4(port, frame, body, mine)
        if ethertype == 0x86DD:
            raise Punt("ipv6")
        raise Drop("ether_type_unknown")

    def only_to_me_or_all(self, destination, mine):
        if not mine and destination != b"\xff" * 6:
            raise Drop("frame_not_for_us")

    # Access to core

    def pppoe_session(self, port, frame, body, tags, mine):
        """RFC 2516, 4 and 5.3."""
        if not port.access:
            raise Drop("ether_type_unknown")
        if not mine:
            raise Drop("frame_not_for_us")
        if len(body) < 6:
            raise Drop("pppoe_short")
        version_type, code, session_id, length = struct.unpack_from("!BBHH", body)
        if version_type != 0x11:
            raise Drop("pppoe_version")
        if code != 0:
            raise Drop("pppoe_code")
        if length > len(body) - 6:
            raise Drop("pppoe_length")
        if length == 0:
            raise Drop("pppoe_empty")
        ppp = body[6 : 6 + length]  # what is behind it is Ethernet padding
        circuit = self.circuit(port, tags)
        session = self.by_pppoe.get((circuit, session_id))
        if session is None or frame[6:12] != session.mac:  # anti-spoofing: the whole key, or it is nobody's
            raise Punt("unknown-session")
        if session.punt:
            raise Punt("ppp-control", session.upstream_slot)
        return self.encapsulate(session, ppp)

    def circuit(self, port, tags):
        # IEEE 802.1Q, 9.6: VLAN 0 names none, the tag carries a priority.
        (tpid, outer), (_, inner) = ([tag for tag in tags if tag[1]] + [(0, 0), (0, 0)])[:2]
        found = self.by_circuit.get((port.index, outer, inner, tpid))
        if found is None:
            raise Drop("circuit_unknown")
        return found

    def encapsulate(self, session, ppp):
        """RFC 2661, 3.1, over UDP (8.1)."""
        tunnel = self.topology.tunnels[session.tunnel]
        if not tunnel.ready:
            raise Drop("next_hop_unresolved")
        payload = b"\xff\x03" + ppp
        if tunnel.length_bit:
            header = struct.pack("!HHHH", 0x4002, 8 + len(payload), tunnel.peer_tunnel_id, session.peer_session_id)
        else:
            header = struct.pack("!HHH", 0x0002, tunnel.peer_tunnel_id, session.peer_session_id)
        message = header + payload
        if 28 + len(message) > tunnel.mtu:
            raise Drop("outer_mtu_exceeded")
        tos = tunnel.tos
        if tunnel.inherit_tos:
            tos = inner_tos(ppp, tos)
        udp = UDP(sport=tunnel.local_port, dport=tunnel.peer_port)
        if not tunnel.udp_checksum:
            udp.chksum = 0
        packet = IP(
            src=tunnel.local, dst=tunnel.peer, id=self.identification, flags=tunnel_flags(tunnel), tos=tos, ttl=tunnel.ttl
        ) / udp / Raw(message)
        self.identification = (self.identification + 1) & 0xFFFF
        mac = self.topology.ports[tunnel.port].mac
        ethernet = Ether(dst=text(tunnel.next_hop), src=text(mac), type=0x8100 if tunnel.vlan else 0x0800)
        if tunnel.vlan:
            ethernet = ethernet / Dot1Q(vlan=tunnel.vlan, type=0x0800)
        self.counters["encapsulated_frames"] += 1
        self.counters["encapsulated_octets"] += len(ppp)
        session.counts[0] += 1
        session.counts[1] += len(ppp)
        return Sent(tunnel.port, bytes(ethernet / packet))

    # Core to access

    def ipv4(self, port, frame, packet, mine):
        """RFC 791, 3.1."""
        if not mine:
            raise Drop("frame_not_for_us")
        if len(packet) < 20:
            raise Drop("ipv4_malformed")
        header_length = (packet[0] & 15) * 4
        if packet[0] >> 4 != 4 or header_length < 20 or header_length > len(packet):
            raise Drop("ipv4_malformed")
        (total_length,) = struct.unpack_from("!H", packet, 2)
        if total_length < header_length or total_length > len(packet):
            raise Drop("ipv4_malformed")
        if internet_checksum(packet[:header_length]) != 0:
            raise Drop("ipv4_checksum")
        packet = packet[:total_length]  # what is behind it is Ethernet padding
        destination = socket.inet_ntoa(packet[16:20])
        if destination not in port.addresses:
            raise Drop("ipv4_not_for_us")
        (fragment,) = struct.unpack_from("!H", packet, 6)
        if fragment & 0x3FFF:
            raise Drop("ipv4_fragment")
        if packet[9] != 17:
            raise Punt("ipv4")
        return self.udp(port, packet, packet[header_length:])

    def udp(self, port, packet, datagram):
        """RFC 768."""
        if len(datagram) < 8:
            raise Drop("udp_length")
        source_port, destination_port, length, checksum = struct.unpack_from("!HHHH", datagram)
        if destination_port != L2TP_PORT or not port.core:
            raise Punt("ipv4")
        if length < 8 or length > len(datagram):
            raise Drop("udp_length")
        datagram = datagram[:length]
        if checksum:
            pseudo = packet[12:20] + struct.pack("!BBH", 0, 17, length)
            if internet_checksum(pseudo + datagram) != 0:
                raise Drop("udp_checksum")
        return self.l2tp(packet, source_port, destination_port, datagram[8:])

    def l2tp(self, packet, source_port, destination_port, message):
        """RFC 2661, 3.1: T L x x S x O P x x x x Ver."""
        if len(message) < 2:
            raise Drop("l2tp_short")
        (bits,) = struct.unpack_from("!H", message)
        if bits & 15 != 2:
            raise Drop("l2tp_version")
        if bits & 0x8000:
            raise Punt("l2tp-control")
        at, end = 2, len(message)
        needed = 6 + (2 if bits & 0x4000 else 0) + (4 if bits & 0x0800 else 0) + (2 if bits & 0x0200 else 0)
        if needed > end:
            raise Drop("l2tp_short")
        if bits & 0x4000:
            (length,) = struct.unpack_from("!H", message, at)
            if length < needed or length > end:
                raise Drop("l2tp_length")
            at, end = at + 2, length
        tunnel_id, session_id = struct.unpack_from("!HH", message, at)
        at = needed
        if bits & 0x0200:
            (offset,) = struct.unpack_from("!H", message, at - 2)
            at += offset
            if at > end:
                raise Drop("l2tp_offset")
        ppp = message[at:end]
        if ppp[:2] == b"\xff\x03":  # RFC 1661 and 1662: address and control field, which PPPoE leaves out
            ppp = ppp[2:]
        if not ppp:
            raise Drop("l2tp_empty")
        tunnel_index = self.by_tunnel.get(tunnel_id)
        if tunnel_index is None:
            raise Drop("l2tp_tunnel_unknown")
        tunnel = self.topology.tunnels[tunnel_index]
        addresses = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
        if addresses != (tunnel.peer, tunnel.local) or (source_port, destination_port) != (tunnel.peer_port, tunnel.local_port):
            raise Drop("l2tp_peer_mismatch")
        session = self.by_l2tp.get((tunnel_index, session_id))
        if session is None:
            raise Drop("l2tp_session_unknown")
        return self.decapsulate(session, ppp)

    def decapsulate(self, session, ppp):
        """RFC 2516, 4."""
        circuit = self.topology.circuits[session.circuit]
        types = [tpid for tpid, _ in circuit.tags] + [0x8864]
        ethernet = Ether(dst=text(session.mac), src=text(self.topology.ports[circuit.port].mac), type=types[0])
        for (_, vlan), following in zip(circuit.tags, types[1:]):
            ethernet = ethernet / Dot1Q(vlan=vlan, type=following)
        header = struct.pack("!BBHH", 0x11, 0, session.session_id, len(ppp))
        if len(header) + len(ppp) > ACCESS_MTU:
            raise Drop("access_mtu_exceeded")
        self.counters["decapsulated_frames"] += 1
        self.counters["decapsulated_octets"] += len(ppp)
        session.counts[2] += 1
        session.counts[3] += len(ppp)
        return Sent(circuit.port, bytes(ethernet) + header + ppp)


def tunnel_flags(tunnel):
    return 0


def inner_tos(ppp, otherwise):
    """The ToS octet or traffic class of the IP packet in a PPP frame (RFC 2983: the outer header takes the inner mark)."""
    if ppp[0] & 1:  # RFC 1661, 6.5: one octet when its lowest bit is set
        protocol, packet = ppp[0], ppp[1:]
    elif len(ppp) >= 2:
        protocol, packet = struct.unpack_from("!H", ppp)[0], ppp[2:]
    else:
        return otherwise
    if len(packet) < 2:
        return otherwise
    if protocol == 0x0021 and packet[0] >> 4 == 4:
        return packet[1]
    if protocol == 0x0057 and packet[0] >> 4 == 6:
        return (packet[0] & 15) << 4 | packet[1] >> 4
    return otherwise
