"""What the node does with a frame, written from RFC 2516, RFC 2661, RFC 791, RFC 768, RFC 8200, RFC 2698 and the counters' own texts.

The model keeps sessions in dictionaries by their whole key, checks everything in the order in which the headers lie in the
frame, and lets scapy build what goes out. One frame in is a list of outcomes out: fragments are many, and a frame that waits is
none until its turn has come.
"""

import socket
import struct
from collections import Counter

from scapy.all import IP, UDP, Dot1Q, Ether, IPv6, IPv6ExtHdrFragment, Raw

import meter
import punts
import reassembly
import sequence
import tcp
from checksum import internet_checksum
from segment import address

L2TP_PORT = 1701
PUNT_LIMIT = 2016  # octets of a frame that the punt ring holds
TOO_BIG_LIMIT = 1280  # octets of a frame that is punted for its length
FRAGMENT_LIMIT = 32  # fragments of one outer packet
BUFFER = 2048  # octets of a frame in one packet buffer
HEADROOM = 128  # octets in front of a frame in its packet buffer
HEADER_ROOM = 92  # octets that the node wants in front of a PPP frame that takes the long way, and those of options
FIRST_BUFFER = 136  # octets that the first buffer of a datagram in several has at least: what headers may need

# The roles of the counters (Counter.swift): everything else but octets ends a frame.
INPUTS = {
    "rx_access_frames", "rx_core_frames", "injected_frames", "dispatch_received", "reassembled_datagrams", "outer_fragments",
    "capture_copies",
}
PASSAGES = {"encapsulated_frames", "decapsulated_frames", "mss_clamped", "sequence_reordered", "sequence_missing"}


def balance(counters):
    """Frames that came in and have not ended, of counters by name."""
    total = 0
    for name, value in counters.items():
        if name in INPUTS:
            total += value
        elif name not in PASSAGES and not name.endswith("_octets"):
            total -= value
    return total


def text(mac):
    return ":".join("%02x" % octet for octet in mac)


class Sent:
    """A frame that leaves through `port`. Frames with the same `order` leave in the order in which they came."""

    def __init__(self, port, frame, order=None):
        self.port, self.frame, self.order = port, frame, order

    def __repr__(self):
        return "sent to port %d: %s" % (self.port, self.frame.hex())


class Punted:
    """A frame given to the control plane."""

    def __init__(self, reason, port, slot, detail, frame):
        self.reason, self.port, self.slot, self.detail, self.frame = reason, port, slot, detail, frame

    def __repr__(self):
        return "punted as %s from port %d, slot %s, detail %d: %s" % (
            self.reason, self.port, self.slot, self.detail, self.frame.hex())


class Dropped:
    """A frame that goes nowhere, and the counter that says why."""

    def __init__(self, reason):
        self.reason = reason

    def __repr__(self):
        return "dropped as %s" % self.reason


class Copied:
    """A copy of a captured session's frame: where it was made, and what the frame ended as, `-`: it goes on or was sent."""

    def __init__(self, point, session, port, frame, length):
        self.point, self.session, self.port, self.length = point, session, port, length
        self.number, self.slot, self.reason = session.capture, session.upstream_slot, "-"
        self.frame = frame[: min(session.capture_length, PUNT_LIMIT)]


class Held:
    """A frame that waits: for the rest of its datagram, or for those before it."""

    def __repr__(self):
        return "held"


class Drop(Exception):
    pass


class Punt(Exception):
    def __init__(self, reason, slot=-1, detail=0, frame=None, tunnel=None):
        super().__init__(reason)
        self.reason, self.slot, self.detail, self.frame, self.tunnel = reason, slot, detail, frame, tunnel


class Packet:
    """A frame under way: where it came in, its octets, and in how many buffers they lie."""

    def __init__(self, port, frame, buffers=1, reassembled=False):
        self.port, self.frame, self.buffers, self.reassembled = port, frame, buffers, reassembled
        self.bounds, self.message_at = [], 0  # where the buffers end, and where the L2TP message begins
        self.session, self.copy, self.waited = None, None, False  # whose it is; its copy; whether it has waited for its turn

    def cut(self, ppp, end):
        """Only the buffers are kept that the PPP frame, which ends at `end` of the message, lies in."""
        if self.bounds:
            first, last = self.message_at + end - len(ppp), self.message_at + end - 1
            self.buffers = 1 + sum(first < bound <= last for bound in self.bounds)


class Model:
    def __init__(self, topology, hertz, now, workers=1, rates=(1_000_000_000, 0)):
        self.topology = topology
        self.workers = workers
        self.hertz, self.now = hertz, now
        self.counters = Counter()
        self.identification = 0  # of the next IPv4 packet
        self.identification6 = 0  # of the next IPv6 packet that is sent in fragments
        self.by_circuit = {}
        for circuit_index, circuit in enumerate(topology.circuits):
            self.by_circuit[circuit.port, circuit.outer, circuit.inner, circuit.tpid] = circuit_index
        self.by_pppoe = {(s.circuit, s.session_id): s for s in topology.sessions}
        self.by_tunnel = {t.id: i for i, t in enumerate(topology.tunnels) if t.in_service}
        self.by_l2tp = {(s.tunnel, s.local_session_id): s for s in topology.sessions if not s.punt}
        self.reassembly = reassembly.Reassembly(hertz, self.count)
        self.limits = sequence.Limits()
        self.punt_limits = punts.Limits(hertz, *rates)
        self.waiting = {}  # lists of sequence.Waiting, in the order of arrival, by session number
        self.copies = []  # copies for captures since they were last asked for
        self.refused_copies = []  # and those that found no token left of all sessions'

    @property
    def held(self):
        """Frames that wait, and packet buffers that they lie in."""
        messages = [message for waiting in self.waiting.values() for message in waiting]
        buffers = sum(message.packet.buffers for message in messages)
        return self.reassembly.held + len(messages), self.reassembly.held + buffers

    def count(self, name, amount=1):
        self.counters[name] += amount

    def receive(self, port, frame):
        """What becomes of `frame`, counted."""
        side = "access" if self.topology.ports[port].access else "core"
        self.count("rx_%s_frames" % side)
        self.count("rx_%s_octets" % side, len(frame))
        packet = Packet(self.topology.ports[port], frame)
        return self.outcomes(packet, self.ethernet, packet)

    def outcomes(self, packet, step, *arguments):
        """What `step` answers, or how it ended."""
        try:
            return step(*arguments)
        except Drop as drop:
            self.ended(packet, str(drop))
            return self.dropped(str(drop))
        except Punt as punt:
            frame = packet.frame if punt.frame is None else punt.frame
            if len(frame) > PUNT_LIMIT:
                return self.dropped("punt_too_long")
            name = punt.reason.replace("-", "_")
            refusal = self.punt_limits.refusal(
                punt.reason, self.client(packet, punt), self.now, self.line(packet, punt), packet.port.index)
            self.ended(packet, (refusal or "punted_") + name)
            if refusal:
                return self.dropped(refusal + name)
            self.count("punted_" + name)
            return [Punted(punt.reason, packet.port.index, punt.slot, punt.detail, frame)]

    def client(self, packet, punt):
        """Whom a punted frame is put to account: its session, its MAC address and circuit, or its IP address."""
        if punt.reason in ("ppp-control", "too-big"):
            return punt.slot
        if punt.reason == "l2tp-control":
            return punt.tunnel
        tags, _, body = ethernet_layers(packet.frame)
        if punt.reason in ("arp", "pppoe-discovery", "unknown-session"):
            return packet.frame[6:12], packet.port.index, circuit_tags(tags)
        if punt.reason == "ipv6" or punt.reason == "l2tp-unknown" and body[:1] and body[0] >> 4 == 6:
            return body[8:24] if len(body) >= 40 else None
        return body[12:16]

    def line(self, packet, punt):
        """With whom it shares: its tunnel, or its VLAN on the port."""
        if punt.reason == "l2tp-control":
            return punt.tunnel
        return packet.port.index, circuit_tags(ethernet_layers(packet.frame)[0])[:2]

    def copy(self, point, session, port, frame, length=None):
        """A copy for the session's capture, if it has one; None: it has none, or the copy is lost."""
        if not session.capture:
            return None
        self.count("capture_copies")
        refusal = self.punt_limits.refusal("capture", session.upstream_slot, self.now)
        if refusal:
            self.count(refusal + "capture")
            if refusal == "punt_limited_":
                self.refused_copies.append(Copied(point, session, port, frame, len(frame) if length is None else length))
            return None
        self.count("punted_capture")
        self.copies.append(Copied(point, session, port, frame, len(frame) if length is None else length))
        return self.copies[-1]

    def arrived(self, packet, session):
        """A session's frame, before anything is done to it."""
        packet.session, packet.copy = session, self.copy("received", session, packet.port.index, packet.frame)

    def ended(self, packet, reason):
        """A frame ends as `reason`. Its copy says so; where that has gone long ago, another one does."""
        if packet.copy:
            packet.copy.reason = reason
        elif packet.waited:
            if packet.bounds:  # only the PPP frame was kept
                copy = self.copy("dropped", packet.session, packet.port.index, b"", packet.ppp_length)
            else:
                copy = self.copy("dropped", packet.session, packet.port.index, packet.frame)
            if copy:
                copy.reason = reason

    def dropped(self, reason):
        self.count(reason)
        return [Dropped(reason)]

    def transmit(self, port, frame):
        """What becomes of a frame that the control plane sends."""
        self.count("injected_frames")
        if port >= len(self.topology.ports):
            return self.dropped("egress_port_unknown")
        return [self.sent(port, frame, "injected")]

    def sent(self, port, frame, order, session=None):
        if session:
            self.copy("sent", session, port, frame)
        side = "access" if self.topology.ports[port].access else "core"
        self.count("tx_%s_frames" % side)
        self.count("tx_%s_octets" % side, len(frame))
        return Sent(port, frame, order)

    def advance(self, now):
        """Time goes on to `now`: what had waited long enough."""
        self.now = now
        self.reassembly.expire(now)
        found = []
        for number in self.waiting:
            found += self.give_up_due(self.topology.sessions[number])
        return found

    # Ethernet (IEEE 802.3, 802.1Q)

    def ethernet(self, packet):
        port, frame = packet.port, packet.frame
        if len(frame) < 14:
            raise Drop("frame_short")
        destination = frame[:6]
        tags, ethertype, body = ethernet_layers(frame)
        front = frame[: len(frame) - len(body)]
        mine = destination == port.mac
        if not port.access and not port.core:
            raise Drop("port_idle")
        if not mine and not destination[0] & 1:
            raise Drop("frame_not_for_us")
        if ethertype == 0x8864:
            return self.pppoe_session(packet, body, tags, mine)
        if ethertype == 0x8863:
            if not port.access:
                raise Drop("ether_type_unknown")
            self.only_to_me_or_all(destination, mine)
            raise Punt("pppoe-discovery")
        if ethertype == 0x0806:
            self.only_to_me_or_all(destination, mine)
            raise Punt("arp")
        if ethertype == 0x0800:
            if not mine:
                raise Drop("frame_not_for_us")
            return self.ipv4(packet, front, body)
        if ethertype == 0x86DD:
            if not mine:
                raise Punt("ipv6")
            return self.ipv6(packet, front, body)
        raise Drop("ether_type_unknown")

    def only_to_me_or_all(self, destination, mine):
        if not mine and destination != b"\xff" * 6:
            raise Drop("frame_not_for_us")

    # Access to core

    def pppoe_session(self, packet, body, tags, mine):
        """RFC 2516, 4 and 5.3."""
        port, frame = packet.port, packet.frame
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
        return self.encapsulate(packet, session, len(frame) - len(body) + 6, ppp)

    def circuit(self, port, tags):
        found = self.by_circuit.get((port.index,) + circuit_tags(tags))
        if found is None:
            raise Drop("circuit_unknown")
        return found

    def encapsulate(self, packet, session, at, ppp):
        """RFC 2661, 3.1, over UDP (8.1). `at`: where the PPP frame is in the frame."""
        tunnel, side = self.topology.tunnels[session.tunnel], session.up
        self.arrived(packet, session)
        if not tunnel.in_service:
            raise Drop("tunnel_not_forwarding")
        if not tunnel.ready:
            raise Drop("next_hop_unresolved")
        if not tunnel.sound:
            raise Drop("template_invalid")
        self.police(side, len(ppp), "policed_upstream")
        ppp = self.clamp(side, ppp)
        sequenced = side.sequenced or side.learned
        network = 20 if tunnel.family == 4 else 40
        header = 6 + 2 * tunnel.length_bit + 4 * sequenced + (2 + tunnel.pad if tunnel.pad >= 0 else 0)
        excess = network + 8 + header + 2 + len(ppp) - tunnel.mtu
        if excess > 0 and not tunnel.fragment:
            if not tunnel.tell_inside:
                raise Drop("outer_mtu_exceeded")
            frame = packet.frame[:at] + ppp + packet.frame[at + len(ppp) :]
            raise Punt("too-big", session.upstream_slot, max(0, len(ppp) - excess), frame[:TOO_BIG_LIMIT])
        pieces = 1
        if excess > 0:
            pieces = self.pieces(tunnel, 8 + header + 2 + len(ppp))
            if pieces > FRAGMENT_LIMIT:
                raise Drop("outer_fragments_too_many")
        # The headers go in front of the PPP frame in its own buffer, in which it may move back.
        room = HEADER_ROOM + 4 * sequenced + (2 + tunnel.pad if tunnel.pad >= 0 else 0)
        if room - (HEADROOM + at) > BUFFER - at - len(ppp):
            raise Drop("headroom_short")
        bits = 0x0002 | 0x4000 * tunnel.length_bit | 0x0800 * sequenced | 0x0200 * (tunnel.pad >= 0)
        message = struct.pack("!H", bits)
        if tunnel.length_bit:
            message += struct.pack("!H", header + 2 + len(ppp))
        message += struct.pack("!HH", tunnel.peer_tunnel_id, session.peer_session_id)
        if sequenced:
            message += struct.pack("!HH", side.sequence, session.down.sequence)
            side.sequence = (side.sequence + 1) & 0xFFFF
        if tunnel.pad >= 0:
            message += struct.pack("!H", tunnel.pad) + bytes(tunnel.pad)
        message += b"\xff\x03" + ppp
        tos = inner_tos(ppp, tunnel.tos) if tunnel.inherit_tos else tunnel.tos
        self.count("encapsulated_frames")
        self.count("encapsulated_octets", len(ppp))
        session.counts[0] += 1
        session.counts[1] += len(ppp)
        order = (session.number, "up")
        if pieces == 1:
            return [self.sent(tunnel.port, ip, order, session) for ip in self.outer(tunnel, tos, message, None)]
        self.count("outer_fragmented")
        self.count("outer_fragments", pieces)
        return [self.sent(tunnel.port, ip, order, session) for ip in self.outer(tunnel, tos, message, self.share(tunnel))]

    def share(self, tunnel):
        """Octets of data that one fragment carries at most."""
        return (tunnel.mtu - (20 if tunnel.family == 4 else 48)) // 8 * 8

    def pieces(self, tunnel, length):
        """How many fragments `length` octets of IP payload become. The last one may fill what the others leave of 8 octets."""
        network = 20 if tunnel.family == 4 else 48
        share, count = self.share(tunnel), 1
        while length > tunnel.mtu - network:
            length, count = length - share, count + 1
        return count

    def outer(self, tunnel, tos, message, share):
        """Frames with the message in UDP in IP: one, or fragments with `share` octets of data each."""
        udp = UDP(sport=tunnel.local_port, dport=tunnel.peer_port)
        if not tunnel.udp_checksum:
            udp.chksum = 0
        mac = self.topology.ports[tunnel.port].mac
        types = ([0x8100] if tunnel.vlan else []) + [0x0800 if tunnel.family == 4 else 0x86DD]
        front = Ether(dst=text(tunnel.next_hop), src=text(mac), type=types[0])
        if tunnel.vlan:
            front = front / Dot1Q(vlan=tunnel.vlan, type=types[1])
        front = bytes(front)
        if tunnel.family == 4:
            ip = dict(src=tunnel.local, dst=tunnel.peer, id=self.identification, flags=0, tos=tos, ttl=tunnel.ttl)
            self.identification = (self.identification + 1) & 0xFFFF
            whole = bytes(IP(**ip) / udp / Raw(message))
            if share is None:
                return [front + whole]
            found = []
            for offset, data, more in split(whole[20:], share, tunnel.mtu - 20):
                found.append(front + bytes(IP(**{**ip, "flags": "MF" if more else 0}, frag=offset // 8, proto=17) / Raw(data)))
            return found
        ip = dict(src=tunnel.local, dst=tunnel.peer, tc=tos, hlim=tunnel.ttl)
        whole = bytes(IPv6(**ip) / udp / Raw(message))
        if not tunnel.udp_checksum:
            whole = whole[:46] + b"\0\0" + whole[48:]  # scapy computes what it is told to leave 0
        if share is None:
            return [front + whole]
        found = []
        for offset, data, more in split(whole[40:], share, tunnel.mtu - 48):
            fragment = IPv6ExtHdrFragment(nh=17, offset=offset // 8, m=int(more), id=self.identification6)
            found.append(front + bytes(IPv6(**ip) / fragment / Raw(data)))
        self.identification6 = (self.identification6 + 1) & 0xFFFFFFFF
        return found

    # Features of both directions

    def police(self, side, octets, reason):
        """RFC 2698: red is dropped."""
        if side.policer < 0:
            return
        policer = self.topology.policers[side.policer]
        if not meter.is_usable(policer):
            raise Drop("policer_invalid")
        if side.meter is None:
            side.meter = meter.Meter(self.hertz, policer, self.now)
        if side.meter.generation != policer.generation:
            side.meter.change(self.hertz, policer)
        if side.meter.colour(octets, self.now) == meter.RED:
            side.policed += 1
            raise Drop(reason)

    def clamp(self, side, ppp):
        if not side.mss:
            return ppp
        ppp, clamped = tcp.clamp(ppp, side.mss)
        self.count("mss_clamped", int(clamped))
        return ppp

    # Core to access

    def ipv4(self, packet, front, ip):
        """RFC 791, 3.1."""
        if len(ip) < 20:
            raise Drop("ipv4_malformed")
        header_length = (ip[0] & 15) * 4
        if ip[0] >> 4 != 4 or header_length < 20 or header_length > len(ip):
            raise Drop("ipv4_malformed")
        (total_length,) = struct.unpack_from("!H", ip, 2)
        if total_length < header_length or total_length > len(ip):
            raise Drop("ipv4_malformed")
        if internet_checksum(ip[:header_length]) != 0:
            raise Drop("ipv4_checksum")
        ip = ip[:total_length]  # what is behind it is Ethernet padding
        if socket.inet_ntoa(ip[16:20]) not in packet.port.addresses:
            raise Drop("ipv4_not_for_us")
        header, payload = ip[:header_length], ip[header_length:]
        (fragment,) = struct.unpack_from("!H", ip, 6)
        if not fragment & 0x3FFF:
            return self.ipv4_payload(packet, header, payload)
        piece = reassembly.Fragment(
            key=(packet_key(header), ip[4:6]), protocol=ip[9], offset=(fragment & 0x1FFF) * 8, more=bool(fragment & 0x2000),
            data=payload, front=front + header, counted_header=header_length,
        )
        pieces = self.gather(piece)
        if pieces is None:
            return [Held()]
        payload = b"".join(piece.data for piece in pieces)
        header = bytearray(pieces[0].front[-self.ipv4_header_length(pieces[0].front) :])
        front = pieces[0].front[: -len(header)]
        if len(header) + len(payload) > reassembly.LONGEST:
            raise Drop("ipv4_malformed")
        struct.pack_into("!HHH", header, 2, len(header) + len(payload), struct.unpack_from("!H", header, 4)[0], 0)
        struct.pack_into("!H", header, 10, 0)
        struct.pack_into("!H", header, 10, internet_checksum(bytes(header)))
        whole = self.joined(packet, pieces, front + bytes(header) + payload)
        return self.outcomes(whole, self.ipv4_payload, whole, bytes(header), payload)

    def ipv4_header_length(self, front):
        """Of the IPv4 header that ends `front`: Ethernet and tags are 14, 18 or 22 octets."""
        at = 12
        while front[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
            at += 4
        return len(front) - at - 2

    def gather(self, piece):
        """The pieces of a datagram that `piece` has completed, which end here and go on as one frame; None: not yet."""
        pieces = self.reassembly.add(piece, self.now)
        if pieces is not None:
            self.count("reassembled_fragments", len(pieces))
            self.count("reassembled_datagrams")
        return pieces

    def joined(self, packet, pieces, frame):
        """A datagram that fits one buffer lies in one."""
        whole = Packet(packet.port, frame, 1, True)
        if len(frame) > BUFFER:
            length = sum(len(piece.data) for piece in pieces)
            start = len(frame) - length
            # What headers may need comes forward into the first buffer; a buffer that is empty then is gone.
            first = pieces[0]
            missing = max(FIRST_BUFFER - len(first.front) - len(first.data), 0)
            whole.bounds = [start + first.end + missing]
            for piece in pieces[1:]:
                moved = min(missing, len(piece.data))
                missing -= moved
                if moved < len(piece.data):
                    whole.bounds.append(start + piece.end)
            whole.buffers, whole.message_at = len(whole.bounds), start + 8
        return whole

    def ipv4_payload(self, packet, header, payload):
        if header[9] != 17:
            raise Punt("ipv4")
        return self.udp(packet, header[12:16], header[16:20], payload, "ipv4")

    def ipv6(self, packet, front, ip):
        """RFC 8200, 3."""
        if len(ip) < 40 or ip[0] >> 4 != 6:
            raise Drop("ipv6_malformed")
        (length, following) = struct.unpack_from("!HB", ip, 4)
        if 40 + length > len(ip):
            raise Drop("ipv6_malformed")
        header, payload = ip[:40], ip[40 : 40 + length]
        destination = ip[24:40]
        if destination not in [address(a) for a in packet.port.addresses6]:
            link_local = destination[0] == 0xFE and destination[1] & 0xC0 == 0x80
            if destination[0] == 0xFF or link_local or following == 58:
                raise Punt("ipv6")  # neighbour discovery (RFC 4861) is the host's
            raise Drop("ipv6_not_for_us")
        if following == 44:
            return self.ipv6_fragment(packet, front, header, payload)
        return self.ipv6_payload(packet, header, following, payload)

    def ipv6_fragment(self, packet, front, header, payload):
        """RFC 8200, 4.5."""
        if len(payload) < 8:
            raise Drop("fragment_malformed")
        following, _, fragment, identification = struct.unpack_from("!BBHI", payload)
        piece = reassembly.Fragment(
            key=(packet_key(header), identification), protocol=following, offset=fragment & 0xFFF8, more=bool(fragment & 1),
            data=payload[8:], front=front + header + payload[:8], counted_header=0,
        )
        if piece.offset == 0 and not piece.more:
            # RFC 6946: it is a whole datagram, whatever others have its identification.
            self.count("reassembled_fragments")
            self.count("reassembled_datagrams")
            pieces = [piece]
        else:
            pieces = self.gather(piece)
        if pieces is None:
            return [Held()]
        data = b"".join(piece.data for piece in pieces)
        front, header = pieces[0].front[:-48], bytearray(pieces[0].front[-48:-8])
        struct.pack_into("!HB", header, 4, len(data), pieces[0].protocol)
        whole = self.joined(packet, pieces, front + bytes(header) + data)
        return self.outcomes(whole, self.ipv6_payload, whole, bytes(header), pieces[0].protocol, data)

    def ipv6_payload(self, packet, header, following, payload):
        if following in (0, 43, 44, 50, 51, 60, 135, 139, 140):
            raise Drop("ipv6_extension_header")
        if following != 17:
            raise Punt("ipv6")
        return self.udp(packet, header[8:24], header[24:40], payload, "ipv6")

    def udp(self, packet, source, destination, datagram, family):
        """RFC 768; RFC 8200, 8.1; RFC 6935."""
        if len(datagram) < 8:
            raise Drop("udp_length")
        source_port, destination_port, length, checksum = struct.unpack_from("!HHHH", datagram)
        if destination_port != L2TP_PORT or not packet.port.core:
            raise Punt(family)
        if length < 8 or length > len(datagram):
            raise Drop("udp_length")
        datagram = datagram[:length]
        if checksum:
            pseudo = source + destination + struct.pack("!II", length, 17)
            if internet_checksum(pseudo + datagram) != 0:
                raise Drop("udp_checksum")
        ends = source, destination, source_port, destination_port
        return self.l2tp(packet, ends, datagram[8:], family == "ipv6" and not checksum)

    def tunnel_of(self, message, bits, ends):
        """The tunnel that a control message names, if it comes from its peer and to its local end and its Ns is near the expected one,
        which here is 0; None: no tunnel of its sender's."""
        at = 4 if bits & 0x4000 else 2
        if not bits & 0x0800 or len(message) < at + 6:
            return None
        index, ns = self.by_tunnel.get(int.from_bytes(message[at : at + 2], "big")), message[at + 4]
        if index is None or ns not in (0xFF, 0, 1, 2, 3, 4):
            return None
        tunnel = self.topology.tunnels[index]
        return index if ends == (address(tunnel.peer), address(tunnel.local), tunnel.peer_port, tunnel.local_port) else None

    def l2tp(self, packet, ends, message, unchecked):
        """RFC 2661, 3.1: T L x x S x O P x x x x Ver. `unchecked`: over IPv6 and without a checksum."""
        if unchecked and not self.goes_unchecked(message):
            raise Drop("udp_checksum_missing")
        if len(message) < 2:
            raise Drop("l2tp_short")
        (bits,) = struct.unpack_from("!H", message)
        if bits & 15 != 2:
            raise Drop("l2tp_version")
        if bits & 0x8000:
            tunnel = self.tunnel_of(message, bits, ends)
            raise Punt("l2tp-unknown" if tunnel is None else "l2tp-control", tunnel=tunnel)
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
        ns = None
        if bits & 0x0800:
            (ns,) = struct.unpack_from("!H", message, at + 4)
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
        if ends != (address(tunnel.peer), address(tunnel.local), tunnel.peer_port, tunnel.local_port):
            raise Drop("l2tp_peer_mismatch")
        session = self.by_l2tp.get((tunnel_index, session_id))
        if session is None:
            raise Drop("l2tp_session_unknown")
        self.arrived(packet, session)
        if not session.sound:
            raise Drop("access_header_invalid")
        packet.cut(ppp, end)
        return self.in_sequence(packet, session, ns, ppp)

    def goes_unchecked(self, message):
        """RFC 6935: without a checksum only where the tunnel that the message names has agreed to it."""
        if len(message) < 2 or message[1] & 15 != 2:
            return False
        at = 4 if message[0] & 0x40 else 2
        index = self.by_tunnel.get(int.from_bytes(message[at : at + 2], "big")) if len(message) >= at + 2 else None
        return index is not None and self.topology.tunnels[index].zero_checksum

    # Sequence numbers

    def in_sequence(self, packet, session, ns, ppp):
        """RFC 2661, 5.4."""
        side = session.down
        if ns is None:
            if side.sequenced:
                raise Drop("sequence_required")
            side.learned = session.up.learned = False
            return self.give_up_waiting(session) + self.outcomes(packet, self.decapsulate, packet, session, ppp)
        side.learned = session.up.learned = True
        found = [] if side.reordered else self.give_up_waiting(session)
        if side.reordered and not sequence.is_late(ns, side.sequence):
            # What is a whole window behind this one is not waited for any more.
            first = (ns - self.limits.window + 1) & 0xFFFF
            if sequence.distance(ns, side.sequence) >= self.limits.window:
                found = self.give_up_before(session, first)
        return found + self.outcomes(packet, self.take_turn, packet, session, ns, ppp)

    def take_turn(self, packet, session, ns, ppp):
        side = session.down
        if sequence.is_late(ns, side.sequence):
            if not self.starts_anew(side, ns):
                side.late += 1
                raise Drop("sequence_late")
            found = self.give_up_waiting(session)
            self.accept(side, ns)
            return found + self.outcomes(packet, self.decapsulate, packet, session, ppp) + self.next_in_turn(session)
        if ns == side.sequence or not side.reordered:
            self.accept(side, ns)
            return self.outcomes(packet, self.decapsulate, packet, session, ppp) + self.next_in_turn(session)
        waiting = self.waiting.setdefault(session.number, [])
        if any(message.ns == ns for message in waiting):
            side.late += 1
            raise Drop("sequence_late")
        if sum(len(messages) for messages in self.waiting.values()) >= self.limits.waiting:
            raise Drop("sequence_overflow")
        deadline = self.now + self.hertz // 1000 * self.limits.milliseconds
        waiting.append(sequence.Waiting(ns, deadline, packet, ppp))
        side.waited += 1
        packet.copy, packet.waited, packet.ppp_length = None, True, len(ppp)
        self.count("sequence_reordered")
        return [Held()]

    def accept(self, side, ns):
        """`ns` is delivered now: what lies between the expected one and this one is lost."""
        if not sequence.is_late(ns, side.sequence):
            self.skip(side, ns)
        side.sequence = (ns + 1) & 0xFFFF
        side.late_since = None

    def skip(self, side, ns):
        gap = sequence.distance(ns, side.sequence)
        side.missing += gap
        self.count("sequence_missing", gap)
        side.sequence = ns

    def starts_anew(self, side, ns):
        """Whether late messages have come, and none that was not, for longer than one waits, and this one is behind the first
        of them: then the peer's number is right and this node's was not."""
        unit = self.limits.granule
        now = max(self.now >> unit & 0xFFFFFFFF, 1)
        if side.late_since is None:
            side.late_since, side.late_first = now, ns
            return False
        waited = (now - side.late_since) & 0xFFFFFFFF
        progress = sequence.distance(ns, side.late_first)
        patience = max((self.hertz // 1000 * self.limits.milliseconds) >> unit, 1)
        return waited > patience and 0 < progress < 0x8000

    def deliver_waiting(self, session, message):
        self.waiting[session.number].remove(message)
        if not sequence.is_late(message.ns, session.down.sequence):
            self.accept(session.down, message.ns)
        return self.outcomes(message.packet, self.decapsulate, message.packet, session, message.ppp)

    def in_order(self, session):
        """A session's waiting messages in the order of Ns."""
        waiting = self.waiting.get(session.number, [])
        if not waiting:
            return []
        start = min(waiting, key=lambda m: sum(sequence.distance(m.ns, other.ns) < 0x8000 and m is not other for other in waiting)).ns
        return sorted(waiting, key=lambda message: sequence.distance(message.ns, start))

    def next_in_turn(self, session):
        """The messages whose turn has come, now that those before them are there."""
        found = []
        while True:
            due = [m for m in self.waiting.get(session.number, []) if m.ns == session.down.sequence]
            if not due:
                return found
            found += self.deliver_waiting(session, due[0])

    def give_up_waiting(self, session):
        """All that waits is delivered, and what it waited for is lost."""
        return [outcome for message in self.in_order(session) for outcome in self.deliver_waiting(session, message)]

    def give_up_before(self, session, ns):
        """Nothing before `ns` is waited for any more."""
        found = []
        for message in self.in_order(session):
            if message.ns != ns and sequence.distance(ns, message.ns) < 0x8000:
                found += self.deliver_waiting(session, message)
        if not sequence.is_late(ns, session.down.sequence):
            self.skip(session.down, ns)
        return found + self.next_in_turn(session)

    def give_up_due(self, session):
        """What has waited long enough is delivered, with what waits and comes before it."""
        found = []
        while True:
            due = [m for m in self.waiting.get(session.number, []) if m.deadline <= self.now]
            if not due:
                return found
            last = due[0]
            for message in self.in_order(session):
                found += self.deliver_waiting(session, message)
                if message is last:
                    break
            found += self.next_in_turn(session)

    def decapsulate(self, packet, session, ppp):
        """RFC 2516, 4."""
        circuit = self.topology.circuits[session.circuit]
        port = self.topology.ports[circuit.port]
        self.police(session.down, len(ppp), "policed_downstream")
        before, ppp = ppp, self.clamp(session.down, ppp)
        if packet.waited and ppp != before:  # a copy that is still to be made is of the changed frame
            at = packet.frame.rindex(before)
            packet.frame = packet.frame[:at] + ppp + packet.frame[at + len(ppp) :]
        types = [tpid for tpid, _ in circuit.tags] + [0x8864]
        ethernet = Ether(dst=text(session.mac), src=text(port.mac), type=types[0])
        for (_, vlan), following in zip(circuit.tags, types[1:]):
            ethernet = ethernet / Dot1Q(vlan=vlan, type=following)
        if 6 + len(ppp) > port.mtu:
            raise Drop("access_mtu_exceeded")
        if packet.buffers > 1 and not port.chained:
            raise Drop("egress_chained")
        header = struct.pack("!BBHH", 0x11, 0, session.session_id, len(ppp))
        self.count("decapsulated_frames")
        self.count("decapsulated_octets", len(ppp))
        session.counts[2] += 1
        session.counts[3] += len(ppp)
        # A datagram is put together by one worker and forwarded by another: it may pass those that came in whole.
        order = None if packet.reassembled and self.workers > 1 else (session.number, "down")
        return [self.sent(circuit.port, bytes(ethernet) + header + ppp, order, session)]


def ethernet_layers(frame):
    """(TPID, VLAN id) of at most two tags, EtherType, and what follows it."""
    at, tags = 12, []
    (ethertype,) = struct.unpack_from("!H", frame, at)
    while ethertype == 0x8100 and len(tags) < 2 or ethertype == 0x88A8 and not tags:
        if len(frame) < at + 6:
            raise Drop("frame_short")
        control, following = struct.unpack_from("!HH", frame, at + 2)
        tags.append((ethertype, control & 0xFFF))
        ethertype, at = following, at + 4
    return tags, ethertype, frame[at + 2 :]


def circuit_tags(tags):
    """Outer and inner VLAN id and the outer TPID. IEEE 802.1Q, 9.6: VLAN 0 names none, the tag carries a priority."""
    (tpid, outer), (_, inner) = ([tag for tag in tags if tag[1]] + [(0, 0), (0, 0)])[:2]
    return outer, inner, tpid


def packet_key(header):
    """What fragments of one datagram have in common beside the identification."""
    if header[0] >> 4 == 4:
        return bytes(header[12:20]) + bytes(header[9:10])
    return bytes(header[8:40])


def split(payload, share, last):
    """(offset, data, whether more follow) of fragments with `share` octets each, and at most `last` in the last."""
    offset = 0
    while len(payload) - offset > last:
        yield offset, payload[offset : offset + share], True
        offset += share
    yield offset, payload[offset:], False


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
