import CSegment
import Observability
import Segment
import Settings
import Timing
import Wire

/// What the segment tells of the data plane.
extension ControlLoop {
    func status() async throws -> StatusSnapshot {
        let now = Timestamp.now()
        var status = StatusSnapshot(
            version: culvertVersion, startedAt: startedAt,
            uptimeSeconds: UInt64(clamping: (now.nanoseconds - startedAt.nanoseconds) / 1_000_000_000),
            controlEpoch: segment.view.header.pointee.control_epoch, configurationPath: configurationPath,
            dataPlane: dataPlaneStatus(), capacities: capacities())
        status.hostName = configuration.control.hostName
        status.drained = node.drainedTargets
        status.store = storeStatus()
        return status
    }

    private func storeStatus() -> StoreStatus {
        var status = store.status
        let committed = store.progress.committed.load(ordering: .relaxed)
        status.waitMilliseconds = UInt64(outbox.wait(committed: committed, at: .now()) / .milliseconds(1))
        status.early = earlyReleases
        return status
    }

    private func dataPlaneStatus() -> DataPlaneStatus {
        let header = segment.view.header
        let now = culvert_monotonic_ns()
        var status = DataPlaneStatus()
        status.alive = segment.isDataPlaneRunning
        status.epoch = culvert_load_acquire_u64(culvert_dataplane_epoch(header))
        status.pid = header.pointee.dataplane_pid
        status.uptimeSeconds = now.elapsed(since: header.pointee.dataplane_started_ns) / 1_000_000_000
        status.heartbeatAgeMilliseconds =
            now.elapsed(since: culvert_load_relaxed_u64(culvert_dataplane_heartbeat(header))) / 1_000_000
        status.workers = header.pointee.worker_count
        status.ports = header.pointee.port_count
        status.layoutVersion = header.pointee.layout_version
        return status
    }

    private func capacities() -> [Capacity] {
        let geometry = segment.geometry
        let free = table.writer.occupancy
        func capacity(_ name: String, _ text: String, _ total: UInt32, free: UInt32) -> Capacity {
            Capacity(name: name, text: text, used: UInt64(total - min(free, total)), capacity: UInt64(total))
        }
        return [
            capacity("sessions", "sessions, access side", geometry.sessions, free: free.freeUpstream),
            capacity("l2tp_sessions", "sessions, L2TP side", geometry.sessions, free: free.freeDownstream),
            capacity("tunnels", "tunnels", geometry.tunnels - 1, free: free.freeTunnels),
            capacity("circuits", "attachment circuits", geometry.circuits, free: free.freeCircuits),
            capacity("vlan_blocks", "VLAN blocks", geometry.vlanBlocks - 1, free: free.freeVLANBlocks),
            Capacity(
                name: "reclaiming", text: "entries that wait for the workers", used: UInt64(clamping: free.waiting),
                capacity: UInt64(geometry.sessions)),
        ]
    }

    func ports() async throws -> [PortSnapshot] {
        let view = segment.view
        var snapshots: [PortSnapshot] = []
        for index in 0..<Int(view.portCount) where view.ports[index].present == 1 {
            let port = view.ports[index]
            var snapshot = PortSnapshot(
                index: UInt16(index), name: port.nameText, device: port.deviceText,
                mac: withUnsafeBytes(of: port.mac) { MACAddress(Array($0)) } ?? MACAddress(value: 0), mtu: port.mtu,
                linkUp: port.link_up == 1)
            snapshot.linkSpeedMbps = port.link_speed
            snapshot.queues = port.queues
            snapshot.numaNode = port.numa_node
            snapshot.dispatch = port.dispatch == 1 ? .rss : port.dispatch == 2 ? .software : .singleQueue
            snapshot.access = port.flags & UInt32(CULVERT_PORT_ACCESS) != 0
            snapshot.core = port.flags & UInt32(CULVERT_PORT_CORE) != 0
            snapshot.addresses = withUnsafeBytes(of: port.local_ipv4) { bytes in
                bytes.bindMemory(to: UInt32.self).prefix(Int(port.address_count)).map {
                    .v4(IPv4Address(value: UInt32(bigEndian: $0)))
                }
            }
            snapshot.addresses += withUnsafeBytes(of: port.local_ipv6) { bytes in
                (0..<min(Int(port.ipv6_address_count), bytes.count / 16)).compactMap {
                    IPv6Address(bytes[16 * $0..<16 * ($0 + 1)]).map(IPAddress.v6)
                }
            }
            snapshot.counters = [
                NamedCounter(name: "rx_packets", text: "frames received", value: port.rx_packets),
                NamedCounter(name: "rx_octets", text: "octets received", value: port.rx_octets),
                NamedCounter(name: "tx_packets", text: "frames sent", value: port.tx_packets),
                NamedCounter(name: "tx_octets", text: "octets sent", value: port.tx_octets),
                NamedCounter(
                    name: "rx_missed", text: "frames that the device dropped for want of descriptors",
                    value: port.rx_missed),
                NamedCounter(name: "rx_errors", text: "frames received with errors", value: port.rx_errors),
                NamedCounter(name: "tx_errors", text: "frames that the device could not send", value: port.tx_errors),
            ]
            snapshots.append(snapshot)
        }
        return snapshots
    }

    func counters(perWorker: Bool) async throws -> DataPlaneCounters {
        let view = segment.view
        let now = culvert_monotonic_ns()
        var totals = [UInt64](repeating: 0, count: Counter.allCases.count)
        var workers: [WorkerCounters] = []
        for index in 0..<Int(view.workerCount) {
            let worker = view.workers[index]
            let values = withUnsafeBytes(of: worker.counters) { bytes in
                let words = bytes.bindMemory(to: UInt64.self)
                return Counter.allCases.map { words[$0.rawValue] }
            }
            for (position, value) in values.enumerated() { totals[position] &+= value }
            guard perWorker, worker.heartbeat_ns != 0 else { continue }
            workers.append(
                WorkerCounters(
                    index: UInt32(index), lcore: worker.lcore, numaNode: worker.numa_node, running: worker.running == 1,
                    loops: worker.loops, busyLoops: worker.busy_loops,
                    heartbeatAgeMilliseconds: now.elapsed(since: worker.heartbeat_ns) / 1_000_000,
                    counters: Self.named(values)))
        }
        return DataPlaneCounters(total: Self.named(totals) + ringCounters(), workers: workers)
    }

    private static func named(_ values: [UInt64]) -> [NamedCounter] {
        zip(Counter.allCases, values).map { NamedCounter(name: $0.name, text: $0.text, value: $1) }
    }

    private func ringCounters() -> [NamedCounter] {
        [
            NamedCounter(
                name: "control_punt_ring_full", text: "frames for culvertd that found its ring full",
                value: FrameRing.dropped(segment.view.puntRing)),
            NamedCounter(
                name: "control_capture_ring_full",
                text: "copies for captures that found half of culvertd's ring full, which is all they may have",
                value: FrameRing.droppedCaptures(segment.view.puntRing)),
            NamedCounter(
                name: "control_inject_ring_full", text: "frames from culvertd that found the data plane's ring full",
                value: FrameRing.dropped(segment.view.injectRing)),
        ]
    }
}

extension UInt64 {
    /// The time from `earlier` to this, 0 when `earlier` is not in the past.
    fileprivate func elapsed(since earlier: UInt64) -> UInt64 { self > earlier ? self - earlier : 0 }
}
