#!/usr/bin/env python3
"""Runs the project's tests stage by stage and closes with one line of totals.

    Tools/run-tests.py                all stages
    Tools/run-tests.py unit model     only these
    Tools/run-tests.py --list         what there is

A stage is a command. Its output goes to the terminal and to .build/test-logs/STAGE.log. A stage that prints lines such
as "12 passed, 0 failed, 1 skipped" adds these to the totals; any other stage counts as one test. A stage that needs
root, or a program that is not there, is skipped and named.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".build" / "test-logs"
FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "20")
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "100000"))
STORM_FRAMES = int(os.environ.get("STORM_FRAMES", "10000000"))
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's python3-scapy belongs to

# One worker; workers whose frames arrive on any queue; workers to whom frames are handed out in software; limits of the punt path.
# The last one goes frame by frame: which of a burst's frames takes a token first is the worker's own affair.
MODEL_RUNS = [
    "--seed 1 --frames 40000", "--seed 2 --frames 20000 --workers 2", "--seed 3 --frames 20000 --workers 3 --dispatch",
    "--seed 4 --frames 15000 --punt-rate 300 --client-rate 20 --batch 1",
    "--seed 6 --frames 15000 --punt-rate 15 --client-rate 12 --share 4 --port-share 8 --batch 1",
]
# Seed, frames, workers, whether frames are handed out in software.
STORM_RUNS = [f"1 {STORM_FRAMES // 2} 1", f"2 {STORM_FRAMES // 4} 2", f"3 {STORM_FRAMES // 4} 2 1"]


class Stage:
    def __init__(self, name, command, what, root=False, programs=(), minutes=10):
        self.name, self.command, self.what = name, command, what
        self.root, self.programs, self.minutes = root, programs, minutes

    def why_not(self):
        if self.root and os.geteuid() != 0:
            return "needs root"
        missing = [program for program in self.programs if not shutil.which(program)]
        return f"needs {', '.join(missing)}" if missing else None


STAGES = [
    Stage("format", "Tools/check-format", "swift format is clean"),
    Stage("documents", "Tools/check-documents --self-test && Tools/check-documents",
          "the documents mention what the sources declare"),
    Stage("build", "make build-tests", "everything compiles, warnings are errors", minutes=40),
    Stage("disassembly", "Tools/check-disassembly --self-test && Tools/check-disassembly",
          "the compiled worker loop calls no runtime function", programs=["objdump"]),
    # One after the other: a thousand tests at once starve those that await a process or a time-out.
    Stage("unit", "swift test -c release --skip-build --no-parallel", "tables of every module, processes killed, a Python client",
          minutes=15),
    Stage("simulation", f".build/release/simulate --seeds 1..{SEEDS}",
          f"{SEEDS} lives of a LAC in virtual time, each drawn from a number", minutes=30),
    Stage("planted", f"{SYSTEM_PYTHON} Tests/Simulation/planted.py", "the simulation finds faults that are put in on purpose"),
    Stage("model", " && ".join(f"{SYSTEM_PYTHON} Tests/Model/run.py --harness .build/release/model-harness {run}" for run in MODEL_RUNS),
          "random frames against an independent model, byte for byte", programs=[SYSTEM_PYTHON]),
    Stage("hostile", ".build/release/model-harness hostile 1 3000", "tables of random bytes under the worker"),
    Stage("storm", " && ".join(f".build/release/model-harness storm {run}" for run in STORM_RUNS),
          f"{STORM_FRAMES} random and spoilt frames through one and two workers", minutes=20),
    Stage("churn", ".build/release/model-harness churn 1 10", "sessions added, changed and removed under traffic"),
    Stage("million", ".build/release/model-harness churn 2 5 1000000", "the same with a million sessions"),
    Stage("bench", "make bench BENCH='--rounds 50'", "the benchmark runs; Swift and C agree on every byte"),
    Stage("restart", f"{SYSTEM_PYTHON} Tests/Restart/run.py", "the data plane's process: killed under traffic, dispatch, idle",
          root=True, programs=["ip"]),
    Stage("telemetry", f"{SYSTEM_PYTHON} Tests/Telemetry/run.py", "the data plane's telemetry commands, asked on their socket"),
    Stage("peers", f"{SYSTEM_PYTHON} Lab/selftest.py radius names pppoe_eap two_servers",
          "the lab's peers against each other, without Culvert", root=True, programs=["linux.uml", "freeradius", "unbound", "ip"],
          minutes=5),
    Stage("lab", f"{SYSTEM_PYTHON} Tests/Lab/run.py", "real PPPoE clients and real LNSs", root=True,
          programs=["linux.uml", "tshark", "ip"], minutes=40),
    Stage("soak", f"{SYSTEM_PYTHON} Tests/Soak/run.py --minutes 3 --seed 7 --quiet",
          "everything comes, goes, is killed and started again: nothing is lost, nothing left, nothing grows", root=True,
          programs=["linux.uml", "freeradius", "tshark", "ip"], minutes=10),
    Stage("deb", f"{SYSTEM_PYTHON} Tests/Package/run.py", "the Debian package in a clean Debian 12 with its own systemd", root=True,
          programs=["mmdebstrap", "lintian", "systemd-nspawn", "ip"], minutes=15),
    Stage("fuzz", f"Tests/Fuzz/build.sh --run {FUZZ_SECONDS}", "libFuzzer over every decoder, kept corpus",
          minutes=30),
]

TOTALS = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
SWIFT_TESTING = re.compile(r"Test run with (\d+) tests?.* (passed|failed)")
OWN_WARNING = re.compile(r"/(?:Sources|Tests|Bench)/[^:]+:\d+:\d+: warning:")
SWIFT_ISSUES = re.compile(r"with (\d+) issues?")
# What of a failed stage's log says why, to be told once more at the end; where no line does, its last ones are.
REASON = re.compile(
    r"recorded an issue|^FAIL|^error: |: error: |\b[1-9]\d* faults$|^seed \d+ fails|failed after|^Traceback|ERROR: AddressSanitizer|deadly signal")
REASONS = 12


def run(stage):
    """(passed, failed, skipped) of one stage."""
    why_not = stage.why_not()
    if why_not:
        print(f"--- {stage.name}: skipped, {why_not}", flush=True)
        return 0, 0, 1
    print(f"--- {stage.name}: {stage.what}", flush=True)
    started = time.monotonic()
    passed = failed = skipped = 0
    with open(LOGS / f"{stage.name}.log", "w") as log:
        # A trap must end the test at once: Swift's backtracer can take minutes for a program of this size.
        environment = os.environ | {"SWIFT_BACKTRACE": "enable=no"}
        process = subprocess.Popen(["timeout", "--kill-after=10", str(stage.minutes * 60), "bash", "-c", stage.command],
                                   cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace", stdin=subprocess.DEVNULL, env=environment)
        for line in process.stdout:
            log.write(line)
            totals = TOTALS.match(line.strip())
            swift = SWIFT_TESTING.search(line)
            if totals:
                passed, failed, skipped = passed + int(totals[1]), failed + int(totals[2]), skipped + int(totals[3] or 0)
                print(f"    {line.rstrip()}", flush=True)  # indented: the run's own totals are the last line alone
            elif swift:
                bad = SWIFT_ISSUES.search(line)
                failed += max(1, int(bad[1])) if swift[2] == "failed" and bad else 0
                passed += int(swift[1])
                print(f"    {line.rstrip()}", flush=True)
            elif stage.name == "build" and OWN_WARNING.search(line) and "/checkouts/" not in line:
                failed += 1  # SwiftPM cannot make warnings errors in this package alone
                print(line, end="", flush=True)
            elif stage.name != "unit" or "✘" in line or "error:" in line:
                print(line, end="", flush=True)
        status = process.wait()
    if status != 0 and failed == 0:
        failed = 1
        print(f"    {stage.name} ended with status {status}" + (" (out of time)" if status == 124 else ""), flush=True)
    if status == 0 and passed + failed + skipped == 0:
        passed = 1
    print(f"--- {stage.name}: {'ok' if failed == 0 else 'FAILED'}, {time.monotonic() - started:.0f} s", flush=True)
    return passed, failed, skipped


def reasons(stage):
    """The lines of a failed stage's log that say why, or its last ones."""
    lines = (LOGS / f"{stage.name}.log").read_text(errors="replace").splitlines()
    telling = [line for line in lines if REASON.search(line)]
    return [line[:300] for line in telling[:REASONS] or lines[-REASONS:]]


def main():
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if "--list" in sys.argv:
        for stage in STAGES:
            print(f"{stage.name:15} {stage.what}")
        return 0
    unknown = set(wanted) - {stage.name for stage in STAGES}
    if unknown:
        print(f"run-tests: no stage named {', '.join(sorted(unknown))}; --list shows them", file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    results = [(stage, run(stage)) for stage in STAGES if not wanted or stage.name in wanted]
    failed_stages = [stage for stage, (_, failed, _) in results if failed]
    for stage in failed_stages:
        print(f"--- why {stage.name} failed:")
        for line in reasons(stage):
            print(f"    {line}")
    failures = [stage.name for stage in failed_stages]
    skips = [stage.name for stage, (_, _, skipped) in results if skipped]
    if skips:
        print(f"skipped in: {', '.join(skips)}")
    if failures:
        print(f"FAILED: {', '.join(failures)} (logs in {LOGS.relative_to(ROOT)})")
    passed, failed, skipped = (sum(counts[i] for _, counts in results) for i in range(3))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
