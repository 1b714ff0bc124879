"""The processes themselves: started twice, killed, ended in order; and the lab command that newcomers run."""

import os
import socket
import struct
import subprocess
import sys

from Lab.culvert import HUGE_PAGES, Culvert
from Lab.lab import CORE_MAC, ROOT
from Lab.network import Namespace
from Lab.peers import LNS_ADDRESS, NODE_ADDRESS
from Lab.process import LabError, wait_until
from stage import FROM_CORE, bad_frames, expect, expect_equal, scenario
from scenarios_session import check_shown
from scenarios_static import checksum, inside


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


SEND_TO = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("br0", 0))
s.send(sys.stdin.buffer.read())
"""


@scenario(60)
def frames_are_looked_at(stage):
    """What the check of all frames at the end of each scenario finds: SCCRQs of which one is good and each other has one fault."""
    stage.capture()
    good = avp(0, b"\0\1") + avp(2, b"\1\0") + avp(3, b"\0\0\0\3") + avp(7, b"lac1") + avp(9, b"\0\1")
    broken = {
        "an AVP longer than the message": good[:-8] + struct.pack("!HHH", 0x8000 | 80, 0, 9) + b"\0\1",
        "an AVP shorter than its own header": good + struct.pack("!HHH", 0x8003, 0, 10),
        "a wrong UDP checksum": good, "a version that is not L2TP's": good,
    }
    for name, body in (("nothing", good), *broken.items()):
        message = struct.pack("!HHHHHH", 0xC807 if "version" in name else 0xC802, 12 + len(body), 0, 0, 0, 0) + body
        udp = udp_datagram(LNS_ADDRESS, 1701, 1701, message)
        if "checksum" in name:
            udp = udp[:6] + bytes([udp[6] ^ 1]) + udp[7:]
        packet = ipv4_packet(NODE_ADDRESS, LNS_ADDRESS, 17, udp)
        source = bytes.fromhex(CORE_MAC.replace(":", ""))
        inside(stage.lab.namespaces["core"], SEND_TO, data=bytes.fromhex("020000000002") + source + b"\x08\x00" + packet)
    wait_until(lambda: os.path.getsize(stage.lab.captures["core"].path) > 5 * (16 + 14 + 20 + 8), 10, "the frames are captured")
    capture = stage.frames("core")
    expect_equal(capture.count(f"{FROM_CORE} && udp.port == 1701"), 5, "frames that were sent")
    expect_equal([number for number, *_ in bad_frames(capture, FROM_CORE)], ["2", "3", "4", "5"], "frames that are found wrong")
    # This scenario's frames are wrong on purpose.
    stage.captured = False


def avp(kind, value):
    return struct.pack("!HHH", 0x8000 | (6 + len(value)), 0, kind) + value


def udp_datagram(destination, source_port, destination_port, payload):
    """A datagram of the node's with its checksum."""
    head = struct.pack("!HHH", source_port, destination_port, 8 + len(payload))
    addresses = socket.inet_aton(NODE_ADDRESS) + socket.inet_aton(destination)
    whole = addresses + struct.pack("!HH", 17, 8 + len(payload)) + head + b"\0\0" + payload
    return head + struct.pack("!H", checksum(whole + bytes(len(whole) % 2))) + payload


def ipv4_packet(source, destination, protocol, payload):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, socket.inet_aton(source),
                         socket.inet_aton(destination))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload
