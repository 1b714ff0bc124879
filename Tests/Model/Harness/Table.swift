import CSegment
import Forwarding
import Segment
import Wire

/// The control plane's part: fills the segment through the real table writer, as the model says.
final class Table {
    private let writer: TableWriter
    private var sessions: [(upstream: UpstreamSlot, downstream: DownstreamSlot)] = []

    init(_ segment: SegmentMapping) { writer = TableWriter.recovering(segment).writer }

    /// `port INDEX MAC ACCESS CORE MTU CHAINED DISPATCHED ADDRESS...`: what the data plane knows of a port.
    static func device(_ command: Command) throws -> ForwardingPort {
        var command = command
        _ = try command.word()
        let mac = try command.mac()
        (_, _) = (try command.flag(), try command.flag())
        let mtu = try command.number(UInt16.self)
        let chained = try command.flag()
        return ForwardingPort(mac: mac, mtu: mtu, sendsChained: chained, isDispatched: try command.flag())
    }

    /// The same line: what the control plane says of a port, its roles and IPv4 addresses.
    func port(_ command: inout Command) throws {
        let index = try command.number(UInt16.self)
        _ = try command.mac()
        var roles: PortRoles = []
        if try command.flag() { roles.insert(.access) }
        if try command.flag() { roles.insert(.core) }
        for _ in 0..<3 { _ = try command.word() }
        let addresses = try command.rest().map { word in
            guard let address = IPv4Address(String(word)) else { throw Command.Fault(description: "port: \(word)") }
            return address
        }
        try writer.configurePort(index, roles: roles, addresses: addresses)
    }

    /// `circuit PORT OUTER INNER TPID`: answers the circuit's index.
    func circuit(_ command: inout Command) throws -> UInt32 {
        try writer.circuit(
            port: command.number(), outerVLAN: command.number(), innerVLAN: command.number(), tpid: command.number()
        ).rawValue
    }

    /// `tunnel PORT VLAN NEXTHOP LOCAL PEER LOCALPORT PEERPORT PEERID L CHECKSUM INHERIT TOS TTL MTU READY`: answers the
    /// local tunnel id.
    func tunnel(_ command: inout Command, sourceMAC: (UInt16) -> MACAddress) throws -> UInt16 {
        let port = try command.number(UInt16.self)
        let vlan = try command.number(UInt16.self)
        let nextHop = try command.mac()
        let (local, peer) = (try command.address(), try command.address())
        let (localPort, peerPort) = (try command.number(UInt16.self), try command.number(UInt16.self))
        let ends = TunnelEndpoints(
            localAddress: local, peerAddress: peer, localPort: localPort, peerPort: peerPort,
            peerTunnelID: try command.number(), port: UInt8(truncatingIfNeeded: port))
        let (hasLength, checksum, inherits) = (try command.flag(), try command.flag(), try command.flag())
        let (tos, ttl) = (try command.number(UInt8.self), try command.number(UInt8.self))
        let mtu = try command.number(UInt16.self)
        let header = OuterHeader(
            endpoints: ends, egressPort: port, sourceMAC: sourceMAC(port),
            destinationMAC: try command.flag() ? nextHop : nil,
            tag: vlan == 0 ? nil : vlan, mtu: mtu, timeToLive: ttl, typeOfService: tos, inheritsTypeOfService: inherits,
            hasLengthField: hasLength, computesChecksum: checksum)
        let id = try writer.allocateTunnel(owner: .external)
        try writer.publishTunnel(id, header: header)
        return id.rawValue
    }

    /// `session CIRCUIT TUNNEL MAC PEERID PUNT`: answers the PPPoE session id, the local L2TP session id, the upstream and the
    /// downstream slot.
    /// With PUNT 1 the session stays in negotiation: its frames go to the control plane.
    func session(_ command: inout Command) throws -> String {
        let circuit = CircuitIndex(rawValue: try command.number())
        let tunnel = TunnelID(rawValue: try command.number())
        let upstream = try writer.allocateUpstream(circuit: circuit, clientMAC: try command.mac(), owner: .external)
        let downstream = try writer.allocateDownstream(tunnel: tunnel)
        let peer = try command.number(UInt16.self)
        if try !command.flag() { try writer.forward(upstream.slot, downstream.slot, peerSessionID: peer) }
        sessions.append((upstream.slot, downstream.slot))
        return "\(upstream.sessionID) \(downstream.sessionID) \(upstream.slot.rawValue) \(downstream.slot.rawValue)"
    }

    /// Packets and octets upstream, packets and octets downstream, of each session in the order of creation.
    func sessionCounts(_ view: SegmentView) -> [String] {
        sessions.map { session in
            let up = view.upstream[Int(session.upstream.rawValue)]
            let down = view.downstream[Int(session.downstream.rawValue)]
            return "session \(up.packets) \(up.octets) \(down.packets) \(down.octets)"
        }
    }
}
