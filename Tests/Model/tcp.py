"""TCP's maximum segment size in SYNs (RFC 9293, 3.1 and 3.2) and how it is lowered in a PPP frame."""

import struct

from checksum import ones_complement_sum

IPV4, IPV6, TCP = 0x0021, 0x0057, 6
END, NOTHING, MSS = 0, 1, 2
SYN = 2


def clamp(ppp, largest):
    """The PPP frame with no larger MSS than `largest` over IPv4 or 20 less over IPv6, and whether anything was lowered."""
    segment = tcp_segment(ppp)
    if segment is None:
        return ppp, False
    start, end, version = segment
    if version == 6:
        largest = max(0, largest - 20)  # RFC 6691: the headers are counted, options are not
    if end - start < 20 or not ppp[start + 13] & SYN:
        return ppp, False
    options_end = start + (ppp[start + 12] >> 4) * 4
    if options_end < start + 20 or options_end > end:
        return ppp, False
    at, found = start + 20, False
    while at < options_end:
        kind = ppp[at]
        if kind == END:
            break
        if kind == NOTHING:
            at += 1
            continue
        if at + 2 > options_end:
            break
        size = ppp[at + 1]
        if size < 2 or at + size > options_end:
            break
        if kind == MSS and size == 4:
            # The option comes once; who sends it twice gets neither past the clamp.
            (value,) = struct.unpack_from("!H", ppp, at + 2)
            if value > largest:
                ppp, found = lowered(ppp, start, at + 2, largest), True
        at += size
    return ppp, found


def lowered(ppp, start, at, value):
    """RFC 1624: HC' = ~(~HC + ~m + m'), where m and m' are the words of the segment that change."""
    octets = bytearray(ppp)
    first = at - (at - start) % 2  # words begin at even octets of the segment
    last = at + 2 + (at + 2 - start) % 2
    before = bytes(octets[first:last])
    struct.pack_into("!H", octets, at, value)
    after = bytes(octets[first:last])
    (checksum,) = struct.unpack_from("!H", octets, start + 16)
    inverse = bytes(octet ^ 0xFF for octet in before)
    total = ones_complement_sum(struct.pack("!H", ~checksum & 0xFFFF) + inverse + after)
    struct.pack_into("!H", octets, start + 16, ~total & 0xFFFF)
    return bytes(octets)


def tcp_segment(ppp):
    """Where the TCP segment of an IP packet begins and ends in a PPP frame, and the IP version; None when there is none."""
    if len(ppp) < 2:
        return None
    if ppp[0] & 1:  # RFC 1661, 6.5
        protocol, ip = ppp[0], 1
    else:
        protocol, ip = struct.unpack_from("!H", ppp)[0], 2
    packet = ppp[ip:]
    if protocol == IPV4:
        if len(packet) < 20 or packet[0] >> 4 != 4:
            return None
        header = (packet[0] & 15) * 4
        (total, fragment) = struct.unpack_from("!H2xH", packet, 2)
        if header < 20 or total < header or total > len(packet) or fragment & 0x1FFF or packet[9] != TCP:
            return None
        return ip + header, ip + total, 4
    if protocol == IPV6:
        if len(packet) < 40 or packet[0] >> 4 != 6:
            return None
        (length,) = struct.unpack_from("!H", packet, 4)
        if 40 + length > len(packet) or packet[6] != TCP:
            return None
        return ip + 40, ip + 40 + length, 6
    return None
