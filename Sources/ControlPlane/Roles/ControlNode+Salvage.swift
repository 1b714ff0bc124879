import Configuration
import L2TP
import Logging
import PPPoE
import Segment
import Timing
import Wire

/// Tunnels and sessions that only the table knows, since the store is lost: torn, another program's, or a copy from before.
///
/// The table has who a session's client is, all ids of both sides and the tunnels' ends, and beside them the control channels' numbers and
/// whether the LNS can recover them. That is enough to go on: the LNS notices nothing, and data flows. What it does not have is gone: users' names, what RADIUS said of them,
/// accounting sessions (new ones begin), and messages that the LNS had not acknowledged, whose numbers are filled with HELLO.
extension ControlNode {
    /// More unacknowledged messages than any peer's window lets out: the numbers are not to be believed.
    private static let longestGap = 1_024

    /// Takes back the tunnels of the table that no image has claimed.
    func salvageTunnels(_ work: inout Resumption, at now: Instant) {
        var instances: [UInt16: AccessConcentrator] = [:]
        for session in work.left.values {
            guard let core = session.core, instances[core.tunnel] == nil, let tunnel = work.survey.tunnels[core.tunnel]
            else { continue }
            instances[core.tunnel] = instance(of: session, peer: tunnel.peer.address)
        }
        for (id, tunnel) in work.survey.tunnels.sorted(by: { $0.key < $1.key }) where !work.tunnels.contains(id) {
            guard let checkpoint = Self.checkpoint(id, tunnel) else { continue }
            let profile = instances[id]?.profile ?? ""
            let settings =
                configuration.l2tpProfile(profile).map { tunnelConfiguration(of: $0, TunnelOverrides()) }
                ?? TunnelConfiguration(hostName: configuration.control.hostName)
            guard
                let machine = try? Tunnel(
                    restoring: checkpoint, configuration: settings, random: makeRandom(), at: now)
            else { continue }
            let key = Destination.Key(address: tunnel.peer.address, profile: profile)
            var record = TunnelRecord(
                id: id, destination: key, name: key.tunnelName, createdAt: now, machine: machine, local: tunnel.local,
                peer: tunnel.peer)
            record.isBound = true
            record.isUp = true
            changed.tunnels.insert(id)
            work.tunnels.insert(id)
            take(record, StoredTunnel(), isInService: true, &work, at: now)
            if instances[id] == nil { work.hopeless[id] = "its state is lost" }
        }
    }

    private static func checkpoint(_ id: UInt16, _ tunnel: TableSurvey.Tunnel) -> TunnelCheckpoint? {
        guard let numbers = tunnel.numbers, tunnel.peerTunnelID != 0 else { return nil }
        let gap = Int(numbers.ns &- numbers.peerNr)
        guard gap <= longestGap, let hello = try? ControlMessage.hello.encode(hiding: nil) else { return nil }
        var checkpoint = TunnelCheckpoint(role: .initiator, localID: id, state: .established)
        checkpoint.peerTunnelID = tunnel.peerTunnelID
        checkpoint.peer = PeerInformation(tunnelID: tunnel.peerTunnelID, hostName: "", receiveWindow: 4)
        if numbers.peerFailover != 0 {
            checkpoint.peer?.failover = FailoverCapability(
                bits: numbers.peerFailover, recoveryTime: numbers.peerRecoveryTime)
        }
        (checkpoint.ns, checkpoint.nr, checkpoint.peerNr) = (numbers.ns, numbers.nr, numbers.peerNr)
        checkpoint.queue = Array(repeating: .init(sessionID: 0, body: hello), count: gap)
        return checkpoint
    }

    /// Whose client a session is: what serves its VLAN, and leads to this LNS where several do; nil where that cannot be told.
    private func instance(of session: TableSurvey.Session, peer: IPAddress) -> AccessConcentrator? {
        let served =
            accessInterface(of: session.circuit)?.discovery.instances
            .compactMap { configuration.accessConcentrator($0.name) } ?? []
        return served.first { $0.peerAddress == .fixed(peer) } ?? (served.count == 1 ? served.first : nil)
    }

    /// Takes back the sessions in tunnels that go on and that no image has claimed.
    func salvageSessions(_ work: inout Resumption, at now: Instant) {
        for (slot, session) in work.left.sorted(by: { $0.key < $1.key }) {
            guard let core = session.core, work.tunnels.contains(core.tunnel), work.hopeless[core.tunnel] == nil,
                let record = tunnels[core.tunnel], record.machine.state == .established,
                let instance = instance(of: session, peer: record.peer.address),
                instance.profile == record.destination.profile,
                let served = accessInterface(of: session.circuit)?.discovery.instances.first(where: {
                    $0.name == instance.name
                }), let routeID = UInt32(exactly: session.reference), routeID != 0, routes[routeID] == nil
            else { continue }
            let checkpoint = SessionCheckpoint(
                localID: core.downstream.sessionID, peerID: core.peerSessionID, callSerialNumber: 0, createdAt: now)
            guard tunnels[core.tunnel]?.machine.restore(checkpoint, at: now) == true else { continue }
            work.left[slot] = nil
            work.sessions += 1
            routeNumbers.pass(routeID)
            let id = CallID(tunnel: core.tunnel, session: core.downstream.sessionID)
            goOn(
                connection(session, routeID: routeID, served, id, at: now),
                .init(id: id, downstream: core.downstream, checkpoint: checkpoint), at: now)
            changed.sessions[routeID] = slot
            startAccounting(of: slot, at: now)
        }
    }

    private func connection(
        _ session: TableSurvey.Session, routeID: UInt32, _ instance: ServiceInstance, _ call: CallID, at now: Instant
    ) -> Connection {
        let key = SessionRequest.Key(client: session.client, circuit: session.circuit, hostUniq: [], cookie: [])
        var connection = Connection(
            routeID: routeID, request: SessionRequest(key: key, instance: instance, serviceName: [], maxPayload: 1_492),
            tags: session.tags, upstream: session.upstream, createdAt: now, link: nil)
        connection.phase = .open
        connection.openedAt = now
        connection.call = call
        return connection
    }
}

extension ControlNumbers {
    /// What the table keeps of a tunnel's control connection.
    init(_ tunnel: Tunnel) {
        let numbers = tunnel.statistics
        self.init(ns: numbers.ns, nr: numbers.nr, peerNr: numbers.peerNr)
        peerFailover = tunnel.peer?.failover?.bits ?? 0
        peerRecoveryTime = tunnel.peer?.failover?.recoveryTime ?? 0
    }
}

extension TableSurvey.Session {
    /// Tags of frames to the client, outer first.
    var tags: [EthernetFrame.VLANTag] {
        var tags: [EthernetFrame.VLANTag] = []
        if circuit.outerVLAN != 0 { tags.append(.init(protocolID: outerTPID, id: circuit.outerVLAN)) }
        if circuit.innerVLAN != 0 { tags.append(.init(id: circuit.innerVLAN)) }
        return tags
    }
}
