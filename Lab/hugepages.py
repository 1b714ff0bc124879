"""Huge pages of 2 MB, borrowed for the time of a lab."""

import fcntl
import os

TOTAL = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
LOCK = "/run/culvert-lab/huge-pages.lock"
# A machine with less free memory than this (KiB) keeps it.
LEAST_AVAILABLE = 2 << 20


def available_memory():
    """MemAvailable, KiB."""
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1])
    return 0


def _add(count):
    """Changes the number of huge pages by `count` and returns by how much it has changed; several labs may do so at once."""
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(TOTAL) as file:
            before = int(file.read())
        with open(TOTAL, "w") as file:
            file.write(str(max(0, before + count)))
        with open(TOTAL) as file:
            return int(file.read()) - before


class HugePages:
    """Asks for `count` more pages; `added` is what the kernel gave. `record` remembers it for a sweep."""

    def __init__(self, count, record):
        self.record = record
        self.added = 0
        try:
            if available_memory() > LEAST_AVAILABLE:
                self.added = _add(count)
        except OSError:
            pass  # the kernel has none, or we may not
        if self.added < 0:
            self.added = 0
        with open(record, "w") as file:
            file.write(str(self.added))

    def release(self):
        HugePages.release_left_behind(self.record)
        self.added = 0

    @staticmethod
    def release_left_behind(record):
        """Gives back what `record` says, once."""
        try:
            with open(record) as file:
                added = int(file.read() or 0)
            os.unlink(record)
            if added:
                _add(-added)
        except (OSError, ValueError):
            pass
