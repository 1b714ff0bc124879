import Host
import Observability
import PPPoE
import Segment
import Timing
import Wire

/// Taking over the tables of a culvertd that is gone.
extension ControlNode {
    /// Takes over what the writer before left of controllers' tunnels and sessions, which stay in service.
    ///
    /// A tunnel is as its controller gave it where the store has it. Where the store is lost it is called by its number; a next hop
    /// that was given by its Ethernet address stays as it is, and else it is the route's to the peer where there is one, and the
    /// address that the table holds where there is none.
    public func adopt(_ recovery: Recovery, from writer: TableWriter, _ stored: StoredState, at now: Instant) {
        if recovery.unfinishedEntries > 0 {
            logger.notice(
                "took back entries that were left half done", metadata: ["entries": "\(recovery.unfinishedEntries)"])
        }
        let given = stored.images(of: .staticTunnel).reduce(into: [UInt16: StaticTunnel]()) { given, entry in
            changed.staticTunnels.insert(UInt16(truncatingIfNeeded: entry.id))
            guard let image = try? StoredStaticTunnel(serializedBytes: entry.image) else { return }
            given[UInt16(truncatingIfNeeded: entry.id)] = StaticTunnel(image)
        }
        writer.forEachTunnel { record in
            guard record.owner == .external else { return }
            if let tunnel = given[record.id.rawValue], adopt(tunnel, record, at: now) { return }
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
        agenda.schedule(.reclaim, at: now)
        if !feed.tunnels.isEmpty {
            logger.notice(
                "kept tunnels and sessions of controllers",
                metadata: ["tunnels": "\(feed.tunnels.count)", "sessions": "\(feed.sessions.count)"])
        }
    }

    /// Takes a tunnel as its controller gave it; false when the table has another one under its id.
    private func adopt(_ tunnel: StaticTunnel, _ record: Segment.TunnelRecord, at now: Instant) -> Bool {
        guard tunnel.peerAddress == record.endpoints.peerAddress, tunnel.localAddress == record.endpoints.localAddress,
            tunnel.peerTunnelID == record.endpoints.peerTunnelID, tunnel.peerPort == record.endpoints.peerPort,
            tunnel.localPort == record.endpoints.localPort, feed.names[tunnel.name] == nil
        else { return false }
        let entry = StaticFeed.StaticTunnelEntry(tunnel: tunnel)
        if let address = entry.heldAddress {
            do { perform(try host.hold(address, at: now), at: now) } catch { return false }
        }
        feed.tunnels[record.id.rawValue] = entry
        feed.names[tunnel.name] = record.id.rawValue
        return true
    }
}
