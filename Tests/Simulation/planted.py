#!/usr/bin/env python3
"""Shows that the simulation finds faults: each one that `simulate` can plant has to be found, and found again by its number.

    Tests/Simulation/planted.py
"""

import re
import subprocess
import sys
from pathlib import Path

SIMULATE = Path(__file__).resolve().parents[2] / ".build" / "release" / "simulate"
LIVES = 20_000  # among so many each fault has to be found
FAULTS = ["lost-session-id", "forgotten-acknowledgement", "repeated-reply", "silent-end"]


def simulate(*arguments):
    process = subprocess.run([SIMULATE, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=False)
    found = re.search(r"^seed (\d+) fails:\n((?: {4}.*\n)+)", process.stdout, re.M)
    return process.returncode, found and int(found[1]), found and found[2]


def check(fault):
    """What is wrong; None when the fault is found and found again."""
    status, seed, text = simulate("--seeds", f"1..{LIVES}", "--plant", fault, "--failures", 1)
    if status == 0 or seed is None:
        return f"not found in {LIVES} lives"
    again, same, second = simulate("--seed", seed, "--plant", fault)
    if again == 0 or same != seed or second != text:
        return f"found in life {seed}, and not found again"
    without, _, _ = simulate("--seed", seed)
    if without != 0:
        return f"found in life {seed}, which fails without it as well"
    print(f"{fault}: found in life {seed}, and again:\n{text.rstrip()}")
    return None


def main():
    failed = 0
    for fault in FAULTS:
        wrong = check(fault)
        if wrong:
            failed += 1
            print(f"{fault}: {wrong}")
    print(f"{len(FAULTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
