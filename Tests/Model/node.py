"""Talks to model-harness, the program that hosts the real worker: a line of text for every request and answer."""

import subprocess


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

    def create(self, topology):
        """Tells the node the whole topology and fills in the identifiers that it assigned."""
        for port in topology.ports:
            self.ask("port %d %s %d %d %s" % (port.index, port.mac.hex(), port.access, port.core, " ".join(port.addresses)))
        self.ask("start")
        for circuit in topology.circuits:
            answer = self.ask("circuit %d %d %d %d" % (circuit.port, circuit.outer, circuit.inner, circuit.tpid))
            circuit.index = int(answer[0][1])
        for t in topology.tunnels:
            answer = self.ask(
                "tunnel %d %d %s %s %s %d %d %d %d %d %d %d %d %d %d" % (
                    t.port, t.vlan, t.next_hop.hex(), t.local, t.peer, t.local_port, t.peer_port, t.peer_tunnel_id,
                    t.length_bit, t.udp_checksum, t.inherit_tos, t.tos, t.ttl, t.mtu, t.ready,
                )
            )
            t.id = int(answer[0][1])
        for s in topology.sessions:
            circuit, tunnel = topology.circuits[s.circuit], topology.tunnels[s.tunnel]
            answer = self.ask(
                "session %d %d %s %d %d" % (circuit.index, tunnel.id, s.mac.hex(), s.peer_session_id, s.punt)
            )
            s.session_id, s.local_session_id, s.upstream_slot = (int(word) for word in answer[0][1:4])

    def pass_through(self, received, transmitted=()):
        """Lets frames, (port, bytes) pairs, arrive or be sent by the control plane, the worker run, and collects.

        Answers the frames sent by port, the punted ones as (class, port, upstream slot, bytes), the counters by name, and how
        many packet buffers are missing.
        """
        for port, frame in received:
            self.send("inject %d %s" % (port, frame.hex() or "-"))
        for port, frame in transmitted:
            self.send("transmit %d %s" % (port, frame.hex()))
        sent, punted, counters, missing = {}, [], {}, 0
        for words in self.ask("run"):
            if words[0] == "sent":
                sent.setdefault(int(words[1]), []).append(bytes.fromhex(words[2]))
            elif words[0] == "punted":
                punted.append((words[1], int(words[2]), int(words[3]), bytes.fromhex(words[4])))
            elif words[0] == "counter":
                counters[words[1]] = int(words[2])
            elif words[0] == "buffers":
                missing = int(words[1])
        return sent, punted, counters, missing

    def session_counts(self):
        """Packets and octets upstream, packets and octets downstream, of each session in the order of creation."""
        return [[int(word) for word in words[1:5]] for words in self.ask("sessions")]
