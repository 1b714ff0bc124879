import CDPDK
import CSegment
import Segment

/// An answer: names in the order in which they are shown, with what they stand for.
public struct TelemetryTable: Equatable, Sendable {
    /// What a name stands for.
    public enum Value: Equatable, Sendable {
        case number(UInt64)
        case text(String)
        case table(TelemetryTable)
    }

    /// Names consist of letters, digits and `_`: DPDK takes no others.
    public var entries: [(name: String, value: Value)] = []

    /// An empty table.
    public init() {}

    mutating func add(_ name: String, _ number: some BinaryInteger) {
        entries.append((name, .number(UInt64(clamping: number))))
    }

    mutating func add(_ name: String, _ text: String) { entries.append((name, .text(text))) }

    mutating func add(_ name: String, _ table: TelemetryTable) { entries.append((name, .table(table))) }

    /// What `name` stands for; nil: nothing.
    public subscript(name: String) -> Value? { entries.first { $0.name == name }?.value }

    /// Whether both have the same names in the same order for the same.
    public static func == (a: TelemetryTable, b: TelemetryTable) -> Bool {
        a.entries.elementsEqual(b.entries) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// The data plane's own telemetry commands.
public enum TelemetryCommand: CaseIterable, Sendable {
    case segment, workers, ports, counters, drops

    /// As it is asked for.
    var path: String {
        switch self {
        case .segment: "/culvert/segment"
        case .workers: "/culvert/workers"
        case .ports: "/culvert/ports"
        case .counters: "/culvert/counters"
        case .drops: "/culvert/drops"
        }
    }

    /// What `/help` says of it.
    var help: String {
        switch self {
        case .segment: "Returns the shared segment's identity, geometry, rings and the two processes' heartbeats."
        case .workers: "Returns what every worker does. Parameters: int worker (optional): that one alone"
        case .ports: "Returns the names of the ports. Parameters: int port (optional): all about that one"
        case .counters: "Returns the counters of all workers together. Parameters: int worker (optional): of that one"
        case .drops:
            "Returns why frames were dropped, all workers together. Parameters: int worker (optional): by that one"
        }
    }

    /// DPDK knows the command by a function alone: one each.
    var callback: @convention(c) (UnsafePointer<CChar>?, UnsafePointer<CChar>?, OpaquePointer?) -> Int32 {
        switch self {
        case .segment: { Telemetry.answer(.segment, $1, $2) }
        case .workers: { Telemetry.answer(.workers, $1, $2) }
        case .ports: { Telemetry.answer(.ports, $1, $2) }
        case .counters: { Telemetry.answer(.counters, $1, $2) }
        case .drops: { Telemetry.answer(.drops, $1, $2) }
        }
    }

    /// The answer from a segment; nil: the parameter names nothing that is there.
    public func answer(_ parameter: String, from segment: SegmentMapping) -> TelemetryTable? {
        let view = segment.view
        let index = Int(parameter)
        guard parameter.isEmpty || index != nil else { return nil }
        switch self {
        case .segment: return parameter.isEmpty ? Self.describe(segment) : nil
        case .workers:
            guard let index else {
                var table = TelemetryTable()
                for worker in Self.workers(view) { table.add("\(worker)", Self.describe(worker: worker, view)) }
                return table
            }
            return Self.workers(view).contains(index) ? Self.describe(worker: index, view) : nil
        case .ports:
            let ports = (0..<Int(view.portCount)).filter { view.ports[$0].present == 1 }
            guard let index else {
                var table = TelemetryTable()
                for port in ports { table.add("\(port)", Self.text(of: view.ports[port].name)) }
                return table
            }
            return ports.contains(index) ? Self.describe(view.ports[index]) : nil
        case .counters: return Self.count(Counter.allCases, index, view)
        case .drops: return Self.count(Counter.allCases.filter(\.isDrop), index, view)
        }
    }

    /// Workers that run, by the data plane's word.
    private static func workers(_ view: SegmentView) -> Range<Int> {
        0..<Int(min(view.header.pointee.worker_count, view.workerCount))
    }

    private static func count(_ counters: [Counter], _ worker: Int?, _ view: SegmentView) -> TelemetryTable? {
        let all = workers(view)
        guard worker.map(all.contains) ?? true else { return nil }
        var table = TelemetryTable()
        for counter in counters {
            let sum = (worker.map { $0..<$0 + 1 } ?? all).reduce(0 as UInt64) { sum, worker in
                let page = UnsafeMutableRawPointer(view.workers + worker) + 64
                return sum &+ culvert_load_relaxed_u64(page.assumingMemoryBound(to: UInt64.self) + counter.rawValue)
            }
            table.add(counter.name, sum)
        }
        return table
    }

    private static func describe(worker: Int, _ view: SegmentView) -> TelemetryTable {
        let page = view.workers + worker
        var table = TelemetryTable()
        table.add("running", page.pointee.running)
        table.add("lcore", page.pointee.lcore)
        table.add("numa_node", page.pointee.numa_node)
        table.add("loops", page.pointee.loops)
        table.add("busy_loops", page.pointee.busy_loops)
        table.add("heartbeat_age_ms", age(page.pointee.heartbeat_ns))
        return table
    }

    private static func describe(_ port: culvert_port) -> TelemetryTable {
        var table = TelemetryTable()
        table.add("name", text(of: port.name))
        table.add("device", text(of: port.device))
        let mac = withUnsafeBytes(of: port.mac) { $0.map { octet in hexadecimal(octet) } }
        table.add("mac", mac.joined(separator: ":"))
        table.add("mtu", port.mtu)
        table.add("link_up", port.link_up)
        table.add("link_speed", port.link_speed)
        table.add("queues", port.queues)
        table.add("numa_node", port.numa_node)
        table.add("dispatch", port.dispatch)
        table.add("access", port.flags & UInt32(CULVERT_PORT_ACCESS) != 0 ? 1 : 0)
        table.add("core", port.flags & UInt32(CULVERT_PORT_CORE) != 0 ? 1 : 0)
        table.add("rx_packets", port.rx_packets)
        table.add("rx_octets", port.rx_octets)
        table.add("rx_missed", port.rx_missed)
        table.add("rx_errors", port.rx_errors)
        table.add("tx_packets", port.tx_packets)
        table.add("tx_octets", port.tx_octets)
        table.add("tx_errors", port.tx_errors)
        return table
    }

    private static func describe(_ segment: SegmentMapping) -> TelemetryTable {
        let (view, header, geometry) = (segment.view, segment.view.header, segment.geometry)
        var table = TelemetryTable()
        table.add("path", String(decoding: segment.path.utf8.prefix(127), as: UTF8.self))
        table.add("adopted", segment.isAdopted ? 1 : 0)
        table.add("layout_version", header.pointee.layout_version)
        table.add("total_size", header.pointee.total_size)
        table.add("sessions", geometry.sessions)
        table.add("tunnels", geometry.tunnels)
        table.add("circuits", geometry.circuits)
        table.add("vlan_blocks", geometry.vlanBlocks)
        table.add("policers", geometry.policers)
        table.add("workers", header.pointee.worker_count)
        table.add("ports", header.pointee.port_count)
        table.add("frame_ring_depth", geometry.frameRingDepth)
        table.add("dataplane_epoch", header.pointee.dataplane_epoch)
        table.add("dataplane_pid", header.pointee.dataplane_pid)
        table.add("dataplane_heartbeat_age_ms", age(header.pointee.dataplane_heartbeat_ns))
        table.add("control_epoch", header.pointee.control_epoch)
        table.add("control_pid", header.pointee.control_pid)
        table.add("control_heartbeat_age_ms", age(header.pointee.control_heartbeat_ns))
        table.add("punt_ring_waiting", waiting(view.puntRing, view))
        table.add("punt_ring_full", FrameRing.dropped(view.puntRing))
        table.add("punt_ring_captures_lost", FrameRing.droppedCaptures(view.puntRing))
        table.add("inject_ring_waiting", waiting(view.injectRing, view))
        table.add("inject_ring_full", FrameRing.dropped(view.injectRing))
        return table
    }

    private static func waiting(_ ring: UnsafeMutablePointer<culvert_frame_ring>, _ view: SegmentView) -> UInt64 {
        min(ring.pointee.producer &- ring.pointee.consumer, view.frameRingMask + 1)
    }

    /// Milliseconds since a heartbeat; 0 for one that never was.
    private static func age(_ heartbeat: UInt64) -> UInt64 {
        let now = culvert_monotonic_ns()
        return heartbeat == 0 || now < heartbeat ? 0 : (now - heartbeat) / 1_000_000
    }

    private static func text<Field>(of field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func hexadecimal(_ octet: UInt8) -> String {
        let digits = String(octet, radix: 16)
        return octet < 16 ? "0" + digits : digits
    }
}
