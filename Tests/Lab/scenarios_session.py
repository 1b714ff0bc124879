"""A client reaches an LNS: by each authentication protocol, over a VLAN, over another LNS, for long and at full size."""

from Lab.culvert import HUGE_PAGES, Culvert
from Lab.peers import USER, L2TPNSServer, PPPoEClient
from stage import CDN, FROM_ACCESS, FROM_CORE, PADT, STOP_CCN, expect, expect_equal, scenario

PINGS, SIZE = 2000, 1400
# Of the ping with its ICMP, IPv4 and PPP protocol fields: what the session's octet counters count.
OCTETS = SIZE + 8 + 20 + 2


def check_traffic(stage, node, dial):
    """2,000 of 2,000 pings, the same numbers in the counters and on the wire, and a ping of the link's whole MTU."""
    before = node.traffic()
    expect_equal(dial.ping(count=PINGS, size=SIZE, flood=True), (PINGS, PINGS), "pings sent and answered")
    moved = tuple(new - old for new, old in zip(node.traffic(), before))
    expect_equal(moved, (PINGS, PINGS * OCTETS) * 2, "packets and octets, from and to the LNS, that the session counted")
    mtu = int(dial.client.guest.run(f"cat /sys/class/net/{dial.interface}/mtu"))
    expect(mtu >= 1442, f"the link's MTU is only {mtu}")
    expect_equal(dial.ping(count=20, size=mtu - 28, whole=True, interval=0.05), (20, 20), f"pings of {mtu} bytes")
    # The 20 whole ones and the 2,000 are all the echo requests of the scenario.
    for segment, ours, echo in (("core", FROM_CORE, 8), ("access", FROM_ACCESS, 0)):
        expect_equal(stage.frames(segment).count(f"{ours} && icmp.type == {echo}"),
                     PINGS + 20, f"pings in Culvert's frames on {segment}")


def check_shown(node, user=USER):
    """The three lists agree about the one session."""
    (connection,), (tunnel,), (session,) = node.connections(), node.tunnels(), node.sessions()
    expect_equal(connection["state"], "Open", "state of the connection")
    expect_equal(tunnel["state"], "ESTABLISHED", "state of the tunnel")
    expect_equal(session["state"], "ESTABLISHED", "state of the session")
    expect_equal((connection["tunnel_id"], connection["session_id"]), (tunnel["id"], session["id"]), "ids of the connection")
    expect_equal(session["tunnel_id"], tunnel["id"], "tunnel of the session")
    expect_equal((connection["user_name"], session["user_name"]), (user, user), "user of connection and session")
    return connection, tunnel, session


def reach(stage, protocols, vlan=None):
    # Without LCP echos the pings are all that moves, so that counters can be compared exactly.
    client, node, server = stage.up(protocols=protocols, vlan=vlan, server={"echo": 0})
    dial = client.dial(protocols=protocols, echo=0).wait_up()
    connection, tunnel, _ = check_shown(node)
    expect_equal(connection["client_mac"].lower(), client.guest.mac, "MAC address of the client")
    tags = [int(tag) for tag in (vlan or "").split(".") if tag] + [0, 0]
    expect_equal([connection["outer_vlan"], connection["inner_vlan"]], tags[:2], "VLANs of the connection")
    expect_equal((server.tunnels(), server.sessions()), (1, 1), "tunnels and sessions of the LNS")
    check_traffic(stage, node, dial)
    dial.hang_up()
    node.wait_state(0, None, 0)
    return node, server


@scenario(120)
def chap(stage):
    """A client reaches the LNS by CHAP; what it sends and what is counted agree exactly."""
    reach(stage, "chap")


@scenario(120)
def pap(stage):
    """The same by PAP."""
    reach(stage, "pap")


@scenario(120)
def vlan(stage):
    """The same over VLAN 100; every frame to the client carries the tag."""
    reach(stage, "chap", vlan="100")
    expect_equal(stage.frames("access").count(f"{FROM_ACCESS} && (pppoed || pppoes) && !(vlan.id == 100)"), 0,
                 "frames to the client without the tag")


@scenario(120)
def qinq(stage):
    """The same with an outer tag 100 and an inner tag 200."""
    reach(stage, "chap", vlan="100.200")
    expect_equal(stage.frames("access").count(
        f"{FROM_ACCESS} && (pppoed || pppoes) && !(vlan.id == 100 && vlan.id == 200)"), 0,
        "frames to the client without both tags")


@scenario(120)
def hang_up(stage):
    """The client hangs up: CDN, session and connection are gone on both ends; the next dial works."""
    client, node, server = stage.up()
    for _ in range(2):
        dial = client.dial().wait_up()
        check_shown(node)
        dial.hang_up()
        node.wait_state(0, None, 0)
        expect_equal(server.sessions(), 0, "sessions of the LNS")
    # pppd ends PPP with the LNS first, and the LNS is mostly the one to say CDN then.
    expect_equal(stage.frames("core").count(CDN), 2, "CDNs of both ends")


@scenario(120)
def two_clients(stage):
    """Two clients share one tunnel; when one goes, the other does not notice."""
    other_guest = stage.lab.guest("other", "access", mtu=1508)
    client, node, server = stage.up()
    other = PPPoEClient(other_guest.wait_booted())
    dials = [client.dial().wait_up(), other.dial().wait_up()]
    expect_equal(node.state(), (2, 1, 2), "connections, tunnels, sessions")
    expect_equal((server.tunnels(), server.sessions()), (1, 2), "tunnels and sessions of the LNS")
    expect(dials[0].local != dials[1].local, "both clients have the same address")
    for dial in dials:
        expect_equal(dial.ping(count=200, size=SIZE, flood=True), (200, 200), "pings sent and answered")
    dials[0].hang_up()
    node.wait_state(1, 1, 1)
    expect_equal(dials[1].ping(count=200, size=SIZE, flood=True), (200, 200), "pings sent and answered")
    expect_equal(node.connections()[0]["client_mac"].lower(), other_guest.mac, "MAC address of the client that stayed")


@scenario(120)
def clear_session(stage):
    """The operator clears the session: the client gets PADT, the LNS gets CDN, nothing is left of it."""
    client, node, server = stage.up()
    # By itself the client would wait for long without a word.
    dial = client.dial(echo=0).wait_up()
    _, tunnel, session = check_shown(node)
    node.command("clear", "l2tp", "session", str(session["id"]), "--tunnel", str(tunnel["id"]))
    dial.wait_down(15)
    node.wait_state(0, None, 0)
    expect(stage.frames("access").count(f"{FROM_ACCESS} && {PADT}") >= 1, "no PADT to the client")
    expect(stage.frames("core").count(f"{FROM_CORE} && {CDN}") >= 1, "no CDN to the LNS")


@scenario(120)
def clear_tunnel(stage):
    """The operator clears the tunnel: StopCCN to the LNS, PADT to the client, and the next dial opens a new one."""
    client, node, server = stage.up()
    dial = client.dial(echo=0).wait_up()
    _, tunnel, _ = check_shown(node)
    node.command("clear", "l2tp", "tunnel", str(tunnel["id"]))
    dial.wait_down(15)
    node.wait_state(0, None, 0)
    client.dial().wait_up()
    check_shown(node)
    expect(stage.frames("access").count(f"{FROM_ACCESS} && {PADT}") >= 1, "no PADT to the client")
    expect(stage.frames("core").count(f"{FROM_CORE} && {STOP_CCN}") >= 1, "no StopCCN to the LNS")


@scenario(180)
def l2tpns(stage):
    """The same client reaches a second, different LNS: l2tpns, wholly in user space."""
    guest = stage.lab.guest("client", "access", mtu=1508)
    stage.capture()
    server = L2TPNSServer(stage.lab.namespaces["core"], "br0", stage.lab.path("l2tpns"))
    stage.lab.undo.append(server.stop)
    server.wait_listening()
    stage.lab.reserve_huge_pages(HUGE_PAGES)
    node = Culvert(stage.lab).configure(protocols=["chap"]).start()
    dial = PPPoEClient(guest.wait_booted()).dial(protocols="chap").wait_up()
    check_shown(node)
    expect_equal(dial.ping(count=PINGS, size=SIZE, flood=True), (PINGS, PINGS), "pings sent and answered")
    # l2tpns acknowledges the end of PPP, and says CDN only when its echoes stay unanswered.
    dial.hang_up()
    node.wait_state(0, None, 0)
