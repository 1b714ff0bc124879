"""What the control plane writes into the segment, as octets: laid out as culvert_segment.h says, and as no code of the node does."""

import socket
import struct

from scapy.all import IP, UDP, Dot1Q, Ether, IPv6

from checksum import ones_complement_sum

# culvert_segment.h
TEMPLATE_CAPACITY = 96
L2TP_LENGTH, UDP_CHECKSUM, TOS_INHERIT, READY, FRAGMENT, TELL_INSIDE, OFFSET_PAD = 1, 2, 4, 8, 16, 32, 64
TUNNEL_ZERO_CHECKSUM = 1
CAPTURED = 16  # feature of both directions
RESERVED = 1  # state of an entry that is not visible
SIZES = dict(
    ports=512, circuits=32, tunnels=64, templates=128, upstream=64, downstream=64, upstream_features=64,
    downstream_features=64, policers=64,
)


def text(mac):
    return ":".join("%02x" % octet for octet in mac)


def address(written):
    """An IPv4 or IPv6 address in wire order."""
    return socket.inet_pton(socket.AF_INET6 if ":" in written else socket.AF_INET, written)


def in_memory_sum(octets):
    """One's complement sum of words as a little-endian machine loads them."""
    return ones_complement_sum(struct.pack("<%dH" % (len(octets) // 2), *struct.unpack("!%dH" % (len(octets) // 2), octets)))


class Segment:
    """Writes and reads entries through the harness."""

    def __init__(self, node):
        self.node = node
        self.offsets, self.hertz = {}, 0
        for words in node.ask("layout"):
            if words[0] == "section":
                self.offsets[words[1]] = int(words[2])
            else:
                self.hertz = int(words[1])

    def write(self, table, index, offset, octets):
        self.node.send("poke %d %s" % (self.offsets[table] + index * SIZES[table] + offset, octets.hex()))

    def read(self, table, index, offset, count):
        at = self.offsets[table] + index * SIZES[table] + offset
        return bytes.fromhex(self.node.ask("peek %d %d" % (at, count))[0][1])

    def port(self, port):
        """struct culvert_port: ipv6_address_count, local_ipv6."""
        self.write("ports", port.index, 304, struct.pack("<I", len(port.addresses6)))
        self.write("ports", port.index, 308, b"".join(address(a) for a in port.addresses6) or b"\0" * 16)

    def policer(self, index, policer):
        """struct culvert_policer."""
        self.write("policers", index, 0, struct.pack(
            "<IIQQQQ", policer.generation, 0, policer.committed_rate, policer.peak_rate, policer.committed_burst,
            policer.peak_burst))

    def tunnel(self, tunnel, mac):
        """struct culvert_tunnel without state and regions, and both of its templates."""
        head = struct.pack("BBB", tunnel.family, 0, tunnel.port)
        tail = address(tunnel.peer).ljust(16, b"\0") + address(tunnel.local).ljust(16, b"\0")
        tail += struct.pack("!HH", tunnel.peer_port, tunnel.local_port) + struct.pack("<H", tunnel.peer_tunnel_id)
        tail += bytes([TUNNEL_ZERO_CHECKSUM if tunnel.zero_checksum else 0])
        self.write("templates", 2 * tunnel.id, 0, template(tunnel, mac))
        self.write("templates", 2 * tunnel.id + 1, 0, template(tunnel, mac))
        if not tunnel.sound:
            self.write("templates", 2 * tunnel.id, 98, b"\x1c")  # l3_length
        if not tunnel.in_service:
            self.write("tunnels", tunnel.id, 0, struct.pack("<I", RESERVED))
        self.write("tunnels", tunnel.id, 4, head)
        self.write("tunnels", tunnel.id, 24, tail)

    def session(self, session):
        """The features of both directions of a session: struct culvert_features, and the octet in the line."""
        for table, slot, direction in (
            ("upstream_features", session.upstream_slot, session.up),
            ("downstream_features", session.downstream_slot, session.down),
        ):
            self.write(table, slot, 48, struct.pack("<H", direction.sequence))
        if not session.sound:
            self.write("downstream", session.downstream_slot, 10, b"\x1a")  # header_length
        self.features(session)

    def features(self, session):
        """What the control plane sets of them, and may change; and what is said of copies for captures."""
        self.write("upstream", session.upstream_slot, 56, struct.pack("<HH", session.capture, session.capture_length))
        for table, line, offset, slot, direction in (
            ("upstream_features", "upstream", 28, session.upstream_slot, session.up),
            ("downstream_features", "downstream", 32, session.downstream_slot, session.down),
        ):
            self.write(table, slot, 0, struct.pack("<HH", direction.mss, max(0, direction.policer)))
            self.write(line, slot, offset, bytes([direction.features | (CAPTURED if session.capture else 0)]))

    def state(self, session):
        """What the workers keep of a session: for either direction learned, policed_packets, sequence, missing, late, reordered."""
        found = []
        for table, line, offset, slot in (
            ("upstream_features", "upstream", 29, session.upstream_slot),
            ("downstream_features", "downstream", 33, session.downstream_slot),
        ):
            policed, sequence, _, missing, late, reordered = struct.unpack("<QHHIII", self.read(table, slot, 40, 24))
            found.append((self.read(line, slot, offset, 1)[0], policed, sequence, missing, late, reordered))
        return found


def template(tunnel, mac):
    """struct culvert_template: everything in front of the PPP protocol field, ending at its 96th octet."""
    types = [0x8100] if tunnel.vlan else []
    types.append(0x0800 if tunnel.family == 4 else 0x86DD)
    ethernet = Ether(dst=text(tunnel.next_hop), src=text(mac), type=types[0])
    if tunnel.vlan:
        ethernet = ethernet / Dot1Q(vlan=tunnel.vlan, type=types[1])
    ethernet = bytes(ethernet)
    if tunnel.family == 4:
        ip = bytearray(bytes(IP(src=tunnel.local, dst=tunnel.peer, tos=tunnel.tos, ttl=tunnel.ttl, proto=17, id=0, flags=0)))
        ip[2:4] = ip[10:12] = b"\0\0"
        sum_of_header = in_memory_sum(bytes(ip))
    else:
        ip = bytearray(bytes(IPv6(src=tunnel.local, dst=tunnel.peer, tc=tunnel.tos, hlim=tunnel.ttl, nh=17)))
        ip[4:6] = b"\0\0"
        sum_of_header = 0
    udp = bytearray(bytes(UDP(sport=tunnel.local_port, dport=tunnel.peer_port)))
    udp[4:8] = bytes(4)
    l2tp = struct.pack("!HH", 0x4002, 0) if tunnel.length_bit else struct.pack("!H", 0x0002)
    l2tp += struct.pack("!HH", tunnel.peer_tunnel_id, 0) + b"\xff\x03"
    octets = ethernet + bytes(ip) + bytes(udp) + l2tp
    flags = L2TP_LENGTH * tunnel.length_bit | UDP_CHECKSUM * tunnel.udp_checksum | TOS_INHERIT * tunnel.inherit_tos
    flags |= READY * tunnel.ready | FRAGMENT * tunnel.fragment | TELL_INSIDE * tunnel.tell_inside
    flags |= OFFSET_PAD * (tunnel.pad >= 0)
    return octets.rjust(TEMPLATE_CAPACITY, b"\0") + struct.pack(
        "<BBBBHHIIB", len(octets), len(ethernet), len(ip), flags, tunnel.port, tunnel.mtu, sum_of_header,
        in_memory_sum(address(tunnel.local) + address(tunnel.peer) + b"\0\x11"), max(0, tunnel.pad)).ljust(32, b"\0")
