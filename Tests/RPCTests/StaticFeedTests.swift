import Observability
import RPC
import Testing
import Wire

@Suite(.timeLimit(.minutes(1)))
struct StaticFeedTests {
    private static let tunnel = StaticTunnel(
        name: "lns-a", peerAddress: .v4(IPv4Address(value: 0xc633_6402)),
        localAddress: .v4(IPv4Address(value: 0xc000_0201)),
        peerPort: 1_702, localPort: 1_703, peerTunnelID: 77, egressPort: "core0",
        nextHop: .address(.v4(IPv4Address(value: 0xc000_02fe))), mtu: 1_460, lengthBit: true, udpChecksum: true,
        tosInherit: false, tos: 0x28)

    private static func session(_ number: UInt64) -> StaticSession {
        StaticSession(
            reference: number, port: "access0", outerVLAN: 100, innerVLAN: 7, outerTPID: 0x88a8,
            clientMAC: MACAddress(value: 0x0200_0000_0000 + number), tunnel: .name("lns-a"),
            peerSessionID: UInt16(truncatingIfNeeded: number))
    }

    @Test func addsABatch() async throws {
        try await serving(FakeControlPlane()) { path in
            try await RPCClient.connect(to: path) { client in
                let batch = StaticSessionBatch(
                    port: "access0", tunnel: .name("lns-a"), outerTPID: 0x88a8, references: [1, 1, 2],
                    clientMACs: [0x0200_0000_0001, 0x0200_0000_0001, 0x0200_0000_0002], peerSessionIDs: [1, 1, 2],
                    outerVLANs: [100, 100, 100], innerVLANs: [7, 7, 7])
                let results = try await client.apply([.addTunnel(Self.tunnel), .addSessions(batch)])
                #expect(
                    results == [
                        .tunnelAdded(tunnelID: 30_000),
                        .sessionsAdded(
                            StaticSessionsAdded(
                                tunnelID: 30_000, pppoeSessionIDs: [1, 0, 2], sessionIDs: [1, 0, 2],
                                refused: [
                                    .init(index: 1, fault: StaticFault(.alreadyExists, "reference 1 is taken"))
                                ])),
                    ])
                let sessions = Collector<StaticSessionStatus>()
                try await client.staticEntries(receiveTunnels: { _ in }, receiveSessions: { await sessions.add($0) })
                #expect(await sessions.elements.map(\.session) == [Self.session(1), Self.session(2)])

                // Columns that do not go together are refused before anything is done.
                var uneven = batch
                uneven.clientMACs.removeLast()
                var large = batch
                large.references = [UInt64](repeating: 9, count: StaticSessionBatch.limit + 1)
                for wrong in [uneven, large] {
                    await #expect(throws: RPCClientError.self) {
                        let results = try await client.apply([.addSessions(wrong)])
                        if case .refused(let fault) = results[0] { throw RPCClientError.unintelligible(fault.reason) }
                    }
                }
            }
        }
    }

    @Test func addsListsAndRemoves() async throws {
        let fake = FakeControlPlane()
        try await serving(fake) { path in
            try await RPCClient.connect(to: path) { client in
                let added = try await client.apply(
                    [.addTunnel(Self.tunnel), .addSession(Self.session(1)), .addSession(Self.session(2))])
                #expect(
                    added == [
                        .tunnelAdded(tunnelID: 30_000),
                        .sessionAdded(pppoeSessionID: 1, sessionID: 1, tunnelID: 30_000),
                        .sessionAdded(pppoeSessionID: 2, sessionID: 2, tunnelID: 30_000),
                    ])
                let (tunnels, sessions) = (Collector<StaticTunnelStatus>(), Collector<StaticSessionStatus>())
                try await client.staticEntries(in: .id(30_000)) {
                    await tunnels.add($0)
                } receiveSessions: {
                    await sessions.add($0)
                }
                #expect(
                    await tunnels.elements == [
                        StaticTunnelStatus(
                            tunnel: Self.tunnel, tunnelID: 30_000, nextHopResolved: true, sessionCount: 2)
                    ])
                let traffic = Traffic(rxPackets: 1, rxOctets: 64, txPackets: 2, txOctets: 128)
                let expected = (1...2).map { number in
                    StaticSessionStatus(
                        session: Self.session(number), tunnelID: 30_000, sessionID: UInt16(number),
                        pppoeSessionID: UInt16(number), data: traffic)
                }
                #expect(await sessions.elements == expected)
                let removed = try await client.apply(
                    [.removeSession(1), .removeSession(1), .removeTunnel(.name("lns-a")), .removeTunnel(.id(30_000))])
                #expect(
                    removed == [
                        .sessionRemoved(traffic),
                        .refused(StaticFault(.notFound, "there is no static session 1")), .tunnelRemoved(sessions: 1),
                        .refused(StaticFault(.notFound, "there is no static tunnel 30000")),
                    ])
            }
        }
    }

    /// More than fits into one message: results stay in the order of the operations.
    @Test func manyOperationsKeepTheirOrder() async throws {
        try await serving(FakeControlPlane()) { path in
            var operations = [StaticOperation.addTunnel(Self.tunnel)]
            var expected = [StaticResult.tunnelAdded(tunnelID: 30_000)]
            for number in UInt16(1)...5_000 {
                operations.append(.addSession(Self.session(UInt64(number))))
                expected.append(.sessionAdded(pppoeSessionID: number, sessionID: number, tunnelID: 30_000))
            }
            let sent = operations
            let results = try await RPCClient.connect(to: path) { try await $0.apply(sent) }
            #expect(results == expected)
        }
    }

    @Test func jsonFile() throws {
        let operations = try StaticOperation.parse(
            json: Array(
                """
                {"operations": [
                  {"add_tunnel": {"name": "lns-a", "peer_address": "198.51.100.2", "local_address": "192.0.2.1",
                    "peer_port": 1702, "local_port": 1703, "peer_tunnel_id": 77, "egress_port": "core0",
                    "next_hop_address": "192.0.2.254", "mtu": 1460, "length_bit": true, "udp_checksum": true, "tos": 40}},
                  {"add_session": {"reference": "3", "port": "access0", "outer_vlan": 100, "inner_vlan": 7,
                    "outer_tpid": 34984, "client_mac": "02:00:00:00:00:03", "tunnel": {"name": "lns-a"},
                    "peer_session_id": 3}},
                  {"remove_session": {"reference": 3}},
                  {"remove_tunnel": {"tunnel_id": 5}}
                ]}
                """.utf8))
        #expect(
            operations == [
                .addTunnel(Self.tunnel), .addSession(Self.session(3)), .removeSession(3), .removeTunnel(.id(5)),
            ])
    }

    private static func tunnelJSON(_ change: String) -> String {
        let fields = [
            "name": "\"a\"", "peer_address": "\"198.51.100.2\"", "local_address": "\"192.0.2.1\"",
            "peer_tunnel_id": "77", "egress_port": "\"core0\"",
        ]
        return json("add_tunnel", fields, change)
    }

    private static func sessionJSON(_ change: String) -> String {
        let fields = [
            "reference": "3", "port": "\"access0\"", "client_mac": "\"02:00:00:00:00:03\"",
            "tunnel": "{\"name\": \"a\"}", "peer_session_id": "3",
        ]
        return json("add_session", fields, change)
    }

    /// An operation of `kind` with `fields`, of which `change`, `"name": value`, replaces or adds one.
    private static func json(_ kind: String, _ fields: [String: String], _ change: String) -> String {
        var fields = fields
        let parts = change.split(separator: "=", maxSplits: 1)
        fields[String(parts[0])] = String(parts[1])
        let text = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        return "{\"operations\": [{\"\(kind)\": {\(text)}}]}"
    }

    /// Each field is checked, and the fault names it.
    @Test(arguments: [
        (tunnelJSON("name=\"\""), "operation 1: name: must have 1 to 63 octets"),
        (tunnelJSON("name=\"\(String(repeating: "x", count: 64))\""), "operation 1: name: must have 1 to 63 octets"),
        (tunnelJSON("peer_address=\"\""), "operation 1: peer_address: is missing"),
        (
            tunnelJSON("local_address=\"192.0.2.256\""),
            "operation 1: local_address: '192.0.2.256' is not an IP address"
        ),
        (tunnelJSON("peer_port=65536"), "operation 1: peer_port: 65536 is out of range, which ends at 65535"),
        (tunnelJSON("local_port=70000"), "operation 1: local_port: 70000 is out of range, which ends at 65535"),
        (tunnelJSON("peer_tunnel_id=0"), "operation 1: peer_tunnel_id: must be 1 to 65535, not 0"),
        (tunnelJSON("egress_port=\"\""), "operation 1: egress_port: is missing"),
        (tunnelJSON("next_hop_mac=\"x\""), "operation 1: next_hop_mac: 'x' is not a MAC address"),
        (
            tunnelJSON("next_hop_mac=\"ff:ff:ff:ff:ff:ff\""),
            "operation 1: next_hop_mac: ff:ff:ff:ff:ff:ff is not the address of one station"
        ),
        (tunnelJSON("next_hop_address=\"x\""), "operation 1: next_hop_address: 'x' is not an IP address"),
        (tunnelJSON("mtu=575"), "operation 1: mtu: must be 0 or 576 to 65535, not 575"),
        (tunnelJSON("tos=256"), "operation 1: tos: 256 is out of range, which ends at 255"),
        (sessionJSON("reference=0"), "operation 1: reference: is missing"),
        (sessionJSON("port=\"\""), "operation 1: port: is missing"),
        (sessionJSON("outer_vlan=4095"), "operation 1: outer_vlan: must be 0 to 4094, not 4095"),
        (sessionJSON("inner_vlan=5"), "operation 1: inner_vlan: needs an outer_vlan"),
        (sessionJSON("outer_tpid=33024"), "operation 1: outer_tpid: needs an outer_vlan"),
        (
            sessionJSON("client_mac=\"01:00:5e:00:00:01\""),
            "operation 1: client_mac: 01:00:5e:00:00:01 is not the address of one station"
        ),
        (sessionJSON("tunnel={}"), "operation 1: tunnel: is missing"),
        (sessionJSON("peer_session_id=65536"), "operation 1: peer_session_id: must be 1 to 65535, not 65536"),
        ("{\"operations\": [{\"tag\": 3}]}", "operation 1: operation: is missing"),
    ])
    func faultsNameTheField(json: String, fault: String) {
        let error = #expect(throws: StaticFileError.self) { try StaticOperation.parse(json: Array(json.utf8)) }
        #expect(error?.description == fault)
    }

    @Test(arguments: ["", "[]", "{\"operations\": 3}", "{\"operation\": []}", "\u{0}"])
    func notAFileOfOperations(json: String) {
        #expect(throws: StaticFileError.self) { try StaticOperation.parse(json: Array(json.utf8)) }
    }
}
