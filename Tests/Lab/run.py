#!/usr/bin/python3
"""Scenarios with real peers: each in a lab of its own, each bounded in time.

    python3 Tests/Lab/run.py [-k NAME] [-l]

Captures and logs of a failed scenario are kept in Tests/Lab/run/NAME. The last line is
`N passed, N failed, N skipped`.
"""

import argparse
import os
import shutil
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(os.path.dirname(HERE))]

from Lab.lab import missing  # noqa: E402
from Lab.process import LabError  # noqa: E402
import stage  # noqa: E402
import scenarios_aaa  # noqa: E402, F401
import scenarios_discovery  # noqa: E402, F401
import scenarios_examples  # noqa: E402, F401
import scenarios_failover  # noqa: E402, F401
import scenarios_failure  # noqa: E402, F401
import scenarios_floods  # noqa: E402, F401
import scenarios_lookup  # noqa: E402, F401
import scenarios_path  # noqa: E402, F401
import scenarios_process  # noqa: E402, F401
import scenarios_restart  # noqa: E402, F401
import scenarios_serving  # noqa: E402, F401
import scenarios_session  # noqa: E402, F401
import scenarios_simulator  # noqa: E402, F401
import scenarios_static  # noqa: E402, F401


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", metavar="NAME", action="append", help="only scenarios with NAME in their name; repeatable")
    parser.add_argument("-l", action="store_true", help="list the scenarios")
    options = parser.parse_args()
    chosen = [item for item in stage.scenarios if not options.k or any(part in item.name for part in options.k)]
    if options.l:
        for item in chosen:
            print(f"{item.name:24} {item.text}")
        return 0
    reasons = missing()
    passed = failed = skipped = 0
    for item in chosen:
        if reasons:
            skipped += 1
            print(f"skip  {item.name}: {', '.join(reasons)}", flush=True)
            continue
        kept = os.path.join(HERE, "run", item.name)
        shutil.rmtree(kept, ignore_errors=True)
        start = time.monotonic()
        try:
            item.play(kept)
            passed += 1
            print(f"ok    {item.name}  {time.monotonic() - start:.1f} s", flush=True)
        except KeyboardInterrupt:
            print(f"ended {item.name}", flush=True)
            failed += 1
            break
        except Exception as error:
            failed += 1
            print(f"FAIL  {item.name}  {time.monotonic() - start:.1f} s: {error}", flush=True)
            if not isinstance(error, LabError):
                traceback.print_exc(file=sys.stdout)
            if os.path.isdir(kept):
                print(f"      kept: {os.path.relpath(kept)}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
