"""What scenarios share: a lab with both segments captured, Culvert, the peers, and what has to hold at every end."""

import signal

from Lab.culvert import HUGE_PAGES, Culvert
from Lab.lab import ACCESS_MAC, CORE_MAC, Lab
from Lab.peers import PPPoEClient, XL2TPDServer
from Lab.process import LabError, LabTimeout

scenarios = []

# tshark's names of what passes.
PADI, PADO, PADR, PADS, PADT = (f"pppoe.code == {code:#04x}" for code in (0x09, 0x07, 0x19, 0x65, 0xa7))
STOP_CCN, CDN = ("l2tp.avp.message_type == 4", "l2tp.avp.message_type == 14")
FROM_ACCESS = f"eth.src == {ACCESS_MAC}"
FROM_CORE = f"eth.src == {CORE_MAC}"


def expect(condition, text):
    """A check of a scenario."""
    if not condition:
        raise LabError(text)


def expect_equal(have, want, what):
    """A check of a value; the text names both."""
    if have != want:
        raise LabError(f"{what}: {have!r}, expected {want!r}")


class Scenario:
    """A function that plays on a stage, and the seconds that it may take."""

    def __init__(self, play, seconds):
        self.function = play
        self.name = play.__name__
        self.text = " ".join((play.__doc__ or "").split())
        self.seconds = seconds

    def play(self, kept):
        def late(*_):
            raise LabTimeout(f"the scenario took more than {self.seconds} s")

        before = signal.signal(signal.SIGALRM, late)
        signal.alarm(self.seconds)
        try:
            with Stage() as stage:
                try:
                    self.function(stage)
                    stage.check_frames()
                except BaseException:
                    signal.alarm(0)
                    stage.lab.keep(kept)
                    raise
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)


def scenario(seconds):
    """Registers a function as a scenario."""
    def register(function):
        scenarios.append(Scenario(function, seconds))
        return function

    return register


class Stage:
    """A lab with its captures. Guests boot while the scenario goes on; what needs them waits."""

    def __init__(self):
        self.lab = Lab(report=lambda text: print(f"      {text}", flush=True))
        self.captured = False

    def __enter__(self):
        self.lab.__enter__()
        return self

    def __exit__(self, *problem):
        self.lab.__exit__(*problem)

    def capture(self):
        """Captures both segments from now on."""
        self.lab.capture("access")
        self.lab.capture("core")
        self.captured = True

    def frames(self, segment):
        """A segment's capture, ended if it was not yet."""
        capture = self.lab.captures[segment]
        if capture.process.running:
            capture.stop()
        return capture

    def node(self, **settings):
        """Culvert, configured and running."""
        self.lab.reserve_huge_pages(HUGE_PAGES)
        return Culvert(self.lab).configure(**settings).start()

    def server(self, name="lns", guest=None, **settings):
        """The xl2tpd LNS, listening."""
        guest = guest or self.lab.guest(name, "core")
        return XL2TPDServer(guest.wait_booted()).serve(**settings)

    def up(self, protocols="chap", vlan=None, server=None, node=None, client=None):
        """Client, node and server, all running; the client has not dialled yet."""
        client_guest = self.lab.guest("client", "access", mtu=1508)
        server_guest = self.lab.guest("lns", "core")
        self.capture()
        node = self.node(**{"protocols": [protocols], "vlans": vlan, **(node or {})})
        server = self.server(guest=server_guest, **{"protocols": protocols, **(server or {})})
        return PPPoEClient(client_guest.wait_booted(), vlan=vlan), node, server

    def check_frames(self):
        """No frame that Culvert sent may be malformed in tshark's eyes or carry a wrong checksum, and there must be some."""
        if not self.captured:
            return
        wrong = ("(_ws.malformed || ip.checksum.status == \"Bad\" || udp.checksum.status == \"Bad\" || "
                 "icmp.checksum.status == \"Bad\")")
        for segment, ours in (("access", FROM_ACCESS), ("core", FROM_CORE)):
            capture = self.frames(segment)
            bad = capture.fields(f"{ours} && {wrong}", "frame.number", "frame.protocols")
            expect(not bad, f"{len(bad)} frames that Culvert sent on {segment} are malformed, the first is {bad[:1]}")
