"""A controller in Python, made from culvert.proto by grpcio-tools alone.

    client.py SOCKET [HOST:PORT CA CERTIFICATE KEY]

The second address is the same server's by TLS. Against a server that has two tunnels, tunnel1 and tunnel2, with two sessions each, a port named core0, and nothing
static: lists, watches, clears, feeds. Exits with status 0 when everything is as it should be.
"""

import sys
import unittest
from pathlib import Path

import grpc
from culvert.v1 import culvert_pb2 as pb
from culvert.v1 import culvert_pb2_grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

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

    def test_operators(self):
        target = pb.DrainTarget(interface_name="access0")
        self.assertTrue(self.culvert.Drain(pb.DrainRequest(target=target), timeout=TIMEOUT).draining)
        self.assertEqual(list(self.culvert.GetStatus(pb.GetStatusRequest(), timeout=TIMEOUT).drained), [target])
        self.culvert.Drain(pb.DrainRequest(target=target, undrain=True), timeout=TIMEOUT)
        with self.assertRaises(grpc.RpcError) as failure:
            self.culvert.Drain(pb.DrainRequest(), timeout=TIMEOUT)
        self.assertEqual(failure.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

        answer = self.culvert.GetRunningConfig(pb.GetRunningConfigRequest(section="pppoe-ac"), timeout=TIMEOUT)
        self.assertEqual([section.name for section in answer.sections], ["pppoe-ac"])
        answer = self.culvert.Reload(pb.ReloadRequest(check=True), timeout=TIMEOUT)
        self.assertFalse(answer.applied)
        self.assertEqual(answer.changes[0].effect, pb.CONFIG_EFFECT_RESTART_DATA_PLANE)

        rule = pb.DebugRule(subsystem=pb.DEBUG_SUBSYSTEM_L2TP, tunnel_id=7)
        self.assertEqual(list(self.culvert.SetDebug(pb.SetDebugRequest(enable=rule), timeout=TIMEOUT).rules), [rule])
        self.culvert.SetDebug(pb.SetDebugRequest(disable_all=pb.DisableAllDebug()), timeout=TIMEOUT)

        capture = self.culvert.Capture(pb.CaptureRequest(route_id=9, snap_length=20), timeout=TIMEOUT)
        frames = []
        for message in capture:
            frames += message.frames
            if len(frames) == 2:
                break
        capture.cancel()
        self.assertEqual([(f.interface_name, len(f.data), f.original_length) for f in frames],
                         [("access0", 20, 60), ("core0", 20, 60)])

        names = self.culvert.ListNames(pb.ListNamesRequest(kind=pb.NAME_KIND_INTERFACE), timeout=TIMEOUT).names
        self.assertEqual(list(names), ["access0", "core0"])
        self.assertEqual(self.culvert.GetRadius(pb.GetRadiusRequest(), timeout=TIMEOUT).servers[1].state,
                         pb.RADIUS_SERVER_STATE_DEAD)


def bare(file):
    """A file without what compilers of .proto files do not agree to tell: JSON names that follow from the fields' own."""
    copy = descriptor_pb2.FileDescriptorProto()
    copy.CopyFrom(file)
    messages = list(copy.message_type)
    while messages:
        message = messages.pop()
        messages += message.nested_type
        for field in message.field:
            field.ClearField("json_name")
    return copy


class ReflectionTest(unittest.TestCase):
    """Reflection on both addresses, by gRPC's own client of v1alpha and, with the same messages, as v1."""

    SERVICES = ["culvert.v1.Culvert", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]

    def channels(self):
        yield grpc.insecure_channel("unix:" + SOCKET)
        if SECURE:
            address, ca, certificate, key = SECURE
            ca, certificate, key = (Path(path).read_bytes() for path in (ca, certificate, key))
            yield grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, certificate))

    def ask(self, channel, version, *requests):
        method = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
        return list(method(iter(requests), timeout=TIMEOUT))

    def test_by_grpcs_own_client(self):
        for channel in self.channels():
            with channel:
                database = ProtoReflectionDescriptorDatabase(channel)
                self.assertEqual(sorted(database.get_services()), self.SERVICES)
                pool = descriptor_pool.DescriptorPool(database)
                service = pool.FindServiceByName("culvert.v1.Culvert")
                self.assertEqual([m.name for m in service.methods],
                                 [m.name for m in pb.DESCRIPTOR.services_by_name["Culvert"].methods])
                # A call by what reflection told alone.
                method = service.methods_by_name["GetStatus"]
                request = message_factory.GetMessageClass(method.input_type)
                answer = message_factory.GetMessageClass(method.output_type)
                call = channel.unary_unary("/culvert.v1.Culvert/GetStatus", request_serializer=request.SerializeToString,
                                           response_deserializer=answer.FromString)
                self.assertEqual(call(request(), timeout=TIMEOUT).control_epoch, 2)

    def test_what_is_served_is_todays_proto(self):
        for channel in self.channels():
            with channel:
                request = reflection_pb2.ServerReflectionRequest(file_by_filename="culvert/v1/culvert.proto")
                for version in ("v1", "v1alpha"):
                    answer, = self.ask(channel, version, request)
                    files = [descriptor_pb2.FileDescriptorProto.FromString(data)
                             for data in answer.file_descriptor_response.file_descriptor_proto]
                    self.assertEqual([f.name for f in files], ["culvert/v1/culvert.proto", "google/protobuf/timestamp.proto"])
                    ours = descriptor_pb2.FileDescriptorProto()
                    pb.DESCRIPTOR.CopyToProto(ours)
                    self.assertEqual(bare(files[0]), bare(ours), "run Tools/generate-proto")
                    self.assertEqual(answer.original_request, request)

    def test_symbols(self):
        found = {
            "culvert.v1.Culvert": "culvert/v1/culvert.proto",
            "culvert.v1.Culvert.Watch": "culvert/v1/culvert.proto",
            "culvert.v1.Traffic": "culvert/v1/culvert.proto",
            "culvert.v1.Traffic.rx_octets": "culvert/v1/culvert.proto",
            "culvert.v1.Owner": "culvert/v1/culvert.proto",
            "culvert.v1.OWNER_STATIC": "culvert/v1/culvert.proto",
            "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
            "grpc.reflection.v1.ServerReflection": "grpc/reflection/v1/reflection.proto",
            "grpc.reflection.v1alpha.ErrorResponse": "grpc/reflection/v1alpha/reflection.proto",
        }
        for channel in self.channels():
            with channel:
                requests = [reflection_pb2.ServerReflectionRequest(host="h", file_containing_symbol=name) for name in found]
                answers = self.ask(channel, "v1", *requests)
                names = [descriptor_pb2.FileDescriptorProto.FromString(a.file_descriptor_response.file_descriptor_proto[0]).name
                         for a in answers]
                self.assertEqual(names, list(found.values()))
                self.assertEqual({a.valid_host for a in answers}, {"h"})

    def test_what_there_is_not(self):
        Request = reflection_pb2.ServerReflectionRequest
        extension = reflection_pb2.ExtensionRequest(containing_type="culvert.v1.Traffic", extension_number=7)
        cases = [
            (Request(file_by_filename="x.proto"), grpc.StatusCode.NOT_FOUND, "there is no file 'x.proto'"),
            (Request(file_containing_symbol="culvert.v1.X"), grpc.StatusCode.NOT_FOUND, "there is no symbol 'culvert.v1.X'"),
            (Request(file_containing_symbol=""), grpc.StatusCode.NOT_FOUND, "there is no symbol ''"),
            (Request(file_containing_extension=extension), grpc.StatusCode.NOT_FOUND,
             "there is no extension 7 of 'culvert.v1.Traffic'"),
            (Request(all_extension_numbers_of_type="x.Y"), grpc.StatusCode.NOT_FOUND, "there is no type 'x.Y'"),
            (Request(), grpc.StatusCode.UNIMPLEMENTED, "the request asks nothing that this version of reflection knows"),
        ]
        for channel in self.channels():
            with channel:
                # One stream: a refusal does not end it.
                answers = self.ask(channel, "v1", *[case[0] for case in cases], Request(list_services="*"),
                                   Request(all_extension_numbers_of_type="culvert.v1.Traffic"))
                for answer, (request, code, message) in zip(answers, cases):
                    self.assertEqual(answer.error_response.error_code, code.value[0], request)
                    self.assertEqual(answer.error_response.error_message, message)
                    self.assertEqual(answer.original_request, request)
                self.assertEqual([s.name for s in answers[-2].list_services_response.service], self.SERVICES)
                self.assertEqual(answers[-1].all_extension_numbers_response.base_type_name, "culvert.v1.Traffic")
                self.assertEqual(list(answers[-1].all_extension_numbers_response.extension_number), [])


class SecureTest(unittest.TestCase):
    """gRPC's own TLS against ours."""

    def test_without_a_certificate_nothing_is_told(self):
        if not SECURE:
            self.skipTest("the server has no address for TLS")
        credentials = grpc.ssl_channel_credentials(Path(SECURE[1]).read_bytes())
        with grpc.secure_channel(SECURE[0], credentials) as channel:
            with self.assertRaises(grpc.RpcError) as caught:
                culvert_pb2_grpc.CulvertStub(channel).GetStatus(pb.GetStatusRequest(), timeout=TIMEOUT)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)


if __name__ == "__main__":
    SOCKET, *SECURE = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
