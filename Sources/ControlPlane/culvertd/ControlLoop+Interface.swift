import CSegment
import Observability
import RPC
import Roles
import Segment
import Timing
import Wire

/// What the RPC server asks, answered on the control thread.
extension ControlLoop: ControlPlaneInterface {
    func tunnels(
        _ filter: TunnelFilter, detail: Bool, from page: PageToken?, limit: Int
    ) async throws -> Page<TunnelSnapshot> {
        switch filter {
        case .id(let id):
            guard let snapshot = node.tunnelSnapshot(id, detail: detail) else {
                throw ControlPlaneError(.notFound, "no tunnel \(id)")
            }
            return Page([snapshot])
        case .name(let name):
            let found = node.tunnelIDs(named: name).compactMap { node.tunnelSnapshot($0, detail: detail) }
            guard !found.isEmpty else { throw ControlPlaneError(.notFound, "no tunnel named '\(name)'") }
            return Page(found)
        case .all, .remoteAddress:
            let wanted: IPAddress? = if case .remoteAddress(let address) = filter { address } else { nil }
            let part = node.tunnelIDs(from: UInt16(clamping: page?.position ?? 0), limit: limit)
            return Page(part) { id in
                node.tunnelSnapshot(id, detail: detail).flatMap {
                    wanted == nil || $0.remoteAddress == wanted ? $0 : nil
                }
            }
        }
    }

    func sessions(
        _ filter: SessionFilter, detail: Bool, from page: PageToken?, limit: Int
    ) async throws -> Page<SessionSnapshot> {
        if let tunnel = filter.tunnelID, node.tunnelSnapshot(tunnel, detail: false) == nil {
            throw ControlPlaneError(.notFound, "no tunnel \(tunnel)")
        }
        func snapshot(_ position: UInt32) -> SessionSnapshot? {
            node.sessionSnapshot(
                UInt16(truncatingIfNeeded: position >> 16), UInt16(truncatingIfNeeded: position), detail: detail
            ).flatMap { filter.userName == nil || $0.userName == filter.userName ? $0 : nil }
        }
        if filter.sessionID != nil || filter.name != nil {
            let found = positions(filter).compactMap(snapshot)
            guard !found.isEmpty else {
                throw ControlPlaneError(.notFound, "no session \(filter.name ?? "\(filter.sessionID ?? 0)")")
            }
            return Page(found)
        }
        let part = node.sessionPositions(
            inTunnel: filter.tunnelID, from: UInt32(clamping: page?.position ?? 0), limit: limit)
        return Page(part, make: snapshot)
    }

    /// Where sessions are that a filter names by id or name.
    private func positions(_ filter: SessionFilter) -> [UInt32] {
        var found: [UInt32]
        if let name = filter.name {
            found = ControlNode.position(ofSessionNamed: name).map { [$0] } ?? []
        } else {
            let session = filter.sessionID ?? 0
            found = node.tunnels(withSession: session).map { UInt32($0) << 16 | UInt32(session) }
        }
        if let session = filter.sessionID { found = found.filter { $0 & 0xffff == UInt32(session) } }
        if let tunnel = filter.tunnelID { found = found.filter { $0 >> 16 == UInt32(tunnel) } }
        return found
    }

    func connections(
        _ filter: ConnectionFilter, from page: PageToken?, limit: Int
    ) async throws -> Page<PPPoEConnectionSnapshot> {
        if let instance = filter.instance, !node.instanceNames.contains(instance) {
            throw ControlPlaneError(.notFound, "no pppoe-ac instance named '\(instance)'")
        }
        func snapshot(_ route: UInt32) -> PPPoEConnectionSnapshot? {
            guard let snapshot = node.connectionSnapshot(route),
                filter.instance == nil || snapshot.instance == filter.instance,
                filter.clientMAC == nil || snapshot.clientMAC == filter.clientMAC,
                filter.userName == nil || snapshot.userName == filter.userName
            else { return nil }
            return snapshot
        }
        if let route = filter.routeID {
            guard node.connectionSnapshot(route) != nil else { throw ControlPlaneError(.notFound, "no route \(route)") }
            return Page(snapshot(route).map { [$0] } ?? [])
        }
        return Page(node.routeIDs(from: UInt32(clamping: page?.position ?? 0), limit: limit), make: snapshot)
    }

    func statistics() async throws -> ACStatistics { node.statistics }

    func watch(initial: Bool) async throws -> AsyncThrowingStream<Event, any Error> {
        guard initial else { return events.watch(at: .now()) }
        var present: [Event.Kind] = []
        for tunnel in node.tunnelIDs {
            guard let snapshot = node.tunnelSnapshot(tunnel), snapshot.state == .established else { continue }
            present.append(.tunnelUp(snapshot))
            for session in node.sessionIDs(inTunnel: tunnel) {
                guard let snapshot = node.sessionSnapshot(tunnel, session), snapshot.state == .established else {
                    continue
                }
                present.append(.sessionUp(snapshot))
            }
        }
        return events.watch(initial: present, at: .now())
    }

    func clear(_ target: ClearTarget) async throws -> ClearOutcome {
        do throws(ControlNode.ClearFault) {
            return try node.clear(target, at: .now())
        } catch { throw ControlPlaneError(error) }
    }

    func setPolicers(
        of session: SessionName, upstream: PolicerChange, downstream: PolicerChange
    ) async throws -> SessionPolicers {
        do throws(ControlNode.PolicerFault) {
            return try node.setPolicers(of: session, upstream: upstream, downstream: downstream)
        } catch {
            switch error {
            case .notFound(let message): throw ControlPlaneError(.notFound, message)
            case .ambiguous(let message): throw ControlPlaneError(.ambiguous, message)
            case .refused(let message): throw ControlPlaneError(.exhausted, message)
            }
        }
    }

    // MARK: Static feed

    func apply(_ operations: [StaticOperation]) async throws -> [StaticResult] {
        var results = node.apply(operations, at: .now())
        for (index, operation) in operations.enumerated() {
            guard case .removeSession(let reference) = operation, case .sessionRemoved = results[index] else {
                continue
            }
            // Workers pass a quiescent point within microseconds; without a data plane there is nothing to wait for.
            for _ in 0..<Self.finalCounterLooks {
                if let traffic = node.finalTraffic(reference) {
                    results[index] = .sessionRemoved(traffic)
                    break
                }
                try await Task.sleep(for: .milliseconds(1))
            }
            node.forgetFinalTraffic(reference)
        }
        return results
    }

    private static let finalCounterLooks = 1_000

    func staticTunnels(
        _ reference: StaticTunnelReference?, from page: PageToken?, limit: Int
    ) async throws -> Page<StaticTunnelStatus> {
        let ids = try reference.map { [try staticTunnel($0)] } ?? node.staticTunnelIDs
        return Page(of: ids, from: page, limit: limit, position: UInt64.init) { node.staticTunnelStatus($0) }
    }

    func staticSessions(
        _ reference: StaticTunnelReference?, from page: PageToken?, limit: Int
    ) async throws -> Page<StaticSessionStatus> {
        let tunnel = try reference.map(staticTunnel)
        let found = node.staticSessions(inTunnel: tunnel, from: page?.position ?? 0, limit: limit)
        return Page(found.sessions, next: found.next.map { PageToken(position: $0) })
    }

    private func staticTunnel(_ reference: StaticTunnelReference) throws -> UInt16 {
        guard let id = node.staticTunnelID(reference) else {
            throw ControlPlaneError(.notFound, "no such static tunnel")
        }
        return id
    }
}

extension ControlPlaneError {
    init(_ fault: ControlNode.ClearFault) {
        switch fault {
        case .notFound(let message): self.init(.notFound, message)
        case .ambiguous(let message): self.init(.ambiguous, message)
        }
    }
}

extension Page {
    /// The page of a part of a list. Elements that `make` refuses are left out.
    init<ID: FixedWidthInteger>(_ part: ControlNode.Part<ID>, make: (ID) -> Element?) {
        self.init(part.ids.compactMap(make), next: part.next.map { PageToken(position: UInt64($0)) })
    }

    /// The page of a list in ascending order that begins at `page`'s position. Elements that `make` refuses are left out.
    init<ID>(
        of ids: [ID], from page: PageToken?, limit: Int, position: (ID) -> UInt64, make: (ID) -> Element?
    ) {
        var elements: [Element] = []
        let start = page?.position ?? 0
        for id in ids where position(id) >= start {
            if elements.count >= limit {
                self.init(elements, next: PageToken(position: position(id)))
                return
            }
            if let element = make(id) { elements.append(element) }
        }
        self.init(elements)
    }
}
