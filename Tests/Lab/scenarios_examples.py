"""The files of examples/alliedware-*.yaml as they stand, each end to end: only what belongs to a machine is replaced."""

import os

from Lab.culvert import HUGE_PAGES, Culvert
from Lab.management import NameServer, RadiusServer, domain_user
from Lab.peers import PPPoEClient
from stage import expect_equal, scenario
from scenarios_session import check_shown

EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "examples")
LNS = "192.168.11.2"


def example(stage, name, prepare=None):
    """A client dials user@isp1.com and reaches the LNS of the guide with the guide's secret, over the example's file. `prepare`
    starts whom the node asks; its answer is answered."""
    client_guest = stage.lab.guest("client", "access", mtu=1508)
    server_guest = stage.lab.guest("lns", "core")
    stage.capture()
    asked = prepare(stage.lab) if prepare else None
    stage.lab.reserve_huge_pages(HUGE_PAGES)
    node = Culvert(stage.lab).configure_from(os.path.join(EXAMPLES, name)).start()
    server = stage.server(guest=server_guest, secret="oursecret", address=f"{LNS}/24")
    dial = PPPoEClient(client_guest.wait_booted()).dial().wait_up()
    connection, tunnel, _ = check_shown(node)
    expect_equal(connection["instance"], "mylittleac", "instance of the connection")
    expect_equal(tunnel["remote_address"], LNS, "address of the LNS")
    expect_equal((server.tunnels(), server.sessions()), (1, 1), "tunnels and sessions of the LNS")
    expect_equal(dial.ping(count=100, size=1400, flood=True), (100, 100), "pings sent and answered")
    dial.hang_up()
    node.wait_state(0, None, 0)
    return node, asked


@scenario(120)
def example_static(stage):
    """AlliedWare's example 1: the LNS's address stands in the file."""
    example(stage, "alliedware-1-static.yaml")


@scenario(120)
def example_radius(stage):
    """AlliedWare's example 2: the RADIUS server is asked for the domain and answers with Framed-IP-Address."""
    def prepare(lab):
        lab.management_address("192.168.1.1/24")
        return RadiusServer(lab, address="192.168.1.200").serve(domain_user("isp1.com", LNS))

    _, radius = example(stage, "alliedware-2-radius.yaml", prepare)
    expect_equal(radius.logins(), [(True, "isp1.com")], "requests that the RADIUS server has answered")


@scenario(120)
def example_dns(stage):
    """AlliedWare's example 3: the name server is asked for lns. and the domain."""
    def prepare(lab):
        lab.management_address("10.1.1.2/24")
        return NameServer(lab, {"isp1.com": [f"lns A {LNS}"]}, address="10.1.1.1")

    _, names = example(stage, "alliedware-3-dns.yaml", prepare)
    expect_equal({name for name, _ in names.queries()}, {"lns.isp1.com"}, "names that the name server was asked for")
