import Configuration
import Observability
import RPC
import Roles
import Settings
import Timing
import Wire

/// What operators ask for beyond tunnels and sessions, answered on the control thread.
extension ControlLoop {
    func destinations(
        _ address: IPAddress?, from page: PageToken?, limit: Int
    ) async throws -> Page<DestinationSnapshot> {
        let now = Instant.now()
        if let address {
            let found = node.destinationSnapshots(address, at: now)
            guard !found.isEmpty else { throw ControlPlaneError(.notFound, "no destination \(address)") }
            return Page(found)
        }
        let part = node.destinationAddresses(from: page?.position ?? 0, limit: limit, at: now)
        return Page(
            part.addresses.flatMap { node.destinationSnapshots($0, at: now) },
            next: part.next.map { PageToken(position: $0) })
    }

    func drain(_ target: DrainTarget, _ isDrained: Bool) async throws -> DrainOutcome {
        do throws(ControlNode.ClearFault) {
            return try node.drain(target, isDrained, at: .now())
        } catch { throw ControlPlaneError(error) }
    }

    func clearStatistics() async throws { node.clearStatistics() }

    // MARK: Configuration

    func runningConfiguration(_ section: String?) async throws -> [ConfigurationSection] {
        let sections = configuration.sections
        guard let section else { return sections }
        guard let found = sections.first(where: { $0.name == section }) else {
            let known = sections.map(\.name).joined(separator: ", ")
            throw ControlPlaneError(.notFound, "nothing is configured in a section '\(section)'; there is \(known)")
        }
        return [found]
    }

    func reload(apply: Bool) async throws -> ReloadOutcome {
        var outcome = ReloadOutcome(path: configurationPath)
        do throws(ConfigurationFaults) {
            let new = try Configuration.load(path: configurationPath)
            outcome.changes = configuration.changes(to: new)
            if apply {
                do { try await network.apply(new) } catch {
                    throw ConfigurationFaults([ConfigurationFault(line: 0, field: "radius", reason: "\(error)")])
                }
                try take(new)
            }
            outcome.applied = apply
        } catch {
            outcome.applied = false
            outcome.faults = error.list.map {
                FileFault(line: UInt32(clamping: $0.line), field: $0.field, reason: $0.reason)
            }
        }
        return outcome
    }

    // MARK: Debugging

    func debugRules() async throws -> [DebugRule] { node.debugRules }

    func setDebugging(_ change: DebugChange) async throws -> [DebugRule] {
        guard node.setDebugging(change) else {
            throw ControlPlaneError(.notFound, "that is not being debugged (see culvert show debugging)")
        }
        return node.debugRules
    }

    func watchDebugging() async throws -> AsyncThrowingStream<DebugLine, any Error> { debugLines.watch() }

    // MARK: What the node asks others for

    func radius() async throws -> RADIUSSnapshot { node.radiusSnapshot(at: .now()) }

    func nameService(cache: Bool) async throws -> NameServiceSnapshot {
        var snapshot = node.nameServiceSnapshot(cache: cache, at: .now())
        snapshot.counters += network.resolverCounters
        return snapshot
    }

    func accounting() async throws -> AccountingSnapshot { node.accountingSnapshot(at: .now()) }

    func host() async throws -> HostSnapshot { node.hostSnapshot(at: .now()) }

    // MARK: History and names

    func recentEvents(_ limit: Int) async throws -> [Event] { events.recent(limit) }

    func names(_ kind: NameKind, prefix: String, limit: Int) async throws -> [String] {
        func few(_ names: some Sequence<String>) -> [String] {
            Array(Set(names.lazy.filter { $0.hasPrefix(prefix) })).sorted().prefix(limit).map { $0 }
        }
        switch kind {
        case .tunnel: return few(node.tunnelIDs.flatMap { [node.tunnelName($0), String($0)] }.compactMap { $0 })
        case .session: return node.sessionIDs(withPrefix: prefix, limit: limit)
        case .instance: return few(node.instanceNames)
        case .route: return node.routeIDs(withPrefix: prefix, limit: limit)
        case .destination: return few(node.destinationAddresses(at: .now()).map(\.description))
        case .interface: return few(try await ports().map(\.name))
        case .section: return few(configuration.sections.map(\.name))
        }
    }
}
