#!/usr/bin/env python3
"""Random frames through the real worker, compared with the model: every byte that comes out and every counter.

    python3 Tests/Model/run.py --harness .build/release/model-harness --seed 7 --frames 20000

A run is repeatable by its seed. A frame that comes out otherwise than the model says is printed with both answers.
"""

import argparse
import random
import sys
import time

import topology
from frames import Frames
from model import Dropped, Model, Punted, Sent
from node import Node

SHOWN = 20  # failures printed in full


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--harness", default=".build/release/model-harness")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--frames", type=int, default=20000)
    arguments.add_argument("--batch", type=int, default=64, help="frames given to the worker at once, at most")
    arguments.add_argument("--seconds", type=float, default=0, help="stop after so many seconds, 0: never")
    options = arguments.parse_args()

    generator = random.Random(options.seed)
    plan = topology.standard(generator)
    node = Node(options.harness)
    node.create(plan)
    model = Model(plan)
    frames = Frames(generator, plan)
    started, done, failures, kinds = time.monotonic(), 0, 0, {}
    node.pass_through([])
    _, _, before = node.pass_through([])

    while done < options.frames and not (options.seconds and time.monotonic() - started > options.seconds):
        batch = [frames.next() for _ in range(min(generator.randrange(1, options.batch + 1), options.frames - done))]
        # The worker polls its ports in order, so a batch is injected and expected port by port.
        batch.sort(key=lambda entry: entry[1])
        sent, punted, after = node.pass_through([(port, frame) for _, port, frame in batch])
        failures += compare(options.seed, done, batch, model, sent, punted, before, after, kinds, SHOWN - failures)
        done += len(batch)
        before = after
        if failures > 200:
            break

    sessions_wrong = 0
    for session, counted in zip(plan.sessions, node.session_counts()):
        if session.counts != counted:
            sessions_wrong += 1
            if sessions_wrong <= SHOWN:
                print("session %d: the model counts %s, the node %s" % (session.session_id, session.counts, counted))
    status = node.close()
    if status:
        print("model-harness ended with status %d" % status)
        sessions_wrong += 1

    print("seed %d: %d frames in %.1f s" % (options.seed, done, time.monotonic() - started))
    for name in sorted(kinds):
        print("  %6d  %s" % (kinds[name], name))
    failed = failures + sessions_wrong
    print("%d passed, %d failed" % (done + len(plan.sessions) - failed, failed))
    return 1 if failed or done == 0 else 0


def compare(seed, first, batch, model, sent, punted, before, after, kinds, show):
    """Counts the frames of a batch whose fate differs from the model's."""
    wrong = 0

    def report(number, what, port, frame, expected, found):
        nonlocal wrong
        wrong += 1
        if wrong <= show:
            print("frame %d of seed %d (%s) into port %d: %s" % (number, seed, what, port, frame.hex()))
            print("    model: %s" % expected)
            print("    node:  %s" % found)

    sent = {port: list(list_) for port, list_ in sent.items()}
    punted = list(punted)
    counted = dict(model.counters)
    for number, (what, port, frame) in enumerate(batch, first):
        expected = model.receive(port, frame)
        if isinstance(expected, Sent):
            kinds["sent"] = kinds.get("sent", 0) + 1
            found = sent.get(expected.port, [])
            if found and found[0] == expected.frame:
                found.pop(0)
            else:
                report(number, what, port, frame, expected, "sent there next: %s" % (found[0].hex() if found else "nothing"))
        elif isinstance(expected, Punted):
            name = "punted as " + expected.reason
            kinds[name] = kinds.get(name, 0) + 1
            wanted = (expected.reason, expected.port, expected.slot, expected.frame)
            if punted and punted[0] == wanted:
                punted.pop(0)
            else:
                report(number, what, port, frame, expected, "punted next: %s" % (punted[0],) if punted else "nothing punted")
        else:
            name = "dropped as " + expected.reason
            kinds[name] = kinds.get(name, 0) + 1
    for port, left in sent.items():
        for frame in left:
            wrong += 1
            if wrong <= show:
                print("seed %d, frames %d to %d: sent to port %d and not expected: %s" % (seed, first, first + len(batch) - 1, port, frame.hex()))
    for entry in punted:
        wrong += 1
        if wrong <= show:
            print("seed %d, frames %d to %d: punted and not expected: %s %d %d %s" % (seed, first, first + len(batch) - 1, *entry[:3], entry[3].hex()))
    expected = {name: model.counters[name] - counted.get(name, 0) for name in model.counters}
    moved = {name: after[name] - before.get(name, 0) for name in after}
    for name in sorted(set(expected) | set(moved)):
        if expected.get(name, 0) != moved.get(name, 0):
            wrong += 1
            if wrong <= show:
                print("seed %d, frames %d to %d: counter %s: the model counts %d, the node %d" % (
                    seed, first, first + len(batch) - 1, name, expected.get(name, 0), moved.get(name, 0)))
                if len(batch) <= 8:
                    for number, (what, port, frame) in enumerate(batch, first):
                        print("    frame %d (%s) into port %d: %s" % (number, what, port, frame.hex()))
    return wrong


if __name__ == "__main__":
    sys.exit(main())
