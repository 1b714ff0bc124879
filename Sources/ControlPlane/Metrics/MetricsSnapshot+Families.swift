import Observability
import Wire

// The names that scrapes have. Counters that have a table of their own are named and explained by it; what stands here in
// words is in no other table.
extension MetricsSnapshot {
    /// The families in the order in which they are written.
    public var families: [MetricFamily] {
        statusFamilies + populationFamilies + dataPlaneFamilies + portFamilies
            + Self.families(of: MetricGroup("ac", statistics.counters)) + Self.merged(groups.flatMap(Self.families))
            + tunnelFamilies
    }

    /// A number per name: what its own table calls it, in snake case, between the subsystem and, for a counter, `_total`.
    private static func families(of group: MetricGroup) -> [MetricFamily] {
        group.values.map { value in
            var family = MetricFamily(
                name(group.subsystem, value.name, counts: group.kind == .counter), group.kind, value.text)
            family.add(.whole(value.value), group.labels)
            return family
        }
    }

    /// Families of one name become one, where the first of them stands.
    private static func merged(_ families: [MetricFamily]) -> [MetricFamily] {
        var places: [String: Int] = [:]
        var merged: [MetricFamily] = []
        for family in families {
            if let place = places[family.name] {
                merged[place].samples += family.samples
            } else {
                places[family.name] = merged.count
                merged.append(family)
            }
        }
        return merged
    }

    /// `culvert_SUBSYSTEM_NAME`, with `_total` where it counts. To Prometheus `us` is a unit, of which there should be none in
    /// a name: what is not for us is not for this node there.
    static func name(_ subsystem: String, _ name: String, counts: Bool) -> String {
        var snake = ""
        for character in name {
            if character.isUppercase, !snake.isEmpty { snake += "_" }
            snake += character.lowercased()
        }
        if snake.hasSuffix("_for_us") { snake = snake.dropLast(2) + "this_node" }
        return (["culvert", subsystem, snake].filter { !$0.isEmpty } + (counts ? ["total"] : [])).joined(separator: "_")
    }

    // MARK: The node

    private var statusFamilies: [MetricFamily] {
        let dataPlane = status.dataPlane
        var build = MetricFamily("culvert_build_info", .gauge, "always 1; the label is culvertd's version")
        build.add(.whole(1), .init("version", status.version))
        var used = MetricFamily("culvert_capacity_used", .gauge, "entries in use of a table of fixed size")
        var limit = MetricFamily("culvert_capacity_limit", .gauge, "entries that a table of fixed size has")
        for capacity in status.capacities {
            let label = MetricFamily.Label("table", capacity.name)
            used.add(.whole(capacity.used), label)
            limit.add(.whole(capacity.capacity), label)
        }
        return [
            build,
            MetricFamily(
                "culvert_control_epoch", .gauge, "starts of culvertd on this segment", .whole(status.controlEpoch)),
            MetricFamily(
                "culvert_dataplane_up", .gauge, "1 while the data plane's heartbeat is recent, else 0",
                .whole(dataPlane.alive ? 1 : 0)),
            MetricFamily(
                "culvert_dataplane_epoch", .gauge, "starts of culvert-dataplane on this segment",
                .whole(dataPlane.epoch)),
            MetricFamily(
                "culvert_dataplane_heartbeat_age_seconds", .gauge, "time since the data plane's last sign of life",
                .real(Double(dataPlane.heartbeatAgeMilliseconds) / 1_000)),
            MetricFamily(
                "culvert_dataplane_uptime_seconds", .gauge, "time since the data plane's start",
                .whole(dataPlane.uptimeSeconds)),
            MetricFamily(
                "culvert_dataplane_workers", .gauge, "workers of the data plane", .whole(UInt64(dataPlane.workers))),
            used, limit,
        ] + storeFamilies
    }

    private var storeFamilies: [MetricFamily] {
        let store = status.store
        return [
            MetricFamily(
                "culvert_store_written", .gauge,
                "1 while the store takes what the next culvertd must know, 0 while the disk fails or there is no store",
                .whole(store.state == .written ? 1 : 0)),
            MetricFamily(
                "culvert_store_commits_total", .counter, "commits that the store has written", .whole(store.commits)),
            MetricFamily(
                "culvert_store_changes_total", .counter,
                "images of tunnels, sessions and the rest that were handed to the store", .whole(store.changes)),
            MetricFamily(
                "culvert_store_waiting_commits", .gauge, "commits that wait for the disk", .whole(store.waiting)),
            MetricFamily(
                "culvert_store_wait_seconds", .gauge,
                "time for which messages to clients and peers have waited for a commit",
                .real(Double(store.waitMilliseconds) / 1_000)),
            MetricFamily(
                "culvert_store_early_total", .counter,
                "turns in which messages went out before their commit was written, since peers would not have waited longer",
                .whole(store.early)),
        ]
    }

    private var populationFamilies: [MetricFamily] {
        func family<State: Hashable & CaseIterable & RawRepresentable<String>>(
            _ name: String, _ help: String, _ counts: [State: Int]
        ) -> MetricFamily {
            var family = MetricFamily(name, .gauge, help)
            for state in State.allCases {
                family.add(.whole(UInt64(clamping: counts[state] ?? 0)), .init("state", state.rawValue.lowercased()))
            }
            return family
        }
        return [
            family("culvert_connections", "clients of the PPPoE access concentrator, by state", census.connections),
            family("culvert_tunnels", "L2TP tunnels, by state", census.tunnels),
            family("culvert_sessions", "L2TP sessions, by state", census.sessions),
            MetricFamily(
                "culvert_static_tunnels", .gauge, "static tunnels of controllers",
                .whole(UInt64(clamping: census.staticTunnels))),
            MetricFamily(
                "culvert_static_sessions", .gauge, "static sessions of controllers",
                .whole(UInt64(clamping: census.staticSessions))),
        ]
    }

    // MARK: The data plane

    private var dataPlaneFamilies: [MetricFamily] {
        let dropped = counters.total.reduce(0) { drops.contains($1.name) ? $0 &+ $1.value : $0 }
        let sum = MetricFamily(
            "culvert_dataplane_dropped_frames_total", .counter,
            "frames dropped for whatever reason: the sum of the reasons' own counters", .whole(dropped))
        guard !counters.workers.isEmpty else {
            return [sum] + Self.families(of: MetricGroup("dataplane", counters.total))
        }
        // What no worker counts, the rings between the two processes, has no label.
        let ofWorkers = Set(counters.workers[0].counters.map(\.name))
        let others = counters.total.filter { !ofWorkers.contains($0.name) }
        let groups = counters.workers.map { worker in
            MetricGroup("dataplane", labels: [.init("worker", "\(worker.index)")], worker.counters)
        }
        return [sum] + Self.merged(groups.flatMap(Self.families))
            + Self.families(of: MetricGroup("dataplane", others)) + workerFamilies
    }

    private var workerFamilies: [MetricFamily] {
        var families = [
            MetricFamily("culvert_worker_running", .gauge, "1 while the worker runs, else 0"),
            MetricFamily("culvert_worker_loops_total", .counter, "rounds of the worker's loop"),
            MetricFamily("culvert_worker_busy_loops_total", .counter, "rounds of the worker's loop that found a frame"),
            MetricFamily(
                "culvert_worker_heartbeat_age_seconds", .gauge, "time since the worker's last sign of life"),
        ]
        for worker in counters.workers {
            let labels: [MetricFamily.Label] = [.init("worker", "\(worker.index)"), .init("core", "\(worker.lcore)")]
            families[0].add(.whole(worker.running ? 1 : 0), labels)
            families[1].add(.whole(worker.loops), labels)
            families[2].add(.whole(worker.busyLoops), labels)
            families[3].add(.real(Double(worker.heartbeatAgeMilliseconds) / 1_000), labels)
        }
        return families
    }

    private var portFamilies: [MetricFamily] {
        var info = MetricFamily("culvert_port_info", .gauge, "always 1; the labels tell what the port is")
        var up = MetricFamily("culvert_port_link_up", .gauge, "1 while the link is up, else 0")
        var speed = MetricFamily(
            "culvert_port_link_speed_bytes_per_second", .gauge, "speed of the link; 0 where it is not known")
        var mtu = MetricFamily("culvert_port_mtu_bytes", .gauge, "largest IP packet")
        for port in ports {
            let name = MetricFamily.Label("port", port.name)
            info.add(
                .whole(1), name, .init("device", port.device), .init("mac", port.mac.description),
                .init("dispatch", port.dispatch.rawValue), .init("access", "\(port.access)"),
                .init("core", "\(port.core)"))
            up.add(.whole(port.linkUp ? 1 : 0), name)
            speed.add(.whole(UInt64(port.linkSpeedMbps) * 125_000), name)
            mtu.add(.whole(UInt64(port.mtu)), name)
        }
        let counted = ports.flatMap { port in
            Self.families(of: MetricGroup("port", labels: [.init("port", port.name)], port.counters))
        }
        return [info, up, speed, mtu] + Self.merged(counted)
    }

    // MARK: Tunnels one by one

    private var tunnelFamilies: [MetricFamily] {
        let gauges: [(String, String, (TunnelSnapshot) -> UInt64)] = [
            ("culvert_tunnel_up", "1 while the tunnel is established, else 0", { $0.state == .established ? 1 : 0 }),
            ("culvert_tunnel_sessions", "sessions in the tunnel", { UInt64($0.sessionCount) }),
            (
                "culvert_tunnel_congestion_window", "control messages that may be on their way to the peer",
                { UInt64($0.transport.congestionWindow) }
            ),
        ]
        let counts: [(String, String, (TunnelTransport) -> UInt64)] = [
            ("retransmits", "control messages that were sent again", { $0.retransmits }),
            ("duplicates", "control messages of the peer that came twice", { $0.duplicateDiscards }),
            (
                "out_of_sequence", "control messages of the peer outside of the receive window",
                { $0.outOfSequenceControlDiscards }
            ),
            ("hellos_sent", "keepalives sent", { $0.hellosSent }),
            ("hellos_received", "keepalives received", { $0.hellosReceived }),
            ("rx_packets", "control packets received", { $0.control.rxPackets }),
            ("rx_octets", "octets of control packets received, UDP payload", { $0.control.rxOctets }),
            ("tx_packets", "control packets sent", { $0.control.txPackets }),
            ("tx_octets", "octets of control packets sent, UDP payload", { $0.control.txOctets }),
        ]
        let families =
            gauges.map { name, help, read in Self.family(name, .gauge, help, tunnels, read) }
            + counts.map { name, help, read in
                Self.family("culvert_tunnel_control_\(name)_total", .counter, help, tunnels) { read($0.transport) }
            }
        let all = census.tunnels.values.reduce(0, +)
        let missing = MetricFamily(
            "culvert_tunnels_left_out", .gauge, "tunnels beyond those that are told of one by one",
            .whole(UInt64(clamping: max(0, all - tunnels.count))))
        return families + (tunnels.isEmpty ? [] : [missing])
    }

    private static func family(
        _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ tunnels: [TunnelSnapshot],
        _ read: (TunnelSnapshot) -> UInt64
    ) -> MetricFamily {
        var family = MetricFamily(name, kind, help)
        for tunnel in tunnels {
            family.add(
                .whole(read(tunnel)), .init("tunnel", "\(tunnel.id)"), .init("name", tunnel.name),
                .init("peer", tunnel.remoteAddress.description))
        }
        return family
    }
}
