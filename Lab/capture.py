"""Captures of a segment, and what tshark says about them."""

import os
import signal

from .management import RADIUS_SECRET
from .process import LabError, Process, execute


class Capture:
    """A running capture of one interface of a namespace, every frame whole."""

    def __init__(self, namespace, interface, path):
        self.path = path
        self.process = Process(
            f"tcpdump of {os.path.basename(path)}",
            namespace.command("tcpdump", "-i", interface, "-s", 0, "-U", "-B", 16384, "--immediate-mode", "-Z", "root",
                              "-w", path),
            path + ".log")
        self.process.wait_for(r"listening on", 10)

    def stop(self):
        """Ends the capture, with all that it has seen in the file."""
        self.process.signal(signal.SIGINT)
        self.process.wait(10)
        return self

    def fields(self, display_filter, *names, timeout=120):
        """One list of field values for every frame that the filter takes; a field that a frame has not is empty, a field
        that it has several times gives its first value."""
        arguments = ["tshark", "-n", "-r", self.path, "-Y", display_filter, "-T", "fields", "-E", "occurrence=f"]
        # Checksums are verified: nothing in the lab may leave them to hardware. So are the authenticators of RADIUS.
        for preference in ("ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "radius.validate_authenticator:TRUE",
                           f"radius.shared_secret:{RADIUS_SECRET}"):
            arguments += ["-o", preference]
        for name in names:
            arguments += ["-e", name]
        # While the capture runs, its last frame may be half in the file, which is status 2.
        done = execute(arguments, timeout=timeout, check=not self.process.running)
        if done.returncode not in (0, 2):
            raise LabError(f"tshark: {done.stderr.strip()}")
        output = done.stdout
        return [line.split("\t") for line in output.splitlines()]

    def count(self, display_filter):
        return len(self.fields(display_filter, "frame.number"))
