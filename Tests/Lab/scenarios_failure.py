"""What goes wrong in real networks: wrong secrets, dead peers, clients that come and go."""

import re

from Lab.peers import NODE_ADDRESS
from Lab.process import wait_until
from stage import FROM_ACCESS, PADT, STOP_CCN, expect, expect_equal, scenario
from scenarios_session import check_shown

# A tunnel that notices a silent peer within seconds: HELLO after 2 s, then 3 tries.
IMPATIENT = {"hello-timeout": 2, "retry-timeout": 1, "max-retries": 3}


def refused_tunnel(stage, ours, theirs):
    """No tunnel comes up. Culvert, which opens the tunnel, is the first to see that the LNS cannot prove itself or asks for a
    proof that it cannot give: it sends StopCCN with result code 4 (not authorised, RFC 2661 section 4.4.2), names the
    cause in its log, and does not leave the client hanging."""
    client, node, _ = stage.up(node={"secret": ours}, server={"secret": theirs})
    dial = client.dial()
    expect(dial.wait_down(60) != 0, "the client got in")
    node.wait_state(0, None, 0)
    node.daemon.wait_for(r"(?i)(secret|challenge|authenticat|authori[sz])", 5)
    stops = stage.frames("core").fields(STOP_CCN, "ip.src", "l2tp.result_code")
    expect([NODE_ADDRESS, "4"] in stops, f"Culvert sent no StopCCN with result code 4: {stops}")


@scenario(120)
def wrong_tunnel_secret(stage):
    """Different tunnel secrets end in StopCCN and a log line that names the cause."""
    refused_tunnel(stage, "tunsecret", "another secret")


@scenario(120)
def secret_of_lns_only(stage):
    """The LNS has a tunnel secret and Culvert has none."""
    refused_tunnel(stage, "", "tunsecret")


@scenario(120)
def secret_of_lac_only(stage):
    """Culvert has a tunnel secret and the LNS has none."""
    refused_tunnel(stage, "tunsecret", "")


@scenario(120)
def wrong_password(stage):
    """A wrong password ends the client with its own words for it, and leaves no session on either end."""
    client, node, server = stage.up()
    dial = client.dial(password="not the password")
    expect_equal(dial.wait_down(60), 19, "pppd's exit status (19: authentication failed)")
    node.wait_state(0, None, 0)
    expect_equal(server.sessions(), 0, "sessions of the LNS")
    # The right one gets in afterwards.
    expect_equal(client.dial().wait_up().ping(), (3, 3), "pings sent and answered")


@scenario(180)
def lns_killed(stage):
    """The LNS loses its power and comes back: the session goes, the client gets PADT, the next dial works."""
    client, node, server = stage.up(node={"profile": IMPATIENT})
    # The client must learn it from Culvert, not from its own LCP echos.
    dial = client.dial(echo=0).wait_up()
    check_shown(node)
    server.guest.kill()
    node.wait_state(0, None, 0, timeout=60)
    dial.wait_down(15)
    stage.server()
    dial = client.dial().wait_up()
    check_shown(node)
    expect_equal(dial.ping(), (3, 3), "pings sent and answered")
    expect(stage.frames("access").count(f"{FROM_ACCESS} && {PADT}") >= 1, "no PADT to the client")


@scenario(180)
def lns_restarted(stage):
    """The LNS's daemon dies and starts again at once, knowing nothing: the session goes, the next dial works."""
    client, node, server = stage.up(node={"profile": IMPATIENT})
    dial = client.dial(echo=0).wait_up()
    server.guest.power_off()
    stage.server()
    node.wait_state(0, None, 0, timeout=60)
    dial.wait_down(15)
    expect_equal(client.dial().wait_up().ping(), (3, 3), "pings sent and answered")


@scenario(180)
def client_killed(stage):
    """The client loses its power: the LNS notices, and connection, session and, idle, the tunnel are gone on both ends."""
    client, node, server = stage.up(server={"echo": 1}, node={"profile": {"idle-timeout": 2}})
    client.dial().wait_up()
    check_shown(node)
    client.guest.kill()
    node.wait_state(0, 0, 0, timeout=60)
    wait_until(lambda: server.tunnels() == 0, 20, "the LNS has no tunnel any more")
    expect_equal(server.sessions(), 0, "sessions of the LNS")


@scenario(600)
def rounds(stage):
    """200 dials in batches, half of them hung up and half killed without a word: nothing is left of any."""
    client, node, server = stage.up(server={"echo": 1})
    resident = None
    for batch in range(20):
        dials = [client.dial() for _ in range(10)]
        for dial in dials:
            dial.wait_up(90)
        expect_equal(node.state()[0], len(dials), "connections with the whole batch up")
        for dial in dials[::2]:
            dial.kill()
        for dial in dials[1::2]:
            dial.hang_up(30)
        node.wait_state(0, None, 0, timeout=60)
        expect_equal(server.sessions(), 0, f"sessions of the LNS after batch {batch}")
        memory = resident_kilobytes(node.daemon)
        # The first batches fill caches and pools; after them, memory must stand still.
        if batch == 4:
            resident = memory
    expect(memory < resident + 4096, f"culvertd grew from {resident} to {memory} KiB in 150 dials")
    for table in node.status()["capacities"]:
        if table["name"] == "sessions":
            expect_equal(table["used"], 0, "used entries of the session table")


def resident_kilobytes(process):
    """What a process of the lab occupies in memory."""
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE).group(1))
