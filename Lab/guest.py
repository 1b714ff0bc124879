"""A guest: user-mode-linux with the host's own root directory, read-only, and one TAP as its network device.

The guest's process 1 (`guest/init.sh`) reads numbers from its console, runs the command file of that number and answers
with `MARK DONE number status`. When the console closes, the guest powers off: it cannot outlive the lab.
"""

import hashlib
import os
import re
import shlex
import shutil
import signal

from .process import LabError, LabTimeout, Process, wait_until

NUDGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nudge.py")
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest")


def mac_address(name):
    """A locally administered MAC address that depends on the guest's name only, so that a guest can come back as itself."""
    return "02:" + ":".join(f"{byte:02x}" for byte in hashlib.sha256(name.encode()).digest()[:5])


class Guest:
    """One running guest. `directory` is shared with it: the guest sees it as /mnt."""

    def __init__(self, name, namespace, bridge, directory, memory=96, mtu=1500, tap_mtu=1600):
        self.name = name
        self.namespace = namespace
        self.tap = f"t-{name}"[:15]
        self.mac = mac_address(name)
        self.directory = directory
        self.count = 0
        shutil.copytree(SCRIPTS, directory)
        os.chmod(os.path.join(directory, "init.sh"), 0o755)
        namespace.tap(self.tap, bridge, tap_mtu)
        device = f"vec0:transport=tap,ifname={self.tap},depth=64,gro=0,mtu={mtu},mac={self.mac}"
        self.process = Process(
            f"guest {name}",
            namespace.command(
                # A process namespace of its own: a killed user-mode-linux leaves its traced children behind otherwise.
                "unshare", "--fork", "--pid", "--mount-proc", "--kill-child=KILL", "linux.uml", f"mem={memory}M",
                f"umid={name}", f"uml_dir={directory}/umid", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
                f"init={directory}/init.sh", "quiet", "loglevel=4", "con=null", "con0=fd:0,fd:1", "ssl=null", device,
                f"hostdir={directory}"),
            os.path.join(directory, "console.log"),
            # Guest memory is an unlinked file here; a tmpfs keeps it off the disk.
            environment={"TMPDIR": "/dev/shm"}, pipe_input=True)
        self.nudge = Process(
            f"nudge of guest {name}", namespace.command("/usr/bin/python3", NUDGE, self.tap, self.mac),
            os.path.join(directory, "nudge.log"))

    def wait_booted(self, timeout=60):
        self.process.wait_for(r"^MARK BOOTED", timeout)
        return self

    def start(self, script, timeout=20, **variables):
        """Runs shell text in the guest, in the background of this side: returns the number that `finish` waits for."""
        self.count += 1
        number = self.count
        path = self.path(f"command-{number}.sh")
        with open(path + ".new", "w") as file:
            for key, value in variables.items():
                file.write(f"{key}={shlex.quote(str(value))}\n")
            file.write(f"limit={int(timeout)}\n{script}\n")
        os.rename(path + ".new", path)
        try:
            self.process.child.stdin.write(f"{number}\n".encode())
            self.process.child.stdin.flush()
        except OSError as error:
            raise LabError(f"guest {self.name} is gone: {self.process.tail()}") from error
        return number

    def finish(self, number, timeout=20):
        """Waits for a started command: exit status and output."""
        match = self.process.wait_for(rf"^MARK DONE {number} (\d+)\r?$", timeout)
        return int(match.group(1)), self.read(f"output-{number}")

    def run(self, script, timeout=20, check=True, **variables):
        """Runs shell text in the guest with `variables` set, and returns its output; `LabError` if it fails."""
        status, output = self.finish(self.start(script, timeout, **variables), timeout)
        if check and status != 0:
            raise LabError(f"guest {self.name}: {script!r}: exit status {status}: {output.strip()}")
        return output

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        """The text of a file in the shared directory; empty while it is not there."""
        try:
            with open(self.path(name), "r", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for(self, name, pattern, timeout, start=0):
        """Waits until the shared file `name` has a line that matches `pattern`, and returns the match."""
        compiled = re.compile(pattern, re.MULTILINE)

        def found():
            match = compiled.search(self.read(name), start)
            if match is None and not self.process.running:
                raise LabError(f"guest {self.name} ended: {self.process.tail()}")
            return match

        try:
            return wait_until(found, timeout, f"guest {self.name}, {name}: {pattern!r}")
        except LabTimeout as error:
            tail = " | ".join(self.read(name).strip().splitlines()[-6:])
            raise LabTimeout(f"{error}; last lines: {tail}") from None

    def power_off(self):
        """Ends the guest in order, by closing its console."""
        try:
            self.process.child.stdin.close()
            self.process.wait(3)
        except (OSError, LabTimeout):
            return self.kill()
        self.disconnect()

    def kill(self):
        """Ends the guest as a power failure does."""
        # The first process of its namespace takes all others along; `unshare` waits for it and then ends too.
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        try:
            with open(children) as file:
                for pid in file.read().split():
                    os.kill(int(pid), signal.SIGKILL)
            self.process.wait(3)
        except (OSError, LabTimeout):
            self.process.kill()
        try:
            self.process.child.stdin.close()
        except OSError:
            pass
        self.disconnect()

    def disconnect(self):
        """Takes the network device of a guest that has ended away."""
        self.nudge.kill()
        self.namespace.remove_link(self.tap)
