"""Fragments become datagrams again: RFC 791, 3.2, and RFC 8200, 4.5, with the care of RFC 1858, RFC 3128 and RFC 5722.

A datagram is a list of pieces here, sorted when it is complete. Time is given up to the cycle; a datagram lives for the time-out
from its first fragment on.
"""

from dataclasses import dataclass, field

UDP = 17
LONGEST = 65535
SHORTEST_FIRST = 8 + 6  # the UDP header and the shortest L2TP header


@dataclass
class Limits:
    """What one worker's reassembly takes."""

    datagrams: int = 4096
    fragments: int = 8192
    pieces: int = 64
    seconds: float = 2.0


@dataclass
class Fragment:
    """One fragment: `front` is everything of its frame before the data."""

    key: tuple
    protocol: int
    offset: int
    more: bool
    data: bytes
    front: bytes
    counted_header: int  # octets of header that count against the longest datagram

    @property
    def end(self):
        return self.offset + len(self.data)


@dataclass
class Datagram:
    deadline: int
    pieces: list = field(default_factory=list)
    length: int = None  # once the last fragment has come
    spoilt: str = None  # why whatever still comes of it is dropped


class Reassembly:
    """Of one worker. `drop(reason, count)` is called for fragments that come to nothing."""

    def __init__(self, hertz, drop, limits=None):
        self.limits = limits or Limits()
        self.timeout = int(self.limits.seconds * 1000) * (hertz // 1000)
        self.drop = drop
        self.datagrams = {}  # by key, in the order of arrival
        self.held = 0  # fragments

    def expire(self, now):
        while self.datagrams and next(iter(self.datagrams.values())).deadline <= now:
            self.give_up(next(iter(self.datagrams)), "fragment_timeout")

    def give_up(self, key, reason):
        count = len(self.datagrams.pop(key).pieces)
        self.held -= count
        self.drop(reason, count)

    def add(self, fragment, now):
        """The pieces of a datagram in order, when `fragment` was the last that was missing; else None."""
        fault = self.fault(fragment)
        if fault:
            self.drop(fault, 1)
            return None
        self.expire(now)
        if fragment.key not in self.datagrams:
            if len(self.datagrams) >= self.limits.datagrams:
                self.give_up(next(iter(self.datagrams)), "fragment_evicted")
            self.datagrams[fragment.key] = Datagram(now + self.timeout)
        datagram = self.datagrams[fragment.key]
        if datagram.spoilt:
            self.drop(datagram.spoilt, 1)
            return None
        for piece in datagram.pieces:
            if (piece.offset, piece.end, piece.more) == (fragment.offset, fragment.end, fragment.more):
                self.drop("fragment_duplicate", 1)
                return None
        if self.contradicts(datagram, fragment):
            return self.spoil(datagram, "fragment_overlap")
        if len(datagram.pieces) >= self.limits.pieces:
            return self.spoil(datagram, "fragments_too_many")
        while self.held >= self.limits.fragments:
            victim = next(iter(self.datagrams))
            self.give_up(victim, "fragment_evicted")
            if victim == fragment.key:
                self.drop("fragment_evicted", 1)
                return None
        datagram.pieces.append(fragment)
        self.held += 1
        if not fragment.more:
            datagram.length = fragment.end
        if sum(len(piece.data) for piece in datagram.pieces) != datagram.length:
            return None
        del self.datagrams[fragment.key]
        self.held -= len(datagram.pieces)
        return sorted(datagram.pieces, key=lambda piece: piece.offset)

    def fault(self, fragment):
        """Why nothing can be made of a fragment whatever the others are."""
        if not fragment.data or fragment.more and len(fragment.data) % 8:
            return "fragment_malformed"
        if fragment.end + fragment.counted_header > LONGEST:
            return "fragment_too_long"
        if fragment.offset == 8:  # RFC 1858, 3: no honest sender's first fragment is so short
            return "fragment_tiny"
        if fragment.offset == 0 and fragment.protocol == UDP and len(fragment.data) < SHORTEST_FIRST:
            return "fragment_tiny"
        return None

    def contradicts(self, datagram, fragment):
        """RFC 5722: any overlap; and two ends that differ, or data beyond the end."""
        for piece in datagram.pieces:
            if piece.offset < fragment.end and fragment.offset < piece.end:
                return True
        if datagram.length is not None and (not fragment.more or fragment.end > datagram.length):
            return True
        return not fragment.more and any(piece.end > fragment.end for piece in datagram.pieces)

    def spoil(self, datagram, reason):
        self.drop(reason, len(datagram.pieces) + 1)
        self.held -= len(datagram.pieces)
        datagram.pieces, datagram.spoilt = [], reason
        return None
