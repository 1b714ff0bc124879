import Observability
import Testing
import Wire

/// The operator's screens, character by character.
struct TextTests {
    @Test func tunnelBasic() {
        #expect(
            TunnelSnapshot.basicHeading + SeedExamples.tunnel.basicText(in: .utc) == """
                L2TP Tunnel Information
                --------------------------------------------------------------------
                Tunnel ID:              11008
                Tunnel Name:            tunnel1
                Local IP Address:       130.16.0.1
                Remote IP Address:      130.16.1.2
                State:                  ESTABLISHED
                Created At:             Jun 1 12:25:25 2016
                Tunnel Mode:            LAC
                Remote Tunnel ID:       33363
                Remote Host Name:       AWP-1
                Remote Vendor Name:     Example Networks
                Local UDP Port:         1701
                Remote UDP Port:        1701
                Hello Timeout:          60
                Retry Timeout:          1
                Idle Timeout:           0
                Establish Timeout:      61

                """)
    }

    @Test func tunnelDetail() {
        #expect(
            TunnelSnapshot.detailHeading + SeedExamples.tunnel.detailText(in: .utc) == """
                L2TP Tunnel Information details
                Tunnel 11008, from 130.16.0.1 to 130.16.1.2:
                  state: ESTABLISHED
                  created at: Jun 1 12:25:25 2016
                  administrative name: 'tunnel1'
                  created by admin: YES, tunnel mode: LAC, persist: YES
                  peer tunnel id: 33363, host name: AWP-1
                  UDP ports: local 1701, peer 1701
                  authorization mode: NONE, hide AVPs: OFF
                  session limit: 0, session count: 1
                  tunnel profile: public
                  hello timeout: 60, retry timeout: 1, idle timeout: 0
                  establish timeout: 61
                  persist pend timeout: 62
                  rx window size: 10, tx window size: 11, max retries: 5
                  use udp checksums: ON
                  do pmtu discovery: OFF, mtu: 1460
                  tos: inherit
                  framing capability: SYNC ASYNC, bearer capability: DIGITAL ANALOG
                  use tiebreaker: ON
                  tiebreaker: 88 95 39 14 88 9c 04 e4

                  Status:
                    peer vendor name: Example Networks
                    peer protocol version: 1.0, firmware 385
                    peer framing capability: SYNC
                    peer bearer capability: ANALOG
                    peer rx window size: 12
                  Transport status:
                    ns/nr: 39/8, peer 7/38
                    cwnd: 9, ssthresh: 6, congpkt_acc: 2
                  Transport statistics:
                    out-of-sequence control/data discards: 21/22
                    zlbs tx/txfail/rx: 6/23/37
                    retransmits: 24, duplicate pkt discards: 25, data pkt discards: 26
                    hellos tx/txfail/rx: 35/27/5
                    control rx packets: 45, rx bytes: 725
                    control tx packets: 46, tx bytes: 1024
                    data rx packets: 3621, rx bytes: 5272542, rx errors: 28
                    data tx packets: 3620, tx bytes: 5301510, tx errors: 29
                  memory usage: 2065 bytes
                  Events:
                    12:25:25 OPEN_REQ in state IDLE, new state WAITCTLREPLY
                    12:25:26 SCCRP_ACCEPT in state WAITCTLREPLY, new state ESTABLISHED

                """)
    }

    @Test func tunnelDetailWithoutTieBreakerAndWithFixedToS() {
        var tunnel = SeedExamples.tunnel
        tunnel.settings.tosInherit = false
        tunnel.settings.tos = 40
        tunnel.settings.useTieBreaker = false
        tunnel.settings.tieBreaker = []
        let text = tunnel.detailText(in: .utc)
        #expect(text.contains("\n  tos: 40\n"))
        #expect(text.contains("\n  use tiebreaker: OFF\n\n  Status:\n"))
    }

    @Test func tunnelDetailWithFailover() {
        var tunnel = SeedExamples.tunnel
        tunnel.settings.failover = "rfc4951"
        tunnel.settings.recoveryTimeSeconds = 120
        tunnel.settings.tieBreaker = []
        #expect(
            tunnel.detailText(in: .utc).contains(
                """
                  use tiebreaker: ON
                  failover: rfc4951, recovery time: 120
                  peer failover: NONE
                  recoveries: 0, recovering: NO

                  Status:
                """))
        tunnel.peer.failoverControl = true
        tunnel.peer.failoverData = true
        tunnel.peer.recoveryTimeMilliseconds = 30_000
        tunnel.recoveries = 3
        tunnel.recovering = true
        #expect(
            tunnel.detailText(in: .utc).contains(
                """
                  peer failover: control data, recovery time 30000 ms
                  recoveries: 3, recovering: YES

                """))
    }

    @Test func sessionBasic() {
        #expect(
            SessionSnapshot.basicHeading + SeedExamples.session.basicText(in: .utc) == """
                L2TP Session Information
                --------------------------------------------------------------------
                Session ID:             6781
                Tunnel ID:              11008
                State:                  ESTABLISHED
                Created At:             Jun 1 12:25:25 2016
                Interface Name:         access0.100
                Remote Session ID:      23809
                Establish Timeout:      120

                """)
    }

    /// A session without features has the seed's screen; one that has some says what they did.
    @Test func sessionFeatures() {
        var session = SeedExamples.session
        session.dataSequenceNumbers = true
        session.dataMissing = 1
        session.dataLate = 2
        session.dataReordered = 3
        session.maximumSegmentSize = 1_360
        session.policers.downstream = PolicerSettings(
            committedRate: 1_000_000, peakRate: 2_000_000, committedBurst: 15_000, peakBurst: 30_000)
        session.upstreamPolicedPackets = 4
        session.downstreamPolicedPackets = 5
        #expect(
            session.detailText(in: .utc).contains(
                """

                    data missing: 1, late: 2, reordered: 3
                    tcp mss: 1360
                    policer upstream: OFF, dropped packets: 4
                    policer downstream: cir 1000000 pir 2000000 bit/s, cbs 15000 pbs 30000 octets, dropped packets: 5
                  Peer configuration data:

                """))
    }

    @Test func sessionDetail() {
        #expect(
            SessionSnapshot.detailHeading + SeedExamples.session.detailText(in: .utc) == """
                L2TP Session Information details
                Session 6781 on tunnel 11008:
                  type: LAC Incoming Call, state: ESTABLISHED
                  created at: Jun 1 12:25:25 2016
                  administrative name: session_tunnel1
                  interface name: access0.100
                  created by admin: NO, peer session id: 23809
                  session profile name: public
                  use data sequence numbers: OFF
                  establish timeout: 120
                  framing types: SYNC ASYNC
                  bearer types: DIGITAL
                  call serial number: 1

                  Status:
                    data rx packets: 3621, rx bytes: 5272542, rx errors: 3
                    data tx packets: 3620, tx bytes: 5301510
                  Peer configuration data:
                    framing types: NONE
                    bearer types: ANALOG
                  memory usage: 1904 bytes
                  Events:
                    12:25:25 INCALL_IND in state IDLE, new state WAITTUNNEL
                    12:25:27 TUNNEL_OPEN_IND in state WAITTUNNEL, new state WAITREPLY

                """)
    }

    @Test func connections() {
        #expect(
            PPPoEConnectionSnapshot.heading + SeedExamples.connection.text() == """
                PPPoE Access Concentrator Connection Status
                --------------------------------------------------------------------
                Route Name:             pppoeservice-eth1
                Route ID:               29785
                Source Information
                  Interface:            eth1
                  Session ID:           14204
                  Service Name:         test
                  State:                Open
                  Peer MAC:             00:00:cd:38:01:4f
                Destination Information
                  Type:                 L2TP
                  Tunnel ID:            11223
                  Session ID:           57309

                """)
    }

    @Test func statistics() {
        var statistics = ACStatistics()
        statistics[.l2tpTunnelsOpened] = 2
        statistics.count(.pppoePadiReceived)
        statistics.count(.pppoePadiReceived)
        statistics[.routesClosedBySource] = .max
        let text = ACStatistics.text(of: statistics.counters)
        #expect(
            text.hasPrefix(
                """
                PPPoE Access Concentrator Statistics
                Name                                            Value
                -------------------------------------------------------------
                lnsLookupSuccessfulRequests                     0
                """))
        #expect(text.contains("\nl2tpTunnelsOpened                               2\n"))
        #expect(text.contains("\npppoePadiReceived                               2\n"))
        #expect(text.contains("\nroutesClosedBySource                            18446744073709551615\n"))
        #expect(
            text.hasSuffix(
                "\nl2tpTunnelsRecovered                            0\nl2tpRecoveriesFailed                            0\n"
            ))
    }

    @Test func counters() {
        let readings = [
            NamedCounter(name: "forwarded", text: "frames forwarded", value: 12),
            NamedCounter(name: "dropShort", text: "too short", value: 0),
            NamedCounter(name: "dropPeer", text: "wrong peer", value: 3),
        ]
        #expect(
            DataPlaneCounters(total: readings).text() == """
                Data Plane Counters
                --------------------------------------------------------------------
                Name       Value  Text
                forwarded     12  frames forwarded
                dropPeer       3  wrong peer

                """)
        #expect(DataPlaneCounters(total: readings).text(zeros: true).contains("\ndropShort      0  too short\n"))
        let worker = WorkerCounters(
            index: 0, lcore: 2, numaNode: 1, running: true, loops: 5_000, busyLoops: 7, heartbeatAgeMilliseconds: 1,
            counters: readings)
        #expect(
            DataPlaneCounters(total: readings, workers: [worker]).text() == """
                Data Plane Counters
                --------------------------------------------------------------------
                Worker  Core  NUMA node  State    Loops  Busy loops  Heartbeat
                0       2     1          running   5000           7  1 ms ago

                Name       Total  Worker 0  Text
                forwarded     12        12  frames forwarded
                dropPeer       3         3  wrong peer

                """)
    }

    @Test func ports() {
        var port = PortSnapshot(
            index: 1, name: "core0", device: "0000:03:00.0", mac: MACAddress(value: 0x0200_0000_0002), mtu: 1_500,
            linkUp: true)
        port.linkSpeedMbps = 25_000
        port.core = true
        port.queues = 2
        port.dispatch = .rss
        port.addresses = [.v4(IPv4Address(value: 0xc000_0201)), .v4(IPv4Address(value: 0xc000_0202))]
        port.counters = [NamedCounter(name: "rxFrames", text: "frames received", value: 9)]
        #expect(
            PortSnapshot.heading + port.text() == """
                Port Information
                --------------------------------------------------------------------
                Port:                   core0
                Device:                 0000:03:00.0
                Role:                   core
                MAC:                    02:00:00:00:00:02
                Link:                   up, 25000 Mbit/s
                MTU:                    1500
                Addresses:              192.0.2.1, 192.0.2.2
                Queues:                 2, rss
                NUMA Node:              0
                  rxFrames:             9 (frames received)

                """)
    }

    @Test func status() {
        var dataPlane = DataPlaneStatus()
        dataPlane.alive = true
        dataPlane.epoch = 3
        dataPlane.pid = 4_711
        dataPlane.uptimeSeconds = 59
        dataPlane.heartbeatAgeMilliseconds = 1
        dataPlane.workers = 2
        dataPlane.ports = 4
        dataPlane.layoutVersion = 1
        var status = StatusSnapshot(
            version: "0.1.0", startedAt: SeedExamples.created, uptimeSeconds: 273_906, controlEpoch: 2,
            configurationPath: "/etc/culvert/culvert.yaml", dataPlane: dataPlane,
            capacities: [
                Capacity(name: "sessions", text: "sessions in the segment", used: 60_000, capacity: 65_536),
                Capacity(name: "tunnels", text: "tunnels in the segment", used: 8, capacity: 8_192),
            ])
        status.store.state = .written
        (status.store.commits, status.store.changes) = (81_001, 81_002)
        (status.store.waiting, status.store.waitMilliseconds, status.store.early) = (3, 4, 5)
        #expect(
            status.text(in: .utc) == """
                Culvert Status
                --------------------------------------------------------------------
                Version:                0.1.0
                Started At:             Jun 1 12:25:25 2016
                Uptime:                 3 days 04:05:06
                Control Epoch:          2
                Configuration:          /etc/culvert/culvert.yaml
                Data Plane:             running
                  Epoch:                3
                  Process ID:           4711
                  Uptime:               0 days 00:00:59
                  Heartbeat:            1 ms ago
                  Workers:              2
                  Ports:                4
                  Layout Version:       1
                Store:                  written
                  Commits:              81001
                  Changes:              81002
                  Waiting:              3, for 4 ms
                  Sent Unwritten:       5

                Capacity   Used     Of  Text
                sessions  60000  65536  sessions in the segment
                tunnels       8   8192  tunnels in the segment

                """)
        status.store.state = .failing
        status.store.waitMilliseconds = 0
        #expect(status.text(in: .utc).contains("\nStore:                  not written: the disk fails\n  Commits: "))
        #expect(status.text(in: .utc).contains("\n  Waiting:              3\n"))
        status.dataPlane = DataPlaneStatus()
        status.store = StoreStatus()
        #expect(
            status.text(in: .utc).contains(
                """

                Data Plane:             not running
                Store:                  none: what a restart finds is in the segment alone

                Capacity
                """))
    }

    @Test(arguments: [
        (
            Event.Kind.tunnelUp(SeedExamples.tunnel),
            "tunnel up    11008 'tunnel1' 130.16.0.1:1701 to 130.16.1.2:1701 id 33363"
        ),
        (
            .tunnelDown(
                SeedExamples.tunnel, Cause(initiator: .peer, resultCode: 2, errorCode: 4, message: "bad secret")),
            "tunnel down  11008 'tunnel1' 130.16.0.1:1701 to 130.16.1.2:1701 id 33363: "
                + "peer (result 2, error 4), bad secret"
        ),
        (
            .sessionUp(SeedExamples.session),
            "session up   6781 on tunnel 11008 'tunnel1' id 23809 user 'john@isp1.example' "
                + "client 00:00:cd:38:01:4f on access0.100"
        ),
        (
            .sessionDown(SeedExamples.session, Cause(initiator: .client, message: "PADT")),
            "session down 6781 on tunnel 11008 'tunnel1' id 23809 user 'john@isp1.example' "
                + "client 00:00:cd:38:01:4f on access0.100: client, PADT"
        ),
        (.initialComplete, "that is all for now, news follow"),
    ])
    func events(kind: Event.Kind, text: String) {
        let news = Event(sequence: 1, time: SeedExamples.created, kind: kind)
        #expect(news.text(in: .utc) == "12:25:25 * \(text)\n")
        let old = Event(sequence: 1, time: SeedExamples.created, initial: true, kind: kind)
        #expect(old.text(in: .utc) == "12:25:25 = \(text)\n")
    }

    @Test func staticEntries() {
        let tunnel = StaticTunnel(
            name: "lns-a", peerAddress: .v4(IPv4Address(value: 0xc633_6402)),
            localAddress: .v4(IPv4Address(value: 0xc000_0201)),
            peerTunnelID: 77, egressPort: "core0")
        #expect(
            StaticTunnelStatus.text(
                of: [StaticTunnelStatus(tunnel: tunnel, tunnelID: 5, nextHopResolved: false, sessionCount: 1)]) == """
                    Static Tunnels
                    --------------------------------------------------------------------
                    Name   Tunnel ID  Local           Peer               Peer ID  Egress  Next hop             Sessions
                    lns-a          5  192.0.2.1:1701  198.51.100.2:1701       77  core0   peer (not resolved)         1

                    """)
        let session = StaticSession(
            reference: 9, port: "access0", outerVLAN: 100, innerVLAN: 7, outerTPID: 0x88a8,
            clientMAC: MACAddress(value: 0x0200_0000_0009), tunnel: .id(5), peerSessionID: 90)
        #expect(
            StaticSessionStatus.text(
                of: [
                    StaticSessionStatus(
                        session: session, tunnelID: 5, sessionID: 6, pppoeSessionID: 7,
                        data: Traffic(rxPackets: 1, rxOctets: 2, txPackets: 3, txOctets: 4))
                ]) == """
                    Static Sessions
                    --------------------------------------------------------------------
                    Reference  Port     VLANs  Client             PPPoE ID  Tunnel ID  Session ID  Peer ID  RX packets  TX packets
                            9  access0  100.7  02:00:00:00:00:09         7          5           6       90           1           3

                    """)
    }
}
