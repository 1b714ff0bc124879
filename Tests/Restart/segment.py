"""The shared segment as another writer sees it: enough of Sources/CShims/Segment to put sessions in without culvertd."""

import mmap
import os
import struct

MAGIC = int.from_bytes(b"CULVERT1", "little")
VERSION = 5
FORWARD = 3
ACCESS, CORE = 1, 2
NONE = 0xFFFFFFFF


class Segment:
    """A mapped segment."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR)
        self.bytes = mmap.mmap(self.file, os.fstat(self.file).st_size)
        (magic, version) = struct.unpack_from("<QI", self.bytes, 0)
        if (magic, version) != (MAGIC, VERSION):
            raise ValueError(f"magic {magic:#x}, version {version}")
        (self.ports, _, self.circuits, self.tunnels, self.templates, self.upstream, self.downstream,
         self.workers) = struct.unpack_from("<8Q", self.bytes, 64)

    def close(self):
        if self.file is not None:
            self.bytes.close()
            os.close(self.file)
            self.file = None

    def u64(self, offset):
        return struct.unpack_from("<Q", self.bytes, offset)[0]

    @property
    def epoch(self):
        return self.u64(1056)

    @property
    def worker_count(self):
        """Workers that run, by the data plane's word."""
        return struct.unpack_from("<I", self.bytes, 1088)[0]

    def loops(self, worker=0):
        """Rounds of a worker's loop."""
        return self.u64(self.workers + 4096 * worker + 8)

    def counter(self, worker, index):
        """A worker's counter, by its number in Sources/DataPlane/Segment/Counter."""
        return self.u64(self.workers + 4096 * worker + 64 + 8 * index)

    def dispatch(self, port):
        """The port's way of dispatch, CULVERT_DISPATCH_*."""
        return struct.unpack_from("<I", self.bytes, self.ports + 512 * port + 180)[0]

    def mac(self, port):
        return bytes(self.bytes[self.ports + 512 * port + 160:][:6])

    def put(self, offset, form, *values):
        struct.pack_into("<" + form, self.bytes, offset, *values)

    def serve(self, port, roles, circuit=NONE, address=None):
        """Gives a port its role, and the circuit of untagged frames or an address."""
        entry = self.ports + 512 * port
        self.put(entry + 256, "I", circuit)
        if address:
            self.put(entry + 264, "I4s", 1, address)
        self.put(entry + 300, "I", roles)

    def circuit(self, index, port, regions):
        self.put(self.circuits + 32 * index, "IHHHHI4I", FORWARD, port, 0, 0, 0, 0, *regions)

    def tunnel(self, index, port, peer, local, regions):
        udp_port = struct.pack("!H", 1701)
        self.put(self.tunnels + 64 * index + 4, "BBBB4I16s16s2s2sH", 4, 0, port, 2, *regions, peer, local, udp_port,
                 udp_port, index)
        self.put(self.tunnels + 64 * index, "I", FORWARD)

    def template(self, tunnel, header, port, mtu, address_sum, header_sum):
        """`header` is everything in front of the PPP protocol field, 14 octets of Ethernet first; READY and no more."""
        entry = self.templates + 256 * tunnel
        self.put(entry, "96s", bytes(96 - len(header)) + header)
        self.put(entry + 96, "BBBBHHII", len(header), 14, 20, 8, port, mtu, header_sum, address_sum)

    def session(self, slot, client, session, circuit, tunnel, peer_session):
        entry = self.upstream + 64 * slot
        self.put(entry + 4, "I6sHIHBBI", circuit, client, int.from_bytes(session.to_bytes(2, "big"), "little"), tunnel,
                 int.from_bytes(peer_session.to_bytes(2, "big"), "little"), 2, 0, NONE)
        self.put(entry, "I", FORWARD)

    def counts(self, slots):
        """Packets of these upstream slots together."""
        return sum(self.u64(self.upstream + 64 * slot + 32) for slot in slots)
