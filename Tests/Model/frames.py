"""Random frames, valid and invalid, for both sides of the node. Built with scapy, spoilt by hand."""

import struct

from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoRequest, IPOption, IPv6, IPv6ExtHdrFragment, Raw
from scapy.layers.ppp import PPPoE, PPPoED

from checksum import internet_checksum
from pieces import Pieces

BROADCAST = b"\xff" * 6
PEERS = {4: ["192.0.2.10", "192.0.2.99", "203.0.113.10"], 6: ["2001:db8:2::10", "2001:db8:2::99", "2001:db8:3::10"]}
LOCALS = {
    4: ["192.0.2.1", "198.51.100.1", "203.0.113.1", "192.0.2.200", "255.255.255.255", "224.0.0.1"],
    6: ["2001:db8:2::1", "2001:db8:22::1", "2001:db8:3::1", "2001:db8:2::200", "fe80::1", "ff02::1"],
}
PLAIN_SESSIONS = 200  # the first sessions, which have no features
BUFFER = 2048  # octets of a frame that one packet buffer holds


def text(mac):
    return ":".join("%02x" % octet for octet in mac)


class Frames:
    """An endless supply of (what, port, bytes)."""

    def __init__(self, random, topology, several_workers=False):
        self.random = random
        self.topology = topology
        # With several workers nothing is known of the order between a datagram in fragments and others. So then only sessions
        # without features get fragments, and these get no sequence numbers.
        self.several_workers = several_workers
        self.pieces = Pieces(self)
        self.backlog = []  # fragments on their way
        self.numbers = {}  # Ns that a session's peer sends next, by session
        # weight, maker
        self.makers = [
            (30, self.upstream),
            (22, self.upstream_spoilt),
            (30, self.downstream),
            (40, self.downstream_spoilt),
            (3, self.discovery),
            (3, self.arp),
            (6, self.other_ipv4),
            (6, self.ipv6),
            (14, self.fragments),
            (70, self.waiting_fragment),
            (25, self.sequenced),
            (8, self.large),
            (3, self.garbage),
            (4, self.wrong_side),
            (1, self.jumbo),
        ]

    def next(self):
        maker = self.random.choices([m for _, m in self.makers], [w for w, _ in self.makers])[0]
        what, port, frame = maker()
        frame = frame[:BUFFER]
        if self.several_workers and "fragment" in what:
            return what, port, frame
        roll = self.random.random()
        if roll < 0.04:
            cut = self.random.randrange(len(frame) + 1) if self.random.random() < 0.5 else self.random.randrange(64)
            return what + ", truncated", port, frame[:cut]
        if roll < 0.08 and frame:
            frame = bytearray(frame)
            at = self.random.randrange(min(len(frame), 64))
            frame[at] ^= 1 << self.random.randrange(8)
            return what + ", bit %d flipped" % at, port, bytes(frame)
        return what, port, frame

    # Pieces

    def tags(self, tags):
        layers = []
        for tpid, vlan in tags:
            layers.append((tpid, vlan, self.random.choice([0, 0, 3, 7]), self.random.choice([0, 0, 0, 1])))
        return layers

    def ethernet(self, destination, source, tags, ethertype, body):
        """Ethernet with tags: scapy's Dot1Q has no TPID of its own, so each layer's type field carries the next one's."""
        tags = self.tags(tags)
        types = [tpid for tpid, _, _, _ in tags] + [ethertype]
        frame = Ether(dst=text(destination), src=text(source), type=types[0])
        for (_, vlan, priority, dei), following in zip(tags, types[1:]):
            frame = frame / Dot1Q(vlan=vlan, prio=priority, id=dei, type=following)
        return bytes(frame) + body

    def pad(self, frame):
        """Ethernet padding to the minimum, or any other trailing bytes, never zero."""
        roll = self.random.random()
        if roll < 0.5:
            extra = max(0, 60 - len(frame))
        elif roll < 0.7:
            extra = self.random.randrange(1, 64)
        else:
            extra = 0
        return frame + self.random.randbytes(extra)

    def inner(self, limit=1492):
        """A PPP frame from the protocol field on."""
        roll = self.random.random()
        if roll < 0.15 and limit >= 300:
            return self.synchronising()
        roll = self.random.random()
        size = self.random.choice([0, 1, 2, 20, 40, 64, 512, 1400, self.random.randrange(1492)])
        size = min(size, limit - 2)
        payload = self.random.randbytes(size)
        if roll < 0.35 and size >= 20:
            packet = bytes(IP(src="10.0.0.1", dst="10.0.0.2", tos=self.random.randrange(256), proto=253) / Raw(payload[20:]))
            return struct.pack("!H", 0x0021) + packet
        if roll < 0.55 and size >= 40:
            packet = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2", tc=self.random.randrange(256), nh=59) / Raw(payload[40:]))
            return struct.pack("!H", 0x0057) + packet
        if roll < 0.75:
            return struct.pack("!H", self.random.choice([0x0021, 0x0057, 0xC021, 0xC223, 0x8021, 0x0281, 0xFF03])) + payload
        if roll < 0.95:
            return bytes([self.random.choice([0x21, 0x57, 0x2D, 0xFD, 0x01])]) + payload  # RFC 1661: PFC
        return payload

    def synchronising(self):
        """A TCP segment with options, mostly a SYN, and mostly right."""
        random = self.random
        options = b"".join(self.option() for _ in range(random.randrange(6)))[:40]
        options += b"\0" * (-len(options) % 4)
        flags = random.choice(["S", "S", "S", "SA", "SEC", "A", "FA", "R"])
        segment = TCP(sport=random.randrange(65536), dport=80, seq=random.randrange(1 << 32), flags=flags)
        data = random.randbytes(random.choice([0, 0, 0, 1, 5, 100]))
        tos = random.randrange(256)
        if random.random() < 0.5:
            more = [IPOption(b"\x01" * 4)] if random.random() < 0.2 else []
            head = IP(src="10.0.0.1", dst="10.0.0.2", tos=tos, options=more, proto=6)
            protocol, at = 0x0021, 20 + 4 * len(more)
        else:
            head, protocol, at = IPv6(src="2001:db8::1", dst="2001:db8::2", tc=tos, nh=6), 0x0057, 40
        segment = bytearray(bytes(segment)) + options + data
        segment[12] = (5 + len(options) // 4) << 4
        segment[16:18] = b"\0\0"
        packet = bytearray(bytes(head / Raw(bytes(segment))))
        checksum = 0
        if random.random() < 0.9:
            source, destination = (packet[12:16], packet[16:20]) if protocol == 0x0021 else (packet[8:24], packet[24:40])
            checksum = internet_checksum(bytes(source + destination) + struct.pack("!II", len(segment), 6) + bytes(segment))
        struct.pack_into("!H", packet, at + 16, checksum)
        roll = random.random()
        if roll < 0.05:
            packet[at + 12] = random.randrange(256)  # data offset
        elif roll < 0.10:
            del packet[random.randrange(1, len(packet)) :]
        elif roll < 0.14:
            packet[0] = random.randrange(256)
        elif roll < 0.18:
            struct.pack_into("!H", packet, 2 if protocol == 0x0021 else 4, random.choice([0, 19, 20, 40, 41, 44, len(packet) - 1, 65535]))
        elif roll < 0.22 and protocol == 0x0021:
            struct.pack_into("!H", packet, 6, random.choice([0x2000, 0x4000, 0x0001, 0x2001, 0x1FFF]))
        elif roll < 0.25:
            packet[9 if protocol == 0x0021 else 6] = random.choice([17, 0, 43, 44, 60, 6])
        elif roll < 0.30:
            packet += random.randbytes(random.randrange(1, 20))  # behind the IP packet
        if random.random() < 0.3:
            return bytes([protocol]) + bytes(packet)
        return struct.pack("!H", protocol) + bytes(packet)

    def option(self):
        """A TCP option."""
        random = self.random
        roll = random.random()
        if roll < 0.55:
            return struct.pack("!BBH", 2, 4, random.choice([1460, 1440, 1400, 1380, 1200, 536, 65535, 0, random.randrange(65536)]))
        if roll < 0.70:
            return b"\x01"
        if roll < 0.80:
            return b"\x03\x03" + bytes([random.randrange(15)])
        if roll < 0.88:
            return b"\x08\x0a" + random.randbytes(8)
        if roll < 0.91:
            return b"\0"
        if roll < 0.95:
            return bytes([2, random.choice([0, 1, 2, 3, 5, 40, 255])]) + random.randbytes(2)
        return bytes([random.randrange(256), random.choice([0, 1, 2, 3, 10, 40, 255])]) + random.randbytes(random.randrange(8))

    def session(self):
        return self.random.choice(self.topology.sessions)

    def number(self, session):
        """Ns of the next message to a session: mostly the one that is expected, at times lost, late, twice or early."""
        random, roll = self.random, self.random.random()
        due = self.numbers.get(session.number, session.down.sequence)
        if roll < 0.60:
            ns, due = due, due + 1
        elif roll < 0.72:
            ns = due - random.choice([1, 1, 2, 3, 10])
        elif roll < 0.84:
            ns = due + random.choice([1, 1, 2, 3])  # early; the missing one comes later
        elif roll < 0.92:
            ns = due + random.choice([1, 2, 5])
            due = ns + 1
        elif roll < 0.95:
            ns = due + random.choice([20, 30, 31, 32, 33, 34, 62, 63, 64, 65, 66, 100])
        elif roll < 0.98:
            ns = due + random.choice([32766, 32767, 32768, 32769, -32767, -32768, -32769])
        else:
            ns = random.randrange(65536)
        self.numbers[session.number] = due & 0xFFFF
        return ns & 0xFFFF

    def share_of_sequenced(self, session):
        """How many of a session's messages have sequence numbers."""
        if self.several_workers and session.number < PLAIN_SESSIONS:
            return 0
        return 0.85 if session.down.features & 12 else 0.05

    def new_batch(self):
        """What peers number their messages with starts again from what the sessions expect."""
        self.numbers.clear()

    def circuit_of(self, session):
        return self.topology.circuits[session.circuit]

    def tunnel_of(self, session):
        return self.topology.tunnels[session.tunnel]

    # Access side

    def pppoe(self, session, **changes):
        circuit = self.circuit_of(session)
        body = changes.pop("body", None)
        if body is None:
            body = self.inner()
        fields = dict(
            port=circuit.port, destination=self.topology.ports[circuit.port].mac, source=session.mac, tags=circuit.tags,
            version=1, type=1, code=0, sessionid=session.session_id, len=len(body), ethertype=0x8864,
        )
        fields.update(changes)
        header = PPPoE(
            version=fields["version"], type=fields["type"], code=fields["code"], sessionid=fields["sessionid"], len=fields["len"]
        )
        frame = self.ethernet(fields["destination"], fields["source"], fields["tags"], fields["ethertype"], bytes(header) + body)
        return fields["port"], self.pad(frame)

    def upstream(self):
        return ("PPPoE",) + self.pppoe(self.session())

    def upstream_spoilt(self):
        random, session, body = self.random, self.session(), self.inner()
        other, circuit = self.session(), self.circuit_of(session)
        size = len(body)
        kind, changes = random.choice([
            ("version", dict(version=random.randrange(16))),
            ("type", dict(type=random.randrange(16))),
            ("code", dict(code=random.choice([1, 9, 7, 0x19, 0x65, 0xA7, 0xFF, random.randrange(256)]))),
            ("length longer", dict(len=min(65535, size + random.choice([1, 2, 46, 100, 65535 - size])))),
            ("length shorter", dict(len=random.randrange(size) if size else 0)),
            ("length of nothing", dict(len=random.choice([0, 1, 2]))),
            ("session id", dict(sessionid=random.choice([0, 65535, other.session_id, session.session_id ^ 1, random.randrange(65536)]))),
            ("client MAC", dict(source=random.choice([other.mac, session.mac[:5] + bytes([session.mac[5] ^ 1]), BROADCAST]))),
            ("destination MAC", dict(destination=random.choice([random.randbytes(6), BROADCAST, self.topology.ports[circuit.port ^ 1].mac]))),
            ("port", dict(port=random.randrange(5))),
            ("VLAN", dict(tags=random.choice(self.topology.circuits).tags)),
            ("VLAN", dict(tags=[(0x8100, random.randrange(4096))])),
            ("VLAN", dict(tags=[(random.choice([0x8100, 0x88A8]), random.choice([100, 200, 300])), (random.choice([0x8100, 0x88A8]), random.choice([0, 10, 12]))])),
            ("priority tag", dict(tags=[(0x8100, 0)] + circuit.tags[:1])),
            ("third VLAN", dict(tags=circuit.tags + [(0x8100, 5)] * (3 - len(circuit.tags)))),
            ("old TPID", dict(tags=[(0x9100, 100)])),
            ("other circuit of the same port, same key", dict(tags=random.choice(self.topology.circuits).tags, port=circuit.port)),
            ("ethertype", dict(ethertype=random.choice([0x8863, 0x0800, 0x86DD, 0x0806, 0x88CC, 0x05DC, 0]))),
            ("no PPP", dict(body=b"", len=0)),
        ])
        changes.setdefault("body", body)
        return ("PPPoE, " + kind,) + self.pppoe(session, **changes)

    def discovery(self):
        random = self.random
        port = random.choice(self.topology.ports)
        code = random.choice([0x09, 0x19, 0xA7, 0x07, 0x65, 0xFF])
        destination = random.choice([BROADCAST, port.mac, b"\x01\x80\xc2\x00\x00\x01", random.randbytes(6)])
        body = bytes(PPPoED(code=code, sessionid=random.choice([0, 5]))) + struct.pack("!HH", 0x0101, 0)
        tags = random.choice(self.topology.circuits).tags
        frame = self.ethernet(destination, b"\x02\x33" + random.randbytes(4), tags, 0x8863, body)
        return "PPPoE discovery", port.index, self.pad(frame)

    # Core side

    def l2tp(self, session, **changes):
        """An L2TPv2 data message in UDP in IPv4 (RFC 2661, 3.1), every field of it open to change."""
        random, tunnel = self.random, self.tunnel_of(session)
        body = changes.pop("body", None)
        if body is None:
            body = self.inner(1400)
        port = self.topology.ports[tunnel.port]
        f = dict(
            port=tunnel.port, destination=port.mac, source=tunnel.next_hop,
            tags=[(0x8100, tunnel.vlan)] if tunnel.vlan else [], ethertype=None, cut=False,
            length=random.random() < 0.6, sequence=random.random() < self.share_of_sequenced(session),
            ns=None, offset=random.random() < 0.3,
            priority=random.random() < 0.2, control=False, version=2, reserved=0, tunnel_id=tunnel.id,
            session_id=session.local_session_id, pad=None, pad_field=None, l2tp_length=None, ff03=random.random() < 0.7,
            options=random.choice([0, 0, 0, 1, 3, 10]), checksum=random.random() < 0.4, bad_ip_sum=0, bad_udp_sum=0,
            udp_length=None, ip_length=None, src=tunnel.peer, dst=tunnel.local, sport=tunnel.peer_port,
            dport=tunnel.local_port, flags=random.choice([0, 0, "DF"]), frag=0, proto=17, ihl=None, ip_version=4,
            tos=random.randrange(256), ttl=random.choice([1, 64, 255]), extension=None,
        )
        if tunnel.family == 6:
            f.update(ip_version=6, checksum=random.random() < (0.5 if tunnel.zero_checksum else 0.95))
        f.update(changes)
        if f["pad"] is None:
            f["pad"] = random.choice([0, 1, 2, 3, 16, 17, random.randrange(256)])
        bits = f["version"] | f["reserved"]
        bits |= 0x8000 * f["control"] | 0x4000 * f["length"] | 0x0800 * f["sequence"] | 0x0200 * f["offset"] | 0x0100 * f["priority"]
        tail = struct.pack("!HH", f["tunnel_id"], f["session_id"])
        if f["sequence"]:
            ns = self.number(session) if f["ns"] is None else f["ns"]
            tail += struct.pack("!HH", ns, random.randrange(65536))
        if f["offset"]:
            tail += struct.pack("!H", f["pad"] if f["pad_field"] is None else f["pad_field"]) + random.randbytes(f["pad"])
        if f["ff03"]:
            tail += b"\xff\x03"
        tail += body
        header = struct.pack("!H", bits)
        if f["length"]:
            header += struct.pack("!H", len(tail) + 4 if f["l2tp_length"] is None else f["l2tp_length"](len(tail) + 4) & 0xFFFF)
        message = header + tail

        if tunnel.family == 6:
            packet = self.over_ipv6(f, message)
        else:
            packet = self.over_ipv4(f, message)
        if f["ethertype"] is None:
            f["ethertype"] = 0x86DD if tunnel.family == 6 else 0x0800
        front = self.ethernet(f["destination"], f["source"], f["tags"], f["ethertype"], b"")
        if f["cut"]:
            return f["port"], front, packet
        return f["port"], self.pad(front + packet)

    def over_ipv4(self, f, message):
        random = self.random
        udp = UDP(sport=f["sport"], dport=f["dport"])
        if not f["checksum"]:
            udp.chksum = 0
        options = [IPOption(b"\x01" * 4 * f["options"])] if f["options"] else []
        ip = IP(
            src=f["src"], dst=f["dst"], flags=f["flags"], frag=f["frag"], proto=f["proto"], tos=f["tos"], ttl=f["ttl"],
            id=random.randrange(65536), options=options,
        )
        packet = bytearray(bytes(ip / udp / Raw(message)))
        header_length = (packet[0] & 15) * 4
        if f["udp_length"] is not None:
            struct.pack_into("!H", packet, header_length + 4, f["udp_length"](len(packet) - header_length) & 0xFFFF)
            struct.pack_into("!H", packet, header_length + 6, 0)
        if f["bad_udp_sum"]:
            at = header_length + 6
            struct.pack_into("!H", packet, at, struct.unpack_from("!H", packet, at)[0] ^ f["bad_udp_sum"])
        changed = False
        if f["ip_length"] is not None:
            struct.pack_into("!H", packet, 2, f["ip_length"](len(packet)) & 0xFFFF)
            changed = True
        if f["ihl"] is not None or f["ip_version"] != 4:
            packet[0] = f["ip_version"] << 4 | (packet[0] & 15 if f["ihl"] is None else f["ihl"])
            changed = True
        if changed:
            # The header's checksum is made right again, so that the fault under test is the only one.
            covered = max(20, (packet[0] & 15) * 4)
            struct.pack_into("!H", packet, 10, 0)
            struct.pack_into("!H", packet, 10, internet_checksum(bytes(packet[:covered])))
        if f["bad_ip_sum"]:
            struct.pack_into("!H", packet, 10, struct.unpack_from("!H", packet, 10)[0] ^ f["bad_ip_sum"])
        return bytes(packet)

    def over_ipv6(self, f, message):
        """RFC 8200, with extension headers where a spoilt packet wants some."""
        udp = bytearray(bytes(UDP(sport=f["sport"], dport=f["dport"], len=(8 + len(message)) & 0xFFFF, chksum=0)) + message)
        ip = bytearray(bytes(IPv6(src=f["src"], dst=f["dst"], tc=f["tos"], hlim=f["ttl"], fl=self.random.choice([0, 0xABCDE]), nh=f["proto"])))
        length = len(udp)
        if f["udp_length"] is not None:
            length = f["udp_length"](len(udp)) & 0xFFFF
            struct.pack_into("!H", udp, 4, length)
        if f["checksum"]:
            covered = bytes(udp[: max(8, length)])
            checksum = internet_checksum(bytes(ip[8:40]) + struct.pack("!II", length, 17) + covered) or 0xFFFF
            struct.pack_into("!H", udp, 6, checksum)
        if f["bad_udp_sum"]:
            struct.pack_into("!H", udp, 6, struct.unpack_from("!H", udp, 6)[0] ^ f["bad_udp_sum"])
        extension = b""
        if f["extension"] is not None:
            kind, extension = f["extension"]
            ip[6] = kind
        payload = extension + bytes(udp)
        size = len(payload) if f["ip_length"] is None else max(0, f["ip_length"](len(payload) + 40) - 40)
        struct.pack_into("!H", ip, 4, size & 0xFFFF)
        ip[0] = f["ip_version"] << 4 | ip[0] & 15
        return bytes(ip) + payload

    def downstream(self):
        return ("L2TP",) + self.l2tp(self.session())

    def downstream_spoilt(self):
        random, session = self.random, self.session()
        other, tunnel = self.session(), self.tunnel_of(session)
        some = random.choice([1, 2, 3, 8, 20, 100])
        if tunnel.family == 6 and random.random() < 0.5:
            kind, changes = random.choice(self.spoilt_ipv6(tunnel))
            return ("L2TP over IPv6, " + kind,) + self.l2tp(session, **changes)
        kind, changes = random.choice([
            ("IP checksum", dict(bad_ip_sum=random.randrange(1, 65536))),
            ("UDP checksum", dict(bad_udp_sum=random.randrange(1, 65536), checksum=True)),
            ("UDP checksum", dict(bad_udp_sum=random.randrange(1, 65536), checksum=False)),
            ("peer address", dict(src=random.choice(PEERS[tunnel.family]))),
            ("peer port", dict(sport=random.choice([1701, 1702, 50000, 0]))),
            ("local port", dict(dport=random.choice([1702, 0, 53]))),
            ("local address", dict(dst=random.choice(LOCALS[tunnel.family]))),
            ("destination MAC", dict(destination=random.choice([random.randbytes(6), BROADCAST, b"\x01\x00\x5e\x00\x00\x01"]))),
            ("port", dict(port=random.randrange(5))),
            ("VLAN", dict(tags=[(0x8100, random.randrange(4096))])),
            ("VLAN", dict(tags=[(0x88A8, 5), (0x8100, 6)])),
            ("one first fragment", dict(flags="MF")),
            ("one later fragment", dict(frag=random.randrange(1, 8192), flags=random.choice([0, "MF"]))),
            ("control message", dict(control=True, length=True, sequence=True, offset=False, ff03=False)),
            ("control message", dict(control=True)),
            ("control message", dict(control=True, src=random.choice(PEERS[tunnel.family]))),
            ("control message", dict(control=True, tunnel_id=random.choice([0, 0, self.tunnel_of(other).id, 65535]))),
            ("control message", dict(control=True, sport=random.choice([1701, 50000]))),
            ("L2TP version", dict(version=random.choice([0, 1, 3, 15]))),
            ("reserved bits", dict(reserved=random.choice([0x2000, 0x1000, 0x0400, 0x0080, 0x0010]))),
            ("L2TP length longer", dict(length=True, l2tp_length=lambda n: n + some)),
            ("L2TP length shorter", dict(length=True, l2tp_length=lambda n: max(0, n - some))),
            ("L2TP length tiny", dict(length=True, l2tp_length=lambda n: random.randrange(20))),
            ("UDP length longer", dict(udp_length=lambda n: n + some)),
            ("UDP length shorter", dict(udp_length=lambda n: max(0, n - some))),
            ("UDP length tiny", dict(udp_length=lambda n: random.randrange(20))),
            ("IP length longer", dict(ip_length=lambda n: n + some)),
            ("IP length shorter", dict(ip_length=lambda n: max(0, n - some))),
            ("IP length tiny", dict(ip_length=lambda n: random.randrange(48))),
            ("IP header length", dict(ihl=random.randrange(16))),
            ("IP version", dict(ip_version=random.choice([0, 5, 6, 15]))),
            ("protocol", dict(proto=random.choice([1, 6, 50, 115]))),
            ("tunnel id", dict(tunnel_id=random.choice([0, 65535, tunnel.id ^ 1, random.randrange(65536)]))),
            ("tunnel id of another", dict(tunnel_id=self.tunnel_of(other).id)),
            ("session id", dict(session_id=random.choice([0, 65535, session.local_session_id ^ 1, random.randrange(65536)]))),
            ("session id of another", dict(session_id=other.local_session_id, sequence=random.random() < self.share_of_sequenced(other))),
            ("offset beyond", dict(offset=True, pad=0, pad_field=random.choice([1500, 1501, 65535, 600, random.randrange(65536)]))),
            ("offset to the end", dict(offset=True, pad=40, body=b"", ff03=False)),
            ("no PPP", dict(body=b"", ff03=random.random() < 0.5)),
            ("one octet", dict(body=b"\x21", ff03=random.random() < 0.5)),
            ("ff only", dict(body=b"\xff", ff03=False)),
            ("ff 03 twice", dict(body=b"\xff\x03\x00\x21xyz", ff03=True)),
            ("ethertype", dict(ethertype=random.choice([0x8863, 0x8864, 0x86DD, 0x0806, 0x88CC]))),
        ])
        return ("L2TP, " + kind,) + self.l2tp(session, **changes)

    def spoilt_ipv6(self, tunnel):
        random = self.random
        following = random.choice([0, 43, 44, 50, 51, 59, 60, 135, 139, 140, 253])
        return [
            ("extension header", dict(extension=(random.choice([0, 43, 60, 51, 135]), b"\x11\x00\x01\x04\0\0\0\0"))),
            ("other next header", dict(extension=(following, b""))),
            ("atomic fragment", dict(extension=(44, b"\x11\x00\x00\x00" + random.randbytes(4)))),
            ("fragment of another protocol", dict(extension=(44, bytes([following]) + b"\x00\x00\x00" + random.randbytes(4)))),
            ("one first fragment", dict(extension=(44, b"\x11\x00\x00\x01" + random.randbytes(4)))),
            ("one later fragment", dict(extension=(44, b"\x11\x00" + random.randbytes(6)))),
            ("UDP checksum missing", dict(checksum=False)),
            ("UDP checksum", dict(bad_udp_sum=random.randrange(1, 65536), checksum=True)),
            ("multicast", dict(destination=b"\x33\x33\0\0\0\x01", dst="ff02::1")),
            ("link-local", dict(dst="fe80::1")),
            ("of another port", dict(dst="2001:db8:3::1" if tunnel.port == 2 else "2001:db8:2::1")),
        ]

    def sequenced(self):
        """Messages with sequence numbers to a few sessions, so that they meet each other."""
        some = [s for s in self.topology.sessions if s.number >= 200 and s.down.features & 12 and not s.punt]
        session = self.random.choice(some[:40])
        changes = dict(sequence=True, body=self.inner(200)) if self.random.random() < 0.97 else dict(sequence=False)
        return ("L2TP, in sequence",) + self.l2tp(session, pad=0, **changes)

    def large(self):
        """Upstream frames about as long as tunnels take, and longer."""
        session = self.session()
        tunnel = self.tunnel_of(session)
        size = self.random.choice([tunnel.mtu - 46 + self.random.randrange(-30, 20), self.random.randrange(1000, 1990)])
        body = (b"\0\x21\x45\xb8" if self.random.random() < 0.5 else b"\x57\x6b\x80") + self.random.randbytes(max(0, size))
        return ("PPPoE, long",) + self.pppoe(session, body=body[:1990])

    # Fragments

    def fragments(self):
        """A datagram in fragments, which then come one by one among others."""
        random, session = self.random, self.session()
        while self.several_workers and session.number >= PLAIN_SESSIONS:
            session = self.session()
        port = self.topology.ports[self.circuit_of(session).port]
        longest = random.choice([100, 600, 1400, 1490] + ([2500, 8900] if port.chained else [1600]) + [20000, 65000] * (random.random() < 0.05))
        body = b"\0\x21" + random.randbytes(random.randrange(longest))
        if random.random() < 0.3:
            body = self.synchronising()
        changes = dict(body=body, cut=True, flags=0)
        if random.random() < 0.1 and not self.several_workers:
            changes.update(random.choice([
                dict(bad_udp_sum=5, checksum=True), dict(proto=1), dict(tunnel_id=0), dict(control=True, length=True), dict(dport=53),
                dict(udp_length=lambda n: n + 1), dict(l2tp_length=lambda n: n + 1, length=True), dict(checksum=False),
            ]))
        if random.random() < 0.05:
            # Far more datagram than message: the PPP frame may end in any of the fragments.
            size = random.randrange(100, 1500)
            changes.update(body=b"\0\x21" + random.randbytes(2500), length=True, l2tp_length=lambda n: size)
        ends, front, packet = self.l2tp(session, **changes)
        pieces = self.pieces.of(front, packet)
        self.backlog += [("%s, a fragment" % what, ends, frame) for what, frame in pieces]
        return self.waiting_fragment()

    def waiting_fragment(self):
        """One of the fragments that are on their way, of the older ones."""
        if not self.backlog:
            return self.fragments()
        return self.backlog.pop(self.random.randrange(min(len(self.backlog), 12)))

    def flood(self, sender, pieces):
        """Endless datagrams from one sender that never become whole, of so many fragments each."""
        _, front, packet = self.l2tp(sender, cut=True, flags=0, options=0, body=b"\0\x21" + bytes(100), pad=0, checksum=False)
        number = 0
        while True:
            number += 1
            for piece in range(pieces):
                yield "flood, a fragment", self.tunnel_of(sender).port, self.pieces.single(front, packet, number, 16 + 8 * piece)

    def pair(self, session):
        """A datagram in two fragments that come one after the other."""
        port, front, packet = self.l2tp(session, cut=True, flags=0, body=b"\0\x21" + bytes(100), pad=0, bad_udp_sum=0, sequence=False)
        return [("whole, a fragment", port, frame) for frame in self.pieces.two(front, packet)]

    # Neither

    def arp(self):
        random = self.random
        port = random.choice(self.topology.ports)
        target = random.choice(port.addresses) if port.addresses else "10.9.9.9"
        packet = ARP(op=random.choice([1, 2]), psrc="192.0.2.10", pdst=target, hwsrc="02:ee:00:00:00:01")
        destination = random.choice([BROADCAST, port.mac, random.randbytes(6)])
        frame = self.ethernet(destination, b"\x02\xee\x00\x00\x00\x01", random.choice([[], [], [(0x8100, 77)]]), 0x0806, bytes(packet))
        return "ARP", port.index, self.pad(frame)

    def other_ipv4(self):
        random = self.random
        port = random.choice(self.topology.ports)
        target = random.choice([port.addresses[0] if port.addresses else "10.9.9.9", "192.0.2.222", "255.255.255.255"])
        layer = random.choice([
            ICMP() / Raw(b"ping"), UDP(sport=53, dport=random.randrange(1, 65536)) / Raw(b"dns"),
            UDP(sport=1701, dport=1701) / Raw(random.randbytes(random.randrange(40))),
        ])
        packet = IP(src="192.0.2.10", dst=target) / layer
        destination = random.choice([port.mac, port.mac, BROADCAST, random.randbytes(6)])
        frame = self.ethernet(destination, b"\x02\xee\x00\x00\x00\x01", [], 0x0800, bytes(packet))
        return "IPv4", port.index, self.pad(frame)

    def ipv6(self):
        """Whatever an IPv6 host hears."""
        random = self.random
        port = random.choice(self.topology.ports)
        target = random.choice(LOCALS[6] + ["fe80::1", "ff02::1", "ff02::1:ff00:1", "2001:db8::2", "::"])
        layer = random.choice([
            UDP(sport=1701, dport=1701) / Raw(b"x" * random.randrange(40)), UDP(sport=53, dport=53) / Raw(b"dns"),
            ICMPv6EchoRequest(data=b"ping"), Raw(b""), TCP(dport=22),
            IPv6ExtHdrFragment(nh=58, offset=random.choice([0, 1, 2, 50]), m=random.randrange(2), id=random.randrange(9)) / Raw(b"y" * 8 * random.randrange(20)),
        ])
        packet = bytearray(bytes(IPv6(src="2001:db8::1", dst=target) / layer))
        if random.random() < 0.15:
            at = random.randrange(8)
            packet[at] ^= 1 << random.randrange(8)
        destination = random.choice([port.mac, port.mac, b"\x33\x33\x00\x00\x00\x01", random.randbytes(6)])
        return "IPv6", port.index, self.pad(self.ethernet(destination, b"\x02\xee\x00\x00\x00\x01", [], 0x86DD, bytes(packet)))

    def garbage(self):
        random = self.random
        port = random.choice(self.topology.ports)
        size = random.choice([0, 1, 13, 14, 15, 20, 34, 60, random.randrange(1514)])
        frame = bytearray(random.randbytes(size))
        if random.random() < 0.7:
            frame[:6] = port.mac
            frame[12:14] = struct.pack("!H", random.choice([0x0800, 0x8864, 0x8863, 0x8100, 0x88A8, 0x0806, 0x86DD]))
            frame = frame[:size]
        return "garbage", port.index, bytes(frame)

    def jumbo(self):
        """Longer than the access port's MTU, the tunnel's or a slot of the punt ring; still one packet buffer."""
        random, session = self.random, self.session()
        body = b"\x00\x21" + random.randbytes(random.choice([1490, 1491, 1492, 1493, 1494, 1495, 1800, 1900, 1950]))
        roll = random.random()
        if roll < 0.4:
            return ("PPPoE, jumbo",) + self.pppoe(session, body=body)
        if roll < 0.8:
            return ("L2TP, jumbo",) + self.l2tp(session, body=body, options=0, pad=0)
        port = random.choice(self.topology.ports)
        frame = self.ethernet(port.mac, session.mac, [], 0x0806, random.randbytes(random.choice([2001, 2002, 2003, 2030])))
        return "ARP, jumbo", port.index, frame

    def truncations(self):
        """Valid frames of every shape, cut off at every octet of their headers and a little beyond."""
        topology = self.topology
        sessions = {}
        for session in topology.sessions:
            if not session.punt:
                sessions.setdefault((session.circuit, "circuit"), session)
                sessions.setdefault((session.tunnel, "tunnel"), session)
        shapes = [("PPPoE",) + self.pppoe(s, body=self.inner()[:40] or b"!") for s in sessions.values()]
        every = dict(options=1, pad=3, checksum=False, length=True, sequence=True, offset=True, ff03=True)
        for s in sessions.values():
            shapes.append(("L2TP",) + self.l2tp(s, body=b"\x00\x21truncated"))
            shapes.append(("L2TP",) + self.l2tp(s, body=b"\x00\x21truncated", **every))
        for what, port, frame in shapes:
            for size in range(min(len(frame), 120)):
                yield "%s, cut to %d" % (what, size), port, frame[:size]

    def transmitted(self):
        """A frame that the control plane sends, sometimes out of a port that does not exist."""
        port = self.random.choice([0, 1, 2, 3, 4, 5, 7, 31, 65535])
        return "from the control plane", port, self.random.randbytes(self.random.choice([14, 60, 1514]))

    def wrong_side(self):
        """A session's own frame at a port of the other kind."""
        if self.random.random() < 0.5:
            port = self.random.choice([2, 3])
            return ("PPPoE at a core port",) + self.pppoe(self.session(), port=port, destination=self.topology.ports[port].mac)
        port = self.random.choice([0, 1])
        return ("L2TP at an access port",) + self.l2tp(self.session(), port=port, destination=self.topology.ports[port].mac)

