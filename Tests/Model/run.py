#!/usr/bin/python3
"""Random frames through the real worker, compared with the model: every byte that comes out and every counter.

    python3 Tests/Model/run.py --harness .build/release/model-harness --seed 7 --frames 20000

A run is repeatable by its seed. A frame that comes out otherwise than the model says is printed with both answers.
"""

import argparse
import itertools
import random
import sys
import time

import topology
from frames import Frames
from model import Model, Punted, Sent
from node import Node

BURST = 32  # frames that the worker takes from a port at once
SHOWN = 20  # failures printed in full
GIVE_UP = 200  # failures


class Run:
    """One run: the node, the model, and where they differ."""

    def __init__(self, options):
        self.seed = options.seed
        self.batch = options.batch
        self.random = random.Random(options.seed)
        self.plan = topology.standard(self.random)
        self.node = Node(options.harness)
        self.node.create(self.plan)
        self.model = Model(self.plan)
        self.frames = Frames(self.random, self.plan)
        self.node_counters = self.node.pass_through([])[2]
        self.done = self.failed = 0
        self.kinds = {}

    def fail(self, *lines):
        self.failed += 1
        if self.failed <= SHOWN:
            print("\n".join(lines))

    def frames_of(self, count):
        """First every truncation, then random frames."""
        yield from itertools.islice(self.frames.truncations(), count // 2)
        while True:
            yield self.frames.next()

    def go(self, count, seconds):
        started = time.monotonic()
        supply = self.frames_of(count)
        while self.done < count and self.failed < GIVE_UP and not (seconds and time.monotonic() - started > seconds):
            batch = list(itertools.islice(supply, min(self.random.randrange(1, self.batch + 1), count - self.done)))
            injected = [self.frames.transmitted() for _ in range(self.random.choice([0, 0, 0, 1, 3]))]
            self.compare(in_polling_order(batch), injected)
        self.compare_sessions()
        status = self.node.close()
        if status:
            self.fail("model-harness ended with status %d" % status)
        return time.monotonic() - started

    def compare(self, batch, injected):
        """Passes a batch through node and model and reports each frame whose fate differs."""
        sent, punted, counters, missing = self.node.pass_through(
            [(port, frame) for _, port, frame in batch], [(port, frame) for _, port, frame in injected]
        )
        # The order is kept within a class of punted frames, not between them.
        classes = {}
        for entry in punted:
            classes.setdefault(entry[0], []).append(entry)
        model_before = dict(self.model.counters)
        first = self.done
        # A round of the worker: a burst from each port, then what the control plane sends.
        numbered = list(enumerate(batch, first))
        early = first_round(batch)
        for number, (what, port, frame) in numbered[:early]:
            self.judge(number, what, port, frame, self.model.receive(port, frame), sent, classes)
        for what, port, frame in injected:
            self.judge(first, what, port, frame, self.model.transmit(port, frame), sent, classes)
        for number, (what, port, frame) in numbered[early:]:
            self.judge(number, what, port, frame, self.model.receive(port, frame), sent, classes)
        self.done += len(batch)
        where = "frames %d to %d of seed %d" % (first, self.done - 1, self.seed)
        for port, left in sent.items():
            for frame in left:
                self.fail("%s: sent to port %d and not expected: %s" % (where, port, frame.hex()))
        for entry in itertools.chain.from_iterable(classes.values()):
            self.fail("%s: punted and not expected: %s %d %d %s" % ((where,) + entry[:3] + (entry[3].hex(),)))
        for name in sorted(set(counters) | set(self.model.counters)):
            expected = self.model.counters[name] - model_before.get(name, 0)
            found = counters.get(name, 0) - self.node_counters.get(name, 0)
            if expected != found:
                listing = ["    frame %d (%s) into port %d: %s" % (n, w, p, f.hex()) for n, (w, p, f) in enumerate(batch, first)]
                self.fail(
                    "%s: counter %s: the model counts %d, the node %d" % (where, name, expected, found),
                    *(listing if len(listing) <= 8 else [])
                )
        if missing:
            self.fail("%s: %d packet buffers are missing" % (where, missing))
        self.node_counters = counters

    def judge(self, number, what, port, frame, expected, sent, classes):
        """Strikes what the model expects off what the node did, and reports it when it is not there."""
        if isinstance(expected, Sent):
            name, found, wanted = "sent", sent.get(expected.port, []), expected.frame
        elif isinstance(expected, Punted):
            name, found = "punted as " + expected.reason, classes.get(expected.reason, [])
            wanted = (expected.reason, expected.port, expected.slot, expected.frame)
        else:
            name, found, wanted = "dropped as " + expected.reason, None, None
        self.kinds[name] = self.kinds.get(name, 0) + 1
        if found is None:
            return  # a drop shows in its counter
        if found and found[0] == wanted:
            found.pop(0)
            return
        instead = found[0] if found else "nothing"
        if isinstance(instead, bytes):
            instead = instead.hex()
        self.fail(
            "frame %d of seed %d (%s) into port %d: %s" % (number, self.seed, what, port, frame.hex()),
            "    model: %s" % expected,
            "    node, next so: %s" % (instead,),
        )

    def compare_sessions(self):
        """The counters of each session, both ways."""
        for session, counted in zip(self.plan.sessions, self.node.session_counts()):
            if session.counts != counted:
                self.fail(
                    "seed %d, session %d of circuit %d: the model counts %s, the node %s"
                    % (self.seed, session.session_id, session.circuit, session.counts, counted)
                )


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
    arguments.add_argument("--batch", type=int, default=96, help="frames given to the worker at once, at most")
    arguments.add_argument("--seconds", type=float, default=0, help="stop after so many seconds, 0: never")
    options = arguments.parse_args()
    run = Run(options)
    seconds = run.go(options.frames, options.seconds)
    print("seed %d: %d frames in %.1f s" % (options.seed, run.done, seconds))
    for name in sorted(run.kinds):
        print("  %6d  %s" % (run.kinds[name], name))
    print("%d passed, %d failed" % (max(0, run.done - run.failed), run.failed))
    return 1 if run.failed or run.done == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
