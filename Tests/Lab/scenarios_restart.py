"""culvertd ends and comes back, and nobody notices; both processes end, and everybody is told."""

import signal
import threading
import time

from Lab.process import wait_until
from stage import FROM_ACCESS, FROM_CORE, PADT, STOP_CCN, expect, expect_equal, scenario
from scenarios_session import check_shown

# Keepalives every two seconds: a gap in the control channel shows.
LIVELY = {"hello-timeout": 2, "retry-timeout": 1, "max-retries": 3}
HELLO = "l2tp.avp.message_type == 6"
CDN = "l2tp.avp.message_type == 14"


def restarted(stage, end):
    """A client with a stream of pings; culvertd ends by `end` and is started again two seconds later. Not one ping is lost, client
    and LNS hear nothing of it, and a new client gets in within five seconds of the start."""
    client, node, server = stage.up(node={"profile": LIVELY})
    dial = client.dial().wait_up()
    capture = stage.frames("access"), stage.frames("core")
    before = node.sessions()
    pings = []
    stream = threading.Thread(target=lambda: pings.append(dial.ping(count=400, interval=0.02)))
    stream.start()
    time.sleep(1)
    end(node)
    time.sleep(2)
    started = time.monotonic()
    node.start_daemon()
    again = client.dial().wait_up(15)
    took = time.monotonic() - started
    expect(took < 5, f"a new client was up {took:.1f} s after culvertd's start")
    stream.join()
    expect_equal(pings, [(400, 400)], "pings sent and answered")
    after = [session for session in node.sessions() if session["id"] == before[0]["id"]]
    expect_equal(len(after), 1, "sessions that went on")
    expect_equal(after[0]["created_at"], before[0]["created_at"], "when the session was opened")
    expect_equal(capture[0].fields(PADT, "eth.src"), [], "PADTs")
    expect_equal(capture[1].fields(f"{CDN} or {STOP_CCN}", "ip.src"), [], "CDNs and StopCCNs")
    node.wait_state(2, 1, 2)
    # The channel works on in both directions: keepalives for a while, then both ends.
    wait_until(lambda: len(capture[1].fields(HELLO, "ip.src")) >= 4, 20, "keepalives go on")
    again.hang_up()
    node.wait_state(1, 1, 1)
    expect_equal(dial.ping(), (3, 3), "pings sent and answered")


@scenario(120)
def control_killed(stage):
    """culvertd is killed with -9 under traffic."""
    def kill(node):
        node.daemon.signal(signal.SIGKILL)
        expect_equal(node.daemon.wait(10), -9, "culvertd's exit status")
    restarted(stage, kill)


@scenario(120)
def control_stopped(stage):
    """culvertd is stopped in order, as for an upgrade."""
    restarted(stage, lambda node: expect_equal(node.daemon.stop(10), 0, "culvertd's exit status"))
