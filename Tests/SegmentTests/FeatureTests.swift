import CSegment
import Segment
import Testing
import Wire

/// What sessions have beside their addresses, in the tables.
@Suite struct FeatureTests {
    private static let gold = PolicerRates(
        committedRate: 1_000_000, peakRate: 2_000_000, committedBurst: 15_000, peakBurst: 30_000)
    private static let silver = PolicerRates(rate: 125_000, burst: 4_000)

    private static var everything: SessionFeatures {
        var features = SessionFeatures()
        features.upstreamPolicer = gold
        features.downstreamPolicer = silver
        features.mss = 1_300
        features.sendsSequence = true
        features.requiresSequence = true
        features.reorders = true
        return features
    }

    /// A session of each kind, with these features from its start.
    private struct Tables {
        let bed: Bed
        let tunnel: TunnelID
        let slot: UpstreamSlot
        let other: DownstreamSlot

        init(_ features: SessionFeatures = SessionFeatures(), external: Bool = true) throws {
            bed = try Bed()
            tunnel = try bed.tunnel()
            if external {
                let session = try bed.writer.addExternal(
                    port: 0, outerVLAN: 0, innerVLAN: 0, tpid: 0, clientMAC: client(1), tunnel: tunnel,
                    peerSessionID: 1,
                    reference: 1, features: features)
                (slot, other) = (session.upstream.slot, session.downstream.slot)
            } else {
                let up = try bed.writer.allocateUpstream(circuit: bed.circuit(), clientMAC: client(1))
                let down = try bed.writer.allocateDownstream(tunnel: tunnel)
                try bed.writer.forward(up.slot, down.slot, peerSessionID: 1, features: features)
                (slot, other) = (up.slot, down.slot)
            }
        }

        var up: culvert_upstream { bed.view.upstream[Int(slot.rawValue)] }
        var down: culvert_downstream { bed.view.downstream[Int(other.rawValue)] }
        var upFeatures: culvert_features { bed.view.upstreamFeatures[Int(slot.rawValue)] }
        var downFeatures: culvert_features { bed.view.downstreamFeatures[Int(other.rawValue)] }

        func rates(_ index: UInt16) -> PolicerRates? { bed.view.policerRates(UInt32(index))?.rates }
    }

    private static let all = UInt8(
        CULVERT_FEATURE_POLICED | CULVERT_FEATURE_CLAMPED | CULVERT_FEATURE_SEQUENCED | CULVERT_FEATURE_REORDERED)

    @Test(arguments: [false, true]) func areThereFromTheStart(external: Bool) throws {
        let tables = try Tables(Self.everything, external: external)
        #expect(tables.up.features == Self.all & ~UInt8(CULVERT_FEATURE_REORDERED))
        #expect(tables.down.features == Self.all)
        #expect(tables.upFeatures.mss == 1_300)
        #expect(tables.downFeatures.mss == 1_300)
        #expect(tables.rates(tables.upFeatures.policer) == Self.gold)
        #expect(tables.rates(tables.downFeatures.policer) == Self.silver)
        #expect(tables.bed.writer.session(at: tables.slot)?.features == Self.everything)
        #expect(try tables.bed.writer.features(of: tables.slot) == Self.everything)
        #expect(tables.bed.writer.occupancy.freePolicers == 1_022)
    }

    @Test(arguments: [false, true]) func noneIsTheDefault(external: Bool) throws {
        let tables = try Tables(external: external)
        #expect(tables.up.features == 0)
        #expect(tables.down.features == 0)
        #expect(tables.bed.writer.session(at: tables.slot)?.features == SessionFeatures())
    }

    @Test func changeWhileTheSessionLives() throws {
        let tables = try Tables()
        let writer = tables.bed.writer
        var expected = SessionFeatures()
        func check(_ change: (inout SessionFeatures) -> Void) throws {
            change(&expected)
            #expect(try writer.features(of: tables.slot) == expected)
        }
        try writer.setPolicer(Self.gold, direction: .upstream, of: tables.slot)
        try check { $0.upstreamPolicer = Self.gold }
        try writer.setPolicer(Self.gold, direction: .downstream, of: tables.slot)
        try check { $0.downstreamPolicer = Self.gold }
        try writer.setPolicer(Self.silver, direction: .upstream, of: tables.slot)
        try check { $0[.upstream] = Self.silver }
        try writer.setPolicer(nil, direction: .downstream, of: tables.slot)
        try check { $0[.downstream] = nil }
        try writer.setMSS(1_452, of: tables.slot)
        try check { $0.mss = 1_452 }
        #expect(tables.downFeatures.mss == 1_452)
        #expect(tables.down.features == UInt8(CULVERT_FEATURE_CLAMPED))
        try writer.setMSS(nil, of: tables.slot)
        try check { $0.mss = nil }
        for (send, required, reorder) in [(true, false, false), (false, true, false), (false, false, true)] {
            try writer.setSequencing(send: send, required: required, reorder: reorder, of: tables.slot)
            try check { ($0.sendsSequence, $0.requiresSequence, $0.reorders) = (send, required, reorder) }
        }
        try writer.setSequencing(send: false, required: false, reorder: false, of: tables.slot)
        try writer.setPolicer(nil, direction: .upstream, of: tables.slot)
        #expect(tables.up.features == 0)
        #expect(tables.down.features == 0)
        #expect(writer.occupancy.freePolicers == 1_024)
    }

    @Test func changesLeaveTheWorkersStateAlone() throws {
        let tables = try Tables(Self.everything)
        let line = tables.bed.view.upstreamFeatures + Int(tables.slot.rawValue)
        line.pointee.meter = (1, 2, 3, 4)
        line.pointee.sequence = 77
        tables.bed.view.upstream[Int(tables.slot.rawValue)].learned = 4
        tables.bed.view.upstream[Int(tables.slot.rawValue)].claim = 0x1234
        try tables.bed.writer.setPolicer(Self.silver, direction: .upstream, of: tables.slot)
        try tables.bed.writer.setSequencing(send: false, required: false, reorder: false, of: tables.slot)
        try tables.bed.writer.setMSS(nil, of: tables.slot)
        #expect(line.pointee.meter == (1, 2, 3, 4))
        #expect(line.pointee.sequence == 77)
        #expect(tables.up.learned == 4)
        #expect(tables.up.claim == 0x1234)
    }

    @Test func newSessionStartsFromNothing() throws {
        let bed = try Bed()
        let tunnel = try bed.tunnel()
        for slot in 0..<1_024 {
            UnsafeMutableRawPointer(bed.view.upstreamFeatures + slot).initializeMemory(
                as: UInt8.self, repeating: 0xa5, count: 64)
            UnsafeMutableRawPointer(bed.view.downstreamFeatures + slot).initializeMemory(
                as: UInt8.self, repeating: 0xa5, count: 64)
            bed.view.upstream[slot].features = 0xff
            bed.view.downstream[slot].features = 0xff
        }
        let session = try bed.session(circuit: bed.circuit(), tunnel: tunnel)
        let lines = [
            bed.view.upstreamFeatures[Int(session.up.slot.rawValue)],
            bed.view.downstreamFeatures[Int(session.down.slot.rawValue)],
        ]
        for line in lines { withUnsafeBytes(of: line) { #expect($0.allSatisfy { $0 == 0 }) } }
        #expect(bed.writer.session(at: session.up.slot)?.features == SessionFeatures())
    }

    @Test func sameRatesAreOnePolicer() throws {
        let tables = try Tables(Self.everything)
        let writer = tables.bed.writer
        let second = try tables.bed.external(2, tunnel: tables.tunnel).upstream.slot
        try writer.setPolicer(Self.gold, direction: .upstream, of: second)
        try writer.setPolicer(Self.gold, direction: .downstream, of: second)
        #expect(tables.bed.view.upstreamFeatures[Int(second.rawValue)].policer == tables.upFeatures.policer)
        #expect(writer.occupancy.freePolicers == 1_022)
        try writer.remove(tables.slot)
        tables.bed.reclaim()
        #expect(writer.occupancy.freePolicers == 1_023, "the other session's rates went with it")
        try writer.setPolicer(nil, direction: .upstream, of: second)
        #expect(writer.occupancy.freePolicers == 1_023)
        try writer.remove(second)
        tables.bed.reclaim()
        #expect(writer.occupancy.freePolicers == 1_024)
    }

    @Test func generationsAreEvenAndNeverTheSame() throws {
        let tables = try Tables()
        let writer = tables.bed.writer
        var seen: [UInt16: Set<UInt32>] = [:]
        for rate in 1...3_000 {
            try writer.setPolicer(PolicerRates(rate: UInt64(rate), burst: 1), direction: .upstream, of: tables.slot)
            let index = tables.upFeatures.policer
            let generation = tables.bed.view.policers[Int(index)].generation
            #expect(generation != 0 && generation % 2 == 0)
            #expect(seen[index, default: []].insert(generation).inserted)
        }
        #expect(seen.count == 1_024, "what is given back rests for as long as it can")
        // The generation comes round, and not to 0.
        for policer in 0..<1_024 { tables.bed.view.policers[policer].generation = .max - 1 }
        try writer.setPolicer(PolicerRates(rate: 9_999, burst: 1), direction: .downstream, of: tables.slot)
        #expect(tables.bed.view.policers[Int(tables.downFeatures.policer)].generation == 2)
    }

    @Test func fullTableRefusesTheNewcomer() throws {
        let bed = try Bed(
            Geometry(
                sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 1, ports: 2, frameRingDepth: 64,
                policers: 16))
        let tunnel = try bed.tunnel()
        let slots = try (1...9).map { try bed.external($0, tunnel: tunnel).upstream.slot }
        for (index, slot) in slots.enumerated().prefix(8) {
            let rate = UInt64(2 * index + 1)
            try bed.writer.setPolicer(PolicerRates(rate: rate, burst: 1), direction: .upstream, of: slot)
            try bed.writer.setPolicer(PolicerRates(rate: rate + 1, burst: 1), direction: .downstream, of: slot)
        }
        #expect(bed.writer.occupancy.freePolicers == 0)
        let new = PolicerRates(rate: 99, burst: 1)
        let full = TableError.policersFull(capacity: 16)
        let before = bed.writer.occupancy
        #expect(try tableError { try bed.writer.setPolicer(new, direction: .upstream, of: slots[8]) } == full)
        #expect(try tableError { try bed.writer.setPolicer(new, direction: .upstream, of: slots[0]) } == full)
        #expect(try bed.writer.features(of: slots[0]).upstreamPolicer?.peakRate == 1, "it keeps what it has")
        try bed.writer.setPolicer(PolicerRates(rate: 7, burst: 1), direction: .upstream, of: slots[8])
        // A whole session is refused as a whole, and leaves nothing behind.
        var features = SessionFeatures()
        features.upstreamPolicer = PolicerRates(rate: 7, burst: 1)
        features.downstreamPolicer = new
        let refused = try tableError {
            try bed.writer.addExternal(
                port: 1, outerVLAN: 5, innerVLAN: 0, tpid: 0x8100, clientMAC: client(99), tunnel: tunnel,
                peerSessionID: 9, reference: 9, features: features)
        }
        #expect(refused == full)
        let up = try bed.writer.allocateUpstream(circuit: bed.circuit(), clientMAC: client(77))
        let down = try bed.writer.allocateDownstream(tunnel: tunnel)
        #expect(
            try tableError { try bed.writer.forward(up.slot, down.slot, peerSessionID: 1, features: features) } == full)
        try bed.writer.forward(up.slot, down.slot, peerSessionID: 1)
        try bed.writer.remove(up.slot)
        bed.reclaim()
        #expect(bed.writer.occupancy == before)
        // What a session gives back, the newcomer gets.
        try bed.writer.setPolicer(nil, direction: .upstream, of: slots[0])
        try bed.writer.setPolicer(new, direction: .downstream, of: slots[8])
        #expect(try bed.writer.features(of: slots[8]).downstreamPolicer == new)
    }

    @Test func refusedSessionsGiveTheirPolicersBack() throws {
        let tables = try Tables()
        let bad = try tableError {
            try tables.bed.writer.addExternal(
                port: 9, outerVLAN: 0, innerVLAN: 0, tpid: 0, clientMAC: client(2), tunnel: tables.tunnel,
                peerSessionID: 2, reference: 2, features: Self.everything)
        }
        #expect(bad == .noSuchPort(9))
        #expect(tables.bed.writer.occupancy.freePolicers == 1_024)
    }

    @Test(
        arguments: [(0, 1, 1, 1), (2, 1, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0), (1, .max, 1, 1)]
            as [(UInt64, UInt64, UInt64, UInt64)])
    func refusesRatesThatAreNone(numbers: (UInt64, UInt64, UInt64, UInt64)) throws {
        let rates = PolicerRates(
            committedRate: numbers.0, peakRate: numbers.1, committedBurst: numbers.2, peakBurst: numbers.3)
        let tables = try Tables()
        #expect(
            try tableError { try tables.bed.writer.setPolicer(rates, direction: .upstream, of: tables.slot) }
                == .invalidRates(rates))
        var features = SessionFeatures()
        features.downstreamPolicer = rates
        #expect(try tableError { try Tables(features) } == .invalidRates(rates))
    }

    @Test(arguments: [0, 127, 65_496, .max] as [UInt16]) func refusesAnMSSThatIsNone(mss: UInt16) throws {
        let tables = try Tables()
        #expect(try tableError { try tables.bed.writer.setMSS(mss, of: tables.slot) } == .invalidMSS(mss))
        var features = SessionFeatures()
        features.mss = mss
        #expect(try tableError { try Tables(features, external: false) } == .invalidMSS(mss))
    }

    @Test func onlyForwardedSessionsHaveFeatures() throws {
        let tables = try Tables()
        let writer = tables.bed.writer
        let negotiating = try writer.allocateUpstream(circuit: tables.bed.circuit(), clientMAC: client(2)).slot
        let removed = try tables.bed.external(3, tunnel: tables.tunnel).upstream.slot
        try writer.remove(removed)
        for slot in [negotiating, removed, UpstreamSlot(rawValue: 1_000), UpstreamSlot(rawValue: .max)] {
            let error = TableError.noSuchUpstreamSession(slot)
            #expect(try tableError { try writer.setMSS(1_400, of: slot) } == error)
            #expect(try tableError { try writer.setPolicer(Self.gold, direction: .upstream, of: slot) } == error)
            #expect(
                try tableError { try writer.setSequencing(send: true, required: true, reorder: true, of: slot) }
                    == error)
            #expect(try tableError { try writer.features(of: slot) } == error)
        }
        #expect(writer.occupancy.freePolicers == 1_024)
    }

    @Test func totalsTellWhatWasPolicedAndWhatTheNumbersSaid() throws {
        let tables = try Tables(Self.everything)
        tables.bed.view.upstreamFeatures[Int(tables.slot.rawValue)].policed_packets = 5
        let line = tables.bed.view.downstreamFeatures + Int(tables.other.rawValue)
        line.pointee.policed_packets = 6
        (line.pointee.missing, line.pointee.late, line.pointee.reordered) = (7, 8, 9)
        let counters = SessionCounters(
            upstreamPackets: 0, upstreamOctets: 0, downstreamPackets: 0, downstreamOctets: 0, upstreamPoliced: 5,
            downstreamPoliced: 6, sequence: SequenceCounters(missing: 7, late: 8, reordered: 9))
        #expect(tables.bed.writer.counters(of: tables.slot) == counters)
        #expect(tables.bed.writer.session(at: tables.slot)?.counters == counters)
        try tables.bed.writer.remove(tables.slot)
        #expect(tables.bed.reclaim().map(\.counters) == [counters])
    }

    @Test func nextWriterKnowsWhoUsesWhat() throws {
        let tables = try Tables(Self.everything)
        let second = try tables.bed.external(2, tunnel: tables.tunnel).upstream.slot
        try tables.bed.writer.setPolicer(Self.gold, direction: .downstream, of: second)
        let generation = tables.bed.view.policers[Int(tables.upFeatures.policer)].generation
        _ = try tables.bed.restart()
        let writer = tables.bed.writer
        #expect(writer.occupancy.freePolicers == 1_022)
        #expect(try writer.features(of: tables.slot) == Self.everything)
        // Shared with what is there, without a change to it.
        try writer.setPolicer(Self.gold, direction: .upstream, of: second)
        #expect(writer.occupancy.freePolicers == 1_022)
        #expect(tables.bed.view.policers[Int(tables.upFeatures.policer)].generation == generation)
        try writer.remove(tables.slot)
        tables.bed.reclaim()
        #expect(writer.occupancy.freePolicers == 1_023)
        try writer.setPolicer(nil, direction: .upstream, of: second)
        try writer.setPolicer(nil, direction: .downstream, of: second)
        #expect(writer.occupancy.freePolicers == 1_024)
    }

    @Test func writerThatDiedWhileItWroteAPolicerLeavesAFreeOne() throws {
        let tables = try Tables()
        for policer in 0..<1_024 {
            tables.bed.view.policers[policer].generation = 5
            tables.bed.view.policers[policer].committed_rate = .max
        }
        _ = try tables.bed.restart()
        #expect(tables.bed.writer.occupancy.freePolicers == 1_024)
        try tables.bed.writer.setPolicer(Self.gold, direction: .upstream, of: tables.slot)
        #expect(tables.bed.view.policers[Int(tables.upFeatures.policer)].generation == 6)
        #expect(tables.rates(tables.upFeatures.policer) == Self.gold)
    }

    @Test func policersThatDoNotExistAreNobodys() throws {
        let bed = try Bed(
            Geometry(
                sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 1, ports: 2, frameRingDepth: 64,
                policers: 16))
        let slot = try bed.external(1, tunnel: bed.tunnel()).upstream.slot
        bed.view.upstream[Int(slot.rawValue)].features = UInt8(CULVERT_FEATURE_POLICED)
        bed.view.upstreamFeatures[Int(slot.rawValue)].policer = 40_000
        _ = try bed.restart()
        #expect(bed.writer.occupancy.freePolicers == 16)
        try bed.writer.remove(slot)
        bed.reclaim()
        #expect(bed.writer.occupancy.freePolicers == 16)
    }

    /// Thousands of random changes, now and then by another writer: users and free policers are what the tables say.
    @Test(arguments: [1, 2, 3] as [UInt64]) func policersBalance(seed: UInt64) throws {
        let bed = try Bed(
            Geometry(
                sessions: 64, tunnels: 16, circuits: 16, vlanBlocks: 4, workers: 1, ports: 2, frameRingDepth: 64,
                policers: 16))
        let tunnel = try bed.tunnel()
        var random = SplitMix(state: seed)
        var slots: [UpstreamSlot] = []
        var refused = 0
        for step in 0..<5_000 {
            do {
                switch random.below(20) {
                case 0..<4:
                    var features = SessionFeatures()
                    if random.below(2) == 0 {
                        features.upstreamPolicer = PolicerRates(rate: 1, burst: UInt64(random.below(20) + 1))
                    }
                    slots.append(
                        try bed.writer.addExternal(
                            port: 0, outerVLAN: 0, innerVLAN: 0, tpid: 0, clientMAC: client(UInt64(step)),
                            tunnel: tunnel,
                            peerSessionID: 1, reference: 1, features: features
                        ).upstream.slot)
                case 4..<7 where !slots.isEmpty:
                    try bed.writer.remove(slots.remove(at: random.below(slots.count)))
                case 7..<16 where !slots.isEmpty:
                    let rates = random.below(4) == 0 ? nil : PolicerRates(rate: 1, burst: UInt64(random.below(20) + 1))
                    try bed.writer.setPolicer(
                        rates, direction: random.below(2) == 0 ? .upstream : .downstream,
                        of: slots[random.below(slots.count)])
                case 16 where step % 10 == 0: _ = try bed.restart()
                default: bed.reclaim()
                }
            } catch is TableError {
                refused += 1
            }
            guard bed.writer.occupancy.waiting == 0 else { continue }
            var used: Set<UInt16> = []
            for slot in 0..<64 {
                let policed = UInt8(CULVERT_FEATURE_POLICED)
                let (up, down) = (bed.view.upstream[slot], bed.view.downstream[slot])
                if up.state != 0, up.features & policed != 0 { used.insert(bed.view.upstreamFeatures[slot].policer) }
                if down.state != 0, down.features & policed != 0 {
                    used.insert(bed.view.downstreamFeatures[slot].policer)
                }
            }
            guard Int(bed.writer.occupancy.freePolicers) + used.count == 16 else {
                Issue.record("step \(step): \(bed.writer.occupancy), \(used.count) in use")
                return
            }
        }
        #expect(refused > 50, "the table was full now and then")
        for slot in slots { try bed.writer.remove(slot) }
        bed.reclaim()
        #expect(bed.writer.occupancy.freePolicers == 16)
    }
}
