import Configuration
import Host
import Timing
import Wire

/// How long packets to an LNS may be.
extension ControlNode {
    /// The longest outer packet of a tunnel now: the least of the core port's MTU, the profile's `path-mtu` and, where that is
    /// wanted, what routers have told.
    func pathMTU(of record: TunnelRecord, profile: L2TPProfile) -> UInt16 {
        let link = host.route(to: record.peer.address)?.mtu ?? 0
        let configured = min(link, profile.pathMTU ?? link)
        return profile.pathMTUDiscovery ? pathMTUs.mtu(to: record.peer.address, link: configured) : configured
    }

    /// Whether a tunnel's data messages carry a UDP checksum: over IPv6 they must, unless both ends agree that they need not
    /// (RFC 8200 section 8.1, RFC 6935).
    func computesChecksum(_ record: TunnelRecord, _ profile: L2TPProfile) -> Bool {
        profile.udpChecksums || record.peer.address.ipv6 != nil && !profile.ipv6ZeroChecksum
    }

    /// A router says that packets between two ends may not be longer than `mtu` octets. It is believed where a tunnel has these
    /// ends and wants to know, and where it quotes the tunnel id that the peer gave, which a stranger would have to guess.
    func learnPathMTU(
        _ mtu: UInt16, from local: UDPEndpoint, to peer: UDPEndpoint, peerTunnelID: UInt16?, at now: Instant
    ) {
        guard let peerTunnelID else { return }
        let meant = tunnels.values.first { record in
            record.local == local && record.peer == peer && record.machine.peer?.tunnelID == peerTunnelID
                && discoversPathMTU(record)
        }
        guard let meant, pathMTUs.learn(mtu, to: peer.address, at: now) else { return }
        logger.info("path MTU lowered to \(mtu)", metadata: metadata(ofTunnel: meant.id))
        pathMTUChanged(to: peer.address, at: now)
        agenda.schedule(.pathMTU, at: pathMTUs.deadline)
    }

    /// Tries longer packets where the last word is old.
    func pathMTUTimerFired(at now: Instant) {
        for peer in pathMTUs.expire(at: now) { pathMTUChanged(to: peer, at: now) }
        guard pathMTUs.count > 0 else { return }
        agenda.schedule(.pathMTU, at: pathMTUs.deadline)
    }

    private func pathMTUChanged(to peer: IPAddress, at now: Instant) {
        for (id, record) in tunnels where record.isPublished && record.peer.address == peer {
            if discoversPathMTU(record) { publish(id, at: now) }
        }
    }

    private func discoversPathMTU(_ record: TunnelRecord) -> Bool {
        configuration.l2tpProfile(record.destination.profile)?.pathMTUDiscovery == true
    }
}
