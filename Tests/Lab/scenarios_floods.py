"""Floods, forged and real, of every kind that comes to the control plane: a new client gets in, the traffic of a session that is up
goes on, memory stays what it was, and the counters say what was refused."""

import json
import os
import re
import sys
import time
from datetime import datetime

from Lab.lab import ACCESS_MAC, CORE_MAC
from Lab.peers import LNS_ADDRESS, NODE_ADDRESS, PPPoEClient, pings_told
from Lab.process import Process
from stage import expect, expect_equal, scenario

HERE = os.path.dirname(os.path.abspath(__file__))
NODE_IPV6 = "2001:db8::1"

# Frames a second, more than any class of the kind may have, and few enough for a machine of two cores that has the data plane, culvertd,
# three guests and the flooder on it.
RATE = 40_000
# Seconds from a client's first PADI until its session is up.
TIME_TO_LOG_IN = 2.0
# Octets that a process may have grown by in a flood: its first one touches buffers that had never been used.
GROWTH = 8 << 20
# A receive ring that holds what comes while others have the core.
PORTS = [
    {"name": "access0", "device": "net_af_packet0,iface=acc0,framecnt=8192", "mtu": 1508},
    {"name": "core0", "device": "net_af_packet1,iface=core0,framecnt=8192", "mtu": 1500},
]


class Flood:
    """A kind of flood, where it comes in, and counters that it has to move: those of the data plane, or culvertd's."""

    def __init__(self, kind, segment, *counters, **settings):
        self.kind, self.segment, self.counters, self.settings = kind, segment, counters, settings

    def start(self, lab, node):
        """Starts it; it floods when this returns."""
        settings = dict(self.settings)
        if self.segment == "core":
            tunnels = node.tunnels()
            settings.update(address=NODE_ADDRESS, address6=NODE_IPV6, peer=LNS_ADDRESS, tunnel=tunnels[0]["id"] if tunnels else 1)
        process = Process(
            f"flood {self.kind}",
            lab.namespaces[self.segment].command(
                sys.executable, os.path.join(HERE, "flooder.py"), "uplink", RATE, self.kind,
                ACCESS_MAC if self.segment == "access" else CORE_MAC, *(f"{key}={value}" for key, value in settings.items())),
            lab.path(f"flood-{self.kind}-{time.monotonic_ns()}.log"))
        lab.undo.append(process.stop)
        process.wait_for("^flooding", 30)
        return process


ACCESS = [
    Flood("padi", "access", "punt_share_limited_pppoe_discovery"),
    Flood("padi_one", "access", "punt_client_limited_pppoe_discovery"),
    Flood("padi_vlans", "access", "punt_share_limited_pppoe_discovery"),
    Flood("padr", "access", "punt_share_limited_pppoe_discovery", "pppoeInvalidPadr"),
    Flood("padr_real", "access", "punt_client_limited_pppoe_discovery", "routesOverHalfOpenLimitPerMac"),
    Flood("padt", "access", "punt_share_limited_pppoe_discovery", "pppoeInvalidPadt"),
    Flood("unknown", "access", "punt_share_limited_unknown_session"),
    Flood("lcp", "access", "punt_client_limited_ppp_control"),
    Flood("echo", "access", "punt_client_limited_ppp_control"),
    Flood("pap", "access", "punt_client_limited_ppp_control"),
]
CORE = [
    Flood("l2tp", "core", "punt_share_limited_l2tp_unknown", "l2tpStrangerMessages"),
    Flood("l2tp_peer", "core", "punt_client_limited_l2tp_unknown", "punted_l2tp_control"),
    Flood("sccrq", "core", "punt_share_limited_l2tp_unknown", "l2tpStrangerMessages"),
    Flood("arp", "core", "punt_share_limited_arp"),
    Flood("icmp", "core", "punt_share_limited_ipv4"),
    Flood("fragments", "core", "fragment_evicted"),
]


def counters(node):
    """All counters of the data plane and of the access concentrator, by name."""
    total = json.loads(node.command("show", "counters", "--json").stdout)["total"]
    return {**{counter["name"]: counter["value"] for counter in total}, **node.statistics()}


def resident(process):
    """Octets of a process's memory that are there."""
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", file.read(), re.MULTILINE).group(1)) * 1024


def busy(process):
    """Seconds of processor time that a process has had."""
    with open(f"/proc/{process.pid}/stat") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Sees when a client sends a PADI: tcpdump on its TAP."""

    def __init__(self, lab, guest):
        self.process = Process(
            f"watch of {guest.name}",
            lab.namespaces["access"].command(
                "tcpdump", "-i", guest.tap, "-tt", "-n", "-l", "--immediate-mode", f"ether src {guest.mac} and ether proto 0x8863"),
            lab.path(f"watch-{guest.name}.log"))
        lab.undo.append(self.process.stop)
        self.process.wait_for("listening on", 10)

    def first_padi(self, since):
        """Time of the first PADI after a length of the log."""
        return float(self.process.wait_for(r"^(\d+\.\d+) PPPoE PADI", 20, start=since).group(1))


def session_up(node, user, since, timeout=20):
    """Time at which culvertd says that a session of the user is up, after a length of its log."""
    match = node.daemon.wait_for(
        rf'^{{"time":"([^"]+)Z",.*"message":"session up".*"user":"{re.escape(user)}"', timeout, start=since)
    return datetime.fromisoformat(match.group(1) + "+00:00").timestamp()


def play(stage, floods, **settings):
    lab = stage.lab
    old_guest, new_guest = lab.guest("old", "access", mtu=1508), lab.guest("client", "access", mtu=1508)
    server_guest = lab.guest("lns", "core")
    node = stage.node(
        protocols=["chap"],
        sections={"control": {"rpc-socket": lab.path("culvertd.sock"), "store": lab.path("culvert.sqlite"), "log-format": "json"}},
        core_addresses=[f"{NODE_ADDRESS}/24", f"{NODE_IPV6}/64"], dataplane={"ports": PORTS}, **settings)
    server = stage.server(guest=server_guest, protocols="chap", echo=0)
    server.add_user("new@isp1.com")
    old, new = PPPoEClient(old_guest.wait_booted()), PPPoEClient(new_guest.wait_booted())
    # What the node answers to addresses that nobody has is not the guests' to look at.
    for guest in lab.guests.values():
        guest.namespace.execute("bridge", "link", "set", "dev", guest.tap, "flood", "off")
    dial = old.dial(echo=0).wait_up()
    watch = Watch(lab, new_guest)
    resident_before = None
    for flood in floods:
        before, busy_before = counters(node), busy(node.daemon)
        process = flood.start(lab, node)
        time.sleep(1)  # until every bucket is empty, which is what the flood is for
        ping = old_guest.start(dial.ping_command(300, 0.01, 500), timeout=30)
        marks = len(watch.process.text()), len(node.daemon.text())
        fresh = new.dial(user="new@isp1.com", echo=0)
        asked, up = watch.first_padi(marks[0]), session_up(node, "new@isp1.com", marks[1])
        fresh.wait_up()
        _, output = old_guest.finish(ping, 40)
        sent, answered = pings_told(output)
        memory = {one: resident(getattr(node, one)) for one in ("daemon", "dataplane")}
        process.stop()
        after, busy_after = counters(node), busy(node.daemon)
        fresh.hang_up()
        moved = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        refused = {name: moved.get(name, 0) for name in flood.counters}
        punted = sum(count for name, count in moved.items() if name.startswith("punted_"))
        grown = {one: memory[one] - (resident_before or memory)[one] for one in memory}
        lab.report(
            f"{flood.kind}: {process.text().strip().splitlines()[-1]}; PADI to session {up - asked:.2f} s; pings {answered}/{sent}; "
            f"{refused}; culvertd {(busy_after - busy_before) * 1e6 / max(1, punted):.0f} us for each of {punted} frames; "
            f"grown by {', '.join(f'{one} {size >> 10} kB' for one, size in grown.items())}")
        resident_before = resident_before or memory
        expect(all(refused.values()), f"{flood.kind}: a counter did not move: {refused}, but {moved}")
        expect(up - asked <= TIME_TO_LOG_IN, f"{flood.kind}: the client was in {up - asked:.2f} s after its first PADI")
        expect_equal((sent, answered), (300, 300), f"{flood.kind}: pings of the session that was up, and their answers")
        expect(max(grown.values()) <= GROWTH, f"{flood.kind}: memory has grown by {grown} octets")
        node.wait_state(None, 1, 1)
    return node


@scenario(300)
def floods_access(stage):
    """Floods of discovery, PPP and unknown sessions, forged and real: a new client is in within two seconds, pings go on."""
    node = play(stage, ACCESS, instance={"half-open-limit-per-mac": 2, "establish-timeout": 10})
    # The flooders' sessions end by themselves.
    node.wait_state(1, 1, 1, timeout=30)


@scenario(240)
def floods_core(stage):
    """Floods of L2TP, ARP, ICMP and fragments, forged and with the peer's own address: the same."""
    play(stage, CORE)
