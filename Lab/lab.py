"""One lab: four namespaces, three segments, and a list of what has to be undone.

    client guests --TAP-- br0 --veth-- acc0  [node]  core0 --veth-- br0 --TAP-- LNS guests
               (namespace access)      (namespace node)      (namespace core)
                                         mgmt0
                                           | veth
                                          br0  FreeRADIUS, unbound
                                  (namespace management)

The data plane takes acc0 and core0; mgmt0 is the kernel's, and what culvertd asks others for goes through it.

Everything that a lab makes carries its own name; any number of labs can run at once. A lab that was killed without a
chance to clean up is swept away by the next one.
"""

import fcntl
import json
import os
import shutil
import signal
import time

from .capture import Capture
from .guest import Guest
from .hugepages import HugePages
from .management import NODE_MANAGEMENT
from .network import Namespace, veth
from .process import LabError

ROOT = "/run/culvert-lab"
PREFIX = "culvert-"
SEGMENTS = ("access", "core", "management")
ACCESS_MAC = "02:00:5e:00:00:a0"
CORE_MAC = "02:00:5e:00:00:c0"
MANAGEMENT_MAC = "02:00:5e:00:00:40"
BRIDGE_MTU = 1600


def missing():
    """What this machine lacks to run a lab, in words; empty if nothing."""
    reasons = []
    if os.geteuid() != 0:
        reasons.append("not root")
    for program, package in (("ip", "iproute2"), ("linux.uml", "user-mode-linux"), ("pppd", "ppp"),
                             ("pppoe-server", "pppoe"), ("xl2tpd", "xl2tpd"), ("busybox", "busybox-static"),
                             ("ethtool", "ethtool"), ("tcpdump", "tcpdump"), ("tshark", "tshark"),
                             ("modprobe", "kmod"), ("ping", "iputils-ping"), ("fping", "fping"), ("freeradius", "freeradius"),
                             ("radclient", "freeradius-utils"), ("unbound", "unbound"), ("dig", "bind9-dnsutils")):
        if shutil.which(program, mode=os.F_OK, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            reasons.append(f"no {program} (package {package})")
    if not os.path.exists("/dev/net/tun"):
        reasons.append("no /dev/net/tun")
    return reasons


class Lab:
    """Use it as a context: what it made is gone afterwards, whatever happened."""

    def __init__(self, report=None):
        self.report = report or (lambda text: None)
        self.undo = []
        self.guests = {}
        self.captures = {}
        self.namespaces = {}

    def __enter__(self):
        for reason in missing():
            raise LabError(f"the lab cannot run here: {reason}")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        os.makedirs(ROOT, mode=0o700, exist_ok=True)
        sweep()
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _build(self):
        self.id = f"{os.getpid()}-{int(time.monotonic() * 1000) % 100000}"
        self.directory = os.path.join(ROOT, self.id)
        os.mkdir(self.directory, 0o700)
        self.undo.append(lambda: shutil.rmtree(self.directory, ignore_errors=True))
        # Whoever holds this lock owns the lab; it is released by the kernel if the owner dies.
        self.lock = open(os.path.join(self.directory, "lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.undo.append(self.lock.close)
        self.segment = f"/dev/shm/culvert-lab-{self.id}.segment"
        self.undo.append(lambda: _remove(self.segment))
        for name in ("node", *SEGMENTS):
            namespace = Namespace(f"{PREFIX}{self.id}-{name}")
            self.namespaces[name] = namespace
            self.undo.append(namespace.remove)
        self.node = self.namespaces["node"]
        for segment, port, address in (("access", "acc0", ACCESS_MAC), ("core", "core0", CORE_MAC)):
            namespace = self.namespaces[segment]
            namespace.bridge("br0", BRIDGE_MTU)
            veth(self.node, port, namespace, "uplink", BRIDGE_MTU, near_address=address)
            namespace.ip("link", "set", "uplink", "master", "br0")
            namespace.checksums_in_software("br0")
        management = self.namespaces["management"]
        management.bridge("br0", 1500)
        veth(self.node, "mgmt0", management, "uplink", 1500, near_address=MANAGEMENT_MAC)
        management.ip("link", "set", "uplink", "master", "br0")
        management.checksums_in_software("br0")
        for namespace, interface in ((self.node, "mgmt0"), (management, "br0"), (management, "lo")):
            namespace.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", 0)
        self.management_address(f"{NODE_MANAGEMENT}/24")

    def management_address(self, address):
        """Gives the node one more address in the management network: ADDRESS/LENGTH, IPv4 or IPv6."""
        self.node.ip("addr", "add", address, "dev", "mgmt0", *(["nodad"] if ":" in address else []))

    def close(self):
        """Removes everything, the newest first. A second signal does not stop it half-way."""
        held = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            while self.undo:
                step = self.undo.pop()
                try:
                    step()
                except Exception as error:  # the rest must go all the same
                    self.report(f"while cleaning up: {error}")
        finally:
            for number, handler in held.items():
                signal.signal(number, handler)

    def path(self, name):
        return os.path.join(self.directory, name)

    def reserve_huge_pages(self, count):
        """Reserves 2 MB pages until the lab ends; how many more there are now, which may be none."""
        pages = HugePages(count, self.path("huge-pages"))
        self.undo.append(pages.release)
        return pages.added

    def guest(self, name, segment, **options):
        """Starts a guest on a segment; it is booting when this returns."""
        directory = self.path(f"guest-{name}")
        if os.path.exists(directory):
            # One of that name was here before; what it logged stays.
            os.rename(directory, f"{directory}-before-{len(self.undo)}")
        guest = Guest(name, self.namespaces[segment], "br0", directory, **options)
        self.guests[name] = guest
        self.undo.append(guest.kill)
        return guest

    def capture(self, segment):
        """Captures a whole segment from now on."""
        capture = Capture(self.namespaces[segment], "br0", self.path(f"{segment}.pcap"))
        self.captures[segment] = capture
        self.undo.append(lambda: capture.process.running and capture.process.kill())
        return capture

    def log_tails(self, lines=8):
        """The ends of all logs, for a report of a failure."""
        tails = []
        for base, _, files in sorted(os.walk(self.directory)):
            for name in sorted(files):
                if name.endswith(".log") and not name.endswith(".pcap.log"):
                    path = os.path.join(base, name)
                    with open(path, errors="replace") as file:
                        tail = file.read().rstrip().splitlines()[-lines:]
                    if tail:
                        tails.append(f"--- {os.path.relpath(path, self.directory)}\n" + "\n".join(tail))
        return "\n".join(tails)

    def keep(self, directory):
        """Copies captures and logs to `directory`, for a look after a failure."""
        os.makedirs(directory, exist_ok=True)
        for base, folders, files in os.walk(self.directory):
            folders[:] = [folder for folder in folders if folder != "umid"]
            for name in files:
                source = os.path.join(base, name)
                if os.path.isfile(source) and name != "lock":
                    target = os.path.join(directory, os.path.relpath(source, self.directory).replace("/", "-"))
                    shutil.copyfile(source, target)


def _interrupt(number, _):
    raise KeyboardInterrupt(signal.Signals(number).name)


def _remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def sweep():
    """Removes what labs left behind whose owner was killed."""
    for name in os.listdir(ROOT):
        directory = os.path.join(ROOT, name)
        try:
            with open(os.path.join(directory, "lock"), "r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for namespace in Namespace.existing():
                    if namespace.startswith(f"{PREFIX}{name}-"):
                        Namespace.remove_named(namespace)
                _remove(f"/dev/shm/culvert-lab-{name}.segment")
                HugePages.release_left_behind(os.path.join(directory, "huge-pages"))
                shutil.rmtree(directory, ignore_errors=True)
        except (OSError, json.JSONDecodeError):
            continue  # in use, or another lab is sweeping it
