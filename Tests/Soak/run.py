#!/usr/bin/env python3
"""The soak: real clients, LNS and RADIUS server around a real Culvert, for an hour or as long as one likes.

    Tests/Soak/run.py                          an hour, a new seed
    Tests/Soak/run.py --minutes 3 --seed 7     the short form that CI runs

Clients come, go and vanish, traffic flows, every process is killed or stopped and started again in an order that the seed draws. After each
step everything that should be up is up and carries pings, and everything that should be gone is gone. Now and then a piece of both
networks is captured and looked at by tshark, and a session by `culvert capture`. At the end nothing is left: no session, slot or tunnel,
no client without an end; each accounting Start has its Stop; memory and descriptors of both processes are where they were after the
first minute. Needs root.
"""

import argparse
import collections
import os
import random
import re
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(os.path.dirname(HERE)), os.path.join(os.path.dirname(HERE), "Lab")]

from Lab.capture import Capture  # noqa: E402

from Lab.lab import missing  # noqa: E402
from Lab.management import domain_user  # noqa: E402
from Lab.peers import LNS_ADDRESS, PPPoEClient, XL2TPDServer  # noqa: E402
from Lab.process import LabError, Process, execute, wait_until  # noqa: E402
from scenarios_lookup import BY_DOMAIN, radius_sections  # noqa: E402
from stage import FROM_ACCESS, FROM_CORE, Stage, bad_frames, expect, expect_equal  # noqa: E402

# Dead LNSs are noticed within seconds, and clients that vanish by the LNS's own echoes.
PROFILE = {"hello-timeout": 3, "retry-timeout": 1, "max-retries": 3, "persist-pend-timeout": 4}
CLIENTS = 6
# Growth after the first minute that is no leak: pools, the allocator's own rest, logs' buffers.
MEMORY_KIB = {"culvertd": 8_192, "culvert-dataplane": 4_096}
# Not all descriptors are there at every moment: gRPC's and RADIUS's come and go.
DESCRIPTORS = 12


class Soak:
    def __init__(self, stage, seed, report):
        self.stage = stage
        self.random = random.Random(seed)
        self.report = report
        self.dials = []
        self.done = collections.Counter()
        self.pings = 0
        self.samples = {}
        self.checked = 0

    def build(self):
        stage = self.stage
        self.radius = stage.radius(domain_user("isp1.com", LNS_ADDRESS))
        client_guest = stage.lab.guest("client", "access", mtu=1508)
        server_guest = stage.lab.guest("lns", "core")
        self.node = stage.node(
            protocols=["chap"], profile=PROFILE, l2tp=BY_DOMAIN, sections=radius_sections(self.radius, clients=[self.radius]),
            instance={"accounting": {"group": "my_group", "interim-interval": 60, "tunnel": True}})
        self.server = XL2TPDServer(server_guest.wait_booted()).serve(echo=1)
        self.client = PPPoEClient(client_guest.wait_booted())

    # Steps. Each ends when what it has begun is over, so that the next finds a known state.

    def dial(self):
        if len(self.dials) < CLIENTS:
            self.dials.append(self.client.dial(echo=0).wait_up(60))

    def hang_up(self):
        if self.dials:
            self.take().hang_up(30)

    def vanish(self):
        if self.dials:
            self.take().kill()

    def control_killed(self):
        self.node.daemon.signal(signal.SIGKILL)
        self.node.daemon.wait(10)
        time.sleep(self.random.uniform(0, 2))
        self.node.start_daemon()

    def control_stopped(self):
        expect_equal(self.node.daemon.stop(10), 0, "culvertd's exit status")
        self.node.start_daemon()

    def control_killed_while_dialling(self):
        if len(self.dials) < CLIENTS:
            dial = self.client.dial(echo=0, padi=30)
            time.sleep(self.random.uniform(0, 1))
            self.control_killed()
            try:
                self.dials.append(dial.wait_up(60))
            except LabError:
                # A log-in that is under way is told that it is over; pppd ends then.
                dial.wait_down(30)

    def data_plane_killed(self):
        self.node.dataplane.signal(signal.SIGKILL)
        self.node.dataplane.wait(10)
        self.node.start_dataplane()
        self.settle_data_plane()

    def data_plane_stopped(self):
        expect_equal(self.node.dataplane.stop(10), 0, "the data plane's exit status")
        self.node.start_dataplane()
        self.settle_data_plane()

    def both_killed(self):
        self.node.kill()
        self.node.start_dataplane()
        self.node.start_daemon()
        self.settle_data_plane()

    def lns_restarted(self):
        self.server.guest.kill()
        guest = self.stage.lab.guest("lns", "core").wait_booted()
        self.server = XL2TPDServer(guest).serve(echo=1)
        ended, self.dials = self.dials, []
        for dial in ended:
            dial.wait_down(60)

    def radius_away(self):
        self.radius.stop()
        if self.dials:
            self.take().hang_up(30)
        self.radius.start()

    def reload(self):
        text = self.node.command("reload", check=False)
        expect_equal(text.returncode, 0, f"exit status of culvert reload: {text.stdout}{text.stderr}")

    def captured(self):
        """A piece of both networks in tshark's eyes, and of a session in Culvert's own."""
        captures = {segment: Capture(self.stage.lab.namespaces[segment], "br0", self.stage.lab.path(f"soak-{segment}.pcap"))
                    for segment in ("access", "core")}
        try:
            if len(self.dials) < CLIENTS:
                self.dial()
            self.own_capture()
            self.ping_all()
        finally:
            for capture in captures.values():
                capture.stop()
        for segment, ours in (("access", FROM_ACCESS), ("core", FROM_CORE)):
            bad = bad_frames(captures[segment], ours)
            expect(not bad, f"frames that Culvert sent on {segment} are malformed or doubtful: {bad[:3]}")
            self.checked += captures[segment].count(ours)
            os.unlink(captures[segment].path)

    def own_capture(self):
        """`culvert capture` of a session: what it writes is what passed."""
        sessions = self.node.sessions()
        if not sessions:
            return
        one = self.random.choice(sessions)
        path = self.stage.lab.path("soak-session.pcapng")
        dial = next(dial for dial in self.dials if dial.ping(count=1)[1] == 1)
        watch = Process("culvert-capture", [
            self.node.program("culvert"), "capture", "session", str(one["id"]), "--tunnel", str(one["tunnel_id"]), "--write", path, "--seconds", "3",
            "--socket", self.node.socket], self.stage.lab.path("soak-capture.log"))
        dial.ping(count=20, interval=0.05)
        expect_equal(watch.wait(20), 0, f"exit status of culvert capture: {watch.tail()}")
        bad = execute(["tshark", "-r", path, "-Y", "_ws.malformed"]).stdout
        expect_equal(bad.strip(), "", "malformed frames in a session's capture")
        os.unlink(path)

    STEPS = {"dial": 30, "hang_up": 12, "vanish": 8, "control_killed": 8, "control_stopped": 4, "control_killed_while_dialling": 6,
             "data_plane_killed": 4, "data_plane_stopped": 2, "both_killed": 2, "lns_restarted": 2, "radius_away": 3, "reload": 3,
             "captured": 5}

    # What has to hold after each.

    def take(self):
        return self.dials.pop(self.random.randrange(len(self.dials)))

    def settle_data_plane(self):
        """The link of the new process's ports is up, and the way to the LNS is known again."""
        for dial in self.dials:
            wait_until(lambda: dial.ping(count=1)[1] == 1, 15, "a session carries pings after the data plane's restart")

    def ping_all(self):
        for dial in self.dials:
            expect_equal(dial.ping(count=20, interval=0.02), (20, 20), f"pings through {dial.interface} sent and answered")
            self.pings += 20

    def check(self):
        wanted = len(self.dials)
        self.node.wait_state(wanted, None, wanted, timeout=60)
        wait_until(lambda: self.server.sessions() == wanted, 30, f"the LNS has {wanted} sessions; it has {self.server.sessions()}")
        self.ping_all()
        for process in (self.node.daemon, self.node.dataplane):
            expect(process.running, f"{process.name} has ended")

    def step(self):
        name = self.random.choices(list(self.STEPS), list(self.STEPS.values()))[0]
        self.done[name] += 1
        self.report(f"{name}, {len(self.dials)} up")
        getattr(self, name)()
        self.check()

    # What must not grow.

    def sample(self):
        """Memory and descriptors, by process, in their newest life: each is compared with itself and with what others had."""
        found = {}
        for process in (self.node.daemon, self.node.dataplane):
            with open(f"/proc/{process.pid}/status") as file:
                resident = int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE).group(1))
            found[process.name] = (resident, len(os.listdir(f"/proc/{process.pid}/fd")))
        return found

    def compare(self, first, last):
        for name, (resident, descriptors) in last.items():
            before, had = first[name]
            expect(resident <= before + MEMORY_KIB[name], f"{name} grew from {before} to {resident} KiB")
            expect(descriptors <= had + DESCRIPTORS, f"{name} had {had} descriptors and has {descriptors}")

    def finish(self):
        for dial in self.dials:
            dial.hang_up(30)
        self.dials = []
        self.check()
        self.node.command("clear", "all")
        self.node.wait_state(0, 0, 0, timeout=60)

        def is_empty():
            used = {table["name"]: table["used"] for table in self.node.status()["capacities"]}
            return not any(used.values())

        wait_until(is_empty, 20, f"the tables are empty; {self.node.status()['capacities']}")
        self.balance()

    def balance(self):
        """Each session's Start has its Stop at the server, which knows repetitions by their session and status."""
        def kinds(kind):
            return {record["Acct-Session-Id"] for record in self.radius.records() if record["Acct-Status-Type"] == kind}

        wait_until(lambda: kinds("Start") <= kinds("Stop"), 90, "each Start has its Stop")
        expect_equal(kinds("Stop"), kinds("Start"), "sessions that were stopped, and those that were started")
        counts = collections.Counter(
            (record["Acct-Session-Id"], record.get("Acct-Input-Octets"), record.get("Acct-Output-Octets"))
            for record in self.radius.records() if record["Acct-Status-Type"] == "Stop")
        expect_equal(len(counts), len(kinds("Stop")), "different Stop records, one a session")
        self.sessions = len(kinds("Stop"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--quiet", action="store_true", help="no line for each step")
    options = parser.parse_args()
    for reason in missing():
        print(f"0 passed, 0 failed, 1 skipped\nsoak: {reason}")
        return 0
    print(f"soak: {options.minutes:g} minutes, seed {options.seed}", flush=True)
    started = time.monotonic()

    def report(text):
        if not options.quiet:
            print(f"  {time.monotonic() - started:7.1f} s  {text}", flush=True)

    kept = os.path.join(HERE, "run")
    with Stage() as stage:
        soak = Soak(stage, options.seed, report)
        try:
            soak.build()
            for _ in range(CLIENTS):
                soak.dial()
            soak.check()
            first = soak.sample()
            warm = started + min(60, options.minutes * 20)
            while time.monotonic() < started + options.minutes * 60:
                soak.step()
                if time.monotonic() < warm:
                    first = {name: tuple(map(max, first[name], now)) for name, now in soak.sample().items()}
            last = soak.sample()
            soak.compare(first, last)
            soak.finish()
        except BaseException as error:
            stage.lab.keep(kept)
            if not isinstance(error, LabError):
                raise
            traceback.print_exc()
            print(f"soak: seed {options.seed} failed after {sum(soak.done.values())} steps: {error}\nkept: {kept}\n"
                  "0 passed, 1 failed, 0 skipped")
            return 1
    print(f"soak: {sum(soak.done.values())} steps ({', '.join(f'{count} {name}' for name, count in sorted(soak.done.items()))}), "
          f"{soak.sessions} sessions, {soak.pings} pings, {soak.checked} frames checked; "
          + ", ".join(f"{name} {first[name][0]} -> {last[name][0]} KiB, {first[name][1]} -> {last[name][1]} descriptors"
                      for name in sorted(last)))
    print("1 passed, 0 failed, 0 skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
