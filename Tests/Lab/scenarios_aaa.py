"""RADIUS beside looking up: accounting, Disconnect and CoA; and clients that prove themselves by EAP."""

import json
import time

from Lab.culvert import radius_sections
from Lab.management import domain_user
from Lab.peers import LNS_ADDRESS, USER
from Lab.process import wait_until
from scenarios_lookup import BY_DOMAIN
from scenarios_session import check_shown
from stage import CDN, FROM_ACCESS, FROM_CORE, FROM_MANAGEMENT, PADT, expect, expect_equal, scenario

# What a CoA-Request says to set the policer toward the client: 80 kbit/s.
SLOW = ("WISPr-Bandwidth-Max-Down", 80_000)
OCTETS = ("Acct-Input-Octets", "Acct-Output-Octets", "Acct-Input-Packets", "Acct-Output-Packets")


def up(stage, accounting=None, **settings):
    """A client that is in, found by RADIUS, and the server; neither end sends anything by itself."""
    radius = stage.radius(domain_user("isp1.com", LNS_ADDRESS))
    node = {"l2tp": BY_DOMAIN, "sections": radius_sections(radius, clients=[radius]), **settings}
    if accounting is not None:
        node["instance"] = {"accounting": {"group": "my_group", **accounting}}
    client, node, server = stage.up(server={"echo": 0}, node=node)
    return radius, node, server, client, client.dial(echo=0).wait_up()


def is_session(kind):
    return lambda record: record["Acct-Status-Type"] == kind


def shown(node):
    """Octets and packets of the only session as accounting counts them: input is what comes from the client."""
    rx_packets, rx_octets, tx_packets, tx_octets = node.traffic()
    return tx_octets, rx_octets, tx_packets, rx_packets


def counted(record):
    """The same of an accounting record."""
    values = [record.get(name, 0) for name in OCTETS]
    for position, name in enumerate(("Acct-Input-Gigawords", "Acct-Output-Gigawords")):
        values[position] += record.get(name, 0) << 32
    return tuple(values)


@scenario(240)
def accounting(stage):
    """Start, interim and stop of a session, and its tunnel's records: octets and packets are those that `culvert show` says."""
    radius, node, server, client, dial = up(stage, {"interim-interval": 60, "tunnel": True})
    (start,) = radius.wait_records(is_session("Start"))
    expect_equal((start["User-Name"], start["NAS-Identifier"], counted(start)), (USER, "lac1", (0, 0, 0, 0)), "the start record")
    expect_equal(dial.ping(count=500, size=1000, flood=True), (500, 500), "pings sent and answered")
    before = shown(node)
    (interim,) = radius.wait_records(is_session("Interim-Update"), timeout=75)
    expect_equal(counted(interim), before, "octets and packets of the interim record")
    expect(55 <= interim["Acct-Session-Time"] <= 75, f"time of the interim record: {interim['Acct-Session-Time']}")
    expect_equal(dial.ping(count=300, size=400, flood=True), (300, 300), "pings sent and answered")
    last = shown(node)
    (session,) = node.sessions()
    # The node ends it, so that nothing passes any more.
    node.command("clear", "l2tp", "tunnel", str(session["tunnel_id"]))
    (stop,) = radius.wait_records(is_session("Stop"))
    expect_equal(counted(stop), last, "octets and packets of the stop record")
    expect_equal(stop["Acct-Terminate-Cause"], "Admin-Reset", "cause of the end")
    expect_equal({record["Acct-Session-Id"] for record in (start, interim, stop)}, {start["Acct-Session-Id"]}, "ids of the session")
    # Records are on their way side by side: which arrives last is not said.
    for kind in ("Tunnel-Link-Stop", "Tunnel-Stop"):
        radius.wait_records(is_session(kind))
    kinds = [record["Acct-Status-Type"] for record in radius.records() if "Tunnel" in record["Acct-Status-Type"]]
    expect_equal(sorted(kinds), ["Tunnel-Link-Start", "Tunnel-Link-Stop", "Tunnel-Start", "Tunnel-Stop"], "records of the tunnel")


@scenario(180)
def accounting_is_kept(stage):
    """While the server is away and culvertd is started again, no record is lost: the server gets each when it is back."""
    radius, node, server, client, dial = up(stage, {})
    radius.wait_records(is_session("Start"))
    expect_equal(dial.ping(count=100, size=800, flood=True), (100, 100), "pings sent and answered")
    last = shown(node)
    radius.stop()
    ended = time.monotonic()
    node.command("clear", "all")
    dial.wait_down(15)
    node.wait_state(0, None, 0)
    expect_equal(node.daemon.stop(10), 0, "exit status of culvertd")
    node.start_daemon()
    # How late a record is it tells in whole seconds.
    wait_until(lambda: time.monotonic() >= ended + 2, 3, "the record is old")
    radius.start()
    (stop,) = radius.wait_records(is_session("Stop"), timeout=60)
    expect_equal(counted(stop), last, "octets and packets of the stop record")
    expect(stop["Acct-Delay-Time"] >= 1, f"the record does not say how late it is: {stop}")
    expect_equal(client.dial().wait_up().ping(), (3, 3), "pings sent and answered")


@scenario(120)
def disconnect(stage):
    """Disconnect by radclient ends the session it names on both ends; one that names nobody is refused; strangers get no answer."""
    radius, node, server, client, dial = up(stage, {})
    (start,) = radius.wait_records(is_session("Start"))
    code, answer = radius.disconnect(("User-Name", "nobody@isp1.com"))
    expect_equal((code, answer.get("Error-Cause")), ("Disconnect-NAK", "Session-Context-Not-Found"), "answer about nobody")
    expect_equal(radius.disconnect(("User-Name", USER), secret="another", patience=1), (None, {}), "answer to a wrong secret")
    stage.lab.namespaces["management"].ip("addr", "add", "10.98.0.9/24", "dev", "br0")
    expect_equal(radius.disconnect(("User-Name", USER), source="10.98.0.9", patience=1), (None, {}), "answer to a stranger")
    check_shown(node)
    code, _ = radius.disconnect(("Acct-Session-Id", start["Acct-Session-Id"]))
    expect_equal(code, "Disconnect-ACK", "answer")
    dial.wait_down(15)
    node.wait_state(0, None, 0)
    wait_until(lambda: server.sessions() == 0, 10, "the LNS has no session any more")
    (stop,) = radius.wait_records(is_session("Stop"))
    expect_equal(stop["Acct-Terminate-Cause"], "Admin-Reset", "cause of the end")
    expect(stage.frames("access").count(f"{FROM_ACCESS} && {PADT}") >= 1, "no PADT to the client")
    expect(stage.frames("core").count(f"{FROM_CORE} && {CDN}") >= 1, "no CDN to the LNS")


@scenario(120)
def change_of_authorization(stage):
    """CoA sets a policer: what exceeds it is dropped and counted; a CoA that makes no sense is refused and changes nothing."""
    radius, node, server, client, dial = up(stage, {})
    (start,) = radius.wait_records(is_session("Start"))
    session_id = ("Acct-Session-Id", start["Acct-Session-Id"])
    code, _ = radius.change(session_id, ("Filter-Id", "no such policer"))
    expect_equal(code, "CoA-NAK", "answer to nonsense")
    expect_equal(dial.ping(count=100, size=1000, flood=True), (100, 100), "pings before the policer")
    code, _ = radius.change(session_id, SLOW)
    expect_equal(code, "CoA-ACK", "answer")
    sent, answered = dial.ping(count=150, size=1000, interval=0.01)
    expect(0 < answered < sent, f"{answered} of {sent} pings were answered")
    (session,) = json.loads(node.command("show", "l2tp", "session", "detail", "--json").stdout)
    expect_equal((session["upstream_policed_packets"], session["downstream_policed_packets"]), (0, sent - answered),
                 "frames that the policers dropped")


@scenario(120)
def eap(stage):
    """A client that knows EAP alone reaches an LNS that asks by EAP; the node learns its name and offers nothing else."""
    client, node, server = stage.up(protocols="eap")
    dial = client.dial(protocols="eap").wait_up()
    check_shown(node)
    expect_equal(dial.ping(count=100, size=1400, flood=True), (100, 100), "pings sent and answered")
    wait_until(lambda: "EAP" in server.ppp_log, 5, "the LNS has asked by EAP")
    offered = stage.frames("access").fields(f"{FROM_ACCESS} && ppp.code == 1 && lcp.opt.auth_protocol", "lcp.opt.auth_protocol")
    expect_equal({protocol for (protocol,) in offered}, {"0xc227"}, "authentication protocols in Configure-Requests to the client")
    (connected,) = stage.frames("core").fields(f"{FROM_CORE} && l2tp.avp.message_type == 12", "l2tp.avp.proxy_authen_name")
    expect(connected[0] in ("", USER), f"the proxy authentication names {connected[0]!r}")
