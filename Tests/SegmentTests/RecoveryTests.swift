import CSegment
import Segment
import Testing
import Wire

@Suite struct RecoveryTests {
    /// Two external sessions in one tunnel and one of culvertd's own in another.
    private struct Tables {
        let bed: Bed
        let empty: Occupancy
        let tunnel: TunnelID
        let external: [(upstream: UpstreamSession, downstream: DownstreamSession)]
        let own: (up: UpstreamSession, down: DownstreamSession)
        let ownTunnel: TunnelID

        init() throws {
            bed = try Bed()
            empty = bed.writer.occupancy
            tunnel = try bed.tunnel()
            external = [try bed.external(1, tunnel: tunnel, outer: 10), try bed.external(2, tunnel: tunnel)]
            ownTunnel = try bed.tunnel(owner: .subscriber)
            own = try bed.session(3, circuit: try bed.circuit(10, 20), tunnel: ownTunnel)
            // One policer that both external sessions share, one more for one of them, and one of the own session.
            let shared = PolicerRates(rate: 1, burst: 1)
            for session in external {
                try bed.writer.setPolicer(shared, direction: .upstream, of: session.upstream.slot)
            }
            let other = PolicerRates(rate: 2, burst: 2)
            try bed.writer.setPolicer(other, direction: .downstream, of: external[1].upstream.slot)
            try bed.writer.setPolicer(PolicerRates(rate: 3, burst: 3), direction: .upstream, of: own.up.slot)
        }

        func up(_ slot: UpstreamSlot) -> UnsafeMutablePointer<culvert_upstream> {
            bed.view.upstream + Int(slot.rawValue)
        }
        func down(_ slot: DownstreamSlot) -> UnsafeMutablePointer<culvert_downstream> {
            bed.view.downstream + Int(slot.rawValue)
        }

        /// Ends everything that is in service and checks that every place is free again.
        func expectNothingLost() throws {
            let writer = bed.writer
            var slots: [UpstreamSlot] = []
            writer.forEachSession { record in
                slots.append(record.slot)
                return true
            }
            for slot in slots { try writer.remove(slot) }
            bed.reclaim()
            var tunnels: [TunnelID] = []
            writer.forEachTunnel { tunnels.append($0.id) }
            for tunnel in tunnels { try writer.removeTunnel(tunnel) }
            bed.reclaim()
            #expect(writer.occupancy == empty)
        }
    }

    /// What the next culvertd may have to talk to the peer by; of a tunnel id that is given anew there is nothing.
    @Test func controlNumbersStay() throws {
        let tables = try Tables()
        let id = tables.ownTunnel
        #expect(tables.bed.writer.controlNumbers(id) == nil)
        var numbers = ControlNumbers(ns: 65_535, nr: 1, peerNr: 65_530)
        tables.bed.writer.setControlNumbers(id, numbers)
        #expect(tables.bed.writer.controlNumbers(id) == numbers)
        numbers.ns = 0
        numbers.peerFailover = 3
        numbers.peerRecoveryTime = 3_600_000
        tables.bed.writer.setControlNumbers(id, numbers)
        _ = try tables.bed.restart()
        #expect(tables.bed.writer.controlNumbers(id) == numbers)
        try tables.bed.writer.remove(tables.own.up.slot)
        try tables.bed.writer.removeTunnel(id)
        tables.bed.reclaim()
        #expect(tables.bed.writer.controlNumbers(id) == nil)
        var next: TunnelID
        repeat { next = try tables.bed.writer.allocateTunnel(owner: .subscriber) } while next != id
        #expect(tables.bed.writer.controlNumbers(id) == nil)
    }

    @Test func whatIsWholeStays() throws {
        let tables = try Tables()
        let before = tables.bed.writer.occupancy
        let recovery = try tables.bed.restart()
        #expect(recovery.externalSessions == 2)
        #expect(recovery.externalTunnels == 1)
        #expect(recovery.subscriberSessions == [tables.own.up.slot])
        #expect(recovery.subscriberTunnels == [tables.ownTunnel])
        #expect(recovery.unfinishedEntries == 0)
        #expect(recovery.takenBack.isEmpty)
        #expect(tables.bed.writer.occupancy == before)
        for (upstream, downstream) in tables.external {
            let record = try #require(tables.bed.writer.session(at: upstream.slot))
            #expect(record.sessionID == upstream.sessionID)
            #expect(record.core?.slot == downstream.slot)
        }
        #expect(
            try tableError { try tables.bed.writer.removeTunnel(tables.tunnel) }
                == .tunnelInUse(tables.tunnel, sessions: 2))
        try tables.expectNothingLost()
    }

    @Test func recoveryTwiceIsTheSame() throws {
        let tables = try Tables()
        _ = try tables.bed.restart()
        let first = tables.bed.writer.occupancy
        #expect(try tables.bed.restart().externalSessions == 2)
        #expect(tables.bed.writer.occupancy == first)
    }

    /// A half-done change, as a process that ends in the middle of it leaves it, and what the next writer makes of it.
    private struct Half: Sendable, CustomStringConvertible {
        let description: String
        /// External sessions that stay, of two.
        var stay = 2
        /// Own sessions that stay, of one.
        var own = 1
        /// References of sessions whose totals are told.
        var totals: [UInt64] = []
        let leave: @Sendable (Tables) throws -> Void
    }

    private static let free = UInt32(CULVERT_STATE_FREE)
    private static let reserved = UInt32(CULVERT_STATE_RESERVED)
    private static let punt = UInt32(CULVERT_STATE_PUNT)
    private static let forward = UInt32(CULVERT_STATE_FORWARD)
    private static let retired = UInt32(CULVERT_STATE_RETIRED)

    private static let halves = [
        Half(description: "upstream being filled, nothing written yet") {
            $0.bed.view.upstream[900].state = reserved
        },
        Half(description: "downstream being filled") { $0.bed.view.downstream[901].state = reserved },
        Half(description: "downstream allocated for a call in progress") {
            _ = try $0.bed.writer.allocateDownstream(tunnel: $0.tunnel)
        },
        Half(description: "session being negotiated stays", own: 2) {
            _ = try $0.bed.writer.allocateUpstream(circuit: try $0.bed.circuit(), clientMAC: client(4), reference: 4)
        },
        Half(description: "joined, only the downstream side published", own: 1) {
            $0.up($0.own.up.slot).pointee.state = punt
        },
        Half(description: "external, only the downstream side published", stay: 1, totals: [1]) {
            $0.up($0.external[0].upstream.slot).pointee.state = reserved
        },
        Half(description: "removed, only the upstream side unpublished", stay: 1, totals: [2]) {
            $0.up($0.external[1].upstream.slot).pointee.state = retired
        },
        Half(description: "removed, waiting for the workers", stay: 1, totals: [1]) {
            try $0.bed.writer.remove($0.external[0].upstream.slot)
        },
        Half(description: "only the downstream side unpublished", stay: 1, totals: [2]) {
            $0.down($0.external[1].downstream.slot).pointee.state = retired
        },
        Half(description: "being freed, downstream side free already", stay: 1, totals: [1]) {
            try $0.bed.writer.remove($0.external[0].upstream.slot)
            $0.down($0.external[0].downstream.slot).pointee.state = free
        },
        Half(description: "downstream side whose upstream side is free", stay: 1) {
            $0.up($0.external[0].upstream.slot).pointee.state = free
        },
        Half(description: "upstream side whose partner is another's", stay: 1, totals: [1]) {
            $0.up($0.external[0].upstream.slot).pointee.partner = $0.external[1].downstream.slot.rawValue
        },
        Half(description: "sides in different tunnels", stay: 1, totals: [1]) {
            $0.up($0.external[0].upstream.slot).pointee.tunnel = UInt32($0.ownTunnel.rawValue)
        },
        Half(description: "session id that leads elsewhere", stay: 1, totals: [1]) {
            $0.up($0.external[0].upstream.slot).pointee.session_id ^= UInt16(1).bigEndian
        },
        Half(description: "circuit that does not exist", stay: 1, totals: [1]) {
            $0.up($0.external[0].upstream.slot).pointee.circuit = 0xffff_ffff
        },
        Half(description: "partner that does not exist", stay: 1, totals: [1]) {
            $0.up($0.external[0].upstream.slot).pointee.partner = 0xffff_fff0
        },
        Half(description: "state that does not exist", stay: 1, totals: [1]) {
            $0.up($0.external[0].upstream.slot).pointee.state = 0xabcd_ef01
        },
        Half(description: "circuit unlinked, not yet retired", stay: 1, totals: [2]) {
            $0.bed.view.ports[0].untagged_circuit = CULVERT_NO_INDEX
        },
        Half(description: "circuit filled, not yet linked") { $0.bed.view.circuits[60].state = forward },
        Half(description: "circuit being filled") { $0.bed.view.circuits[60].state = reserved },
        Half(description: "circuit linked, without a session") { _ = try $0.bed.circuit(77, 78) },
        Half(description: "inner block filled, not yet linked") {
            $0.bed.view.vlanEntries[15 << 12] = 1
            $0.bed.view.vlanEntries[15 << 12 | 20] = 2
        },
        Half(description: "port block filled, not yet linked") { $0.bed.view.vlanEntries[15 << 12 | 9] = 1 },
        Half(description: "port refers to a block that does not exist") { $0.bed.view.ports[2].vlan_block = 999 },
        Half(description: "port refers to another port's block") {
            $0.bed.view.ports[2].vlan_block = $0.bed.view.ports[0].vlan_block
        },
        Half(description: "entry leads to a block that does not exist") {
            let block = Int($0.bed.view.ports[0].vlan_block)
            $0.bed.view.vlanEntries[block << 12 | 30] = CULVERT_VLAN_INNER | 999
            $0.bed.view.vlanEntries[block << 12 | 31] = CULVERT_VLAN_INNER
            $0.bed.view.vlanEntries[block << 12 | 32] = 0x7fff_ffff
            $0.bed.view.vlanEntries[block << 12] = 1
        },
        Half(description: "inner block emptied, still linked", stay: 1, own: 0, totals: [1, 3]) {
            let block = Int($0.bed.view.ports[0].vlan_block)
            let inner = Int($0.bed.view.vlanEntries[block << 12 | 10] & ~CULVERT_VLAN_INNER)
            for vlan in 0..<4_096 { $0.bed.view.vlanEntries[inner << 12 | vlan] = 0 }
        },
        Half(description: "tunnel allocated, not published") { _ = try $0.bed.writer.allocateTunnel(owner: .external) },
        Half(description: "tunnel waiting for the workers") {
            try $0.bed.writer.removeTunnel(try $0.bed.tunnel())
        },
        Half(description: "tunnel without an owner", stay: 0, totals: [1, 2]) {
            $0.bed.view.tunnels[Int($0.tunnel.rawValue)].owner = 0
        },
        Half(description: "selector swung a moment ago") {
            try $0.bed.writer.updateTemplate($0.tunnel, header: testHeader)
        },
    ]

    @Test(arguments: halves.indices)
    func halfDoneIsTakenBack(index: Int) throws {
        let half = Self.halves[index]
        let tables = try Tables()
        try half.leave(tables)
        let recovery = try tables.bed.restart()
        let text = Comment(rawValue: half.description)
        #expect(recovery.externalSessions == half.stay, text)
        #expect(recovery.subscriberSessions.count == half.own, text)
        #expect(recovery.takenBack.map(\.reference).sorted() == half.totals, text)
        #expect(tables.bed.writer.occupancy.waiting == 0, text)
        for slot in recovery.subscriberSessions {
            #expect(tables.bed.writer.session(at: slot) != nil, text)
        }
        try tables.expectNothingLost()
    }

    @Test func countersSurvive() throws {
        let tables = try Tables()
        let slot = tables.external[0].upstream.slot
        tables.up(slot).pointee.octets = 1_234
        try tables.bed.writer.remove(tables.external[1].upstream.slot)
        tables.down(tables.external[1].downstream.slot).pointee.packets = 55
        let recovery = try tables.bed.restart()
        #expect(tables.bed.writer.counters(of: slot)?.upstreamOctets == 1_234)
        #expect(recovery.takenBack.first?.counters.downstreamPackets == 55)
    }

    /// Thousands of random operations, each followed by the books: what is free, in service and waiting is all there is.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func booksBalanceAtEveryStep(seed: UInt64) throws {
        let bed = try Bed(
            Geometry(
                sessions: 256, tunnels: 16, circuits: 32, vlanBlocks: 8, workers: 1, ports: 2, frameRingDepth: 64))
        var random = SplitMix(state: seed)
        var live: [UpstreamSlot] = []
        var loose: [DownstreamSlot] = []
        var tunnels: [TunnelID] = []
        var refused = 0
        for step in 0..<20_000 {
            do {
                switch random.below(100) {
                case 0..<2:
                    tunnels.append(try bed.tunnel())
                case 2..<4 where !tunnels.isEmpty:
                    let index = random.below(tunnels.count)
                    try bed.writer.removeTunnel(tunnels[index])
                    tunnels.remove(at: index)
                case 4..<8 where !tunnels.isEmpty:
                    try bed.writer.updateTemplate(tunnels[random.below(tunnels.count)], header: testHeader)
                case 8..<50 where !tunnels.isEmpty:
                    let outer = UInt16(random.below(6))
                    live.append(
                        try bed.writer.addExternal(
                            port: UInt16(random.below(2)), outerVLAN: outer,
                            innerVLAN: outer == 0 ? 0 : UInt16(random.below(4)), tpid: outer == 0 ? 0 : 0x8100,
                            clientMAC: client(UInt64(step)), tunnel: tunnels[random.below(tunnels.count)],
                            peerSessionID: 1, reference: UInt64(step)
                        ).upstream.slot)
                case 50..<55:
                    live.append(
                        try bed.writer.allocateUpstream(circuit: bed.circuit(9), clientMAC: client(UInt64(step))).slot)
                case 55..<58 where !tunnels.isEmpty:
                    loose.append(
                        try bed.writer.allocateDownstream(tunnel: tunnels[random.below(tunnels.count)]).slot)
                case 58..<61 where !loose.isEmpty:
                    try bed.writer.release(loose.removeLast())
                case 61..<98 where !live.isEmpty:
                    try bed.writer.remove(live.remove(at: random.below(live.count)))
                case 98:
                    bed.reclaim(limit: random.below(20))
                case 99 where step % 10 == 0:
                    _ = try bed.restart()
                    loose = []
                    live = []
                    bed.writer.forEachSession { record in
                        live.append(record.slot)
                        return true
                    }
                default:
                    bed.reclaim()
                }
            } catch is TableError {
                refused += 1
            }
            var usedUp = 0
            var usedDown = 0
            for slot in 0..<256 {
                if bed.view.upstream[slot].state != 0 { usedUp += 1 }
                if bed.view.downstream[slot].state != 0 { usedDown += 1 }
            }
            let occupancy = bed.writer.occupancy
            guard Int(occupancy.freeUpstream) + usedUp == 256, Int(occupancy.freeDownstream) + usedDown == 256 else {
                Issue.record("step \(step): \(occupancy), \(usedUp) upstream and \(usedDown) downstream in use")
                return
            }
        }
        #expect(refused > 100, "the tables were full now and then")
        for slot in loose { try bed.writer.release(slot) }
        for slot in live { try bed.writer.remove(slot) }
        bed.reclaim()
        for tunnel in tunnels { try bed.writer.removeTunnel(tunnel) }
        if let unused = try? bed.circuit(9) { bed.writer.releaseIfUnused(unused) }
        bed.reclaim()
        #expect(
            bed.writer.occupancy
                == Occupancy(
                    freeUpstream: 256, freeDownstream: 256, freeTunnels: 15, freeCircuits: 32, freeVLANBlocks: 7,
                    freePolicers: 1_024, waiting: 0))
    }
}

/// SplitMix64: the same numbers on every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// A number below `bound`.
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
