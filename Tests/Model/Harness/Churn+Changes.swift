import Segment
import Wire

// Changes to the table, by the real writer. Each is a tick; it is counted before, so that what was sent at an earlier tick was
// sent before the change.
extension Churn {
    /// The record of a life.
    func index(_ number: UInt32, _ generation: UInt32) -> Int { 4 * Int(number) + Int(generation & 3) }

    /// The record of the session's latest life, unless it has ended or there was none.
    func current(_ number: UInt32) -> Int? {
        let index = index(number, generations[Int(number)])
        return lives[index].generation != 0 && !lives[index].isRemoved ? index : nil
    }

    /// Adds the session at this place of the list of absent ones: in one step, or in negotiation for a while.
    func add(at place: Int) throws {
        let number = absent[place]
        let generation = generations[Int(number)] &+ 1
        let index = index(number, generation)
        guard lives[index].generation == 0 || isOver(index) else { return }
        guard let tunnelPlace = anyQuietTunnel(), let tunnel = tunnels[tunnelPlace].id else { return }
        // Some circuits have many sessions, others come and go with their only one.
        let share = Double.random(in: 0..<1, using: &random)
        let circuit = UInt32(share * share * share * share * Double(ChurnCircuit.count))
        let plan = ChurnCircuit(circuit)
        let mac = ChurnPlan.clientMAC(number: number, generation: generation)
        let reference = UInt64(number) << 32 | UInt64(generation)
        var life = ChurnLife(generation: generation, circuit: circuit)
        tick += 1
        do {
            if random.next() & 7 == 0 {
                let found = try writer.circuit(
                    port: plan.port, outerVLAN: plan.outer, innerVLAN: plan.inner, tpid: plan.tpid)
                let session = try writer.allocateUpstream(circuit: found, clientMAC: mac, reference: reference)
                (life.upstream, life.sessionID) = (session.slot, session.sessionID)
            } else {
                life.peerSessionID = UInt16(truncatingIfNeeded: random.next()) | 1
                let session = try writer.addExternal(
                    port: plan.port, outerVLAN: plan.outer, innerVLAN: plan.inner, tpid: plan.tpid, clientMAC: mac,
                    tunnel: tunnel, peerSessionID: life.peerSessionID, reference: reference)
                (life.upstream, life.sessionID) = (session.upstream.slot, session.upstream.sessionID)
                life.localSessionID = session.downstream.sessionID
                enter(&life, number, tunnelPlace, tunnel)
            }
        } catch {
            return try refused(error)
        }
        if lives[index].generation != 0 { audit(number, index) }
        lives[index] = life
        generations[Int(number)] = generation
        absent.swapAt(place, absent.count - 1)
        absent.removeLast()
        tally.added += 1
    }

    /// Ends a session's negotiation: it is forwarded from now on. False unless it is in negotiation.
    func complete(_ number: UInt32) throws -> Bool {
        guard let index = current(number), !lives[index].isForwarded else { return false }
        guard let tunnelPlace = anyQuietTunnel(), let tunnel = tunnels[tunnelPlace].id else { return true }
        tick += 1
        do {
            let downstream = try writer.allocateDownstream(tunnel: tunnel)
            if random.next() & 7 == 0 {
                try writer.release(downstream.slot)
                return true
            }
            lives[index].peerSessionID = UInt16(truncatingIfNeeded: random.next()) | 1
            lives[index].localSessionID = downstream.sessionID
            try writer.forward(
                lives[index].upstream, downstream.slot, peerSessionID: lives[index].peerSessionID)
        } catch {
            try refused(error)
            return true
        }
        enter(&lives[index], number, tunnelPlace, tunnel)
        return true
    }

    /// Captures a session, or no more.
    func capture(_ number: UInt32) throws {
        guard let index = current(number) else { return }
        tick += 1
        guard lives[index].capture == 0 else {
            lives[index].capture = 0
            return try writer.setCapture(nil, of: lives[index].upstream)
        }
        lastCapture = lastCapture == .max ? 1 : lastCapture + 1
        captured[lastCapture] = (number, lives[index].generation)
        lives[index].capture = lastCapture
        try writer.setCapture(SessionCapture(number: lastCapture), of: lives[index].upstream)
        tally.captures += 1
    }

    /// Removes a session. False when it is not there.
    @discardableResult
    func remove(_ number: UInt32) throws -> Bool {
        guard let index = current(number) else { return false }
        tick += 1
        try writer.remove(lives[index].upstream)
        lives[index].removedTick = tick
        if lives[index].isForwarded { leave(lives[index]) }
        ended[tally.removed & (ended.count - 1)] = (number, lives[index].generation)
        absent.append(number)
        tally.removed += 1
        return true
    }

    private func enter(_ life: inout ChurnLife, _ number: UInt32, _ place: Int, _ tunnel: TunnelID) {
        life.forwardTick = tick
        life.tunnelPlace = UInt32(place)
        life.tunnelSerial = tunnels[place].serial
        life.localTunnelID = tunnel.rawValue
        life.member = tunnels[place].members.count
        tunnels[place].members.append(number)
        if owners.updateValue(number, forKey: key(life)) != nil {
            fail("tunnel \(tunnel.rawValue) gave session id \(life.localSessionID) twice")
        }
    }

    private func leave(_ life: ChurnLife) {
        owners[key(life)] = nil
        let place = Int(life.tunnelPlace)
        tunnels[place].lastStale = max(tunnels[place].lastStale, life.lastFrame)
        guard let last = tunnels[place].members.popLast(), life.member < tunnels[place].members.count else { return }
        tunnels[place].members[life.member] = last
        lives[index(last, generations[Int(last)])].member = life.member
    }

    /// What downstream frames say of a session.
    func key(_ life: ChurnLife) -> UInt64 { UInt64(life.tunnelSerial) << 16 | UInt64(life.localSessionID) }

    /// Whether everything that was to happen to a life has happened.
    private func isOver(_ index: Int) -> Bool {
        lives[index].isRemoved && lives[index].totals != nil && lives[index].lastFrame < settledFrame
    }

    private func anyQuietTunnel() -> Int? {
        for _ in 0..<4 {
            let place = Int.random(in: 0..<tunnels.count, using: &random)
            if tunnels[place].id != nil, tunnels[place].lastStale < settledFrame { return place }
        }
        return nil
    }

    /// A full table is an answer; everything else is a fault of the churn's own.
    private func refused(_ error: TableError) throws {
        switch error {
        case .sessionsFull, .circuitFull, .tunnelFull, .circuitsFull, .vlanBlocksFull, .tunnelsFull: tally.refused += 1
        default: throw error
        }
    }
}

extension Churn {
    /// Puts a new tunnel into an empty place.
    func addTunnel(_ place: Int) throws {
        tick += 1
        let id: TunnelID
        do {
            id = try writer.allocateTunnel(owner: .external)
        } catch {
            return try refused(error)
        }
        tunnelSerial += 1
        try writer.publishTunnel(id, header: ChurnHeader(serial: tunnelSerial, version: 0).outer)
        tunnels[place] = ChurnTunnel(id: id, serial: tunnelSerial)
        tally.tunnelsMade += 1
    }

    /// Removes a tunnel, its sessions first.
    func removeTunnel(_ place: Int) throws {
        guard let id = tunnels[place].id else { return }
        while let number = tunnels[place].members.last { try remove(number) }
        tick += 1
        try writer.removeTunnel(id)
        tunnels[place].id = nil
        changing.remove(place)
        tally.tunnelsRemoved += 1
    }

    /// Another tunnel in the place of this one.
    func replaceTunnel(_ place: Int) throws {
        try removeTunnel(place)
        try addTunnel(place)
    }

    /// Another next hop, port, tag and so on for a tunnel; a place that has stayed empty gets its tunnel.
    func swing(_ place: Int) throws {
        guard let id = tunnels[place].id else { return try addTunnel(place) }
        guard tunnels[place].asked < 0xffff else { return }
        tick += 1
        tunnels[place].asked += 1
        try writer.updateTemplate(
            id, header: ChurnHeader(serial: tunnels[place].serial, version: tunnels[place].asked).outer)
        tally.swung += 1
        changing.insert(place)
        noteHeader(place)
    }

    /// Which header is in force now.
    private func noteHeader(_ place: Int) {
        guard let id = tunnels[place].id, let record = writer.tunnel(id),
            let header = ChurnHeader(nextHop: record.nextHopMAC.value)
        else { return fail("tunnel at \(place) has no header") }
        tunnels[place].inForce = header.version
        if header.version == tunnels[place].asked { changing.remove(place) }
    }

    /// Frees what may be freed, and takes the final counters.
    func reclaim() {
        tick += 1
        writer.reclaim { totals in
            let number = UInt32(totals.reference >> 32)
            let generation = UInt32(truncatingIfNeeded: totals.reference)
            guard number < sessions, lives[index(number, generation)].generation == generation else {
                return fail("final counters of session \(number).\(generation), which is not known")
            }
            let life = lives[index(number, generation)]
            if life.totals != nil { fail("session \(number).\(generation) was freed twice") }
            if !life.isRemoved { fail("session \(number).\(generation) was freed and not removed") }
            if totals.slot != life.upstream || totals.sessionID != life.sessionID {
                fail("session \(number).\(generation) was freed with another's ids")
            }
            lives[index(number, generation)].totals = totals.counters
        }
        for place in changing { noteHeader(place) }
    }
}
