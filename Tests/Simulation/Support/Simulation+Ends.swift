import Observability
import Roles
import Timing

// A life from its beginning to its end.
extension Simulation {
    /// Lives it, and looks whether all was as it has to be.
    package func live() {
        play(for: temper.length)
        say("simulation", "all is mended")
        mendAll()
        play(for: Self.quietTime)
        guard violations.isEmpty else { return }
        expectAgreement("after a quiet time")
        serveAgain()
        guard violations.isEmpty else { return }
        end()
        expectNothingLeft()
        ledger.balance(self)
        tally[.logIns] = tally[.sessionsUp]
        tally[.recoveries] += node.statistics[.l2tpTunnelsRecovered]
    }

    /// Whatever was, everybody who wants gets in.
    private func serveAgain() {
        say("simulation", "everybody dials")
        mend(.dials)
        play(for: .seconds(20))
        guard violations.isEmpty else { return }
        expectAgreement("when all have dialled again")
        guard table.sessionCapacity >= clients.count else { return }
        for (number, client) in clients.enumerated() where client.state != .session {
            violate("client \(number) does not get in any more: it is \(client.state)")
        }
    }

    /// One of the ways in which all ends.
    private func end() {
        say("simulation", "all ends")
        switch chance.below(4) {
        case 0:
            for index in clients.indices {
                clients[index].hangUp()
                collect(client: index)
            }
            play(for: .seconds(2))
        case 1:
            for index in lnses.indices {
                lnses[index].stop(.clear, at: now)
                collect(lns: index)
            }
            play(for: .seconds(2))
        case 2:
            tally[.shutdowns] += 1
            enter("shutDown") { node.shutDown(at: now) }
            play(for: .seconds(30))
            if !node.hasShutDown(at: now) { violate("the node has not shut down in 30 seconds") }
            enter("finishAccounting") { node.finishAccounting(at: now) }
        default: break
        }
        for client in clients { client.forget() }
        enter("clear") { _ = try? node.clear(.everything, at: now) }
        play(for: .seconds(45))
        // A group of servers that did not answer rests for a minute at most.
        if node.hasUnsentRecords { play(for: .seconds(70)) }
    }

    private func expectNothingLeft() {
        guard violations.isEmpty else { return }
        for text in node.residue { violate("left at the end: \(text)") }
        for text in table.leaks { violate("not given back at the end: \(text)") }
        if table.isReclaiming { violate("the table still waits for its workers") }
        for lns in lnses where lns.sessionCount > 0 { violate("an LNS still has sessions at the end") }
        let statistics = node.statistics
        for counter in statistics.counters where counter.value >= 1 << 32 {
            violate("\(counter.name) is \(counter.value)")
        }
        func expectEqual(_ one: ACCounter, _ other: ACCounter) {
            if statistics[one] != statistics[other] {
                violate("\(one) is \(statistics[one]), \(other) is \(statistics[other])")
            }
        }
        guard run == 1 else { return }
        for (up, down) in [(.sessionsUp, .sessionsDown), (.tunnelsUp, .tunnelsDown)] as [(Tally.Event, Tally.Event)]
        where tally[up] != tally[down] {
            violate("events: \(tally[up]) \(up.text), \(tally[down]) \(down.text)")
        }
        expectEqual(.routesCreated, .routesDeleted)
        expectEqual(.l2tpSessionsOpened, .l2tpSessionsClosed)
        if statistics[.routesDeleteFail] != 0 {
            violate("the table did not take \(statistics[.routesDeleteFail]) back")
        }
    }
}
