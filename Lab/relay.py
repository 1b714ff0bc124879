"""A relay of UDP datagrams between the node's IPv6 and an LNS's IPv4: addresses change, nothing else."""

import select
import socket
import sys

from .process import Process

PORT = 1701


class Relay:
    """The relay, running in a namespace, in the lab's care."""

    def __init__(self, lab, namespace, ipv6, ipv4, lns):
        self.process = Process(
            "relay", namespace.command(sys.executable, "-u", "-m", "Lab.relay", ipv6, ipv4, lns), lab.path("relay.log"))
        lab.undo.append(self.process.stop)
        self.process.wait_for(r"^relaying", 10)


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
