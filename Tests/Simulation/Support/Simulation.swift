import Configuration
import L2TP
import Logging
import Names
import Observability
import PPPoE
import Roles
import Timing
import Wire

/// A short life of a LAC in virtual time, drawn from one number: clients, LNSs, RADIUS servers, name servers, operators, and a
/// network between them that does what networks do.
///
/// It has three parts. In the first, everything goes wrong that the number wants (`+Deeds`). Then everything is mended, and
/// once every time-out has passed all ends must agree (`+Agreement`). Then everything ends, and nothing may be left, and every
/// account must balance (`+Ends`). Some things must be so at any time (`+Always`).
///
/// The same number is the same life, on any machine: time, order and chance are drawn from it, and a digest of all that was said
/// tells whether they were.
package final class Simulation {
    static let accessMAC = MACAddress(value: 0x0200_0000_0a00)
    static let coreMAC = MACAddress(value: 0x0200_0000_0c00)
    static let nodeAddress = IPv4Address(value: 0xc633_6401)
    static let lnsAddresses = [IPv4Address(value: 0xc633_6402), IPv4Address(value: 0xc633_6403)]
    /// Where name servers send people that are wrong.
    static let nobody = IPv4Address(value: 0xc633_6463)
    static let radiusAddresses = [IPv4Address(value: 0x0a00_0001), IPv4Address(value: 0x0a00_0002)]
    static let secret = Array("s3cret".utf8)
    /// Seconds that either end waits for the other to recover, where tunnels are recovered.
    static let recoveryTime = 10
    static let ports = [
        NodePort(index: 0, name: "access0", mac: accessMAC, mtu: 1_508),
        NodePort(index: 1, name: "core0", mac: coreMAC, mtu: 1_500),
    ]

    /// What is on its way.
    enum Happening {
        case frameToNode(port: UInt16, [UInt8])
        case frameToClient(Int, [UInt8])
        case frameToLNS(Int, [UInt8])
        /// A data message, and whose client the node believes it to be from.
        case dataToLNS(Int, tunnel: UInt16, session: UInt16, from: MACAddress)
        /// A data message, and whose client the LNS believes it to be for.
        case dataToNode(Int, tunnel: UInt16, session: UInt16)
        case dataToClient(Int, sessionID: UInt16)
        case requestToRADIUS(Int, [UInt8], port: UInt16, socket: Int)
        case answerFromRADIUS(Int, [UInt8], port: UInt16, socket: Int, run: Int)
        case answerFromNames(NameQuery, NameResult, run: Int)
        /// The store has written.
        case written
        /// The next process of the node begins.
        case boot
        case deed
        /// Clients and LNSs see to it that the other end is still there.
        case tick
        /// The end of something that was wrong for a while.
        case mend(Mending)
    }

    /// What the node's effects leave to be done.
    final class Outbox {
        var frames: [(bytes: [UInt8], port: UInt16)] = []
        var events: [Event.Kind] = []
        var queries: [NameQuery] = []
        var radius: [(datagram: [UInt8], socket: Int, address: IPAddress, port: UInt16)] = []

        /// What was not let out is lost with the process.
        func forget() { (frames, events, queries, radius) = ([], [], [], []) }
    }

    package let seed: UInt64
    let variant: Variant
    let planted: PlantedFault?
    /// Gets a line for each thing that happens; nil in all lives but those that are played again.
    let trace: (@Sendable (String) -> Void)?

    package internal(set) var now = Instant.zero + .seconds(1_000)
    package var tally = Tally()
    /// What was not as it has to be.
    package internal(set) var violations: [String] = []
    /// Of every frame, event and time, in their order.
    package private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325

    let table: NullTable
    var node: ControlNode!
    /// Whether there is a process of the node.
    var isRunning = true
    /// Number of the node's present process.
    var run = 0
    /// What the file says that the node reads when it starts.
    var configuration: Configuration
    let outbox = Outbox()
    let journal = Journal()
    var disk: Disk
    var clients: [Client] = []
    var lnses: [LNS] = []
    /// When each LNS wants to be called.
    var lnsDeadlines: [Instant] = []
    var radius: [RADIUSStation] = []
    var network: Network
    var queue = EventQueue<Happening>()
    /// What everybody decides by; the network has chances of its own.
    var chance: SeededGenerator
    /// What the node's own randomness is drawn from.
    private var generators: SeededGenerator
    var conditions = Conditions()
    var temper: Temper
    var ledger = Ledger()
    var plantedState = Planted()
    /// PADTs that came from clients in the entry point that is being played.
    var heardPADT: (client: MACAddress, sessionID: UInt16)?
    /// When an LNS heard of a session last, by LNS, tunnel and session.
    var heardAt: [Int: [UInt16: [UInt16: Instant]]] = [:]

    /// The life of number `seed`.
    package init(
        seed: UInt64, variants: [Variant], planted: PlantedFault? = nil, trace: (@Sendable (String) -> Void)? = nil
    ) {
        self.seed = seed
        self.planted = planted
        self.trace = trace
        chance = SeededGenerator(state: seed &* 0x9e37_79b9_7f4a_7c15 &+ 1)
        for _ in 0..<4 { _ = chance.next() }
        generators = SeededGenerator(state: chance.next())
        network = Network(seed: chance.next())
        variant = variants[Int(chance.below(UInt64(variants.count)))]
        temper = Temper(&chance)
        configuration = variant.base
        disk = Disk(journal: journal, delay: [0, 0, 2, 30][Int(chance.below(4))])
        let few = chance.chance(150)
        table = NullTable(sessions: few ? 3 : 64, tunnels: few ? 3 : 64, reuse: .latest)
        table.keepsFinals = true
        makeStations()
        plant()
        start()
    }

    private func makeStations() {
        let count = 2 + Int(chance.below(5))
        for number in 0..<count {
            let client = Client(number)
            client.remembers = false
            client.userName = "user\(number)@isp\(number % 2).example"
            client.authentication = [.chap, .chap, .pap, .eap][Int(chance.below(4))]
            clients.append(client)
        }
        for address in Self.lnsAddresses {
            let lns = LNS(address, secret: Self.secret, seed: chance.next())
            lns.remembers = false
            if variant.recovers { lns.failover = FailoverCapability(recoveryTime: UInt32(Self.recoveryTime) * 1_000) }
            lns.adjust = {
                $0.helloInterval = .seconds(10)
                $0.establishTimeout = .seconds(15)
                $0.sessionEstablishTimeout = .seconds(20)
                $0.transport.maxRetries = 3
            }
            lnses.append(lns)
            lnsDeadlines.append(.distantFuture)
        }
        for _ in Self.radiusAddresses { radius.append(RADIUSStation()) }
        for station in radius { station.answer = { [unowned self] in answer(to: $0) } }
    }

    /// A node on the table as it is.
    func makeNode() -> ControlNode {
        let outbox = self.outbox
        let seed = generators.next()
        let source = Generators(state: seed)
        let trace = self.trace
        run += 1
        return ControlNode(
            configuration: configuration, ports: Self.ports, table: table, journal: journal,
            cookie: ACCookie(secret: Array(repeating: 7, count: 32)), makeRandom: { source.make() },
            epoch: Timestamp(nanoseconds: 0), at: now,
            logger: Logger(label: "node") { _ in
                if let trace { TraceLog(write: trace) } else { SwiftLogNoOpLogHandler() }
            },
            effects: .init(
                transmit: { outbox.frames.append(($0, $1)) }, event: { outbox.events.append($0) },
                resolve: { outbox.queries.append($0) }, sendRADIUS: { outbox.radius.append(($0, $1, $2, $3)) },
                answerRADIUS: { _, _, _ in }, debug: { _, _, _ in }))
    }

    private func start() {
        node = makeNode()
        enter("start") { node.start(resuming: disk.stored, at: now) }
        queue.add(.deed, at: now + .milliseconds(100))
        queue.add(.tick, at: now + .seconds(5))
    }

    // MARK: Time

    /// Lets things happen until `end`.
    func play(until end: Instant) {
        var turns = 0
        var stood = now
        while violations.isEmpty, let next = nextTime(), next <= end {
            if next > stood { (stood, turns) = (next, 0) }
            turns += 1
            if turns > 20_000 { return violate("time stands still") }
            now = max(now, next)
            if let happening = queue.take(at: now) {
                perform(happening)
            } else if isRunning, let deadline = node.deadline, deadline <= now {
                say("node", "looks at its timers")
                enter("timer") { node.timerFired(at: now) }
            } else {
                stationTimers()
            }
        }
        now = max(now, end)
    }

    func play(for duration: Duration) { play(until: now + duration) }

    private func nextTime() -> Instant? {
        var time = queue.next ?? .distantFuture
        if isRunning, let deadline = node.deadline { time = min(time, deadline) }
        for client in clients { if let deadline = client.deadline { time = min(time, deadline) } }
        for deadline in lnsDeadlines { time = min(time, deadline) }
        return time == .distantFuture ? nil : time
    }

    private func stationTimers() {
        for index in clients.indices where clients[index].deadline.map({ $0 <= now }) == true {
            clients[index].timerFired(at: now)
            collect(client: index)
        }
        for index in lnses.indices where lnsDeadlines[index] <= now {
            lnses[index].timerFired(at: now)
            collect(lns: index)
        }
    }

    // MARK: The node

    /// One entry point of the node, and what comes of it.
    func enter(_ what: StaticString, _ body: () -> Void) {
        guard isRunning else { return }
        body()
        guard !table.isDead else {
            tally[.restartsMidway] += 1
            say("process", "dies in the middle of \(what)")
            return die()
        }
        expectAlways(what)
        heardPADT = nil
        finishTurn()
    }

    // MARK: Telling

    func violate(_ text: String) {
        violations.append(text)
        say("VIOLATION", text)
    }

    func say(_ who: @autoclosure () -> String, _ what: @autoclosure () -> String) {
        guard let trace else { return }
        let micros = (now - .zero).components
        let time = Double(micros.seconds) + Double(micros.attoseconds) / 1e18 - 1_000
        let text = String(Int(time * 1e6))
        trace("\(String(repeating: " ", count: max(0, 10 - text.count)))\(text) \(who()): \(what())")
    }

    /// Takes bytes and their time into the digest (FNV-1a).
    func digest(_ bytes: some Sequence<UInt8>, _ mark: UInt64) {
        var hash = digest ^ mark ^ now.nanoseconds
        hash = hash &* 0x100_0000_01b3
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        digest = hash
    }
}

/// Makes the node's sources of randomness.
private final class Generators {
    private var generator: SeededGenerator
    init(state: UInt64) { generator = SeededGenerator(state: state) }
    func make() -> any RandomNumberGenerator & Sendable { SeededGenerator(state: generator.next()) }
}

/// What the node logs, as lines of the trace.
private struct TraceLog: LogHandler {
    let write: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    init(write: @escaping @Sendable (String) -> Void) { self.write = write }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        write("           node logs: \(event.message) \(details.joined(separator: " "))")
    }
}
