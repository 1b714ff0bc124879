import Configuration
import Host
import L2TP
import Logging
import Names
import Observability
import PPP
import PPPoE
import RADIUS
import Timing
import Wire

/// The control logic of one node: PPPoE access concentrator and LAC, joined.
///
/// It takes punted frames, timers and operators' commands, one after the other, and answers with frames to send, changes
/// of the forwarding table and events. It does no I/O and reads no clock; whoever owns it calls it from one loop only.
///
/// Two sides, with a call between them:
/// - access (`+Discovery`, `+PartialTermination`): a client's PADI to its name and password, a `Connection`;
/// - core (`+Calls`, `+Tunnels`): destination, tunnel and session that carry the connection, a `Call`.
/// `+Teardown` ends both sides, from whichever the end came.
public final class ControlNode {
    /// Everything with a deadline.
    enum Timer: Hashable {
        case host
        case connection(slot: UInt32)
        case attempt(slot: UInt32)
        case interim(slot: UInt32)
        case sessionTimeout(slot: UInt32)
        case idle(slot: UInt32)
        case tunnel(UInt16)
        case recovery(UInt16)
        case destination(Destination.Key)
        /// A tunnel without calls that was drained; not at once, since it may be in the middle of telling of the last one's end.
        case drained(tunnel: UInt16)
        case reclaim
        case pathMTU
        case names
        case radius
        case records
        case captures
    }

    /// What the node asks its owner to do.
    public struct Effects {
        /// Sends a whole Ethernet frame by a port.
        public var transmit: (_ frame: [UInt8], _ port: UInt16) -> Void
        /// Tells watchers that something came up or went down.
        public var event: (Event.Kind) -> Void
        /// Asks name servers; the answer comes by `resolved`.
        public var resolve: (NameQuery) -> Void
        /// Sends a datagram to a RADIUS server from source socket `socket` of the address's family.
        public var sendRADIUS: (_ datagram: [UInt8], _ socket: Int, _ address: IPAddress, _ port: UInt16) -> Void
        /// Answers a datagram that came to the port of dynamic authorization.
        public var answerRADIUS: (_ datagram: [UInt8], _ address: IPAddress, _ port: UInt16) -> Void
        /// Hands a line to those who debug.
        public var debug: (DebugSubsystem, DebugScope, String) -> Void
        /// Tells whoever asked for a capture of a frame, or of the end.
        public var capture: (CaptureID, CaptureOutput) -> Void

        /// Effects carried out by the given functions.
        public init(
            transmit: @escaping (_ frame: [UInt8], _ port: UInt16) -> Void, event: @escaping (Event.Kind) -> Void,
            resolve: @escaping (NameQuery) -> Void,
            sendRADIUS: @escaping (_ datagram: [UInt8], _ socket: Int, _ address: IPAddress, _ port: UInt16) -> Void,
            answerRADIUS: @escaping (_ datagram: [UInt8], _ address: IPAddress, _ port: UInt16) -> Void,
            debug: @escaping (DebugSubsystem, DebugScope, String) -> Void,
            capture: @escaping (CaptureID, CaptureOutput) -> Void = { _, _ in }
        ) {
            self.transmit = transmit
            self.event = event
            self.resolve = resolve
            self.sendRADIUS = sendRADIUS
            self.answerRADIUS = answerRADIUS
            self.debug = debug
            self.capture = capture
        }
    }

    /// What the node runs with; `apply` changes it.
    public internal(set) var configuration: Configuration
    let table: any ForwardingTable
    let effects: Effects
    let logger: Logger
    /// Makes sources of randomness, each its own: a tunnel keeps one.
    let makeRandom: () -> any RandomNumberGenerator & Sendable
    var random: any RandomNumberGenerator & Sendable
    /// Wall-clock time of `Instant.zero`, for what operators read.
    let epoch: Timestamp
    let cookie: ACCookie

    var host: HostStack
    /// What serves PPPoE, by port; several where VLANs are served differently.
    var access: [UInt16: [AccessInterface]]
    /// The data plane's ports.
    let ports: [NodePort]
    /// What controllers have fed.
    var feed = StaticFeed()

    /// By upstream slot, which punted PPP frames carry.
    var connections: [UInt32: Connection] = [:]
    /// Upstream slot by route id.
    var routes: [UInt32: UInt32] = [:]
    /// Upstream slot by the PADR that opened it, for a PADR that is sent again.
    var openedBy: [SessionRequest.Key: UInt32] = [:]
    /// Upstream slot by what a PADT names.
    var sessions: [SessionKey: UInt32] = [:]
    /// How many connections there are, for the limits.
    var counts = SessionCounts()
    /// Those of clients that have not said yet who they are.
    var halfOpen = HalfOpenSessions()

    /// By local tunnel id.
    var tunnels: [UInt16: TunnelRecord] = [:]
    /// Tunnels that serve to recover one of `tunnels`, by local tunnel id.
    var recoveries: [UInt16: RecoveryRecord] = [:]
    /// Messages of tunnels that are being acted for, by local tunnel id.
    var outgoing: [UInt16: [[UInt8]]] = [:]
    var destinations: [Destination.Key: Destination] = [:]
    /// Until when LNSs are passed over, by address.
    var heldDown: [IPAddress: Instant] = [:]
    /// LNSs that take no new calls, by address.
    var drained: Set<IPAddress> = []
    /// Whether no new clients are taken at all, of some instances, or on some ports.
    var isDraining = false
    var drainedInstances: Set<String> = []
    var drainedPorts: Set<UInt16> = []
    /// Names of LNSs, and clients that wait for them.
    var names = NameCache<NameWaiter>()
    /// The node as a client of RADIUS servers.
    var radius: RADIUSClient
    /// The node as one that RADIUS servers tell to end or change sessions.
    var dynamicAuthorization: DynamicAuthorizationServer
    /// How often it is said that a datagram is no answer of a RADIUS server.
    var droppedAnswers = TokenBucket(rate: 1, burst: 10)
    /// Clients that wait for a RADIUS server.
    var authorizing: [RADIUSRequestHandle: Authorizing] = [:]
    /// Accounting records that no server has taken yet.
    var records: AccountingQueue
    let journal: any AccountingBacklog
    var sentRecords: [RADIUSRequestHandle: SentRecord] = [:]
    /// Accounts of tunnels, by their numbers.
    var tunnelAccounts: [UInt64: TunnelAccount] = [:]
    /// What is counted of accounting records.
    public internal(set) var accountingCounters = AccountingCounters()
    /// Whether it has been said that records are lost.
    var hasToldFull = false
    /// Names this run of the daemon in Acct-Session-Ids: the second of its start, in hexadecimal.
    let runID: String
    var isShuttingDown = false
    /// What is debugged.
    public internal(set) var debugRules: [DebugRule] = []
    /// How often strangers that ask for a tunnel are answered.
    var refusals = TokenBucket(rate: 10, burst: 20)
    /// How often it is said that clients are refused, that sessions give way, that one is opened, and that a stranger sends L2TP.
    var refusalLines = LineLimit(rate: 1, burst: 20)
    var halfOpenLines = LineLimit(rate: 1, burst: 5)
    var openingLines = LineLimit(rate: 200, burst: 10_000)
    var strangerLines = LineLimit(rate: 1, burst: 20)
    /// What routers have told of the ways to LNSs.
    var pathMTUs = PathMTUTable()
    /// The tunnel that a removed session was in, by upstream slot, until its counters are final.
    var endedIn: [UInt32: EndedIn] = [:]
    /// Sessions that were removed and whose counters are not final yet, for the log.
    var ending: [UInt32: EndingSession] = [:]

    /// Captures that run, by their number.
    var captures: [UInt16: Capture] = [:]
    var lastCapture: UInt16 = 0

    /// What the store has to be told of.
    var changed = ChangedState()
    var routeNumbers = NumberSource<UInt32>()
    /// Call serial numbers (RFC 2661, section 4.4.3).
    var callSerialNumbers = NumberSource<UInt32>()
    var tunnelAccountNumbers = NumberSource<UInt64>()

    var agenda = Agenda<Timer>()
    /// What `show pppoe-ac statistics` shows.
    public internal(set) var statistics = ACStatistics()

    /// A node that serves by `configuration`.
    ///
    /// - Parameters:
    ///   - ports: the data plane's ports, as it reports them.
    ///   - table: the forwarding table.
    ///   - journal: keeps accounting records until servers have taken them.
    ///   - cookie: makes and checks AC-Cookies.
    ///   - makeRandom: makes a source of challenges, magic numbers and tie breakers; must be unpredictable in production.
    ///   - epoch: wall-clock time of `Instant.zero`.
    ///   - now: the time.
    ///   - effects: what carries out the node's wishes.
    public init(
        configuration: Configuration, ports: [NodePort], table: any ForwardingTable,
        journal: any AccountingBacklog = VolatileBacklog(), cookie: ACCookie,
        makeRandom: @escaping () -> any RandomNumberGenerator & Sendable, epoch: Timestamp, at now: Instant,
        logger: Logger, effects: Effects
    ) {
        self.configuration = configuration
        self.table = table
        self.effects = effects
        self.logger = logger
        self.makeRandom = makeRandom
        self.epoch = epoch
        self.journal = journal
        self.cookie = cookie
        records = AccountingQueue(capacity: journal.capacity)
        radius = RADIUSClient(
            configuration: RADIUSClientConfiguration(configuration), random: makeRandom(), at: now)
        dynamicAuthorization = DynamicAuthorizationServer(
            configuration: DynamicAuthorizationServer.Configuration(configuration.radius))
        let started = epoch.nanoseconds &+ Int64(clamping: now.nanoseconds)
        runID = hex(UInt64(clamping: started / 1_000_000_000), digits: 8)
        random = makeRandom()
        self.ports = ports
        access = AccessInterface.all(of: configuration, ports: ports, cookie: cookie)
        host = HostStack(
            interfaces: ports.compactMap { $0.hostInterface(of: configuration) },
            routes: configuration.routes.map { StaticRoute(prefix: $0.prefix, nextHop: $0.nextHop) },
            identification: self.random.next())
        host.listen(on: Self.l2tpPort)
    }

    /// UDP port of L2TP (RFC 2661 section 8.1).
    static let l2tpPort: UInt16 = 1701

    /// Announces the node's addresses, and goes on with what an earlier process left.
    public func start(resuming stored: StoredState = StoredState(), at now: Instant) {
        perform(host.start(at: now), at: now)
        agenda.schedule(.radius, at: radius.deadline)
        takeBacklog()
        resume(stored, at: now)
        // To a server this means that whatever it believes to be open is not.
        if !stored.isEmpty, connections.isEmpty, ending.isEmpty { accountingOn(at: now) }
        sendRecords(at: now)
    }

    /// Whether so many clients are in LCP and authentication that those should be done before others begin.
    public var hasItsHandsFull: Bool { halfOpen.spokenCount >= Self.handful }

    /// Clients that are in LCP and authentication at a time before others have to wait: what is done in a good second.
    private static let handful = 2_000

    /// When `timerFired(at:)` wants to be called next.
    public var deadline: Instant? { agenda.next }

    /// Does everything that is due.
    public func timerFired(at now: Instant) {
        while let timer = agenda.due(at: now) {
            switch timer {
            case .host: perform(host.timerFired(at: now), at: now)
            case .connection(let slot): connectionTimerFired(slot, at: now)
            case .attempt(let slot): attemptTimerFired(slot, at: now)
            case .interim(let slot): interimTimerFired(slot, at: now)
            case .sessionTimeout(let slot): sessionTimeoutFired(slot, at: now)
            case .idle(let slot): idleTimerFired(slot, at: now)
            case .tunnel(let id): tunnelTimerFired(id, at: now)
            case .recovery(let id): recoveryTimerFired(id, at: now)
            case .destination(let key): destinationTimerFired(key, at: now)
            case .drained(let id): closeIfDrained(id, at: now)
            case .reclaim: reclaim(at: now)
            case .pathMTU: pathMTUTimerFired(at: now)
            case .names: namesTimerFired(at: now)
            case .radius: radiusTimerFired(at: now)
            case .records: sendRecords(at: now)
            case .captures: captureTimerFired(at: now)
            }
        }
    }

    /// The name of a port as configured, or its number.
    func portName(_ port: UInt16) -> String { ports.first { $0.index == port }?.name ?? "port \(port)" }
}

/// A port as the data plane reports it.
public struct NodePort: Hashable, Sendable {
    /// Index in the segment.
    public var index: UInt16
    /// Name as configured.
    public var name: String
    /// Its MAC address.
    public var mac: MACAddress
    /// Largest Ethernet payload, octets.
    public var mtu: UInt16

    /// Mbit/s, 0 when it is not known.
    public var linkSpeed: UInt32

    /// A port of the given parts.
    public init(index: UInt16, name: String, mac: MACAddress, mtu: UInt16, linkSpeed: UInt32 = 0) {
        self.index = index
        self.name = name
        self.mac = mac
        self.mtu = mtu
        self.linkSpeed = linkSpeed
    }

    /// Whether everything that headers and circuits depend on is the same.
    public func isSamePort(as other: NodePort) -> Bool {
        index == other.index && name == other.name && mac == other.mac && mtu == other.mtu
    }
}
