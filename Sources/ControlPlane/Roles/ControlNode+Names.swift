import Names
import Timing

/// LNSs by name: what `dns-lookup` makes of a user's domain, and names of tunnels.
extension ControlNode {
    /// Who waits for a name's addresses.
    struct NameWaiter: Hashable, Sendable {
        /// The client's route.
        var routeID: UInt32
        /// The `l2tp-profile` of what is found.
        var profile: String
        /// The candidate whose name it is; nil: the name was made of the user's domain.
        var candidate: LNSCandidate?
    }

    /// Finds the addresses of a name: at once where they are known, else when the answer comes.
    func resolve(
        _ name: HostName, profile profileName: String, for slot: UInt32, candidate: LNSCandidate?, at now: Instant
    ) {
        guard let connection = connections[slot], let profile = configuration.l2tpProfile(profileName) else {
            return refuseConnection(slot, "there is no l2tp-profile \(profileName) any more", at: now)
        }
        let waiter = NameWaiter(routeID: connection.routeID, profile: profileName, candidate: candidate)
        let query = NameQuery(name: name, servers: configuration.nameServers(of: profile))
        guard !query.servers.isEmpty else { return deliver(.failed(.noServers), name: name, to: waiter, at: now) }
        switch names.lookUp(query, waiter: waiter, at: now) {
        case .answer(let result): deliver(result, name: name, to: waiter, at: now)
        case .waiting(let startQuery):
            connections[slot]?.nameWaiter = waiter
            debug(.dns, connection) { "\(startQuery ? "asking for" : "waiting for") \(name)" }
            if startQuery { effects.resolve(query) }
        case .refused(let refusal): unresolved("\(name): \(refusal)", waiter, slot: slot, at: now)
        }
        agenda.schedule(.names, at: names.deadline)
    }

    /// The resolver's answer to `query`.
    public func resolved(_ query: NameQuery, _ result: NameResult, at now: Instant) {
        for (waiter, result) in names.answered(query, result, at: now) {
            deliver(result, name: query.name, to: waiter, at: now)
        }
        agenda.schedule(.names, at: names.deadline)
    }

    func namesTimerFired(at now: Instant) {
        for (waiter, result) in names.expire(at: now) { deliver(result, name: nil, to: waiter, at: now) }
        if names.deadline != .distantFuture { agenda.schedule(.names, at: names.deadline) }
    }

    private func deliver(_ result: NameResult, name: HostName?, to waiter: NameWaiter, at now: Instant) {
        guard let slot = routes[waiter.routeID], let connection = connections[slot], connection.phase == .choosing
        else {
            return
        }
        connections[slot]?.nameWaiter = nil
        let text = name?.text ?? "the LNS's name"
        debug(.dns, connection) { "\(text): \(result.addresses.map(\.description).joined(separator: ", "))" }
        switch result {
        case .addresses:
            let addresses = result.addresses
            if let candidate = waiter.candidate {
                connections[slot]?.choice?.add(addresses, of: candidate, using: &random)
                callNext(for: slot, at: now)
            } else {
                found(
                    addresses.map { LNSCandidate(peer: .address($0), profile: waiter.profile) }, for: slot, at: now)
            }
        case .absent(let absence, _): unresolved("\(text): \(absence)", waiter, slot: slot, at: now)
        case .failed(let failure): unresolved("\(text): \(failure)", waiter, slot: slot, at: now)
        }
    }

    /// There are no addresses: the next candidate where the name was one's, else what the domain map has for such clients.
    private func unresolved(_ text: String, _ waiter: NameWaiter, slot: UInt32, at now: Instant) {
        if waiter.candidate != nil {
            statistics.count(.l2tpDnsFailures)
            noteFailure(text, slot: slot)
            callNext(for: slot, at: now)
        } else {
            statistics.count(.lnsLookupDnsFailures)
            notFound(LookUpFailure(text), for: slot, at: now)
        }
    }
}
