"""Limits of the punt path: the generic cell rate algorithm (ITU-T I.371), for each class and for each client of a class; and who goes
first within a class, the frames of lines and ports that send no more than their shares."""


class Rate:
    """So many frames a second, and what may come at once: what the rate allows in `burst` cycles, and at least eight."""

    def __init__(self, rate, hertz, burst):
        self.interval = max(hertz // rate, 1)
        self.tolerance = max(8 * self.interval, burst)
        self.due = {}  # cycles at which each sender's next frame is due

    def take(self, sender, now, bursts=1):
        due = self.due.get(sender, 0)
        if due > now + bursts * self.tolerance:
            return False
        self.due[sender] = max(due, now) + self.interval
        return True


class Retries:
    """Who has asked before: a quarter of a second ago at least, ten seconds at most, and eight times at most meanwhile. A tick is the
    64th part of a second; ticks are told apart for 64 seconds."""

    def __init__(self, hertz):
        self.cycles = max(hertz // 64, 1)
        self.known = {}  # tick and how often it has been let before others, by who asks

    def age(self, tick, now):
        return (now // self.cycles - tick) % 4096

    def comes_again(self, sender, now):
        if sender not in self.known or self.age(self.known[sender][0], now) > 640:
            self.known[sender] = [now // self.cycles, 0]
            return False
        tick, granted = self.known[sender]
        if self.age(tick, now) < 16 or granted == 8:
            return False
        self.known[sender][1] += 1
        return True

    def admit(self, sender, now):
        if sender not in self.known or self.known[sender][1] == 0:
            self.known[sender] = [now // self.cycles - 16, 0]


BEYOND, AGAIN, WITHIN = 0, 1, 2
ASK_ONCE = ("arp", "ipv4", "ipv6", "pppoe-discovery", "l2tp-unknown")


class Limits:
    def __init__(self, hertz, rate, client_rate, share=0, port_share=0):
        self.classes = Rate(rate, hertz, hertz // 10)
        self.clients = Rate(client_rate, hertz, hertz) if client_rate else None
        self.lines = Rate(share, hertz, hertz // 10) if share else None
        self.ports = Rate(port_share, hertz, hertz // 10) if port_share else None
        self.retries = Retries(hertz)

    def rank(self, reason, client, line, port, now):
        if self.lines.take((reason, line), now) and self.ports and self.ports.take((reason, port), now):
            return WITHIN
        return AGAIN if reason in ASK_ONCE and self.retries.comes_again((reason, client), now) else BEYOND

    def refusal(self, reason, client, now, line=None, port=None):
        """The beginning of the counter's name that says why a frame of a class is refused; None: it is not."""
        if self.clients and not self.clients.take((reason, client), now):
            return "punt_client_limited_"
        if not self.lines or line is None:
            return None if self.classes.take(reason, now) else "punt_limited_"
        rank = self.rank(reason, client, line, port, now)
        if not self.classes.take(reason, now, 1 + rank):
            return "punt_limited_" if rank == WITHIN else "punt_share_limited_"
        if rank == BEYOND and reason in ASK_ONCE:
            self.retries.admit((reason, client), now)
        return None
