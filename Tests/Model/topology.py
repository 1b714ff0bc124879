"""The node under test as the model knows it: ports, attachment circuits, tunnels, policers, sessions.

Everything here is chosen by the test and told to the harness, except the identifiers that the table assigns
(PPPoE session id, local tunnel id, local L2TP session id, slots): the harness answers with those.
"""

from dataclasses import dataclass, field


@dataclass
class Port:
    """A port of the node: `core` ports have IP addresses, `access` ports serve PPPoE."""

    index: int
    access: bool
    core: bool
    mac: bytes
    addresses: list  # dotted decimal
    addresses6: list = field(default_factory=list)
    mtu: int = 1500
    chained: bool = False  # sends frames that lie in several buffers
    dispatched: bool = False  # its frames go to the workers by the hash of their session


@dataclass
class Circuit:
    """An attachment circuit (port, outer VLAN, inner VLAN); VLAN 0 stands for no tag."""

    port: int
    outer: int
    inner: int
    tpid: int  # of the outer tag
    index: int = -1

    @property
    def tags(self):
        """(TPID, VLAN id) from the outside in."""
        found = []
        if self.outer:
            found.append((self.tpid, self.outer))
        if self.inner:
            found.append((0x8100, self.inner))
        return found


@dataclass
class Tunnel:
    """An L2TP tunnel over IP and UDP, and how its packets are to be sent."""

    port: int
    vlan: int  # of the core side's Ethernet; 0: untagged
    next_hop: bytes  # MAC
    local: str
    peer: str
    local_port: int
    peer_port: int
    peer_tunnel_id: int
    length_bit: bool
    udp_checksum: bool
    inherit_tos: bool
    tos: int
    ttl: int
    mtu: int
    ready: bool
    family: int = 4
    fragment: bool = False  # what is too long is sent as fragments
    tell_inside: bool = False  # what is too long is given to the control plane
    pad: int = -1  # octets of offset pad, -1: no offset size field
    zero_checksum: bool = False  # UDP over IPv6 without a checksum is taken
    in_service: bool = True
    sound: bool = True  # its template does not contradict itself
    id: int = -1

    @property
    def is_plain(self):
        """Whether the table's writer alone can make it; else the model writes the segment."""
        return self.family == 4 and self.in_service and self.sound and not self.fragment and not self.tell_inside and self.pad < 0


@dataclass
class Policer:
    """RFC 2698, octets a second and octets. `generation` 0 or odd: not to be used."""

    committed_rate: int
    peak_rate: int
    committed_burst: int
    peak_burst: int
    generation: int = 2


@dataclass
class Direction:
    """What one direction of a session has beside its line, and what the worker keeps there."""

    policer: int = -1
    mss: int = 0  # 0: not clamped
    sequenced: bool = False
    reordered: bool = False
    learned: bool = False
    sequence: int = 0  # upstream: Ns of the next message; downstream: Ns that is expected
    policed: int = 0
    missing: int = 0
    late: int = 0
    waited: int = 0
    # Of the model.
    meter: object = None
    late_since: int = None
    late_first: int = 0

    @property
    def features(self):
        return (self.policer >= 0) | (self.mss > 0) << 1 | self.sequenced << 2 | self.reordered << 3


@dataclass
class Session:
    """One PPPoE session joined to one L2TP session."""

    circuit: int  # index into Topology.circuits
    tunnel: int  # index into Topology.tunnels
    mac: bytes
    peer_session_id: int
    punt: bool  # upstream frames go to the control plane
    number: int = -1
    sound: bool = True  # its access header does not contradict itself
    up: Direction = field(default_factory=Direction)
    down: Direction = field(default_factory=Direction)
    session_id: int = -1  # PPPoE
    local_session_id: int = -1  # L2TP
    upstream_slot: int = -1
    downstream_slot: int = -1
    counts: list = field(default_factory=lambda: [0, 0, 0, 0])  # packets, octets upstream; packets, octets downstream
    capture: int = 0  # number of its capture, 0: none
    capture_length: int = 2016  # octets of a frame that a copy has


@dataclass
class Topology:
    ports: list
    circuits: list
    tunnels: list
    policers: list
    sessions: list


def standard(random, dispatched=False):
    """Two access and two core ports, every kind of circuit and tunnel, and sessions with every feature spread over them."""
    ports = [
        Port(0, True, False, bytes.fromhex("02c000000001"), []),
        Port(1, True, False, bytes.fromhex("02c000000002"), [], mtu=9000, chained=True),
        Port(2, False, True, bytes.fromhex("02c000000003"), ["192.0.2.1", "198.51.100.1"], ["2001:db8:2::1", "2001:db8:22::1"]),
        Port(3, False, True, bytes.fromhex("02c000000004"), ["203.0.113.1"], ["2001:db8:3::1"], chained=True),
        Port(4, False, False, bytes.fromhex("02c000000005"), []),
    ]
    for port in ports:
        port.dispatched = dispatched
    circuits = [
        Circuit(0, 0, 0, 0),
        Circuit(0, 100, 0, 0x8100),
        Circuit(0, 200, 10, 0x8100),
        Circuit(0, 200, 11, 0x8100),
        Circuit(0, 300, 10, 0x88A8),
        Circuit(1, 0, 0, 0),
        Circuit(1, 100, 0, 0x8100),
        Circuit(1, 4094, 4094, 0x88A8),
    ]

    def tunnel(port, peer, **changes):
        settings = dict(
            port=port, vlan=0, next_hop=bytes([2, 0xEE, 0, 0, port, 1]), local=ports[port].addresses[0], peer=peer,
            local_port=1701, peer_port=1701, peer_tunnel_id=random.randrange(1, 65536), length_bit=True,
            udp_checksum=False, inherit_tos=False, tos=0, ttl=64, mtu=1500, ready=True,
        )
        if ":" in peer:
            settings.update(family=6, local=ports[port].addresses6[0], udp_checksum=True)
        settings.update(changes)
        return Tunnel(**settings)

    tunnels = [
        tunnel(2, "192.0.2.10"),
        tunnel(2, "192.0.2.11", length_bit=False, tos=0xB8),
        tunnel(2, "192.0.2.12", udp_checksum=True),
        tunnel(2, "192.0.2.13", inherit_tos=True, tos=0x20, length_bit=False, udp_checksum=True),
        tunnel(2, "198.51.100.10", local="198.51.100.1", inherit_tos=True, ttl=255),
        tunnel(2, "192.0.2.14", peer_port=50000, vlan=77),
        tunnel(2, "192.0.2.10", mtu=600),  # a second tunnel with the first one's peer
        tunnel(3, "203.0.113.10", udp_checksum=True, length_bit=False),
        tunnel(3, "203.0.113.11", ready=False),
        # Offset pad (RFC 2661, 3.1).
        tunnel(2, "192.0.2.15", pad=0),
        tunnel(3, "203.0.113.12", pad=6, length_bit=False, udp_checksum=True),
        tunnel(2, "192.0.2.16", pad=17, vlan=78, mtu=1400),
        # What does not fit.
        tunnel(2, "192.0.2.17", mtu=576, fragment=True),
        tunnel(3, "203.0.113.13", mtu=1492, fragment=True, udp_checksum=True, vlan=79, tos=0x28),
        tunnel(2, "192.0.2.18", mtu=68, fragment=True),  # RFC 791: every IPv4 link takes 68 octets
        tunnel(2, "192.0.2.19", mtu=700, tell_inside=True),
        tunnel(3, "203.0.113.14", mtu=1000, tell_inside=True, pad=4, length_bit=False),
        tunnel(3, "203.0.113.15", mtu=900, fragment=True, tell_inside=True, pad=3, inherit_tos=True),
        # IPv6.
        tunnel(2, "2001:db8:2::10"),
        tunnel(2, "2001:db8:2::11", udp_checksum=False, zero_checksum=True, length_bit=False),  # RFC 6935
        tunnel(3, "2001:db8:3::10", inherit_tos=True, tos=0x2E, ttl=255, vlan=80),
        tunnel(2, "2001:db8:22::10", local="2001:db8:22::1", pad=16, peer_port=50001),
        tunnel(2, "2001:db8:2::12", mtu=1280, fragment=True),
        tunnel(3, "2001:db8:3::11", mtu=1280, tell_inside=True, length_bit=False),
        tunnel(3, "2001:db8:3::12", mtu=1280),
        tunnel(3, "2001:db8:3::13", mtu=1300, fragment=True, udp_checksum=False, zero_checksum=True, pad=250),
        # The longest of all headers.
        tunnel(3, "2001:db8:3::14", vlan=81, pad=255),
        tunnel(2, "192.0.2.20", pad=100),
        # What nobody should find.
        tunnel(2, "192.0.2.21", in_service=False),
        tunnel(3, "203.0.113.16", sound=False),
    ]
    policers = [
        Policer(125_000, 250_000, 3_000, 6_000),
        Policer(1_000_000, 1_000_000, 1_500, 1_500),
        Policer(12_500_000_000, 12_500_000_000, 100_000, 200_000),  # 100 Gbit/s
        Policer(1, 2, 10_000, 5_000),
        Policer(1_000, 2_000, 1_000, 1_000, generation=3),  # being written
        Policer(1_000, 2_000, 1_000, 1_000, generation=0),
    ]
    sessions = []
    for number in range(600):
        mac = bytes([0x02, 0x11, 0x22]) + random.randrange(1 << 24).to_bytes(3, "big")
        session = Session(
            circuit=random.randrange(len(circuits)), tunnel=random.randrange(len(tunnels)), mac=mac,
            peer_session_id=random.randrange(1, 65536), punt=number % 20 == 19, number=number,
        )
        session.sound = number % 50 != 7
        if random.random() < 0.15 and not session.punt:
            session.capture, session.capture_length = 1000 + number, random.choice([2016, 2016, 128, 80])
        if number >= 200 and not session.punt:
            session.up = direction(random, len(policers), False)
            session.down = direction(random, len(policers), True)
        sessions.append(session)
    return Topology(ports, circuits, tunnels, policers, sessions)


def direction(random, policers, downstream):
    """One direction's features."""
    found = Direction()
    if random.random() < 0.2:
        found.policer = random.choice([0, 0, 0, 1, 1, 2, 3, random.randrange(policers)])
    if random.random() < 0.4:
        found.mss = random.choice([536, 1220, 1400, 1412, 1452, 1460])
    if random.random() < (0.15 if downstream else 0.4):
        found.sequenced = True
    if downstream and random.random() < 0.5:
        found.reordered = True
    if random.random() < 0.3:
        found.sequence = random.choice([65530, 65535, 32767, random.randrange(65536)])
    return found
