#!/usr/bin/python3
"""A RADIUS server with one user (RFC 2865), as far as an LNS of the lab needs one: PAP, CHAP, accounting answered."""

import argparse
import hashlib
import hmac
import ipaddress
import socket
import struct

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 1, 2, 3, 4, 5
USER_NAME, USER_PASSWORD, CHAP_PASSWORD, SERVICE_TYPE, FRAMED_PROTOCOL, FRAMED_ADDRESS, FRAMED_NETMASK = 1, 2, 3, 6, 7, 8, 9
CHAP_CHALLENGE = 60


def attributes(packet):
    """The attributes of a request by type; of several of one type the last. Broken ones end the list."""
    found, position = {}, 20
    while position + 2 <= len(packet):
        kind, length = packet[position], packet[position + 1]
        if length < 2 or position + length > len(packet):
            break
        found[kind] = packet[position + 2:position + length]
        position += length
    return found


def clear_password(hidden, authenticator, secret):
    """The clear text of User-Password (RFC 2865, section 5.2)."""
    clear, previous = b"", authenticator
    for position in range(0, len(hidden), 16):
        block = hidden[position:position + 16]
        pad = hashlib.md5(secret + previous).digest()
        clear += bytes(a ^ b for a, b in zip(block, pad))
        previous = block
    return clear.rstrip(b"\0")


def accepted(request, authenticator, secret, user, password):
    """Whether the request proves that it knows the user's password."""
    if request.get(USER_NAME) != user:
        return False
    if CHAP_PASSWORD in request and len(request[CHAP_PASSWORD]) == 17:
        identifier, response = request[CHAP_PASSWORD][:1], request[CHAP_PASSWORD][1:]
        challenge = request.get(CHAP_CHALLENGE, authenticator)
        return hmac.compare_digest(hashlib.md5(identifier + password + challenge).digest(), response)
    if USER_PASSWORD in request:
        return hmac.compare_digest(clear_password(request[USER_PASSWORD], authenticator, secret), password)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="ADDRESS:PORT")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--address", required=True, help="Framed-IP-Address of the first session; later ones count up")
    options = parser.parse_args()
    secret, user, password = (value.encode() for value in (options.secret, options.user, options.password))
    next_address = int(ipaddress.IPv4Address(options.address))
    address, port = options.listen.rsplit(":", 1)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, int(port)))
    print("listening", flush=True)
    answered = {}
    while True:
        packet, sender = server.recvfrom(4096)
        if len(packet) < 20:
            continue
        code, identifier, length = struct.unpack("!BBH", packet[:4])
        authenticator = packet[4:20]
        if length > len(packet):
            continue
        key = (sender, identifier, authenticator)
        if key not in answered:
            request, body = attributes(packet[:length]), b""
            if code == ACCESS_REQUEST:
                answer = ACCESS_ACCEPT if accepted(request, authenticator, secret, user, password) else ACCESS_REJECT
                if answer == ACCESS_ACCEPT:
                    for kind, value in ((SERVICE_TYPE, 2), (FRAMED_PROTOCOL, 1), (FRAMED_ADDRESS, next_address),
                                        (FRAMED_NETMASK, 0xffffffff)):
                        body += struct.pack("!BBI", kind, 6, value)
                    next_address += 1
                print("accept" if answer == ACCESS_ACCEPT else "reject", request.get(USER_NAME), flush=True)
            elif code == ACCOUNTING_REQUEST:
                answer = ACCOUNTING_RESPONSE
            else:
                continue
            head = struct.pack("!BBH", answer, identifier, 20 + len(body))
            answered[key] = head + hashlib.md5(head + authenticator + body + secret).digest() + body
        server.sendto(answered[key], sender)


if __name__ == "__main__":
    main()
