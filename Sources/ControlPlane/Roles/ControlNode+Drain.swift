import L2TP
import Observability
import Timing
import Wire

/// Draining: what is up stays up, and nothing new comes. A tunnel that is drained, or whose destination is, is closed when its last
/// session has ended.
extension ControlNode {
    /// Takes no new sessions on `target`, or takes them again; answers what is still up there.
    public func drain(_ target: DrainTarget, _ isDrained: Bool, at now: Instant) throws(ClearFault) -> DrainOutcome {
        var affected: [UInt16] = []
        var clients: (Connection) -> Bool = { _ in false }
        switch target {
        case .system:
            isDraining = isDrained
            clients = { _ in true }
        case .destination(let address):
            if isDrained { drained.insert(address) } else { drained.remove(address) }
            affected = liveTunnels { $0.destination.address == address }
        case .tunnel(let id):
            guard tunnels[id] != nil else { throw .notFound("no tunnel \(id)") }
            affected = [id]
        case .tunnelNamed(let name):
            affected = liveTunnels { $0.name == name }
            guard !affected.isEmpty else { throw .notFound("no tunnel named '\(name)'") }
        case .instance(let name):
            guard configuration.accessConcentrator(name) != nil else {
                throw .notFound("no pppoe-ac instance named '\(name)'")
            }
            if isDrained { drainedInstances.insert(name) } else { drainedInstances.remove(name) }
            clients = { $0.request.instance.name == name }
        case .interface(let name):
            guard let port = ports.first(where: { $0.name == name })?.index else {
                throw .notFound("no port named '\(name)'")
            }
            if isDrained { drainedPorts.insert(port) } else { drainedPorts.remove(port) }
            clients = { $0.circuit.port == port }
        }
        changed.node = true
        for id in affected { setDraining(id, isDrained, at: now) }
        logger.notice("\(isDrained ? "drained" : "not drained any more")", metadata: ["what": "\(target.text)"])
        let calls = affected.reduce(0) { $0 + (tunnels[$1]?.calls.count ?? 0) }
        let served = connections.values.filter(clients)
        return DrainOutcome(
            draining: isDrained, tunnels: UInt32(clamping: affected.count),
            sessions: UInt32(clamping: calls + served.count { $0.call != nil }),
            connections: UInt32(clamping: calls + served.count))
    }

    private func setDraining(_ id: UInt16, _ isDraining: Bool, at now: Instant) {
        guard let record = tunnels[id], record.machine.end == nil else { return }
        tunnels[id]?.isDraining = isDraining
        changed.tunnels.insert(id)
        if isDraining {
            closeIfDrained(id, at: now)
        } else if !record.isVacant {
            tunnels[id]?.isVacant = true
            destinations[record.destination]?.vacant.append(id)
        }
    }

    /// Closes a tunnel that is drained once it is empty.
    func closeIfDrained(_ id: UInt16, at now: Instant) {
        guard let record = tunnels[id], record.isDraining, record.calls.isEmpty, record.machine.end == nil else {
            return
        }
        stopTunnel(id, .init(.clear, message: "drained"), at: now)
    }

    /// Why a new client is not served now; nil: it is.
    func drainedFor(instance: String, port: UInt16) -> AdmissionError? {
        if isDraining { return .draining("the access concentrator") }
        if drainedInstances.contains(instance) { return .draining("pppoe-ac \(instance)") }
        if drainedPorts.contains(port) { return .draining("interface \(portName(port))") }
        return nil
    }

    /// What is drained, in a fixed order.
    public var drainedTargets: [DrainTarget] {
        (isDraining ? [.system] : []) + drained.sorted { "\($0)" < "\($1)" }.map { .destination($0) }
            + tunnels.values.filter { $0.isDraining && $0.machine.end == nil }.map(\.id).sorted().map { .tunnel($0) }
            + drainedInstances.sorted().map { .instance($0) }
            + drainedPorts.sorted().map { .interface(portName($0)) }
    }
}

/// Destinations, level two of system, destination, tunnel, session.
extension ControlNode {
    /// Every LNS that there is something to say of, by address, then profile.
    public func destinationSnapshots(_ address: IPAddress? = nil, at now: Instant) -> [DestinationSnapshot] {
        let keys = destinations.keys.filter { address == nil || $0.address == address }
        let lone = Set(heldDown.keys.filter { isHeldDown($0, at: now) }).union(drained)
            .subtracting(destinations.keys.map(\.address)).filter { address == nil || $0 == address }
        return
            (keys.map { snapshot(of: $0, at: now) }
            + lone.map {
                DestinationSnapshot(address: $0, profile: "", state: drained.contains($0) ? .draining : .holdDown)
            })
            .sorted {
                ("\($0.address)", $0.profile, $0.tunnels.first ?? 0) < (
                    "\($1.address)", $1.profile, $1.tunnels.first ?? 0
                )
            }
    }

    private func snapshot(of key: Destination.Key, at now: Instant) -> DestinationSnapshot {
        let destination = destinations[key] ?? Destination()
        let established = destination.tunnels.filter { tunnels[$0]?.machine.state == .established }
        let state: DestinationState =
            if drained.contains(key.address) {
                .draining
            } else if isHeldDown(key.address, at: now) {
                .holdDown
            } else if !established.isEmpty {
                .up
            } else {
                destination.tunnels.isEmpty ? .idle : .connecting
            }
        var snapshot = DestinationSnapshot(address: key.address, profile: key.profile, state: state)
        snapshot.tunnels = destination.tunnels.sorted()
        snapshot.establishedTunnels = UInt32(clamping: established.count)
        snapshot.sessions = UInt32(clamping: destination.calls)
        snapshot.attempts = UInt32(clamping: destination.attempts)
        snapshot.retryAt = destination.retryAt.map(timestamp)
        snapshot.preference = destination.preference
        snapshot.lastFailure = destination.lastFailure
        var traffic = SessionTraffic()
        for call in destination.tunnels.compactMap({ tunnels[$0] }).flatMap(\.calls.values) where call.isForwarding {
            traffic += table.traffic(upstream: call.upstreamSlot)
        }
        snapshot.data = Traffic(traffic)
        return snapshot
    }
}
