"""The controller's feed: tunnels and sessions without signalling, through the real processes, compared byte for byte."""

import json
import socket
import struct
import subprocess

from Lab.culvert import HUGE_PAGES, Culvert
from Lab.process import Process, wait_until
from stage import expect, expect_equal, scenario

CLIENT_MAC = bytes.fromhex("020000000001")
PEER_MAC = bytes.fromhex("020000000002")
PEER, LOCAL = "10.99.0.9", "10.99.0.1"
PPP = bytes.fromhex("0021") + bytes(range(64))


def inside(namespace, program, *arguments, data=b""):
    """Runs a few lines of Python in a namespace; answers its standard output."""
    return subprocess.run(namespace.command("/usr/bin/python3", "-c", program, *arguments), input=data, timeout=30,
                          check=True, capture_output=True).stdout


SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
frame = sys.stdin.buffer.read()
for _ in range(int(sys.argv[2])):
    s.send(frame)
"""


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pppoe(source, destination, session, ppp):
    frame = destination + source + b"\x88\x64\x11\x00" + struct.pack("!HH", session, len(ppp)) + ppp
    return frame + bytes(max(0, 60 - len(frame)))


def l2tp(source_mac, destination_mac, source, destination, tunnel, session, ppp):
    """An L2TP data message without length field and UDP checksum, by the RFCs."""
    message = struct.pack("!HHH", 0x0002, tunnel, session) + b"\xff\x03" + ppp
    udp = struct.pack("!HHHH", 1701, 1701, 8 + len(message), 0) + message
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(source),
                         socket.inet_aton(destination))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return destination_mac + source_mac + b"\x08\x00" + header + udp


class Feed:
    """A node with one static tunnel and session, and the frames that must come out for those that go in."""

    def __init__(self, stage):
        self.stage = stage
        stage.capture()
        stage.lab.reserve_huge_pages(HUGE_PAGES)
        self.node = Culvert(stage.lab).configure().start()
        ports = {port["name"]: port for port in self.node.objects("ports")}
        self.access_mac, self.core_mac = (
            bytes.fromhex(ports[name]["mac"].replace(":", "")) for name in ("access0", "core0"))

    def apply(self, *operations):
        path = self.stage.lab.path("operations.json")
        with open(path, "w") as file:
            json.dump({"operations": operations}, file)
        return json.loads(self.node.command("static", "apply", path, "--json", check=False).stdout)

    def listed(self):
        return json.loads(self.node.command("static", "list", "--json").stdout)

    def add(self):
        tunnel, session = self.apply(
            {"add_tunnel": {
                "name": "lns9", "peer_address": PEER, "local_address": LOCAL, "peer_tunnel_id": 77,
                "egress_port": "core0", "next_hop_mac": PEER_MAC.hex(":")}},
            {"add_session": {
                "reference": 4711, "port": "access0", "client_mac": CLIENT_MAC.hex(":"), "tunnel": {"name": "lns9"},
                "peer_session_id": 5}})
        self.tunnel, self.session = session["tunnel_id"], session["session_id"]
        self.pppoe = session["pppoe_session_id"]
        expect_equal(tunnel["tunnel_id"], self.tunnel, "tunnel ids of the two answers")

    def send(self, count):
        """`count` frames each way."""
        lab = self.stage.lab
        inside(lab.namespaces["access"], SEND, "br0", str(count),
               data=pppoe(CLIENT_MAC, self.access_mac, self.pppoe, PPP))
        inside(lab.namespaces["core"], SEND, "br0", str(count),
               data=l2tp(PEER_MAC, self.core_mac, PEER, LOCAL, self.tunnel, self.session, PPP))

    def expect_counted(self, count):
        def reached():
            (session,) = self.listed()["sessions"]
            return session["data"]["tx_packets"] == count and session["data"]["rx_packets"] == count

        wait_until(reached, 10, f"{count} packets each way are counted")
        (session,) = self.listed()["sessions"]
        expect_equal((session["data"]["tx_octets"], session["data"]["rx_octets"]), (count * len(PPP),) * 2,
                     "octets counted each way")


@scenario(120)
def static_feed(stage):
    """A controller's session forwards exactly; it outlives culvertd and the data plane; its last counters are exact."""
    feed = Feed(stage)
    feed.add()
    feed.send(20)
    feed.expect_counted(20)
    refused = feed.apply({"add_session": {
        "reference": 4711, "port": "access0", "client_mac": CLIENT_MAC.hex(":"), "tunnel": {"name": "lns9"},
        "peer_session_id": 6}})
    expect("4711" in json.dumps(refused) and "there is" in json.dumps(refused), f"a second 4711 is not refused: {refused}")

    feed.node.daemon.kill()
    feed.send(20)
    feed.node.start_daemon()
    feed.expect_counted(40)

    feed.node.dataplane.kill()
    feed.node.start_dataplane()
    feed.node.dataplane.wait_for(r"\bforwarding\b", 20)
    expect_equal(feed.node.status()["data_plane"]["epoch"], 2, "starts of the data plane")
    feed.send(20)
    feed.expect_counted(60)

    (removed,) = feed.apply({"remove_session": {"reference": 4711}})
    expect_equal((removed["data"]["tx_packets"], removed["data"]["rx_packets"]), (60, 60), "final packets each way")
    (gone,) = feed.apply({"remove_tunnel": {"tunnel_id": feed.tunnel}})
    expect_equal(gone["sessions"], 0, "sessions that went with the tunnel")
    listed = feed.listed()
    expect_equal((listed["tunnels"], listed["sessions"]), ([], []), "static tunnels and sessions left")

    up = stage.frames("core").fields(f"ip.src == {LOCAL} && l2tp", "frame.len", "ip.dst", "l2tp.tunnel", "l2tp.session")
    expect_equal(len(up), 60, "frames to the LNS")
    expect_equal(set(map(tuple, up)), {("116", PEER, "77", "5")}, "what they carry")
    down = stage.frames("access").fields(
        f"eth.dst == {CLIENT_MAC.hex(':')}", "frame.len", "pppoe.session_id", "pppoe.payload_length")
    expect_equal(len(down), 60, "frames to the client")
    expect_equal(set(map(tuple, down)), {("86", f"0x{feed.pppoe:04x}", str(len(PPP)))}, "what they carry")


@scenario(120)
def static_capture(stage):
    """`culvert capture` of a session: what came in and what left, octet for octet as it was on either wire, and nothing else."""
    from scapy.utils import RawPcapNgReader, RawPcapReader

    feed = Feed(stage)
    feed.add()
    path = stage.lab.path("session.pcapng")
    reader = Process(
        "culvert capture",
        [feed.node.program("culvert"), "capture", "static", "4711", "--write", path, "--count", "80", "--socket", feed.node.socket],
        stage.lab.path("culvert-capture.log"))
    feed.node.daemon.wait_for("capture started", 20)
    feed.send(20)
    feed.expect_counted(20)
    expect_equal(reader.wait(20), 0, "exit status of culvert capture")
    expect("80 frames" in reader.text(), f"culvert capture says {reader.text()!r}")
    feed.node.daemon.wait_for("capture ended", 20)

    captured = sorted(frame for frame, _ in RawPcapNgReader(path))
    came = [pppoe(CLIENT_MAC, feed.access_mac, feed.pppoe, PPP)] * 20
    came += [l2tp(PEER_MAC, feed.core_mac, PEER, LOCAL, feed.tunnel, feed.session, PPP)] * 20
    left = []
    for segment, source in (("access", feed.access_mac), ("core", feed.core_mac)):
        frames = [frame for frame, _ in RawPcapReader(stage.frames(segment).path)]
        left += [frame for frame in frames if frame[6:12] == source and PPP in frame]
    expect_equal(len(left), 40, "frames that left, on the wires")
    expect_equal(captured, sorted(came + left), "captured frames")
    described = stage.lab.path("described")
    with open(described, "w") as file:
        fields = [word for name in ("frame.interface_name", "frame.packet_flags_direction") for word in ("-e", name)]
        subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", *fields], stdout=file, check=True, timeout=60)
    with open(described) as file:
        lines = file.read().splitlines()
    expect_equal({line: lines.count(line) for line in lines}, {
        f"{port}\t0x0000000{direction}": 20 for port in ("access0", "core0") for direction in (1, 2)}, "interfaces and directions")
