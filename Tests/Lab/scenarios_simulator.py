"""The simulator that bench-setup measures with, against real peers: what it plays is what pppd and xl2tpd understand."""

from Lab.peers import PPPoEClient
from Lab.process import wait_until
from Lab.simulator import SimulatedClients, SimulatedLNS
from stage import FROM_ACCESS, PADT, expect, expect_equal, scenario
from scenarios_session import check_shown

CLIENTS = 20
# The simulator's frames; tshark may find no fault with them either.
FROM_CLIENTS = "eth.src[0:2] == 02:c1"
FROM_LNS = "eth.src == 02:d1:00:00:00:01"


def check_simulator(stage, segment, frames):
    bad = stage.frames(segment).fields(f"{frames} && (_ws.malformed || _ws.expert.severity >= 0x600000)",
                                       "frame.number", "frame.protocols", "_ws.expert.message")
    expect(not bad, f"{len(bad)} frames of the simulator are malformed or doubtful, the first is {bad[:1]}")


def clients_and_pppd(stage, proof, protocols):
    """Simulated clients through Culvert to a real xl2tpd, whose pppd negotiates LCP with each of them anew."""
    guest = stage.lab.guest("lns", "core")
    stage.capture()
    node = stage.node(protocols=["chap", "pap"])
    server = stage.server(guest=guest, protocols=protocols, echo=1)
    clients = SimulatedClients(stage.lab, CLIENTS, proof).wait_up(CLIENTS)
    expect_equal(node.state(), (CLIENTS, 1, CLIENTS), "connections, tunnels, sessions")
    expect_equal(server.sessions(), CLIENTS, "sessions of the LNS")
    figures = clients.wait_end()
    expect_equal((figures["up"], figures["stayed"], figures["dials"]), (CLIENTS, CLIENTS, CLIENTS), "clients up, still up, dials")
    expect_equal((figures["refusals"], figures["unexpected"]), (0, 0), "refusals and packets that no client expects")
    expect(figures["echoes_answered"] >= 3 * CLIENTS, f"only {figures['echoes_answered']} echoes of clients were answered by pppd")
    expect(figures["echoes_returned"] >= 3 * CLIENTS, f"pppd sent only {figures['echoes_returned']} echoes to clients")
    node.wait_state(0, None, 0)
    wait_until(lambda: server.sessions() == 0, 20, "the LNS lets go of all sessions")
    granted = server.ppp_log.count("sent [CHAP Success" if protocols == "chap" else "sent [PAP AuthAck")
    expect_equal(granted, CLIENTS, "clients whom pppd has let in")
    check_simulator(stage, "access", FROM_CLIENTS)


@scenario(180)
def simulated_clients_chap(stage):
    """Twenty simulated clients by CHAP to a real LNS: up, echoes both ways answered, down without a trace."""
    clients_and_pppd(stage, "chap", "chap")


@scenario(180)
def simulated_clients_pap(stage):
    """The same by PAP."""
    clients_and_pppd(stage, "pap", "pap")


@scenario(180)
def simulated_lns(stage):
    """A real pppd through Culvert to the simulated LNS: up with the address that it is given, pings and echoes answered, LCP as the
    LAC left it; then it hangs up."""
    guest = stage.lab.guest("client", "access", mtu=1508)
    stage.capture()
    node = stage.node(protocols=["chap", "pap"])
    server = SimulatedLNS(stage.lab)
    client = PPPoEClient(guest.wait_booted())
    for protocols in ("chap", "pap"):
        dial = client.dial(protocols=protocols, echo=1).wait_up()
        check_shown(node)
        expect(dial.local.startswith("10.66."), f"the client has the address {dial.local}")
        expect_equal(dial.remote, "10.65.0.1", "the LNS's address")
        expect_equal(dial.ping(count=200, size=1400, interval=0.01), (200, 200), "pings sent and answered")
        dial.hang_up()
        node.wait_state(0, None, 0)
    figures = server.end()
    expect_equal((figures["calls"], figures["ended"], figures["authenticated"], figures["sessions"]), (2, 2, 2, 0),
                 "calls taken, ended, authenticated, and left")
    expect_equal((figures["bad_responses"], figures["renegotiated"]), (0, 0), "wrong proofs, and links negotiated anew")
    expect_equal(figures["pings"], 400, "pings that came to the LNS")
    expect(figures["echoes_returned"] >= 2, f"only {figures['echoes_returned']} of pppd's echoes came to the LNS")
    expect(figures["echoes_answered"] >= 1, "pppd answered no echo of the LNS")
    check_simulator(stage, "core", FROM_LNS)
    expect(stage.frames("access").count(f"{FROM_ACCESS} && {PADT}") <= 2, "more PADTs than sessions")
