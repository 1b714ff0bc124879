"""A relay of UDP datagrams between the node's IPv6 and an LNS's IPv4: addresses change, nothing else.

    python3 relay.py OWN_IPV6 OWN_IPV4 LNS_IPV4
"""

import select
import socket
import sys

PORT = 1701


def run(ipv6, ipv4, lns):
    outside = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    outside.bind((ipv6, PORT))
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.bind((ipv4, PORT))
    node = None
    print("relaying", flush=True)
    while True:
        for ready in select.select([outside, inside], [], [])[0]:
            if ready is outside:
                datagram, node = outside.recvfrom(65535)
                inside.sendto(datagram, (lns, PORT))
            else:
                datagram, source = inside.recvfrom(65535)
                if node is not None and source[0] == lns:
                    outside.sendto(datagram, node)


if __name__ == "__main__":
    run(*sys.argv[1:])
