import Timing
import Wire

/// The node's own presence on its ports: ARP, neighbour discovery, ICMP, UDP and a routing table, for IPv4 and IPv6, on whole
/// Ethernet frames.
///
/// The data plane punts what is addressed to the node and is not forwarded traffic; this stack answers, or hands UDP
/// datagrams to whoever listens, and builds the frames that go out. It is a value without clock or socket: time comes in
/// with every call, frames and events go out as `HostOutput`.
///
/// What it does, and what it deliberately does not do:
/// - ARP (RFC 826, 1122 section 2.3.2, 5227): answers for the addresses of the port that the request came by, announces
///   them at the start and defends them. It learns only from answers that it asked for; a gratuitous message from a known
///   gateway's address makes it ask at once, so that a fail-over is followed within a round trip.
/// - Neighbour discovery (RFC 4861): the same for IPv6, with the same caution: a solicitation is answered to where it came from,
///   without a cache entry for its sender (section 7.2.3 would have one), and an advertisement that nobody asked for makes the
///   node ask instead of believe (section 7.2.5 would have it believed). Duplicate address detection (RFC 4862 section 5.4) for
///   every address at the start.
/// - No multicast listener reports (RFC 3810) are sent: a switch that snoops them must pass solicited-node groups all the same.
/// - Router advertisements and redirects are ignored: addresses and routes are configured. The node is no router and sends none.
/// - IPv4 (RFC 791), IPv6 (RFC 8200): checked whole. Fragments are refused, IPv4 options and IPv6 extension headers are passed over
///   where that is allowed, nothing is forwarded.
/// - ICMP (RFC 792), ICMPv6 (RFC 4443): echo reply; errors about what was sent here, limited in rate (RFC 1812 section 4.3.2.8, RFC
///   4443 section 2.4 (f)); what routers say of a path's MTU is handed out (RFC 1191, RFC 8201).
/// - UDP (RFC 768): checksum verified when present, required over IPv6, always sent (RFC 2661 section 8.1 asks for it on control
///   messages).
///
/// Nothing that strangers send makes it hold more memory than `Limits` says.
public struct HostStack: Sendable {
    /// Bounds and times. The defaults follow RFC 1122 section 2.3.2 and RFC 4861 section 10, and suit a handful of gateways as well as thousands of
    /// neighbours.
    public struct Limits: Sendable {
        /// Neighbours that nobody holds, at most; the longest unused gives way.
        public var neighbours = 1_024
        /// IP packets that wait for one neighbour's address, at most; the oldest gives way.
        public var queuedPackets = 16
        /// Time between two questions for an unanswered address, and the time to answer in duplicate address detection.
        public var retryInterval: Duration = .seconds(1)
        /// Questions to a known address alone before the refresh goes on by broadcast or multicast.
        public var unicastRequests = 3
        /// Questions to everybody before the neighbour is given up.
        public var broadcastRequests = 3
        /// How long a confirmed address is used before it is confirmed again.
        public var refreshInterval: Duration = .seconds(30)
        /// IPv6: how long after the first packet to a neighbour not confirmed lately it is asked.
        public var probeDelay: Duration = .seconds(5)
        /// IPv6: how long a neighbour's address is remembered unused.
        public var staleInterval: Duration = .seconds(600)
        /// How long a neighbour that did not answer is left alone.
        public var holdDown: Duration = .seconds(5)
        /// ICMP errors a second, and at once after a quiet time.
        public var icmpErrors: UInt32 = 10
        /// Answers to clients whose packets are too big a second, and at once after a quiet time.
        public var tooBigReplies: UInt32 = 1_000

        /// The defaults.
        public init() {}
    }

    /// What was counted since the stack was made.
    public internal(set) var counters = HostCounters()

    let limits: Limits
    var interfaces: [UInt16: HostInterface]
    var ownAddresses: Set<IPAddress>
    var routes: RouteTable

    var listeners: Set<UInt16> = []
    var neighbours: [Neighbour.Key: Neighbour] = [:]
    /// Entries of `neighbours` that nobody holds.
    var unheldCount = 0
    var identification: UInt16
    var icmpErrorBucket: TokenBucket
    var tooBigBucket: TokenBucket
    /// Announcements that are still to be sent, and when the next one is due.
    var announcementsLeft = 0
    var announceAt = Instant.distantFuture
    /// Until when each address was defended.
    var defendedUntil: [Neighbour.Key: Instant] = [:]
    /// IPv6 addresses that are being checked for duplicates, by port, and when that ends.
    var tentative: [Neighbour.Key: Instant] = [:]
    /// IPv6 addresses that another station was found to use, by port.
    var duplicates: Set<Neighbour.Key> = []
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
        let interfaces = interfaces.map(\.withLinkLocal)
        self.interfaces = Dictionary(interfaces.map { ($0.port, $0) }, uniquingKeysWith: { first, _ in first })
        ownAddresses = Set(interfaces.flatMap { $0.addresses.map(\.address) })
        self.routes = RouteTable(interfaces: interfaces, routes: routes)
        self.identification = identification
        icmpErrorBucket = TokenBucket(rate: limits.icmpErrors, burst: limits.icmpErrors)
        tooBigBucket = TokenBucket(rate: limits.tooBigReplies, burst: limits.tooBigReplies)
    }

    /// Announces every address (RFC 5227 section 2.3), now and once more two seconds later. IPv6 addresses are checked for
    /// duplicates first, which takes a second; until then nothing is sent from them.
    public mutating func start(at now: Instant) -> [HostOutput] {
        var outputs: [HostOutput] = []
        startAddressDetection(at: now, into: &outputs)
        announcementsLeft = 2
        announceAt = now
        return outputs + timerFired(at: now)
    }

    /// From now on datagrams for UDP port `port` are handed out instead of being answered with port unreachable.
    public mutating func listen(on port: UInt16) { listeners.insert(port) }

    /// Ends `listen(on:)`.
    public mutating func close(_ port: UInt16) { listeners.remove(port) }

    /// When `timerFired(at:)` wants to be called, or earlier; `distantFuture` when there is nothing to wait for.
    public var deadline: Instant { min(nextDeadline, announceAt, tentative.values.min() ?? .distantFuture) }

    /// Does what is due: retries, refreshes and expiry of neighbours, announcements, the end of duplicate address detection. Calling it early does no harm.
    public mutating func timerFired(at now: Instant) -> [HostOutput] {
        var outputs: [HostOutput] = []
        finishAddressDetection(at: now, into: &outputs)
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
        guard
            frame.destination == interface.mac || frame.destination == .broadcast
                || interface.listens(to: frame.destination), !frame.source.isMulticast
        else {
            counters[.frameNotForUs] += 1
            return []
        }
        var outputs: [HostOutput] = []
        // The node's addresses are on untagged ports; a tag that carries a priority alone changes nothing.
        guard frame.tags.allSatisfy({ $0.id == 0 }) else {
            counters[.etherTypeUnknown] += 1
            return []
        }
        do throws(HostCounter) {
            switch frame.etherType {
            case EthernetFrame.typeARP:
                receiveARP(frame.payload, interface: interface, at: now, into: &outputs)
            case EthernetFrame.typeIPv4:
                // A unicast packet in a broadcast frame is refused (RFC 1122 section 3.3.6).
                guard frame.destination == interface.mac else { throw .frameNotForUs }
                try receiveIPv4(frame.payload, interface: interface, at: now, into: &outputs)
            case EthernetFrame.typeIPv6:
                try receiveIPv6(
                    frame.payload, sender: frame.source, isGroup: frame.destination != interface.mac,
                    interface: interface, at: now, into: &outputs)
            default: throw .etherTypeUnknown
            }
        } catch {
            counters[error] += 1
        }
        return outputs
    }
}
