#!/usr/bin/env python3
"""Drives the shell of `culvert` on a terminal of its own, as an operator would, and expects exact answers.

    shell.py CULVERT SOCKET HOME CASE

The control plane behind SOCKET is that of FakeControlPlane.swift. Ends with status 0 when everything came as expected, else
prints what did not.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PROMPT = "lac1# "


class Shell:
    """A shell on a terminal of so many rows and columns."""

    def __init__(self, program, arguments, home, rows=24, columns=100):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            environment = {"HOME": home, "TERM": "xterm", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
            os.execve(program, [program] + arguments, environment)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def expect(self, text, patience=60):
        """What comes up to and with `text`, without what only moves the cursor or paints."""
        deadline = time.monotonic() + patience
        while True:
            plain = self.plain(self.seen)
            if text in plain:
                before, _, rest = plain.partition(text)
                self.seen = rest
                return before + text
            left = deadline - time.monotonic()
            ready = select.select([self.terminal], [], [], max(0, left))[0] if left > 0 else []
            if not ready:
                raise AssertionError(f"expected {text!r}, got {plain!r}")
            try:
                data = os.read(self.terminal, 65536)
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"expected {text!r}, but it ended after {plain!r}")
            self.seen += data.decode(errors="replace")

    @staticmethod
    def plain(text):
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        text = re.sub(r"\x1b[()][A-Z0-9]|\x1b[=>]", "", text)
        # What is put right by going back: libedit rubs a word out and types it anew.
        while re.search(r"[^\x08\r\n]\x08", text):
            text = re.sub(r"[^\x08\r\n]\x08", "", text, count=1)
        return text.replace("\r\n", "\n").replace("\r", "")

    def command(self, line, prompt=PROMPT):
        """Types a line and answers what it printed."""
        self.type(line + "\r")
        self.expect(line)
        self.expect("\n")
        # What is typed before the editor has taken the terminal over is echoed twice: by the terminal, then by the editor.
        return self.expect(prompt)[: -len(prompt)].removeprefix(line + "\n")

    def end(self):
        """Waits for the end; answers the exit status."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            try:
                select.select([self.terminal], [], [], 0.1) and os.read(self.terminal, 65536)
            except OSError:
                pass
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("it does not end")


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: expected\n{expected!r}, found\n{found!r}")


def contains(found, expected, what):
    if expected not in found:
        raise AssertionError(f"{what}: expected {expected!r} in\n{found!r}")


def commands(shell, home):
    """Commands, abbreviations, pipes, faults, history, and the status at the end."""
    shell.expect(PROMPT)
    equal(shell.command("sh runn pppoe-ac"), "pppoe-ac:\n  - name: ac1\n    service-name: any\n", "abbreviated")
    equal(shell.command("show l2tp tunnel | include tunnel n"),
          "Tunnel Name:            tunnel1\nTunnel Name:            tunnel2\n", "include")
    equal(shell.command("show pppoe-ac statistics | exclude routes | begin l2tpDns | include l2tpD"),
          "l2tpDnsFailures                                 21\n", "exclude and begin")
    equal(shell.command("show l2tp tunnel | count"), "35 lines\n", "count")
    contains(shell.command("show version | json"), '"command":"0.1.0"', "json")
    equal(shell.command("show version | nonsense"),
          "culvert: behind | stands include TEXT, exclude TEXT, begin TEXT, count or json\n", "no such filter")
    equal(shell.command("show l2tp tunnel 'no body'"), "culvert: there is no tunnel named 'no body'\n", "refused")
    contains(shell.command("show weather"), "Error: there is no 'show weather'; what there is: pppoe-ac, l2tp,", "no such command")
    contains(shell.command("show p"), "Error: 'show p' may be pppoe-ac, ports\n", "ambiguous")
    contains(shell.command("help show version"), "USAGE: culvert show version", "help")
    # Earlier lines come back by the key for up.
    shell.type("\x1b[A\x1b[A\x1b[A\x1b[A")
    shell.expect("no body'")
    shell.type("\r")
    shell.expect("culvert: there is no tunnel named 'no body'\n")
    shell.expect(PROMPT)
    shell.type("exit\r")
    equal(shell.end(), 1, "the last command's status")
    with open(os.path.join(home, ".local/state/culvert/history")) as file:
        contains(file.read(), "exclude", "history file")
    equal(os.stat(os.path.join(home, ".local/state/culvert/history")).st_mode & 0o777, 0o600, "history's mode")


def completion(shell, home):
    """TAB completes commands and names; ? tells what can come next."""
    shell.expect(PROMPT)
    shell.type("sho\t")
    shell.expect("show ")
    shell.type("l2\ttu\t")
    shell.expect("l2tp tunnel ")
    shell.type("tun\t")
    shell.expect("tunnel")
    shell.type("\t")
    listed = shell.expect(PROMPT)
    contains(listed, "tunnel1  tunnel2\n", "names")
    shell.expect("show l2tp tunnel tunnel")
    shell.type("2 det\t")
    shell.expect("2 detail ")
    shell.type("\x03")
    shell.expect(PROMPT)
    shell.type("show pppoe-ac ?")
    equal(shell.expect(PROMPT).partition("?\n")[2],
          "  connections   Where each client comes from, and which session it leads into.\n"
          "  statistics    The access concentrator's counters.\n"
          "  config-check  Whether each pppoe-ac of a configuration file is complete, or what is missing or wrong.\n" + PROMPT,
          "help on commands")
    shell.expect("show pppoe-ac ")
    shell.type("\x03")
    shell.expect(PROMPT)
    shell.type("drain tun\t")
    shell.expect("drain tunnel ")
    shell.type("?")
    contains(shell.expect(PROMPT), "  TUNNEL  Which tunnel.\n", "help on a name")
    shell.type("\x03")
    shell.expect(PROMPT)
    shell.type("clear pppoe-ac instance \t")
    shell.expect("instance ac1 ")
    shell.type("\x04\x03")
    shell.expect(PROMPT)
    # The end of the input is the end.
    shell.type("\x04")
    equal(shell.end(), 0, "status")


def interrupt(shell, home):
    """Ctrl-C ends what runs, not the shell."""
    shell.expect(PROMPT)
    shell.type("show version --watch 0.1\r")
    shell.expect("Layout Version:         1\n")
    shell.expect("Layout Version:         1\n")
    shell.type("\x03")
    shell.expect(PROMPT)
    shell.type("debug follow\r")
    shell.expect("\n")
    time.sleep(0.2)
    shell.type("\x03")
    shell.expect(PROMPT)
    equal(shell.command("show debugging pppoe ac"), "PPPoE AC debugging:     disabled\n", "afterwards")
    shell.type("exit\r")
    equal(shell.end(), 0, "status")


def pages(shell, home):
    """A screen that is longer than the terminal stops where it is full."""
    shell.expect(PROMPT)
    shell.type("show l2tp tunnel\r")
    first = shell.expect("--More-- (space, return, q)")
    contains(first, "Tunnel ID:              1\n", "first page")
    if "Remote UDP Port" in first:
        raise AssertionError("the first page is too long")
    shell.type("\r")
    line = shell.expect("--More-- (space, return, q)")
    equal(line.count("\n"), 1, "lines after return")
    shell.type(" ")
    shell.expect("--More-- (space, return, q)")
    shell.type("q")
    rest = shell.expect(PROMPT)
    if "Tunnel ID:              2" in rest:
        raise AssertionError("there is more after q")
    equal(shell.command("show debugging dns"), "DNS debugging:          disabled\n", "afterwards")
    shell.type("exit\r")
    equal(shell.end(), 0, "status")


def main():
    program, socket, home, case = sys.argv[1:]
    rows = 14 if case == "pages" else 60
    shell = Shell(program, ["--socket", socket], home, rows=rows)
    try:
        {"commands": commands, "completion": completion, "interrupt": interrupt, "pages": pages}[case](shell, home)
    except AssertionError as error:
        print(f"{case}: {error}")
        return 1
    finally:
        os.close(shell.terminal)
    return 0


if __name__ == "__main__":
    sys.exit(main())
