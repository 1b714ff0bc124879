"""What scenarios share: a lab with its segments captured, Culvert, the peers, and what has to hold at every end."""

import signal

from Lab.culvert import HUGE_PAGES, Culvert
from Lab.lab import ACCESS_MAC, CORE_MAC, MANAGEMENT_MAC, SEGMENTS, Lab
from Lab.management import DYNAMIC_AUTHORIZATION_PORT, SERVER_MANAGEMENT, RADIUS_SECRET, NameServer, RadiusServer
from Lab.peers import PPPoEClient, XL2TPDServer
from Lab.process import LabError, LabTimeout

scenarios = []

# tshark's names of what passes.
PADI, PADO, PADR, PADS, PADT = (f"pppoe.code == {code:#04x}" for code in (0x09, 0x07, 0x19, 0x65, 0xa7))
STOP_CCN, CDN = ("l2tp.avp.message_type == 4", "l2tp.avp.message_type == 14")
FROM_ACCESS = f"eth.src == {ACCESS_MAC}"
FROM_CORE = f"eth.src == {CORE_MAC}"
FROM_MANAGEMENT = f"eth.src == {MANAGEMENT_MAC}"

# What no frame of Culvert's may be in tshark's eyes.
WRONG = " || ".join([
    "_ws.malformed", *(f'{protocol}.checksum.status == "Bad"' for protocol in ("ip", "udp", "icmp")),
    "radius.authenticator.invalid == 1", "(udp.port == 1701 && !l2tp)"])
# Its control messages are dissected to the last octet as well, with nothing to warn of. (Of EAP tshark finds that MD5 is weak.)
CONTROL = "l2tp.type == 1 || pppoed || lcp || pap || chap || eap || radius || dns"
# What is in AVPs of RFC 4951 tshark does not know, and says so.
DOUBTFUL = "data || (_ws.expert.severity >= 0x600000 && !eap && !(l2tp.avp.type in {76..79})) || l2tp.avp_length.bad || radius.invalid_length || radius.Unknown_Attribute"


def bad_frames(capture, ours):
    """Of the frames that the filter `ours` takes, those that tshark finds fault with: number, protocols and first remark."""
    return capture.fields(f"{ours} && ({WRONG} || (({CONTROL}) && ({DOUBTFUL})))", "frame.number", "frame.protocols",
                          "_ws.expert.message")


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
        """Captures all segments from now on."""
        for segment in SEGMENTS:
            self.lab.capture(segment)
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

    def radius(self, *users, name="radius", **options):
        """FreeRADIUS, with these users."""
        return RadiusServer(self.lab, name, **options).serve(*users)

    def names(self, records, **options):
        """unbound, with these zones."""
        return NameServer(self.lab, records, **options)

    def up(self, protocols="chap", vlan=None, server=None, node=None, client=None):
        """Client, node and server, all running; the client has not dialled yet."""
        client_guest = self.lab.guest("client", "access", mtu=1508)
        server_guest = self.lab.guest("lns", "core")
        self.capture()
        node = self.node(**{"protocols": [protocols], "vlans": vlan, **(node or {})})
        server = self.server(guest=server_guest, **{"protocols": protocols, **(server or {})})
        return PPPoEClient(client_guest.wait_booted(), vlan=vlan), node, server

    def check_frames(self):
        """No frame that Culvert sent may be wrong in tshark's eyes, and its control messages may not even be doubtful."""
        if not self.captured:
            return
        for segment, ours in (("access", FROM_ACCESS), ("core", FROM_CORE), ("management", FROM_MANAGEMENT)):
            bad = bad_frames(self.frames(segment), ours)
            expect(not bad, f"{len(bad)} frames that Culvert sent on {segment} are malformed or doubtful, the first is {bad[:1]}")
