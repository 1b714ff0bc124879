import Configuration
import L2TP
import Logging
import Names
import Observability
import PPPoE
import Roles
import Segment
import SimulationSupport
import Testing
import Timing
import Wire

/// A node, its clients and its LNSs, in virtual time. Frames are the only thing that passes between them, and take a
/// millisecond; the data plane's part, to class what comes in, is played here.
final class World {
    /// What the network does to frames between any two stations.
    struct Faults {
        /// Per thousand.
        var loss: UInt64 = 0
        var duplication: UInt64 = 0
        /// Frames that come up to 40 ms late, and so after later ones.
        var delay: UInt64 = 0
    }

    private enum Station {
        case node(port: UInt16)
        case client(Int)
        case lns(Int)
        /// Something else that happens then.
        case job(() -> Void)
    }

    private struct Flight {
        let at: Instant
        let serial: UInt64
        let to: Station
        let bytes: [UInt8]
    }

    static let accessMAC = MACAddress(value: 0x0200_0000_0a00)
    static let coreMAC = MACAddress(value: 0x0200_0000_0c00)
    static let lnsAddress = IPv4Address(value: 0xc633_6402)
    static let otherLNSAddress = IPv4Address(value: 0xc633_6403)
    static let ports = [
        NodePort(index: 0, name: "access0", mac: accessMAC, mtu: 1_508),
        NodePort(index: 1, name: "core0", mac: coreMAC, mtu: 1_500),
    ]

    private(set) var now = Instant.zero + .seconds(1_000)
    let null: NullTable
    private(set) var node: ControlNode
    /// What the store has: everything that has been committed.
    private(set) var stored = StoredState()
    /// Makes a node on the table that there is.
    private let makeNode: (Instant, Configuration?) -> ControlNode
    private(set) var clients: [Client] = []
    private(set) var lnses: [LNS] = []
    var faults = Faults()
    /// Frames but ARP and ZLB, in the order of their sending: `client > PADI`, `client < PADO`, `lns < SCCRQ`, …
    private(set) var trace: [String] = []
    private(set) var events: [Event.Kind] = []
    /// CDNs that the node sent, in the order of their sending.
    private(set) var disconnects: [CallDisconnect] = []

    /// What the node's effects leave to be done.
    final class Outbox {
        var frames: [(bytes: [UInt8], port: UInt16)] = []
        var events: [Event.Kind] = []
        var queries: [NameQuery] = []
        var radius: [(datagram: [UInt8], socket: Int, address: IPAddress, port: UInt16)] = []
        var answers: [[UInt8]] = []
        var debugLines: [String] = []
        var captured: [(id: CaptureID, output: CaptureOutput)] = []

        /// What was not let out is lost with the process.
        func forget() { (frames, queries, radius, answers) = ([], [], [], []) }
    }
    let outbox = Outbox()
    /// What name servers know; a name that is not here does not exist.
    var zone: [String: NameResult] = [:]
    /// RADIUS servers by address.
    var radiusServers: [IPAddress: RADIUSStation] = [:]
    /// Whether the node's process is not there.
    private(set) var isDown = false
    /// Frames for it that wait in the data plane's ring.
    private var punted: [PuntedFrame] = []
    private var flights: [Flight] = []
    private var serial: UInt64 = 0
    private var random: SeededGenerator
    private let secret: [UInt8]?

    /// A world of one LNS.
    ///
    /// - Parameters:
    ///   - profile: settings of the l2tp-profile, `key: value` separated by commas.
    ///   - instance: more settings of the pppoe-ac.
    ///   - interface: more settings of the access interface.
    ///   - peer: how the LNS is found.
    ///   - more: sections that the file has besides.
    ///   - radius: the RADIUS server at 10.0.0.1.
    ///   - journal: keeps accounting records.
    ///   - secret: the LNS's secret, "s3cret" being the node's; nil: it asks for none.
    init(
        profile: String = "", instance: String = "", interface: String = "", service: String = "any",
        peer: String = "static 198.51.100.2", more: String = "", radius: RADIUSStation? = nil,
        journal: any AccountingBacklog = VolatileBacklog(), secret: String? = "s3cret", nodeSecret: String? = "s3cret",
        table: NullTable = NullTable(), seed: UInt64 = 1
    ) throws {
        random = SeededGenerator(state: seed)
        self.secret = secret.map { Array($0.utf8) }
        radiusServers[Self.radiusAddress] = radius
        null = table
        let configuration = try Self.configuration(
            profile: profile, instance: instance, interface: interface, service: service, secret: nodeSecret,
            peer: peer, more: more)
        var generators = SeededGenerator(state: seed &* 31)
        let outbox = self.outbox
        makeNode = { now, changed in
            ControlNode(
                configuration: changed ?? configuration, ports: Self.ports, table: table, journal: journal,
                cookie: ACCookie(secret: Array(repeating: 7, count: 32)),
                makeRandom: { SeededGenerator(state: generators.next()) }, epoch: Timestamp(nanoseconds: 0), at: now,
                logger: Logger(label: "node") { _ in SwiftLogNoOpLogHandler() },
                effects: .init(
                    transmit: { outbox.frames.append(($0, $1)) }, event: { outbox.events.append($0) },
                    resolve: { outbox.queries.append($0) }, sendRADIUS: { outbox.radius.append(($0, $1, $2, $3)) },
                    answerRADIUS: { datagram, _, _ in outbox.answers.append(datagram) },
                    debug: { outbox.debugLines.append("\($0.rawValue) \($1.text): \($2)") },
                    capture: { outbox.captured.append(($0, $1)) }))
        }
        node = makeNode(now, nil)
        lnses = [LNS(Self.lnsAddress, secret: self.secret, seed: seed)]
        node.start(at: now)
        collect()
    }

    /// The node's configuration; the parts are as `init` has them. `second`: the settings of another access interface on
    /// the same port.
    static func configuration(
        profile: String = "", instance: String = "", interface: String = "", second: String? = nil,
        service: String = "any", secret: String? = "s3cret", peer: String = "static 198.51.100.2",
        more sections: String = ""
    ) throws -> Configuration {
        func more(_ text: String) -> String { text.isEmpty ? "" : ", " + text }
        let another = second.map { "\n  - {name: access0, pppoe-ac-service: residential\(more($0))}" } ?? ""
        return try Configuration.read(
            """
            dataplane:
              cores: "1"
              ports:
                - {name: access0, device: net_ring0, mtu: 1508}
                - {name: core0, device: net_ring1, mtu: 1500}
            interfaces:
              - {name: access0, pppoe-ac-service: residential\(more(interface))}\(another)
              - {name: core0, ip-address: 198.51.100.1/24}
            pppoe-ac:
              - name: residential
                service-name: \(service)
                destination: l2tp
                l2tp: {peer-address: \(peer), profile: isp1}
                \(instance.replacing(", ", with: "\n    "))
            l2tp-profile:
              - {name: isp1\(more(secret.map { "shared-secret: \($0)" } ?? ""))\(more(profile))}
            \(sections)
            """, machineName: "lac")
    }

    var lns: LNS { lnses[0] }

    // MARK: Stations

    /// Another LNS on the core network.
    @discardableResult
    func addLNS(_ address: IPv4Address, secret: String? = "s3cret") -> LNS {
        lnses.append(LNS(address, secret: secret.map { Array($0.utf8) }, seed: UInt64(address.value)))
        return lnses[lnses.count - 1]
    }

    @discardableResult
    func addClient(outer: UInt16 = 0, inner: UInt16 = 0, tags: [EthernetFrame.VLANTag] = []) -> Client {
        let client = Client(
            clients.count, circuit: AttachmentCircuit(port: 0, outerVLAN: outer, innerVLAN: inner), tags: tags)
        clients.append(client)
        return client
    }

    /// A new client that dials, and time for it to come up.
    @discardableResult
    func dialled(_ duration: Duration = .seconds(2)) -> Client {
        let client = addClient()
        act { client.dial(at: now) }
        run(for: duration)
        return client
    }

    /// The node's process is killed and started anew after a while. What it did last and had not written is lost, and nobody has
    /// heard of it; the table stays as it is. `state`: what the new one finds in the store; nil: what was committed.
    /// `configuration`: what it finds in the file; nil: what was there before.
    func restart(
        after pause: Duration = .zero, state: StoredState? = nil, configuration: Configuration? = nil
    ) {
        outbox.forget()
        let until = now + pause
        isDown = true
        run(until: until)
        isDown = false
        node = makeNode(now, configuration)
        node.start(resuming: state ?? stored, at: now)
        collect()
        let waiting = punted
        punted = []
        for frame in waiting {
            node.receive(frame, at: now)
            collect()
        }
    }

    /// Does something and sends what comes of it.
    func act(_ body: () throws -> Void) rethrows {
        try body()
        collect()
    }

    // MARK: Time

    func run(for duration: Duration) { run(until: now + duration) }

    func run(until end: Instant) {
        collect()
        var turns = 0
        while let next = nextEvent(), next <= end {
            now = max(now, next)
            turns += 1
            if turns > 2_000_000 {
                Issue.record("time stands still at \(now)")
                return
            }
            turn()
        }
        now = end
    }

    /// Until nothing is on its way; timers are left alone.
    func settle() { run(for: .milliseconds(50)) }

    private func nextEvent() -> Instant? {
        var times = flights.first.map { [$0.at] } ?? []
        if let deadline = node.deadline, !isDown { times.append(deadline) }
        times += clients.compactMap(\.deadline)
        times += lnses.compactMap(\.deadline)
        return times.min()
    }

    private func turn() {
        while let flight = flights.first, flight.at <= now {
            flights.removeFirst()
            deliver(flight)
            collect()
        }
        if !isDown { node.timerFired(at: now) }
        for client in clients { client.timerFired(at: now) }
        for lns in lnses { lns.timerFired(at: now) }
        collect()
    }

    private func deliver(_ flight: Flight) {
        switch flight.to {
        case .client(let index): clients[index].receive(flight.bytes, at: now)
        case .lns(let index): lnses[index].receive(flight.bytes, at: now)
        case .job(let body): body()
        case .node(let port):
            // The data plane goes on without it: what is forwarded is counted, what is punted waits in the ring.
            guard let frame = classify(flight.bytes, port: port) else { return }
            if isDown { punted.append(frame) } else { node.receive(frame, at: now) }
        }
    }

    // MARK: The data plane's part

    /// What becomes of a frame that comes in: nil is forwarded or dropped.
    private func classify(_ bytes: [UInt8], port: UInt16) -> PuntedFrame? {
        guard let frame = EthernetFrame(bytes[...]) else { return nil }
        switch (port, frame.etherType) {
        case (0, 0x8863): return PuntedFrame(puntClass: .pppoeDiscovery, port: port, bytes: bytes)
        case (0, 0x8864):
            let vlans = frame.tags.map(\.id).filter { $0 != 0 }
            guard let packet = PPPoEPacket(frame.payload) else { return nil }
            let circuit = AttachmentCircuit(
                port: port, outerVLAN: vlans.first ?? 0, innerVLAN: vlans.count > 1 ? vlans[1] : 0)
            guard let slot = null.find(circuit, client: frame.source, sessionID: packet.sessionID) else {
                return PuntedFrame(puntClass: .unknownSession, port: port, bytes: bytes)
            }
            if null.upstreams[slot]?.downstream != nil {
                null.countUpstream(slot, octets: packet.payload.count)
                return nil
            }
            return PuntedFrame(puntClass: .pppControl, port: port, upstreamSlot: slot, bytes: bytes)
        case (1, 0x0806): return PuntedFrame(puntClass: .arp, port: port, bytes: bytes)
        case (1, 0x0800):
            guard let datagram = Datagram(frame.payload) else { return nil }
            let isControl = datagram.destinationPort == 1701 && (datagram.payload.first ?? 0) & 0x80 != 0
            return PuntedFrame(puntClass: isControl ? .l2tpControl : .ipv4, port: port, bytes: bytes)
        default: return nil
        }
    }

    // MARK: The network

    private func collect() {
        for change in isDown ? [] : node.takeChanges() { stored.apply(change) }
        events += outbox.events
        outbox.events = []
        collectQuestions()
        let frames = outbox.frames
        outbox.frames = []
        for (bytes, port) in frames {
            guard let frame = EthernetFrame(bytes[...]) else { continue }
            note(frame, fromNode: true, port: port)
            if port == 0 {
                for index in clients.indices where clients[index].mac == frame.destination {
                    send(bytes, to: .client(index))
                }
            } else {
                for index in lnses.indices { send(bytes, to: .lns(index)) }
            }
        }
        for client in clients {
            for bytes in client.takeFrames() {
                if let frame = EthernetFrame(bytes[...]) { note(frame, fromNode: false, port: 0) }
                send(bytes, to: .node(port: 0))
            }
        }
        for lns in lnses {
            for bytes in lns.takeFrames() {
                if let frame = EthernetFrame(bytes[...]) { note(frame, fromNode: false, port: 1) }
                send(bytes, to: .node(port: 1))
            }
        }
    }

    /// Puts a frame of anybody's on its way to the node.
    func inject(_ bytes: [UInt8], port: UInt16) { send(bytes, to: .node(port: port)) }

    /// Lets something happen after a while.
    func after(_ delay: Duration, _ body: @escaping () -> Void) { enqueue([], to: .job(body), at: now + delay) }

    private func enqueue(_ bytes: [UInt8], to station: Station, at time: Instant) {
        serial += 1
        let flight = Flight(at: time, serial: serial, to: station, bytes: bytes)
        let place = flights.lastIndex { $0.at <= flight.at }.map { $0 + 1 } ?? 0
        flights.insert(flight, at: place)
    }

    private func send(_ bytes: [UInt8], to station: Station) {
        if chance(faults.loss) { return }
        var copies = chance(faults.duplication) ? 2 : 1
        while copies > 0 {
            copies -= 1
            let late = chance(faults.delay) ? random.next() % 40 : 0
            enqueue(bytes, to: station, at: now + .milliseconds(1 + Int64(late)))
        }
    }

    func chance(_ perThousand: UInt64) -> Bool { perThousand > 0 && random.next() % 1_000 < perThousand }

    private func note(_ frame: EthernetFrame, fromNode: Bool, port: UInt16) {
        if let line = describe(frame, fromNode: fromNode, port: port) { trace.append(line) }
        if fromNode, frame.etherType == 0x0800, let datagram = Datagram(frame.payload),
            let (_, body) = try? ControlHeader.decode(datagram.payload[...]),
            case .disconnect(let disconnect)? = try? ControlMessage.decode(body, secret: secret).message
        {
            disconnects.append(disconnect)
        }
    }

    /// A frame as `trace` has it; nil when it does not.
    func describe(_ frame: EthernetFrame, fromNode: Bool, port: UInt16) -> String? {
        guard let kind = SimulationSupport.kind(of: frame, secret: secret), kind != "ZLB" else { return nil }
        let (peer, direction) = (port == 0 ? "client" : "lns", fromNode ? "<" : ">")
        return "\(peer) \(direction) \(kind)"
    }

    // MARK: What there is to see

    /// Takes the trace so far.
    func takeTrace() -> [String] {
        defer { trace = [] }
        return trace
    }

    /// Takes what captures have told so far.
    func takeCaptured() -> [(id: CaptureID, output: CaptureOutput)] {
        defer { outbox.captured = [] }
        return outbox.captured
    }

    /// Takes the names of the events so far.
    func takeEvents() -> [String] {
        defer { events = [] }
        return events.map(\.name)
    }

    /// Counters that are not zero, by name.
    var counters: [String: UInt64] {
        Dictionary(uniqueKeysWithValues: node.statistics.counters.filter { $0.value != 0 }.map { ($0.name, $0.value) })
    }

    var population: [Int] {
        let population = node.population
        return [population.connections, population.tunnels, population.sessions]
    }

    func states() -> [ConnectionState] { node.routeIDs.compactMap { node.connectionSnapshot($0)?.state } }

    /// Clears everything, waits until peers and clients cannot want anything any more, and looks for what is left.
    func expectNothingLeft(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        faults = Faults()
        for client in clients { client.forget() }
        settle()
        _ = try? node.clear(.everything, at: now)
        run(for: .seconds(120))
        #expect(population == [0, 0, 0], comment, sourceLocation: sourceLocation)
        #expect(null.leaks == [], comment, sourceLocation: sourceLocation)
        #expect(null.refusals == [], comment, sourceLocation: sourceLocation)
        #expect(!null.isReclaiming, comment, sourceLocation: sourceLocation)
        #expect(node.statistics[.routesDeleteFail] == 0, comment, sourceLocation: sourceLocation)
        #expect(
            node.statistics[.routesCreated] == node.statistics[.routesDeleted], comment,
            sourceLocation: sourceLocation)
        #expect(
            node.statistics[.l2tpSessionsOpened] == node.statistics[.l2tpSessionsClosed], comment,
            sourceLocation: sourceLocation)
    }
}
