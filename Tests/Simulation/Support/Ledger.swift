import RADIUS
import Roles

/// What RADIUS servers were told, held against what the table has counted.
struct Ledger {
    /// What was told of sessions before is not known any more.
    var storeWasLost = false
    /// What was counted of sessions is not known any more.
    var tableWasLost = false

    /// What servers know of one Acct-Session-Id.
    private struct Account {
        /// Records by status, each once however often it was sent.
        var records: [UInt32: [RADIUSAttributes]] = [:]

        func all(_ status: AccountingStatus) -> [RADIUSAttributes] { records[status.rawValue] ?? [] }
    }

    /// Looks whether every account balances.
    mutating func balance(_ simulation: Simulation) {
        guard simulation.violations.isEmpty else { return }
        var accounts: [String: Account] = [:]
        for station in simulation.radius {
            for record in station.records {
                simulation.tally[.records] += 1
                guard let id = record.text(.acctSessionID), let status = record.integer(.acctStatusType) else {
                    simulation.violate("an accounting record without id or status")
                    continue
                }
                let plain = Self.withoutDelay(record)
                if accounts[id]?.records[status]?.contains(plain) == true {
                    simulation.tally[.repeatedRecords] += 1
                } else {
                    accounts[id, default: Account()].records[status, default: []].append(plain)
                }
            }
        }
        var finals: [UInt64: SessionTraffic] = [:]
        for (reference, traffic) in simulation.table.finals { finals[reference, default: SessionTraffic()] += traffic }
        for (id, account) in accounts.sorted(by: { $0.key < $1.key }) {
            balance(id, account, Self.reference(id).flatMap { finals[$0] }, simulation)
        }
        let starts = accounts.values.reduce(0) { $0 + $1.all(.start).count }
        if UInt64(starts) != simulation.disk.sessionsUp, !storeWasLost {
            simulation.violate("\(simulation.disk.sessionsUp) sessions came up, servers know of \(starts)")
        }
    }

    /// The route that an Acct-Session-Id names, which is the table's reference; nil: it names a tunnel, or the node.
    private static func reference(_ id: String) -> UInt64? {
        let parts = id.split(separator: "-")
        return parts.count == 2 ? UInt64(parts[1], radix: 16) : nil
    }

    private func balance(_ id: String, _ account: Account, _ final: SessionTraffic?, _ simulation: Simulation) {
        for (begin, end) in [(.start, .stop), (.tunnelStart, .tunnelStop), (.tunnelLinkStart, .tunnelLinkStop)]
            as [(AccountingStatus, AccountingStatus)]
        {
            let (begins, ends) = (account.all(begin).count, account.all(end).count)
            // Records that waited are lost with the store; servers were told that nothing is open any more.
            if storeWasLost, begins <= 1, ends <= 1 { continue }
            if begins != ends || begins > 1 {
                simulation.violate("account \(id) has \(begins) records of \(begin), \(ends) of \(end)")
            }
        }
        simulation.tally[.starts] += UInt64(account.all(.start).count)
        simulation.tally[.stops] += UInt64(account.all(.stop).count)
        simulation.tally[.interims] += UInt64(account.all(.interimUpdate).count)
        guard let stop = account.all(.stop).first, !storeWasLost, !tableWasLost else { return }
        let told = Self.traffic(stop)
        if told != final {
            simulation.violate(
                "account \(id) ends with \(told), the table has counted \(final.map { "\($0)" } ?? "nothing")")
        }
        for interim in account.all(.interimUpdate) {
            let told = Self.traffic(interim)
            guard let final, told.upstreamOctets <= final.upstreamOctets, told.upstreamPackets <= final.upstreamPackets,
                told.downstreamOctets <= final.downstreamOctets, told.downstreamPackets <= final.downstreamPackets
            else {
                simulation.violate(
                    "account \(id) says \(told) meanwhile and \(final.map { "\($0)" } ?? "nothing") at the end")
                continue
            }
        }
    }

    /// The record as it was made, whenever it was sent.
    private static func withoutDelay(_ record: RADIUSAttributes) -> RADIUSAttributes {
        var plain = RADIUSAttributes()
        for element in record.elements where element.attribute != .acctDelayTime {
            plain.append(element.attribute, octets: element.value)
        }
        return plain
    }

    private static func traffic(_ record: RADIUSAttributes) -> SessionTraffic {
        func number(_ low: RADIUSAttribute, _ high: RADIUSAttribute? = nil) -> UInt64 {
            UInt64(record.integer(low) ?? 0) + (high.flatMap { record.integer($0) }.map { UInt64($0) << 32 } ?? 0)
        }
        var traffic = SessionTraffic()
        traffic.upstreamOctets = number(.acctInputOctets, .acctInputGigawords)
        traffic.downstreamOctets = number(.acctOutputOctets, .acctOutputGigawords)
        traffic.upstreamPackets = number(.acctInputPackets)
        traffic.downstreamPackets = number(.acctOutputPackets)
        return traffic
    }
}
