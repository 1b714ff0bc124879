"""An LNS that can fail: it forgets its sequence numbers, and comes back by RFC 4951. Its data channel is one with its control channel, and
goes on all the time, as on a router whose line cards outlive the control processor. A peer that has failed it lets recover as well. It was
written from the standards alone, and shares nothing with Culvert.

    python3 failover_lns.py ADDRESS SECRET

It takes calls, tells CHAP's success, gives out one address by IPCP and answers pings. What it does it tells by lines on standard output;
commands come by standard input:

    fail [SESSION...]     forgets sequence numbers and these sessions (all ids its own), and recovers
    mute, unmute          neither hears nor says anything on the control channel
"""

import hashlib
import os
import select
import socket
import struct
import sys
import time

PORT, OWN, CLIENT = 1701, "10.66.0.1", "10.66.0.10"
SCCRQ, SCCRP, SCCCN, STOPCCN, HELLO, ICRQ, ICRP, ICCN, CDN, FSQ, FSR = 1, 2, 3, 4, 6, 10, 11, 12, 14, 21, 22


def avp(kind, value, mandatory=True):
    return struct.pack("!HHH", (0x8000 if mandatory else 0) | (6 + len(value)), 0, kind) + value


def pair(first, second):
    return struct.pack("!HII", 0, first, second)


def unpair(value):
    return struct.unpack("!HII", value)[1:]


def avps(body):
    """All AVPs of a message, in order."""
    found = []
    while body:
        length = struct.unpack("!H", body[:2])[0] & 0x3FF
        found.append((struct.unpack("!H", body[4:6])[0], body[6:length]))
        body = body[length:]
    return found


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tell(text):
    print(text, flush=True)


class Channel:
    """A tunnel's control channel: numbers, what waits for an acknowledgement, what came."""

    def __init__(self, lns, own, peer, address):
        self.lns, self.own, self.peer, self.address = lns, own, peer, address
        self.ns = self.nr = 0
        self.waiting = []
        self.sessions = {}
        self.challenge = os.urandom(16)
        self.up = False
        # A recovery tunnel of ours: the channel that it recovers; of the peer's: likewise.
        self.recovers = self.serves = None
        self.suggestion = (0, 0)

    def put(self, kind, *parts, session=0):
        """Sends a message, and again until it is acknowledged."""
        self.waiting.append([self.ns, session, avp(0, struct.pack("!H", kind)) + b"".join(parts), time.monotonic()])
        self.ns = (self.ns + 1) & 0xFFFF
        self.emit(self.waiting[-1])

    def emit(self, message):
        number, session, body, _ = message
        message[3] = time.monotonic()
        self.lns.transmit(struct.pack("!HHHHHH", 0xC802, 12 + len(body), self.peer, session, number, self.nr) + body, self.address)

    def acknowledge(self):
        self.lns.transmit(struct.pack("!HHHHHH", 0xC802, 12, self.peer, 0, self.ns, self.nr), self.address)

    def begin(self, ns, nr):
        self.ns, self.nr, self.waiting = ns, nr, []

    def prove(self, kind, challenge):
        return hashlib.md5(bytes([kind]) + self.lns.secret + challenge).digest()

    def start(self, *parts):
        return [avp(2, b"\1\0"), avp(7, b"failing-lns"), avp(3, struct.pack("!I", 3)), avp(9, struct.pack("!H", self.own)),
                avp(11, self.challenge), avp(76, struct.pack("!HI", 1, 60000), False), *parts]


class LNS:
    def __init__(self, address, secret):
        self.secret = secret.encode()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, PORT))
        self.channels, self.last_tunnel, self.last_session = {}, 0x400, 0x3000
        self.muted = False
        # The data channel: the peer's session by ours, with its tunnel and address.
        self.data = {}
        # Sessions whose client has taken our own address.
        self.agreed = set()

    def transmit(self, datagram, address):
        if not (self.muted and datagram[0] & 0x80):
            self.socket.sendto(datagram, address)

    def run(self):
        tell("listening")
        while True:
            for ready in select.select([self.socket, sys.stdin], [], [], 0.2)[0]:
                if ready is self.socket:
                    datagram, address = self.socket.recvfrom(65535)
                    if not datagram[0] & 0x80:
                        self.take_data(datagram)
                    elif not self.muted:
                        self.take(datagram, address)
                else:
                    self.obey(sys.stdin.readline().split())
            for channel in list(self.channels.values()):
                for message in channel.waiting[:1]:
                    if time.monotonic() - message[3] > 1:
                        channel.emit(message)

    # Control channel

    def channel(self, peer, address):
        self.last_tunnel += 1
        self.channels[self.last_tunnel] = channel = Channel(self, self.last_tunnel, peer, address)
        return channel

    def take(self, datagram, address):
        _, length, tunnel, session, ns, nr = struct.unpack("!HHHHHH", datagram[:12])
        body = avps(datagram[12:length])
        values = dict(body[1:])
        if tunnel == 0:
            if not body or body[0][1] != struct.pack("!H", SCCRQ) or any(c.address == address and not c.up for c in self.channels.values()):
                return
            old = None
            if 77 in values:
                theirs, ours = unpair(values[77])
                old = self.channels.get(ours)
                if old is None or (old.peer, old.address[0]) != (theirs, address[0]):
                    return tell(f"no tunnel {ours} of {theirs} to recover")
            channel = self.channel(struct.unpack("!H", values[9])[0], address)
            channel.serves = old
        elif tunnel in self.channels:
            channel = self.channels[tunnel]
        else:
            return
        channel.waiting = [message for message in channel.waiting if ((nr - 1 - message[0]) & 0xFFFF) >= 0x8000]
        if not body:
            return self.acknowledged(channel)
        if ns != channel.nr:
            if ((channel.nr - ns) & 0xFFFF) < 0x8000:
                channel.acknowledge()
            return
        channel.nr = (channel.nr + 1) & 0xFFFF
        channel.acknowledge()
        self.acknowledged(channel)
        self.process(channel, struct.unpack("!H", body[0][1])[0], session, body[1:], values)

    def process(self, channel, kind, session, listed, values):
        if kind == SCCRQ:
            tell(f"failover of peer: {values.get(76, b'').hex()}")
            channel.put(SCCRP, *channel.start(avp(13, channel.prove(SCCRP, values[11]))))
        elif kind == SCCRP:
            if values.get(13) != channel.prove(SCCRP, channel.challenge):
                return tell("peer is not authentic")
            channel.peer = struct.unpack("!H", values[9])[0]
            channel.suggestion = unpair(values[78]) if 78 in values else (0, 0)
            channel.put(SCCCN, avp(13, channel.prove(SCCCN, values[11])))
            channel.up = True
        elif kind == SCCCN:
            channel.up = values.get(13) == channel.prove(SCCCN, channel.challenge)
            tell(f"tunnel {channel.own} of {channel.peer}: {'up' if channel.up else 'not authentic'}")
            if channel.up and channel.serves:
                channel.serves.begin(0, 0)
                tell(f"tunnel {channel.serves.own} recovered by its peer")
        elif kind == STOPCCN:
            tell(f"tunnel {channel.own} stopped, result {struct.unpack('!H', values[1][:2])[0]}")
            del self.channels[channel.own]
        elif kind == ICRQ:
            self.last_session += 1
            theirs = struct.unpack("!H", values[14])[0]
            channel.sessions[self.last_session] = theirs
            channel.put(ICRP, avp(14, struct.pack("!H", self.last_session)), session=theirs)
        elif kind == ICCN:
            self.data[session] = (channel.peer, channel.sessions[session], channel.address)
            tell(f"session {session} of {channel.sessions[session]} up")
            success = b"welcome"
            self.say(session, 0xC223, struct.pack("!BBH", 3, values[32][1], 4 + len(success)) + success)
        elif kind == CDN:
            tell(f"session {session} disconnected")
            channel.sessions.pop(session, None)
            self.data.pop(session, None)
        elif kind == FSQ:
            answers = []
            for theirs, ours in [unpair(value) for number, value in listed if number == 79]:
                known = channel.sessions.get(ours) == theirs
                tell(f"asked about {ours} of {theirs}: {'known' if known else 'unknown'}")
                answers.append(avp(79, pair(ours if known else 0, theirs), False))
            channel.put(FSR, *answers)
        elif kind == FSR:
            for theirs, ours in [unpair(value) for number, value in listed if number == 79]:
                tell(f"answered about {ours}: {'known' if theirs == channel.sessions.get(ours) else 'unknown'}")

    # Failure and recovery

    def obey(self, words):
        if words[:1] == ["mute"] or words[:1] == ["unmute"]:
            self.muted = words[0] == "mute"
        elif words[:1] == ["fail"]:
            for channel in list(self.channels.values()):
                for session in words[1:]:
                    channel.sessions.pop(int(session), None)
                    self.data.pop(int(session), None)
                # What is not known any more is as wrong as can be.
                channel.begin(0x7777, 0x9999)
                recovery = self.channel(0, channel.address)
                recovery.recovers = channel
                recovery.put(SCCRQ, *recovery.start(
                    avp(5, os.urandom(8), False), avp(77, pair(channel.own, channel.peer))))
        tell(f"done: {' '.join(words)}")

    def acknowledged(self, channel):
        """SCCCN of a recovery tunnel has arrived: the old tunnel begins anew, and its sessions are asked about."""
        if not (channel.recovers and channel.up and not channel.waiting):
            return
        old, channel.recovers = channel.recovers, None
        channel.put(STOPCCN, avp(9, struct.pack("!H", channel.own)), avp(1, struct.pack("!H", 1)))
        old.begin(*channel.suggestion)
        tell(f"tunnel {old.own} recovered, ns {old.ns} nr {old.nr}")
        old.put(FSQ, *[avp(79, pair(ours, theirs), False) for ours, theirs in old.sessions.items()])

    # Data channel

    def say(self, session, protocol, payload):
        tunnel, theirs, address = self.data[session]
        self.transmit(struct.pack("!HHHHH", 0x0002, tunnel, theirs, 0xFF03, protocol) + payload, address)

    def take_data(self, datagram):
        flags, = struct.unpack("!H", datagram[:2])
        start = 4 if flags & 0x4000 else 2
        _, session = struct.unpack("!HH", datagram[start:start + 4])
        start += 4 + (4 if flags & 0x0800 else 0)
        if flags & 0x0200:
            start += 2 + struct.unpack("!H", datagram[start:start + 2])[0]
        frame = datagram[start:]
        frame = frame[2:] if frame[:2] == b"\xff\x03" else frame
        if session not in self.data or len(frame) < 6:
            return
        protocol, = struct.unpack("!H", frame[:2])
        packet = frame[2:]
        code, number = packet[0], packet[1]
        if protocol == 0x8021 and code == 1:
            self.configure(session, number, packet[4:])
        elif protocol == 0x8021 and code == 2:
            self.agreed.add(session)
        elif protocol == 0xC021 and code == 9:
            self.say(session, 0xC021, bytes([10, number]) + struct.pack("!HI", 8, 0))
        elif protocol == 0xC021 and code == 5:
            self.say(session, 0xC021, struct.pack("!BBH", 6, number, 4))
            self.disconnect(session)
        elif protocol in (0x80FD, 0x8057):
            self.say(session, 0xC021, struct.pack("!BBH", 8, number, 4 + len(frame)) + frame)
        elif protocol == 0x0021 and packet[9] == 1 and packet[20] == 8:
            echo = b"\0\0\0\0" + packet[24:]
            echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
            self.say(session, 0x0021, packet[:12] + packet[16:20] + packet[12:16] + echo)

    def disconnect(self, session):
        """The client has hung up."""
        del self.data[session]
        for channel in self.channels.values():
            if session in channel.sessions:
                theirs = channel.sessions.pop(session)
                channel.put(CDN, avp(1, struct.pack("!H", 3)), avp(14, struct.pack("!H", session)), session=theirs)
        tell(f"session {session} hung up")

    def configure(self, session, number, options):
        """IPCP Configure-Request: the address is ours to give, other options are refused."""
        address, others = None, b""
        while options:
            option, options = options[:options[1]], options[options[1]:]
            if option[0] == 3:
                address = option
            else:
                others += option
        if others:
            code, answer = 4, others
        elif address is None or address[2:] != socket.inet_aton(CLIENT):
            code, answer = 3, b"\3\6" + socket.inet_aton(CLIENT)
        else:
            code, answer = 2, address
        self.say(session, 0x8021, struct.pack("!BBH", code, number, 4 + len(answer)) + answer)
        if session not in self.agreed:
            own = b"\3\6" + socket.inet_aton(OWN)
            self.say(session, 0x8021, struct.pack("!BBH", 1, 1, 4 + len(own)) + own)


if __name__ == "__main__":
    LNS(*sys.argv[1:]).run()
