import Host
import Metrics
import Observability
import Segment
import Wire

/// Numbers of a node with everything, each told from the others by its value.
enum Example {
    static let start = Timestamp(seconds: 1_464_783_925)

    static func snapshot(perWorker: Bool = false, tunnels: Int = 0) -> MetricsSnapshot {
        var dataPlane = DataPlaneStatus()
        dataPlane.alive = true
        dataPlane.epoch = 3
        dataPlane.uptimeSeconds = 93_784
        dataPlane.heartbeatAgeMilliseconds = 12
        dataPlane.workers = 2
        var status = StatusSnapshot(
            version: "0.1.0", startedAt: start, uptimeSeconds: 93_785, controlEpoch: 2,
            configurationPath: "/etc/culvert/culvert.yaml", dataPlane: dataPlane,
            capacities: [
                Capacity(name: "sessions", text: "sessions, access side", used: 60_000, capacity: 65_536),
                Capacity(name: "tunnels", text: "tunnels", used: 8, capacity: 8_191),
            ])
        status.store.state = .written
        status.store.commits = 81_001
        status.store.changes = 81_002
        status.store.waiting = 3
        status.store.waitMilliseconds = 4
        status.store.early = 5
        var statistics = ACStatistics()
        for (number, counter) in ACCounter.allCases.enumerated() { statistics[counter] = UInt64(7_000 + number) }
        var snapshot = MetricsSnapshot(
            status: status,
            census: Census(
                connections: [.negotiating: 3, .open: 59_997], tunnels: [.established: 8, .closing: 1],
                sessions: [.established: 59_997], staticTunnels: 4, staticSessions: 5_000),
            statistics: statistics, counters: counters(perWorker: perWorker),
            drops: Set(Counter.allCases.filter(\.isDrop).map(\.name)), ports: ports)
        snapshot.tunnels = (0..<tunnels).map { number in
            var tunnel = TunnelSnapshot(
                id: UInt16(1_000 + number), name: "isp \"\(number)\"\\",
                localAddress: .v4(IPv4Address(value: 0x0a63_0001)),
                remoteAddress: .v4(IPv4Address(value: 0x0a63_0002)), state: .established, createdAt: start, mode: .lac)
            tunnel.sessionCount = UInt32(40 + number)
            tunnel.transport.retransmits = UInt64(number)
            return tunnel
        }
        snapshot.groups = [
            MetricGroup(
                "", HostCounter.allCases.map { NamedCounter(name: $0.name, text: $0.text, value: UInt64($0.rawValue)) }),
            MetricGroup(
                "radius_server", kind: .gauge, labels: [.init("server", "192.0.2.1")],
                [
                    NamedCounter(name: "dead", text: "1 while the server is passed over", value: 1),
                    NamedCounter(name: "in_flight", text: "requests that wait for its answer", value: 0),
                ]),
            MetricGroup(
                "radius_auth", labels: [.init("server", "192.0.2.1")],
                ["accepts", "rejects", "failures"].map { NamedCounter(name: $0, text: "requests' ends", value: 3) }),
            MetricGroup("dns", [NamedCounter(name: "miss", text: "names that were asked for", value: 2)]),
            MetricGroup("accounting", kind: .gauge, [NamedCounter(name: "stored", text: "records on disk", value: 7)]),
            MetricGroup(
                "accounting_group", kind: .gauge, labels: [.init("group", "g")],
                [
                    NamedCounter(name: "waiting", text: "records that wait", value: 7),
                    NamedCounter(name: "reachable", text: "1 while a server answers", value: 0),
                ]),
            MetricGroup("", AccountingCounters().counters),
        ]
        return snapshot
    }

    /// Worker 0 counts 1, 2, 3 …, worker 1 a thousand more of each; one counter is beyond what a floating-point number holds.
    static func counters(perWorker: Bool) -> DataPlaneCounters {
        func named(_ base: UInt64) -> [NamedCounter] {
            Counter.allCases.map {
                let value = $0 == .rxAccessOctets ? 9_007_199_254_740_993 : base + UInt64($0.rawValue) + 1
                return NamedCounter(name: $0.name, text: $0.text, value: value)
            }
        }
        let workers = [named(0), named(1_000)]
        let total = zip(workers[0], workers[1]).map {
            NamedCounter(name: $0.name, text: $0.text, value: $0.value + $1.value)
        }
        let rings = [
            NamedCounter(
                name: "control_punt_ring_full", text: "frames for culvertd that found its ring full", value: 5),
            NamedCounter(name: "control_inject_ring_full", text: "frames from culvertd that found it full", value: 6),
        ]
        return DataPlaneCounters(
            total: total + rings,
            workers: !perWorker
                ? []
                : workers.enumerated().map { number, counters in
                    WorkerCounters(
                        index: UInt32(number), lcore: UInt32(number) + 2, numaNode: 0, running: true, loops: 100,
                        busyLoops: 50, heartbeatAgeMilliseconds: 1, counters: counters)
                })
    }

    private static var ports: [PortSnapshot] {
        ["access0", "core0"].enumerated().map { number, name in
            var port = PortSnapshot(
                index: UInt16(number), name: name, device: "net_af_packet\(number),iface=\(name)",
                mac: MACAddress(value: 0x0200_5e00_0000 + UInt64(number)), mtu: 1_500, linkUp: number == 0)
            port.linkSpeedMbps = 10_000
            port.access = number == 0
            port.core = number == 1
            port.counters = [
                ("rx_packets", 10), ("rx_octets", 20), ("tx_packets", 30), ("tx_octets", 40), ("rx_missed", 50),
                ("rx_errors", 60), ("tx_errors", 70),
            ].map { NamedCounter(name: $0, text: "what \($0) counts", value: $1 + UInt64(number)) }
            return port
        }
    }
}
