"""culvertd ends and comes back, and nobody notices; both processes end, and everybody is told."""

import os
import shutil
import signal
import time

from Lab.culvert import HUGE_PAGES, Culvert
from Lab.process import wait_until
from scenarios_aaa import counted, is_session, shown, up
from stage import CDN, FROM_ACCESS, FROM_CORE, PADT, STOP_CCN, expect, expect_equal, scenario

# Keepalives every two seconds: a gap in the control channel shows.
LIVELY = {"hello-timeout": 2, "retry-timeout": 1, "max-retries": 3}


def restarted(stage, end):
    """A client with a stream of pings; culvertd ends by `end` and is started again two seconds later. Not one ping is lost, client
    and LNS hear nothing of it, and a new client gets in within five seconds of the start."""
    client, node, server = stage.up(node={"profile": LIVELY})
    dial = client.dial().wait_up()
    before = node.sessions()
    dial.start_pings(400, 0.02)
    time.sleep(1)
    end(node)
    time.sleep(2)
    started = time.monotonic()
    node.start_daemon()
    again = client.dial().wait_up(15)
    took = time.monotonic() - started
    expect(took < 5, f"a new client was up {took:.1f} s after culvertd's start")
    expect_equal(dial.end_pings(), (400, 400), "pings sent and answered")
    after = [session for session in node.sessions() if session["id"] == before[0]["id"]]
    expect_equal(len(after), 1, "sessions that went on")
    expect_equal(after[0]["created_at"], before[0]["created_at"], "when the session was opened")
    node.wait_state(2, 1, 2)
    # The channel works on: keepalives are answered for longer than it takes to give a tunnel up.
    hellos = lambda: node.tunnels()[0]["transport"]["hellos_sent"]
    wait_until(lambda: hellos() >= 6, 40, "keepalives go on")
    again.hang_up()
    node.wait_state(1, 1, 1)
    expect_equal(dial.ping(), (3, 3), "pings sent and answered")
    expect_equal(len(stage.frames("access").fields(PADT, "eth.src")), 1, "PADTs, of the client that hung up")
    # Which of the two is first to say so is a race: its PADT reaches Culvert, the end of its PPP the LNS.
    expect_equal(len(stage.frames("core").fields(f"{CDN} or {STOP_CCN}", "ip.src")), 1, "CDNs, of the client that hung up")


@scenario(120)
def control_killed(stage):
    """culvertd is killed with -9 under traffic."""
    restarted(stage, end_killed)


@scenario(120)
def control_stopped(stage):
    """culvertd is stopped in order, as for an upgrade."""
    restarted(stage, lambda node: expect_equal(node.daemon.stop(10), 0, "culvertd's exit status"))


def end_killed(node):
    node.daemon.signal(signal.SIGKILL)
    expect_equal(node.daemon.wait(10), -9, "culvertd's exit status")


@scenario(180)
def control_killed_accounting(stage):
    """Over two killed culvertds a session has one Start and one Stop, with the octets and packets of its whole life, and the server is
    not told that the node began anew."""
    radius, node, server, client, dial = up(stage, {"tunnel": True})
    radius.wait_records(is_session("Start"))
    for size in (1000, 300):
        expect_equal(dial.ping(count=200, size=size, flood=True), (200, 200), "pings sent and answered")
        end_killed(node)
        expect_equal(dial.ping(count=100, size=size, flood=True), (100, 100), "pings sent and answered without culvertd")
        node.start_daemon()
    last = shown(node)
    expect(last[2] >= 600, f"packets from the client: {last}")
    (session,) = node.sessions()
    node.command("clear", "l2tp", "tunnel", str(session["tunnel_id"]))
    (stop,) = radius.wait_records(is_session("Stop"))
    expect_equal(counted(stop), last, "octets and packets of the stop record")
    # Records are on their way side by side: which arrives last is not said.
    for kind in ("Tunnel-Link-Stop", "Tunnel-Stop"):
        radius.wait_records(is_session(kind))
    kinds = sorted(record["Acct-Status-Type"] for record in radius.records())
    expect_equal(kinds, ["Accounting-On", "Start", "Stop", "Tunnel-Link-Start", "Tunnel-Link-Stop", "Tunnel-Start", "Tunnel-Stop"],
                 "records")
    dial.wait_down(15)


@scenario(120)
def sessions_end_at_stop(stage):
    """With `sessions-at-stop: end` a culvertd that is stopped tells the LNS and the client."""
    client, node, server = stage.up(node={"control": {"sessions-at-stop": "end"}})
    dial = client.dial().wait_up()
    expect_equal(node.daemon.stop(10), 0, "culvertd's exit status")
    dial.wait_down(15)
    wait_until(lambda: server.sessions() == 0, 10, "the LNS has no session any more")
    node.start_daemon()
    node.wait_state(0, 0, 0)
    expect_equal(client.dial().wait_up().ping(), (3, 3), "pings sent and answered")
    expect_equal(stage.frames("access").count(f"{FROM_ACCESS} && {PADT}"), 1, "PADTs to the client")
    expect_equal(stage.frames("core").count(f"{FROM_CORE} && {STOP_CCN}"), 1, "StopCCNs to the LNS")


@scenario(180)
def both_killed(stage):
    """Both processes and the segment go, as when the machine restarts: the next start tells the LNS and the client, who dials again."""
    client, node, server = stage.up(node={"profile": LIVELY})
    dial = client.dial().wait_up()
    expect_equal(node.kill(), (-9, -9), "exit statuses of the killed processes")
    os.unlink(stage.lab.segment)
    node.start()
    dial.wait_down(15)
    wait_until(lambda: server.sessions() == 0, 10, "the LNS has no session any more")
    node.wait_state(0, 0, 0)
    expect_equal(client.dial().wait_up().ping(), (3, 3), "pings sent and answered")
    expect_equal(stage.frames("access").count(f"{FROM_ACCESS} && {PADT}"), 1, "PADTs to the client")
    expect(stage.frames("core").count(f"{FROM_CORE} && {STOP_CCN}") >= 1, "no StopCCN to the LNS")


def spoiled(stage, spoil, said):
    """culvertd finds a store that it cannot use: it sets it aside, says why, and goes on by what the table has."""
    client, node, server = stage.up(node={"profile": LIVELY})
    dial = client.dial().wait_up()
    end_killed(node)
    spoil(node)
    node.start_daemon()
    node.daemon.wait_for(said, 5)
    aside = [name for name in os.listdir(stage.lab.path("")) if name.startswith("culvert.sqlite.bad-") and name.endswith("Z")]
    expect_equal(len(aside), 1, "stores set aside")
    node.wait_state(1, 1, 1)
    hellos = lambda: node.tunnels()[0]["transport"]["hellos_sent"]
    wait_until(lambda: hellos() >= 6, 40, "keepalives go on")
    expect_equal(dial.ping(), (3, 3), "pings sent and answered")
    again = client.dial().wait_up()
    node.wait_state(2, 1, 2)
    for one in (again, dial):
        one.hang_up()
    node.wait_state(0, None, 0)
    wait_until(lambda: server.sessions() == 0, 10, "the LNS has no session any more")
    expect_equal(stage.frames("core").fields(STOP_CCN, "ip.src"), [], "StopCCNs")


@scenario(180)
def store_torn(stage):
    """The store's file is spoilt while culvertd is away."""
    def spoil(node):
        path = stage.lab.path("culvert.sqlite")
        for name in (path, path + "-wal"):
            if os.path.exists(name):
                with open(name, "r+b") as file:
                    file.write(b"not a database at all" * 100)
    spoiled(stage, spoil, "the store was replaced")


@scenario(180)
def store_older(stage):
    """Somebody puts back a copy of the store's file from before the last session."""
    path = stage.lab.path("culvert.sqlite")

    def spoil(node):
        # A store that knows nothing of the client: as it is after the log-outs of another one.
        for name in (path, path + "-wal"):
            if os.path.exists(name):
                os.unlink(name)
        shutil.copy(stage.lab.path("copy.sqlite"), path)

    stage.lab.reserve_huge_pages(HUGE_PAGES)
    first = Culvert(stage.lab).configure().start()
    expect_equal(first.stop(), (0, 0), "exit statuses of data plane and culvertd")
    shutil.copy(path, stage.lab.path("copy.sqlite"))
    spoiled(stage, spoil, "it is older than the sessions that are up")
