"""Talks to model-harness, the program that hosts the real worker: a line of text for every request and answer."""

import subprocess

from segment import Segment


class Node:
    """The node under test in a process of its own."""

    def __init__(self, program, arguments=()):
        self.process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1 << 16
        )

    def send(self, line):
        self.process.stdin.write(line + "\n")

    def answers(self):
        """The lines up to `done`, each split into words."""
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("model-harness ended with status %s" % self.process.wait())
            words = line.split()
            if words and words[0] == "done":
                return lines
            if words and words[0] == "error":
                raise RuntimeError("model-harness: " + line.strip())
            lines.append(words)

    def ask(self, line):
        self.send(line)
        return self.answers()

    def close(self):
        self.process.stdin.close()
        return self.process.wait(timeout=30)

    def create(self, topology, workers=1, rates=(1_000_000_000, 0, 0, 0)):
        """Tells the node the whole topology and fills in the identifiers that it assigned.

        `rates`: frames a second that each punt class may have, and each client of a class, 0: no limit of its own; and that each line
        and each port has before others, 0: all frames are alike.
        """
        self.ask("workers %d" % workers)
        for port in topology.ports:
            self.ask("port %d %s %d %d %d %d %d %s" % (
                port.index, port.mac.hex(), port.access, port.core, port.mtu, port.chained, port.dispatched,
                " ".join(port.addresses)))
        self.ask("start %d %d %d %d" % rates)
        self.segment = Segment(self)
        for port in topology.ports:
            self.segment.port(port)
        for index, policer in enumerate(topology.policers):
            self.segment.policer(index, policer)
        for circuit in topology.circuits:
            answer = self.ask("circuit %d %d %d %d" % (circuit.port, circuit.outer, circuit.inner, circuit.tpid))
            circuit.index = int(answer[0][1])
        for t in topology.tunnels:
            # An IPv6 tunnel is made with addresses that nobody has, and then written by the model.
            local, peer = (t.local, t.peer) if t.family == 4 else ("192.0.2.253", "192.0.2.254")
            answer = self.ask(
                "tunnel %d %d %s %s %s %d %d %d %d %d %d %d %d %d %d" % (
                    t.port, t.vlan, t.next_hop.hex(), local, peer, t.local_port, t.peer_port, t.peer_tunnel_id,
                    t.length_bit, t.udp_checksum, t.inherit_tos, t.tos, t.ttl, t.mtu, t.ready,
                )
            )
            t.id = int(answer[0][1])
            if not t.is_plain:
                self.segment.tunnel(t, topology.ports[t.port].mac)
        for s in topology.sessions:
            circuit, tunnel = topology.circuits[s.circuit], topology.tunnels[s.tunnel]
            answer = self.ask(
                "session %d %d %s %d %d" % (circuit.index, tunnel.id, s.mac.hex(), s.peer_session_id, s.punt)
            )
            s.session_id, s.local_session_id, s.upstream_slot, s.downstream_slot = (int(word) for word in answer[0][1:5])
            if not s.punt:
                self.segment.session(s)

    def pass_through(self, received, transmitted=(), now=None):
        """Lets frames, (port, queue, bytes), arrive or be sent by the control plane, (port, bytes), the workers run at a time,
        in cycles, and collects.

        Answers the frames sent, port: [(worker, bytes)], the punted ones as (class, port, upstream slot, detail, bytes), the
        counters by (worker, name), how many packet buffers are in use, and copies for captures as (point, reason, capture, port,
        upstream slot, octets of the whole frame, bytes).
        """
        if now is not None:
            self.send("time %d" % now)
        for port, queue, frame in received:
            self.send("inject %d %d %s" % (port, queue, frame.hex() or "-"))
        for port, frame in transmitted:
            self.send("transmit %d %s" % (port, frame.hex()))
        sent, punted, counters, in_use, copied = {}, [], {}, 0, []
        for words in self.ask("run"):
            if words[0] == "sent":
                sent.setdefault(int(words[1]), []).append((int(words[2]), bytes.fromhex(words[3])))
            elif words[0] == "punted":
                punted.append((words[1], int(words[2]), int(words[3]), int(words[4]), bytes.fromhex(words[6])))
            elif words[0] == "copied":
                octets = b"" if words[7] == "-" else bytes.fromhex(words[7])
                copied.append((words[1], words[2], *(int(word) for word in words[3:7]), octets))
            elif words[0] == "counter":
                counters[int(words[1]), words[2]] = int(words[3])
            elif words[0] == "buffers":
                in_use = int(words[1])
        return sent, punted, counters, in_use, copied

    def session_counts(self):
        """Packets and octets upstream, packets and octets downstream, of each session in the order of creation."""
        return [[int(word) for word in words[1:5]] for words in self.ask("sessions")]
