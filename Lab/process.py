"""Child processes of the lab: they log to files, they are waited for by events, and none outlives the lab."""

import ctypes
import os
import re
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something in the lab did not work; the text says what, for the one who runs it."""


class LabTimeout(LabError):
    """An awaited event did not come in time."""


def wait_until(condition, timeout, what, interval=0.05):
    """Calls `condition` until it returns something true, and returns that; `LabTimeout` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise LabTimeout(f"not within {timeout:g} s: {what}")
        time.sleep(interval)


def execute(arguments, timeout=30, check=True, input=None):
    """Runs a short command to its end and returns it with its output as text; `LabError` if it fails."""
    try:
        done = subprocess.run(
            arguments, input=input, stdin=None if input is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", timeout=timeout)
    except FileNotFoundError as error:
        raise LabError(f"{arguments[0]} is not installed: run Tools/install-packages lab") from error
    except subprocess.TimeoutExpired as error:
        raise LabTimeout(f"not finished within {timeout:g} s: {' '.join(arguments)}") from error
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(arguments)}: exit status {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done


def _die_with_parent():
    # The kernel ends the child if the lab is killed without a chance to clean up.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One long-running program. Its standard output and error go to one log file."""

    def __init__(self, name, arguments, log, environment=None, pipe_input=False):
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.log = str(log)
        with open(self.log, "ab", buffering=0) as output:
            try:
                self.child = subprocess.Popen(
                    self.arguments, stdin=subprocess.PIPE if pipe_input else subprocess.DEVNULL,
                    stdout=output, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_die_with_parent,
                    env=None if environment is None else {**os.environ, **environment})
            except FileNotFoundError as error:
                raise LabError(f"{self.arguments[0]} is not there") from error

    @property
    def pid(self):
        return self.child.pid

    @property
    def running(self):
        return self.child.poll() is None

    @property
    def status(self):
        """The exit status, negative for a signal; nothing while it runs."""
        return self.child.poll()

    def text(self):
        """All that it has logged until now."""
        try:
            with open(self.log, "r", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for(self, pattern, timeout, start=0):
        """Waits for a line in the log that matches `pattern` and returns the match. `start` skips older text."""
        compiled = re.compile(pattern, re.MULTILINE)

        def found():
            ended = not self.running
            match = compiled.search(self.text(), start)
            if match is None and ended:
                raise LabError(f"{self.name} ended (exit status {self.status}) before it logged {pattern!r}: {self.tail()}")
            return match

        return wait_until(found, timeout, f"{self.name} logs {pattern!r}")

    def tail(self, lines=8):
        """The last lines of the log in one line, for error messages."""
        return " | ".join(self.text().strip().splitlines()[-lines:])

    def signal(self, number):
        if self.running:
            self.child.send_signal(number)

    def wait(self, timeout):
        """Waits for the end and returns the exit status."""
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise LabTimeout(f"{self.name} did not end within {timeout:g} s") from error

    def stop(self, timeout=5):
        """Asks it to end, and kills it if it does not within `timeout` seconds. Returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        """Ends it without a chance to say goodbye."""
        self.signal(signal.SIGKILL)
        return self.child.wait(10)
