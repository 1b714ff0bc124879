"""Sequence numbers of data messages, RFC 2661, 5.4 and 5.8: late ones are dropped, early ones may wait."""

from dataclasses import dataclass


@dataclass
class Limits:
    window: int = 32  # a message that is so far ahead ends the waiting for the first of those before it
    waiting: int = 4096  # messages that one worker lets wait
    milliseconds: int = 100  # how long a message waits
    granule: int = 20  # what is measured of lateness is in units of 2 to the power of so many cycles


@dataclass
class Waiting:
    """A message that came too early."""

    ns: int
    deadline: int
    packet: object
    ppp: bytes


def is_late(ns, expected):
    """5.8: less than or equal to the last received number are that number and the preceding 32,767 values."""
    return (expected - 1 - ns) & 0xFFFF <= 32767


def distance(ns, expected):
    return (ns - expected) & 0xFFFF
