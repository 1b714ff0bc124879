"""The processes themselves: started twice, killed, ended in order; and the lab command that newcomers run."""

import os
import subprocess
import sys

from Lab.culvert import HUGE_PAGES, Culvert
from Lab.lab import ROOT
from Lab.network import Namespace
from Lab.process import LabError
from stage import expect, expect_equal, scenario
from scenarios_session import check_shown


@scenario(120)
def started_twice(stage):
    """A second data plane or culvertd on the same segment is refused, and the first goes on."""
    client, node, _ = stage.up()
    dial = client.dial().wait_up()
    for name in ("culvert-dataplane", "culvertd"):
        second = node.spawn(name)
        expect(second.wait(20) > 0, f"a second {name} ended with status {second.status}")
        expect(second.text().strip(), f"the second {name} does not say why it ends")
    expect(node.dataplane.running and node.daemon.running, "the first processes have ended")
    check_shown(node)
    expect_equal(dial.ping(), (3, 3), "pings sent and answered")


@scenario(180)
def ended(stage):
    """Asked to end, both processes end with status 0 and without their sockets; killed, they leave nothing in the way of
    the next start."""
    client, node, _ = stage.up()
    client.dial().wait_up()
    expect_equal(node.stop(), (0, 0), "exit statuses of data plane and culvertd")
    expect(not os.path.exists(node.socket), "the RPC socket is still there")
    node.start()
    client.dial().wait_up()
    expect_equal(node.kill(), (-9, -9), "exit statuses of the killed processes")
    expect_equal(stage.lab.node.processes(), [], "processes left in the node's namespace")
    node.start()
    expect_equal(client.dial().wait_up().ping(), (3, 3), "pings sent and answered")


@scenario(60)
def bad_configuration(stage):
    """A bad configuration is refused as a whole by both processes and by `culvert check`, each fault with its line."""
    stage.lab.reserve_huge_pages(HUGE_PAGES)
    node = Culvert(stage.lab).configure(instance={"no-such-setting": 1}, profile={"version": 7})
    check = node.command_without_socket("check", node.file, check=False)
    with open(node.file) as file:
        lines = [line.strip().removeprefix("- ") for line in file]
    text = check.stdout + check.stderr
    expect(check.returncode != 0, "culvert check takes it")
    for fault, setting in (("no-such-setting", "no-such-setting: 1"), ("version", "version: 7")):
        line = lines.index(setting) + 1
        expect(any(str(line) in told and fault in told for told in text.splitlines()),
               f"culvert check does not tell of {fault} in line {line}: {text.strip()!r}")
    daemon = node.spawn("culvertd")
    expect(daemon.wait(20) > 0, f"culvertd ended with status {daemon.status}")
    expect("no-such-setting" in daemon.text(), f"culvertd does not name the fault: {daemon.tail()}")
    expect(not os.path.exists(stage.lab.segment), "a segment was made")


@scenario(240)
def two_labs(stage):
    """The lab's own command runs twice at once, prints what it should, and leaves nothing behind."""
    here = os.path.dirname(os.path.abspath(__file__))
    command = [sys.executable, os.path.join(here, "..", "..", "Lab", "run.py"), "--seconds", "3"]
    runs = [subprocess.Popen(command + extra, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for extra in (["--auth", "pap"], ["--vlan", "7"])]
    try:
        for run in runs:
            output, _ = run.communicate(timeout=180)
            if run.returncode != 0:
                raise LabError(f"Lab/run.py ended with {run.returncode}: {output[-1500:]}")
            for part in ("PPP is up through the tunnel", "culvert show pppoe-ac connections", "culvert show l2tp tunnel",
                         "culvert show l2tp session", "packets/s"):
                expect(part in output, f"Lab/run.py did not print {part!r}")
            left = [name for name in Namespace.existing() if name.startswith(f"culvert-{run.pid}-")]
            left += [name for name in os.listdir(ROOT) if name.startswith(f"{run.pid}-")]
            left += [name for name in os.listdir("/dev/shm") if name.startswith(f"culvert-lab-{run.pid}-")]
            expect_equal(left, [], "left behind")
    finally:
        for run in runs:
            if run.poll() is None:
                run.terminate()
                run.communicate(timeout=60)
