"""Limits of the punt path: the generic cell rate algorithm (ITU-T I.371), for each class and for each client of a class."""


class Rate:
    """So many frames a second, and what may come at once: what the rate allows in `burst` cycles, and at least eight."""

    def __init__(self, rate, hertz, burst):
        self.interval = max(hertz // rate, 1)
        self.tolerance = max(8 * self.interval, burst)
        self.due = {}  # cycles at which each sender's next frame is due

    def take(self, sender, now):
        due = self.due.get(sender, 0)
        if due > now + self.tolerance:
            return False
        self.due[sender] = max(due, now) + self.interval
        return True


class Limits:
    def __init__(self, hertz, rate, client_rate):
        self.classes = Rate(rate, hertz, hertz // 10)
        self.clients = Rate(client_rate, hertz, hertz) if client_rate else None

    def refusal(self, reason, client, now):
        """The beginning of the counter's name that says why a frame of a class is refused; None: it is not."""
        if self.clients and not self.clients.take((reason, client), now):
            return "punt_client_limited_"
        if not self.classes.take(reason, now):
            return "punt_limited_"
        return None
