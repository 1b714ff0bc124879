import CDPDK
import CSegment
import Forwarding
import Glibc
import Segment
import Settings

/// The running data plane: environment, segment, devices, workers on their cores, and the exchange on the calling thread.
public final class DataPlane {
    /// The segment.
    public let segment: SegmentMapping
    /// The devices, by port index.
    public let devices: [Device]
    /// The workers.
    public let workers: [Worker]
    /// Whether packet buffers lie in huge pages.
    public let usesHugePages: Bool
    /// What became of the telemetry.
    public let telemetry: Telemetry.State

    private var exchange: Exchange
    private let idle: WorkerIdle
    private let stopFlag: UnsafeMutablePointer<UInt32>
    private var launches: [UnsafeMutablePointer<Launch>] = []

    /// What a worker's core is given to run.
    private struct Launch {
        let worker: Worker
        let stopFlag: UnsafePointer<UInt32>
        let idle: WorkerIdle
    }

    /// Starts everything but the workers' loops.
    /// - Throws: `DataPlaneError`, `SegmentError`, `AllocationError`.
    public init(_ settings: DataPlaneSettings) throws {
        let workerCount = UInt32(settings.cores.count)
        let buffers = Self.buffers(settings)
        let attachment = try SegmentAttachment(settings)
        if Self.mustBeAlone(settings) { _ = try attachment.wait() }
        let hugePages = try Self.chooseHugePages(
            settings.memory, megabytes: Self.megabytes(settings, buffers: buffers, hugePages: true),
            patience: 500_000_000)
        let megabytes = Self.megabytes(settings, buffers: buffers, hugePages: hugePages)
        let telemetry = Telemetry.prepare(settings)
        let environment = Result {
            try Environment.start(
                Environment.Arguments(
                    mainCore: settings.mainCore, cores: settings.cores, hugePages: hugePages, megabytes: megabytes,
                    devices: settings.ports.map(\.device), prefix: Telemetry.name(settings), telemetry: telemetry.isOn))
        }
        // The segment first: whoever runs on it already is a clearer message than a device that is busy.
        segment = try attachment.wait()
        try Self.giveToGroup(settings)
        try environment.get()
        usesHugePages = hugePages
        devices = try settings.ports.map { port in
            try Device(
                Device.Plan(
                    name: port.name, device: port.device, mtu: port.mtu, queues: port.queues,
                    dispatch: port.dispatch, workers: UInt16(workerCount)),
                buffers: buffers)
        }
        let devices = devices
        let nodes = (0..<workerCount).map { Int32(bitPattern: culvert_socket_of_lcore($0 + 1)) }
        let assignments = QueueAssignment.assign(
            ports: devices.map { ($0.dispatch.queues, $0.socket, $0.dispatch.pppoe == .single) }, workers: nodes)
        let limits = Self.limits(settings.puntLimits)
        let reassembly = Self.limits(settings.reassembly)
        let clientLimits = Self.limits(settings.puntLimitsPerClient)
        let shares = PuntShareLimits(
            lines: Self.limits(settings.puntShares), ports: Self.limits(settings.puntSharesPerPort))
        let view = segment.view
        workers = try (0..<workerCount).map { index in
            try Worker(
                view: view, index: index, count: workerCount,
                ports: devices.map {
                    Worker.Port(
                        forwarding: $0.forwardingPort, device: $0.number, transmitQueue: UInt16(index))
                },
                queues: assignments[Int(index)].map {
                    Worker.ReceiveQueue(port: UInt32($0.port), device: devices[$0.port].number, queue: $0.queue)
                },
                limits: limits, clientLimits: clientLimits, shares: shares, reassembly: reassembly,
                reordering: Self.limits(settings.reordering), socket: nodes[Int(index)])
        }
        Worker.connect(workers)
        idle = WorkerIdle(settings.idle)
        exchange = Exchange(view: view, workers: workers, devices: devices)
        stopFlag = .allocate(capacity: 1)
        stopFlag.initialize(to: 0)
        self.telemetry = telemetry.isOn ? Telemetry.start(segment, telemetry) : telemetry
        placeSegment()
        describePorts()
    }

    /// Launches the workers, and runs the exchange until `shouldStop` answers true, which is asked about every millisecond.
    /// - Parameter linkChanged: told of each port whose link went up or down.
    public func run(until shouldStop: () -> Bool, linkChanged: (Device, Bool) -> Void) throws {
        try launch()
        segment.view.header.pointee.worker_count = UInt32(workers.count)
        var reportDue: UInt64 = 0
        var quietRounds = 0
        while true {
            let carried = exchange.iterate()
            quietRounds = carried > 0 ? 0 : quietRounds + 1
            let now = culvert_monotonic_ns()
            if now >= reportDue {
                reportDue = now + 1_000_000
                for index in exchange.report(now: now) {
                    linkChanged(devices[index], segment.view.ports[index].link_up != 0)
                }
                if shouldStop() { return }
            }
            // Punts are looked for every 50 µs while there are some, and at least twice a millisecond.
            if carried == 0 { exchange.wait(nanoseconds: quietRounds < 100 ? 50_000 : 500_000) }
        }
    }

    /// Stops the workers, closes the devices and ends the environment. The segment stays for the next data plane.
    public func stop() {
        Telemetry.stop()
        culvert_store_release_u32(stopFlag, 1)
        for index in launches.indices { _ = culvert_join(UInt32(index + 1)) }
        exchange.iterate()
        for device in devices { device.close() }
        for worker in workers { worker.deallocate() }
        exchange.deallocate()
        segment.view.header.pointee.worker_count = 0
        segment.view.header.pointee.dataplane_pid = 0
        for launch in launches {
            launch.deinitialize(count: 1)
            launch.deallocate()
        }
        stopFlag.deallocate()
        Environment.end()
    }

    private func launch() throws {
        for (index, worker) in workers.enumerated() {
            let launch = UnsafeMutablePointer<Launch>.allocate(capacity: 1)
            launch.initialize(to: Launch(worker: worker, stopFlag: UnsafePointer(stopFlag), idle: idle))
            let failed = culvert_launch(
                { argument in
                    guard let launch = argument?.assumingMemoryBound(to: Launch.self).pointee else { return -1 }
                    launch.worker.start(
                        lcore: launch.worker.index + 1, numaNode: culvert_socket_of_lcore(launch.worker.index + 1))
                    launch.worker.run(until: launch.stopFlag, idle: launch.idle)
                    launch.worker.stop()
                    return 0
                }, launch, UInt32(index + 1))
            launches.append(launch)
            guard failed == 0 else {
                throw DataPlaneError.environment(
                    "worker \(index) could not be launched: \(DataPlaneError.text(failed))")
            }
        }
    }

    /// Puts the tables near the first worker. DPDK places its own memory; the segment is ours to place.
    private func placeSegment() {
        let node = culvert_socket_of_lcore(1)
        _ = culvert_place_on_node(segment.view.header, segment.layout.totalSize, node)
    }

    /// Writes the data plane's half of each port's entry.
    private func describePorts() {
        let view = segment.view
        for index in 0..<Int(view.portCount) {
            let entry = view.ports + index
            guard index < devices.count else {
                entry.pointee.present = 0
                continue
            }
            let device = devices[index]
            Self.store(device.plan.name, &entry.pointee.name)
            Self.store(device.plan.device, &entry.pointee.device)
            withUnsafeMutableBytes(of: &entry.pointee.mac) { $0.copyBytes(from: device.mac.octets) }
            entry.pointee.mtu = device.plan.mtu
            entry.pointee.queues = device.dispatch.queues
            entry.pointee.numa_node = device.socket < 0 ? 0 : UInt32(device.socket)
            entry.pointee.dispatch = device.dispatch.way(roles: entry.pointee.flags).rawValue
            entry.pointee.offloads = device.offloads
            let link = device.link
            entry.pointee.link_speed = link.speed
            entry.pointee.link_up = link.isUp ? 1 : 0
            culvert_store_release_u8(&entry.pointee.present, 1)
        }
        view.header.pointee.port_count = UInt32(devices.count)
    }

    /// `text`, cut to fit, and zeros behind it.
    private static func store<Field>(_ text: String, _ field: inout Field) {
        withUnsafeMutableBytes(of: &field) { bytes in
            for index in bytes.indices { bytes[index] = 0 }
            for (index, octet) in text.utf8.prefix(bytes.count - 1).enumerated() { bytes[index] = octet }
        }
    }
}
