import Configuration
import Host
import L2TP
import Logging
import RADIUS
import Timing
import Wire

/// A changed configuration taken into force while the node runs: what did not change keeps its sessions.
///
/// - Clients whose instance is gone, or is not served any more where they are, are told so by PADT. Other settings of an instance are
///   for clients that come from now on.
/// - A tunnel whose profile is gone, or that has no way to its LNS any more, ends. Where the profile's control settings have changed, the
///   tunnel takes no new calls and goes with its last one; calls that come from now on get a tunnel with the new settings. What
///   concerns the path (MTU, type of service, checksums, pads) is in force at once.
/// - RADIUS requests under way go on to servers that stay.
extension ControlNode {
    /// Takes `new` into force. What belongs to the data plane, to sockets and to files is the caller's.
    public func apply(_ new: Configuration, at now: Instant) {
        let old = configuration
        let newAccess = AccessInterface.all(of: new, ports: ports, cookie: cookie)
        // Who is served no more is told by the old settings, while they are there.
        endConnections(notServedBy: newAccess, at: now)
        // Likewise by the old routes.
        let held = tunnels.values.map { ($0.id, $0.destination.address) }.sorted { $0.0 < $1.0 }
        let heldByFeed = feed.tunnels.sorted { $0.key < $1.key }.compactMap(\.value.heldAddress)
        for (_, address) in held { host.release(address) }
        for address in heldByFeed { host.release(address) }
        configuration = new
        access = newAccess
        perform(
            host.reconfigure(
                interfaces: ports.compactMap { $0.hostInterface(of: new) },
                routes: new.routes.map { StaticRoute(prefix: $0.prefix, nextHop: $0.nextHop) }, at: now), at: now)
        for address in heldByFeed { hold(address, "a controller's tunnel", at: now) }
        for (id, address) in held { hold(address, "tunnel \(id)", at: now) }
        perform(radius.apply(RADIUSClientConfiguration(new), at: now), at: now)
        dynamicAuthorization.apply(.init(new.radius))
        dropRecords(ofGroupsOtherThan: Set(new.radiusGroups.map(\.name)))
        drainedInstances.formIntersection(new.accessConcentrators.map(\.name))
        changed.node = true
        for (id, _) in held { applyToTunnel(id, old, at: now) }
        for key in destinations.keys where new.l2tpProfile(key.profile) == nil { forget(key) }
        republishStatic(at: now)
        for group in accountingGroups where !old.accessConcentrators.contains(where: { $0.accounting?.group == group })
        {
            accountingOn(group: group, at: now)
        }
        sendRecords(at: now)
        logger.notice("configuration reloaded")
    }

    private func hold(_ address: IPAddress, _ what: String, at now: Instant) {
        do { perform(try host.hold(address, at: now), at: now) } catch {
            logger.warning("no way to \(address) any more", metadata: ["for": "\(what)"])
        }
    }

    private func endConnections(notServedBy newAccess: [UInt16: [AccessInterface]], at now: Instant) {
        let text = "service withdrawn"
        for (slot, connection) in connections.sorted(by: { $0.key < $1.key }) {
            let name = connection.request.instance.name
            let interface = newAccess[connection.circuit.port]?.first { $0.serves(connection.circuit) }
            guard interface?.discovery.instances.contains(where: { $0.name == name }) != true else { continue }
            logger.notice("\(text): the configuration serves the client no more", metadata: metadata(of: connection))
            if let call = connection.call {
                connections[slot]?.call = nil
                closeCall(call, .init(.administrative, message: text), initiator: .operator, at: now)
            }
            removeConnection(slot, telling: text, at: now)
        }
    }

    private func applyToTunnel(_ id: UInt16, _ old: Configuration, at now: Instant) {
        guard let record = tunnels[id], record.machine.end == nil else { return }
        guard let profile = configuration.l2tpProfile(record.destination.profile) else {
            return stopTunnel(id, .init(.clear, message: "its profile was removed"), at: now)
        }
        let source = record.destination.overrides.source ?? profile.source
        guard let route = host.route(to: record.peer.address), host.owns(record.local.address) else {
            return stopTunnel(id, .init(.clear, message: "there is no way to it any more"), at: now)
        }
        let isElsewhere = (source ?? route.source) != record.local.address
        if isElsewhere || tunnelConfiguration(of: profile, record.destination.overrides) != record.machine.configuration
        {
            logger.notice("tunnel is replaced: its settings have changed", metadata: metadata(ofTunnel: id))
            tunnels[id]?.isDraining = true
            changed.tunnels.insert(id)
            if record.calls.isEmpty { return closeIfDrained(id, at: now) }
        }
        // Also where only the route has changed.
        if record.isPublished { publish(id, at: now) }
    }

    /// Records of groups that are gone can never be sent.
    private func dropRecords(ofGroupsOtherThan groups: Set<String>) {
        let dropped = records.dropGroups(otherThan: groups)
        guard !dropped.isEmpty else { return }
        journal.remove(dropped)
        accountingCounters[.lost] += UInt64(dropped.count)
        logger.error(
            "accounting records are lost: their server group was removed", metadata: ["records": "\(dropped.count)"])
    }
}
