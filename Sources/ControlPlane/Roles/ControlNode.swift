import Configuration
import Host
import L2TP
import Logging
import Observability
import PPP
import PPPoE
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
        case tunnel(UInt16)
        case destination(Destination.Key)
        case reclaim
        case pathMTU
        case captures
    }

    /// What the node asks its owner to do.
    public struct Effects {
        /// Sends a whole Ethernet frame by a port.
        public var transmit: (_ frame: [UInt8], _ port: UInt16) -> Void
        /// Tells watchers that something came up or went down.
        public var event: (Event.Kind) -> Void
        /// Tells whoever asked for a capture of a frame, or of the end.
        public var capture: (CaptureID, CaptureOutput) -> Void

        /// Effects carried out by the given functions.
        public init(
            transmit: @escaping (_ frame: [UInt8], _ port: UInt16) -> Void, event: @escaping (Event.Kind) -> Void,
            capture: @escaping (CaptureID, CaptureOutput) -> Void = { _, _ in }
        ) {
            self.transmit = transmit
            self.event = event
            self.capture = capture
        }
    }

    let configuration: Configuration
    let table: any ForwardingTable
    let effects: Effects
    let logger: Logger
    /// Makes sources of randomness, each its own: a tunnel keeps one.
    let makeRandom: () -> any RandomNumberGenerator & Sendable
    var random: any RandomNumberGenerator & Sendable
    /// Wall-clock time of `Instant.zero`, for what operators read.
    let epoch: Timestamp

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
    /// Number of connections by client and circuit, for the limit.
    var connectionsByClient: [ClientKey: Int] = [:]
    /// Number of connections by instance, for the limit.
    var connectionsByInstance: [String: Int] = [:]
    var lastRouteID: UInt32 = 0

    /// By local tunnel id.
    var tunnels: [UInt16: TunnelRecord] = [:]
    /// Messages of tunnels that are being acted for, by local tunnel id.
    var outgoing: [UInt16: [[UInt8]]] = [:]
    var destinations: [Destination.Key: Destination] = [:]
    var lastCallSerialNumber: UInt32 = 0
    /// What routers have told of the ways to LNSs.
    var pathMTUs = PathMTUTable()
    /// The tunnel that a removed session was in, by upstream slot, until its counters are final.
    var endedIn: [UInt32: UInt16] = [:]
    /// Sessions that were removed and whose counters are not final yet, for the log.
    var ending: [UInt32: EndingSession] = [:]

    /// Captures that run, by their number.
    var captures: [UInt16: Capture] = [:]
    var lastCapture: UInt16 = 0

    var agenda = Agenda<Timer>()
    /// What `show pppoe-ac statistics` shows.
    public internal(set) var statistics = ACStatistics()

    /// A node that serves by `configuration`.
    ///
    /// - Parameters:
    ///   - ports: the data plane's ports, as it reports them.
    ///   - table: the forwarding table.
    ///   - cookie: makes and checks AC-Cookies.
    ///   - makeRandom: makes a source of challenges, magic numbers and tie breakers; must be unpredictable in production.
    ///   - epoch: wall-clock time of `Instant.zero`.
    ///   - effects: what carries out the node's wishes.
    public init(
        configuration: Configuration, ports: [NodePort], table: any ForwardingTable, cookie: ACCookie,
        makeRandom: @escaping () -> any RandomNumberGenerator & Sendable, epoch: Timestamp, logger: Logger,
        effects: Effects
    ) {
        self.configuration = configuration
        self.table = table
        self.effects = effects
        self.logger = logger
        self.makeRandom = makeRandom
        self.epoch = epoch
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

    /// Announces the node's addresses.
    public func start(at now: Instant) {
        perform(host.start(at: now), at: now)
    }

    /// When `timerFired(at:)` wants to be called next.
    public var deadline: Instant? { agenda.next }

    /// Does everything that is due.
    public func timerFired(at now: Instant) {
        while let timer = agenda.due(at: now) {
            switch timer {
            case .host: perform(host.timerFired(at: now), at: now)
            case .connection(let slot): connectionTimerFired(slot, at: now)
            case .tunnel(let id): tunnelTimerFired(id, at: now)
            case .destination(let key): destinationTimerFired(key, at: now)
            case .reclaim: reclaim(at: now)
            case .pathMTU: pathMTUTimerFired(at: now)
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
