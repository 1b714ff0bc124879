"""Network namespaces, veth pairs, bridges and TAPs. What a namespace holds goes when the namespace goes."""

import os
import signal

from .process import LabTimeout, execute, wait_until


class Namespace:
    """One network namespace with a name of its own."""

    def __init__(self, name):
        self.name = name
        execute(["ip", "netns", "add", name])
        # No router solicitations or neighbour discovery of the host's kernel between the peers' frames.
        self.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.ip("link", "set", "lo", "up")

    def command(self, *arguments):
        """The argument list that runs `arguments` in this namespace."""
        return ["ip", "netns", "exec", self.name, *[str(argument) for argument in arguments]]

    def execute(self, *arguments, **options):
        return execute(self.command(*arguments), **options)

    def ip(self, *arguments):
        return execute(["ip", "-n", self.name, *[str(argument) for argument in arguments]])

    def sysctl(self, key, value):
        self.execute("sysctl", "-qw", f"{key}={value}")

    def bridge(self, name, mtu):
        """A bridge that forwards from its first frame on: no spanning tree delay, no snooping."""
        self.ip("link", "add", name, "type", "bridge", "forward_delay", 0, "mcast_snooping", 0)
        self.ip("link", "set", name, "mtu", mtu, "up")

    def tap(self, name, bridge, mtu):
        """A TAP for a guest, joined to `bridge`."""
        self.ip("tuntap", "add", name, "mode", "tap")
        self.ip("link", "set", name, "mtu", mtu, "master", bridge, "up")

    def remove_link(self, name):
        execute(["ip", "-n", self.name, "link", "del", name], check=False)

    def checksums_in_software(self, interface):
        # A veth or bridge leaves checksums to hardware that is not there; a reader on the other end would see them wrong.
        self.execute("ethtool", "-K", interface, "tx", "off", check=False)

    def processes(self):
        """The ids of all processes that run in this namespace."""
        return Namespace.processes_in(self.name)

    def remove(self):
        Namespace.remove_named(self.name)

    @staticmethod
    def processes_in(name):
        found = execute(["ip", "netns", "pids", name], check=False).stdout.split()
        return [int(pid) for pid in found]

    @staticmethod
    def remove_named(name):
        """Removes a namespace and whatever still runs in it. Killed guests need a moment until they are gone."""
        try:
            wait_until(lambda: not Namespace.processes_in(name), 3, "")
        except LabTimeout:
            for pid in Namespace.processes_in(name):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        execute(["ip", "netns", "del", name], check=False)

    @staticmethod
    def existing():
        """The names of all network namespaces of this machine."""
        try:
            return sorted(os.listdir("/run/netns"))
        except FileNotFoundError:
            return []


def veth(near, near_name, far, far_name, mtu, near_address=None):
    """A veth pair between two namespaces, both ends up; `near_address` is the MAC address of the near end."""
    near.ip("link", "add", near_name, *(["address", near_address] if near_address else []), "mtu", mtu,
            "type", "veth", "peer", "name", far_name, "netns", far.name, "mtu", mtu)
    for namespace, name in ((near, near_name), (far, far_name)):
        namespace.checksums_in_software(name)
        namespace.ip("link", "set", name, "up")
