"""Failovers: an end forgets its control channels while data goes on."""

import signal

from Lab.peers import FailingServer, PPPoEClient
from Lab.process import wait_until
from stage import FROM_CORE, expect, expect_equal, scenario

FSQ, FSR = ("l2tp.avp.message_type == 21", "l2tp.avp.message_type == 22")


def detail(node):
    """The one tunnel's screen."""
    return node.show("l2tp", "tunnel", "detail")


@scenario(150)
def lns_recovers(stage):
    """An LNS of independent make loses its sequence numbers and recovers its tunnel by RFC 4951: the client notices nothing, and the control
    channel serves for the next one."""
    guest = stage.lab.guest("client", "access", mtu=1508)
    stage.capture()
    server = FailingServer(stage.lab)
    node = stage.node(profile={"failover": "rfc4951", "recovery-time": 90, "hello-timeout": 3})
    client = PPPoEClient(guest.wait_booted())
    dial = client.dial(echo=0).wait_up()
    # C alone, 90 s.
    server.process.wait_for(r"^failover of peer: 000100015f90$", 5)
    expect_equal(dial.ping(), (3, 3), "pings sent and answered before")
    start = server.command("fail")
    server.process.wait_for(r"^tunnel \d+ recovered, ns 16384 nr 16384$", 20, start)
    server.process.wait_for(r"^answered about \d+: known$", 20, start)
    node.daemon.wait_for(r"control channel recovered after the peer's failure", 5)
    node.wait_state(1, 1, 1)
    expect_equal(dial.ping(), (3, 3), "pings sent and answered afterwards")
    expect("recoveries: 1, recovering: NO" in detail(node), f"the screen: {detail(node)}")
    expect("peer failover: control, recovery time 60000 ms" in detail(node), f"the screen: {detail(node)}")
    # What both say next is the proof of the channel: CDN of the one, ICRQ and ICCN of the other.
    dial.hang_up()
    server.process.wait_for(r"^session \d+ hung up$", 10, start)
    node.wait_state(0, 1, 0)
    expect_equal(client.dial(echo=0).wait_up().ping(), (3, 3), "pings of the next client")
    node.wait_state(1, 1, 1)
    core = stage.frames("core")
    expect(core.count(f"{FROM_CORE} && {FSR}") == 1, "Culvert did not answer FSQ once")
    expect_equal(core.count("l2tp.avp.type == 77"), 1, "SCCRQs with Tunnel Recovery")


@scenario(150)
def lns_loses_a_session(stage):
    """Such an LNS has forgotten a session as well: Culvert asks, and ends it."""
    guest = stage.lab.guest("client", "access", mtu=1508)
    stage.capture()
    server = FailingServer(stage.lab)
    node = stage.node(profile={"failover": "rfc4951-or-silent"})
    client = PPPoEClient(guest.wait_booted())
    lost = client.dial(echo=0).wait_up()
    session = server.process.wait_for(r"^session (\d+) of \d+ up$", 5).group(1)
    start = server.command(f"fail {session}")
    server.process.wait_for(rf"^asked about {session} of \d+: unknown$", 20, start)
    lost.wait_down(15)
    node.wait_state(0, 1, 0)
    expect(stage.frames("core").count(f"{FROM_CORE} && {FSQ}") == 1, "Culvert did not ask once")


@scenario(150)
def control_recovers(stage):
    """culvertd is killed, and with `failover: rfc4951` its successor recovers the tunnel with the help of an LNS of independent make: the
    client notices nothing, and the control channel serves for the next one."""
    guest = stage.lab.guest("client", "access", mtu=1508)
    stage.capture()
    server = FailingServer(stage.lab)
    node = stage.node(profile={"failover": "rfc4951", "recovery-time": 90})
    client = PPPoEClient(guest.wait_booted())
    dial = client.dial(echo=0).wait_up()
    node.daemon.signal(signal.SIGKILL)
    node.daemon.wait(10)
    expect_equal(dial.ping(), (3, 3), "pings sent and answered without culvertd")
    node.start_daemon()
    wait_until(lambda: "recoveries: 1, recovering: NO" in detail(node), 15, "the tunnel is recovered")
    node.wait_state(1, 1, 1)
    expect_equal(dial.ping(), (3, 3), "pings sent and answered afterwards")
    again = client.dial(echo=0).wait_up()
    node.wait_state(2, 1, 2)
    expect_equal(again.ping(), (3, 3), "pings of the next client")
    core = stage.frames("core")
    expect_equal(core.count(f"{FROM_CORE} && l2tp.avp.type == 77"), 1, "SCCRQs with Tunnel Recovery")
    expect_equal(core.count(f"{FROM_CORE} && {FSQ}"), 1, "FSQs")
