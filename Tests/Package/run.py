#!/usr/bin/python3
"""Makes the Debian package and tries it in a clean Debian 12 that runs its own systemd.

    python3 Tests/Package/run.py

The clean Debian is made by mmdebstrap from the mirrors that this machine uses, and kept in .build/deb; it is unpacked anew each time. Into
it go the package's dependencies and nothing else. It boots in a container (systemd-nspawn) with a network namespace of its own, so the
services run as the units say: users, capabilities, system call filters and all. The last line is `N passed, N failed`.
"""

import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, ROOT)

from Lab.culvert import for_this_machine  # noqa: E402
from Lab.network import Namespace, veth  # noqa: E402
from Lab.process import LabError, Process, execute, wait_until  # noqa: E402

BUILD = os.path.join(ROOT, ".build", "deb")
SOURCES = "/etc/apt/sources.list.d/debian.sources"
UNITS = ("culvert.target", "culvert-dataplane.service", "culvertd.service")
# systemd's own measure of exposure, from 0 to 100.
EXPOSURE = {"culvert-dataplane.service": 27, "culvertd.service": 14}
# What apt, dpkg, systemd and a running machine write by themselves.
NOT_OURS = re.compile(r"^(proc|sys|dev|run|tmp|var/(cache|log|lib/(dpkg|apt|systemd)|tmp)|etc/(machine-id|.*-$|\.updated|.*\.cache)|root)(/|$)"
                      r"|^var/\.updated$|^etc/\.pwd\.lock$")
ACCESS_MAC = "02:00:5e:00:00:a0"
CLIENT_MAC = bytes.fromhex("020000000001")

PADI = """
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x8863))
s.bind(("client", 0))
s.settimeout(0.5)
client = bytes.fromhex(sys.argv[1])
tags = struct.pack("!HH", 0x0101, 0) + struct.pack("!HH4s", 0x0103, 4, b"uniq")
padi = b"\\xff" * 6 + client + struct.pack("!HBBHH", 0x8863, 0x11, 9, 0, len(tags)) + tags
for _ in range(20):
    s.send(padi + bytes(max(0, 60 - len(padi))))
    try:
        frame = s.recv(2000)
    except TimeoutError:
        continue
    if frame[:6] == client and frame[15] == 7:
        print(frame[6:12].hex(":"))
        break
"""


def expect(condition, text):
    if not condition:
        raise LabError(text)


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


class CleanDebian:
    """A directory with a clean Debian 12, gone afterwards; it can be booted."""

    def __init__(self):
        self.undo = []
        self.machine = None

    def __enter__(self):
        try:
            self.unpack()
        except BaseException:
            self.__exit__()
            raise
        return self

    def unpack(self):
        archive = os.path.join(BUILD, "clean.tar")
        if not os.path.exists(archive):
            started = os.path.join(BUILD, f"new-{os.getpid()}.tar")
            execute(["mmdebstrap", "--quiet", "--variant=apt", "--include=systemd-sysv", "--skip=cleanup/apt/lists", "bookworm",
                     started, SOURCES], timeout=600)
            os.rename(started, archive)
        self.directory = tempfile.mkdtemp(prefix="clean-", dir=BUILD)
        os.chmod(self.directory, 0o755)
        self.undo.append(lambda: shutil.rmtree(self.directory, ignore_errors=True))
        execute(["tar", "-xf", archive, "-C", self.directory, "--numeric-owner"], timeout=120)

    def __exit__(self, *_):
        while self.undo:
            self.undo.pop()()

    def path(self, name):
        return os.path.join(self.directory, name.lstrip("/"))

    def chroot(self, *command, **options):
        """Runs a command in it while it is not booted."""
        return execute(["unshare", "--mount", "--fork", "--pid", "--kill-child", "sh", "-c",
                        'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', self.directory, *command], **options)

    def boot(self):
        """Starts its systemd, with two interfaces whose other ends are in the namespace `outside`."""
        self.node, self.outside = (Namespace(f"culvert-deb-{os.getpid()}-{name}") for name in ("node", "outside"))
        self.undo += [self.node.remove, self.outside.remove]
        veth(self.node, "acc0", self.outside, "client", 1600, near_address=ACCESS_MAC)
        veth(self.node, "core0", self.outside, "lns", 1600)
        self.machine = Process(
            "systemd-nspawn", ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe",
                               "--timezone=off", "--resolv-conf=off",
                               f"--network-namespace-path=/run/netns/{self.node.name}",
                               "--capability=CAP_NET_ADMIN,CAP_BPF,CAP_IPC_LOCK", "-D", self.directory],
            self.path("../nspawn.log"))
        self.undo.append(self.end)

        def leader():
            children = read(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children").split()
            return next((pid for pid in children if read(f"/proc/{pid}/comm").strip() == "systemd"), None)

        self.pid = wait_until(leader, 30, "the container's systemd starts")
        wait_until(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"), 60,
                   "the clean Debian has booted")

    def end(self):
        """Cuts its power: the kernel ends all that runs in it."""
        if self.machine.running:
            os.kill(int(self.pid), signal.SIGKILL)
            self.machine.wait(20)

    def run(self, *command, **options):
        """Runs a command in it while it is booted."""
        return execute(["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", *command], **options)

    def show(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def journal(self):
        return self.run("journalctl", "-b", "--no-pager", "-o", "cat", "-u", "culvert*", check=False).stdout

    def files(self):
        """Everything that is in it, but for what others write: path, kind and owner."""
        found = {}
        for base, folders, names in os.walk(self.directory):
            relative = os.path.relpath(base, self.directory)
            folders[:] = [name for name in folders if not NOT_OURS.search(os.path.normpath(os.path.join(relative, name)))]
            for name in folders + names:
                path = os.path.normpath(os.path.join(relative, name))
                if not NOT_OURS.search(path):
                    status = os.lstat(os.path.join(base, name))
                    found[path] = (status.st_mode, status.st_uid, status.st_gid)
        return found

    def accounts(self):
        return {line.split(":")[0] for name in ("passwd", "group") for line in read(self.path(f"etc/{name}")).splitlines()}


class Trial:
    """The package from being made to being purged; each step is a check that goes on from the one before."""

    def make(self):
        """The package is made from the release build; its version is that of the programs."""
        execute([os.path.join(ROOT, "packaging", "build-deb"), BUILD], timeout=900)
        self.version = re.search(r'culvertVersion = "(.*)"', read(ROOT, "Sources/DataPlane/Settings/Version.swift"))[1]
        self.package = os.path.join(BUILD, f"culvert_{self.version}_{execute(['dpkg', '--print-architecture']).stdout.strip()}.deb")
        self.stage = os.path.join(BUILD, "stage")
        print(f"      {os.path.getsize(self.package) >> 20} MB packed", flush=True)

    def holds(self):
        """It holds programs, pages, completions, units and documents; the programs need no library but Debian's."""
        listed = execute(["dpkg-deb", "--contents", self.package]).stdout
        for mode, name in (
                ("-rwxr-xr-x", "usr/sbin/culvertd"), ("-rwxr-xr-x", "usr/sbin/culvert-dataplane"), ("-rwxr-xr-x", "usr/bin/culvert"),
                ("-rw-r-----", "etc/culvert/culvert.yaml"), ("-rw-r--r--", "usr/share/man/man8/culvertd.8.gz"),
                ("-rw-r--r--", "usr/share/man/man5/culvert.yaml.5.gz"), ("-rw-r--r--", "usr/share/bash-completion/completions/culvert"),
                ("-rw-r--r--", "usr/share/zsh/vendor-completions/_culvertd"),
                ("-rw-r--r--", "usr/share/fish/vendor_completions.d/culvert-dataplane.fish"),
                ("-rw-r--r--", "usr/share/doc/culvert/examples/lac.yaml"), ("-rw-r--r--", "usr/share/doc/culvert/copyright"),
                ("-rw-r--r--", "usr/share/culvert/proto/culvert/v1/culvert.proto"),
                *(("-rw-r--r--", f"usr/lib/systemd/system/{unit}") for unit in UNITS)):
            expect(re.search(rf"^{mode} root/root .* \./{re.escape(name)}$", listed, re.MULTILINE), f"no {name} with mode {mode}")
        for name in ("usr/sbin/culvertd", "usr/sbin/culvert-dataplane", "usr/bin/culvert"):
            dynamic = execute(["readelf", "-d", os.path.join(self.stage, name)]).stdout
            expect("RUNPATH" not in dynamic and "RPATH" not in dynamic, f"{name} looks for libraries in a folder of its own")
            expect(not re.search(r"NEEDED.*(swift|Foundation|dispatch)", dynamic), f"{name} needs a library of Swift's")

    def lints(self):
        """lintian has nothing to say that is not answered in packaging/debian/lintian-overrides."""
        done = execute(["lintian", "--fail-on", "error,warning", "--allow-root", "--tag-display-limit", "0", self.package],
                       timeout=300, check=False)
        expect(done.returncode == 0, f"lintian: {done.stdout.strip()}")

    def installs(self):
        """Its dependencies satisfied, dpkg alone installs it: users, rights, and nothing enabled or started."""
        self.debian.chroot("apt-get", "update", "-q", timeout=120)
        depends = execute(["dpkg-deb", "-f", self.package, "Depends"]).stdout.strip()
        self.debian.chroot("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "satisfy", "-y", "-q", "--no-install-recommends", depends,
                           timeout=300)
        self.files, self.accounts = self.debian.files(), self.debian.accounts()
        shutil.copy(self.package, self.debian.path("root/culvert.deb"))
        done = self.debian.chroot("dpkg", "--install", "/root/culvert.deb")
        expect("systemctl enable --now culvert.target" in done.stdout, f"dpkg does not say what to do next: {done.stdout}")
        status = os.stat(self.debian.path("etc/culvert/culvert.yaml"))
        group = self.debian.chroot("stat", "-c", "%U:%G", "/etc/culvert/culvert.yaml").stdout.strip()
        expect((status.st_mode & 0o777, group) == (0o640, "root:culvert"), f"the configuration has {status.st_mode:o} {group}")
        expect(self.debian.accounts() - self.accounts == {"culvert", "culvert-dataplane"}, "accounts that were made")
        for program in ("culvert", "culvertd", "culvert-dataplane"):
            said = self.debian.chroot(program, "--version").stdout.strip()
            expect(said == self.version, f"{program} --version says {said!r}")
        checked = self.debian.chroot("culvert", "check", "/etc/culvert/culvert.yaml", check=False)
        expect(checked.returncode == 0, f"the configuration of the package has faults: {checked.stdout}")
        for program in ("culvert", "culvertd", "culvert-dataplane"):
            offered = self.debian.chroot("bash", "-c", f"""
                . /usr/share/bash-completion/completions/{program}; complete -p {program}""").stdout
            expect(program in offered, f"bash does not complete {program}: {offered!r}")

    def units(self):
        """systemd has nothing to say against the units; services are as little exposed as they are said to be."""
        verified = execute(["systemd-analyze", "verify", f"--root={self.debian.directory}", "--man=no", "culvert.target",
                            "culvertd.service", "culvert-dataplane.service"], check=False)
        said = [line for line in verified.stderr.splitlines() if "culvert" in line]
        expect(verified.returncode == 0 and not said, f"systemd-analyze verify: {verified.stderr}")
        for unit, threshold in EXPOSURE.items():
            rated = execute(["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={threshold}",
                             os.path.join(self.stage, "usr/lib/systemd/system", unit)], check=False)
            expect(rated.returncode == 0, f"{unit}: {rated.stdout.strip().splitlines()[-1]}, more than {threshold / 10}")

    def boots(self):
        """The clean Debian boots; Culvert does not run, since nobody has enabled it."""
        self.debian.boot()
        for unit in UNITS:
            expect(self.debian.show(unit, "ActiveState") == "inactive", f"{unit} is {self.debian.show(unit, 'ActiveState')}")
        expect(self.debian.run("systemctl", "is-enabled", "culvert.target", check=False).stdout.strip() == "disabled", "enabled")

    def refuses(self):
        """A faulty configuration: the data plane says why and is not started over and over."""
        path = self.debian.path("etc/culvert/culvert.yaml")
        self.example = read(path)
        with open(path, "w") as file:
            file.write(self.example.replace("cores:", "coers:"))
        self.debian.run("systemctl", "start", "culvert-dataplane")
        wait_until(lambda: self.debian.show("culvert-dataplane", "ActiveState") == "failed", 10, "the data plane gives up")
        expect("coers" in self.debian.journal(), f"the journal does not name the fault: {self.debian.journal()}")
        with open(path, "w") as file:
            file.write(for_this_machine(self.example, ("net_af_packet0,iface=acc0", "net_af_packet1,iface=core0")))

    def starts(self):
        """Enabled and started, both services run as the units say, and the command line answers."""
        self.debian.run("systemctl", "enable", "--now", "culvert.target")
        self.wait_alive()
        for unit, user, capabilities in (("culvert-dataplane", "culvert-dataplane", 1 << 12 | 1 << 13 | 1 << 14 | 1 << 39),
                                         ("culvertd", "culvert", 0)):
            status = self.status(unit)
            uid = self.debian.run("id", "-u", user).stdout.strip()
            expect(status["Uid"].split()[0] == uid, f"{unit} runs as {status['Uid']}, not as {user} ({uid})")
            for field in ("CapEff", "CapBnd", "CapPrm"):
                expect(int(status[field], 16) == capabilities, f"{unit}: {field} is {status[field]}")
            expect((status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), f"{unit}: no new privileges, seccomp: {status}")
        # What the sandbox forbids (EPERM), nothing asks for.
        complaints = re.findall(r".*(?:errno=1\b|not permitted).*", self.debian.journal())
        expect(not complaints, f"the journal complains: {complaints}")

    def status(self, unit):
        text = self.debian.run("cat", f"/proc/{self.debian.show(unit, 'MainPID')}/status").stdout
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def wait_alive(self):
        def alive():
            done = self.debian.run("culvert", "show", "status", "--json", check=False)
            return done.returncode == 0 and json.loads(done.stdout)["data_plane"]["alive"]

        try:
            wait_until(alive, 40, "culvert show status answers and says that the data plane lives", interval=0.2)
        except LabError as error:
            raise LabError(f"{error}; the journal: {self.debian.journal()[-3000:]}") from None

    def serves(self):
        """A client's PADI on the access port is answered by PADO."""
        answer = self.debian.outside.execute(sys.executable, "-c", PADI, CLIENT_MAC.hex()).stdout.strip()
        expect(answer == ACCESS_MAC, f"the PADO comes from {answer!r}")

    def lets_in(self):
        """Members of the group culvert may use the command line, others may not."""
        def asks(*options):
            return self.debian.run("setpriv", "--reuid=nobody", "--regid=nogroup", *options, "culvert", "show", "status",
                                   check=False).returncode

        expect(asks("--groups=culvert") == 0, "a member of the group is refused")
        expect(asks("--clear-groups") == 2, "a stranger is not refused")

    def returns(self):
        """Killed, each service comes back by itself, and the data plane on the same segment."""
        for unit in ("culvertd", "culvert-dataplane"):
            before = self.debian.show(unit, "MainPID")
            self.debian.run("systemctl", "kill", "--signal=KILL", unit)
            wait_until(lambda: self.debian.show(unit, "MainPID") not in ("0", before), 15, f"{unit} is started again")
            self.wait_alive()
        wait_until(lambda: re.search(r"adopted$(.|\n)*forwarding$", self.debian.journal(), re.MULTILINE), 20,
                   "the data plane forwards again, by the segment that is there")
        self.serves()

    def is_upgraded(self):
        """Installed once more: what runs goes on, and the changed configuration stays."""
        running = [self.debian.show(unit, "MainPID") for unit in UNITS[1:]]
        configuration = read(self.debian.path("etc/culvert/culvert.yaml"))
        self.debian.run("dpkg", "--install", "/root/culvert.deb")
        expect(read(self.debian.path("etc/culvert/culvert.yaml")) == configuration, "the configuration was changed")
        expect([self.debian.show(unit, "MainPID") for unit in UNITS[1:]] == running, "a service was started again")

    def stops(self):
        """Stopped, both end in order; the segment stays."""
        self.debian.run("systemctl", "stop", "culvert.target")
        for unit in UNITS[1:]:
            wait_until(lambda: self.debian.show(unit, "ActiveState") in ("inactive", "failed"), 20, f"{unit} stops")
            expect(self.debian.show(unit, "Result") == "success", f"{unit} ends with {self.debian.show(unit, 'Result')}")
        self.debian.run("test", "-e", "/dev/shm/culvert")

    def goes(self):
        """Purged while it runs: it ends, and no file, account or link of its own is left."""
        self.debian.run("systemctl", "start", "culvert.target")
        self.wait_alive()
        self.debian.run("dpkg", "--purge", "culvert")
        left = self.debian.run("sh", "-c", "ls -d /dev/shm/culvert* /run/culvert* /var/lib/culvert* 2>/dev/null", check=False).stdout
        expect(not left, f"left behind: {left.split()}")
        expect(not self.debian.run("sh", "-c", "grep -l ^culvert /proc/[0-9]*/comm", check=False).stdout, "a process is left")
        now = self.debian.files()
        changed = sorted(path for path in now.keys() | self.files.keys() if now.get(path) != self.files.get(path))
        expect(not changed, f"files that differ from before the installation: {changed}")
        expect(self.debian.accounts() == self.accounts, f"accounts left: {self.debian.accounts() - self.accounts}")


CHECKS = (Trial.make, Trial.holds, Trial.lints, Trial.installs, Trial.units, Trial.boots, Trial.refuses, Trial.starts, Trial.serves,
          Trial.lets_in, Trial.returns, Trial.is_upgraded, Trial.stops, Trial.goes)


def main():
    os.makedirs(BUILD, exist_ok=True)
    trial, passed = Trial(), 0
    with CleanDebian() as trial.debian:
        for check in CHECKS:
            start = time.monotonic()
            try:
                check(trial)
            except Exception as error:
                # What comes after needs what came before.
                print(f"FAIL  {check.__name__}  {error}", flush=True)
                if not isinstance(error, LabError):
                    traceback.print_exc(file=sys.stdout)
                break
            passed += 1
            print(f"ok    {check.__name__}  {time.monotonic() - start:.1f} s", flush=True)
    print(f"{passed} passed, {len(CHECKS) - passed} failed")
    return 0 if passed == len(CHECKS) else 1


if __name__ == "__main__":
    sys.exit(main())
