"""A controller in Python, made from culvert.proto by grpcio-tools alone.

Against a server that has two tunnels, tunnel1 and tunnel2, with two sessions each, a port named core0, and nothing
static: lists, watches, clears, feeds. Exits with status 0 when everything is as it should be.
"""

import sys
import unittest

import grpc
from culvert.v1 import culvert_pb2 as pb
from culvert.v1 import culvert_pb2_grpc

TIMEOUT = 20


class ClientTest(unittest.TestCase):
    """Methods run in the order of their names; each leaves to the next what it needs."""

    @classmethod
    def setUpClass(cls):
        cls.channel = grpc.insecure_channel("unix:" + SOCKET)
        cls.culvert = culvert_pb2_grpc.CulvertStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()

    def sessions(self, **filters):
        batches = self.culvert.ListSessions(pb.ListSessionsRequest(**filters), timeout=TIMEOUT)
        return [session for batch in batches for session in batch.sessions]

    def test_1_status(self):
        status = self.culvert.GetStatus(pb.GetStatusRequest(), timeout=TIMEOUT)
        self.assertTrue(status.data_plane.alive)
        self.assertEqual({c.name: c.capacity for c in status.capacities}, {"sessions": 65536, "tunnels": 8192})

    def test_2_lists(self):
        batches = self.culvert.ListTunnels(pb.ListTunnelsRequest(detail=True), timeout=TIMEOUT)
        tunnels = [tunnel for batch in batches for tunnel in batch.tunnels]
        self.assertEqual([t.name for t in tunnels], ["tunnel1", "tunnel2"])
        self.assertEqual(tunnels[0].state, pb.TUNNEL_STATE_ESTABLISHED)
        self.assertEqual(tunnels[0].data.rx_octets, 0xFFFF_FFFF_FFFF_FFF0)
        self.assertEqual(tunnels[0].events[1].time.ToJsonString(), "2016-06-01T12:25:26.250Z")
        self.assertEqual([(s.tunnel_id, s.id) for s in self.sessions()], [(1, 1), (1, 2), (2, 1), (2, 2)])
        self.assertEqual([s.id for s in self.sessions(tunnel_id=2, user_name="user2@isp2.example")], [2])
        batches = self.culvert.ListConnections(pb.ListConnectionsRequest(instance="ac1"), timeout=TIMEOUT)
        self.assertEqual([c.client_mac for b in batches for c in b.connections][0], "02:00:00:01:00:01")
        ports = self.culvert.ListPorts(pb.ListPortsRequest(), timeout=TIMEOUT).ports
        self.assertEqual(ports[1].addresses, ["192.0.2.1"])
        counters = self.culvert.ListCounters(pb.ListCountersRequest(per_worker=True), timeout=TIMEOUT)
        self.assertEqual(
            counters.total[0].value, sum(worker.counters[0].value for worker in counters.workers)
        )
        statistics = self.culvert.GetStatistics(pb.GetStatisticsRequest(), timeout=TIMEOUT)
        self.assertEqual(statistics.counters[8].name, "pppoePadiReceived")

    def test_3_refusals(self):
        for call, code in [
            (lambda: list(self.culvert.ListTunnels(pb.ListTunnelsRequest(name="x"), timeout=TIMEOUT)),
             grpc.StatusCode.NOT_FOUND),
            (lambda: list(self.culvert.ListTunnels(pb.ListTunnelsRequest(id=65536), timeout=TIMEOUT)),
             grpc.StatusCode.INVALID_ARGUMENT),
            (lambda: self.culvert.Clear(pb.ClearRequest(), timeout=TIMEOUT), grpc.StatusCode.INVALID_ARGUMENT),
            (lambda: self.culvert.Clear(pb.ClearRequest(session={"session_id": 1}), timeout=TIMEOUT),
             grpc.StatusCode.FAILED_PRECONDITION),
            (lambda: list(self.culvert.ApplyStatic(
                iter([pb.ApplyStaticRequest(operations=[pb.StaticOperation()] * 4097)]), timeout=TIMEOUT)),
             grpc.StatusCode.INVALID_ARGUMENT),
        ]:
            with self.assertRaises(grpc.RpcError) as caught:
                call()
            self.assertEqual(caught.exception.code(), code)
            self.assertNotEqual(caught.exception.details(), "")

    def test_4_watch_and_clear(self):
        events = self.culvert.Watch(pb.WatchRequest(initial=True), timeout=TIMEOUT)
        initial = []
        for event in events:
            initial.append(event.WhichOneof("event"))
            if initial[-1] == "initial_complete":
                break
        self.assertEqual(initial, ["tunnel_up"] * 2 + ["session_up"] * 4 + ["initial_complete"])
        cleared = self.culvert.Clear(pb.ClearRequest(tunnel_name="tunnel2"), timeout=TIMEOUT)
        self.assertEqual((cleared.tunnels, cleared.sessions), (1, 2))
        news = [next(events) for _ in range(3)]
        self.assertEqual([n.WhichOneof("event") for n in news], ["session_down", "session_down", "tunnel_down"])
        self.assertEqual(news[0].session_down.cause.initiator, pb.INITIATOR_OPERATOR)
        self.assertEqual(news[2].tunnel_down.tunnel.name, "tunnel2")
        self.assertEqual([n.sequence for n in news], [1, 2, 3])
        events.cancel()
        self.assertEqual([s.tunnel_id for s in self.sessions()], [1, 1])

    def test_5_feed(self):
        def operations():
            yield pb.ApplyStaticRequest(
                operations=[
                    pb.StaticOperation(
                        tag=1,
                        add_tunnel=pb.StaticTunnel(
                            name="lns", peer_address="198.51.100.2", local_address="192.0.2.1", peer_tunnel_id=77,
                            egress_port="core0", next_hop_mac="02:00:00:00:00:fe"),
                    ),
                    pb.StaticOperation(tag=2, add_tunnel=pb.StaticTunnel(name="nowhere")),
                ]
            )
            for start in range(1, 2001, 500):
                yield pb.ApplyStaticRequest(
                    operations=[
                        pb.StaticOperation(
                            tag=1000 + number,
                            add_session=pb.StaticSession(
                                reference=number, port="access0", outer_vlan=100,
                                client_mac=f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}",
                                tunnel=pb.StaticTunnelReference(name="lns"), peer_session_id=number),
                        )
                        for number in range(start, start + 500)
                    ]
                )

        answers = list(self.culvert.ApplyStatic(operations(), timeout=TIMEOUT))
        self.assertEqual([len(a.results) for a in answers], [2, 500, 500, 500, 500])
        results = [result for answer in answers for result in answer.results]
        self.assertEqual([r.tag for r in results], [1, 2] + list(range(1001, 3001)))
        tunnel_id = results[0].tunnel_added.tunnel_id
        self.assertNotEqual(tunnel_id, 0)
        self.assertEqual(results[1].error.code, pb.STATIC_ERROR_CODE_INVALID)
        self.assertEqual(results[1].error.reason, "egress_port: is missing")
        self.assertEqual(len({r.session_added.session_id for r in results[2:]}), 2000)

        tunnels, sessions = [], []
        for batch in self.culvert.ListStatic(pb.ListStaticRequest(), timeout=TIMEOUT):
            tunnels += batch.tunnels
            sessions += batch.sessions
        self.assertEqual([(t.tunnel.name, t.session_count) for t in tunnels], [("lns", 2000)])
        self.assertEqual([s.session.reference for s in sessions], list(range(1, 2001)))
        self.assertEqual(sessions[0].session.outer_tpid, 0x8100)

        removals = [
            pb.StaticOperation(remove_session=pb.StaticSessionReference(reference=7)),
            pb.StaticOperation(remove_session=pb.StaticSessionReference(reference=7)),
            pb.StaticOperation(remove_tunnel=pb.StaticTunnelReference(tunnel_id=tunnel_id)),
        ]
        answer, = self.culvert.ApplyStatic(iter([pb.ApplyStaticRequest(operations=removals)]), timeout=TIMEOUT)
        self.assertEqual(
            [r.WhichOneof("outcome") for r in answer.results], ["session_removed", "error", "tunnel_removed"])
        self.assertEqual(answer.results[2].tunnel_removed.sessions, 1999)
        self.assertEqual(list(self.culvert.ListStatic(pb.ListStaticRequest(), timeout=TIMEOUT)), [])


if __name__ == "__main__":
    SOCKET = sys.argv.pop(1)
    unittest.main()
