#!/usr/bin/python3
"""The data plane's telemetry commands, asked as dpdk-telemetry.py asks them, and compared with the segment.

    Tests/Telemetry/run.py [--program PATH]

The data plane runs on net_null ports on which nothing comes in, so what this program writes into the workers' counters stays there and
every answer is exact. No privilege is needed. The last line is `N passed, N failed, N skipped`.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Restart"))

from segment import Segment  # noqa: E402

NAME = "culvert-asked-%d" % os.getpid()
LIMIT = 30  # seconds for a start


def counters():
    """The counters' names in the order of their numbers, and how many of the first are no drops."""
    sources = os.path.join(ROOT, "Sources", "DataPlane", "Segment")
    with open(os.path.join(sources, "Counter.swift")) as file:
        cases = re.findall(r"^    case (\w+)(?: = 0)?$", file.read(), re.MULTILINE)
    with open(os.path.join(sources, "Counter+Words.swift")) as file:
        names = dict(re.findall(r'case \.(\w+):\s*\(\s*"(\w+)"', file.read()))
    return [names[case] for case in cases], cases.index("puntLimitedARP")


class Telemetry:
    """A connection to the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.greeting = json.loads(self.socket.recv(1024))

    def ask(self, command):
        self.socket.send(command.encode())
        answer = json.loads(self.socket.recv(self.greeting["max_output_len"]))
        return answer[command.split(",")[0]]


class Node:
    """A data plane of two workers on two ports."""

    def __init__(self, folder, program, telemetry=""):
        self.segment_path = "/dev/shm/" + NAME
        self.log = os.path.join(folder, "log")
        cores = sorted(os.sched_getaffinity(0))
        cores = cores[-2:] if len(cores) > 1 else cores
        self.workers = len(cores)
        config = os.path.join(folder, "culvert.yaml")
        with open(config, "w") as file:
            file.write(f"""dataplane:
  segment: {self.segment_path}
  memory: ordinary
  cores: {','.join(map(str, cores))}
  idle: sleep 1000
  sessions: 64
  tunnels: 16
  {telemetry}
  ports:
    - {{name: access-0.1, device: "net_null0,no-rx=1"}}
    - {{name: core0, device: "net_null1,no-rx=1", mtu: 1400}}
""")
        environment = os.environ | {"RUNTIME_DIRECTORY": folder}
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen([program, "--config", config], stdout=output, stderr=output, env=environment)
        deadline = time.monotonic() + LIMIT
        while "forwarding" not in self.text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the data plane does not start: " + self.text())
            time.sleep(0.01)
        self.socket = os.path.join(folder, "dpdk", NAME, "dpdk_telemetry.v2")
        try:
            self.segment = Segment(self.segment_path)
        except ValueError:
            self.process.kill()
            raise

    def text(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def stop(self):
        self.segment.close()
        self.process.terminate()
        status = self.process.wait(10)
        os.unlink(self.segment_path)
        return status


def expect(found, expected, what):
    if found != expected:
        raise AssertionError("%s: found %r, expected %r" % (what, found, expected))


def answers_from_the_segment(folder, program):
    """Every counter of each worker and of all, workers, ports and the segment; null for what is not there."""
    node = Node(folder, program)
    try:
        names, first_drop = counters()
        expect(os.stat(os.path.dirname(node.socket)).st_mode & 0o777, 0o700, "mode of the folder")
        telemetry = Telemetry(node.socket)
        expect(telemetry.greeting["pid"], node.process.pid, "pid")
        for command in ("segment", "workers", "ports", "counters", "drops"):
            if "/culvert/" + command not in telemetry.ask("/"):
                raise AssertionError("/ does not list /culvert/" + command)
        for worker in range(node.workers):
            for number in range(len(names)):
                node.segment.put(node.segment.workers + 4096 * worker + 64 + 8 * number, "Q", (worker + 1) * 10**12 + number)
        for worker in range(node.workers):
            found = telemetry.ask("/culvert/counters,%d" % worker)
            values = [node.segment.counter(worker, number) for number in range(len(names))]
            expect(list(found.items()), list(zip(names, values)), "counters of worker %d" % worker)
            found = telemetry.ask("/culvert/drops,%d" % worker)
            expect(list(found.items()), list(zip(names, values))[first_drop:], "drops of worker %d" % worker)
        sums = [sum(node.segment.counter(worker, number) for worker in range(node.workers)) for number in range(len(names))]
        expect(list(telemetry.ask("/culvert/counters").items()), list(zip(names, sums)), "counters")
        expect(list(telemetry.ask("/culvert/drops").items()), list(zip(names, sums))[first_drop:], "drops")
        workers = telemetry.ask("/culvert/workers")
        expect(list(workers), [str(worker) for worker in range(node.workers)], "workers")
        before = node.segment.loops(0)
        one = telemetry.ask("/culvert/workers,0")
        after = node.segment.loops(0)
        if not before <= one["loops"] <= after:
            raise AssertionError("%d rounds, between %d and %d" % (one["loops"], before, after))
        expect((one["running"], one["lcore"], set(one)), (1, 1, set(workers["0"])), "worker 0")
        expect(telemetry.ask("/culvert/ports"), {"0": "access-0.1", "1": "core0"}, "ports")
        port = telemetry.ask("/culvert/ports,1")
        expect((port["name"], port["device"], port["mtu"], port["link_up"]), ("core0", "net_null1,no-rx=1", 1400, 1), "port 1")
        expect(port["mac"], ":".join("%02x" % octet for octet in node.segment.mac(1)), "MAC of port 1")
        segment = telemetry.ask("/culvert/segment")
        expect((segment["path"], segment["sessions"], segment["tunnels"]), (node.segment_path, 64, 16), "segment")
        expect((segment["dataplane_epoch"], segment["workers"]), (node.segment.epoch, node.workers), "segment")
        expect((segment["dataplane_pid"], segment["control_pid"]), (node.process.pid, 0), "processes")
        for wrong in ("counters,9", "counters,x", "counters,-1", "workers,64", "ports,2", "ports,99999999999999999999", "segment,0",
                      "drops,0,1"):
            expect(telemetry.ask("/culvert/" + wrong), None, wrong)
        several = [Telemetry(node.socket) for _ in range(4)]
        expect([other.ask("/culvert/ports")["1"] for other in several], ["core0"] * 4, "several askers")
    finally:
        status = node.stop()
    expect(status, 0, "exit status")
    if os.path.exists(node.socket):
        raise AssertionError("the socket is still there")


def speaks_to_dpdk_telemetry(folder, program):
    """Debian's own client finds the data plane by its segment's name."""
    node = Node(folder, program)
    try:
        found = subprocess.run(["dpdk-telemetry.py", "-f", NAME], input="/culvert/ports\nquit\n", text=True, capture_output=True,
                               env=os.environ | {"RUNTIME_DIRECTORY": folder}, timeout=20)
        if "access-0.1" not in found.stdout:
            raise AssertionError(found.stdout + found.stderr)
    finally:
        node.stop()


def can_be_switched_off(folder, program):
    """`telemetry: false`: no socket, and no word of it."""
    node = Node(folder, program, "telemetry: false")
    try:
        if os.path.exists(node.socket) or "telemetry" in node.text():
            raise AssertionError("there is a socket, or word of one: " + node.text())
    finally:
        node.stop()


def forwards_without_a_folder(folder, program):
    """Where the socket cannot be, the data plane says so and runs."""
    with open(os.path.join(folder, "dpdk"), "w"):
        pass
    node = Node(folder, program)
    try:
        if "warning" not in node.text() or "no telemetry: its folder" not in node.text():
            raise AssertionError("no word of it: " + node.text())
    finally:
        node.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(ROOT, ".build", "release", "culvert-dataplane"))
    options = parser.parse_args()
    passed = failed = skipped = 0
    for test in (answers_from_the_segment, speaks_to_dpdk_telemetry, can_be_switched_off, forwards_without_a_folder):
        if test is speaks_to_dpdk_telemetry and not shutil.which("dpdk-telemetry.py"):
            print("skipped %s: no dpdk-telemetry.py" % test.__name__, flush=True)
            skipped += 1
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(folder, options.program)
                passed += 1
                print("ok      %s" % test.__name__, flush=True)
            except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
                failed += 1
                print("FAILED  %s: %s" % (test.__name__, error), flush=True)
            finally:
                if os.path.exists("/dev/shm/" + NAME):
                    os.unlink("/dev/shm/" + NAME)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
