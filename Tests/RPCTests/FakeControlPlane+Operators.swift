import Observability
import RPC
import Wire

/// What operators ask for beyond tunnels and sessions.
extension FakeControlPlane {
    static func counters(_ names: String...) -> [NamedCounter] {
        names.enumerated().map { NamedCounter(name: $1, text: "the \($1)", value: UInt64($0 + 1)) }
    }

    static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .v4(.any) }

    func destinations(
        _ address: IPAddress?, from page: PageToken?, limit: Int
    ) throws -> Page<DestinationSnapshot> {
        let byAddress = Dictionary(grouping: allTunnels, by: \.remoteAddress)
        var all = byAddress.map { address, tunnels in
            var destination = DestinationSnapshot(address: address, profile: "isp", state: .up)
            destination.tunnels = tunnels.map(\.id)
            destination.establishedTunnels = UInt32(tunnels.count)
            destination.sessions = tunnels.reduce(0) { $0 + $1.sessionCount }
            destination.preference = 10
            destination.data = Traffic(rxPackets: 1, rxOctets: 2, txPackets: 3, txOctets: 4)
            return destination
        }
        var down = DestinationSnapshot(address: Self.address("2001:db8::7"), profile: "six", state: .holdDown)
        down.attempts = 3
        down.retryAt = Timestamp(seconds: Self.start.seconds + 60)
        down.lastFailure = "no answer to SCCRQ"
        all.append(down)
        let chosen = all.filter { address == nil || $0.address == address }.sorted { $0.address < $1.address }
        if let address, chosen.isEmpty { throw ControlPlaneError(.notFound, "there is no destination \(address)") }
        let start = Int(page?.position ?? 0)
        let end = min(chosen.count, start + limit)
        return Page(Array(chosen[start..<end]), next: end < chosen.count ? PageToken(position: UInt64(end)) : nil)
    }

    func drain(_ target: DrainTarget, _ isDrained: Bool) throws -> DrainOutcome {
        if case .tunnelNamed(let name) = target, !allTunnels.contains(where: { $0.name == name }) {
            throw ControlPlaneError(.notFound, "there is no tunnel named '\(name)'")
        }
        drained.removeAll { $0 == target }
        if isDrained { drained.append(target) }
        return DrainOutcome(
            draining: isDrained, tunnels: UInt32(allTunnels.count), sessions: UInt32(allSessions.count), connections: 7)
    }

    func clearStatistics() { statisticsAreCleared = true }

    func runningConfiguration(_ section: String?) throws -> [ConfigurationSection] {
        let sections = [
            ConfigurationSection(name: "control", text: "control:\n  host-name: lac1\n"),
            ConfigurationSection(name: "pppoe-ac", text: "pppoe-ac:\n  - name: ac1\n    service-name: any\n"),
            ConfigurationSection(
                name: "l2tp-profile", text: "l2tp-profile:\n  - name: isp\n    shared-secret: <secret>\n"),
        ]
        guard let section else { return sections }
        guard let found = sections.first(where: { $0.name == section }) else {
            throw ControlPlaneError(.notFound, "there is no section '\(section)'")
        }
        return [found]
    }

    func reload(apply: Bool) -> ReloadOutcome {
        var outcome = ReloadOutcome(path: "/etc/culvert/culvert.yaml", faults: reloadFaults)
        guard reloadFaults.isEmpty else { return outcome }
        outcome.applied = apply
        outcome.changes = [
            ConfigurationChange(
                .changed, section: "dataplane", setting: "sessions", oldValue: "65536", newValue: "131072",
                effect: .restartDataPlane),
            ConfigurationChange(.added, section: "pppoe-ac", element: "ac2"),
            ConfigurationChange(
                .changed, section: "l2tp-profile", element: "isp", setting: "hello-timeout", oldValue: "60",
                newValue: "30"),
            ConfigurationChange(.removed, section: "ip-route", element: "0.0.0.0/0"),
        ]
        return outcome
    }

    func debugRules() -> [DebugRule] { rules }

    func setDebugging(_ change: DebugChange) throws -> [DebugRule] {
        let before = rules
        switch change {
        case .enable(let rule): rules.append(rule)
        case .disable(let rule):
            rules.removeAll { $0 == rule || rule.scope == DebugScope() && $0.subsystem == rule.subsystem }
            if rules == before { throw ControlPlaneError(.notFound, "that is not being debugged") }
        case .disableAll: rules = []
        }
        return rules
    }

    nonisolated func watchDebugging() -> AsyncThrowingStream<DebugLine, any Error> { debugLines.watch() }

    /// Two frames, then nothing more until the caller has enough.
    func capture(
        _ session: SessionName, snapLength: UInt32, control: Bool
    ) throws -> AsyncThrowingStream<CaptureRecord, any Error> {
        if case .route(let id) = session, id == 404 { throw ControlPlaneError(.notFound, "there is no route 404") }
        captureBegins(session)
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: CaptureRecord.self)
        for record in Self.captureRecords(snapLength) { continuation.yield(record) }
        continuation.onTermination = { [weak self] _ in Task { await self?.captureEnds() } }
        return stream
    }

    static func captureRecords(_ snapLength: UInt32) -> [CaptureRecord] {
        let frame = (0..<60).map { UInt8($0) }
        let kept = snapLength == 0 ? 60 : min(60, Int(snapLength))
        return [
            CaptureRecord(
                timeNanoseconds: 1_464_783_925_123_456_789, interface: "access0", direction: .inbound,
                originalLength: 60, bytes: Array(frame.prefix(kept))),
            CaptureRecord(
                timeNanoseconds: 1_464_783_925_223_456_789, interface: "core0", direction: .outbound,
                originalLength: 60, bytes: Array(frame.prefix(kept)), comment: "dropped: policed_upstream"),
        ]
    }

    func radius() -> RADIUSSnapshot {
        var up = RADIUSServerSnapshot(address: Self.address("192.168.1.200"))
        up.groups = ["my_group", "billing"]
        up.state = .up
        up.inFlight = 2
        up.roundTripMicroseconds = 1_250
        up.counters = Self.counters("access_requests", "access_accepts")
        var dead = RADIUSServerSnapshot(
            address: Self.address("2001:db8::200"), authenticationPort: 1_645, accountingPort: 1_646)
        dead.state = .dead
        dead.deadUntil = Timestamp(seconds: Self.start.seconds + 60)
        return RADIUSSnapshot(servers: [up, dead], counters: Self.counters("requests", "unanswered"))
    }

    func nameService(cache: Bool) -> NameServiceSnapshot {
        NameServiceSnapshot(
            servers: [
                NameServerSnapshot(address: Self.address("10.1.1.1"), counters: Self.counters("queries")),
                NameServerSnapshot(address: Self.address("2001:db8::53"), port: 5_353, scope: "isp"),
            ],
            cache: cache
                ? [
                    CachedName(
                        name: "lns.isp1.com", addresses: [Self.address("203.0.113.2"), Self.address("2001:db8::2")],
                        expiresAt: Timestamp(seconds: Self.start.seconds + 300)),
                    CachedName(name: "lns.nowhere.example", addresses: [], expiresAt: Self.start),
                ] : [], counters: Self.counters("questions", "answers_from_cache"), cacheUsed: 2, cacheCapacity: 1_024)
    }

    func accounting() -> AccountingSnapshot {
        AccountingSnapshot(
            groups: [
                AccountingGroupSnapshot(
                    name: "my_group", interimIntervalSeconds: 600, sessions: 4, waiting: 3, reachable: false,
                    counters: Self.counters("starts"))
            ], counters: Self.counters("records"), stored: 3, storeCapacity: 100_000, oldestStored: Self.start)
    }

    func host() -> HostSnapshot {
        HostSnapshot(
            neighbours: [
                NeighbourSnapshot(
                    interfaceName: "core0", address: Self.address("192.0.2.254"),
                    mac: MACAddress(value: 0x0200_0000_00fe), state: .reachable, holders: 2, confirmedSecondsAgo: 12),
                NeighbourSnapshot(
                    interfaceName: "core0", address: Self.address("2001:db8::fe"), mac: nil, state: .incomplete),
            ],
            routes: [
                RouteSnapshot(
                    prefix: "192.0.2.0/24", nextHop: nil, interfaceName: "core0", source: Self.address("192.0.2.1")),
                RouteSnapshot(
                    prefix: "0.0.0.0/0", nextHop: Self.address("192.0.2.254"), interfaceName: "core0",
                    source: Self.address("192.0.2.1")),
            ], paths: [PathMTUSnapshot(address: Self.address("198.51.100.1"), mtu: 1_400)],
            counters: [
                NamedCounter(name: "arp_answered", text: "ARP requests answered", value: 9),
                NamedCounter(name: "arp_conflict", text: "address conflicts", value: 0),
            ])
    }

    nonisolated func recentEvents(_ limit: Int) -> [Event] { events.recent(limit) }

    func names(_ kind: NameKind, prefix: String, limit: Int) throws -> [String] {
        let all: [String] =
            switch kind {
            case .tunnel: allTunnels.flatMap { [$0.name, String($0.id)] }
            case .session: Array(Set(allSessions.map { String($0.id) }))
            case .instance: ["ac1"]
            case .route: allSessions.map { String($0.routeID) }
            case .destination: Array(Set(allTunnels.map(\.remoteAddress.description)))
            case .interface: ["access0", "core0"]
            case .section: try runningConfiguration(nil).map(\.name)
            }
        return Array(all.filter { $0.hasPrefix(prefix) }.sorted().prefix(limit))
    }
}
