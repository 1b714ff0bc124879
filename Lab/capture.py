"""Captures of a segment, and what tshark says about them."""

import os
import signal

from .process import Process, execute


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
        # Checksums are verified: nothing in the lab may leave them to hardware.
        for preference in ("ip.check_checksum:TRUE", "udp.check_checksum:TRUE"):
            arguments += ["-o", preference]
        for name in names:
            arguments += ["-e", name]
        output = execute(arguments, timeout=timeout).stdout
        return [line.split("\t") for line in output.splitlines()]

    def count(self, display_filter):
        return len(self.fields(display_filter, "frame.number"))
