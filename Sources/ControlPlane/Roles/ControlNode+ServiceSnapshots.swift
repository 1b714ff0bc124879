import Configuration
import Names
import Observability
import RADIUS
import Timing
import Wire

/// What operators see of what the node asks others for: RADIUS, DNS, accounting.
extension ControlNode {
    /// The RADIUS client, and the listener for Disconnect and CoA.
    public func radiusSnapshot(at now: Instant) -> RADIUSSnapshot {
        let statuses = Dictionary(grouping: radius.servers, by: \.server)
        let servers = configuration.radiusServers.map { settings in
            let key = RADIUSServer.Key(
                address: settings.host, authenticationPort: settings.authenticationPort,
                accountingPort: settings.accountingPort)
            return snapshot(of: key, statuses[key] ?? [], at: now)
        }
        var counters = [
            NamedCounter(
                name: "radius_unknown_server_datagrams", text: "datagrams from what is no server's address and port",
                value: radius.unknownServerDatagrams),
            NamedCounter(
                name: "radius_in_flight", text: "requests that wait for an answer", value: UInt64(radius.inFlight)),
            NamedCounter(
                name: "radius_waiting", text: "requests that wait to be sent", value: UInt64(radius.waiting)),
        ]
        counters += DynamicAuthorizationCounter.allCases.map {
            NamedCounter(name: $0.name, text: $0.text, value: dynamicAuthorization.counters[$0])
        }
        return RADIUSSnapshot(servers: servers, counters: counters)
    }

    private func snapshot(
        of key: RADIUSServer.Key, _ statuses: [RADIUSServerStatus], at now: Instant
    ) -> RADIUSServerSnapshot {
        var snapshot = RADIUSServerSnapshot(
            address: key.address, authenticationPort: key.authenticationPort, accountingPort: key.accountingPort)
        snapshot.groups = configuration.radiusGroups.filter { $0.servers.contains(key.address) }.map(\.name)
        let dead = statuses.compactMap(\.deadUntil).filter { $0 > now }.max()
        snapshot.state = dead != nil ? .dead : statuses.contains { $0.lastAnswer != nil } ? .up : .untried
        snapshot.deadUntil = dead.map(timestamp)
        snapshot.inFlight = UInt32(clamping: statuses.reduce(0) { $0 + $1.pending })
        let latest = statuses.max { ($0.lastAnswer ?? .zero) < ($1.lastAnswer ?? .zero) }
        snapshot.roundTripMicroseconds = UInt32(
            clamping: (latest?.roundTripTime).map { Int64($0 / .microseconds(1)) } ?? 0)
        for status in statuses {
            // Both ports count the same things: the name says which port it was.
            let prefix = status.service == .authentication ? "radius_auth_" : "radius_acct_"
            snapshot.counters += RADIUSServerCounter.allCases.filter { counter in
                let objects = counter.objects
                let isForeign =
                    status.service == .authentication
                    ? objects.authentication == nil && objects.accounting != nil
                    : objects.accounting == nil && objects.authentication != nil
                return !isForeign
            }.map { counter in
                NamedCounter(
                    name: prefix + counter.name.dropFirst("radius_".count),
                    text: "\(counter.text) (\(status.service.rawValue))", value: status.counters[counter])
            }
        }
        return snapshot
    }

    /// Name servers and the cache of names, whose contents only with `cache`.
    public func nameServiceSnapshot(cache: Bool, at now: Instant) -> NameServiceSnapshot {
        var servers = configuration.nameServers.map { NameServerSnapshot(address: $0.address, port: $0.port) }
        for profile in configuration.l2tpProfiles {
            servers += profile.nameServers.map {
                NameServerSnapshot(address: $0.address, port: $0.port, scope: profile.name)
            }
        }
        let counters =
            NameCounter.allCases.map { NamedCounter(name: $0.name, text: $0.text, value: names.counters[$0]) }
            + NameFailure.allCases.map {
                NamedCounter(name: $0.counterName, text: $0.counterText, value: names.counters[$0])
            }
        let known = cache ? names.rows(at: now).filter { $0.result != nil } : []
        return NameServiceSnapshot(
            servers: servers,
            cache: known.map { row in
                CachedName(
                    name: row.query.name.text, addresses: row.result?.addresses ?? [],
                    expiresAt: timestamp(now + row.remaining))
            }, counters: counters, cacheUsed: UInt32(clamping: names.count),
            cacheCapacity: UInt32(clamping: NameCacheSettings().entries))
    }

    /// Accounting, group by group.
    public func accountingSnapshot(at now: Instant) -> AccountingSnapshot {
        let sessions = Dictionary(grouping: connections.values.compactMap(\.accounting), by: \.group)
        let keys = Dictionary(grouping: radius.servers.filter { $0.service == .accounting }, by: \.server.address)
        let groups = accountingGroups.map { name in
            let servers = configuration.radiusGroup(name)?.servers ?? []
            let intervals = configuration.accessConcentrators.compactMap(\.accounting).filter { $0.group == name }
            return AccountingGroupSnapshot(
                name: name, interimIntervalSeconds: intervals.map(\.interimInterval).max() ?? 0,
                sessions: UInt32(clamping: sessions[name]?.count ?? 0), waiting: UInt64(records.count(of: name)),
                reachable: servers.contains { server in
                    keys[server]?.contains { ($0.deadUntil ?? .zero) <= now } == true
                })
        }
        return AccountingSnapshot(
            groups: groups, counters: accountingCounters.counters, stored: UInt64(records.count),
            storeCapacity: UInt64(records.capacity),
            oldestStored: records.oldest.map { Timestamp(nanoseconds: Int64($0) * 1_000_000_000) })
    }
}
