import CDPDK
import Segment

/// Who goes first where a punt class cannot have all that comes. A higher rank finds tokens in the class's bucket when a lower one
/// does not.
public enum PuntRank: UInt8, Sendable {
    /// More than its VLAN's (or tunnel's) share, or its port's.
    case beyond = 0
    /// The same, but its sender has asked before and asks again, as whoever is real does when nobody answers.
    case again = 1
    /// Within the shares of its VLAN, or tunnel, and of its port.
    case within = 2
}

/// Frames a second of each punt class that a VLAN, or a tunnel, and a port have before those that send more than that.
public struct PuntShareLimits: Hashable, Sendable {
    /// Of one VLAN of one port, inner and outer tag together; of `l2tpControl`, of one tunnel. 0: all frames of the class are of one
    /// rank.
    public var lines: PuntLimits
    /// Of one port. 0: the port has none, and none of its frames are within it.
    public var ports: PuntLimits

    /// Shares of these sizes.
    public init(lines: PuntLimits, ports: PuntLimits) {
        self.lines = lines
        self.ports = ports
    }

    /// No shares: all frames of a class are of one rank.
    public static var none: PuntShareLimits { PuntShareLimits(lines: PuntLimits(all: 0), ports: PuntLimits(all: 0)) }
}

/// Keeps a flood on one line from using up what all lines have together, whatever addresses it forges: it uses up the share of its own
/// VLAN, and goes last from there on. A flood with forged VLANs uses up the share of its port. Nobody is refused for this as long
/// as the class has tokens left.
///
/// On the line that is flooded itself there is nothing to tell a client by but that it comes again: `PuntRetries`.
public struct PuntShares: @unchecked Sendable {
    /// Ports that have shares of their own; those beyond have them together.
    private static let ports = 32

    private let lines: PuntClients
    private let portRates: UnsafeMutablePointer<PuntRate>
    private let portsDue: UnsafeMutablePointer<UInt64>
    private let retries: PuntRetries

    /// Shares of these sizes. Lines and ports may use up a tenth of a second's frames at once, nine at least.
    public init(
        limits: PuntShareLimits, cyclesPerSecond: UInt64, seed: UInt64, socket: Int32
    ) throws(AllocationError) {
        lines = try PuntClients(
            limits: limits.lines, cyclesPerSecond: cyclesPerSecond, burst: cyclesPerSecond / 10, seed: ~seed,
            socket: socket)
        portRates = try allocate(PuntClass.allCases.count, socket: socket)
        portsDue = try allocate(PuntClass.allCases.count * Self.ports, socket: socket)
        retries = try PuntRetries(cyclesPerSecond: cyclesPerSecond, seed: seed, socket: socket)
        for punt in PuntClass.allCases {
            portRates[Int(punt.rawValue)] = PuntRate(
                rate: limits.lines[punt] == 0 ? 0 : limits.ports[punt], cyclesPerSecond: cyclesPerSecond,
                burst: cyclesPerSecond / 10)
        }
    }

    /// Gives the memory back.
    public func deallocate() {
        lines.deallocate()
        culvert_free(portRates)
        culvert_free(portsDue)
        retries.deallocate()
    }

    /// Whether frames of a class are of different ranks.
    public func hasRanks(_ punt: PuntClass) -> Bool { lines.isLimited(punt) }

    /// The rank of a frame at `now`, in cycles, which uses up the shares that it is within.
    public func rank(_ punt: PuntClass, _ sender: PuntSender, port: UInt32, now: UInt64) -> PuntRank {
        if lines.take(punt, sender.line, now: now), takePort(punt, port, now: now) { return .within }
        return Self.mayComeAgain(punt) && retries.comesAgain(punt, sender.client, now: now) ? .again : .beyond
    }

    /// Notes that a frame has been taken although it was `beyond`: what its sender sends next is part of the same conversation.
    public func admit(_ punt: PuntClass, _ sender: PuntSender, now: UInt64) {
        if Self.mayComeAgain(punt) { retries.admit(punt, sender.client, now: now) }
    }

    private func takePort(_ punt: PuntClass, _ port: UInt32, now: UInt64) -> Bool {
        let number = Int(truncatingIfNeeded: punt.rawValue)
        let place = number &* Self.ports &+ Int(truncatingIfNeeded: port) & (Self.ports &- 1)
        return portRates[number].take(&portsDue[place], now: now)
    }

    /// Whether coming again says anything: where a client asks once and waits. Sessions and tunnels go on talking.
    private static func mayComeAgain(_ punt: PuntClass) -> Bool {
        switch punt {
        case .arp, .ipv4, .ipv6, .pppoeDiscovery, .l2tpUnknown: true
        case .pppControl, .unknownSession, .l2tpControl, .tooBig, .capture: false
        }
    }
}

/// Who is behind a punted frame: the one client, and the line that it shares with others.
public struct PuntSender: Hashable, Sendable {
    /// Client or peer.
    public var client: PuntClient
    /// VLAN of a port, or tunnel.
    public var line: PuntClient

    /// A client on a line.
    public init(client: PuntClient, line: PuntClient) {
        self.client = client
        self.line = line
    }
}
