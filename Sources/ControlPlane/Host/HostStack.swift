import Timing
import Wire

/// The node's own IPv4 presence on its ports: ARP, ICMP echo, UDP and a routing table, on whole Ethernet frames.
///
/// The data plane punts what is addressed to the node and is not forwarded traffic; this stack answers, or hands UDP
/// datagrams to whoever listens, and builds the frames that go out. It is a value without clock or socket: time comes in
/// with every call, frames and events go out as `HostOutput`.
///
/// What it does, and what it deliberately does not do:
/// - ARP (RFC 826, 1122 section 2.3.2, 5227): answers for the addresses of the port that the request came by, announces
///   them at the start and defends them. It learns only from answers that it asked for; a gratuitous message from a known
///   gateway's address makes it ask at once, so that a fail-over is followed within a round trip.
/// - IPv4 (RFC 791): checked whole. Fragments are refused, options are skipped, nothing is forwarded.
/// - ICMP (RFC 792): echo reply; protocol and port unreachable, limited in rate (RFC 1812 section 4.3.2.8).
/// - UDP (RFC 768): checksum verified when present and always sent (RFC 2661 section 8.1 asks for it on control messages).
///
/// Nothing that strangers send makes it hold more memory than `Limits` says.
public struct HostStack: Sendable {
    /// Bounds and times. The defaults follow RFC 1122 section 2.3.2 and suit a handful of gateways as well as thousands of
    /// neighbours.
    public struct Limits: Sendable {
        /// ARP entries that nobody holds, at most; the longest unused gives way.
        public var neighbours = 1_024
        /// IP packets that wait for one neighbour's address, at most; the oldest gives way.
        public var queuedPackets = 16
        /// Time between two ARP requests for an unanswered address.
        public var retryInterval: Duration = .seconds(1)
        /// Requests to a known address alone before the refresh goes on by broadcast.
        public var unicastRequests = 3
        /// Broadcast requests before the neighbour is given up.
        public var broadcastRequests = 3
        /// How long a confirmed address is used before it is confirmed again.
        public var refreshInterval: Duration = .seconds(30)
        /// How long a neighbour that did not answer is left alone.
        public var holdDown: Duration = .seconds(5)
        /// ICMP errors a second, and at once after a quiet time.
        public var icmpErrors: UInt32 = 10

        /// The defaults.
        public init() {}
    }

    /// What was counted since the stack was made.
    public internal(set) var counters = HostCounters()

    let limits: Limits
    let interfaces: [UInt16: HostInterface]
    let ownAddresses: Set<IPv4Address>
    let routes: RouteTable

    var listeners: Set<UInt16> = []
    var neighbours: [Neighbour.Key: Neighbour] = [:]
    /// Entries of `neighbours` that nobody holds.
    var unheldCount = 0
    var identification: UInt16
    var icmpErrorBucket: TokenBucket
    /// Announcements that are still to be sent, and when the next one is due.
    var announcementsLeft = 0
    var announceAt = Instant.distantFuture
    /// Until when each address was defended.
    var defendedUntil: [IPv4Address: Instant] = [:]
    /// No entry's deadline lies before it.
    var nextDeadline = Instant.distantFuture

    /// A stack for the node's addresses.
    ///
    /// - Parameters:
    ///   - interfaces: the ports with addresses, each port once.
    ///   - routes: ways to networks that are not connected; those whose next hop is not on a connected network are
    ///     out of force.
    ///   - identification: the first IPv4 identification, a random number.
    ///   - limits: bounds and times.
    public init(
        interfaces: [HostInterface], routes: [StaticRoute], identification: UInt16, limits: Limits = Limits()
    ) {
        self.limits = limits
        self.interfaces = Dictionary(interfaces.map { ($0.port, $0) }, uniquingKeysWith: { first, _ in first })
        ownAddresses = Set(interfaces.flatMap { $0.addresses.map(\.address) })
        self.routes = RouteTable(interfaces: interfaces, routes: routes)
        self.identification = identification
        icmpErrorBucket = TokenBucket(rate: limits.icmpErrors, burst: limits.icmpErrors)
    }

    /// Announces every address (RFC 5227 section 2.3), now and once more two seconds later.
    public mutating func start(at now: Instant) -> [HostOutput] {
        announcementsLeft = 2
        announceAt = now
        return timerFired(at: now)
    }

    /// From now on datagrams for UDP port `port` are handed out instead of being answered with port unreachable.
    public mutating func listen(on port: UInt16) { listeners.insert(port) }

    /// Ends `listen(on:)`.
    public mutating func close(_ port: UInt16) { listeners.remove(port) }

    /// When `timerFired(at:)` wants to be called, or earlier; `distantFuture` when there is nothing to wait for.
    public var deadline: Instant { min(nextDeadline, announceAt) }

    /// Does what is due: ARP retries, refreshes and expiry, announcements. Calling it early does no harm.
    public mutating func timerFired(at now: Instant) -> [HostOutput] {
        var outputs: [HostOutput] = []
        if announceAt <= now { announce(at: now, into: &outputs) }
        if nextDeadline <= now { serveNeighbours(at: now, into: &outputs) }
        return outputs
    }

    /// Takes a frame that the data plane punted: a whole Ethernet frame without FCS, of any content.
    public mutating func receive(frame bytes: [UInt8], port: UInt16, at now: Instant) -> [HostOutput] {
        guard let interface = interfaces[port], let frame = EthernetFrame(bytes[...]) else {
            counters[.frameMalformed] += 1
            return []
        }
        guard frame.destination == interface.mac || frame.destination == .broadcast, !frame.source.isMulticast else {
            counters[.frameNotForUs] += 1
            return []
        }
        var outputs: [HostOutput] = []
        // The node's addresses are on untagged ports; a tag that carries a priority alone changes nothing.
        guard frame.tags.allSatisfy({ $0.id == 0 }) else {
            counters[.etherTypeUnknown] += 1
            return []
        }
        switch frame.etherType {
        case EthernetFrame.typeARP:
            receiveARP(frame.payload, interface: interface, at: now, into: &outputs)
        case EthernetFrame.typeIPv4:
            // A unicast packet in a broadcast frame is refused (RFC 1122 section 3.3.6).
            guard frame.destination == interface.mac else {
                counters[.frameNotForUs] += 1
                break
            }
            do throws(HostCounter) {
                try receiveIPv4(frame.payload, interface: interface, at: now, into: &outputs)
            } catch {
                counters[error] += 1
            }
        default:
            counters[.etherTypeUnknown] += 1
        }
        return outputs
    }
}
