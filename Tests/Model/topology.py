"""The node under test as the model knows it: ports, attachment circuits, tunnels, sessions.

Everything here is chosen by the test and told to the harness, except the identifiers that the table assigns
(PPPoE session id, local tunnel id, local L2TP session id): the harness answers with those.
"""

from dataclasses import dataclass, field


@dataclass
class Port:
    """A port of the node: `core` ports have IPv4 addresses, `access` ports serve PPPoE."""

    index: int
    access: bool
    core: bool
    mac: bytes
    addresses: list  # dotted decimal


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
    """An L2TP tunnel over IPv4 and UDP, and how its packets are to be sent."""

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
    id: int = -1


@dataclass
class Session:
    """One PPPoE session joined to one L2TP session."""

    circuit: int  # index into Topology.circuits
    tunnel: int  # index into Topology.tunnels
    mac: bytes
    peer_session_id: int
    punt: bool  # upstream frames go to the control plane
    session_id: int = -1  # PPPoE
    local_session_id: int = -1  # L2TP
    upstream_slot: int = -1
    counts: list = field(default_factory=lambda: [0, 0, 0, 0])  # packets, octets upstream; packets, octets downstream


@dataclass
class Topology:
    ports: list
    circuits: list
    tunnels: list
    sessions: list


def standard(random):
    """Two access and two core ports, every kind of circuit and tunnel, and sessions spread over them."""
    ports = [
        Port(0, True, False, bytes.fromhex("02c000000001"), []),
        Port(1, True, False, bytes.fromhex("02c000000002"), []),
        Port(2, False, True, bytes.fromhex("02c000000003"), ["192.0.2.1", "198.51.100.1"]),
        Port(3, False, True, bytes.fromhex("02c000000004"), ["203.0.113.1"]),
        Port(4, False, False, bytes.fromhex("02c000000005"), []),
    ]
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
    ]
    sessions = []
    for number in range(400):
        mac = bytes([0x02, 0x11, 0x22]) + random.randrange(1 << 24).to_bytes(3, "big")
        sessions.append(
            Session(
                circuit=random.randrange(len(circuits)), tunnel=random.randrange(len(tunnels)), mac=mac,
                peer_session_id=random.randrange(1, 65536), punt=number % 20 == 19,
            )
        )
    return Topology(ports, circuits, tunnels, sessions)
