import Host
import Observability
import PPPoE
import Segment
import Timing
import Wire

/// Taking over the tables of a culvertd that is gone.
extension ControlNode {
    /// Takes over what the writer before left: controllers' tunnels and sessions stay in service; clients of our own
    /// signalling are told that their sessions are over, since nobody knows the state of their LNS's side.
    public func adopt(_ recovery: Recovery, from writer: TableWriter, at now: Instant) {
        if recovery.unfinishedEntries > 0 {
            logger.notice(
                "took back entries that were left half done", metadata: ["entries": "\(recovery.unfinishedEntries)"])
        }
        for slot in recovery.subscriberSessions { end(writer.session(at: slot), slot: slot) }
        for id in recovery.subscriberTunnels { giveBack(tunnel: id.rawValue, at: now) }
        if !recovery.subscriberSessions.isEmpty {
            logger.notice(
                "ended sessions of an earlier run; their clients dial again",
                metadata: ["sessions": "\(recovery.subscriberSessions.count)"])
        }
        adoptStatic(from: writer, at: now)
        agenda.schedule(.reclaim, at: now)
    }

    private func end(_ record: SessionRecord?, slot: UpstreamSlot) {
        if let record {
            let circuit = AttachmentCircuit(
                port: record.circuit.port, outerVLAN: record.circuit.outerVLAN, innerVLAN: record.circuit.innerVLAN)
            var tags: [EthernetFrame.VLANTag] = []
            if circuit.outerVLAN != 0 { tags.append(.init(protocolID: record.circuit.tpid, id: circuit.outerVLAN)) }
            if circuit.innerVLAN != 0 { tags.append(.init(id: circuit.innerVLAN)) }
            if let interface = accessInterface(of: circuit) {
                send(
                    DiscoveryServer.padt(sessionID: record.sessionID, errorText: "access concentrator restarted"),
                    to: record.clientMAC, on: interface, tags: tags)
            }
        }
        giveBack(upstream: slot.rawValue)
    }

    /// The table does not hold the names of controllers' tunnels: after a restart a tunnel is called by its number. A next hop that was
    /// given by its Ethernet address stays as it is; else it is the route's to the peer where there is one, and the address that
    /// the table holds where there is none.
    private func adoptStatic(from writer: TableWriter, at now: Instant) {
        writer.forEachTunnel { record in
            guard record.owner == .external else { return }
            let (local, peer) = (record.endpoints.localAddress, record.endpoints.peerAddress)
            var tunnel = StaticTunnel(
                name: "tunnel-\(record.id.rawValue)", peerAddress: peer, localAddress: local,
                peerPort: record.endpoints.peerPort, localPort: record.endpoints.localPort,
                peerTunnelID: record.endpoints.peerTunnelID, egressPort: portName(record.egressPort))
            tunnel.mtu = record.mtu
            tunnel.lengthBit = record.hasLengthField
            tunnel.udpChecksum = record.computesChecksum
            tunnel.tosInherit = record.inheritsTypeOfService
            tunnel.tos = record.inheritsTypeOfService ? 0 : record.typeOfService
            var held: IPAddress?
            if record.isNextHopFixed {
                tunnel.nextHop = .mac(record.nextHopMAC)
            } else {
                do {
                    perform(try host.hold(peer, at: now), at: now)
                    held = peer
                } catch { tunnel.nextHop = .mac(record.nextHopMAC) }
            }
            feed.tunnels[record.id.rawValue] = .init(tunnel: tunnel, heldAddress: held)
            feed.names[tunnel.name] = record.id.rawValue
        }
        writer.forEachSession { record in
            guard record.owner == .external, let core = record.core else { return true }
            feed.insert(
                .init(
                    clientMAC: record.clientMAC,
                    upstream: UpstreamHandle(slot: record.slot.rawValue, sessionID: record.sessionID),
                    downstream: DownstreamHandle(slot: core.slot.rawValue, sessionID: core.localSessionID),
                    port: record.circuit.port, outerVLAN: record.circuit.outerVLAN,
                    innerVLAN: record.circuit.innerVLAN, outerTPID: record.circuit.tpid, tunnel: core.tunnel.rawValue,
                    peerSessionID: core.peerSessionID, hasTunnelName: false), as: record.reference)
            return true
        }
        if !feed.tunnels.isEmpty {
            logger.notice(
                "kept tunnels and sessions of controllers",
                metadata: ["tunnels": "\(feed.tunnels.count)", "sessions": "\(feed.sessions.count)"])
        }
    }
}
