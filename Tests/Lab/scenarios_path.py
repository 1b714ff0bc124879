"""What is between node and LNS: fragments both ways, segment sizes, packets that are too big, rates, IPv6, two workers."""

import json
import os
import socket
import struct

from Lab.peers import LNS_ADDRESS, NODE_ADDRESS, PPPoEClient, Relay
from Lab.process import wait_until
from scenarios_session import check_shown
from scenarios_static import checksum, inside
from stage import FROM_ACCESS, FROM_CORE, expect, expect_equal, scenario

# IPv4, UDP, L2TP with its length field, ff 03 and the PPP protocol field.
OVERHEAD = 20 + 8 + 8 + 2 + 2


def counters(node, *names):
    """Counters of the data plane, by name."""
    total = json.loads(node.command("show", "counters", "--json").stdout)["total"]
    values = {counter["name"]: counter["value"] for counter in total}
    return tuple(values[name] for name in names)


def settings(node):
    """The settings of the only tunnel."""
    (tunnel,) = json.loads(node.command("show", "l2tp", "tunnel", "detail", "--json").stdout)
    return tunnel["settings"]


@scenario(120)
def fragments(stage):
    """An MRU of 1,492 over a core of 1,500: what is too long leaves in fragments and comes back in fragments, none is lost."""
    client, node, server = stage.up(server={"mtu": 1492, "echo": 0}, node={"profile": {"mtu": 1492}})
    dial = client.dial(echo=0).wait_up()
    check_shown(node)
    names = ("outer_fragmented", "outer_fragments", "reassembled_datagrams", "reassembled_fragments")
    before = counters(node, *names)
    expect_equal(dial.ping(count=200, size=1464, whole=True, flood=True), (200, 200), "pings of 1,492 bytes")
    grown = tuple(new - old for new, old in zip(counters(node, *names), before))
    expect_equal(grown, (200, 400, 200, 400), ", ".join(names))
    expect_equal(stage.frames("core").count(f"{FROM_CORE} && ip.flags.mf == 1"), 200, "first fragments from the node")


@scenario(120)
def segment_size(stage):
    """TCP SYNs of both ends announce no more than `tcp-mss`."""
    client, node, server = stage.up(node={"instance": {"tcp-mss": 1200}})
    dial = client.dial().wait_up()
    server.guest.run("(while true; do echo hello | busybox nc -l -p 7777; done) >/dev/null 2>&1 &")

    def connects():
        return "hello" in client.guest.run(f"busybox nc -w 2 {dial.remote} 7777 </dev/null", check=False)

    wait_until(connects, 20, "a TCP connection through the tunnel", interval=0.5)
    expect(counters(node, "mss_clamped")[0] >= 2, "no SYN was clamped")
    # In both segments and from both ends, as they left the node.
    for segment, ours in (("core", FROM_CORE), ("access", FROM_ACCESS)):
        syns = stage.frames(segment).fields(f"{ours} && tcp.flags.syn == 1", "tcp.options.mss_val")
        sizes = {size for (size,) in syns}
        expect(sizes == {"1200"}, f"segment sizes in SYNs that left on {segment}: {sorted(sizes)}")


@scenario(120)
def too_big_is_told(stage):
    """With `too-big: tell` a client learns the tunnel's MTU by ICMP, and what fits then passes."""
    client, node, server = stage.up(node={"profile": {"too-big": "tell", "path-mtu": 1400}})
    dial = client.dial().wait_up()
    fits = 1400 - OVERHEAD
    dial.ping(count=3, size=fits - 28 + 1, whole=True)
    expect_equal(dial.ping(count=5, size=fits - 28, whole=True), (5, 5), f"pings of {fits} bytes")
    (punted,) = counters(node, "punted_too_big")
    expect(punted >= 1, "nothing was too big")
    client.guest.run(f"ip route get {dial.remote} | grep -q 'mtu {fits}'")
    told = stage.frames("access").fields(
        f"{FROM_ACCESS} && icmp.type == 3 && icmp.code == 4", "icmp.mtu")
    expect({mtu for (mtu,) in told} == {str(fits)}, f"MTUs that the client was told: {told}")


SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.sendto(sys.stdin.buffer.read(), (sys.argv[1], 0))
"""


def fragmentation_needed(mtu, tunnel_id):
    """ICMP type 3 code 4 about an L2TP data message of the node's in this tunnel of the LNS's."""
    message = struct.pack("!HHHH", 0x4002, 1440, tunnel_id, 1)
    udp = struct.pack("!HHHH", 1701, 1701, 1448, 0) + message
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1468, 7, 0x4000, 64, 17, 0, socket.inet_aton(NODE_ADDRESS),
                         socket.inet_aton(LNS_ADDRESS))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    packet = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + header + udp
    return packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]


@scenario(120)
def path_mtu(stage):
    """ICMP lowers the path's MTU where the profile wants to know, and only for a tunnel id that the node uses."""
    client, node, server = stage.up(node={"profile": {"path-mtu-discovery": True}})
    dial = client.dial().wait_up()
    (tunnel,) = node.tunnels()
    expect_equal(settings(node)["path_mtu"], 1500, "MTU of the path at first")
    core = stage.lab.namespaces["core"]
    core.ip("addr", "add", "10.99.0.9/24", "dev", "br0")

    def say(mtu, tunnel_id):
        inside(core, SEND, NODE_ADDRESS, data=fragmentation_needed(mtu, tunnel_id))

    say(1200, tunnel["remote_tunnel_id"] ^ 1)
    say(1300, tunnel["remote_tunnel_id"])
    wait_until(lambda: settings(node)["path_mtu"] == 1300, 10, "the node believes the router", interval=0.1)
    expect_equal(dial.ping(count=10, size=1300, interval=0.05), (10, 10), "pings of 1,328 bytes")
    long = stage.frames("core").fields(f"{FROM_CORE} && ip.proto == 17 && ip.len > 1300 && !(ip.flags.df == 1)", "ip.len")
    expect(not long, f"packets without don't-fragment that exceed the path: {long[:3]}")
    expect(stage.frames("core").count(f"{FROM_CORE} && ip.flags.mf == 1") >= 10, "no fragments after the router's word")


@scenario(120)
def policers(stage):
    """A policer set over the RPC drops what exceeds it, counts that exactly, and is gone when it is removed."""
    client, node, server = stage.up(server={"echo": 0})
    dial = client.dial(echo=0).wait_up()
    (connection,) = node.connections()
    route = str(connection["route_id"])
    node.command("police", "route", route, "--down", "80k,80k,3000,3000")
    sent, answered = dial.ping(count=40, size=1000, interval=0.02)
    (session,) = json.loads(node.command("show", "l2tp", "session", "detail", "--json").stdout)
    expect(0 < answered < sent, f"{answered} of {sent} pings were answered")
    expect_equal(session["downstream_policed_packets"], sent - answered, "frames that the policer dropped")
    expect_equal(session["upstream_policed_packets"], 0, "frames dropped in the other direction")
    expect_equal(counters(node, "policed_upstream", "policed_downstream"), (0, sent - answered), "counters of the data plane")
    node.command("police", "route", route, "--down", "off")
    expect_equal(dial.ping(count=100, size=1000, flood=True), (100, 100), "pings without a policer")


NODE_IPV6, LNS_IPV6 = "2001:db8:99::1", "2001:db8:99::2"


@scenario(120)
def ipv6(stage):
    """The LNS is reached over IPv6; a relay in between speaks IPv4 with xl2tpd, which knows nothing else."""
    client_guest = stage.lab.guest("client", "access", mtu=1508)
    server_guest = stage.lab.guest("lns", "core")
    core = stage.lab.namespaces["core"]
    core.sysctl("net.ipv6.conf.br0.disable_ipv6", 0)
    core.ip("-6", "addr", "add", f"{LNS_IPV6}/64", "dev", "br0", "nodad")
    core.ip("addr", "add", "10.99.0.3/24", "dev", "br0")
    stage.capture()
    node = stage.node(protocols=["chap"], core_addresses=[f"{NODE_IPV6}/64"], lns=LNS_IPV6)
    server = stage.server(guest=server_guest, protocols="chap", echo=0)
    Relay(stage.lab, core, LNS_IPV6, "10.99.0.3")
    dial = PPPoEClient(client_guest.wait_booted()).dial(protocols="chap", echo=0).wait_up()
    _, tunnel, _ = check_shown(node)
    expect_equal(tunnel["remote_address"], LNS_IPV6, "address of the LNS")
    expect_equal(dial.ping(count=500, size=1400, flood=True), (500, 500), "pings sent and answered")
    data = stage.frames("core").count(f"{FROM_CORE} && ipv6 && l2tp.type == 0 && udp.checksum != 0")
    expect(data >= 500, f"only {data} data messages over IPv6 with a checksum")
    dial.hang_up()
    node.wait_state(0, None, 0)
    expect_equal(server.sessions(), 0, "sessions of the LNS")


@scenario(120)
def two_workers(stage):
    """Two workers share the sessions of two ports with one queue each; every ping comes back, and both work."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        return
    others = [stage.lab.guest(f"client{number}", "access", mtu=1508) for number in range(3)]
    client, node, server = stage.up(server={"echo": 0}, node={"dataplane": {"cores": f"{processors[0]},{processors[1]}"}})
    clients = [client] + [PPPoEClient(guest.wait_booted()) for guest in others]
    dials = [each.dial(echo=0).wait_up() for each in clients]
    expect_equal({port["dispatch"] for port in node.objects("ports")}, {"software"}, "dispatch of the ports")
    for dial in dials:
        expect_equal(dial.ping(count=300, size=800, flood=True), (300, 300), "pings sent and answered")
    handed, came, lost = counters(node, "dispatched", "dispatch_received", "dispatch_ring_full")
    expect(handed > 0, "no frame was handed over")
    expect_equal((came, lost), (handed, 0), "frames that came over, and that were lost")
