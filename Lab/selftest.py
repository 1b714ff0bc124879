#!/usr/bin/python3
"""Proves the lab's peers against each other, without Culvert: what fails later is then Culvert's.

    python3 Lab/selftest.py [NAME ...]
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from Lab.lab import Lab  # noqa: E402
from Lab.peers import L2TPNSServer, PPPoEClient, PPPoEServer, XL2TPDClient, XL2TPDServer  # noqa: E402
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


def l2tpns(lab):
    """xl2tpd as LAC against l2tpns."""
    lac = lab.guest("lac", "core")
    server = L2TPNSServer(lab.namespaces["core"], "br0", lab.path("l2tpns"))
    lab.undo.append(server.stop)
    server.wait_listening()
    dial = XL2TPDClient(lac.wait_booted()).connect().wait_up()
    check_link(dial, 1400)


CHECKS = (pppoe, pppoe_pap_on_vlan, pppoe_qinq, pppoe_wrong_password, pppoe_rounds, xl2tpd, l2tpns)


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
