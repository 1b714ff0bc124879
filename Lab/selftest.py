#!/usr/bin/python3
"""Proves the lab's peers against each other, without Culvert: what fails later is then Culvert's.

    python3 Lab/selftest.py [NAME ...]
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from Lab.lab import Lab  # noqa: E402
from Lab.management import NameServer, RadiusServer, Tunnel, domain_user, tunnel_user  # noqa: E402
from Lab.peers import (  # noqa: E402
    SECOND_LNS_ADDRESS, L2TPNSServer, PPPoEClient, PPPoEServer, XL2TPDClient, XL2TPDServer)
from Lab.process import LabError  # noqa: E402


def expect(condition, text):
    if not condition:
        raise LabError(text)


def check_link(dial, mtu):
    expect(dial.ping(count=200, size=1400, flood=True) == (200, 200), "pings are lost")
    expect(dial.ping(count=1, size=mtu - 28, whole=True) == (1, 1), "a packet of the whole MTU does not pass")


def pppoe(lab, protocols="chap", vlan=None):
    """pppd's PPPoE client against rp-pppoe's server."""
    server, client = lab.guest("server", "access"), lab.guest("client", "access")
    PPPoEServer(server.wait_booted()).serve(protocols=protocols, vlan=vlan)
    dial = PPPoEClient(client.wait_booted(), vlan=vlan).dial(protocols=protocols).wait_up()
    check_link(dial, 1492)
    dial.hang_up()


def pppoe_pap_on_vlan(lab):
    """The same by PAP on a VLAN."""
    pppoe(lab, "pap", "100")


def pppoe_qinq(lab):
    """The same with two tags."""
    pppoe(lab, "chap", "100.200")


def pppoe_eap(lab):
    """The same by EAP with MD5-Challenge."""
    pppoe(lab, "eap")


def pppoe_wrong_password(lab):
    """A wrong password ends pppd with the status that means it."""
    server, client = lab.guest("server", "access"), lab.guest("client", "access")
    PPPoEServer(server.wait_booted()).serve()
    status = PPPoEClient(client.wait_booted()).dial(password="not the password").wait_down(60)
    expect(status == 19, f"pppd's exit status is {status}")


def pppoe_rounds(lab):
    """Several dials of one guest at once; half are hung up, half killed; a second round works the same."""
    server, client = lab.guest("server", "access"), lab.guest("client", "access")
    PPPoEServer(server.wait_booted()).serve()
    pppoe_client = PPPoEClient(client.wait_booted())
    for _ in range(2):
        dials = [pppoe_client.dial() for _ in range(6)]
        for dial in dials:
            dial.wait_up(60)
        expect(dials[0].ping() == (3, 3), "pings are lost")
        for dial in dials[::2]:
            dial.kill()
        for dial in dials[1::2]:
            expect(dial.hang_up() == 5, "pppd was not hung up by our signal")
        expect(dials[0].wait_down() == 137, "pppd was not killed")


def xl2tpd(lab):
    """xl2tpd as LAC against xl2tpd as LNS, both over the kernel's L2TP."""
    lns, lac = lab.guest("lns", "core"), lab.guest("lac", "core")
    server = XL2TPDServer(lns.wait_booted()).serve()
    dial = XL2TPDClient(lac.wait_booted()).connect().wait_up()
    expect((server.tunnels(), server.sessions()) == (1, 1), "the LNS does not have one tunnel and one session")
    check_link(dial, 1460)


def two_servers(lab):
    """Two LNSs side by side, the second by EAP; each says its own name, and each is reached."""
    guests = [lab.guest(name, "core") for name in ("lns", "lns2", "lac")]
    first = XL2TPDServer(guests[0].wait_booted()).serve()
    second = XL2TPDServer(guests[1].wait_booted()).serve_second(protocols="eap")
    client = XL2TPDClient(guests[2].wait_booted())
    dial = client.connect(peer=SECOND_LNS_ADDRESS).wait_up()
    expect(dial.remote == "10.66.0.1", f"the client reached {dial.remote}")
    expect((first.tunnels(), second.tunnels()) == (0, 1), "the wrong LNS has the tunnel")
    expect("EAP" in second.ppp_log, "the second LNS did not ask by EAP")


def l2tpns(lab):
    """xl2tpd as LAC against l2tpns."""
    lac = lab.guest("lac", "core")
    server = L2TPNSServer(lab.namespaces["core"], "br0", lab.path("l2tpns"))
    lab.undo.append(server.stop)
    server.wait_listening()
    dial = XL2TPDClient(lac.wait_booted()).connect().wait_up()
    check_link(dial, 1400)


ACCEPT, REJECT = "Access-Accept", "Access-Reject"


def radius(lab):
    """FreeRADIUS: both styles of look-up, rejects, unsigned requests, accounting, Status-Server; stopped, frozen, IPv6."""
    server = RadiusServer(lab).serve(
        domain_user("isp1.com", "10.99.0.2"),
        tunnel_user("user@isp1.com", "secret", Tunnel("10.99.0.2", 10, "tunsecret", "first", "lac1", "lns1"),
                    Tunnel("10.99.0.3", 20, "other")))

    def ask(kind, *attributes, port=1812, **options):
        return server.ask(kind, *attributes, to=server.address, port=port, **options)

    def login(name, password, how="User-Password", **options):
        return ask("auth", ("User-Name", name), (how, password), **options)

    code, answer = login("isp1.com", "password")
    expect((code, answer["Framed-IP-Address"]) == (ACCEPT, "10.99.0.2"), f"the domain's answer is {code} {answer}")
    expect("Message-Authenticator" in answer, f"the answer is not signed: {answer}")
    code, answer = login("isp1.com", "wrong")
    expect((code, list(answer)) == (REJECT, ["Message-Authenticator"]), f"a wrong password's answer is {code} {answer}")
    expect(login("nobody@isp1.com", "password")[0] == REJECT, "an unknown user is not rejected")
    code, answer = login("user@isp1.com", "secret", how="CHAP-Password")
    expect(code == ACCEPT, f"CHAP is answered by {code}")
    tunnels = [[answer.get(f"Tunnel-{name}:{tag}") for name in ("Server-Endpoint", "Preference", "Password", "Assignment-Id")]
               for tag in (1, 2)]
    expect(tunnels == [["10.99.0.2", "10", "tunsecret", "first"], ["10.99.0.3", "20", "other", None]], f"tunnels {tunnels}")
    expect(login("isp1.com", "password", signed=False, patience=1) == (None, {}), "an unsigned request is answered")
    expect(server.logins() == [(True, "isp1.com"), (False, "isp1.com"), (False, "nobody@isp1.com"), (True, "user@isp1.com")],
           f"log of logins: {server.logins()}")

    for port, want in ((1812, ACCEPT), (1813, "Accounting-Response")):
        expect(ask("status", port=port)[0] == want, f"Status-Server on port {port}")
    record = [("Acct-Status-Type", "Stop"), ("Acct-Session-Id", "77"), ("User-Name", "a \"b\""), ("Acct-Input-Octets", 4294967295)]
    expect(ask("acct", *record, port=1813)[0] == "Accounting-Response", "accounting is not answered")
    (kept,) = server.wait_records(lambda record: record["Acct-Session-Id"] == "77")
    expect((kept["Acct-Status-Type"], kept["Acct-Input-Octets"]) == ("Stop", 4294967295), f"the record is {kept}")

    server.pause()
    expect(login("isp1.com", "password", patience=1) == (None, {}), "a frozen server answers")
    server.resume()
    expect(login("isp1.com", "password")[0] == ACCEPT, "the server does not answer after it was frozen")
    server.stop()
    expect(login("isp1.com", "password", patience=1) == (None, {}), "a stopped server answers")
    server.start()
    expect(login("isp1.com", "password")[0] == ACCEPT, "the server does not answer after a restart")
    sixth = RadiusServer(lab, "radius6", "2001:db8:98::2", length=64, secret="other secret").serve(domain_user("isp1.com", "10.9.9.9"))
    code, answer = sixth.ask("auth", ("User-Name", "isp1.com"), ("User-Password", "password"), to=f"[{sixth.address}]", port=1812)
    expect(answer.get("Framed-IP-Address") == "10.9.9.9", f"over IPv6 the answer is {code} {answer}")


def names(lab):
    """unbound: addresses of both families, several, by CNAME, TTL; an unknown name; its log of questions; frozen."""
    server = NameServer(lab, {
        "isp1.com": ["lns A 10.99.0.2", "lns A 10.99.0.3", "lns 30 AAAA 2001:db8::2", "alias CNAME lns", "far CNAME lns.isp2.com."],
        "isp2.com": ["lns 5 A 10.99.0.4"]})
    wanted = (
        ("lns.isp1.com", "A", "NOERROR", [(60, "A", "10.99.0.2"), (60, "A", "10.99.0.3")]),
        ("lns.isp1.com", "AAAA", "NOERROR", [(30, "AAAA", "2001:db8::2")]),
        ("far.isp1.com", "A", "NOERROR", [(5, "A", "10.99.0.4"), (60, "CNAME", "lns.isp2.com.")]),
        ("alias.isp1.com", "AAAA", "NOERROR", [(30, "AAAA", "2001:db8::2"), (60, "CNAME", "lns.isp1.com.")]),
        ("no.isp1.com", "A", "NXDOMAIN", []), ("lns.example", "A", "NXDOMAIN", []), ("lns.isp2.com", "AAAA", "NOERROR", []))
    for name, kind, status, answers in wanted:
        have = server.look_up(name, kind)
        # A TTL may have run down by a second or two since the first question.
        near = [tuple(answer[1:]) for answer in sorted(have[1])] == [tuple(answer[1:]) for answer in sorted(answers)]
        late = [ttl - have_ttl for (ttl, *_), (have_ttl, *_) in zip(sorted(answers), sorted(have[1]))]
        expect(have[0] == status and near and all(0 <= gap <= 2 for gap in late), f"{name} {kind}: {have}")
    expect(server.queries() == [(name, kind) for name, kind, *_ in wanted], f"questions {server.queries()}")
    server.pause()
    expect(server.look_up("lns.isp1.com") == (None, []), "a frozen server answers")
    server.resume()
    server.serve({"isp1.com": ["lns A 10.99.0.9"]})
    expect(server.look_up("lns.isp1.com") == ("NOERROR", [(60, "A", "10.99.0.9")]), "the new zone is not served")


CHECKS = (pppoe, pppoe_pap_on_vlan, pppoe_qinq, pppoe_eap, pppoe_wrong_password, pppoe_rounds, xl2tpd, two_servers, l2tpns,
          radius, names)


def main():
    wanted = sys.argv[1:]
    failed = 0
    chosen = [check for check in CHECKS if not wanted or check.__name__ in wanted]
    for check in chosen:
        start = time.monotonic()
        lab = Lab()
        try:
            with lab:
                lab.capture("access")
                lab.capture("core")
                try:
                    check(lab)
                except Exception:
                    if os.environ.get("CULVERT_LAB_KEEP"):
                        lab.keep(os.environ["CULVERT_LAB_KEEP"])
                    raise
            print(f"ok    {check.__name__}  {time.monotonic() - start:.1f} s", flush=True)
        except LabError as error:
            failed += 1
            print(f"FAIL  {check.__name__}  {error}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
