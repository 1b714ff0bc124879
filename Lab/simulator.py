"""The simulator of bench-setup as one of a lab's peers: its clients on the access segment, its LNS on the core segment."""

import json
import os

from .culvert import program_directory
from .network import veth
from .peers import LNS_ADDRESS, PASSWORD, TUNNEL_SECRET, USER
from .process import LabError, Process


def missing_simulator():
    """Why there is no simulator; nothing where there is one."""
    path = os.path.join(program_directory(), "bench-setup")
    return None if os.access(path, os.X_OK) else f"no {path}: swift build -c release --product bench-setup"


class Simulator:
    """A run of bench-setup on an interface of its own at a segment's bridge."""

    def __init__(self, lab, segment, command, **options):
        reason = missing_simulator()
        if reason:
            raise LabError(reason)
        namespace = lab.namespaces[segment]
        veth(namespace, "sim0", namespace, "simbr", 1600)
        namespace.ip("link", "set", "simbr", "master", "br0")
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.process = Process(
            f"bench-setup {command}",
            namespace.command(os.path.join(program_directory(), "bench-setup"), command, "--device",
                              "net_af_packet0,iface=sim0", *words),
            lab.path(f"simulator-{command}.log"))
        lab.undo.append(self.process.stop)

    def figures(self):
        """The last line of JSON that it has written."""
        lines = [line for line in self.process.text().splitlines() if line.startswith("{")]
        if not lines:
            raise LabError(f"{self.process.name} has written no figures: {self.process.tail()}")
        return json.loads(lines[-1])


class SimulatedClients(Simulator):
    """Many clients that dial at once."""

    def __init__(self, lab, count, proof, hold=5, user=USER, password=PASSWORD):
        super().__init__(lab, "access", "dial", clients=count, proof=proof, hold=hold, user=user, password=password)

    def wait_up(self, count, timeout=60):
        """Waits until it has said how many are up, which have to be `count`."""
        up = int(self.process.wait_for(r'^\{"up": (\d+)\}', timeout).group(1))
        if up != count:
            raise LabError(f"{up} of {count} simulated clients are up")
        return self

    def wait_end(self, timeout=60):
        """Waits until all have hung up; the figures."""
        status = self.process.wait(timeout)
        if status != 0:
            raise LabError(f"{self.process.name} has ended with status {status}: {self.process.tail()}")
        return self.figures()


class SimulatedLNS(Simulator):
    """An LNS."""

    def __init__(self, lab, address=LNS_ADDRESS, secret=TUNNEL_SECRET, password=PASSWORD):
        super().__init__(lab, "core", "serve", address=address, secret=secret, password=password)
        self.process.wait_for(r'^\{"serving"', 30)

    def end(self):
        """Ends it; the figures."""
        status = self.process.stop(10)
        if status != 0:
            raise LabError(f"{self.process.name} has ended with status {status}: {self.process.tail()}")
        return self.figures()
