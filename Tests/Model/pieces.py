"""IP packets cut into fragments, as honest senders, careless ones and enemies do it."""

import struct

from checksum import internet_checksum


class Pieces:
    def __init__(self, frames):
        self.frames, self.random = frames, frames.random
        self.identification = 0

    def of(self, front, packet):
        """(what, frame) for each fragment of a packet, in the order of sending."""
        random = self.random
        if packet[0] >> 4 == 4:
            size = (packet[0] & 15) * 4
            header, payload = packet[:size], packet[size:]
        else:
            header, payload = packet[:40], packet[40:]
        self.identification = random.randrange(65536) if random.random() < 0.9 else 7
        ranges = self.ranges(len(payload))
        what, entries = self.spoil([(start, payload[start:end], end != len(payload)) for start, end in ranges])
        order = random.random()
        if order < 0.4:
            random.shuffle(entries)
        elif order < 0.6:
            entries.reverse()
        return [(what, self.frame(front, header, *entry)) for entry in entries]

    def single(self, front, packet, number, start):
        """8 octets of a packet as one of its fragments."""
        size = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
        self.identification = number & 0xFFFF
        return self.frame(front, packet[:size], start, packet[size + start : size + start + 8], True)

    def two(self, front, packet):
        size = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
        header, payload = packet[:size], packet[size:]
        self.identification = self.random.randrange(65536)
        return [self.frame(front, header, 0, payload[:40], True), self.frame(front, header, 40, payload[40:], False)]

    def ranges(self, length):
        """Where fragments begin and end, the whole length covered."""
        random = self.random
        size = random.choice([length // 2, length // 3, 576 - 20, 1280 - 48, 1480, random.randrange(16, 1481), 24])
        size = min(1480, max(16, size // 8 * 8, length // 60 // 8 * 8 + 8))
        cuts = [0]
        while cuts[-1] + size < length:
            step = size if random.random() < 0.9 else random.randrange(16, 1481) // 8 * 8
            if cuts[-1] + step >= length:
                break
            cuts.append(cuts[-1] + step)
        return list(zip(cuts, cuts[1:] + [length]))

    def spoil(self, entries):
        """(what, entries) with something wrong in four of ten datagrams."""
        random = self.random
        at = random.randrange(len(entries))
        start, data, more = entries[at]
        roll = random.random()
        if roll < 0.60:
            return "whole", entries
        if roll < 0.66:
            return "one twice", entries + [entries[at]]
        if roll < 0.70:
            return "all twice", entries + entries
        if roll < 0.75:
            return "one missing", entries[:at] + entries[at + 1 :] or [(0, data[: len(data) // 8 * 8], True)]
        if roll < 0.79 and start >= 16:
            return "overlap", entries[:at] + [(start - 8, data, more)] + entries[at:]
        if roll < 0.82:
            return "longer one", entries + [(start, data + bytes(8), more)]
        if roll < 0.84:
            return "shorter one", entries + [(start, data[: len(data) // 16 * 8], True)]
        if roll < 0.86:
            end = entries[-1][0] + len(entries[-1][1])
            return "beyond the end", entries + [(end // 8 * 8 + 8, b"beyond the end..", random.random() < 0.5)]
        if roll < 0.88:
            return "two ends", entries + [(start, data, False)]
        if roll < 0.90:
            return "not a multiple of 8", entries[:at] + [(start, data[:-3], True)] + entries[at + 1 :]
        if roll < 0.92:
            return "empty", entries[:at] + [(start, b"", more)] + entries[at:]
        if roll < 0.94:
            far, size = random.choice([65528, 65520, 65504, 65400]), random.choice([8, 16, 128, 7])
            return "too long", entries[:at] + [(far, random.randbytes(size), False)] + entries[at:]
        if roll < 0.96:
            first = entries[0][1]
            return "tiny first", [(0, first[:8], True), (8, first[8:], entries[0][2])] + entries[1:]
        if roll < 0.98:
            return "other data, same place", entries[:at] + [(start, bytes(len(data)), more)] + entries[at:]
        count = random.choice([62, 63, 64, 65, 66])
        return "in too many pieces", [(n * 8 + 16, b"too many", True) for n in range(count)] + entries[:1]

    def frame(self, front, header, start, data, more):
        octets = bytearray(header)
        if header[0] >> 4 == 4:
            struct.pack_into(
                "!HHH", octets, 2, len(header) + len(data), self.identification, start // 8 | 0x2000 * more)
            octets[8] = self.random.randrange(256)  # time to live: each fragment may have come another way
            octets[10:12] = b"\0\0"
            struct.pack_into("!H", octets, 10, internet_checksum(bytes(octets)))
            return self.frames.pad(front + bytes(octets) + data)
        extension = struct.pack(
            "!BBHI", octets[6], self.random.choice([0, 0, 255]), start & 0xFFF8 | more | self.random.choice([0, 0, 6]),
            self.identification)
        octets[6] = 44
        struct.pack_into("!H", octets, 4, 8 + len(data))
        return self.frames.pad(front + bytes(octets) + extension + data)
