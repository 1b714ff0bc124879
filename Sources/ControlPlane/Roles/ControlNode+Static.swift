import Host
import Observability
import PPPoE
import Timing
import Wire

/// The bulk feed of an external controller.
extension ControlNode {
    /// Carries out operations in order; one result each. For a session that was removed the traffic is what was counted
    /// when it was unpublished; `finalTraffic` has the last word a moment later.
    public func apply(_ operations: [StaticOperation], at now: Instant) -> [StaticResult] {
        operations.map { operation in
            do throws(StaticFault) {
                switch operation {
                case .addTunnel(let tunnel): return .tunnelAdded(tunnelID: try add(tunnel, at: now))
                case .removeTunnel(let reference): return .tunnelRemoved(sessions: try remove(reference, at: now))
                case .addSession(let session): return try add(session)
                case .removeSession(let reference):
                    return .sessionRemoved(Traffic(try removeStaticSession(reference, isAskedFor: true, at: now)))
                case .addSessions(let batch): return .sessionsAdded(try add(batch))
                }
            } catch { return .refused(error) }
        }
    }

    /// Final counters of a static session that was removed; nil while a worker may still count. They are told once.
    public func finalTraffic(_ reference: UInt64) -> Traffic? {
        collectStatic()
        guard let entry = feed.removed[reference], let traffic = entry else { return nil }
        feed.removed[reference] = nil
        return Traffic(traffic)
    }

    /// Nobody asks for the session's final counters any more.
    public func forgetFinalTraffic(_ reference: UInt64) { feed.removed[reference] = nil }

    /// Local ids of all static tunnels, in order.
    public var staticTunnelIDs: [UInt16] { feed.tunnels.keys.sorted() }

    /// References of all static sessions, or those in one tunnel, in order.
    public func staticReferences(inTunnel id: UInt16? = nil) -> [UInt64] {
        guard let id else { return feed.sessions.keys.sorted() }
        return feed.tunnels[id]?.references.sorted() ?? []
    }

    /// The static tunnel that a controller means.
    public func staticTunnelID(_ reference: StaticTunnelReference) -> UInt16? { feed.id(reference) }

    /// A static tunnel as it is.
    public func staticTunnelStatus(_ id: UInt16) -> StaticTunnelStatus? {
        guard let entry = feed.tunnels[id] else { return nil }
        return StaticTunnelStatus(
            tunnel: entry.tunnel, tunnelID: id, nextHopResolved: nextHop(of: entry) != nil,
            sessionCount: UInt32(clamping: entry.references.count))
    }

    /// A static session as it is.
    public func staticSessionStatus(_ reference: UInt64) -> StaticSessionStatus? {
        feed.sessions[reference].map { status(of: $0, reference) }
    }

    /// Places of the table that are looked at for one page at most: the loop has other work.
    private static let placesAPage = 65_536

    /// Up to `limit` static sessions, of one tunnel or all, in the order of their places in the table from `position` on, and
    /// the position to go on from; nil at the end. There may be more even when there are fewer than `limit`.
    public func staticSessions(
        inTunnel id: UInt16?, from position: UInt64, limit: Int
    ) -> (sessions: [StaticSessionStatus], next: UInt64?) {
        var found: [StaticSessionStatus] = []
        guard position < UInt64(feed.references.count) else { return (found, nil) }
        let end = min(Int(position) + Self.placesAPage, feed.references.count)
        for slot in Int(position)..<end where feed.references[slot] != 0 {
            let reference = feed.references[slot]
            guard let entry = feed.sessions[reference], id == nil || entry.tunnel == id else { continue }
            guard found.count < limit else { return (found, UInt64(slot)) }
            found.append(status(of: entry, reference))
        }
        return (found, end < feed.references.count ? UInt64(end) : nil)
    }

    private func status(of entry: StaticFeed.StaticSessionEntry, _ reference: UInt64) -> StaticSessionStatus {
        let name = entry.hasTunnelName ? feed.tunnels[entry.tunnel]?.tunnel.name : nil
        return StaticSessionStatus(
            session: StaticSession(
                reference: reference, port: portName(entry.port), outerVLAN: entry.outerVLAN,
                innerVLAN: entry.innerVLAN, outerTPID: entry.outerTPID, clientMAC: entry.clientMAC,
                tunnel: name.map { .name($0) } ?? .id(entry.tunnel), peerSessionID: entry.peerSessionID),
            tunnelID: entry.tunnel, sessionID: entry.downstream.sessionID, pppoeSessionID: entry.upstream.sessionID,
            data: Traffic(table.traffic(upstream: entry.upstream.slot)))
    }

    // MARK: Tunnels

    private func add(_ tunnel: StaticTunnel, at now: Instant) throws(StaticFault) -> UInt16 {
        guard !tunnel.name.isEmpty else { throw StaticFault(.invalid, "a static tunnel needs a name") }
        guard feed.names[tunnel.name] == nil else {
            throw StaticFault(.alreadyExists, "there is a static tunnel named '\(tunnel.name)'")
        }
        guard tunnel.peerTunnelID != 0 else { throw StaticFault(.invalid, "peer tunnel id 0 names no tunnel") }
        guard port(named: tunnel.egressPort) != nil else {
            throw StaticFault(.notFound, "there is no port named '\(tunnel.egressPort)'")
        }
        guard host.owns(tunnel.localAddress) else {
            throw StaticFault(.invalid, "\(tunnel.localAddress) is no address of this node")
        }
        let id: UInt16
        do { id = try table.allocateExternalTunnel() } catch { throw StaticFault(.exhausted, "\(error)") }
        let entry = StaticFeed.StaticTunnelEntry(tunnel: tunnel)
        do {
            if let address = entry.heldAddress { perform(try host.hold(address, at: now), at: now) }
            do { try table.publishTunnel(id, path(of: entry)) } catch {
                if let address = entry.heldAddress { host.release(address) }
                throw error
            }
        } catch let fault as HostFault {
            giveBack(tunnel: id, at: now)
            throw StaticFault(.invalid, "no interface or ip-route leads to the next hop: \(fault)")
        } catch {
            giveBack(tunnel: id, at: now)
            throw StaticFault(.invalid, "\(error)")
        }
        feed.tunnels[id] = entry
        feed.names[tunnel.name] = id
        changed.staticTunnels.insert(id)
        logger.info("static tunnel added", metadata: ["tunnel": "\(id)", "name": "\(tunnel.name)"])
        return id
    }

    private func remove(_ reference: StaticTunnelReference, at now: Instant) throws(StaticFault) -> UInt32 {
        guard let id = feed.id(reference), let entry = feed.tunnels[id] else {
            throw StaticFault(.notFound, "there is no such static tunnel")
        }
        for session in entry.references { _ = try removeStaticSession(session, isAskedFor: false, at: now) }
        giveBack(tunnel: id, at: now)
        if let address = entry.heldAddress { host.release(address) }
        feed.tunnels[id] = nil
        feed.names[entry.tunnel.name] = nil
        changed.staticTunnels.insert(id)
        logger.info("static tunnel removed", metadata: ["tunnel": "\(id)", "name": "\(entry.tunnel.name)"])
        return UInt32(clamping: entry.references.count)
    }

    private func nextHop(of entry: StaticFeed.StaticTunnelEntry) -> MACAddress? {
        if case .mac(let mac) = entry.tunnel.nextHop { return mac }
        return entry.heldAddress.flatMap { host.resolve($0)?.mac }
    }

    private func path(of entry: StaticFeed.StaticTunnelEntry) throws(StaticFault) -> TunnelPath {
        let tunnel = entry.tunnel
        guard let port = port(named: tunnel.egressPort) else {
            throw StaticFault(.notFound, "there is no port named '\(tunnel.egressPort)'")
        }
        var path = TunnelPath(
            port: port.index, local: UDPEndpoint(tunnel.localAddress, tunnel.localPort),
            peer: UDPEndpoint(tunnel.peerAddress, tunnel.peerPort), peerTunnelID: tunnel.peerTunnelID,
            source: port.mac, nextHop: nextHop(of: entry), mtu: tunnel.mtu == 0 ? port.mtu : tunnel.mtu,
            lengthBit: tunnel.lengthBit, udpChecksum: tunnel.udpChecksum || tunnel.peerAddress.ipv6 != nil,
            typeOfService: tunnel.tosInherit ? nil : tunnel.tos)
        if case .mac = tunnel.nextHop { path.isNextHopFixed = true }
        return path
    }

    /// The way of static tunnels that go by `gateway` has changed.
    func republishStatic(by gateway: IPAddress? = nil, at now: Instant) {
        for (id, entry) in feed.tunnels.sorted(by: { $0.key < $1.key }) {
            if let gateway, entry.heldAddress.map({ host.route(to: $0)?.gateway }) != gateway { continue }
            do { try table.publishTunnel(id, path(of: entry)) } catch {
                logger.error("static tunnel cannot be rewritten: \(error)", metadata: ["tunnel": "\(id)"])
            }
        }
        scheduleReclaim(at: now)
    }

    // MARK: Sessions

    private func add(_ session: StaticSession) throws(StaticFault) -> StaticResult {
        guard feed.sessions[session.reference] == nil else {
            throw StaticFault(.alreadyExists, "there is a static session with reference \(session.reference)")
        }
        guard let port = port(named: session.port) else {
            throw StaticFault(.notFound, "there is no port named '\(session.port)'")
        }
        guard let tunnel = feed.id(session.tunnel) else {
            throw StaticFault(.notFound, "there is no such static tunnel")
        }
        guard session.peerSessionID != 0 else { throw StaticFault(.invalid, "peer session id 0 names no session") }
        guard !session.clientMAC.isMulticast, session.clientMAC.value != 0 else {
            throw StaticFault(.invalid, "\(session.clientMAC) is no station's address")
        }
        let circuit = AttachmentCircuit(
            port: port.index, outerVLAN: session.outerVLAN, innerVLAN: session.innerVLAN)
        let tpid = session.outerTPID != 0 || session.outerVLAN == 0 ? session.outerTPID : 0x8100
        do {
            let added = try table.addExternal(
                ExternalSession(
                    circuit: circuit, outerTPID: tpid, client: session.clientMAC, tunnel: tunnel,
                    peerSessionID: session.peerSessionID, reference: session.reference))
            var hasTunnelName = false
            if case .name = session.tunnel { hasTunnelName = true }
            feed.insert(
                .init(
                    clientMAC: session.clientMAC, upstream: added.upstream, downstream: added.downstream,
                    port: port.index, outerVLAN: session.outerVLAN, innerVLAN: session.innerVLAN, outerTPID: tpid,
                    tunnel: tunnel, peerSessionID: session.peerSessionID, hasTunnelName: hasTunnelName),
                as: session.reference)
            return .sessionAdded(
                pppoeSessionID: added.upstream.sessionID, sessionID: added.downstream.sessionID, tunnelID: tunnel)
        } catch { throw StaticFault(.exhausted, "\(error)") }
    }

    /// `isAskedFor`: somebody will ask for the final counters.
    private func removeStaticSession(
        _ reference: UInt64, isAskedFor: Bool, at now: Instant
    ) throws(StaticFault) -> SessionTraffic {
        guard let entry = feed.removeSession(reference) else {
            throw StaticFault(.notFound, "there is no static session with reference \(reference)")
        }
        let traffic = table.traffic(upstream: entry.upstream.slot)
        giveBack(upstream: entry.upstream.slot)
        if isAskedFor { feed.removed[reference] = .some(nil) }
        agenda.schedule(.reclaim, at: now)
        return traffic
    }

    /// Takes note of final counters, where somebody may still ask for them.
    func collectStatic() {
        for (reference, traffic) in table.finishedExternal() where feed.removed[reference] != nil {
            feed.removed[reference] = .some(traffic)
        }
    }

    func port(named name: String) -> NodePort? { ports.first { $0.name == name } }
}
