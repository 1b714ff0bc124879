/// How often something happened: what shows that a run was not about nothing.
package struct Tally: Sendable {
    /// What is counted.
    package enum Event: Int, CaseIterable, Sendable {
        case frames, lost, doubled, late, cut, dataForward, dataBack
        case partitions, outages
        case dials, logIns, hangUps, vanished, strayPADTs, resentPADRs, renegotiations
        case sessionsUp, sessionsDown, tunnelsUp, tunnelsDown
        case lnsCrashes, lnsDeaths, lnsMutes, lnsRefusals, lnsStops, lnsDisconnects, lnsFailovers, wrongSecrets
        case radiusDeaths, radiusSlow, radiusRejects, accessRequests, records, repeatedRecords, starts, stops, interims
        case nameFailures, nameDelays, wrongNames, nameQueries
        case clears, drains, reloads, shutdowns, tableFaults
        case restarts, restartsMidway, resumedSessions, recoveries, storesLost, tablesLost
        case plantedFaults
    }

    private var counts = [UInt64](repeating: 0, count: Event.allCases.count)

    package init() {}

    package subscript(_ event: Event) -> UInt64 {
        get { counts[event.rawValue] }
        set { counts[event.rawValue] = newValue }
    }

    package static func += (total: inout Tally, more: Tally) {
        for index in total.counts.indices { total.counts[index] += more.counts[index] }
    }
}

extension Tally.Event {
    /// In words: the case's name, its parts apart.
    package var text: String {
        let name = "\(self)"
        var text = ""
        var previous: Character = "_"
        for character in name {
            if character.isUppercase, !previous.isUppercase { text += " " }
            text.append(character)
            previous = character
        }
        return text.split(separator: " ").map {
            $0.count > 1 && $0.allSatisfy(\.isUppercase) ? String($0) : $0.lowercased()
        }
        .joined(separator: " ")
    }
}
