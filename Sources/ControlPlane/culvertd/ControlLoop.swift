import CSegment
import Configuration
import Logging
import Names
import Observability
import PPPoE
import Resolver
import Roles
import Segment
import Settings
import Timing
import Wire

/// The control plane at work: a `ControlNode` between the shared segment's rings, the clock and the callers of the RPC.
///
/// An actor on the executor of the control thread. Each turn takes the frames that wait, fires timers, and says when it
/// wants to be woken at the latest.
actor ControlLoop {
    nonisolated let executor: ControlExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// What the node runs with. Settings that take a restart are still the old ones' in force.
    var configuration: Configuration { node.configuration }
    let configurationPath: String
    let segment: SegmentMapping
    let table: SegmentForwardingTable
    let events: EventBroadcaster
    /// Who follows what is debugged.
    let debugLines: DebugBroadcaster
    let network: ManagementNetwork
    let store: NodeStore
    let logger: Logger
    let startedAt = Timestamp.now()
    let node: ControlNode
    /// The data plane's ports as the node knows them.
    private let ports: [NodePort]

    private var intake: FrameIntake
    let outbox: Outbox
    let captures: CaptureStreams
    private var watch = DataPlaneWatch()
    /// How often it is said that the store is slow.
    private var slowness = Periodic(interval: .seconds(60))
    /// Turns in which something went out before its commit was written.
    var earlyReleases: UInt64 = 0

    /// The control plane over an open segment. What a culvertd before this one was at goes on.
    init(
        configuration: Configuration, configurationPath: String, segment: SegmentMapping, executor: ControlExecutor,
        network: ManagementNetwork, logger: Logger
    ) throws {
        self.network = network
        let store = NodeStore(
            path: configuration.control.store,
            commit: culvert_load_acquire_u64(culvert_control_released(segment.view.header)), logger: logger,
            wake: { executor.wake() })
        self.store = store
        self.configurationPath = configurationPath
        self.segment = segment
        self.executor = executor
        self.logger = logger
        let view = segment.view
        let ports = NodePort.all(in: view)
        self.ports = ports
        let (writer, recovery) = TableWriter.recovering(segment)
        try Self.configurePorts(ports, of: configuration, in: writer)
        table = SegmentForwardingTable(writer: writer, recovery: recovery)
        intake = FrameIntake(FrameRingConsumer(view.puntRing, mask: view.frameRingMask))
        let outbox = Outbox(view: view, network: network)
        self.outbox = outbox
        let events = EventBroadcaster()
        self.events = events
        let debugLines = DebugBroadcaster()
        self.debugLines = debugLines
        let captures = CaptureStreams()
        self.captures = captures
        let now = Instant.now()
        let epoch = Timestamp(nanoseconds: Timestamp.now().nanoseconds - Int64(clamping: now.nanoseconds))
        let stored = store.takeState()
        var random = SystemRandomNumberGenerator()
        node = ControlNode(
            configuration: configuration, ports: ports, table: table, journal: StoredBacklog(store),
            cookie: ACCookie(secret: stored.cookieSecret ?? (0..<32).map { _ in random.next() }),
            makeRandom: { SystemRandomNumberGenerator() }, epoch: epoch, at: now, logger: logger,
            effects: .init(
                transmit: { frame, port in outbox.send(frame, port: port) },
                event: { events.publish($0, at: .now()) },
                resolve: { network.resolve($0) },
                sendRADIUS: { outbox.sendRADIUS($0, socket: $1, to: $2, port: $3) },
                answerRADIUS: { outbox.answerRADIUS($0, to: $1, port: $2) },
                debug: { debugLines.publish(DebugLine(time: .now(), subsystem: $0, scope: $1, text: $2)) },
                capture: { captures.take($0, $1) }))
        for settings in configuration.interfaces where !ports.contains(where: { $0.name == settings.name }) {
            logger.error("the data plane has no port of this name", metadata: ["interface": "\(settings.name)"])
        }
        for warning in configuration.warnings {
            logger.warning("\(warning.reason)", metadata: ["line": "\(warning.line)", "setting": "\(warning.field)"])
        }
        node.start(resuming: stored, at: now)
        node.adopt(recovery, from: writer, stored, at: now)
    }

    /// Tells the data plane what is served where.
    private static func configurePorts(
        _ ports: [NodePort], of configuration: Configuration, in writer: TableWriter
    ) throws {
        for port in ports {
            // A port may stand in several elements, with different VLANs.
            let settings = configuration.interfaces.filter { $0.name == port.name }
            let addresses = settings.flatMap(\.addresses).map(\.address)
            var roles: PortRoles = []
            if settings.contains(where: { !$0.services.isEmpty }) { roles.insert(.access) }
            if !addresses.isEmpty { roles.insert(.core) }
            // What is sent to a link-local address is the host stack's; the data plane hands it over without a list.
            try writer.configurePort(
                port.index, roles: roles, addresses: addresses.compactMap(\.ipv4),
                ipv6Addresses: addresses.compactMap(\.ipv6).filter { !$0.isLinkLocal })
        }
    }

    /// Runs until the executor stops; blocks the calling thread, which becomes the control thread.
    nonisolated func run() {
        executor.run { self.assumeIsolated { $0.turn() } }
    }

    /// Longest sleep in nanoseconds: the heartbeat's period, and how late a dead data plane is noticed.
    private static let longestSleep: UInt64 = 200_000_000

    private func turn() -> UInt64 {
        let now = Instant.now()
        release(at: now)
        let mayHaveMore = intake.takeTurn(at: now, hasHandsFull: { node.hasItsHandsFull }) {
            node.receive($0, at: now)
        }
        node.timerFired(at: now)
        commit(at: now)
        culvert_store_relaxed_u64(culvert_control_heartbeat(segment.view.header), now.nanoseconds)
        watch.look(at: segment, ports: ports, at: now, logger: logger)
        guard !mayHaveMore else { return 0 }
        let deadline = [node.deadline, outbox.deadline, intake.deadline].lazy.compactMap { $0 }.min()
        let rest = deadline.map { $0 > now ? $0.nanoseconds - now.nanoseconds : 0 } ?? Self.longestSleep
        return min(rest, Self.longestSleep)
    }

    // MARK: The store

    /// Hands what has changed to the store, and sends what came of it: now, where nothing has, else when the store has written it.
    private func commit(at now: Instant) {
        outbox.close(commit: store.commit(node.takeChanges()), at: now)
        release(at: now)
    }

    private func release(at now: Instant) {
        let progress = store.progress
        let isFailing = progress.isFailing.load(ordering: .acquiring)
        let isEarly = outbox.release(
            committed: progress.committed.load(ordering: .acquiring), isFailing: isFailing, at: now)
        if isEarly { earlyReleases &+= 1 }
        if isEarly, !isFailing, slowness.isDue(at: now) {
            logger.error("the store is too slow: peers are not kept waiting, and a crash now may end sessions")
        }
    }

    // MARK: Reloading

    /// Takes a changed configuration into force, but for what needs a restart.
    ///
    /// - Throws: a fault of the `dataplane` section, whose ports are those of the data plane that runs.
    func take(_ new: Configuration) throws(ConfigurationFaults) {
        guard new.dataPlane.ports.map(\.name) == configuration.dataPlane.ports.map(\.name) else {
            throw ConfigurationFaults([
                ConfigurationFault(
                    line: 0, field: "dataplane.ports",
                    reason: "other ports than the data plane runs with: restart culvert-dataplane and culvertd")
            ])
        }
        do { try Self.configurePorts(ports, of: new, in: table.writer) } catch {
            throw ConfigurationFaults([ConfigurationFault(line: 0, field: "interfaces", reason: "\(error)")])
        }
        node.apply(new, at: .now())
    }

    // MARK: The management network

    /// A name server's answer.
    func resolved(_ query: NameQuery, _ result: NameResult) { node.resolved(query, result, at: .now()) }

    /// A datagram to one of the sockets for RADIUS.
    func received(_ arrival: RADIUSSockets.Arrival) {
        switch arrival {
        case .answer(let datagram, let address, let port, let socket):
            node.receiveRADIUS(datagram, from: address, port: port, socket: socket, at: .now())
        case .request(let datagram, let address, let port):
            node.receiveDynamicAuthorization(datagram, from: address, port: port, at: .now())
        }
    }

    // MARK: The end

    /// Leaves sessions and tunnels to the next culvertd, as `sessions-at-stop` says, or ends them in order.
    func shutDown() async {
        if configuration.control.sessionsAtStop == .end { await endEverything() }
        captures.closeAll()
        commit(at: .now())
        store.close()
        release(at: .now())
    }

    /// Gives the peers a moment to acknowledge the end, and the accounting servers one to take what there is to say of it. What they
    /// do not take now they get after the next start.
    private func endEverything() async {
        node.shutDown(at: .now())
        for _ in 0..<Self.shutDownLooks where !node.hasShutDown(at: .now()) {
            try? await Task.sleep(for: .milliseconds(50))
        }
        node.finishAccounting(at: .now())
        for _ in 0..<Self.shutDownLooks where node.hasUnsentRecords {
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    private static let shutDownLooks = 40
}

/// Something that is done once in a while at most.
struct Periodic {
    let interval: Duration
    private var last: Instant?

    init(interval: Duration) { self.interval = interval }

    /// Whether it is time; it is not again before `interval` is over.
    mutating func isDue(at now: Instant) -> Bool {
        if let last, now - last < interval { return false }
        last = now
        return true
    }
}

extension Instant {
    /// CLOCK_MONOTONIC.
    static func now() -> Instant { Instant(nanoseconds: culvert_monotonic_ns()) }
}

extension NodePort {
    /// The ports that the data plane reports.
    static func all(in view: SegmentView) -> [NodePort] {
        (0..<Int(view.portCount)).compactMap { index in
            let port = view.ports[index]
            guard port.present == 1 else { return nil }
            return NodePort(
                index: UInt16(index), name: port.nameText,
                mac: withUnsafeBytes(of: port.mac) { MACAddress(Array($0)) } ?? MACAddress(value: 0), mtu: port.mtu,
                linkSpeed: port.link_speed == UInt32.max ? 0 : port.link_speed)
        }
    }
}

extension culvert_port {
    /// The port's name as configured.
    var nameText: String { withUnsafeBytes(of: name, Self.text) }
    /// DPDK's name of the device.
    var deviceText: String { withUnsafeBytes(of: device, Self.text) }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
