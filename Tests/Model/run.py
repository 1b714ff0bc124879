#!/usr/bin/python3
"""Random frames through the real workers, compared with the model: every byte that comes out and every counter.

    /usr/bin/python3 Tests/Model/run.py --seed 7 --frames 20000
    /usr/bin/python3 Tests/Model/run.py --seed 7 --frames 5000 --workers 3 --dispatch

A run is repeatable by its seed. Frames go in in batches, at a time that stands still until the test moves it; so what a policer
lets pass, and what is given up after a time-out, is exact. After each batch these are compared:

- every frame that was sent, to the last octet, and in order within a session; every punted one with what is said about it;
- every copy of a captured session's frame, of those that came in and of those that left, with what the frame ended as;
- every counter, and whether what came in is what went out and what is held (Counter.swift's invariant), for each worker alone too;
- the packet buffers in use, which are those of the frames that the model says are held.

Sessions' own counters and what workers keep for them (sequence numbers, losses, policed frames) are compared now and then and at
the end, when everything held has timed out and no packet buffer may be missing.

With several workers each port's frames arrive on another queue in each batch, so that sessions have to be handed over, or with
`--dispatch` on the first queue, from which the polling worker hands them out. Then the identification of IP packets depends on the
worker: it is left out of the comparison, but each worker's must still differ from all the others'.

A frame that comes out otherwise than the model says is printed with both answers; `--seed` and the frame's number find it again.
"""

import argparse
import itertools
import random
import struct
import sys
import time
from collections import Counter

import topology
from checksum import internet_checksum
from frames import Frames
from model import Dropped, Held, Model, Punted, Sent, balance
from node import Node

BURST = 32  # frames that the worker takes from a port at once
SHOWN = 20  # failures printed in full
GIVE_UP = 200  # failures
START = 1 << 40  # cycles


class Run:
    """One run: the node, the model, and where they differ."""

    def __init__(self, options):
        self.seed, self.batch, self.workers = options.seed, options.batch, options.workers
        self.random = random.Random(options.seed)
        self.plan = topology.standard(self.random, options.dispatch)
        self.dispatch = options.dispatch
        self.node = Node(options.harness)
        rates = (options.punt_rate, options.client_rate, options.share, options.port_share)
        self.node.create(self.plan, self.workers, rates)
        self.now = START
        # Nanoseconds. Where the punt path is limited, less, so that the limits are reached.
        self.steps = [1, 10, 1_000, 100_000, 1_000_000] + [20_000_000] * (options.share == 0) + [200_000_000, 3_000_000_000] * (options.client_rate == 0)
        self.model = Model(self.plan, self.node.segment.hertz, self.now, self.workers, rates)
        self.frames = Frames(self.random, self.plan, self.workers > 1)
        self.identifications = {}
        self.first_fragmented = None  # identification of the first IPv6 packet that was sent in fragments
        self.done = self.failed = self.captures = 0
        self.kinds = {}
        self.node_counters = {}
        self.node_counters = self.node.pass_through([], now=self.now)[2]

    def fail(self, *lines):
        self.failed += 1
        if self.failed <= SHOWN:
            print("FAIL  " + "\n".join(lines), flush=True)

    def frames_of(self, count):
        """First every truncation, then random frames."""
        truncations = list(self.frames.truncations())
        yield from self.random.sample(truncations, min(len(truncations), count // 5))
        while True:
            yield self.frames.next()

    def go(self, count, seconds):
        started = time.monotonic()
        supply = self.frames_of(count)
        while self.done < count and self.failed < GIVE_UP and not (seconds and time.monotonic() - started > seconds):
            self.frames.new_batch()
            batch = list(itertools.islice(supply, min(self.random.randrange(1, self.batch + 1), count - self.done)))
            injected = [self.frames.transmitted() for _ in range(self.random.choice([0, 0, 0, 1, 3]))]
            if self.workers > 1:
                # What a session sends depends on what it has received: one direction at a time.
                for access in (True, False):
                    side = [entry for entry in batch if self.plan.ports[entry[1]].access == access]
                    self.compare(in_polling_order(side), injected if access else [])
            else:
                self.compare(in_polling_order(batch), injected)
            if self.random.random() < 0.3:
                self.advance(self.random.choice(self.steps))
            if self.random.random() < 0.1:
                self.change()
            if self.random.random() < 0.02:
                self.compare_sessions(self.random.sample(self.plan.sessions, 20))
        if self.workers == 1:
            self.flood()
        self.advance(60_000_000_000)
        self.compare_sessions(self.plan.sessions)
        shared = [number for number, workers in self.identifications.items() if len(workers) > 1]
        if shared:
            self.fail("seed %d: several workers have sent IPv4 packets with the identifications %s" % (self.seed, shared[:20]))
        status = self.node.close()
        if status:
            self.fail("model-harness ended with status %d" % status)
        return time.monotonic() - started

    def change(self):
        """What the control plane does meanwhile: other rates of a policer, other features of a session."""
        index = self.random.randrange(len(self.plan.policers))
        policer, rate = self.plan.policers[index], self.random.choice([1, 1_000, 125_000, 10**9])
        if policer.generation and policer.generation % 2 == 0:
            policer.generation += 2
            policer.committed_rate, policer.peak_rate = rate, rate * self.random.choice([1, 2, 10])
            policer.committed_burst, policer.peak_burst = self.random.choice([1_500, 10_000]), self.random.choice([1_500, 20_000])
            self.node.segment.policer(index, policer)
        session = self.random.choice(self.plan.sessions)
        if session.number >= 200 and not session.punt:
            if self.random.random() < 0.5:
                session.up.sequenced = not session.up.sequenced
            if self.random.random() < 0.5:
                session.down.reordered = not session.down.reordered
            session.up.mss = session.down.mss = self.random.choice([0, 536, 1400])
            self.node.segment.features(session)
        session = self.random.choice(self.plan.sessions)
        if not session.punt:
            self.captures += 1
            session.capture = 0 if session.capture else self.captures % 65_535 + 1
            self.node.segment.features(session)

    def flood(self):
        """One sender's datagrams that never become whole fill the reassembly; another one's get through all the same."""
        self.advance(60_000_000_000)
        limits, plain = self.model.reassembly.limits, [s for s in self.plan.sessions if s.number < 200 and not s.punt]
        pieces = self.random.choice([1, 3])
        sender = next(s for s in plain if s.tunnel == 0)
        others = [s for s in plain if s.tunnel in (2, 3, 7)]
        supply = self.frames.flood(sender, pieces)
        left = limits.datagrams * pieces + 500
        while left > 0:
            batch = list(itertools.islice(supply, 500))
            left -= len(batch)
            if left < 600:
                batch[250:250] = [entry for _ in range(20) for entry in self.frames.pair(self.random.choice(others))]
            self.compare(in_polling_order(batch), [])
        self.advance(60_000_000_000)

    def advance(self, nanoseconds):
        """Time goes on, and what has waited long enough is given up."""
        self.now += self.random.randrange(nanoseconds) * self.node.segment.hertz // 10**9 + 1
        where = "time goes on to %d, after frame %d of seed %d" % (self.now, self.done - 1, self.seed)
        before = dict(self.model.counters)
        answer = self.node.pass_through([], now=self.now)
        found = Found(answer, self)
        for outcome in self.model.advance(self.now):
            self.judge(outcome, found, (where,))
        self.finish(found, before, where, [], at_once=True)

    def compare(self, batch, injected):
        """Passes a batch through node and model and reports each frame whose fate differs."""
        queues = [0 if self.dispatch else self.random.randrange(self.workers) for _ in self.plan.ports]
        before = dict(self.model.counters)
        found = Found(
            self.node.pass_through(
                [(port, queues[port], frame) for _, port, frame in batch], [(port, frame) for _, port, frame in injected]
            ), self
        )
        first = self.done
        # A round of the worker: a burst from each port, then what the control plane sends.
        numbered = list(enumerate(batch, first))
        early = first_round(batch)
        for number, (what, port, frame) in numbered[:early]:
            self.judge_frame(number, what, port, frame, self.model.receive(port, frame), found)
        for what, port, frame in injected:
            self.judge_frame(first, what, port, frame, self.model.transmit(port, frame), found)
        for number, (what, port, frame) in numbered[early:]:
            self.judge_frame(number, what, port, frame, self.model.receive(port, frame), found)
        self.done += len(batch)
        self.finish(found, before, "frames %d to %d of seed %d" % (first, self.done - 1, self.seed), numbered)

    def judge_frame(self, number, what, port, frame, outcomes, found):
        for outcome in outcomes:
            self.judge(outcome, found, ("frame %d of seed %d (%s) into port %d: %s" % (number, self.seed, what, port, frame.hex()),))

    def judge(self, outcome, found, lines):
        """Strikes what the model expects off what the node did, and reports it when it is not there."""
        if isinstance(outcome, Sent):
            kind, fault = "sent", found.strike_sent(outcome)
        elif isinstance(outcome, Punted):
            kind, fault = "punted as " + outcome.reason, found.strike_punted(outcome)
        elif isinstance(outcome, Held):
            kind, fault = "held", None
        else:
            kind, fault = "dropped as " + outcome.reason, None  # a drop shows in its counter
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if fault:
            self.fail(*lines, "    model: %s" % outcome, "    node, %s" % fault)

    def finish(self, found, before, where, numbered, at_once=False):
        """What nobody expected, every copy, every counter, and the buffers."""
        self.compare_copies(found, where, at_once)
        for what in found.left():
            self.fail("%s: not expected: %s" % (where, what))
        counters = found.counters
        names = {name for _, name in counters}
        for name in sorted(names | set(self.model.counters)):
            if self.workers > 1 and name in ("dispatched", "dispatch_received"):
                continue
            expected = self.model.counters[name] - before.get(name, 0)
            moved = sum(counters.get((w, name), 0) - self.node_counters.get((w, name), 0) for w in range(self.workers))
            if expected != moved:
                listing = ["    frame %d (%s) into port %d: %s" % (n, w, p, f.hex()) for n, (w, p, f) in numbered]
                self.fail(
                    "%s: counter %s: the model counts %d, the node %d" % (where, name, expected, moved),
                    *(listing if len(listing) <= 8 else [])
                )
        frames, buffers = self.model.held
        balances = [balance({n: v for (w, n), v in counters.items() if w == worker}) for worker in range(self.workers)]
        if sum(balances) != frames or min(balances) < 0:
            self.fail("%s: the workers hold %s frames by their counters, the model %d" % (where, balances, frames))
        if found.in_use != buffers:
            self.fail("%s: %d packet buffers are in use, the model holds %d" % (where, found.in_use, buffers))
        self.node_counters = counters

    def compare_copies(self, found, where, at_once):
        """Copies for captures. One for which there was no room is counted, and is no fault: it is the ring's depth that says when.

        Which of the frames that are given up `at_once` takes the last token of all captures is the worker's own affair.
        """
        lost = sum(found.counters[w, "capture_no_room"] - self.node_counters.get((w, "capture_no_room"), 0) for w in range(self.workers))

        def count(copies):
            return Counter(
                (copy.point, copy.reason, copy.number, copy.port, copy.slot, copy.length, found.without_choice(copy.frame) if copy.point == "sent" else copy.frame)
                for copy in copies
            )

        wanted = count(self.model.copies)
        had = Counter(
            entry[:6] + (found.without_choice(found.from_zero(entry[6])) if entry[0] == "sent" else entry[6],) for entry in found.copied
        )
        instead = (had - wanted) & count(self.model.refused_copies) if at_once else Counter()
        for entry in had - wanted - instead:
            self.fail("%s: not expected: copied %s: %s" % (where, entry[:6], entry[6].hex()))
        missing = wanted - had
        if sum(missing.values()) != lost + sum(instead.values()):
            for entry in missing:
                self.fail("%s: %d copies were lost by the counter, not there: %s: %s" % (where, lost, entry[:6], entry[6].hex()))
        for copy in self.model.copies:
            kind = "copied as it was " + copy.point + (" and ended as " + copy.reason if copy.reason != "-" else "")
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.model.copies.clear()
        self.model.refused_copies.clear()
        self.model.count("punted_capture", -lost)
        self.model.count("capture_no_room", lost)

    def unmoved(self):
        """Counters that no frame has reached."""
        return sorted({name for _, name in self.node_counters} - {name for name, value in self.model.counters.items() if value})

    def compare_sessions(self, sessions):
        """The counters of all sessions, both ways, and what the workers keep of some."""
        for session, counted in zip(self.plan.sessions, self.node.session_counts()):
            if session.counts != counted:
                self.fail(
                    "seed %d, session %d: the model counts %s, the node %s"
                    % (self.seed, session.number, session.counts, counted)
                )
        for session in sessions:
            state = self.node.segment.state(session)
            for name, found, side in zip(("upstream", "downstream"), state, (session.up, session.down)):
                expected = (side.learned * 4, side.policed, side.sequence, side.missing & 0xFFFFFFFF, side.late, side.waited)
                if found != expected:
                    self.fail(
                        "seed %d, session %d, %s, features %d: learned, policed, sequence, missing, late, reordered: the model has %s, "
                        "the node %s" % (self.seed, session.number, name, side.features, expected, found)
                    )


class Found:
    """What the node did with a batch."""

    def __init__(self, answer, run):
        sent, punted, self.counters, self.in_use, self.copied = answer
        self.run = run
        self.places = {}  # (port, octets): where they are in the order of sending
        self.last = {}
        for port, frames in sent.items():
            for place, (worker, frame) in enumerate(frames):
                if run.workers > 1:
                    frame = self.without_identification(frame, worker)
                else:
                    frame = self.from_zero(frame)
                self.places.setdefault((port, frame), []).append(place)
        self.classes = {}
        for entry in punted:
            self.classes.setdefault(entry[0], []).append(entry)

    def without_identification(self, frame, worker):
        """An IP packet's identification is its worker's choice. Two workers must not choose the same one (RFC 6864)."""
        at = ip_header(frame)
        if at is None:
            return frame
        if worker is not None and frame[at] == 0x45:
            self.run.identifications.setdefault(struct.unpack_from("!H", frame, at + 4)[0], set()).add(worker)
        octets = bytearray(frame)
        if frame[at] == 0x45:
            octets[at + 4 : at + 6] = b"\0\0"
            sound = internet_checksum(frame[at : at + 20]) == 0
            octets[at + 10 : at + 12] = b"\0\0" if sound else b"\xff\xff"
        elif frame[at + 6] == 44 and len(frame) >= at + 48:
            octets[at + 44 : at + 48] = bytes(4)
        return bytes(octets)

    def from_zero(self, frame):
        """Fragmented IPv6 packets are numbered from a random start (RFC 7739): with the first one's number counted as 0."""
        at = ip_header(frame)
        if at is None or frame[at] >> 4 != 6 or frame[at + 6] != 44 or len(frame) < at + 48:
            return frame
        (number,) = struct.unpack_from("!I", frame, at + 44)
        if self.run.first_fragmented is None:
            self.run.first_fragmented = number
        number = (number - self.run.first_fragmented) & 0xFFFFFFFF
        return frame[: at + 44] + struct.pack("!I", number) + frame[at + 48 :]

    def without_choice(self, frame):
        """What both sides of a comparison of copies are: with several workers, without identification."""
        return self.without_identification(frame, None) if self.run.workers > 1 else frame

    def strike_sent(self, outcome):
        frame = outcome.frame
        if self.run.workers > 1:
            frame = self.without_identification(frame, None)
        places = self.places.get((outcome.port, frame))
        if not places:
            near = [f.hex() for (p, f), found in self.places.items() if p == outcome.port and found and len(f) == len(frame)]
            return "not sent; of that length there are: %s" % (near[:3] or "none")
        if outcome.order is None:
            places.pop(0)
            return None
        key = outcome.port, outcome.order
        later = [place for place in places if place > self.last.get(key, -1)]
        if not later:
            places.pop(0)
            return "sent before one that came earlier"
        self.last[key] = later[0]
        places.remove(later[0])
        return None

    def strike_punted(self, outcome):
        wanted = (outcome.reason, outcome.port, outcome.slot, outcome.detail, outcome.frame)
        entries = self.classes.get(outcome.reason, [])
        if wanted in entries:
            entries.remove(wanted)
            return None
        return "next of the class: %s" % (entries[:1],)

    def left(self):
        for (port, frame), places in self.places.items():
            for _ in places:
                yield "sent to port %d: %s" % (port, frame.hex())
        for entry in itertools.chain.from_iterable(self.classes.values()):
            yield "punted: %s %d %d %d %s" % (entry[:4] + (entry[4].hex(),))


def ip_header(frame):
    """Where the IP header of an outer packet with UDP or a fragment in it is; None for any other frame."""
    at = 12
    while frame[at : at + 2] == b"\x81\x00":
        at += 4
    kind, at = frame[at : at + 2], at + 2
    if kind == b"\x08\x00" and len(frame) >= at + 20 and frame[at] == 0x45 and frame[at + 9] == 17:
        return at
    if kind == b"\x86\xdd" and len(frame) >= at + 40 and frame[at] >> 4 == 6:
        return at
    return None


def in_polling_order(batch):
    """The worker polls its ports in turn and takes a burst from each."""
    seen, order = {}, []
    for entry in batch:
        port = entry[1]
        order.append((seen.get(port, 0) // BURST, port, entry))
        seen[port] = seen.get(port, 0) + 1
    return [entry for _, _, entry in sorted(order, key=lambda item: item[:2])]


def first_round(batch):
    """How many frames of a batch in polling order the worker's first round takes."""
    ports = [port for _, port, _ in batch]
    return sum(min(BURST, ports.count(port)) for port in set(ports))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--harness", default=".build/release/model-harness")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--frames", type=int, default=20000)
    arguments.add_argument("--batch", type=int, default=96, help="frames given to the workers at once, at most")
    arguments.add_argument("--seconds", type=float, default=0, help="stop after so many seconds, 0: never")
    arguments.add_argument("--workers", type=int, default=1, help="1 to 4")
    arguments.add_argument("--dispatch", action="store_true", help="the ports' frames are handed out in software")
    arguments.add_argument("--punt-rate", type=int, default=1_000_000_000, help="frames a second of each punt class")
    arguments.add_argument("--client-rate", type=int, default=0, help="frames a second of each client of a class, 0: any")
    arguments.add_argument("--share", type=int, default=0, help="frames a second of a class that a line has before others, 0: none")
    arguments.add_argument("--port-share", type=int, default=0, help="the same of a port")
    options = arguments.parse_args()
    run = Run(options)
    seconds = run.go(options.frames, options.seconds)
    print("seed %d, workers %d: %d frames in %.1f s" % (options.seed, options.workers, run.done, seconds))
    for name in sorted(run.kinds):
        print("  %6d  %s" % (run.kinds[name], name))
    print("counters that never moved: %s" % ", ".join(run.unmoved()))
    print("%d passed, %d failed" % (max(0, run.done - run.failed), run.failed))
    return 1 if run.failed or run.done == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
