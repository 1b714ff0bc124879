"""Culvert in the lab: its configuration, its two processes, and what its command line says of itself."""

import json
import os
import re
import signal

from .peers import LNS_ADDRESS, NODE_ADDRESS, TUNNEL_SECRET
from .process import LabError, Process, execute, wait_until

PROGRAMS = ("culvert-dataplane", "culvertd", "culvert")
HUGE_PAGES = 128


def program_directory():
    """Where the built programs are: CULVERT_BIN, or the release build of this checkout."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.environ.get("CULVERT_BIN") or os.path.join(here, ".build", "release")


def missing_programs():
    """The programs of Culvert that are not built."""
    return [name for name in PROGRAMS if not os.access(os.path.join(program_directory(), name), os.X_OK)]


def to_yaml(value, indent=0):
    """A tree of dictionaries, lists and scalars as YAML in block style. Texts are quoted, so that none turns into a number."""
    pad = "  " * indent
    if isinstance(value, dict):
        lines = []
        for key, item in value.items():
            if isinstance(item, (dict, list)) and item:
                lines.append(f"{pad}{key}:\n{to_yaml(item, indent + 1)}")
            else:
                lines.append(f"{pad}{key}: {to_yaml(item)}")
        return "\n".join(lines)
    if isinstance(value, list):
        return "\n".join(f"{pad}- " + to_yaml(item, indent + 1).lstrip() for item in value) if value else "[]"
    return json.dumps(value)


def for_this_machine(text, devices):
    """A configuration with other devices, this machine's cores, and workers that sleep when nothing comes."""
    processors = sorted(os.sched_getaffinity(0))
    named = re.findall(r'device: ("[^"]+")', text)
    if len(named) != len(devices):
        raise LabError(f"{len(named)} devices in a configuration where {len(devices)} were expected")
    for old, new in zip(named, devices):
        text = text.replace(old, f'"{new}"')
    for pattern, line in ((r"^  main-core: .*$", f"  main-core: {processors[0]}"),
                          (r"^  cores: .*$", f'  cores: "{processors[-1]}"\n  idle: sleep 100')):
        text, times = re.subn(pattern, line, text, flags=re.MULTILINE)
        if times != 1:
            raise LabError(f"{pattern!r} matches {times} lines of a configuration")
    return text


def radius_sections(*servers, group="my_group", clients=(), **settings):
    """Sections that make these RADIUS servers of the lab one group, the first choice first. `settings` are each server's;
    without them a server that says nothing is passed over after two seconds, for as long. `clients` may send CoA and
    Disconnect."""
    settings = {"timeout": 1, "retransmit": 1, "dead-time": 2, **settings}
    radius = {"nas-identifier": "lac1"}
    if clients:
        radius["dynamic-authorization"] = {"clients": [{"address": one.address, "key": one.secret} for one in clients]}
    return {
        "radius-server": [server.setting(**settings) for server in servers],
        "aaa-group-server-radius": [{"name": group, "servers": [server.address for server in servers]}],
        "radius": radius,
    }


class Culvert:
    """The node of a lab: a LAC between `access0` and `core0`."""

    def __init__(self, lab):
        absent = missing_programs()
        if absent:
            raise LabError(f"not built: {', '.join(absent)} in {program_directory()}; run swift build -c release")
        self.lab = lab
        self.file = lab.path("culvert.yaml")
        self.socket = lab.path("culvertd.sock")
        self.starts = 0
        self.dataplane = self.daemon = None

    def configure(self, protocols=("chap", "pap"), service_name="any", secret=TUNNEL_SECRET, vlans=None, profile=None,
                  instance=None, dataplane=None, core_addresses=None, lns=LNS_ADDRESS, l2tp=None, sections=None,
                  control=None):
        """Writes the configuration file. `vlans` is what the port's tags may be, `OUTER.INNER` for two tags; `profile`,
        `instance`, `l2tp`, `control` and `dataplane` add settings to these sections, `sections` adds sections; `core_addresses` and
        `lns` are others than usual."""
        processors = sorted(os.sched_getaffinity(0))
        access = {"name": "access0", "pppoe-ac-service": "mylittleac"}
        if vlans is not None:
            outer, _, inner = str(vlans).partition(".")
            access["vlans"] = outer
            if inner:
                access["inner-vlans"] = inner
        service = {
            "name": "mylittleac",
            "service-name": service_name,
            "ppp-auth-protocols": list(protocols),
            "destination": "l2tp",
            "l2tp": {"peer-address": f"static {lns}", "profile": "isp1", **(l2tp or {})},
            **(instance or {}),
        }
        tree = {
            "dataplane": {
                "segment": self.lab.segment,
                "memory": "auto",
                "main-core": processors[0],
                "cores": str(processors[-1]),
                # A lab shares its machine: workers sleep when nothing comes.
                "idle": "sleep 100",
                "ports": [
                    {"name": "access0", "device": "net_af_packet0,iface=acc0", "mtu": 1508},
                    {"name": "core0", "device": "net_af_packet1,iface=core0", "mtu": 1500},
                ],
                **(dataplane or {}),
            },
            "control": {"rpc-socket": self.socket, "store": self.lab.path("culvert.sqlite"), **(control or {})},
            "interfaces": [access, {"name": "core0", "ip-address": core_addresses or f"{NODE_ADDRESS}/24"}],
            "pppoe-ac": [service],
            "l2tp-profile": [
                {"name": "isp1", "version": 2, **({"shared-secret": secret} if secret else {}), **(profile or {})}],
            **(sections or {}),
        }
        with open(self.file, "w") as file:
            file.write(to_yaml(tree) + "\n")
        return self

    def configure_from(self, path):
        """Takes a configuration file as it is but for what belongs to a machine."""
        with open(path) as file:
            text = for_this_machine(file.read(), ("net_af_packet0,iface=acc0", "net_af_packet1,iface=core0"))
        with open(self.file, "w") as file:
            file.write(text.replace("dataplane:\n", f"dataplane:\n  segment: {self.lab.segment}\n", 1)
                       + f"\ncontrol: {{rpc-socket: {self.socket}, store: {self.lab.path('culvert.sqlite')}}}\n")
        return self

    def program(self, name):
        return os.path.join(program_directory(), name)

    def spawn(self, name):
        """Starts one of the two daemons and returns its process; it is in the lab's care."""
        self.starts += 1
        process = Process(
            name, self.lab.node.command(self.program(name), "--config", self.file),
            self.lab.path(f"{name}-{self.starts}.log"))
        self.lab.undo.append(process.stop)
        return process

    def start_dataplane(self, timeout=30):
        """Starts the data plane and waits until its segment is there."""
        self.dataplane = self.spawn("culvert-dataplane")

        def ready():
            if not self.dataplane.running:
                raise LabError(f"culvert-dataplane ended (exit status {self.dataplane.status}): {self.dataplane.tail()}")
            return os.path.exists(self.lab.segment) and os.path.getsize(self.lab.segment) > 0

        wait_until(ready, timeout, f"culvert-dataplane makes {self.lab.segment}; {self.dataplane.tail()}")

    def start_daemon(self, timeout=30):
        """Starts culvertd and waits until it answers and sees the data plane alive."""
        self.daemon = self.spawn("culvertd")

        def ready():
            if not self.daemon.running:
                raise LabError(f"culvertd ended (exit status {self.daemon.status}): {self.daemon.tail()}")
            status = self.command("show", "status", "--json", check=False)
            if status.returncode != 0:
                return False
            return json.loads(status.stdout)["data_plane"]["alive"]

        wait_until(ready, timeout, f"culvertd answers and sees the data plane; {self.daemon.tail()}", interval=0.1)

    def start(self):
        self.start_dataplane()
        self.start_daemon()
        return self

    def stop(self):
        """Ends both in order; their exit statuses, data plane first."""
        daemon = self.daemon.stop(10)
        return self.dataplane.stop(10), daemon

    def kill(self):
        """Ends both without a chance to clean up."""
        self.daemon.signal(signal.SIGKILL)
        self.dataplane.signal(signal.SIGKILL)
        return self.dataplane.wait(10), self.daemon.wait(10)

    def command(self, *arguments, check=True, timeout=15):
        """Runs `culvert` against this node's culvertd."""
        return self.command_without_socket(*arguments, "--socket", self.socket, check=check, timeout=timeout)

    def command_without_socket(self, *arguments, check=True, timeout=15):
        """Runs `culvert` where it needs no culvertd."""
        return execute([self.program("culvert"), *arguments], check=check, timeout=timeout)

    def show(self, *arguments):
        """What `culvert show ...` prints for people."""
        return self.command("show", *arguments).stdout.rstrip()

    def objects(self, *arguments):
        """What `culvert show ... --json` says: a list of objects."""
        text = self.command("show", *arguments, "--json").stdout
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            raise LabError(f"culvert show {' '.join(arguments)} --json is not JSON: {error}: {text[:200]!r}") from error
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise LabError(f"culvert show {' '.join(arguments)} --json is not a list of objects: {text[:200]!r}")
        return value

    def status(self):
        """What `culvert show status --json` says: one object."""
        return json.loads(self.command("show", "status", "--json").stdout)

    def connections(self):
        return self.objects("pppoe-ac", "connections")

    def tunnels(self):
        return self.objects("l2tp", "tunnel")

    def sessions(self):
        return self.objects("l2tp", "session")

    def statistics(self):
        """The access concentrator's counters, by name."""
        return {counter["name"]: counter["value"] for counter in self.objects("pppoe-ac", "statistics")}

    def state(self):
        """How many connections, tunnels and sessions there are."""
        return len(self.connections()), len(self.tunnels()), len(self.sessions())

    def wait_state(self, connections, tunnels, sessions, timeout=30):
        """Waits for these numbers; nothing for a number that does not matter."""
        wanted = (connections, tunnels, sessions)

        def reached():
            seen = self.state()
            return all(want is None or want == have for want, have in zip(wanted, seen))

        try:
            wait_until(reached, timeout, "", interval=0.2)
        except LabError:
            raise LabError(
                f"connections, tunnels, sessions are {self.state()} and not {wanted} after {timeout:g} s") from None

    def traffic(self):
        """Counters of the only session: packets and octets from the LNS, packets and octets to it."""
        sessions = self.sessions()
        if len(sessions) != 1:
            raise LabError(f"{len(sessions)} sessions where one was expected")
        data = sessions[0]["data"]
        return tuple(data[name] for name in ("rx_packets", "rx_octets", "tx_packets", "tx_octets"))
