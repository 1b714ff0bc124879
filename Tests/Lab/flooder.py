#!/usr/bin/python3
"""Floods an interface with frames of one kind, at a steady rate, until it is told to stop. Nothing but the standard library.

    flooder.py INTERFACE RATE KIND NODE_MAC [KEY=VALUE ...]

It says `flooding` when the first frames have left, and how many there were at the end. A forged kind has an address of its own
in every frame, hundreds of millions of them before one comes again. A real one is what somebody can do who receives what is sent
to his addresses: he has good cookies, and sessions.

Frames lie beside each other in one buffer. What differs from frame to frame is written once; what differs from one round of all of them
to the next is written for all of them at once, octet by octet. So a core sends some hundred thousand a second.
"""

import ctypes
import os
import select
import signal
import socket
import struct
import sys
import time

COUNT = 16384  # frames a round
BATCHES = 200  # batches a second
SOL_PACKET, PACKET_QDISC_BYPASS, MSG_DONTWAIT = 263, 20, 0x40
_libc = ctypes.CDLL(None, use_errno=True)


class _IOVector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("vector", ctypes.POINTER(_IOVector)),
                ("vectors", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("sent", ctypes.c_uint32), ("padding", ctypes.c_uint32)]


class Frames:
    """COUNT frames of one length. `numbered`: places of the high octet of a frame's number; `complements`: of what keeps a sum of both
    the same; `rounds` and `complement_rounds` likewise of the low octet of the round's number."""

    def __init__(self, frames, numbered=(), complements=(), rounds=(), complement_rounds=()):
        self.length = max(60, max(len(frame) for frame in frames))
        padded = [frame.ljust(self.length, b"\0") for frame in frames]
        self.buffer = bytearray(b"".join(padded[index % len(padded)] for index in range(COUNT)))
        self.rounds, self.complement_rounds, self.round = rounds, complement_rounds, 0
        high, low = bytes(index >> 8 for index in range(COUNT)), bytes(index & 255 for index in range(COUNT))
        for place in numbered:
            self.fill(place, high)
            self.fill(place + 1, low)
        for place in complements:
            self.fill(place, bytes(255 - octet for octet in high))
            self.fill(place + 1, bytes(255 - octet for octet in low))

    def fill(self, place, octets):
        self.buffer[place :: self.length] = octets

    def next_round(self):
        self.round += 1
        for place in self.rounds:
            self.fill(place, bytes([self.round & 255]) * COUNT)
            self.fill(place - 1, bytes([self.round >> 8 & 255]) * COUNT)
        for place in self.complement_rounds:
            self.fill(place, bytes([255 - (self.round & 255)]) * COUNT)


def octets(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(destination, source, kind, payload, tags=b""):
    return destination + source + tags + struct.pack("!H", kind) + payload


def tag(kind, value=b""):
    return struct.pack("!HH", kind, len(value)) + value


def pppoe(code, session=0, payload=b""):
    return struct.pack("!BBHH", 0x11, code, session, len(payload)) + payload


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def ipv4(source, destination, protocol, payload):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 255, 20 + len(payload), 0xFFFF, 0, 64, protocol, 0, source, destination)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def udp(payload, source_port=1701):
    return struct.pack("!HHHH", source_port, 1701, 8 + len(payload), 0) + payload


def control(tunnel, body=b"", ns=0, nr=0):
    return struct.pack("!HHHHHH", 0xC802, 12 + len(body), tunnel, 0, ns, nr) + body


def avp(kind, value):
    return struct.pack("!HHH", 0x8000 | 6 + len(value), 0, kind) + value


# Places of a forged IPv4 packet behind an untagged Ethernet header: the source address counts the frames in its low half and the
# rounds in the octet before; identification and type of service run the other way, so the header's checksum stays right.
FORGED_IPV4 = {"numbered": (28,), "complements": (18,), "complement_rounds": (15,)}


class ForgedIPv4(Frames):
    """Packets from 10.R.N.N, whose checksum stays right whatever N and R are."""

    def __init__(self, frame):
        super().__init__([frame], **FORGED_IPV4)

    def next_round(self):
        super().next_round()
        self.fill(27, bytes([self.round & 255]) * COUNT)


class Flooder:
    def __init__(self, interface, node, settings):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 0))
        self.socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self.node, self.settings = octets(node), settings

    # Forged, on the access side: the client's address counts frames and rounds.

    FORGED = {"numbered": (10,), "rounds": (9,)}
    MAC = octets("02f100000000")

    def forged(self, destination, kind, payload):
        return Frames([ethernet(destination, self.MAC, kind, payload)], **self.FORGED)

    def padi(self):
        return self.forged(b"\xff" * 6, 0x8863, pppoe(9, payload=tag(0x101) + tag(0x103, b"flood")))

    def padi_one(self):
        return Frames([ethernet(b"\xff" * 6, self.MAC, 0x8863, pppoe(9, payload=tag(0x101)))])

    def padi_vlans(self):
        """Of every VLAN there is, by frames' numbers below 4,096."""
        frames = [ethernet(b"\xff" * 6, self.MAC, 0x8863, pppoe(9, payload=tag(0x101)), struct.pack("!HH", 0x8100, vlan))
                  for vlan in range(1, 4095)]
        return Frames(frames, **self.FORGED)

    def padr(self):
        return self.forged(self.node, 0x8863, pppoe(0x19, payload=tag(0x101) + tag(0x104, bytes(32))))

    def padt(self):
        return self.forged(self.node, 0x8863, pppoe(0xA7, session=1))

    def unknown(self):
        frame = ethernet(self.node, self.MAC, 0x8864, pppoe(0, 1, octets("c0210901000800000000")))
        return Frames([frame], numbered=(10, 16), rounds=(9,))

    # Real, on the access side.

    def clients(self, count):
        return [octets("02ee00000000")[:4] + struct.pack("!H", number) for number in range(count)]

    def exchange(self, frames, wanted):
        """Sends frames, at their leisure, and reads answers until `wanted` has had enough of them."""
        for start in range(0, len(frames), 20):
            for frame in frames[start : start + 20]:
                self.socket.send(frame.ljust(60, b"\0"))
            deadline = time.monotonic() + 0.05
            while True:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                    break
                wanted(self.socket.recv(2048))

    def cookies(self, clients):
        found = {}

        def read(frame):
            place = 20
            if frame[12:16] != b"\x88\x63\x11\x07":
                return
            while place + 4 <= len(frame):
                kind, length = struct.unpack_from("!HH", frame, place)
                if kind == 0x104:
                    found[frame[:6]] = frame[place + 4 : place + 4 + length]
                place += 4 + length

        for _ in range(5):
            left = [client for client in clients if client not in found]
            self.exchange([ethernet(b"\xff" * 6, client, 0x8863, pppoe(9, payload=tag(0x101))) for client in left], read)
        if not found:
            raise SystemExit("no PADO")
        return found

    def padr_real(self):
        """PADRs with good cookies, each for a session more."""
        found = self.cookies(self.clients(int(self.settings.get("clients", 200))))
        frames = [ethernet(self.node, client, 0x8863, pppoe(0x19, payload=tag(0x103, bytes(4)) + tag(0x101) + tag(0x104, cookie)))
                  for client, cookie in found.items()]
        # Host-Uniq is the first tag: 14 octets of Ethernet, 6 of PPPoE, 4 of the tag.
        return Frames(frames, numbered=(24,), rounds=(27,))

    def sessions(self):
        """Sessions that are being set up, by client."""
        found, sessions = self.cookies(self.clients(int(self.settings.get("clients", 100)))), {}

        def read(frame):
            if frame[12:16] == b"\x88\x63\x11\x65" and frame[16:18] != b"\0\0":
                sessions[frame[:6]] = frame[16:18]

        self.exchange([ethernet(self.node, client, 0x8863, pppoe(0x19, payload=tag(0x101) + tag(0x104, cookie)))
                       for client, cookie in found.items()], read)
        if not sessions:
            raise SystemExit("no PADS")
        return [(client, struct.unpack("!H", session)[0]) for client, session in sessions.items()]

    def lcp(self):
        """Configure-Requests of an LCP that never gets anywhere."""
        return Frames([ethernet(self.node, client, 0x8864, pppoe(0, session, octets("c0210101000a0506") + bytes(4)))
                       for client, session in self.sessions()], numbered=(28,))

    def echo(self):
        return Frames([ethernet(self.node, client, 0x8864, pppoe(0, session, octets("c0210901000800000000")))
                       for client, session in self.sessions()])

    def pap(self):
        request = octets("c02301010012") + b"\6nobody\6secret"
        return Frames([ethernet(self.node, client, 0x8864, pppoe(0, session, request)) for client, session in self.sessions()])

    # On the core side.

    ROUTER = octets("02f200000001")

    def to_node(self, protocol, payload, source="10.0.0.0"):
        return ethernet(
            self.node, self.ROUTER, 0x0800,
            ipv4(socket.inet_aton(source), socket.inet_aton(self.settings["address"]), protocol, payload))

    def l2tp(self):
        """HELLOs to a tunnel that there is, from anywhere."""
        return ForgedIPv4(self.to_node(17, udp(control(int(self.settings["tunnel"]), avp(0, b"\0\6")))))

    def l2tp_peer(self):
        """Messages far outside of the window to a tunnel that there is, with its peer's own address."""
        return Frames([self.to_node(17, udp(control(int(self.settings["tunnel"]), avp(0, b"\0\6"), ns=0x7000)),
                                    self.settings["peer"])])

    def sccrq(self):
        body = avp(0, b"\0\1") + avp(2, b"\1\0") + avp(3, bytes(4)) + avp(7, b"flood") + avp(9, b"\0\7") + avp(10, b"\0\4")
        return ForgedIPv4(self.to_node(17, udp(control(0, body))))

    def icmp(self):
        echo = b"\x08\0" + struct.pack("!H", checksum(b"\x08\0\0\0" + bytes(4))) + bytes(4)
        return ForgedIPv4(self.to_node(1, echo))

    def arp(self):
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + self.MAC + socket.inet_aton("10.0.0.0") + bytes(6) + socket.inet_aton(
            self.settings["address"])
        return Frames([ethernet(b"\xff" * 6, self.MAC, 0x0806, body)], numbered=(10, 26), rounds=(9,))

    def fragments(self):
        """First fragments of IPv6 datagrams that never become whole, from anywhere."""
        destination = socket.inet_pton(socket.AF_INET6, self.settings["address6"])
        source = socket.inet_pton(socket.AF_INET6, "2001:db8:f::")
        packet = struct.pack("!IHBB", 6 << 28, 8 + 40, 44, 64) + source + destination + struct.pack("!BBHI", 17, 0, 1, 1) + bytes(40)
        return Frames([ethernet(self.node, self.ROUTER, 0x86DD, packet)], numbered=(36,), rounds=(35,))

    def run(self, kind, rate):
        frames = getattr(self, kind)()
        base = ctypes.addressof((ctypes.c_char * len(frames.buffer)).from_buffer(frames.buffer))
        vectors = (_IOVector * COUNT)(*[_IOVector(base + index * frames.length, frames.length) for index in range(COUNT)])
        messages = (_Message * COUNT)()
        for index in range(COUNT):
            messages[index].vector = ctypes.pointer(vectors[index])
            messages[index].vectors = 1
        size, place, sent, stopped = ctypes.sizeof(_Message), 0, 0, []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.append(True))
        batch = max(1, rate // BATCHES)
        start = time.monotonic()
        number = self.socket.fileno()
        while not stopped:
            count = min(batch, COUNT - place)
            done = _libc.sendmmsg(number, ctypes.byref(messages, place * size), count, MSG_DONTWAIT)
            if done > 0:
                if sent == 0:
                    print("flooding", flush=True)
                sent += done
                place += done
            if place == COUNT:
                place = 0
                frames.next_round()
            behind = time.monotonic() - start - sent / rate
            if behind < 0:
                time.sleep(-behind)
            elif behind > 0.1:
                start += behind  # what could not be sent in time is not made up for
        print(f"sent {sent} in {time.monotonic() - start:.1f} s", flush=True)


def main():
    interface, rate, kind, node, *rest = sys.argv[1:]
    os.nice(5)
    Flooder(interface, node, dict(item.split("=", 1) for item in rest)).run(kind, int(rate))


if __name__ == "__main__":
    main()
