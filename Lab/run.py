#!/usr/bin/python3
"""Brings up a client, Culvert and an LNS, shows what happens, and removes everything again.

    client (pppd, PPPoE)  ----  Culvert (LAC)  ----  LNS (xl2tpd or l2tpns)

Run as root, after `swift build -c release`. Ctrl-C ends it.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from Lab.culvert import HUGE_PAGES, Culvert  # noqa: E402
from Lab.lab import Lab  # noqa: E402
from Lab.peers import LNS_ADDRESS, L2TPNSServer, PPPoEClient, XL2TPDServer  # noqa: E402
from Lab.process import LabError  # noqa: E402

STARTED = time.monotonic()


def step(text):
    print(f"{time.monotonic() - STARTED:7.1f} s  {text}", flush=True)


def bring_up(lab, options):
    """The whole lab; the node and the dial that is up."""
    added = lab.reserve_huge_pages(HUGE_PAGES)
    step(f"{added} huge pages of 2 MB reserved" if added else "no huge pages to be had; ordinary memory serves")
    step("booting the client" + ("" if options.l2tpns else " and the LNS") + " as user-mode-linux guests")
    client_guest = lab.guest("client", "access", mtu=1508)
    lns_guest = None if options.l2tpns else lab.guest("lns", "core")

    node = Culvert(lab).configure(protocols=[options.auth], vlans=options.vlan)
    node.start_dataplane()
    step(f"culvert-dataplane runs (process {node.dataplane.pid}), ports acc0 and core0 by AF_PACKET")
    node.start_daemon()
    step(f"culvertd runs (process {node.daemon.pid}) and sees the data plane; configuration {node.file}")

    if options.l2tpns:
        server = L2TPNSServer(lab.namespaces["core"], "br0", lab.path("l2tpns"), protocols=options.auth)
        lab.undo.append(server.stop)
        server.wait_listening()
        step(f"the LNS (l2tpns) listens on {LNS_ADDRESS}")
    else:
        XL2TPDServer(lns_guest.wait_booted()).serve(protocols=options.auth)
        step(f"the LNS (xl2tpd, pppd) listens on {LNS_ADDRESS}")
    client = PPPoEClient(client_guest.wait_booted(), vlan=options.vlan)
    step("the client dials: PADI, PADO, PADR, PADS, LCP, " + options.auth.upper()
         + (f", on VLAN {options.vlan}" if options.vlan else ""))
    dial = client.dial(protocols=options.auth).wait_up()
    step(f"PPP is up through the tunnel: the client is {dial.local}, the LNS is {dial.remote}")
    sent, answered = dial.ping(count=5, size=1400)
    if sent != answered:
        raise LabError(f"{answered} of {sent} pings were answered")
    step(f"ping through it with 1,400 bytes: {answered} of {sent} answered")
    return node, dial


def rates(node, seconds):
    """Prints packets and bits a second of the session, once a second, `seconds` long; 0: until interrupted."""
    print("\nrates of the session (the client goes on to ping); Ctrl-C ends the lab", flush=True)
    before, last = node.traffic(), time.monotonic()
    end = last + seconds if seconds else None
    while end is None or last < end:
        time.sleep(1)
        after, moment = node.traffic(), time.monotonic()
        rx_packets, rx_octets, tx_packets, tx_octets = (
            (new - old) / (moment - last) for new, old in zip(after, before))
        print(f"  to the LNS {tx_packets:7.0f} packets/s {tx_octets * 8 / 1e6:7.2f} Mbit/s"
              f"    to the client {rx_packets:7.0f} packets/s {rx_octets * 8 / 1e6:7.2f} Mbit/s", flush=True)
        before, last = after, moment


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--auth", choices=("chap", "pap"), default="chap", help="what Culvert and the LNS ask for")
    parser.add_argument("--vlan", metavar="ID", help="put the client on a VLAN; OUTER.INNER for two tags")
    parser.add_argument("--l2tpns", action="store_true", help="l2tpns as LNS instead of xl2tpd")
    parser.add_argument("--seconds", type=int, default=0, metavar="N", help="end after N seconds of rates")
    options = parser.parse_args()
    lab = Lab(report=step)
    failure = None
    try:
        with lab:
            try:
                step(f"network namespaces {', '.join(n.name for n in lab.namespaces.values())}")
                node, dial = bring_up(lab, options)
                for what in ("pppoe-ac connections", "l2tp tunnel", "l2tp session"):
                    print(f"\n$ culvert show {what}\n{node.show(*what.split())}", flush=True)
                dial.client.guest.start(f"ping -q -i 0.01 -s 1400 -I {dial.interface} {dial.remote} >/dev/null &")
                rates(node, options.seconds)
            except LabError:
                print(lab.log_tails(), flush=True)
                raise
    except KeyboardInterrupt:
        print()
    except LabError as error:
        failure = error
        step(f"failed: {error}")
    step("everything that the lab made is removed")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
