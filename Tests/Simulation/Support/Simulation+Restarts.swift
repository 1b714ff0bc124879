import Roles
import Timing

// The end of the node's process, and the next one.
extension Simulation {
    /// What else is lost with the process.
    enum Loss {
        case nothing
        /// The store's file: the next process knows nothing of what this one was at.
        case store
        /// The table: the machine was started anew.
        case table
    }

    /// The process is killed between two of its entry points.
    func restart(losing loss: Loss = .nothing) {
        guard isRunning else { return }
        tally[.restarts] += 1
        die(losing: loss)
    }

    /// The process is killed after so many more of its operations on the table, in the middle of whatever it is at then.
    func restartMidway(after operations: Int) {
        guard isRunning, table.operationsLeft == nil else { return }
        table.operationsLeft = operations
    }

    /// The process is no more. Of what it had handed to the store and not heard of again, some has been written, in order; of
    /// what it wanted to send with that, nothing has gone out.
    func die(losing loss: Loss = .nothing) {
        isRunning = false
        tally[.recoveries] += node.statistics[.l2tpTunnelsRecovered]
        let written = disk.die(&chance, forgetful: planted == .forgottenAcknowledgement)
        if disk.hasForgotten { tally[.plantedFaults] += 1 }
        say("process", "killed; \(written) more commits are on the disk")
        outbox.forget()
        journal.forget()
        _ = table.takeRemoved()
        table.operationsLeft = nil
        heardPADT = nil
        switch loss {
        case .nothing: break
        case .store:
            tally[.storesLost] += 1
            disk.stored = StoredState()
            journal.durable = []
            ledger.storeWasLost = true
        case .table:
            tally[.tablesLost] += 1
            table.forget()
            ledger.tableWasLost = true
        }
        let short = chance.chance(500)
        let pause = loss == .store ? 1_000 + chance.below(2_000) : short ? chance.below(20) : chance.below(4_000)
        queue.add(.boot, at: now + .milliseconds(Int64(pause)))
    }

    /// The next process begins.
    func boot() {
        guard !isRunning else { return }
        say("process", "starts")
        isRunning = true
        node = makeNode()
        enter("start") { node.start(resuming: disk.stored, at: now) }
        if isRunning { tally[.resumedSessions] += UInt64(node.population.sessions) }
    }
}
