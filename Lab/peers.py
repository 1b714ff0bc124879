"""The real peers: what runs in the guests, and l2tpns with its RADIUS server in a namespace."""

import os
import re
import signal
import sys

from .process import LabError, Process, wait_until

USER = "user@isp1.com"
PASSWORD = "secret"
TUNNEL_SECRET = "tunsecret"
NODE_ADDRESS = "10.99.0.1"
LNS_ADDRESS = "10.99.0.2"
SECOND_LNS_ADDRESS = "10.99.0.3"

ADDRESSES = re.compile(r"^local  IP address (\S+)\nremote IP address (\S+)$", re.MULTILINE)
PINGS = re.compile(r"xmt/rcv/%loss = (\d+)/(\d+)/")


def pings_told(output):
    """How many pings were sent, how many answered, as fping says."""
    match = PINGS.search(output)
    if match is None:
        raise LabError(f"fping says: {output.strip()}")
    return int(match.group(1)), int(match.group(2))


class Dial:
    """One run of pppd in a client's guest."""

    def __init__(self, client, number):
        self.client = client
        self.number = number

    @property
    def interface(self):
        return f"ppp{self.number}"

    @property
    def log(self):
        return self.client.guest.read(f"pppd-{self.number}.log")

    @property
    def status(self):
        """pppd's exit status, nothing while it runs. 2 options, 5 hang-up by signal, 10 LCP, 15 link dead, 16 hung up by
        peer, 19 authentication refused (pppd(8), EXIT STATUS)."""
        text = self.client.guest.read(f"pppd-{self.number}.exit").strip()
        return int(text) if text else None

    def wait_up(self, timeout=40):
        """Waits until the network layer is up: the local and the remote address."""
        def up():
            match = ADDRESSES.search(self.log)
            if match is None and self.status is not None:
                raise LabError(f"pppd ended with status {self.status} before the link was up: {self.tail()}")
            return match

        match = wait_until(up, timeout, f"dial {self.number} of {self.client.guest.name} comes up")
        self.local, self.remote = match.groups()
        return self

    def wait_down(self, timeout=30):
        """Waits until pppd has ended by itself; its exit status."""
        wait_until(lambda: self.status is not None, timeout, f"dial {self.number} ends; {self.tail()}")
        return self.status

    def hang_up(self, timeout=15):
        """Ends the link in order (LCP Terminate-Request, PADT); pppd's exit status."""
        self.client.guest.run(". /mnt/pppoe-client.sh; hang_up TERM $number", number=self.number)
        return self.wait_down(timeout)

    def kill(self):
        """Ends pppd without a word to the other side."""
        self.client.guest.run(". /mnt/pppoe-client.sh; hang_up KILL $number", number=self.number)

    def tail(self, lines=6):
        return " | ".join(self.log.strip().splitlines()[-lines:])

    def ping(self, count=3, size=56, interval=0.2, flood=False, whole=False, to=None, timeout=120):
        """Pings through this link: how many were sent, how many answered. `whole` forbids fragments. Size is of the data."""
        command = self.ping_command(count, 0.002 if flood else interval, size, whole, to)
        return pings_told(self.client.guest.run(command, timeout=timeout, check=False))

    def ping_command(self, count, interval, size=56, whole=False, to=None):
        """The command that pings; `pings_told` understands what it prints.

        fping waits three seconds for every answer. ping does not wait for the last one when the others came quickly: two round trips or an
        interval, which a machine that has other work takes now and then to let the other guest answer.
        """
        return (f"fping -q -c {count} -p {max(1, round(interval * 1000))} -t 3000 -b {size} {'-M ' if whole else ''}"
                f"-I {self.interface} {to or self.remote}")

    def start_pings(self, count, interval, size=56):
        """Pings through this link while the guest does other things; `end_pings` tells how it went."""
        self.client.guest.run(
            f"{self.ping_command(count, interval, size)} > /tmp/pings-{self.number} 2>&1 &")

    def end_pings(self, timeout=60):
        """How many of `start_pings` were sent, how many answered; waits for the last."""
        found = []

        def ended():
            found[:] = PINGS.findall(self.client.guest.run(f"cat /tmp/pings-{self.number}", check=False))
            return bool(found)

        wait_until(ended, timeout, "the pings end")
        return int(found[0][0]), int(found[0][1])


class PPPoEClient:
    """A guest whose pppd dials by PPPoE."""

    def __init__(self, guest, vlan=None):
        self.guest = guest
        self.vlan = vlan
        self.dials = 0
        self.prepared = False

    def dial(self, user=USER, password=PASSWORD, protocols="any", mtu=1492, service="", echo=5, padi=10):
        """Starts pppd; the link is not up yet when this returns."""
        prepare = "" if self.prepared else "prepare_client || exit 1; "
        self.dials += 1
        self.guest.run(
            f". /mnt/pppoe-client.sh; {prepare}dial", number=self.dials, user=user, password=password,
            protocols=protocols, mtu=mtu, service=service, echo=echo, padi=padi, vlan=self.vlan or "")
        self.prepared = True
        return Dial(self, self.dials)


class XL2TPDServer:
    """A guest that is an LNS: xl2tpd, the kernel's L2TP, pppd."""

    def __init__(self, guest):
        self.guest = guest

    def serve(self, secret=TUNNEL_SECRET, user=USER, password=PASSWORD, protocols="chap", mtu=1460, echo=5,
              client_address="", address=f"{LNS_ADDRESS}/24", local="10.65.0.1", pool="10.65.0.10-10.65.0.250", name="lns1"):
        """`protocols` is what its pppd demands: pap, chap or eap; `name` its host name in L2TP."""
        self.guest.run(
            ". /mnt/xl2tpd.sh; start_lns", address=address, secret=secret, user=user, password=password, mtu=mtu,
            protocols=protocols, echo=echo, client_address=client_address, local=local, pool=pool, name=name)
        return self

    def serve_second(self, **settings):
        """The same as a second LNS beside the first: another address, name and pool."""
        return self.serve(**{"address": f"{SECOND_LNS_ADDRESS}/24", "name": "lns2", "local": "10.66.0.1",
                             "pool": "10.66.0.10-10.66.0.250", **settings})

    def add_user(self, user, password=PASSWORD):
        """One more user that its pppd knows."""
        self.guest.run(r"""for kind in chap pap; do
            printf '"%s" * "%s" *\n' "$user" "$password" >>/etc/ppp/$kind-secrets
        done""", user=user, password=password)

    @property
    def log(self):
        return self.guest.read("xl2tpd.log")

    @property
    def ppp_log(self):
        return self.guest.read("pppd-lns.log")

    def sessions(self):
        """How many L2TP sessions its kernel has. Session 0 is the control connection's socket."""
        return len(re.findall(r"^  SESSION 'sess \d+/(?!0')", self.guest.run("cat /proc/net/pppol2tp"), re.MULTILINE))

    def tunnels(self):
        """How many L2TP tunnels its kernel has."""
        return len(re.findall(r"^TUNNEL '", self.guest.run("cat /proc/net/pppol2tp"), re.MULTILINE))


class XL2TPDClient(XL2TPDServer):
    """A guest that is LAC and PPP client in one. It proves an LNS without Culvert in between."""

    def connect(self, peer=LNS_ADDRESS, secret=TUNNEL_SECRET, user=USER, password=PASSWORD, mtu=1460):
        self.guest.run(
            ". /mnt/xl2tpd.sh; start_lac", address=f"{NODE_ADDRESS}/24", peer=peer, secret=secret, user=user,
            password=password, mtu=mtu)
        return Dial(self, 1)


class PPPoEServer:
    """A guest that is a PPPoE access concentrator. It proves a client without Culvert."""

    def __init__(self, guest):
        self.guest = guest

    def serve(self, user=USER, password=PASSWORD, protocols="chap", mtu=1492, vlan=None):
        self.guest.run(
            ". /mnt/pppoe-server.sh; start_server", user=user, password=password, protocols=protocols, mtu=mtu,
            vlan=vlan or "", local="10.64.0.1", pool="10.64.0.10")
        return self


class L2TPNSServer:
    """Debian's l2tpns, an LNS wholly in user space, in a namespace; it asks a RADIUS server of the lab for its users."""

    def __init__(self, namespace, bridge, directory, secret=TUNNEL_SECRET, user=USER, password=PASSWORD,
                 protocols="chap", address=LNS_ADDRESS, name="lns2"):
        self.namespace = namespace
        self.directory = directory
        os.makedirs(directory)
        namespace.ip("addr", "add", f"{address}/24", "dev", bridge)
        # It routes its subscribers' packets through a TUN device: the kernel must take what comes from there.
        for key in ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"):
            namespace.execute("sysctl", "-qw", key)
        here = os.path.dirname(os.path.abspath(__file__))
        self.radius = Process(
            "RADIUS server",
            namespace.command(sys.executable, os.path.join(here, "radius.py"), "--listen", "127.0.0.1:1812", "--secret",
                              "radsecret", "--user", user, "--password", password, "--address", "10.67.0.10"),
            os.path.join(directory, "radius.log"))
        self.radius.wait_for(r"^listening", 10)
        configuration = os.path.join(directory, "startup-config")
        with open(configuration, "w") as file:
            file.write(f"""set debug 4
set log_file "{directory}/l2tpns.log"
set pid_file "{directory}/l2tpns.pid"
set hostname "{name}"
set l2tp_secret "{secret}"
set bind_address {address}
set peer_address 10.67.0.1
set cli_bind_address 127.0.0.1
set primary_radius 127.0.0.1
set primary_radius_port 1812
set radius_secret "radsecret"
set radius_authtypes "{protocols}"
set allow_duplicate_users yes
set echo_timeout 2
set idle_echo_timeout 8
set cluster_interface "lo"
set cluster_hb_interval 1
set cluster_hb_timeout 3
set cluster_master_min_adv 0
""")
        self.process = Process(
            "l2tpns", namespace.command("l2tpns", "-c", configuration), os.path.join(directory, "console.log"))
        namespace.ip("addr", "add", "10.67.0.1/32", "dev", "lo")

    @property
    def log(self):
        try:
            with open(os.path.join(self.directory, "l2tpns.log"), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_listening(self, timeout=20):
        def listening():
            if not self.process.running:
                raise LabError(f"l2tpns ended: {self.process.tail()} {self.log[-600:]}")
            return ":1701 " in self.namespace.execute("ss", "-Hlnu").stdout

        wait_until(listening, timeout, "l2tpns listens on port 1701")
        return self

    def stop(self):
        self.process.signal(signal.SIGTERM)
        self.process.stop()
        self.radius.stop()


class DeafServer:
    """An address in a namespace that takes what is sent to UDP port 1701 and never answers: an LNS that is dead."""

    PROGRAM = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 1701))
print("deaf", flush=True)
while True:
    s.recv(65535)
"""

    def __init__(self, lab, address, segment="core"):
        namespace = lab.namespaces[segment]
        namespace.ip("addr", "add", f"{address}/24", "dev", "br0")
        self.process = Process(
            f"deaf {address}", namespace.command(sys.executable, "-c", self.PROGRAM, address), lab.path(f"deaf-{address}.log"))
        lab.undo.append(self.process.stop)
        self.process.wait_for(r"^deaf", 10)


class FailingServer:
    """An LNS in a namespace that forgets its control channels at command, and recovers them by RFC 4951."""

    def __init__(self, lab, address=LNS_ADDRESS, secret=TUNNEL_SECRET, segment="core"):
        namespace = lab.namespaces[segment]
        namespace.ip("addr", "add", f"{address}/24", "dev", "br0")
        here = os.path.dirname(os.path.abspath(__file__))
        self.process = Process(
            "failing LNS", namespace.command(sys.executable, os.path.join(here, "failover_lns.py"), address, secret),
            lab.path("failing-lns.log"), pipe_input=True)
        lab.undo.append(self.process.stop)
        self.process.wait_for(r"^listening", 10)

    def command(self, text):
        """Tells it to do something, and waits until it was done. Answers where in its log that begins."""
        start = len(self.process.text())
        self.process.child.stdin.write(f"{text}\n".encode())
        self.process.child.stdin.flush()
        self.process.wait_for(f"^done: {text}$", 10, start)
        return start


class Relay:
    """Stands between the node's IPv6 and an LNS that speaks IPv4 alone; runs in a namespace, in the lab's care."""

    def __init__(self, lab, namespace, ipv6, ipv4, lns=LNS_ADDRESS):
        here = os.path.dirname(os.path.abspath(__file__))
        self.process = Process(
            "relay", namespace.command(sys.executable, os.path.join(here, "relay.py"), ipv6, ipv4, lns),
            lab.path("relay.log"))
        lab.undo.append(self.process.stop)
        self.process.wait_for(r"^relaying", 10)
