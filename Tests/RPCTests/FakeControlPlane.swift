import Observability
import RPC
import Wire

/// A control plane without a network: tunnels and sessions by number, a static feed in dictionaries.
actor FakeControlPlane: ControlPlaneInterface {
    static let start = Timestamp(seconds: 1_464_783_925)

    let events = EventBroadcaster(backlog: 64)
    private var tunnelTable: [UInt16: TunnelSnapshot] = [:]
    private var sessionTable: [UInt32: SessionSnapshot] = [:]
    private var staticTunnelTable: [UInt16: StaticTunnel] = [:]
    private var staticSessionTable: [UInt64: StaticSessionStatus] = [:]
    private var dataPlaneIsThere = true
    private(set) var pagesRead = 0
    private(set) var cleared: [ClearTarget] = []
    let debugLines = DebugBroadcaster(backlog: 64)
    var rules: [DebugRule] = []
    var drained: [DrainTarget] = []
    var statisticsAreCleared = false
    /// What a reload finds; nil: what it finds is applied.
    var reloadFaults: [FileFault] = []
    private(set) var captured: [SessionName] = []
    private(set) var openCaptures = 0

    /// `tunnels` tunnels with local ids from 1 on, each with `sessionsPerTunnel` sessions.
    init(tunnels: UInt16 = 2, sessionsPerTunnel: UInt16 = 2) {
        for id in 1...max(1, tunnels) where tunnels > 0 {
            tunnelTable[id] = Self.tunnel(id, sessions: UInt32(sessionsPerTunnel))
            for session in 1...max(1, sessionsPerTunnel) where sessionsPerTunnel > 0 {
                sessionTable[UInt32(id) << 16 | UInt32(session)] = Self.session(session, tunnel: id)
            }
        }
    }

    static func tunnel(_ id: UInt16, sessions: UInt32) -> TunnelSnapshot {
        var tunnel = TunnelSnapshot(
            id: id, name: "tunnel\(id)", localAddress: .v4(IPv4Address(value: 0xc000_0201)),
            remoteAddress: .v4(IPv4Address(value: 0xc633_6401 + UInt32(id % 4))), state: .established, createdAt: start,
            mode: .lac)
        tunnel.remoteTunnelID = id &+ 1_000
        tunnel.remoteHostName = "lns\(id)"
        tunnel.remoteVendorName = "xelerance.com"
        tunnel.authorization = .challenge
        tunnel.sessionCount = sessions
        tunnel.profile = "isp"
        tunnel.settings.helloTimeoutSeconds = 60
        tunnel.settings.rxWindowSize = 10
        tunnel.settings.framing = FramingTypes(sync: true, async: true)
        tunnel.settings.bearer = BearerTypes(digital: true)
        tunnel.settings.tosInherit = true
        tunnel.settings.useTieBreaker = true
        tunnel.settings.tieBreaker = [0x88, 0x95, 0x39, 0x14, 0x88, 0x9c, 0x44, UInt8(truncatingIfNeeded: id)]
        tunnel.settings.failover = "rfc4951"
        tunnel.settings.recoveryTimeSeconds = 120
        tunnel.recoveries = 2
        tunnel.recovering = true
        tunnel.peer.failoverControl = true
        tunnel.peer.failoverData = true
        tunnel.peer.recoveryTimeMilliseconds = 30_000
        tunnel.peer.protocolVersion = 1
        tunnel.peer.firmwareRevision = 1_680
        tunnel.peer.framing = FramingTypes(sync: true)
        tunnel.transport.ns = 39
        tunnel.transport.nr = 8
        tunnel.transport.hellosSent = 35
        tunnel.transport.control = Traffic(rxPackets: 45, rxOctets: 725, txPackets: 46, txOctets: 1_024)
        tunnel.data = Traffic(
            rxPackets: UInt64(id), rxOctets: 0xffff_ffff_ffff_fff0, txPackets: 7, txOctets: 9_007_199_254_740_993)
        tunnel.memoryOctets = 2_065
        tunnel.events = [
            StateTransition(time: start, event: "OPEN_REQ", state: "IDLE", newState: "WAITCTLREPLY"),
            StateTransition(
                time: Timestamp(nanoseconds: start.nanoseconds + 1_250_000_000), event: "SCCRP_ACCEPT",
                state: "WAITCTLREPLY", newState: "ESTABLISHED"),
        ]
        return tunnel
    }

    static func session(_ id: UInt16, tunnel: UInt16) -> SessionSnapshot {
        var session = SessionSnapshot(
            id: id, tunnelID: tunnel, tunnelName: "tunnel\(tunnel)", state: .established, createdAt: start,
            type: .lacIncoming)
        session.interfaceName = "access0.\(100 + tunnel % 100)"
        session.remoteSessionID = id &+ 20_000
        session.establishTimeoutSeconds = 120
        session.name = "session-\(tunnel)-\(id)"
        session.profile = "isp"
        session.callSerialNumber = UInt32(tunnel) << 16 | UInt32(id)
        session.framing = FramingTypes(sync: true)
        session.userName = "user\(id)@isp\(tunnel).example"
        session.clientMAC = MACAddress(value: 0x0200_0000_0000 | UInt64(tunnel) << 16 | UInt64(id))
        session.pppoeSessionID = id
        session.routeID = UInt32(tunnel) << 16 | UInt32(id)
        session.data = Traffic(rxPackets: 3_621, rxOctets: 5_272_542, txPackets: 3_620, txOctets: 5_301_510)
        session.events = [
            StateTransition(time: start, event: "INCALL_IND", state: "IDLE", newState: "WAITTUNNEL")
        ]
        return session
    }

    /// Takes the data plane away.
    func removeDataPlane() { dataPlaneIsThere = false }

    /// Lets the next reload find faults.
    func setReloadFaults(_ faults: [FileFault]) { reloadFaults = faults }

    /// The tunnels that there are, in order.
    var allTunnels: [TunnelSnapshot] { tunnelTable.sorted { $0.key < $1.key }.map(\.value) }
    /// The sessions that there are, in order.
    var allSessions: [SessionSnapshot] { sessionTable.sorted { $0.key < $1.key }.map(\.value) }

    func captureBegins(_ session: SessionName) {
        captured.append(session)
        openCaptures += 1
    }

    func captureEnds() { openCaptures -= 1 }

    // MARK: ControlPlaneInterface

    func status() -> StatusSnapshot {
        var dataPlane = DataPlaneStatus()
        dataPlane.alive = dataPlaneIsThere
        dataPlane.epoch = 3
        dataPlane.pid = 4_711
        dataPlane.uptimeSeconds = 93_784
        dataPlane.heartbeatAgeMilliseconds = 1
        dataPlane.workers = 2
        dataPlane.ports = 2
        dataPlane.layoutVersion = 1
        var status = StatusSnapshot(
            version: "0.1.0", startedAt: Self.start, uptimeSeconds: 93_785, controlEpoch: 2,
            configurationPath: "/etc/culvert/culvert.yaml", dataPlane: dataPlane,
            capacities: [
                Capacity(
                    name: "sessions", text: "sessions in the segment", used: UInt64(sessionTable.count),
                    capacity: 65_536),
                Capacity(
                    name: "tunnels", text: "tunnels in the segment", used: UInt64(tunnelTable.count), capacity: 8_192),
            ])
        status.hostName = "lac1"
        status.store.state = .failing
        status.store.commits = 81_001
        status.store.changes = 81_002
        status.store.waiting = 3
        status.store.waitMilliseconds = 4
        status.store.early = 5
        status.drained = drained
        return status
    }

    /// A page of what `table` holds at keys from the token's position on, in their order.
    private func page<Key: FixedWidthInteger & Sendable, Value: Sendable>(
        _ table: [Key: Value], _ token: PageToken?, _ limit: Int
    ) -> Page<Value> {
        pagesRead += 1
        let keys = table.keys.filter { UInt64($0) >= token?.position ?? 0 }.sorted()
        return Page(
            keys.prefix(limit).compactMap { table[$0] },
            next: keys.count > limit ? PageToken(position: UInt64(keys[limit])) : nil)
    }

    func tunnels(
        _ filter: TunnelFilter, detail: Bool, from token: PageToken?, limit: Int
    ) throws -> Page<TunnelSnapshot> {
        let chosen = tunnelTable.filter { id, tunnel in
            switch filter {
            case .all: true
            case .id(let wanted): id == wanted
            case .name(let name): tunnel.name == name
            case .remoteAddress(let address): tunnel.remoteAddress == address
            }
        }
        if case .name(let name) = filter, chosen.isEmpty {
            throw ControlPlaneError(.notFound, "there is no tunnel named '\(name)'")
        }
        if case .id(let id) = filter, chosen.isEmpty { throw ControlPlaneError(.notFound, "there is no tunnel \(id)") }
        return page(
            chosen.mapValues { tunnel in
                var tunnel = tunnel
                if !detail { tunnel.events = [] }
                return tunnel
            }, token, limit)
    }

    func sessions(
        _ filter: SessionFilter, detail: Bool, from token: PageToken?, limit: Int
    ) throws -> Page<SessionSnapshot> {
        if let id = filter.tunnelID, tunnelTable[id] == nil {
            throw ControlPlaneError(.notFound, "there is no tunnel \(id)")
        }
        let chosen = sessionTable.filter { _, session in
            (filter.tunnelID ?? session.tunnelID) == session.tunnelID
                && (filter.sessionID ?? session.id) == session.id
                && (filter.userName ?? session.userName) == session.userName
                && (filter.name ?? session.name) == session.name
        }
        if filter.sessionID != nil || filter.name != nil, chosen.isEmpty {
            throw ControlPlaneError(.notFound, "there is no session \(filter.name ?? "\(filter.sessionID ?? 0)")")
        }
        return page(
            chosen.mapValues { session in
                var session = session
                if !detail { session.events = [] }
                return session
            }, token, limit)
    }

    func connections(
        _ filter: ConnectionFilter, from token: PageToken?, limit: Int
    ) throws -> Page<PPPoEConnectionSnapshot> {
        if let instance = filter.instance, instance != "ac1" {
            throw ControlPlaneError(.notFound, "there is no pppoe-ac named '\(instance)'")
        }
        let chosen = sessionTable.filter { _, session in
            (filter.routeID ?? session.routeID) == session.routeID
                && (filter.clientMAC ?? session.clientMAC) == session.clientMAC
                && (filter.userName ?? session.userName) == session.userName
        }
        return page(
            chosen.mapValues { session in
                var connection = PPPoEConnectionSnapshot(
                    routeName: "ac1-access0", routeID: session.routeID, instance: "ac1", state: .open,
                    createdAt: Self.start, interfaceName: session.interfaceName,
                    pppoeSessionID: session.pppoeSessionID, clientMAC: session.clientMAC)
                connection.outerVLAN = 100 + session.tunnelID % 100
                connection.serviceName = "my_isp"
                connection.userName = session.userName
                connection.tunnelID = session.tunnelID
                connection.sessionID = session.id
                connection.mru = 1_492
                return connection
            }, token, limit)
    }

    func statistics() -> ACStatistics {
        var statistics = ACStatistics()
        guard !statisticsAreCleared else { return statistics }
        for (index, counter) in ACCounter.allCases.enumerated() { statistics[counter] = UInt64(index) * 3 }
        return statistics
    }

    func ports() throws -> [PortSnapshot] {
        guard dataPlaneIsThere else { throw ControlPlaneError(.unavailable, "culvert-dataplane is not running") }
        var access = PortSnapshot(
            index: 0, name: "access0", device: "net_af_packet0", mac: MACAddress(value: 0x0200_0000_0001), mtu: 1_500,
            linkUp: true)
        access.linkSpeedMbps = 10_000
        access.access = true
        access.counters = [
            NamedCounter(name: "rx_frames", text: "frames received", value: 18_446_744_073_709_551_615),
            NamedCounter(name: "tx_frames", text: "frames sent", value: 5),
        ]
        var core = PortSnapshot(
            index: 1, name: "core0", device: "net_af_packet1", mac: MACAddress(value: 0x0200_0000_0002), mtu: 9_000,
            linkUp: false)
        core.core = true
        core.dispatch = .software
        core.addresses = [.v4(IPv4Address(value: 0xc000_0201))]
        return [access, core]
    }

    func counters(perWorker: Bool) throws -> DataPlaneCounters {
        guard dataPlaneIsThere else { throw ControlPlaneError(.unavailable, "culvert-dataplane is not running") }
        func readings(_ factor: UInt64) -> [NamedCounter] {
            [
                NamedCounter(name: "forwarded", text: "frames forwarded", value: 1_000 * factor),
                NamedCounter(name: "drop_short", text: "dropped: too short", value: 0),
                NamedCounter(name: "drop_peer", text: "dropped: wrong peer", value: 3 * factor),
            ]
        }
        let workers = (0..<2).map { index in
            WorkerCounters(
                index: UInt32(index), lcore: UInt32(index) + 1, numaNode: 0, running: true, loops: 5_000_000_000,
                busyLoops: 7, heartbeatAgeMilliseconds: 1, counters: readings(UInt64(index) + 1))
        }
        return DataPlaneCounters(total: readings(3), workers: perWorker ? workers : [])
    }

    func watch(initial: Bool) -> AsyncThrowingStream<Event, any Error> {
        let present =
            tunnelTable.sorted { $0.key < $1.key }.map { Event.Kind.tunnelUp($0.value) }
            + sessionTable.sorted { $0.key < $1.key }.map { .sessionUp($0.value) }
        return events.watch(initial: initial ? present : nil, at: Self.start)
    }

    func clear(_ target: ClearTarget) throws -> ClearOutcome {
        cleared.append(target)
        let cause = Cause(initiator: .operator, resultCode: 3, errorCode: 0, message: "cleared")
        switch target {
        case .session(let id, let tunnel):
            let found = sessionTable.filter { $0.value.id == id && (tunnel ?? $0.value.tunnelID) == $0.value.tunnelID }
            guard let (key, session) = found.first else {
                throw ControlPlaneError(.notFound, "there is no session \(id)")
            }
            guard found.count == 1 else {
                throw ControlPlaneError(.ambiguous, "session \(id) exists in \(found.count) tunnels: name the tunnel")
            }
            sessionTable[key] = nil
            events.publish(.sessionDown(session, cause), at: Self.start)
            return ClearOutcome(sessions: 1, connections: 1)
        case .tunnelNamed(let name):
            guard let (id, tunnel) = tunnelTable.first(where: { $0.value.name == name }) else {
                throw ControlPlaneError(.notFound, "there is no tunnel named '\(name)'")
            }
            let sessions = sessionTable.filter { $0.value.tunnelID == id }.sorted { $0.key < $1.key }
            for (key, session) in sessions {
                sessionTable[key] = nil
                events.publish(.sessionDown(session, cause), at: Self.start)
            }
            tunnelTable[id] = nil
            events.publish(.tunnelDown(tunnel, cause), at: Self.start)
            return ClearOutcome(tunnels: 1, sessions: UInt32(sessions.count), connections: UInt32(sessions.count))
        case .everything:
            defer { (tunnelTable, sessionTable) = ([:], [:]) }
            return ClearOutcome(
                tunnels: UInt32(tunnelTable.count), sessions: UInt32(sessionTable.count),
                connections: UInt32(sessionTable.count))
        case .destination, .tunnel, .connection, .allConnections, .instance, .interface: return ClearOutcome()
        }
    }

    func setPolicers(
        of session: SessionName, upstream: PolicerChange, downstream: PolicerChange
    ) throws -> SessionPolicers {
        guard case .l2tp(let id, let tunnel?) = session,
            let key = sessionTable.first(where: { $0.value.id == id && $0.value.tunnelID == tunnel })?.key
        else { throw ControlPlaneError(.notFound, "there is no \(session)") }
        func changed(_ change: PolicerChange, _ old: PolicerSettings?) -> PolicerSettings? {
            switch change {
            case .keep: old
            case .set(let settings): settings
            case .remove: nil
            }
        }
        let old = sessionTable[key]?.policers ?? SessionPolicers()
        let policers = SessionPolicers(
            upstream: changed(upstream, old.upstream), downstream: changed(downstream, old.downstream))
        sessionTable[key]?.policers = policers
        return policers
    }

    func apply(_ operations: [StaticOperation]) -> [StaticResult] {
        operations.map { operation in
            do throws(StaticFault) {
                return try apply(operation)
            } catch {
                return .refused(error)
            }
        }
    }

    /// The local id of the static tunnel that `reference` names.
    private func staticTunnelID(_ reference: StaticTunnelReference) throws(StaticFault) -> UInt16 {
        switch reference {
        case .id(let id):
            if staticTunnelTable[id] != nil { return id }
            throw StaticFault(.notFound, "there is no static tunnel \(id)")
        case .name(let name):
            if let id = staticTunnelTable.first(where: { $0.value.name == name })?.key { return id }
            throw StaticFault(.notFound, "there is no static tunnel named '\(name)'")
        }
    }

    private func apply(_ operation: StaticOperation) throws(StaticFault) -> StaticResult {
        switch operation {
        case .addTunnel(let tunnel):
            guard !staticTunnelTable.values.contains(where: { $0.name == tunnel.name }) else {
                throw StaticFault(.alreadyExists, "there is a static tunnel named '\(tunnel.name)' already")
            }
            let id = UInt16(30_000 + staticTunnelTable.count)
            staticTunnelTable[id] = tunnel
            return .tunnelAdded(tunnelID: id)
        case .removeTunnel(let reference):
            let id = try staticTunnelID(reference)
            staticTunnelTable[id] = nil
            let before = staticSessionTable.count
            staticSessionTable = staticSessionTable.filter { $0.value.tunnelID != id }
            return .tunnelRemoved(sessions: UInt32(before - staticSessionTable.count))
        case .addSession(let session):
            let tunnel = try staticTunnelID(session.tunnel)
            guard staticSessionTable[session.reference] == nil else {
                throw StaticFault(.alreadyExists, "reference \(session.reference) is taken")
            }
            guard let id = UInt16(exactly: staticSessionTable.count + 1) else {
                throw StaticFault(.exhausted, "the session table is full")
            }
            staticSessionTable[session.reference] = StaticSessionStatus(
                session: session, tunnelID: tunnel, sessionID: id, pppoeSessionID: id,
                data: Traffic(rxPackets: 1, rxOctets: 64, txPackets: 2, txOctets: 128))
            return .sessionAdded(pppoeSessionID: id, sessionID: id, tunnelID: tunnel)
        case .removeSession(let reference):
            guard let session = staticSessionTable.removeValue(forKey: reference) else {
                throw StaticFault(.notFound, "there is no static session \(reference)")
            }
            return .sessionRemoved(session.data)
        case .addSessions(let batch):
            var added = StaticSessionsAdded(
                tunnelID: try staticTunnelID(batch.tunnel), pppoeSessionIDs: [], sessionIDs: [], refused: [])
            for (index, reference) in batch.references.enumerated() {
                let session = StaticSession(
                    reference: reference, port: batch.port,
                    outerVLAN: batch.outerVLANs.isEmpty ? 0 : UInt16(batch.outerVLANs[index]),
                    innerVLAN: batch.innerVLANs.isEmpty ? 0 : UInt16(batch.innerVLANs[index]),
                    outerTPID: batch.outerVLANs.isEmpty ? 0 : batch.outerTPID,
                    clientMAC: MACAddress(value: batch.clientMACs[index]), tunnel: batch.tunnel,
                    peerSessionID: UInt16(batch.peerSessionIDs[index]))
                var ids: (UInt32, UInt32) = (0, 0)
                do throws(StaticFault) {
                    if case .sessionAdded(let pppoe, let l2tp, _) = try apply(.addSession(session)) {
                        ids = (UInt32(pppoe), UInt32(l2tp))
                    }
                } catch { added.refused.append(.init(index: UInt32(index), fault: error)) }
                added.pppoeSessionIDs.append(ids.0)
                added.sessionIDs.append(ids.1)
            }
            return .sessionsAdded(added)
        }
    }

    func staticTunnels(
        _ reference: StaticTunnelReference?, from token: PageToken?, limit: Int
    ) throws -> Page<StaticTunnelStatus> {
        var chosen = staticTunnelTable
        if let reference {
            do throws(StaticFault) {
                let id = try staticTunnelID(reference)
                chosen = chosen.filter { $0.key == id }
            } catch {
                throw ControlPlaneError(.notFound, error.reason)
            }
        }
        let sessions = staticSessionTable.values
        var statuses: [UInt16: StaticTunnelStatus] = [:]
        for (id, tunnel) in chosen {
            statuses[id] = StaticTunnelStatus(
                tunnel: tunnel, tunnelID: id, nextHopResolved: tunnel.nextHop != .peer,
                sessionCount: UInt32(sessions.count { $0.tunnelID == id }))
        }
        return page(statuses, token, limit)
    }

    func staticSessions(
        _ reference: StaticTunnelReference?, from token: PageToken?, limit: Int
    ) throws -> Page<StaticSessionStatus> {
        guard let reference else { return page(staticSessionTable, token, limit) }
        do throws(StaticFault) {
            let id = try staticTunnelID(reference)
            return page(staticSessionTable.filter { $0.value.tunnelID == id }, token, limit)
        } catch {
            throw ControlPlaneError(.notFound, error.reason)
        }
    }
}
