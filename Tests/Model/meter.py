"""RFC 2698, the two rate three colour marker, colour-blind, with the granularity of DPDK's rte_meter: tokens come in lots, a lot
each whole period of the clock."""

import math

RED, YELLOW, GREEN = "red", "yellow", "green"
SHORTEST_PERIOD = 100  # cycles, RTE_METER_TB_PERIOD_MIN


def lots(hertz, rate):
    """(cycles, octets): so many octets come each so many cycles."""
    cycles = hertz / rate  # of one octet
    if cycles >= SHORTEST_PERIOD:
        return int(cycles), 1
    octets = math.ceil(SHORTEST_PERIOD / cycles)
    return hertz * octets // rate, octets


class Bucket:
    """A token bucket that was full at `now`."""

    def __init__(self, hertz, rate, burst, now):
        self.period, self.lot = lots(hertz, rate)
        self.burst = self.tokens = burst
        self.time = now

    def change(self, hertz, rate, burst):
        """Another rate; what is in the bucket stays."""
        self.period, self.lot = lots(hertz, rate)
        self.burst = burst

    def fill(self, now):
        periods = (now - self.time) // self.period
        self.time += periods * self.period
        self.tokens = min(self.burst, self.tokens + periods * self.lot)


class Meter:
    """One session's, in one direction."""

    def __init__(self, hertz, policer, now):
        self.generation = policer.generation
        self.committed = Bucket(hertz, policer.committed_rate, policer.committed_burst, now)
        self.peak = Bucket(hertz, policer.peak_rate, policer.peak_burst, now)

    def change(self, hertz, policer):
        """The policer's rates are others now."""
        self.generation = policer.generation
        self.committed.change(hertz, policer.committed_rate, policer.committed_burst)
        self.peak.change(hertz, policer.peak_rate, policer.peak_burst)

    def colour(self, octets, now):
        self.committed.fill(now)
        self.peak.fill(now)
        if self.peak.tokens < octets:
            return RED
        self.peak.tokens -= octets
        if self.committed.tokens < octets:
            return YELLOW
        self.committed.tokens -= octets
        return GREEN


def is_usable(policer):
    """culvert_segment.h: unused while the generation is 0, being written while it is odd."""
    return (
        policer.generation != 0 and policer.generation % 2 == 0 and policer.committed_rate > 0
        and policer.peak_rate >= policer.committed_rate and policer.committed_burst > 0 and policer.peak_burst > 0
    )
