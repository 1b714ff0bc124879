import Observability
import Roles
import Timing
import Wire

// What people and machines do, and what befalls them.
extension Simulation {
    /// Something that somebody does, and how often compared with the rest.
    enum Deed: Int, CaseIterable {
        case dial, hangUp, terminate, renegotiate, forget, silence, resend, strayPADT, echo, dawdle
        case disconnect, cross, stop, mute, kill, crash, failOver, hold, refuse, secret, move
        case cut, outage, weather
        case clear, drain, reload, failTable
        case killRADIUS, slowRADIUS, rejectAll, failNames, restart, restartMidway, loseStore, loseTable

        var weight: UInt64 {
            switch self {
            case .dial: 24
            case .hangUp, .cut: 6
            case .disconnect, .clear: 4
            case .terminate, .renegotiate, .forget, .cross, .silence, .resend: 3
            case .strayPADT, .stop, .mute, .kill, .crash, .failOver, .hold, .refuse, .outage, .weather, .killRADIUS,
                .failNames,
                .restart, .restartMidway:
                2
            case .echo, .dawdle, .secret, .move, .drain, .reload, .failTable, .slowRADIUS, .rejectAll, .loseStore,
                .loseTable:
                1
            }
        }
    }

    /// What one life is like: some see only a few kinds of trouble, and those often.
    struct Temper {
        let length: Duration
        /// Milliseconds between two deeds at most.
        let pace: UInt64
        let faults: Network.Faults
        private let deeds: [(deed: Deed, until: UInt64)]

        init(_ chance: inout SeededGenerator) {
            length = .seconds(10 + Int64(chance.below(35)))
            pace = [400, 1_000, 2_000, 4_000][Int(chance.below(4))]
            faults = Self.weather(&chance)
            var total: UInt64 = 0
            var deeds: [(Deed, UInt64)] = []
            for deed in Deed.allCases where deed == .dial || chance.chance(550) {
                total += deed.weight
                deeds.append((deed, total))
            }
            self.deeds = deeds
        }

        static func weather(_ chance: inout SeededGenerator) -> Network.Faults {
            switch chance.below(4) {
            case 0: .init()
            case 1: .init(loss: 20, duplication: 20, delay: 50, longest: 40)
            case 2: .init(loss: 80, duplication: 80, delay: 200, longest: 400)
            default: .init(loss: 200, duplication: 50, delay: 300, longest: 2_500)
            }
        }

        func deed(_ chance: inout SeededGenerator) -> Deed {
            let number = chance.below(deeds.last?.until ?? 1)
            return deeds.first { number < $0.until }?.deed ?? .dial
        }
    }

    /// What is wrong at present and is neither the network's nor a station's own affair.
    struct Conditions {
        enum Names { case well, failing, slow, wrong }

        var names = Names.well
        var isRADIUSSlow = false
        var radiusRejects = false
        /// Everything has been mended for good.
        var isMended = false
    }

    /// The end of something.
    enum Mending { case client(Int), lns(Int), radius(Int), names, drains, configuration, dials }

    /// Does something, if anything can be done yet, and comes back.
    func deed() {
        guard !conditions.isMended else { return }
        queue.add(.deed, at: now + .milliseconds(1 + Int64(chance.below(temper.pace))))
        let deed = temper.deed(&chance)
        say("deed", "\(deed)")
        switch deed {
        case .dial, .hangUp, .terminate, .renegotiate, .forget, .silence, .resend, .strayPADT, .echo, .dawdle:
            clientDeed(deed, Int(chance.below(UInt64(clients.count))))
        case .disconnect, .cross, .stop, .mute, .kill, .crash, .failOver, .hold, .refuse, .secret, .move:
            lnsDeed(deed, Int(chance.below(UInt64(lnses.count))))
        case .cut:
            tally[.partitions] += 1
            let links: [Network.Link] = [
                .lns(0), .lns(1), .radius(0), .radius(1), .client(Int(chance.below(UInt64(clients.count)))),
            ]
            network.cut(links[Int(chance.below(UInt64(links.count)))], until: now + span(30))
        case .outage:
            tally[.outages] += 1
            network.fail(until: now + span(4))
        case .weather: network.faults = Temper.weather(&chance)
        case .clear, .drain, .reload, .failTable: operatorDeed(deed)
        case .killRADIUS, .slowRADIUS, .rejectAll, .failNames: serverDeed(deed)
        case .restart: restart()
        case .restartMidway: restartMidway(after: Int(chance.below(8)))
        case .loseStore: restart(losing: .store)
        case .loseTable: restart(losing: .table)
        }
        guard isRunning else { return }
        for text in node.contradictions { violate("the node contradicts itself: \(text)") }
    }

    /// A time of up to so many seconds, short ones more often.
    private func span(_ seconds: UInt64) -> Duration {
        .milliseconds(Int64(1 + chance.below(chance.chance(500) ? seconds * 1_000 : seconds * 250)))
    }

    private func clientDeed(_ deed: Deed, _ index: Int) {
        let client = clients[index]
        switch deed {
        case .dial:
            guard client.state == .idle || client.state == .closed else { break }
            tally[.dials] += 1
            client.dial(at: now)
        case .hangUp:
            tally[.hangUps] += 1
            client.hangUp()
        case .terminate where client.state == .session: client.terminate()
        case .renegotiate where client.state == .session:
            tally[.renegotiations] += 1
            client.renegotiate(at: now)
        case .forget:
            tally[.vanished] += 1
            client.forget()
        case .silence:
            tally[.vanished] += 1
            client.isSilent = true
            queue.add(.mend(.client(index)), at: now + span(40))
        case .resend where !client.lastRequest.isEmpty:
            tally[.resentPADRs] += 1
            client.resendRequest()
        case .strayPADT:
            tally[.strayPADTs] += 1
            client.sendPADT(sessionID: UInt16(1 + chance.below(8)))
        case .echo where client.state == .session: client.sendEcho()
        case .dawdle:
            client.negotiates = false
            queue.add(.mend(.client(index)), at: now + span(30))
        default: break
        }
        collect(client: index)
    }

    private func lnsDeed(_ deed: Deed, _ index: Int) {
        let lns = lnses[index]
        switch deed {
        case .disconnect, .cross:
            let sessions = lns.sessions.sorted { $0.key < $1.key }.flatMap { tunnel, sessions in
                sessions.keys.sorted().map { (tunnel, $0) }
            }
            guard !sessions.isEmpty else { break }
            tally[.lnsDisconnects] += 1
            let (tunnel, session) = sessions[Int(chance.below(UInt64(sessions.count)))]
            let caller = lns.tunnels[tunnel]?.sessions[session]?.request.callingNumber
            lns.disconnect(tunnel: tunnel, session: session, .administrative, at: now)
            // Both ends hang up at once.
            guard deed == .cross, let other = clients.firstIndex(where: { $0.mac.description == caller }) else { break }
            tally[.hangUps] += 1
            clients[other].hangUp()
            collect(client: other)
        case .stop:
            tally[.lnsStops] += 1
            lns.stop(.clear, at: now)
        case .mute:
            tally[.lnsMutes] += 1
            lns.isMute = true
        case .kill:
            tally[.lnsDeaths] += 1
            lns.isDead = true
        case .crash:
            tally[.lnsCrashes] += 1
            lns.restart()
        case .failOver where lns.failover != nil:
            // It has kept all but its control channels' numbers, and what was being set up.
            tally[.lnsFailovers] += 1
            lns.fail(to: lns.memory, at: now)
        case .hold: lns.takesCalls = false
        case .refuse:
            tally[.lnsRefusals] += UInt64(lns.waiting.count)
            if chance.chance(300) {
                lns.answerCalls(at: now)
            } else {
                lns.refuseCalls(.temporarilyUnavailable, at: now)
            }
        case .secret:
            tally[.wrongSecrets] += 1
            lns.secret = Array("other".utf8)
        case .move:
            lns.move(
                to: MACAddress(value: 0x0200_0000_3000 + UInt64(index) * 16 + chance.below(4)), telling: Self.coreMAC)
        default: break
        }
        switch deed {
        case .mute, .kill, .hold, .secret: queue.add(.mend(.lns(index)), at: now + span(50))
        default: break
        }
        collect(lns: index)
    }

    private func operatorDeed(_ deed: Deed) {
        switch deed {
        case .clear:
            tally[.clears] += 1
            let target = clearTarget()
            enter("clear") { _ = try? node.clear(target, at: now) }
        case .drain:
            tally[.drains] += 1
            let targets: [DrainTarget] = [
                .system, .destination(.v4(Self.lnsAddresses[Int(chance.below(2))])), .tunnel(node.tunnelIDs.first ?? 1),
                .instance("residential"), .interface("access0"),
            ]
            let target = targets[Int(chance.below(UInt64(targets.count)))]
            enter("drain") { _ = try? node.drain(target, true, at: now) }
            queue.add(.mend(.drains), at: now + span(30))
        case .reload:
            tally[.reloads] += 1
            let other = variant.others[Int(chance.below(UInt64(variant.others.count)))]
            configuration = other
            enter("reload") { node.apply(other, at: now) }
            queue.add(.mend(.configuration), at: now + span(20))
        case .failTable:
            tally[.tableFaults] += 1
            switch chance.below(3) {
            case 0: table.failsForward = true
            case 1: table.failsPublish = true
            default: table.failsPolicers = true
            }
        default: break
        }
    }

    private func clearTarget() -> ClearTarget {
        let tunnels = node.tunnelIDs
        let tunnel = tunnels.isEmpty ? 1 : tunnels[Int(chance.below(UInt64(tunnels.count)))]
        let routes = node.routeIDs
        let route = routes.isEmpty ? 1 : routes[Int(chance.below(UInt64(routes.count)))]
        switch chance.below(8) {
        case 0: return .everything
        case 1: return .allConnections
        case 2: return .destination(.v4(Self.lnsAddresses[Int(chance.below(2))]))
        case 3: return .tunnel(tunnel)
        case 4: return .tunnelNamed("isp1-\(Self.lnsAddresses[0])")
        case 5: return .session(node.sessionIDs(inTunnel: tunnel).first ?? 1, tunnel: tunnel)
        default: return .connection(route)
        }
    }

    private func serverDeed(_ deed: Deed) {
        switch deed {
        case .killRADIUS:
            tally[.radiusDeaths] += 1
            let index = Int(chance.below(UInt64(radius.count)))
            radius[index].isDead = true
            queue.add(.mend(.radius(index)), at: now + span(40))
        case .slowRADIUS:
            tally[.radiusSlow] += 1
            conditions.isRADIUSSlow = true
            queue.add(.mend(.radius(0)), at: now + span(20))
        case .rejectAll:
            conditions.radiusRejects = true
            queue.add(.mend(.radius(1)), at: now + span(20))
        case .failNames:
            let ways: [Conditions.Names] = [.failing, .slow, .wrong]
            conditions.names = ways[Int(chance.below(3))]
            queue.add(.mend(.names), at: now + span(20))
        default: break
        }
    }

    // MARK: And ends

    func mend(_ mending: Mending) {
        switch mending {
        case .client(let index):
            clients[index].isSilent = false
            clients[index].negotiates = true
        case .lns(let index):
            let lns = lnses[index]
            (lns.isMute, lns.isDead, lns.takesCalls, lns.secret) = (false, false, true, Self.secret)
            lns.answerCalls(at: now)
            collect(lns: index)
        case .radius(let index):
            radius[index].isDead = false
            conditions.isRADIUSSlow = false
            conditions.radiusRejects = false
        case .names: conditions.names = .well
        case .drains:
            // Drains outlive the process; it is undrained when it is back.
            guard isRunning else { return queue.add(.mend(.drains), at: now + .seconds(1)) }
            let targets = node.drainedTargets
            enter("undrain") { for target in targets { _ = try? node.drain(target, false, at: now) } }
        case .configuration:
            configuration = variant.base
            enter("reload") { node.apply(variant.base, at: now) }
        case .dials:
            for index in clients.indices where clients[index].state != .session {
                tally[.dials] += 1
                clients[index].dial(at: now)
                collect(client: index)
            }
        }
    }

    /// Everything is well from here on, and nobody does anything new.
    func mendAll() {
        conditions = Conditions()
        conditions.isMended = true
        network.heal()
        table.operationsLeft = nil
        boot()
        (table.failsForward, table.failsPublish, table.failsPolicers) = (false, false, false)
        for index in clients.indices { mend(.client(index)) }
        for index in lnses.indices { mend(.lns(index)) }
        for index in radius.indices { mend(.radius(index)) }
        mend(.drains)
        mend(.configuration)
    }
}
